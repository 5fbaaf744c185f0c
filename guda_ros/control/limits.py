"""Velocity and acceleration limits: the last step before a command leaves for the robot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guda_ros.soccer.robot import VelocityLimits

#: Longest time [s] that counts as acceleration time, so that a pause does not license a jump.
MAX_INTERVAL = 0.2


class CommandLimiter:
    """
    Keep commands (3,) (forward, left [m/s], turn [rad/s], base_link) within a robot's limits.

    A command within the limits passes unchanged, bit by bit. Acceleration limits hold back only
    what makes an axis faster: slowing down, and with it every stop, is never delayed, and a
    reversal starts from standing.

    :param limits: velocity limits; `side` is zero for a base with wheels.
    :param max_acceleration: (3,) [m/s^2, m/s^2, rad/s^2], positive, `inf` for an axis without
        limit; None for no acceleration limit.
    :raises ValueError: for limits that are not positive.
    """

    def __init__(
        self, limits: VelocityLimits, max_acceleration: Sequence[float] | np.ndarray | None = None
    ) -> None:
        needed = limits.forward, limits.backward, limits.turn
        if not (np.isfinite([*needed, limits.side]).all() and min(needed) > 0 <= limits.side):
            raise ValueError(f'velocity limits must be positive numbers, not {limits}')
        if max_acceleration is not None:
            max_acceleration = np.array(max_acceleration, dtype=np.float64)
            if max_acceleration.shape != (3,) or not np.all(max_acceleration > 0):
                raise ValueError(
                    'max_acceleration: three positive numbers are expected, not '
                    f'{max_acceleration.tolist()}'
                )
        self._limits = limits
        self._max_acceleration = max_acceleration
        self._previous = np.zeros(3)
        self._time: float | None = None

    def reset(self, time: float | None = None) -> None:
        """Take it that the robot stands at `time` [s], or has stood for long."""
        self._previous = np.zeros(3)
        self._time = time

    def limit(self, command: np.ndarray, time: float) -> np.ndarray:
        """
        Return the command (3,) that may be sent at `time` [s]; the next is compared with it.

        A command that is not finite, or not three numbers, becomes zero.
        """
        command = np.asarray(command, dtype=np.float64)
        if command.shape != (3,) or not np.all(np.isfinite(command)):
            command = np.zeros(3)
        command = self._limits.clip(command)
        if self._max_acceleration is not None:
            command = self._limit_acceleration(command, time, self._max_acceleration)
        self._previous = command.copy()
        self._time = time
        return command

    def excess(self, command: np.ndarray) -> float:
        """Return how many times its limit the worst axis of a finite command (3,) is."""
        limits = self._limits
        ahead = limits.forward if command[0] > 0 else limits.backward
        # A base with wheels has no limit to a side; what is far beyond its speed is garbage there.
        most = np.array([ahead, limits.side or limits.forward, limits.turn])
        return float((np.abs(command) / most).max())

    def lowered(self, command: np.ndarray) -> None:
        """Take it that less was sent than `limit` returned last."""
        self._previous = np.array(command)

    def _limit_acceleration(
        self, command: np.ndarray, time: float, most: np.ndarray
    ) -> np.ndarray:
        interval = MAX_INTERVAL if self._time is None else time - self._time
        # Not times zero: an axis without limit would get 0 * inf, which is no number.
        gain = most * min(interval, MAX_INTERVAL) if interval > 0 else np.zeros(3)
        base = np.where(np.sign(command) == np.sign(self._previous), np.abs(self._previous), 0.0)
        return np.sign(command) * np.minimum(np.abs(command), base + gain)
