"""
What TD3+BC and ReBRAC share: two critics, and an actor that learns late and less often.

As in TD3 (Fujimoto et al., 2018, arXiv 1802.09477): critics learn toward the smaller value of two
target critics, of the target policy's action with clipped noise; the actor takes one step in
`policy_delay` of theirs, and targets follow slowly. What is added is a term that clones, and a
beginning in which the actor only clones, because the values of untrained critics are noise that
ruins it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import torch

from guda_ros.learning.learner import copy_networks, Learner, polyak_update, ValueConfig
from guda_ros.learning.networks import StackedMLP, TwinCritic


@dataclass(frozen=True)
class DelayedActorConfig(ValueConfig):
    """
    Arguments that both algorithms have, see ValueConfig and LearnerConfig for the others.

    bc_updates: updates in which the actor only clones, before the critics' first; they cost a
    third of the others. updates: of the critics, one of the actor every policy_delay of them; in
    the share `warmup` of them the actor only clones. policy_noise, noise_clip: of the target
    policy's actions, in the range of the policy, [-1, 1].
    """

    updates: int = 1500
    bc_updates: int = 2500
    warmup: float = 0.5
    actor_learning_rate: float = 1e-3
    critic_learning_rate: float = 1e-3
    critic_hidden: tuple[int, ...] = (256, 256)
    policy_noise: float = 0.2
    noise_clip: float = 0.5
    policy_delay: int = 2

    POSITIVE = ('actor_learning_rate', 'critic_learning_rate', 'policy_delay')
    NOT_NEGATIVE = ('bc_updates', 'policy_noise', 'noise_clip')
    BELOW_ONE = ('warmup',)


class DelayedActor(Learner):
    """
    The networks and the order of updates.

    An algorithm says what its critics are (`_critic`), what the target policy's action is worth
    (`_next_value`), how an action differs from the recorded one (`_cloning_error`) and what the
    actor minimises (`_actor_loss`).
    """

    Config = DelayedActorConfig

    def _critic(self, generators: list[torch.Generator]) -> TwinCritic:
        """Return new critics."""
        return TwinCritic(sum(self.sizes), self.config.critic_hidden, generators)

    def _next_value(
        self, batch: SimpleNamespace, actions: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        """Return what successors are worth (S, B), of actions (S, B, A) with values (S, B)."""
        return values

    def _cloning_error(self, actions: torch.Tensor, recorded: torch.Tensor) -> torch.Tensor:
        """Return the errors (S,) of actions (S, B, A)."""
        raise NotImplementedError

    def _actor_loss(self, error: torch.Tensor, pairs: torch.Tensor) -> torch.Tensor:
        """
        Return the loss (S,) of the actor once the critics count.

        :param error: (S,), of cloning. :param pairs: (S, B, D + A), of observations and actions.
        """
        raise NotImplementedError

    def _total(self):
        return self.config.bc_updates + self.config.updates

    def _noise(self):
        return {'target': ('normal', (self.config.batch_size, self.sizes[1]))}

    def _build(self, generators: Sequence[torch.Generator]) -> None:
        config = self.config
        observations, actions = self.sizes
        total = self._total()
        late = total // config.policy_delay - config.bc_updates // config.policy_delay
        self.actor = self._add(
            'actor',
            StackedMLP((observations, *config.hidden, actions), generators),
            config.actor_learning_rate,
            config.weight_decay,
            config.bc_updates + late,
        )
        self.critic = self._add(
            'critic', self._critic(generators), config.critic_learning_rate, steps=config.updates
        )
        self.actor_target = self._target(
            'actor_target', StackedMLP((observations, *config.hidden, actions), generators)
        )
        self.critic_target = self._target('critic_target', self._critic(generators))

    def _update(self, batch, noise, update: int):
        config = self.config
        if update <= config.bc_updates:
            return {'losses/bc_loss': self._update_actor(batch, cloning=True)}
        if update == config.bc_updates + 1:
            copy_networks(self.actor, self.actor_target)
            copy_networks(self.critic, self.critic_target)
        logged = self._update_critic(batch, noise)
        if update % config.policy_delay == 0:
            cloning = update <= config.bc_updates + config.warmup * config.updates
            logged['losses/bc_loss'] = self._update_actor(batch, cloning)
            polyak_update(self.actor, self.actor_target, config.tau)
            polyak_update(self.critic, self.critic_target, config.tau)
        return logged

    def _update_critic(self, batch, noise):
        config = self.config
        with torch.no_grad():
            error = (noise.target * config.policy_noise).clamp_(
                -config.noise_clip, config.noise_clip
            )
            actions = torch.tanh(self.actor_target(batch.next_observations))
            actions = (actions + error).clamp_(-1.0, 1.0)
            following = torch.cat([batch.next_observations, actions], dim=-1)
            value = self.critic_target(following).amin(dim=1)
            value = self._next_value(batch, actions, value)
            target = batch.rewards + config.discount * batch.continues * value
            target = self._bounded(target)
        values = self.critic(batch.state_actions)
        loss = (values - target.unsqueeze(1)).square().mean(dim=2).sum(dim=1)
        self.optimizers['critic'].step(loss.sum())
        return {
            'losses/qf_loss': loss.detach(),
            'values/qf_mean': values.detach().mean(dim=(1, 2)),
        }

    def _update_actor(self, batch, cloning: bool):
        actions = torch.tanh(self.actor(batch.observations))
        error = self._cloning_error(actions, batch.actions)
        loss = error
        if not cloning:
            # The critics' own gradients are not wanted here, and cost time.
            self.critic.requires_grad_(False)
            loss = self._actor_loss(error, torch.cat([batch.observations, actions], dim=-1))
            self.critic.requires_grad_(True)
        self.optimizers['actor'].step(loss.sum())
        return error.detach()


def value_scale(alpha: float, values: torch.Tensor) -> torch.Tensor:
    """Return lambda (S,) = alpha / mean |Q| of values (S, B), a constant for the gradient."""
    return alpha / values.detach().abs().mean(dim=1).clamp(min=1e-6)
