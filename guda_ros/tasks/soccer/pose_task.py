"""What tasks of a robot without a ball have in common: the robot itself is to come to the goal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from guda_ros.augmentation.transforms import Body, Layout
from guda_ros.soccer import world
from guda_ros.tasks.soccer.task import SoccerPush
from guda_ros.tasks.soccer.validity import check_poses, POSE_REASONS

if TYPE_CHECKING:
    from guda_ros.data.transitions import TransitionSet


class RobotPose(SoccerPush):
    """
    World states with zeros in the columns of the ball, under a contract whose `inputs` are `pose`.

    A subclass names itself and its `contract_class`.
    """

    layout = Layout(
        size=world.SIZE,
        bodies={'robot': Body((0, 1), heading=2)},
        frame='robot',
        lateral=(8, 9),
        action_lateral=(1, 2),
    )
    object = 'robot'
    reasons = POSE_REASONS
    phases = ('drive',)
    rules = {}

    @property
    def mouth(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Where the robot is at the goal: within a decimetre [m]."""
        x, y = self.contract.goal
        return ((x - 0.1, x + 0.1), (y - 0.1, y + 0.1))

    def check(
        self, states: np.ndarray, actions: np.ndarray, next_states: np.ndarray
    ) -> np.ndarray:
        """Return (M,) int8 indices into `reasons`."""
        return check_poses(states, next_states, self.contract)

    def phase(self, recorded: TransitionSet) -> np.ndarray:
        """Return (M,) indices into `phases`: all are one."""
        return np.zeros(len(recorded), dtype=np.int8)
