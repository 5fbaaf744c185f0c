"""Episodes of a StateTask as Gymnasium environments, one alone and many stepped together."""

from __future__ import annotations

from typing import Any, TYPE_CHECKING

import gymnasium
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
import numpy as np

from guda_ros.data.contract_base import ContractBase

if TYPE_CHECKING:
    from guda_ros.tasks.state_task import StateTask


def _spaces(contract: ContractBase) -> tuple[spaces.Box, spaces.Box]:
    """Return the spaces of observations (D,) and actions (A,)."""
    seen, limit = (len(contract.observation_names),), contract.action_limit
    return spaces.Box(-np.inf, np.inf, seen, np.float32), spaces.Box(-limit, limit)


class StateEnv(gymnasium.Env):
    """
    One episode of a task at a time.

    info: world_state (S,) and is_success, the goal is reached in that state; of a step also
    world_state_before (S,).
    """

    metadata: dict[str, Any] = {'render_modes': []}

    def __init__(self, task: StateTask) -> None:
        self.task, self.contract = task, task.contract
        self.observation_space, self.action_space = _spaces(task.contract)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start anew; options may give a world_state (S,) to start in."""
        super().reset(seed=seed)
        start = (options or {}).get('world_state')
        if start is None:
            start = self.task.start(1, self.np_random)[0]
        self._state, self._steps = np.array(start, dtype=float), 0
        return self.contract.observe(self._state), self._info()

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Take an action (A,)."""
        task, before = self.task, self._state[None]
        taken = np.asarray(action, dtype=float)[None]
        after = task.step(before, taken, self.np_random)
        self._state = after[0]
        self._steps += 1
        reward = float(task.reward(before, taken, after)[0])
        terminated = bool(task.terminated(after)[0])
        truncated = not terminated and self._steps >= self.contract.max_steps
        info = {**self._info(), 'world_state_before': before[0]}
        return self.contract.observe(self._state), reward, terminated, truncated, info

    def _info(self) -> dict[str, Any]:
        return {
            'world_state': self._state.copy(),
            'is_success': bool(self.task.succeeded(self._state[None])[0]),
        }


class StateVectorEnv(VectorEnv):
    """
    `num_envs` episodes of a task; one that ended begins anew with the next call of `step`.

    info: world_state (num_envs, S) and is_success (num_envs,).
    """

    def __init__(self, task: StateTask, num_envs: int) -> None:
        self.task, self.contract, self.num_envs = task, task.contract, num_envs
        self.single_observation_space, self.single_action_space = _spaces(task.contract)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.metadata = {'autoreset_mode': AutoresetMode.NEXT_STEP}

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start all anew; options may give world_states (num_envs, S) to start in."""
        super().reset(seed=seed)
        starts = (options or {}).get('world_states')
        if starts is None:
            starts = self.task.start(self.num_envs, self.np_random)
        self._states = np.array(starts, dtype=float)
        self._steps = np.zeros(self.num_envs, dtype=int)
        self._over = np.zeros(self.num_envs, dtype=bool)
        return self.contract.observe(self._states), self._info()

    def step(
        self, actions: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take actions (num_envs, A)."""
        task, before, fresh = self.task, self._states, self._over
        actions = np.asarray(actions, dtype=float)
        # Also those that are over, so that the noise of an episode does not depend on how many
        # others still run.
        after, running = task.step(before, actions, self.np_random), np.flatnonzero(~fresh)
        rewards = np.zeros(self.num_envs)
        terminated = np.zeros(self.num_envs, dtype=bool)
        if len(running):
            taken = before[running], actions[running], after[running]
            rewards[running] = task.reward(*taken)
            terminated[running] = task.terminated(after[running])
        if fresh.any():
            after[fresh] = task.start(int(fresh.sum()), self.np_random)
        self._states = after
        self._steps = np.where(fresh, 0, self._steps + 1)
        truncated = (self._steps >= self.contract.max_steps) & ~terminated
        self._over = terminated | truncated
        return self.contract.observe(after), rewards, terminated, truncated, self._info()

    def _info(self) -> dict[str, Any]:
        return {
            'world_state': self._states.copy(),
            'is_success': self.task.succeeded(self._states),
        }
