"""Episodes of a task whose world is fully described by its states, many stepped together."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from guda_ros.augmentation.task import Task


class StateTask(Task):
    """
    A task that can start and step states itself; `environments` then plays it.

    The contract has `max_steps`, after which an episode is cut off, and actions within [-1, 1].
    """

    @abstractmethod
    def start(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return states (count, S) in which episodes begin."""

    @abstractmethod
    def step(self, states: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Return the states (M, S) after actions (M, A)."""

    @abstractmethod
    def succeeded(self, states: np.ndarray) -> np.ndarray:
        """Tell (M,) of states whether the goal is reached in them."""

    def environments(self, count):
        """Return `count` episodes that are stepped together."""
        return _vector_env(self, count)


def _vector_env(task: StateTask, count: int):
    """Return the environments; what runs without episodes does not need gymnasium."""
    from gymnasium import spaces
    from gymnasium.vector import AutoresetMode, VectorEnv
    from gymnasium.vector.utils import batch_space

    class StateVectorEnv(VectorEnv):
        """
        `num_envs` episodes; an episode that ended begins anew with the next call of `step`.

        info: world_state (num_envs, S) and is_success (num_envs,).
        """

        def __init__(self) -> None:
            self.num_envs = count
            contract = task.contract
            seen = (len(contract.observation_names),)
            self.single_observation_space = spaces.Box(-np.inf, np.inf, seen, np.float32)
            self.single_action_space = spaces.Box(-1.0, 1.0, (contract.action_size,), np.float32)
            self.observation_space = batch_space(self.single_observation_space, count)
            self.action_space = batch_space(self.single_action_space, count)
            self.metadata = {'autoreset_mode': AutoresetMode.NEXT_STEP}

        def reset(self, *, seed=None, options=None):
            """Start all anew; options may give world_states (num_envs, S) to start in."""
            super().reset(seed=seed)
            starts = (options or {}).get('world_states')
            if starts is None:
                starts = task.start(count, self.np_random)
            self._states = np.array(starts, dtype=float)
            self._steps = np.zeros(count, dtype=int)
            self._over = np.zeros(count, dtype=bool)
            return task.contract.observe(self._states), self._info()

        def step(self, actions):
            """Take actions (num_envs, A)."""
            before, fresh = self._states, self._over
            after, running = before.copy(), np.flatnonzero(~fresh)
            actions = np.asarray(actions, dtype=float)
            rewards, terminated = np.zeros(count), np.zeros(count, dtype=bool)
            if len(running):
                after[running] = task.step(before[running], actions[running])
                rewards[running] = task.reward(before[running], actions[running], after[running])
                terminated[running] = task.terminated(after[running])
            if fresh.any():
                after[fresh] = task.start(int(fresh.sum()), self.np_random)
            self._states = after
            self._steps = np.where(fresh, 0, self._steps + 1)
            truncated = (self._steps >= task.contract.max_steps) & ~terminated
            self._over = terminated | truncated
            return task.contract.observe(after), rewards, terminated, truncated, self._info()

        def _info(self):
            return {
                'world_state': self._states.copy(), 'is_success': task.succeeded(self._states)
            }

    return StateVectorEnv()
