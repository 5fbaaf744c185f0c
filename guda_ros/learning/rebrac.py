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

from dataclasses import dataclass

import torch

from guda_ros.learning.learner import copy_networks, Learner, LearnerConfig, polyak_update
from guda_ros.learning.networks import StackedMLP, TwinCritic


@dataclass(frozen=True)
class ReBRACConfig(LearnerConfig):
    """
    Arguments of ReBRAC, see LearnerConfig for the others.

    actor_beta, critic_beta: weights of the penalties. layer_norm: in the critics. bc_updates and
    warmup: as in td3_bc.
    """

    updates: int = 1500
    bc_updates: int = 2500
    warmup: float = 0.5
    actor_learning_rate: float = 1e-3
    critic_learning_rate: float = 1e-3
    critic_hidden: tuple[int, ...] = (256, 256)
    layer_norm: bool = True
    actor_beta: float = 2.0
    critic_beta: float = 0.01
    discount: float = 0.99
    tau: float = 0.005
    policy_noise: float = 0.2
    noise_clip: float = 0.5
    policy_delay: int = 2

    POSITIVE = ('actor_learning_rate', 'critic_learning_rate', 'policy_delay')
    NOT_NEGATIVE = ('bc_updates', 'actor_beta', 'critic_beta', 'policy_noise', 'noise_clip')
    FRACTION = ('discount', 'tau')
    BELOW_ONE = ('warmup',)


class ReBRAC(Learner):
    """ReBRAC; see the module."""

    name = 'rebrac'
    Config = ReBRACConfig

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
        critic = observations + actions, config.critic_hidden, generators, config.layer_norm
        self.critic = self._add(
            'critic', TwinCritic(*critic), config.critic_learning_rate, steps=config.updates
        )
        self.actor_target = self._target(
            'actor_target', StackedMLP((observations, *config.hidden, actions), generators)
        )
        self.critic_target = self._target('critic_target', TwinCritic(*critic))

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
            penalty = (actions - batch.next_actions).square().sum(dim=2) * batch.next_known
            value = value - config.critic_beta * penalty
            target = batch.rewards + config.discount * batch.continues * value
        values = self.critic(batch.state_actions)
        loss = (values - target.unsqueeze(1)).square().mean(dim=2).sum(dim=1)
        self.optimizers['critic'].step(loss.sum())
        return {
            'losses/qf_loss': loss.detach(),
            'values/qf_mean': values.detach().mean(dim=(1, 2)),
        }

    def _update_actor(self, batch, cloning: bool):
        actions = torch.tanh(self.actor(batch.observations))
        error = (actions - batch.actions).square().sum(dim=2).mean(dim=1)
        loss = error
        if not cloning:
            self.critic.requires_grad_(False)
            values = self.critic(torch.cat([batch.observations, actions], dim=-1)).amin(dim=1)
            self.critic.requires_grad_(True)
            scale = 1.0 / values.detach().abs().mean(dim=1).clamp(min=1e-6)
            loss = self.config.actor_beta * error - scale * values.mean(dim=1)
        self.optimizers['actor'].step(loss.sum())
        return error.detach()
