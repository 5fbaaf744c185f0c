"""The simulated soccer task of the GuDA paper as Gymnasium environments, one and many."""

from __future__ import annotations

import gymnasium
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
import numpy as np

from guda_ros.tasks.push_ball.task import PushContract


def _spaces(contract):
    high = np.array([contract.max_turn, 1.0, 1.0], dtype=np.float32)
    size = len(contract.observation_names)
    return spaces.Box(-np.inf, np.inf, (size,), np.float32), spaces.Box(-high, high)


class PushBallToGoalEnv(gymnasium.Env):
    """
    One robot and one ball; see guda_ros.tasks.push_ball.task.

    info: world_state (5,) and is_success, the ball is in the goal. Episodes are truncated after
    500 steps and never terminate.
    """

    metadata = {'render_modes': []}

    def __init__(self, contract: PushContract | None = None) -> None:
        self.contract = contract or PushContract()
        self.observation_space, self.action_space = _spaces(self.contract)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start anew; options may give a world_state (5,) to start in."""
        super().reset(seed=seed)
        start = (options or {}).get('world_state')
        if start is None:
            start = self.contract.reset(1, self.np_random)[0]
        self._state, self._steps = np.array(start, dtype=float), 0
        return self.contract.observe(self._state), self._info()

    def step(self, action):
        """Take an action (3,): turn, forward, left."""
        self._state = self.contract.step_states(self._state[None], np.asarray(action)[None])[0]
        self._steps += 1
        reward = float(self.contract.reward(self._state))
        truncated = self._steps >= self.contract.max_steps
        return self.contract.observe(self._state), reward, False, truncated, self._info()

    def _info(self):
        return {
            'world_state': self._state.copy(),
            'is_success': bool(self.contract.in_goal(self._state)),
        }


class PushBallToGoalVectorEnv(VectorEnv):
    """
    `num_envs` of PushBallToGoalEnv, stepped together in NumPy; all end at the same step.

    After the last step of the episodes the next call of `step` resets, as Gymnasium's next-step
    autoreset has it.
    """

    def __init__(self, num_envs: int, contract: PushContract | None = None) -> None:
        self.contract = contract or PushContract()
        self.num_envs = num_envs
        self.single_observation_space, self.single_action_space = _spaces(self.contract)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.metadata = {'autoreset_mode': AutoresetMode.NEXT_STEP}

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        """Start all anew; options may give world_states (num_envs, 5) to start in."""
        super().reset(seed=seed)
        starts = (options or {}).get('world_states')
        if starts is None:
            starts = self.contract.reset(self.num_envs, self.np_random)
        self._states, self._steps = np.array(starts, dtype=float), 0
        return self.contract.observe(self._states), self._info()

    def step(self, actions):
        """Take actions (num_envs, 3)."""
        over = np.zeros(self.num_envs, dtype=bool)
        if self._steps >= self.contract.max_steps:
            observations, info = self.reset()
            return observations, np.zeros(self.num_envs), over, over.copy(), info
        self._states = self.contract.step_states(self._states, actions)
        self._steps += 1
        truncated = np.full(self.num_envs, self._steps >= self.contract.max_steps)
        return (
            self.contract.observe(self._states),
            self.contract.reward(self._states),
            over,
            truncated,
            self._info(),
        )

    def _info(self):
        return {
            'world_state': self._states.copy(),
            'is_success': self.contract.in_goal(self._states),
        }
