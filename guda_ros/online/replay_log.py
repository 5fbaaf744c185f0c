"""What augmentation does to learning, told through the logger of stable-baselines3."""

from __future__ import annotations

import math

import numpy as np
from stable_baselines3 import SAC, TD3
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.type_aliases import ReplayBufferSamples
import torch

from guda_ros.online.augmented_replay import AugmentedReplayBuffer
from guda_ros.online.dafs import DAFError


def bellman_error(model: OffPolicyAlgorithm, batch: ReplayBufferSamples) -> float:
    """
    Return the mean absolute difference of Q(s, a) and its target, over critics and a batch.

    The target is that of the model's own update, without the noise of TD3's; the generator that
    SAC's actions are drawn from is put back, so that asking changes nothing.

    :param model: a SAC, TD3 or DDPG.
    :raises DAFError: for another algorithm.
    """
    if not isinstance(model, (SAC, TD3)):
        raise DAFError(
            f'the Bellman error of SAC, TD3 and DDPG is known, not of {type(model).__name__}'
        )
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        if isinstance(model, SAC):
            actions, log_prob = model.actor.action_log_prob(batch.next_observations)
            if model.ent_coef_optimizer is not None:
                temperature = torch.exp(model.log_ent_coef)
            else:
                temperature = model.ent_coef_tensor
            bonus = -temperature * log_prob.reshape(-1, 1)
        else:
            actions = model.actor_target(batch.next_observations)
            bonus = torch.zeros(())
        found = torch.cat(model.critic_target(batch.next_observations, actions), dim=1)
        value = found.min(dim=1, keepdim=True)[0] + bonus
        target = batch.rewards + (1 - batch.dones) * model.gamma * value
        errors = [
            (one - target).abs().mean() for one in model.critic(batch.observations, batch.actions)
        ]
    return float(torch.stack(errors).mean())


class AugmentationLog(BaseCallback):
    """
    Record what the augmented replay buffer does, as `augmentation/...`.

    replay_ratio: updates for each augmented step (beta of the paper); m: augmented steps for each
    observed one, as realised; batch_share: of augmented rows in batches; refused: share of the
    copies that the DAF could not make; reward_density_observed, _augmented; coverage_observed,
    coverage: cells of observation and action that hold a step, without and with augmented ones;
    bellman_error_observed, _augmented.

    :param every: environment steps between two looks; what is in between costs nothing.
    :param batch: rows of which Bellman errors are taken.
    :param above: reward from which on a step counts as rewarded.
    :param edges: of a cell, see AugmentedReplayBuffer.coverage.
    """

    def __init__(
        self,
        every: int = 10_000,
        batch: int = 256,
        above: float = 0.0,
        edges: float | np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.every, self.batch, self.above, self.edges = every, batch, above, edges
        self._next = 0

    def _on_training_start(self) -> None:
        if not isinstance(getattr(self.model, 'replay_buffer', None), AugmentedReplayBuffer):
            raise DAFError(
                'AugmentationLog: the model has no augmented replay buffer; make it with '
                'replay_buffer_class=AugmentedReplayBuffer'
            )
        self._next = self.num_timesteps + self.every

    def _on_step(self) -> bool:
        if self.num_timesteps >= self._next:
            self._next += self.every
            for name, value in self.measure().items():
                self.logger.record(f'augmentation/{name}', value)
        return True

    def measure(self) -> dict[str, float]:
        """Return what is recorded, as of now; what is not known yet is left out."""
        buffer: AugmentedReplayBuffer = self.model.replay_buffer
        counts, env = buffer.counts, self.model.get_vec_normalize_env()
        rows = counts.observed_rows + counts.augmented_rows
        density = buffer.reward_density(self.above)
        observed, both = buffer.coverage(self.edges)
        values = {
            'replay_ratio': buffer.replay_ratio,
            'm': counts.augmented / max(counts.observed, 1),
            'batch_share': counts.augmented_rows / max(rows, 1),
            'refused': 1 - counts.augmented / counts.asked if counts.asked else 0.0,
            'reward_density_observed': density[0],
            'reward_density_augmented': density[1],
            'coverage_observed': observed,
            'coverage': both,
        }
        state = np.random.get_state()  # noqa: NPY002
        for name, sample, size in (
            ('observed', buffer.sample_observed, buffer.size()),
            ('augmented', buffer.sample_augmented, buffer.augmented.size()),
        ):
            if size:
                batch = sample(self.batch, env)
                values[f'bellman_error_{name}'] = bellman_error(self.model, batch)
        np.random.set_state(state)  # noqa: NPY002
        return {name: value for name, value in values.items() if math.isfinite(value)}
