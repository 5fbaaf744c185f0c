"""Train proposer and refiner; a run that was interrupted goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
import math
from pathlib import Path

import numpy as np
import torch
from torch import nn

from guda_ros.data.files import atomic_target
from guda_ros.perception_training.networks import Proposer, Refiner
from guda_ros.perception_training.samples import Canvases, colours, Patches

#: Pictures and what is to be said of them, step by step.
Batches = Iterator[tuple[torch.Tensor, torch.Tensor]]
#: Called after each epoch with its number, of how many, and the mean loss.
Report = Callable[[str, int, int, float], None]


#: Whether this CPU multiplies numbers of half the bits faster.
_HALVES = bool(torch.cpu._is_avx512_bf16_supported())


@dataclass(frozen=True)
class Schedule:
    """How long is trained: epochs, samples of each, samples of a step, highest learning rate."""

    epochs: int
    samples: int
    batch: int
    rate: float


PROPOSER_SCHEDULE = Schedule(epochs=9, samples=3200, batch=16, rate=3e-3)
REFINER_SCHEDULE = Schedule(epochs=10, samples=40960, batch=128, rate=3e-3)


def train_proposer(
    canvases: Canvases,
    shares: dict[str, float],
    checkpoint: Path,
    schedule: Schedule = PROPOSER_SCHEDULE,
    seed: int = 1,
    report: Report | None = None,
) -> Proposer:
    """Return a trained proposer; `checkpoint` is written after each epoch, and gone on from."""

    def batches(epoch: int) -> Batches:
        rng = np.random.default_rng([seed, 3, epoch])
        drawn = list(canvases.draw(epoch, schedule.samples, shares))
        for start in range(0, len(drawn), schedule.batch):
            cut = [canvases.cut(index, rng) for index in drawn[start : start + schedule.batch]]
            images, targets = (torch.from_numpy(np.stack(part)) for part in zip(*cut))
            yield images, targets

    torch.manual_seed(seed)
    network = Proposer()
    _train(network, batches, _heat_loss, checkpoint, schedule, 'proposer', report)
    return network


def train_refiner(
    patches: Patches,
    checkpoint: Path,
    schedule: Schedule = REFINER_SCHEDULE,
    seed: int = 1,
    report: Report | None = None,
) -> Refiner:
    """Return a trained refiner, as train_proposer."""

    def batches(epoch: int) -> Batches:
        rng = np.random.default_rng([seed, 4, epoch])
        drawn = rng.choice(len(patches.images), schedule.samples, p=patches.weights)
        for start in range(0, len(drawn), schedule.batch):
            chosen = drawn[start : start + schedule.batch]
            images = colours(patches.images[chosen], rng)
            targets = np.concatenate(
                [patches.balls[chosen, None], patches.targets[chosen]], axis=1
            ).astype(np.float32)
            mirrored = rng.random(len(chosen)) < 0.5
            images[mirrored] = images[mirrored, :, ::-1]
            targets[mirrored, 1] *= -1
            yield torch.from_numpy(images), torch.from_numpy(targets)

    torch.manual_seed(seed)
    network = Refiner()
    _train(network, batches, _patch_loss, checkpoint, schedule, 'refiner', report)
    return network


def _train(
    network: nn.Module,
    batches: Callable[[int], Batches],
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    checkpoint: Path,
    schedule: Schedule,
    name: str,
    report: Report | None,
) -> None:
    optimiser = torch.optim.AdamW(network.parameters(), lr=schedule.rate, weight_decay=1e-3)
    start = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state['network'])
        optimiser.load_state_dict(state['optimiser'])
        start = state['epoch']
    steps = math.ceil(schedule.samples / schedule.batch)
    total = schedule.epochs * steps
    network.train()
    for epoch in range(start, schedule.epochs):
        losses: list[float] = []
        for step, (images, targets) in enumerate(batches(epoch)):
            done = epoch * steps + step
            warm = min(1.0, (done + 1) / 100)
            rate = (
                schedule.rate * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * done / total)) / 2)
            )
            for group in optimiser.param_groups:
                group['lr'] = rate
            with torch.autocast('cpu', torch.bfloat16, enabled=_HALVES):
                said = network(images)
            loss = loss_of(said.float(), targets)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            losses.append(float(loss.detach()))
        with atomic_target(checkpoint) as temporary:
            torch.save(
                {
                    'network': network.state_dict(),
                    'optimiser': optimiser.state_dict(),
                    'epoch': epoch + 1,
                },
                temporary,
            )
        if report:
            report(name, epoch + 1, schedule.epochs, float(np.mean(losses)))
    network.eval()


def _heat_loss(said: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """
    Focal loss of the centres and L1 of the sizes.

    Zhou, Wang and Kraehenbuehl 2019, Objects as Points, equation 1 (https://arxiv.org/abs/1904.07850).
    """
    heat, size, known, counts = target.unbind(dim=1)
    logit = said[:, 0]
    probability = torch.sigmoid(logit).clamp(1e-5, 1 - 1e-5)
    centre = (heat >= 0.999) & (counts > 0)
    number = centre.sum().clamp(min=1)
    found = -torch.log(probability) * (1 - probability) ** 2 * centre
    other = -torch.log(1 - probability) * probability**2 * (1 - heat) ** 4 * ~centre * counts
    sizes = (torch.abs(said[:, 1] - size) * known).sum() / known.sum().clamp(min=1)
    return (found.sum() + other.sum()) / number + 0.5 * sizes


def _patch_loss(said: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Cross entropy of being a ball; likelihood of its centre; L1 of centre and size."""
    ball = target[:, 0]
    score = nn.functional.binary_cross_entropy_with_logits(said[:, 0], ball)
    number = ball.sum().clamp(min=1)
    away = said[:, 1:3] - target[:, 1:3]
    spread = said[:, 5].clamp(-6, 0)
    # The deviation is learnt of the errors, and does not excuse them.
    likelihood = 0.5 * (away.detach() ** 2).sum(dim=1) * torch.exp(-2 * spread) + 2 * spread
    size = torch.abs(said[:, 3:5] - target[:, 3:5]).sum(dim=1)
    rest = 8 * torch.abs(away).sum(dim=1) + size + 0.1 * likelihood
    return score + 0.3 * (rest * ball).sum() / number
