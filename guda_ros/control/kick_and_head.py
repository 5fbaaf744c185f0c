"""What a robot does beside walking: the checks before a kick and before the head moves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from guda_ros.control.arbiter import Instant
from guda_ros.soccer import robot_names
from guda_ros.soccer.robot import Head, RobotProfile

#: Joints of the head: to the left, and down.
HEAD_JOINTS = robot_names.HEAD_JOINTS


class KickGate:
    """
    Let a kick of a robot that has feet through when the last one is over.

    :param robot: its wind-up and recovery are the time that a kick takes.
    """

    def __init__(self, robot: RobotProfile) -> None:
        self._robot = robot
        self.duration = robot.kick.wind_up + robot.kick.recovery
        self._kicked: Instant | None = None

    def refuse(self, now: Instant) -> str:
        """Return why a kick cannot begin now, an empty text if it can; then it counts as begun."""
        if not self._robot.can_kick:
            return f'{self._robot.name} has wheels and no foot to kick with'
        if self._kicked is not None and 0 <= now.since(self._kicked) < self.duration:
            return 'a kick is under way'
        self._kicked = now
        return ''


def check_head(positions: Mapping[str, float]) -> None:
    """
    Refuse what is no command for the head: angles [rad] of the joints, or of one of them.

    :raises ValueError: for another joint or a number that is not finite.
    """
    if (
        not positions
        or positions.keys() - set(HEAD_JOINTS)
        or not np.isfinite(list(positions.values())).all()
    ):
        raise ValueError(
            f'finite positions of {" and ".join(HEAD_JOINTS)} are expected, not {dict(positions)}'
        )


def limit_head(positions: Mapping[str, float], head: Head) -> dict[str, float]:
    """
    Return wanted angles [rad] of `head_pan` and `head_tilt`, or of one of them, within the limits.

    :raises ValueError: for another joint or a number that is not finite.
    """
    check_head(positions)
    limits = dict(zip(HEAD_JOINTS, (head.pan, head.tilt)))
    return {joint: float(np.clip(angle, *limits[joint])) for joint, angle in positions.items()}
