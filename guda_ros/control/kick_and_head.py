"""What a robot does beside walking: the checks before a kick and before the head moves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from guda_ros.control.arbiter import Instant
from guda_ros.soccer.robot import Head, RobotProfile

JOINTS = ('head_pan', 'head_tilt')


class KickGate:
    """
    Let a kick through when the last one is over.

    :param robot: its wind-up and recovery are the time that a kick takes.
    """

    def __init__(self, robot: RobotProfile) -> None:
        self.duration = robot.kick.wind_up + robot.kick.recovery
        self._kicked: Instant | None = None

    def refuse(self, now: Instant) -> str:
        """Return why a kick cannot begin now, an empty text if it can; then it counts as begun."""
        if self._kicked is not None and 0 <= now.since(self._kicked) < self.duration:
            return 'a kick is under way'
        self._kicked = now
        return ''


def limit_head(positions: Mapping[str, float], head: Head) -> dict[str, float]:
    """
    Return wanted angles [rad] of `head_pan` and `head_tilt`, or of one of them, within the limits.

    :raises ValueError: for another joint or a number that is not finite.
    """
    if (
        not positions
        or positions.keys() - set(JOINTS)
        or not np.isfinite(list(positions.values())).all()
    ):
        raise ValueError(
            f'finite positions of head_pan and head_tilt are expected, not {dict(positions)}'
        )
    limits = dict(zip(JOINTS, (head.pan, head.tilt)))
    return {joint: float(np.clip(angle, *limits[joint])) for joint, angle in positions.items()}
