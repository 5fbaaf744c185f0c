"""Whether the places that a localisation tells can be those of one robot."""

from __future__ import annotations

import math

import numpy as np

from guda_ros.soccer.robot import VelocityLimits
from guda_ros.soccer.world import wrap_angle

#: A pose may be off by so much [m, rad] from one message to the next, beside what was walked.
SLACK = 0.3, 0.5
#: A robot may be so much faster than its limits say: slip, pushes, a slope.
HASTE = 1.5


class PoseWatch:
    """
    Notice a pose that jumps, and tell when it has settled again.

    :param limits: of the robot's walk. :param settled: time [s] without a jump after which poses
        are believed again.
    """

    def __init__(self, limits: VelocityLimits, settled: float = 1.0) -> None:
        self._speed = HASTE * math.hypot(max(limits.forward, limits.backward), limits.side)
        self._turn = HASTE * limits.turn
        self._settled = settled
        self.reset()

    def reset(self) -> None:
        """Take it that the robot was put somewhere: the next pose is no jump."""
        self._pose: np.ndarray | None = None
        self._time = -math.inf
        self._jumped_at = -math.inf
        #: What was wrong, empty while poses are to be believed.
        self.problem = ''

    def see(self, time: float, pose: np.ndarray) -> None:
        """
        Take a pose that is said to be known.

        :param time: its stamp [s]; one that goes back starts anew.
        :param pose: (3,) x, y [m], yaw [rad] in `map`.
        """
        if time < self._time:
            self.reset()
        before, self._pose = self._pose, np.array(pose, dtype=np.float64)
        interval, self._time = time - self._time, time
        if before is not None:
            moved = float(np.hypot(*(self._pose[:2] - before[:2])))
            turned = abs(float(wrap_angle(self._pose[2] - before[2])))
            if (
                moved > self._speed * interval + SLACK[0]
                or turned > self._turn * interval + SLACK[1]
            ):
                self._jumped_at = time
                self.problem = (
                    f'the pose jumped by {moved:.1f} m and {math.degrees(turned):.0f} degrees in '
                    f'{interval:.2f} s'
                )
        if self.problem and time - self._jumped_at >= self._settled:
            self.problem = ''
