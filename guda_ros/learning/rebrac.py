"""
ReBRAC: Revisiting the Minimalist Approach to Offline RL, Tarasov et al., 2023 (arXiv 2305.09836).

TD3+BC with the penalty in both places, separate weights, and layer normalisation in the critics:

- Critics: y = r + discount * (min_i Q'_i(s', a') - critic_beta * |a' - a'_data|^2), a' as in TD3,
  a'_data the action that was recorded in s'; squared error of both critics.
- Actor, every `policy_delay` updates: mean (actor_beta * |pi(s) - a|^2 - lambda * min_i Q_i),
  lambda = 1 / mean |min_i Q_i|; norms are sums over the parts of an action.

Deviations: the penalty in the target is left out where a'_data is not known (ends of recordings;
rules of augmentation that move each step by itself); the actor clones alone in the beginning, as
in td3_bc; the critics have two hidden layers like the others here (the paper: three), a batch is
256 (theirs 1024); AdamW and a cosine for the actor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from guda_ros.learning.delayed_actor import DelayedActor, DelayedActorConfig, value_scale
from guda_ros.learning.networks import TwinCritic

if TYPE_CHECKING:
    from types import SimpleNamespace

    import torch


@dataclass(frozen=True)
class ReBRACConfig(DelayedActorConfig):
    """
    Arguments of ReBRAC, see DelayedActorConfig for the others.

    actor_beta, critic_beta: weights of the penalties. layer_norm: in the critics.
    """

    layer_norm: bool = True
    actor_beta: float = 2.0
    critic_beta: float = 0.01

    NOT_NEGATIVE = ('actor_beta', 'critic_beta')


class ReBRAC(DelayedActor):
    """ReBRAC; see the module."""

    name = 'rebrac'
    Config = ReBRACConfig

    def _critic(self, generators: Sequence[torch.Generator]) -> TwinCritic:
        config = self.config
        return TwinCritic(sum(self.sizes), config.critic_hidden, generators, config.layer_norm)

    def _next_value(
        self, batch: SimpleNamespace, actions: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        penalty = (actions - batch.next_actions).square().sum(dim=2) * batch.next_known
        return values - self.config.critic_beta * penalty

    def _cloning_error(self, actions: torch.Tensor, recorded: torch.Tensor) -> torch.Tensor:
        return (actions - recorded).square().sum(dim=2).mean(dim=1)

    def _actor_loss(self, error: torch.Tensor, pairs: torch.Tensor) -> torch.Tensor:
        values = self.critic(pairs).amin(dim=1)
        scale = value_scale(1.0, values)
        return self.config.actor_beta * error - scale * values.mean(dim=1)
