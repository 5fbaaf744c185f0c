"""Keep a robot on the carpet."""

from __future__ import annotations

import numpy as np

from guda_ros.control.arbiter import Instant
from guda_ros.soccer.field import Field

#: A robot may go no faster toward the edge than it would need this time [s] to reach it.
REACTION_TIME = 1.0
#: A pose that is older than this [s] says nothing any more.
POSE_LIFE = 1.0
#: Slower than this [m/s] is along the edge, not over it: rounding.
_ALONG = 1e-6


class FieldLimit:
    """
    Slow a robot down where its velocity would lead it over the edge, and stop it there.

    Only what leads outward is held back: a robot beyond the edge may walk inward, and turn. Where
    the pose is not known there is no limit.

    :param margin: how far [m] beyond the lines the middle of the robot may be.
    """

    def __init__(self, field: Field, margin: float) -> None:
        self._edge = np.array([field.length / 2, field.width / 2]) + margin
        self._pose: np.ndarray | None = None
        self._seen: Instant | None = None

    def see(self, pose: np.ndarray | None, now: Instant) -> None:
        """Note the robot's pose (x, y [m], yaw [rad]) in `map`, None if it is not known."""
        known = pose is not None and np.isfinite(pose).all()
        self._pose, self._seen = (np.array(pose, dtype=np.float64), now) if known else (None, None)

    def knows(self, now: Instant) -> bool:
        """Tell whether the pose is known."""
        # A clock that was set back says nothing about age.
        return self._seen is not None and 0 <= now.since(self._seen) <= POSE_LIFE

    def limit(self, command: np.ndarray, now: Instant) -> np.ndarray:
        """
        Return the command (3,) (forward, left [m/s], turn [rad/s]), slower where it leads off.

        Its direction is kept, so that no other limit is exceeded.
        """
        if self._pose is None or not self.knows(now):
            return command
        x, y, yaw = self._pose
        cosine, sine = np.cos(yaw), np.sin(yaw)
        velocity = np.array(
            [cosine * command[0] - sine * command[1], sine * command[0] + cosine * command[1]]
        )
        room = np.maximum(self._edge - np.sign(velocity) * (x, y), 0.0) / REACTION_TIME
        speed = np.abs(velocity)
        scale = np.divide(room, speed, out=np.ones(2), where=speed > room + _ALONG).min()
        return command if scale == 1.0 else command * (scale, scale, 1.0)
