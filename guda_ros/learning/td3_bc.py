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

import torch

from guda_ros.learning.learner import copy_networks, Learner, polyak_update, ValueConfig
from guda_ros.learning.networks import StackedMLP, TwinCritic


@dataclass(frozen=True)
class TD3BCConfig(ValueConfig):
    """
    Arguments of TD3+BC, see ValueConfig and LearnerConfig for the others; names as in the paper.

    alpha weighs the value against the cloning term. bc_updates: updates in which the actor only
    clones, before the critics' first; they cost a third of the others. updates: of the critics,
    one of the actor every policy_delay of them; in the share `warmup` of them the actor only
    clones.
    """

    updates: int = 1500
    bc_updates: int = 2500
    warmup: float = 0.5
    actor_learning_rate: float = 1e-3
    critic_learning_rate: float = 1e-3
    critic_hidden: tuple[int, ...] = (256, 256)
    alpha: float = 0.2
    policy_noise: float = 0.2
    noise_clip: float = 0.5
    policy_delay: int = 2

    POSITIVE = ('actor_learning_rate', 'critic_learning_rate', 'alpha', 'policy_delay')
    NOT_NEGATIVE = ('bc_updates', 'policy_noise', 'noise_clip')
    BELOW_ONE = ('warmup',)


class TD3BC(Learner):
    """TD3+BC; see the module."""

    name = 'td3_bc'
    Config = TD3BCConfig

    def _total(self):
        return self.config.bc_updates + self.config.updates

    def _noise(self):
        return {'target': ('normal', (self.config.batch_size, self.sizes[1]))}

    def _build(self, generators):
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
        inputs = observations + actions
        self.critic = self._add(
            'critic',
            TwinCritic(inputs, config.critic_hidden, generators),
            config.critic_learning_rate,
            steps=config.updates,
        )
        self.actor_target = self._target(
            'actor_target', StackedMLP((observations, *config.hidden, actions), generators)
        )
        self.critic_target = self._target(
            'critic_target', TwinCritic(inputs, config.critic_hidden, generators)
        )

    def _update(self, batch, noise, update):
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
        error = (actions - batch.actions).square().mean(dim=(1, 2))
        loss = error
        if not cloning:
            # The critics' own gradients are not wanted here, and cost time.
            self.critic.requires_grad_(False)
            values = self.critic.first(torch.cat([batch.observations, actions], dim=-1))
            self.critic.requires_grad_(True)
            scale = value_scale(self.config.alpha, values)
            loss = error - scale * values.mean(dim=1)
        self.optimizers['actor'].step(loss.sum())
        return error.detach()


def value_scale(alpha: float, values: torch.Tensor) -> torch.Tensor:
    """Return lambda (S,) = alpha / mean |Q| of values (S, B), a constant for the gradient."""
    return alpha / values.detach().abs().mean(dim=1).clamp(min=1e-6)
