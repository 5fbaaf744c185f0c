"""Where a person wants the head to look: angles that a stick turns little by little."""

from __future__ import annotations

import numpy as np

from guda_ros.control.kick_and_head import HEAD_JOINTS
from guda_ros.soccer.robot import Head

#: How fast the head turns at most [rad/s], and the longest time [s] that one message moves it.
HEAD_SPEED, HEAD_STEP = 1.0, 0.1


class HeadAim:
    """Wanted angles of the head [rad] by joint, within the robot's limits."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self.centre()

    def centre(self) -> None:
        """Look straight ahead."""
        self.angles = dict.fromkeys(HEAD_JOINTS, 0.0)

    def turn(self, look: np.ndarray, seconds: float) -> bool:
        """
        Turn the head as far as a stick (2,) in [-1, 1] turns it in a time; tell if it does.

        :param look: left and down are positive.
        """
        if not np.any(look):
            return False
        reach = min(self._head.speed, HEAD_SPEED) * min(seconds, HEAD_STEP)
        for joint, rate, limits in zip(HEAD_JOINTS, look, (self._head.pan, self._head.tilt)):
            self.angles[joint] = float(np.clip(self.angles[joint] + rate * reach, *limits))
        return True
