"""
IQL: Offline RL with Implicit Q-Learning, Kostrikov, Nair and Levine, 2021 (arXiv 2110.06169).

- V(s) toward the expectile of Q'(s, a) = min_i Q'_i(s, a): mean |expectile - 1(u < 0)| u^2 with
  u = Q'(s, a) - V(s) (their equation 5).
- Critics: both Q_i(s, a) toward r + discount * V(s') (equation 6), nothing behind an end.
- Actor: -mean min(exp(beta * (Q'(s, a) - V(s))), max_weight) * log pi(a | s) (equation 7).

The policy is N(tanh(f(s)), sigma), one sigma for every part of an action, whatever the state; its
mean is what acts. Deviations: V and Q are updated in one step, from the V of before (as in d3rlpy;
the authors' code updates V first); no dropout; AdamW for the actor.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import torch

from guda_ros.learning.bc import gaussian_nll
from guda_ros.learning.learner import copy_networks, Learner, polyak_update, ValueConfig
from guda_ros.learning.networks import GaussianActor, StackedMLP, TwinCritic

#: Bounds of the logarithm of the policy's standard deviation.
LOG_STD = (-5.0, 2.0)


@dataclass(frozen=True)
class IQLConfig(ValueConfig):
    """
    Arguments of IQL, see ValueConfig and LearnerConfig for the others.

    beta: inverse temperature of the advantages, in units of the return.
    """

    updates: int = 2500
    actor_learning_rate: float = 1e-3
    critic_learning_rate: float = 1e-3
    critic_hidden: tuple[int, ...] = (256, 256)
    expectile: float = 0.7
    beta: float = 3.0
    max_weight: float = 100.0

    POSITIVE = ('actor_learning_rate', 'critic_learning_rate', 'max_weight')
    NOT_NEGATIVE = ('beta',)
    FRACTION = ('expectile',)


class IQL(Learner):
    """IQL; see the module."""

    name = 'iql'
    Config = IQLConfig

    def _build(self, generators: list[torch.Generator]) -> None:
        config = self.config
        observations, actions = self.sizes
        self.actor = self._add(
            'actor',
            GaussianActor((observations, *config.hidden, actions), generators, LOG_STD),
            config.actor_learning_rate,
            config.weight_decay,
        )
        inputs = observations + actions
        self.critic = self._add(
            'critic',
            TwinCritic(inputs, config.critic_hidden, generators),
            config.critic_learning_rate,
        )
        self.value = self._add(
            'value',
            StackedMLP((observations, *config.critic_hidden, 1), generators),
            config.critic_learning_rate,
        )
        self.critic_target = self._target(
            'critic_target', TwinCritic(inputs, config.critic_hidden, generators)
        )
        copy_networks(self.critic, self.critic_target)

    def _update(
        self, batch: SimpleNamespace, noise: SimpleNamespace, update: int
    ) -> dict[str, torch.Tensor]:
        config = self.config
        with torch.no_grad():
            following = self.value(batch.next_observations).squeeze(2)
            target = batch.rewards + config.discount * batch.continues * following
            target = self._bounded(target)
            judged = self.critic_target(batch.state_actions).amin(dim=1)

        values = self.value(batch.observations).squeeze(2)
        error = judged - values
        weight = (config.expectile - (error.detach() < 0).float()).abs()
        value_loss = (weight * error.square()).mean(dim=1)
        self.optimizers['value'].step(value_loss.sum())

        critic_values = self.critic(batch.state_actions)
        critic_loss = (critic_values - target.unsqueeze(1)).square().mean(dim=2).sum(dim=1)
        self.optimizers['critic'].step(critic_loss.sum())

        with torch.no_grad():
            advantage = judged - self.value(batch.observations).squeeze(2)
            weight = torch.exp(config.beta * advantage).clamp_(max=config.max_weight)
        mean, log_std = self.actor.distribution(batch.observations)
        likelihood = -gaussian_nll(mean, log_std, batch.actions).sum(dim=2)
        actor_loss = -(weight * likelihood).mean(dim=1)
        self.optimizers['actor'].step(actor_loss.sum())

        polyak_update(self.critic, self.critic_target, config.tau)
        return {
            'losses/qf_loss': critic_loss.detach(),
            'losses/vf_loss': value_loss.detach(),
            'losses/policy_loss': actor_loss.detach(),
            'values/qf_mean': critic_values.detach().mean(dim=(1, 2)),
            'values/advantage_weight': weight.mean(dim=1),
        }
