"""What tasks share whose world is fully described by its states: they can be played at once."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from guda_ros.augmentation.task import Task


class StateTask(Task):
    """
    A task that can start and step states itself; `environments` then plays it.

    The contract has `max_steps`, after which an episode is cut off; actions are in [-1, 1].
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
        from guda_ros.tasks.state_env import StateVectorEnv

        return StateVectorEnv(self, count)
