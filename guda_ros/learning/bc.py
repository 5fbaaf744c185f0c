"""Behaviour cloning: regression from observations to the demonstrated actions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
import time

import torch
from torch.nn import functional

from guda_ros.data.contract import Contract
from guda_ros.data.datasets import TransitionSet
from guda_ros.learning.networks import (
    Normaliser,
    PolicyNetwork,
    torch_threads,
    training_arrays,
    TrainingError,
    TrainingResult,
)


@dataclass(frozen=True)
class BCConfig:
    """
    Arguments of behaviour cloning.

    updates: gradient steps, batch_size: transitions in each. learning_rate falls to zero along a
    cosine. weight_decay: AdamW's. hidden: sizes of the hidden layers.
    log_every: updates between two entries of the history. threads: of torch.
    """

    updates: int = 2500
    batch_size: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    hidden: tuple[int, ...] = (256, 256)
    log_every: int = 100
    threads: int = 1

    def __post_init__(self) -> None:
        for name in ('updates', 'batch_size', 'learning_rate', 'log_every', 'threads'):
            if not getattr(self, name) > 0:
                raise TrainingError(
                    f'{name}: a positive number is expected, not {getattr(self, name)}'
                )


def train_bc(
    transitions: TransitionSet,
    contract: Contract,
    config: BCConfig = BCConfig(),
    seed: int = 0,
    progress: Callable[[int, int, float], None] | None = None,
) -> TrainingResult:
    """
    Clone the behaviour in `transitions`; the same seed gives the same policy on the same machine.

    :param progress: called with the update, the number of updates and the loss.
    :raises TrainingError: if the data cannot be learnt from, or the loss is no longer finite.
    :raises ContractMismatch: if the transitions were made for another contract.
    """
    begin = time.perf_counter()
    observations, actions = training_arrays(transitions, contract)
    generator = torch.Generator().manual_seed(seed)
    with torch_threads(config.threads):
        network = PolicyNetwork(Normaliser.fit(observations), config.hidden, generator)
        inputs = network.normaliser(torch.from_numpy(observations))
        targets = torch.from_numpy(actions)
        optimizer = torch.optim.AdamW(
            network.parameters(),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            fused=True,
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.updates)
        history: dict[str, list[float]] = {'update': [], 'losses/policy_loss': []}
        total, counted = torch.zeros(()), 0
        for update in range(1, config.updates + 1):
            rows = torch.randint(len(inputs), (config.batch_size,), generator=generator)
            loss = functional.mse_loss(network.act(inputs[rows]), targets[rows])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.detach()
            counted += 1
            if update % config.log_every == 0 or update == config.updates:
                mean = float(total) / counted
                if mean != mean or mean in (float('inf'), float('-inf')):
                    raise TrainingError(
                        f'the loss is {mean} after {update} updates; use a smaller learning_rate'
                    )
                history['update'].append(update)
                history['losses/policy_loss'].append(mean)
                total, counted = torch.zeros(()), 0
                if progress:
                    progress(update, config.updates, mean)
    return TrainingResult(
        network.eval(),
        history,
        time.perf_counter() - begin,
        config.updates,
        {'algorithm': 'bc', 'seed': seed, **asdict(config)},
    )
