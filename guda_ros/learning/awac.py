"""
AWAC: Accelerating Online RL with Offline Datasets, Nair et al., 2020 (arXiv 2006.09359).

- Critics: both Q_i(s, a) toward r + discount * min_i Q'_i(s', a'), a' drawn from the policy;
  nothing behind an end.
- Actor: -sum_j w_j log pi(a_j | s_j), w_j = softmax over the batch of A(s_j, a_j) / lam, where
  A = min_i Q_i(s, a) - mean over `samples` drawn actions of min_i Q_i(s, a_pi). That is their
  equation 13 with the weights normalised over the batch, as in the authors' code.

The policy is N(tanh(f(s)), sigma), one sigma for every part of an action, whatever the state,
clipped to the range of actions when drawn; its mean is what acts. Deviations: AdamW and a cosine.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import torch

from guda_ros.learning.bc import gaussian_nll
from guda_ros.learning.learner import copy_networks, Learner, polyak_update, ValueConfig
from guda_ros.learning.networks import GaussianActor, TwinCritic

#: Bounds of the logarithm of the policy's standard deviation.
LOG_STD = (-6.0, 0.0)


@dataclass(frozen=True)
class AWACConfig(ValueConfig):
    """
    Arguments of AWAC, see ValueConfig and LearnerConfig for the others.

    lam: temperature of the advantages, in units of the return. samples: actions drawn for V(s).
    """

    updates: int = 2500
    actor_learning_rate: float = 1e-3
    critic_learning_rate: float = 1e-3
    critic_hidden: tuple[int, ...] = (256, 256)
    lam: float = 1.0
    samples: int = 1

    POSITIVE = ('actor_learning_rate', 'critic_learning_rate', 'lam', 'samples')


class AWAC(Learner):
    """AWAC; see the module."""

    name = 'awac'
    Config = AWACConfig

    def _noise(self) -> dict[str, tuple[str, tuple]]:
        rows, actions = self.config.batch_size, self.sizes[1]
        return {
            'target': ('normal', (rows, actions)),
            'value': ('normal', (rows, self.config.samples, actions)),
        }

    def _build(self, generators: list[torch.Generator]) -> None:
        config = self.config
        observations, actions = self.sizes
        self.actor = self._add(
            'actor',
            GaussianActor((observations, *config.hidden, actions), generators, LOG_STD),
            config.actor_learning_rate,
            config.weight_decay,
        )
        critic = observations + actions, config.critic_hidden, generators
        self.critic = self._add('critic', TwinCritic(*critic), config.critic_learning_rate)
        self.critic_target = self._target('critic_target', TwinCritic(*critic))
        copy_networks(self.critic, self.critic_target)

    def _update(
        self, batch: SimpleNamespace, noise: SimpleNamespace, update: int
    ) -> dict[str, torch.Tensor]:
        config = self.config
        with torch.no_grad():
            mean, log_std = self.actor.distribution(batch.next_observations)
            actions = (mean + log_std.exp() * noise.target).clamp_(-1.0, 1.0)
            following = torch.cat([batch.next_observations, actions], dim=-1)
            value = self.critic_target(following).amin(dim=1)
            target = batch.rewards + config.discount * batch.continues * value
            target = self._bounded(target)
        values = self.critic(batch.state_actions)
        critic_loss = (values - target.unsqueeze(1)).square().mean(dim=2).sum(dim=1)
        self.optimizers['critic'].step(critic_loss.sum())

        mean, log_std = self.actor.distribution(batch.observations)
        with torch.no_grad():
            # (S, B, samples, A), then flat for the critics.
            drawn = mean.unsqueeze(2) + log_std.exp().unsqueeze(2) * noise.value
            observed = batch.observations.unsqueeze(2).expand(*drawn.shape[:3], -1)
            pairs = torch.cat([observed, drawn.clamp_(-1.0, 1.0)], dim=-1).flatten(1, 2)
            # What was demonstrated and what was drawn in one go.
            judged = self.critic(torch.cat([batch.state_actions, pairs], dim=1)).amin(dim=1)
            rows = batch.rewards.shape[1]
            baseline = judged[:, rows:].unflatten(1, (rows, config.samples)).mean(dim=2)
            advantage = judged[:, :rows] - baseline
            weight = torch.softmax(advantage / config.lam, dim=1)
        likelihood = -gaussian_nll(mean, log_std, batch.actions).sum(dim=2)
        actor_loss = -(weight * likelihood).sum(dim=1)
        self.optimizers['actor'].step(actor_loss.sum())

        polyak_update(self.critic, self.critic_target, config.tau)
        return {
            'losses/qf_loss': critic_loss.detach(),
            'losses/policy_loss': actor_loss.detach(),
            'values/qf_mean': values.detach().mean(dim=(1, 2)),
        }
