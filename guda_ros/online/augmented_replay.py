"""
A replay buffer that augments what it is given: for SAC, TD3 and DDPG of stable-baselines3.

Corrado and Hanna, When Does Dynamics-Invariant Data Augmentation Help Online Reinforcement
Learning?, 2023 (arXiv 2310.17786): an observed and an augmented buffer, m augmented copies of each
environment step, and batches of B observed and alpha * B augmented steps, so that a model's
batch_size is that of the observed ones.

    daf = GuideDAF('random', World.of(episodes))
    model = SAC('MlpPolicy', BatchVecEnv(episodes, world_states=True),
                replay_buffer_class=AugmentedReplayBuffer,
                replay_buffer_kwargs={'daf': daf, 'm': 0.5, 'alpha': 1.0})
    model.learn(100_000, callback=AugmentationLog())
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import math
from typing import Any

from gymnasium import spaces
import numpy as np
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from stable_baselines3.common.vec_env import VecNormalize
import torch

from guda_ros.online.dafs import DAF, DAFError, Steps

#: A number; points (environment steps, number) with straight lines between them; or a function of
#: the environment steps so far.
Schedule = float | Sequence[Sequence[float]] | Callable[[int], float]
#: Keys of the infos in which an environment gives world states (S,) before and after a step.
BEFORE, AFTER = 'world_state_before', 'world_state'


def scheduled(schedule: Schedule, steps: int) -> float:
    """Return the value of a schedule after so many environment steps."""
    if callable(schedule):
        return float(schedule(steps))
    if isinstance(schedule, Sequence):
        at, values = zip(*schedule)
        return float(np.interp(steps, at, values))
    return float(schedule)


@dataclass
class Counts:
    """Steps that were observed, asked for and made by the DAF, sampled batches and their rows."""

    observed: int = 0
    asked: int = 0
    augmented: int = 0
    updates: int = 0
    observed_rows: int = 0
    augmented_rows: int = 0


class AugmentedReplayBuffer(ReplayBuffer):
    """
    An observed and an augmented buffer behind the interface of stable-baselines3's ReplayBuffer.

    Observed steps are augmented in chunks, which is fast and lets a DAF see stretches of steps.
    `model.save_replay_buffer` and `load_replay_buffer` keep both buffers, the generator, and steps
    that wait for their chunk; `model.save` keeps what the buffer is made with. With m and alpha 0
    it is stable-baselines3's ReplayBuffer to the bit.

    :param daf: makes the augmented steps.
    :param m: augmented copies of an environment step, a fraction is drawn (Bernoulli).
    :param alpha: augmented steps in a batch for each observed one, a fraction is drawn.
    :param chunk: environment steps, of all rows together, that are augmented at once.
    :param augmented_size: rows of the augmented buffer; None: `buffer_size` times the present m,
        at least `buffer_size`.
    :param seed: of what DAF and fractions draw; None: from the seed of the model.
    :raises DAFError: if the DAF does not fit the spaces; with the first steps, if it does not fit
        what the environment says.
    """

    def __init__(
        self,
        buffer_size: int,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        device: torch.device | str = 'auto',
        n_envs: int = 1,
        optimize_memory_usage: bool = False,
        handle_timeout_termination: bool = True,
        *,
        daf: DAF,
        m: Schedule = 1.0,
        alpha: Schedule = 1.0,
        chunk: int = 1024,
        augmented_size: int | None = None,
        seed: int | None = None,
    ) -> None:
        if optimize_memory_usage:
            raise DAFError(
                'an augmented replay buffer needs every next observation: leave '
                'optimize_memory_usage False'
            )
        if not isinstance(daf, DAF):
            raise DAFError(f'daf: a DAF of guda_ros.online.dafs is expected, not {daf!r}')
        daf.check(observation_space, action_space)
        super().__init__(
            buffer_size, observation_space, action_space, device, n_envs, False,
            handle_timeout_termination,
        )  # fmt: skip
        self.daf, self.m, self.alpha = daf, m, alpha
        for name in ('m', 'alpha'):
            self._value(name, 0)
        # A chunk is read from the observed buffer, which must still have it.
        self.chunk = max(1, min(math.ceil(chunk / n_envs), self.buffer_size))
        if augmented_size is None:
            augmented_size = math.ceil(buffer_size * max(1.0, self._value('m', 0)))
        self.augmented = ReplayBuffer(
            augmented_size,
            observation_space,
            action_space,
            device,
            handle_timeout_termination=False,
        )
        self.counts = Counts()
        self._checked = False
        self._states: list[tuple[list, list]] = []
        self._waiting = 0
        if seed is None:
            # Of the generator that the model has seeded, without taking a number from it.
            copied = np.random.RandomState()
            copied.set_state(np.random.get_state())  # noqa: NPY002
            seed = int(copied.randint(2**31))
        self._rng = np.random.default_rng(seed)

    def add(
        self,
        obs: np.ndarray,
        next_obs: np.ndarray,
        action: np.ndarray,
        reward: np.ndarray,
        done: np.ndarray,
        infos: list[dict[str, Any]],
    ) -> None:
        """Store a step of every row; augment what waits once that is a chunk."""
        super().add(obs, next_obs, action, reward, done, infos)
        self.counts.observed += self.n_envs
        if self.daf.needs_states:
            try:
                states = [info[BEFORE] for info in infos], [info[AFTER] for info in infos]
            except KeyError as error:
                raise DAFError(
                    f'{self.daf}: the infos of the environment have no {error}; make it with '
                    'BatchVecEnv(episodes, world_states=True), or choose a DAF that works on '
                    'observations'
                ) from error
            self._states.append(states)
        self._waiting += 1
        if self._waiting == self.chunk:
            self._augment()

    def sample(self, batch_size: int, env: VecNormalize | None = None) -> ReplayBufferSamples:
        """Return `batch_size` observed steps and alpha times as many augmented ones."""
        observed = super().sample(batch_size, env)
        self.counts.updates += 1
        self.counts.observed_rows += batch_size
        count = self._draw(self._value('alpha') * batch_size)
        if not count or not self.augmented.size():
            return observed
        self.counts.augmented_rows += count
        augmented = self.augmented.sample(count, env)
        return ReplayBufferSamples(
            *(
                None if one is None else torch.cat([one, two])
                for one, two in zip(observed, augmented)
            )
        )

    @property
    def replay_ratio(self) -> float:
        """Updates for each augmented step made so far: beta of the paper; infinite without any."""
        return self.counts.updates / self.counts.augmented if self.counts.augmented else math.inf

    def sample_augmented(
        self, batch_size: int, env: VecNormalize | None = None
    ) -> ReplayBufferSamples:
        """Return augmented steps alone."""
        return self.augmented.sample(batch_size, env)

    def sample_observed(
        self, batch_size: int, env: VecNormalize | None = None
    ) -> ReplayBufferSamples:
        """Return observed steps alone, which counts as no update."""
        return super().sample(batch_size, env)

    def reward_density(self, above: float = 0.0) -> tuple[float, float]:
        """Return the shares of observed and of augmented steps whose reward is above a number."""
        return tuple(
            float((rewards > above).mean()) if rewards.size else math.nan
            for rewards in (part.rewards[: part.size()] for part in (self, self.augmented))
        )

    def coverage(self, edges: float | np.ndarray | None = None) -> tuple[int, int]:
        """
        Return how many cells of observation and action hold an observed step, and any step.

        :param edges: of a cell, one for each column of observations, then of actions (scaled to
            -1 ... 1), or one for all; None: a fifth of the space where that is bounded, else 1.
        """
        if edges is None:
            edges = np.concatenate([_edges(self.observation_space), _edges(self.action_space)])
        cells = []
        for part in (self, self.augmented):
            rows = part.size()
            seen = part.observations[:rows].reshape(rows * part.n_envs, -1)
            done = part.actions[:rows].reshape(rows * part.n_envs, -1)
            cells.append(np.floor(np.concatenate([seen, done], axis=1) / edges))
        both = np.concatenate(cells).astype(np.int64)
        if not len(both):
            return 0, 0
        # One word for a cell: sorting rows takes ten times as long.
        words = np.ascontiguousarray(both).view(np.dtype((np.void, both[0].nbytes))).ravel()
        return len(np.unique(words[: len(cells[0])])), len(np.unique(words))

    def _augment(self) -> None:
        """Augment the steps that wait."""
        count = self._waiting
        rows = np.arange(self.pos - count, self.pos) % self.buffer_size
        # Row after row of the environment, so that what follows each other lies together.
        at = (rows[None, :], np.arange(self.n_envs)[:, None])
        follows = (self.observations[at][:, 1:] == self.next_observations[at][:, :-1]).reshape(
            self.n_envs, count - 1, -1
        )
        begins = np.ones((self.n_envs, count), dtype=bool)
        begins[:, 1:] = ~follows.all(axis=2) | (self.dones[at][:, :-1] > 0)
        first = np.maximum.accumulate(np.where(begins, np.arange(count), 0), axis=1)
        states = after = None
        if self.daf.needs_states:
            before, then = (np.array(part, dtype=float) for part in zip(*self._states))
            states, after = (_flat(part.swapaxes(0, 1)) for part in (before, then))
        steps = Steps(
            _flat(self.observations[at]),
            self._unscaled(_flat(self.actions[at])),
            _flat(self.next_observations[at]),
            self.rewards[at].ravel(),
            (self.dones[at] * (1 - self.timeouts[at])).ravel() > 0,
            states,
            after,
            np.cumsum(begins.ravel()) - 1,
            (np.arange(count) - first).ravel(),
        )
        self._states, self._waiting = [], 0
        if not self._checked:
            self.daf.check_steps(steps)
            self._checked = True
        m = self._value('m')
        whole = math.floor(m)
        copies = whole + (self._rng.random(len(steps)) < m - whole).astype(int)
        asked = int(copies.sum())
        self.counts.asked += asked
        if asked:
            self._store(self.daf(steps, copies, self._rng))

    def _store(self, made: Steps) -> None:
        """Put augmented steps into their buffer, over the oldest ones."""
        self.counts.augmented += len(made)
        into = self.augmented
        if len(made) > into.buffer_size:
            made = made.take(slice(len(made) - into.buffer_size, None))
        count = len(made)
        rows = (into.pos + np.arange(count)) % into.buffer_size
        shape = (count, *into.obs_shape)
        into.observations[rows, 0] = made.observations.reshape(shape)
        into.next_observations[rows, 0] = made.next_observations.reshape(shape)
        into.actions[rows, 0] = self._scaled(made.actions).reshape(count, -1)
        into.rewards[rows, 0] = made.rewards
        into.dones[rows, 0] = made.terminations
        into.full |= into.pos + count >= into.buffer_size
        into.pos = (into.pos + count) % into.buffer_size

    def _value(self, name: str, steps: int | None = None) -> float:
        """Return m or alpha as of now."""
        try:
            value = scheduled(
                getattr(self, name), self.counts.observed if steps is None else steps
            )
        except (TypeError, ValueError) as error:
            raise DAFError(
                f'{name}: a number, points [environment steps, number] or a function of the '
                f'environment steps is expected, not {getattr(self, name)!r}'
            ) from error
        if not 0 <= value < math.inf:
            raise DAFError(f'{name}: a number from 0 on is expected, not {value}')
        return value

    def _draw(self, count: float) -> int:
        whole = math.floor(count)
        return whole + int(count > whole and self._rng.random() < count - whole)

    def _unscaled(self, actions: np.ndarray) -> np.ndarray:
        """Return actions as the environment takes them; models store them within -1 ... 1."""
        space = self.action_space
        if not isinstance(space, spaces.Box) or _is_unit(space):
            return actions
        return space.low + 0.5 * (actions + 1.0) * (space.high - space.low)

    def _scaled(self, actions: np.ndarray) -> np.ndarray:
        space = self.action_space
        if not isinstance(space, spaces.Box) or _is_unit(space):
            return actions
        return 2.0 * (actions - space.low) / (space.high - space.low) - 1.0


def _flat(rows: np.ndarray) -> np.ndarray:
    """Return rows (E, T, ...) as (E * T, ...)."""
    return rows.reshape(-1, *rows.shape[2:])


def _is_unit(space: spaces.Box) -> bool:
    return bool(np.all(space.low == -1) and np.all(space.high == 1))


def _edges(space: spaces.Space) -> np.ndarray:
    """Return the edges of cells, by column, of a space."""
    if not isinstance(space, spaces.Box):
        return np.ones(max(1, int(np.prod(space.shape))))
    low, high = (np.asarray(part, dtype=float).ravel() for part in (space.low, space.high))
    with np.errstate(over='ignore'):
        width = high - low
    bounded = np.isfinite(width) & (width < 1e6)
    return np.where(bounded, np.where(bounded, width, 5.0) / 5.0, 1.0)
