"""
The drive from which `guda identify` learns: what a person is to do, and a script that does it.

Steps of each axis with stands between them, reversals without one, and long ways for the scale of
the odometry; then balls rolled by hand across the view of a robot that stands.
"""

from __future__ import annotations

import numpy as np

from guda_ros.soccer import world
from guda_ros.soccer.robot import VelocityLimits

_STAND = ((1.5, (0, 0, 0)),)


def _steps(axis: int, long: float, short: float) -> tuple:
    """Return (seconds, action) of an axis: a long way, short steps, and reversals."""

    def go(seconds: float, value: float) -> tuple[tuple[float, tuple]]:
        action = [0, 0, 0]
        action[axis] = value
        return ((seconds, tuple(action)),)

    return (
        *go(long, 1),
        *_STAND,
        *go(long, -1),
        *_STAND,
        *go(short, 1),
        *_STAND,
        *go(short, -1),
        *_STAND,
        *go(short, 0.6),
        *go(short, -0.6),
        *go(short, 1),
        *go(short, -1),
        *_STAND,
    )


#: Seconds and action in [-1, 1] (forward, left, turn) of each part of the drive.
PROTOCOL = (*_STAND, *_steps(0, 5.0, 1.5), *_steps(1, 4.0, 1.5), *_steps(2, 3.0, 1.0))
DURATION = sum(seconds for seconds, _ in PROTOCOL)
#: Where the robot stands when the drive begins, and a ball out of its way: x, y, yaw, ball x, y.
DRIVE_START = (-2.0, 0.0, 0.0, -4.0, 2.5)
#: How many times the drive is driven: each has its own error of the odometry's scale.
DRIVES = 2
#: Balls that roll past a standing robot: x, y, yaw, ball x, y [m, rad], its velocity x, y [m/s].
ROLLS = (
    (-1.0, 0.0, 0.0, -0.3, -0.9, 0.1, 1.0),
    (-1.0, 0.0, 0.0, -0.1, 1.1, 0.0, -1.1),
    (-1.0, 0.0, 0.0, 0.0, -0.9, -0.1, 0.9),
    (-1.0, 0.0, 0.0, -0.5, 0.25, 1.1, 0.0),
    (-1.0, 0.0, 0.0, -0.5, -0.25, 1.0, 0.2),
    (-1.0, 0.0, 0.0, -0.3, 0.9, 0.4, -0.9),
)
ROLL_TIME = 6.0


class ScriptedDrive:
    """
    Drive PROTOCOL, one control period a call; while a ball rolls it waits, as a person would.

    Called as a demonstrator is: world states (1, 10) to commands (1, 3).
    """

    def __init__(self, limits: VelocityLimits, period: float) -> None:
        self._limits, self._period = limits, period
        self._ends = np.cumsum([seconds for seconds, _ in PROTOCOL])
        self._steps = 0

    def __call__(self, states: np.ndarray) -> np.ndarray:
        """Return the command (1, 3) [m/s, m/s, rad/s] for a world state (1, 10)."""
        if np.hypot(*states[0, world.BALL_VELOCITY]) > 0.02:
            return np.zeros((1, 3))
        part = np.searchsorted(self._ends, self._steps * self._period + 1e-9, side='right')
        self._steps += 1
        action = PROTOCOL[part][1] if part < len(PROTOCOL) else (0, 0, 0)
        return self._limits.to_command(np.array(action, dtype=float))[None]
