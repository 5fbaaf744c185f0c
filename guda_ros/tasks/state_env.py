"""Episodes of a StateTask as a Gymnasium environment, many stepped together."""

from __future__ import annotations

from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
import numpy as np

from guda_ros.tasks.state_task import StateTask


class StateVectorEnv(VectorEnv):
    """
    `num_envs` episodes of a task; one that ended begins anew with the next call of `step`.

    info: world_state (num_envs, S) and is_success (num_envs,).
    """

    def __init__(self, task: StateTask, num_envs: int) -> None:
        self.task, self.num_envs = task, num_envs
        contract = task.contract
        seen = (len(contract.observation_names),)
        self.single_observation_space = spaces.Box(-np.inf, np.inf, seen, np.float32)
        self.single_action_space = spaces.Box(-1.0, 1.0, (contract.action_size,), np.float32)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.metadata = {'autoreset_mode': AutoresetMode.NEXT_STEP}

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start all anew; options may give world_states (num_envs, S) to start in."""
        super().reset(seed=seed)
        starts = (options or {}).get('world_states')
        if starts is None:
            starts = self.task.start(self.num_envs, self.np_random)
        self._states = np.array(starts, dtype=float)
        self._steps = np.zeros(self.num_envs, dtype=int)
        self._over = np.zeros(self.num_envs, dtype=bool)
        return self.task.contract.observe(self._states), self._info()

    def step(self, actions):
        """Take actions (num_envs, A)."""
        task, before, fresh = self.task, self._states, self._over
        after, running = before.copy(), np.flatnonzero(~fresh)
        rewards = np.zeros(self.num_envs)
        terminated = np.zeros(self.num_envs, dtype=bool)
        if len(running):
            states, taken = before[running], np.asarray(actions, dtype=float)[running]
            after[running] = task.step(states, taken)
            rewards[running] = task.reward(states, taken, after[running])
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
            'world_state': self._states.copy(),
            'is_success': self.task.succeeded(self._states),
        }
