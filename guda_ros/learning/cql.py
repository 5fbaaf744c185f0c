"""
CQL: Conservative Q-Learning for Offline RL, Kumar et al., 2020 (arXiv 2006.04779).

CQL(H) on top of soft actor-critic:

- Critics: squared error toward r + discount * min_i Q'_i(s', pi(s')), nothing behind an end, plus
  conservative_weight * (log sum_a exp Q_i(s, a) - Q_i(s, a_data)) (their equation 4). The sum over
  actions is estimated by importance sampling from `samples` actions each of the policy in s, of
  the policy in s' and of the uniform distribution (their appendix F). With `lagrange_threshold`
  above zero the weight is adapted so that the gap comes to it (equation 30).
- Actor: mean(temperature * log pi(a | s) - min_i Q_i(s, a)), a drawn from the policy, a Gaussian
  squashed by tanh; the temperature holds the entropy at minus the number of an action's parts
  (Haarnoja et al. 2018, arXiv 1812.05905). tanh of the mean is what acts.

Deviations: the value behind a step is that of the mean action (as in d3rlpy), not of a drawn one
with its entropy. The actor clones for `bc_updates` before the critics' first update, by the
squared error of tanh(mean) (the authors' code clones at first, too, by likelihood), and in the
share `warmup` of theirs; after that `bc_weight` keeps a part of the cloning term, scaled as in
TD3+BC; with bc_updates, warmup and bc_weight 0 it is the paper's. `samples` is 4 (theirs 10): the
time goes there. AdamW for the actor, a cosine.
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional

from guda_ros.learning.bc import gaussian_nll
from guda_ros.learning.learner import copy_networks, Learner, polyak_update, ValueConfig
from guda_ros.learning.networks import StackedMLP, TwinCritic

#: Bounds of the logarithm of the policy's standard deviation, before the tanh.
LOG_STD = (-20.0, 2.0)


@dataclass(frozen=True)
class CQLConfig(ValueConfig):
    """
    Arguments of CQL, see ValueConfig and LearnerConfig for the others.

    conservative_weight: of the gap between drawn and demonstrated actions. lagrange_threshold: if
    above zero, the gap that an adapted factor on that weight holds. temperature: the first one;
    its learning rate may be 0 to keep it.
    """

    updates: int = 600
    bc_updates: int = 2500
    warmup: float = 0.5
    bc_weight: float = 4.0
    actor_learning_rate: float = 1e-3
    critic_learning_rate: float = 1e-3
    temperature_learning_rate: float = 1e-4
    lagrange_learning_rate: float = 1e-4
    critic_hidden: tuple[int, ...] = (256, 256)
    conservative_weight: float = 5.0
    lagrange_threshold: float = 0.0
    temperature: float = 0.01
    samples: int = 4

    POSITIVE = (
        'actor_learning_rate',
        'critic_learning_rate',
        'lagrange_learning_rate',
        'temperature',
        'samples',
    )
    NOT_NEGATIVE = (
        'bc_updates',
        'bc_weight',
        'conservative_weight',
        'lagrange_threshold',
        'temperature_learning_rate',
    )
    BELOW_ONE = ('warmup',)


class CQL(Learner):
    """CQL; see the module."""

    name = 'cql'
    Config = CQLConfig

    def _total(self) -> int:
        return self.config.bc_updates + self.config.updates

    def _noise(self) -> dict[str, tuple[str, tuple]]:
        rows, samples, actions = self.config.batch_size, self.config.samples, self.sizes[1]
        return {
            'here': ('normal', (samples, rows, actions)),
            'next': ('normal', (samples, rows, actions)),
            'anywhere': ('uniform', (samples, rows, actions)),
            'actor': ('normal', (rows, actions)),
        }

    def _build(self, generators: list[torch.Generator]) -> None:
        config, seeds = self.config, len(generators)
        observations, actions = self.sizes
        # Means and logarithms of deviations.
        self.actor = self._add(
            'actor',
            StackedMLP((observations, *config.hidden, 2 * actions), generators),
            config.actor_learning_rate,
            config.weight_decay,
            self._total(),
        )
        critic = observations + actions, config.critic_hidden, generators
        self.critic = self._add(
            'critic', TwinCritic(*critic), config.critic_learning_rate, steps=config.updates
        )
        self.critic_target = self._target('critic_target', TwinCritic(*critic))
        copy_networks(self.critic, self.critic_target)
        self.factors = nn.ParameterDict(
            {
                'log_temperature': torch.full((seeds,), math.log(config.temperature)),
                'log_lagrange': torch.zeros(seeds),
            }
        ).to(config.device)
        self.networks['factors'] = self.factors
        for name, rate in (
            ('log_temperature', config.temperature_learning_rate),
            ('log_lagrange', config.lagrange_learning_rate),
        ):
            self.optimizers[name] = self._adam([self.factors[name]], rate, steps=config.updates)

    def _update(
        self, batch: SimpleNamespace, noise: SimpleNamespace, update: int
    ) -> dict[str, torch.Tensor]:
        config = self.config
        if update <= config.bc_updates:
            return {'losses/bc_loss': self._update_actor(batch, noise, 'clone')}
        logged = self._update_critic(batch, noise)
        cloning = update <= config.bc_updates + config.warmup * config.updates
        logged['losses/bc_loss'] = self._update_actor(
            batch, noise, 'clone' if cloning else 'improve'
        )
        polyak_update(self.critic, self.critic_target, config.tau)
        return logged

    def _update_critic(
        self, batch: SimpleNamespace, noise: SimpleNamespace
    ) -> dict[str, torch.Tensor]:
        config = self.config
        seeds, rows = batch.rewards.shape
        with torch.no_grad():
            here, log_here = self._draw(self.actor(batch.observations), noise.here)
            output = self.actor(batch.next_observations)
            later, log_later = self._draw(output, noise.next)
            actions = torch.tanh(output[..., : self.sizes[1]])
            following = torch.cat([batch.next_observations, actions], dim=-1)
            value = self.critic_target(following).amin(dim=1)
            target = batch.rewards + config.discount * batch.continues * value
            target = self._bounded(target)
            # (S, samples of the three kinds, B, A), all valued in s.
            drawn = torch.cat([here, later, noise.anywhere], dim=1)
            density = torch.full_like(log_here, -self.sizes[1] * math.log(2.0))
            density = torch.cat([log_here, log_later, density], dim=1)
            observed = batch.observations.unsqueeze(1).expand(*drawn.shape[:3], -1)
            pairs = torch.cat([observed, drawn], dim=-1).flatten(1, 2)
        # One call for what was demonstrated and all that was drawn.
        values = self.critic(torch.cat([batch.state_actions, pairs], dim=1))
        data, drawn_values = values[..., :rows], values[..., rows:]
        drawn_values = drawn_values.unflatten(2, (-1, rows)) - density.unsqueeze(1)
        # (S, 2): one gap a critic.
        gap = (torch.logsumexp(drawn_values, dim=2) - data).mean(dim=2)
        gap = config.conservative_weight * (gap - config.lagrange_threshold)
        factor = torch.ones(seeds, device=gap.device)
        if config.lagrange_threshold > 0:
            log_lagrange = self.factors['log_lagrange']
            lagrange_loss = -log_lagrange.exp().clamp(max=1e6) * gap.detach().mean(dim=1)
            self.optimizers['log_lagrange'].step(lagrange_loss.sum())
            factor = log_lagrange.detach().exp().clamp(max=1e6)
        td_loss = (data - target.unsqueeze(1)).square().mean(dim=2).sum(dim=1)
        conservative_loss = factor * gap.sum(dim=1)
        self.optimizers['critic'].step((td_loss + conservative_loss).sum())
        return {
            'losses/qf_loss': td_loss.detach(),
            'losses/conservative_loss': conservative_loss.detach(),
            'values/qf_mean': data.detach().mean(dim=(1, 2)),
        }

    def _update_actor(
        self, batch: SimpleNamespace, noise: SimpleNamespace, task: str
    ) -> torch.Tensor:
        config = self.config
        output = self.actor(batch.observations)
        error = torch.tanh(output[..., : self.sizes[1]]) - batch.actions
        error = error.square().mean(dim=(1, 2))
        loss = error
        if task == 'improve':
            actions, log_prob = self._draw(output, noise.actor.unsqueeze(1))
            actions, log_prob = actions.squeeze(1), log_prob.squeeze(1)
            log_temperature = self.factors['log_temperature']
            if config.temperature_learning_rate > 0:
                surplus = (log_prob.detach() - self.sizes[1]).mean(dim=1)
                self.optimizers['log_temperature'].step(-(log_temperature.exp() * surplus).sum())
            self.critic.requires_grad_(False)
            values = self.critic(torch.cat([batch.observations, actions], dim=-1)).amin(dim=1)
            self.critic.requires_grad_(True)
            temperature = log_temperature.detach().exp().unsqueeze(1)
            loss = (temperature * log_prob - values).mean(dim=1)
            if config.bc_weight > 0:
                scale = values.detach().abs().mean(dim=1).clamp(min=1e-6)
                loss = loss / scale + config.bc_weight * error
        self.optimizers['actor'].step(loss.sum())
        return error.detach()

    def _draw(
        self, output: torch.Tensor, noise: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return actions (S, n, B, A) and log densities (S, n, B) for noise (S, n, B, A)."""
        mean, log_std = (part.unsqueeze(1) for part in output.chunk(2, dim=-1))
        log_std = log_std.clamp(*LOG_STD)
        raw = mean + log_std.exp() * noise
        log_prob = -gaussian_nll(mean, log_std, raw)
        # log(1 - tanh(x)^2), without cancellation.
        log_prob = log_prob - 2 * (math.log(2.0) - raw - functional.softplus(-2 * raw))
        return torch.tanh(raw), log_prob.sum(dim=-1)
