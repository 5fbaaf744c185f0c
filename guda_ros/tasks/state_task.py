"""What tasks share whose world is fully described by its states: they can be played at once."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.augmentation.task import Task

if TYPE_CHECKING:
    from guda_ros.tasks.state_env import StateVectorEnv


class StateTask(Task):
    """
    A task that can start and step states itself; `environments` then plays it.

    The contract has `max_steps`, after which an episode is cut off, and `action_limit`.
    """

    @abstractmethod
    def start(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return states (count, S) in which episodes begin."""

    @abstractmethod
    def step(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator | None
    ) -> np.ndarray:
        """
        Return the states (M, S), an array of its own, after actions (M, A).

        :param rng: of the world's noise, if it has any; None: without it.
        """

    @abstractmethod
    def succeeded(self, states: np.ndarray) -> np.ndarray:
        """Tell (M,) of states whether the goal is reached in them."""

    def simulate(self, states: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Return the states (M, S) after one step of the environment, without its noise."""
        return self.step(states, actions, None)

    def environments(self, count: int) -> StateVectorEnv:
        """Return `count` episodes that are stepped together."""
        # Here and not above: what runs on the robot reads guides too, without Gymnasium.
        from guda_ros.tasks.state_env import StateVectorEnv

        return StateVectorEnv(self, count)
