"""
On-policy learning without on-policy sampling: PROPS on top of stable-baselines3's PPO.

Corrado and Hanna, On-Policy Policy Gradient Reinforcement Learning Without On-Policy Sampling,
2023 (arXiv 2311.08290). What counts for PPO is that its data look like those of the policy, not
that the policy drew them. PROPS collects with a behaviour policy that does more of what the buffer
has too little of, so that the same number of steps has less sampling error.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gymnasium import spaces
import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.distributions import kl_divergence, sum_independent_dims
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.vec_env import VecEnv
import torch

from guda_ros.errors import GudaError


class PROPSError(GudaError, ValueError):
    """PROPS cannot work as it was told to; the message says why and what to do."""


@dataclass
class Rollout:
    """
    T steps of E rows as they were collected.

    observations (T, E, D), actions (T, E, A), rewards, episode_starts (T, E); timeouts: row of T,
    row of E and last observation (D,) of episodes that were cut off; last_observations (E, D) and
    dones (E,) after the last step.
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    episode_starts: np.ndarray
    timeouts: list[tuple[int, int, np.ndarray]]
    last_observations: np.ndarray
    dones: np.ndarray


class PROPS(PPO):
    """
    PPO that collects with a behaviour policy which corrects the sampling error of its buffer.

    Every `refit_every` steps the behaviour policy begins anew from the policy and is fitted to the
    buffer: PPO's clipped objective with an advantage of -1, and `kl_weight` times the divergence
    from the policy, until `max_kl` is exceeded. PPO then learns from the `batches` latest rollouts
    as if the policy had drawn them: values, advantages and old log-probabilities are those of the
    policy before the update. For box and discrete action spaces. With behaviour=False and
    batches=1 it is stable-baselines3's PPO, to the bit; with behaviour=False alone it is PPO with
    a buffer.

    Recorded are props/refit_kl, props/refit_epochs, props/refit_loss and props/clip_fraction of
    the last refit, and props/sampling_error if that is asked for.

    :param behaviour: collect with a behaviour policy.
    :param batches: rollouts in the buffer (b); the one that is about to leave is not fitted to.
    :param refit_every: environment steps of all rows together between two refits (m).
    :param refit_clip: of the ratio to the policy (epsilon).
    :param max_kl: of the behaviour policy from the policy on the buffer (delta).
    :param kl_weight: of the divergence in the loss (lambda).
    :param refit_epochs: over the buffer at most.
    :param refit_learning_rate: of Adam.
    :param refit_batch_size: steps of a batch of a refit; None: that of PPO.
    :param log_sampling_error: fit a policy to every rollout to record its sampling error.
    :param arguments: of stable_baselines3.PPO.
    :raises PROPSError: for dictionaries of observations, state-dependent exploration, and numbers
        out of range.
    """

    def __init__(
        self,
        policy: str | type[ActorCriticPolicy],
        env: Any,
        *,
        behaviour: bool = True,
        batches: int = 2,
        refit_every: int = 1024,
        refit_clip: float = 0.3,
        max_kl: float = 0.05,
        kl_weight: float = 0.1,
        refit_epochs: int = 16,
        refit_learning_rate: float = 1e-3,
        refit_batch_size: int | None = None,
        log_sampling_error: bool = False,
        **arguments: Any,
    ) -> None:
        self.behaviour, self.batches, self.refit_every = behaviour, batches, refit_every
        self.refit_clip, self.max_kl, self.kl_weight = refit_clip, max_kl, kl_weight
        self.refit_epochs, self.refit_learning_rate = refit_epochs, refit_learning_rate
        self.refit_batch_size, self.log_sampling_error = refit_batch_size, log_sampling_error
        #: The rollouts that PPO learns from, the latest one last.
        self.rollouts: list[Rollout] = []
        self._behaviour_policy: ActorCriticPolicy | None = None
        for name, low in (
            ('batches', 1), ('refit_every', 1), ('refit_epochs', 1), ('refit_clip', 0),
            ('max_kl', 0), ('kl_weight', 0), ('refit_learning_rate', 0),
        ):  # fmt: skip
            value = getattr(self, name)
            whole = isinstance(low, int) and low == 1
            if not value >= low or (whole and value != int(value)):
                kind = 'a whole number' if whole else 'a number'
                raise PROPSError(f'PROPS: {name}: {kind} from {low} on is expected, not {value!r}')
        super().__init__(policy, env, **arguments)

    @property
    def plain(self) -> bool:
        """Tell whether this is PPO and nothing else."""
        return not self.behaviour and self.batches == 1

    def _setup_model(self) -> None:
        if not self.plain and isinstance(self.observation_space, spaces.Dict):
            raise PROPSError(
                'PROPS: observations that are dictionaries are not supported; flatten them with '
                'gymnasium.wrappers.FlattenObservation'
            )
        if not self.plain and self.use_sde:
            raise PROPSError(
                'PROPS: with state-dependent exploration (use_sde) an action has no probability '
                'of its own; leave use_sde False'
            )
        super()._setup_model()

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), '_behaviour_policy']

    def collect_rollouts(
        self,
        env: VecEnv,
        callback: BaseCallback,
        rollout_buffer: RolloutBuffer,
        n_rollout_steps: int,
    ) -> bool:
        """Collect a rollout piece by piece, each with a behaviour policy fitted anew."""
        if self.plain:
            return super().collect_rollouts(env, callback, rollout_buffer, n_rollout_steps)
        # The oldest one leaves before anything is fitted.
        kept = self.rollouts[len(self.rollouts) - (self.batches - 1) :] if self.batches > 1 else []
        piece = max(1, self.refit_every // env.num_envs) if self.behaviour else n_rollout_steps
        callback.on_rollout_start()
        pieces: list[Rollout] = []
        while (left := n_rollout_steps - sum(len(one.rewards) for one in pieces)) > 0:
            found = self._collect(env, callback, min(piece, left), [*kept, *pieces])
            if found is None:
                return False
            pieces.append(found)
        self.rollouts = [*kept, _joined(pieces)]
        self.rollout_buffer = self._evaluated()
        if self.log_sampling_error:
            self.logger.record('props/sampling_error', self.sampling_error())
        callback.on_rollout_end()
        return True

    def sampling_error(self, epochs: int = 100, learning_rate: float = 1e-3) -> float:
        """Return the sampling error of the buffer under the policy; see `sampling_error`."""
        if not self.rollouts:
            raise PROPSError('PROPS: there is no rollout yet; call learn first')
        observations, actions = self._pairs(self.rollouts)
        return sampling_error(self.policy, observations, actions, epochs, learning_rate)

    def _collect(
        self, env: VecEnv, callback: BaseCallback, steps: int, fitted: list[Rollout]
    ) -> Rollout | None:
        """Collect some steps; None if the callback ends the training."""
        policy = self.policy
        buffer = self._buffer(steps)
        noted = _Noted(callback)
        if self.behaviour and fitted:
            self.policy = self._refit(fitted)
        try:
            going_on = super().collect_rollouts(env, noted, buffer, steps)
        finally:
            self.policy = policy
        if not going_on:
            return None
        return Rollout(
            buffer.observations,
            buffer.actions,
            np.array(noted.rewards, dtype=np.float32),
            buffer.episode_starts,
            noted.timeouts,
            np.array(self._last_obs),
            np.array(self._last_episode_starts),
        )

    def _refit(self, rollouts: list[Rollout]) -> ActorCriticPolicy:
        """Return the behaviour policy for what is collected next."""
        if self._behaviour_policy is None:
            self._behaviour_policy = _twin(self.policy)
        behaviour = self._behaviour_policy
        behaviour.load_state_dict(self.policy.state_dict())
        behaviour.set_training_mode(False)
        optimiser = torch.optim.Adam(behaviour.parameters(), lr=self.refit_learning_rate)
        observations, actions = self._pairs(rollouts)
        size = self.refit_batch_size or self.batch_size
        low, high = 1 - self.refit_clip, 1 + self.refit_clip
        kl = loss = clipped = torch.zeros(())
        epochs = 0
        for _ in range(self.refit_epochs):
            order = torch.from_numpy(np.random.permutation(len(actions)))  # noqa: NPY002
            for rows in order.to(observations.device).split(size):
                with torch.no_grad():
                    of_policy = self.policy.get_distribution(observations[rows])
                    before = of_policy.log_prob(actions[rows])
                mine = behaviour.get_distribution(observations[rows])
                change = mine.log_prob(actions[rows]) - before
                ratio = change.exp()
                with torch.no_grad():
                    kl = ((ratio - 1) - change).mean()
                if kl > self.max_kl:
                    break
                loss = torch.maximum(ratio, ratio.clamp(low, high)).mean()
                if self.kl_weight:
                    loss = loss + self.kl_weight * _divergence(mine, of_policy).mean()
                clipped = (ratio < low).float().mean()
                optimiser.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(behaviour.parameters(), self.max_grad_norm)
                optimiser.step()
            else:
                epochs += 1
                continue
            break
        self.logger.record('props/refit_kl', kl.item())
        self.logger.record('props/refit_epochs', epochs)
        self.logger.record('props/refit_loss', loss.item())
        self.logger.record('props/clip_fraction', clipped.item())
        return behaviour

    def _evaluated(self) -> RolloutBuffer:
        """Return all rollouts as of the policy, with its values, advantages and probabilities."""
        parts = []
        for rollout in self.rollouts:
            part = self._buffer(len(rollout.rewards))
            observations, actions = self._pairs([rollout])
            rewards = rollout.rewards.copy()
            with torch.no_grad():
                values, log_prob, _ = self.policy.evaluate_actions(observations, actions)
                ends = self.policy.predict_values(self._tensor(rollout.last_observations))
                for step, row, seen in rollout.timeouts:
                    value = self.policy.predict_values(self._tensor(seen[None]))
                    rewards[step, row] += self.gamma * value.item()
            part.observations, part.actions = rollout.observations, rollout.actions
            part.rewards, part.episode_starts = rewards, rollout.episode_starts
            part.values = values.cpu().numpy().reshape(rewards.shape)
            part.log_probs = log_prob.cpu().numpy().reshape(rewards.shape)
            part.compute_returns_and_advantage(ends, rollout.dones)
            parts.append(part)
        whole = self._buffer(sum(part.buffer_size for part in parts))
        for name in (
            'observations', 'actions', 'rewards', 'returns', 'episode_starts', 'values',
            'log_probs', 'advantages',
        ):  # fmt: skip
            setattr(whole, name, np.concatenate([getattr(part, name) for part in parts]))
        whole.pos, whole.full = whole.buffer_size, True
        return whole

    def _buffer(self, steps: int) -> RolloutBuffer:
        return self.rollout_buffer_class(
            steps,
            self.observation_space,
            self.action_space,
            device=self.device,
            gamma=self.gamma,
            gae_lambda=self.gae_lambda,
            n_envs=self.n_envs,
            **self.rollout_buffer_kwargs,
        )

    def _pairs(self, rollouts: list[Rollout]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the observations and actions of all steps, as the policy takes them."""
        observations, actions = (
            np.concatenate(
                [
                    rows.reshape(-1, *rows.shape[2:])
                    for rows in (getattr(r, name) for r in rollouts)
                ]
            )
            for name in ('observations', 'actions')
        )
        taken = torch.as_tensor(actions, device=self.device)
        if isinstance(self.action_space, spaces.Discrete):
            taken = taken.long().flatten()
        # As the buffer gives them: of a discrete space, too, a row has its shape.
        return self._tensor(observations), taken

    def _tensor(self, observations: np.ndarray) -> torch.Tensor:
        return torch.as_tensor(observations, device=self.device)


def sampling_error(
    policy: ActorCriticPolicy,
    observations: torch.Tensor,
    actions: torch.Tensor,
    epochs: int = 100,
    learning_rate: float = 1e-3,
) -> float:
    """
    Return the mean over data of log pi_MLE(a|s) - log pi(a|s): how far they are from the policy.

    pi_MLE is a copy of the policy that is fitted to the data by maximum likelihood, all at once
    in each epoch; 0 if the data have just the proportions of the policy. Where states are few,
    `tabular_sampling_error` is exact.

    :param observations, actions: (N, ...) as the policy takes them.
    """
    fitted = _twin(policy)
    optimiser = torch.optim.Adam(fitted.parameters(), lr=learning_rate)
    with torch.no_grad():
        before = policy.get_distribution(observations).log_prob(actions).mean()
    best = before
    for _ in range(epochs):
        likelihood = fitted.get_distribution(observations).log_prob(actions).mean()
        best = torch.maximum(best, likelihood.detach())
        optimiser.zero_grad()
        (-likelihood).backward()
        optimiser.step()
    return float(best - before)


def tabular_sampling_error(
    states: np.ndarray, actions: np.ndarray, probabilities: np.ndarray
) -> float:
    """
    Return the sampling error of pairs (N,) under a table of probabilities (S, A), exactly.

    The most likely policy has the proportions of the actions that were taken in each state.
    """
    counts = np.zeros(probabilities.shape)
    np.add.at(counts, (states, actions), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    at = counts > 0
    terms = counts[at] * (np.log(shares[at]) - np.log(probabilities[at]))
    return float(terms.sum() / len(states))


def _twin(policy: ActorCriticPolicy) -> ActorCriticPolicy:
    """Return a policy of the same kind and weights; copy.deepcopy refuses one that has learnt."""
    with torch.random.fork_rng(devices=[]):
        twin = type(policy)(**policy._get_constructor_parameters())
    twin.load_state_dict(policy.state_dict())
    twin.set_training_mode(False)
    return twin.to(policy.device)


class _Noted(BaseCallback):
    """Hands on every step, and keeps rewards and ends as they are before values are added."""

    def __init__(self, callback: BaseCallback) -> None:
        super().__init__()
        self._outer = callback
        self.rewards: list[np.ndarray] = []
        self.timeouts: list[tuple[int, int, np.ndarray]] = []

    def update_locals(self, locals_: dict[str, Any]) -> None:
        """Let the callback see the variables of the collection."""
        self.locals = locals_
        self._outer.update_locals(locals_)

    def on_rollout_start(self) -> None:
        """Say nothing: a rollout has many pieces."""

    def on_rollout_end(self) -> None:
        """Say nothing: a rollout has many pieces."""

    def on_step(self) -> bool:
        """Note the step, and ask the callback."""
        for row in np.flatnonzero(self.locals['dones']):
            info = self.locals['infos'][row]
            if info.get('TimeLimit.truncated', False) and 'terminal_observation' in info:
                seen = np.array(info['terminal_observation'])
                self.timeouts.append((len(self.rewards), int(row), seen))
        self.rewards.append(np.array(self.locals['rewards']))
        return self._outer.on_step()

    def _on_step(self) -> bool:
        return True


def _joined(pieces: list[Rollout]) -> Rollout:
    """Return pieces that follow each other as one rollout."""
    timeouts, first = [], 0
    for piece in pieces:
        timeouts += [(first + step, row, seen) for step, row, seen in piece.timeouts]
        first += len(piece.rewards)
    rows = (
        np.concatenate([getattr(piece, name) for piece in pieces])
        for name in ('observations', 'actions', 'rewards', 'episode_starts')
    )
    return Rollout(*rows, timeouts, pieces[-1].last_observations, pieces[-1].dones)


def _divergence(mine: Any, of_policy: Any) -> torch.Tensor:
    """Return KL(mine || of_policy) (N,), over all parts of an action."""
    found = kl_divergence(mine, of_policy)
    return sum_independent_dims(found) if found.dim() > 1 else found
