"""The environment of the GuDA paper's physical experiment for Gymnasium, one and many."""

from __future__ import annotations

import gymnasium
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
import numpy as np

from guda_ros.tasks.physical_push.task import PhysicalContract


def _spaces(contract):
    size = len(contract.observation_names)
    return (
        spaces.Box(-np.inf, np.inf, (size,), np.float32),
        spaces.Box(-1.0, 1.0, (contract.action_size,), np.float32),
    )


class PhysicalPushEnv(gymnasium.Env):
    """
    One robot and one ball; see guda_ros.tasks.physical_push.task.

    info: world_state (10,) and is_success, the ball is in the goal. Terminated: the ball is out.
    """

    metadata = {'render_modes': []}

    def __init__(self, contract: PhysicalContract | None = None) -> None:
        self.contract = contract or PhysicalContract()
        self.observation_space, self.action_space = _spaces(self.contract)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start anew; options may give a world_state (10,) to start in."""
        super().reset(seed=seed)
        start = (options or {}).get('world_state')
        if start is None:
            start = self.contract.reset(1, self.np_random)[0]
        self._state, self._steps = np.array(start, dtype=float), 0
        return self.contract.observe(self._state), self._info()

    def step(self, action):
        """Take an action (4,): turn, forward, left, kick."""
        self._state = self.contract.step_states(
            self._state[None], np.asarray(action)[None], self.np_random
        )[0]
        self._steps += 1
        terminated = bool(self.contract.out(self._state))
        truncated = not terminated and self._steps >= self.contract.max_steps
        return (
            self.contract.observe(self._state),
            float(self.contract.reward(self._state)),
            terminated,
            truncated,
            self._info(),
        )

    def _info(self):
        return {
            'world_state': self._state.copy(),
            'is_success': bool(self.contract.in_goal(self._state)),
        }


class PhysicalPushVectorEnv(VectorEnv):
    """
    `num_envs` of PhysicalPushEnv, stepped together in NumPy.

    An episode that has ended begins anew with the next call of `step`, as Gymnasium's next-step
    autoreset has it.
    """

    def __init__(self, num_envs: int, contract: PhysicalContract | None = None) -> None:
        self.contract = contract or PhysicalContract()
        self.num_envs = num_envs
        self.single_observation_space, self.single_action_space = _spaces(self.contract)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.metadata = {'autoreset_mode': AutoresetMode.NEXT_STEP}

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start all anew; options may give world_states (num_envs, 10) to start in."""
        super().reset(seed=seed)
        starts = (options or {}).get('world_states')
        if starts is None:
            starts = self.contract.reset(self.num_envs, self.np_random)
        self._states = np.array(starts, dtype=float)
        self._steps = np.zeros(self.num_envs, dtype=int)
        self._over = np.zeros(self.num_envs, dtype=bool)
        return self.contract.observe(self._states), self._info()

    def step(self, actions):
        """Take actions (num_envs, 4)."""
        contract, fresh = self.contract, self._over
        states = contract.step_states(self._states, actions, self.np_random)
        if fresh.any():
            states[fresh] = contract.reset(int(fresh.sum()), self.np_random)
        self._states = states
        self._steps = np.where(fresh, 0, self._steps + 1)
        terminated = contract.out(states) & ~fresh
        truncated = (self._steps >= contract.max_steps) & ~terminated
        self._over = terminated | truncated
        rewards = np.where(fresh, 0.0, contract.reward(states))
        return contract.observe(states), rewards, terminated, truncated, self._info()

    def _info(self):
        return {
            'world_state': self._states.copy(),
            'is_success': self.contract.in_goal(self._states),
        }
