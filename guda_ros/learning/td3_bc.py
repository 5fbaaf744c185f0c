"""TD3+BC: A Minimalist Approach to Offline RL, Fujimoto and Gu, 2021 (arXiv 2106.06860)."""

from __future__ import annotations

from collections.abc import Callable
import copy
from dataclasses import asdict, dataclass
import math
import time

import torch
from torch.nn import functional

from guda_ros.data.contract import Contract
from guda_ros.data.datasets import TransitionSet
from guda_ros.learning.networks import (
    check_finite,
    Normaliser,
    PolicyNetwork,
    torch_threads,
    training_arrays,
    TrainingError,
    TrainingResult,
    TwinCritic,
)


@dataclass(frozen=True)
class TD3BCConfig:
    """
    Arguments of TD3+BC; names as in the paper.

    alpha weighs the value against the cloning term: lambda = alpha / mean |Q|. The paper's 2.5
    collapses on data of this kind. bc_updates: updates in which the actor only clones, before the
    critics' first; they cost a third of the others. updates: of the critics, one of the actor
    every policy_delay of them. In the first part of them, the share `warmup`, the actor still
    only clones: the values of untrained critics are noise that ruins it. discount is per control
    step; an episode that was cut off is bootstrapped, one that ended is not.
    """

    updates: int = 1500
    warmup: float = 0.5
    bc_updates: int = 2500
    batch_size: int = 256
    actor_learning_rate: float = 1e-3
    critic_learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    hidden: tuple[int, ...] = (256, 256)
    critic_hidden: tuple[int, ...] = (256, 256)
    alpha: float = 0.2
    discount: float = 0.99
    tau: float = 0.005
    policy_noise: float = 0.2
    noise_clip: float = 0.5
    policy_delay: int = 2
    log_every: int = 100
    threads: int = 1

    def __post_init__(self) -> None:
        for name in (
            'updates',
            'batch_size',
            'actor_learning_rate',
            'critic_learning_rate',
            'alpha',
            'policy_delay',
            'log_every',
            'threads',
        ):
            if not getattr(self, name) > 0:
                raise TrainingError(
                    f'{name}: a positive number is expected, not {getattr(self, name)}'
                )
        if self.bc_updates < 0:
            raise TrainingError(f'bc_updates: must not be negative, is {self.bc_updates}')
        if not 0 <= self.warmup < 1:
            raise TrainingError(f'warmup: a share in [0, 1) is expected, not {self.warmup}')
        for name in ('discount', 'tau'):
            if not 0 < getattr(self, name) <= 1:
                raise TrainingError(
                    f'{name}: a number in (0, 1] is expected, not {getattr(self, name)}'
                )


def train_td3_bc(
    transitions: TransitionSet,
    contract: Contract,
    config: TD3BCConfig = TD3BCConfig(),
    seed: int = 0,
    progress: Callable[[int, int, float], None] | None = None,
) -> TrainingResult:
    """
    Train a policy offline; the same seed gives the same policy on the same machine.

    :param progress: called with the update, the number of updates and the cloning error.
    :raises TrainingError: if the data cannot be learnt from, or a loss is no longer finite.
    :raises ContractMismatch: if the transitions were made for another contract.
    """
    begin = time.perf_counter()
    observations, actions = training_arrays(transitions, contract)
    next_observations = transitions.next_observations()
    check_finite('next observations', next_observations)
    check_finite('rewards', transitions.rewards)
    with torch_threads(config.threads):
        trainer = _Trainer(observations, config, seed)
        data = (
            trainer.actor.normaliser(torch.from_numpy(observations)),
            torch.from_numpy(actions),
            trainer.actor.normaliser(torch.from_numpy(next_observations)),
            torch.from_numpy(transitions.rewards),
            1.0 - torch.from_numpy(transitions.terminations).float(),
        )
        history = trainer.learn(data, progress)
    return TrainingResult(
        trainer.actor.eval(),
        history,
        time.perf_counter() - begin,
        config.bc_updates + config.updates,
        {'algorithm': 'td3_bc', 'seed': seed, **asdict(config)},
    )


class _Trainer:
    """Actor, twin critics, their targets and optimisers."""

    def __init__(self, observations, config: TD3BCConfig, seed: int) -> None:
        self._config = config
        self._generator = torch.Generator().manual_seed(seed)
        self.actor = PolicyNetwork(Normaliser.fit(observations), config.hidden, self._generator)
        self.critic = TwinCritic(observations.shape[1] + 3, config.critic_hidden, self._generator)
        self.actor_optimizer = torch.optim.AdamW(
            self.actor.parameters(),
            lr=config.actor_learning_rate,
            weight_decay=config.weight_decay,
            fused=True,
        )
        self.critic_optimizer = torch.optim.AdamW(
            self.critic.parameters(), lr=config.critic_learning_rate, weight_decay=0.0, fused=True
        )
        total = config.bc_updates + config.updates
        late = total // config.policy_delay - config.bc_updates // config.policy_delay
        actor_updates = config.bc_updates + late
        self._schedules = (
            torch.optim.lr_scheduler.CosineAnnealingLR(
                self.actor_optimizer, max(actor_updates, 1)
            ),
            torch.optim.lr_scheduler.CosineAnnealingLR(self.critic_optimizer, config.updates),
        )

    def learn(self, data, progress) -> dict[str, list[float | None]]:
        """Run all updates on observations, actions, next observations, rewards and continues."""
        config = self._config
        history: dict[str, list[float | None]] = {
            'update': [],
            'losses/bc_loss': [],
            'losses/qf_loss': [],
            'values/qf_mean': [],
        }
        total = config.bc_updates + config.updates
        sums, counts = torch.zeros(3), torch.zeros(3)
        for update in range(1, total + 1):
            if update == config.bc_updates + 1:
                self.actor_target = copy.deepcopy(self.actor).requires_grad_(False)
                self.critic_target = copy.deepcopy(self.critic).requires_grad_(False)
            rows = torch.randint(len(data[0]), (config.batch_size,), generator=self._generator)
            if update <= config.bc_updates:
                sums[0] += self._update_actor(data[0][rows], data[1][rows], cloning=True)
                counts[0] += 1
            else:
                batch = [column[rows] for column in data]
                loss, value = self._update_critic(*batch)
                sums[1] += loss
                sums[2] += value
                counts[1:] += 1
                if update % config.policy_delay == 0:
                    cloning = update <= config.bc_updates + config.warmup * config.updates
                    sums[0] += self._update_actor(batch[0], batch[1], cloning)
                    counts[0] += 1
                    self._update_targets()
            if update % config.log_every == 0 or update == total:
                means = (sums / counts).tolist()
                # Before their first update the critics have no loss: None in the history.
                means = [mean if number else None for mean, number in zip(means, counts.tolist())]
                if any(mean is not None and not math.isfinite(mean) for mean in means):
                    raise TrainingError(
                        f'a loss is not finite after {update} updates; use smaller '
                        'learning rates or a smaller alpha'
                    )
                for name, number in zip(history, (update, *means)):
                    history[name].append(number)
                sums, counts = torch.zeros(3), torch.zeros(3)
                if progress:
                    progress(update, total, means[0])
        return history

    def _update_critic(self, observations, actions, next_observations, rewards, continues):
        config = self._config
        with torch.no_grad():
            noise = torch.randn(actions.shape, generator=self._generator) * config.policy_noise
            noise = noise.clamp(-config.noise_clip, config.noise_clip)
            next_actions = (self.actor_target.act(next_observations) + noise).clamp(-1.0, 1.0)
            next_values = self.critic_target(next_observations, next_actions).min(dim=0).values
            target = rewards + config.discount * continues * next_values
        values = self.critic(observations, actions)
        loss = functional.mse_loss(values, target.expand(2, -1)) * 2
        self.critic_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.critic_optimizer.step()
        self._schedules[1].step()
        return loss.detach(), values.detach().mean()

    def _update_actor(self, observations, actions, cloning: bool):
        policy = self.actor.act(observations)
        error = functional.mse_loss(policy, actions)
        loss = error
        if not cloning:
            # The critics' own gradients are not wanted here, and cost time.
            self.critic.requires_grad_(False)
            values = self.critic.first(observations, policy)
            self.critic.requires_grad_(True)
            scale = self._config.alpha / values.abs().mean().detach().clamp(min=1e-6)
            loss = error - scale * values.mean()
        self.actor_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.actor_optimizer.step()
        self._schedules[0].step()
        return error.detach()

    @torch.no_grad()
    def _update_targets(self) -> None:
        for network, target in (
            (self.critic, self.critic_target),
            (self.actor, self.actor_target),
        ):
            torch._foreach_lerp_(
                list(target.parameters()), list(network.parameters()), self._config.tau
            )
