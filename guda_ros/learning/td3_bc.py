"""
TD3+BC: A Minimalist Approach to Offline RL, Fujimoto and Gu, 2021 (arXiv 2106.06860).

- Critics (TD3): both Q_i(s, a) toward y = r + discount * min_i Q'_i(s', a'), where a' is the
  target policy's action with clipped noise and nothing follows where the task ended; the loss is
  the sum over both of the mean squared error.
- Actor, every `policy_delay` updates: mean (pi(s) - a)^2 - lambda * mean Q_1(s, pi(s)), where
  lambda = alpha / mean |Q_1(s, pi(s))| is a constant for the gradient (their equations 3 and 5).

Deviations: the actor only clones for `bc_updates` before the critics' first update, and again in
the first part (`warmup`) of theirs, because the values of untrained critics are noise that ruins
it; alpha is .2, since the paper's 2.5 collapses on data of this kind; AdamW and a cosine instead
of Adam with a constant rate; observations are clipped after normalisation. With bc_updates 0,
warmup 0, weight_decay 0 and a constant schedule it is the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from guda_ros.learning.delayed_actor import DelayedActor, DelayedActorConfig, value_scale

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class TD3BCConfig(DelayedActorConfig):
    """
    Arguments of TD3+BC, see DelayedActorConfig for the others; names as in the paper.

    alpha weighs the value against the cloning term.
    """

    alpha: float = 0.2

    POSITIVE = ('alpha',)


class TD3BC(DelayedActor):
    """TD3+BC; see the module."""

    name = 'td3_bc'
    Config = TD3BCConfig

    def _cloning_error(self, actions: torch.Tensor, recorded: torch.Tensor) -> torch.Tensor:
        return (actions - recorded).square().mean(dim=(1, 2))

    def _actor_loss(self, error: torch.Tensor, pairs: torch.Tensor) -> torch.Tensor:
        values = self.critic.first(pairs)
        scale = value_scale(self.config.alpha, values)
        return error - scale * values.mean(dim=1)
