"""Limits of velocity, acceleration and jerk: the last step before a command leaves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guda_ros.soccer.robot import VelocityLimits

#: Longest time [s] that counts as acceleration time, so that a pause does not license a jump.
MAX_INTERVAL = 0.2


class CommandLimiter:
    """
    Keep commands (3,) (forward, left [m/s], turn [rad/s], base_link) within a robot's limits.

    A command within the limits passes unchanged, bit by bit. Limits of acceleration and jerk hold
    back only what makes an axis faster: slowing down, and with it every stop, is never delayed,
    and a reversal starts from standing. With a limit of jerk, acceleration rises by so much a
    second at most, and falls by as much before the wanted speed is reached, so that it ends there.

    :param limits: velocity limits; `side` is zero for a base with wheels.
    :param max_acceleration: (3,) [m/s^2, m/s^2, rad/s^2], positive, `inf` for an axis without
        limit; None for no acceleration limit.
    :param max_jerk: (3,) [m/s^3, m/s^3, rad/s^3], likewise.
    :raises ValueError: for limits that are not positive.
    """

    def __init__(
        self,
        limits: VelocityLimits,
        max_acceleration: Sequence[float] | np.ndarray | None = None,
        max_jerk: Sequence[float] | np.ndarray | None = None,
    ) -> None:
        needed = limits.forward, limits.backward, limits.turn
        if not (np.isfinite([*needed, limits.side]).all() and min(needed) > 0 <= limits.side):
            raise ValueError(f'velocity limits must be positive numbers, not {limits}')
        self._limits = limits
        self._max_acceleration = _positive('max_acceleration', max_acceleration)
        self._max_jerk = _positive('max_jerk', max_jerk)
        self._previous = np.zeros(3)
        self._acceleration = np.zeros(3)
        self._time: float | None = None

    def reset(self, time: float | None = None) -> None:
        """Take it that the robot stands at `time` [s], or has stood for long."""
        self._previous = np.zeros(3)
        self._acceleration = np.zeros(3)
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
        if self._max_acceleration is not None or self._max_jerk is not None:
            command = self._limit_changes(command, time)
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
        command = np.array(command)
        self._acceleration[np.abs(command) < np.abs(self._previous)] = 0.0
        self._previous = command

    def _limit_changes(self, command: np.ndarray, time: float) -> np.ndarray:
        interval = MAX_INTERVAL if self._time is None else time - self._time
        interval = min(interval, MAX_INTERVAL) if interval > 0 else 0.0
        onward = np.sign(command) == np.sign(self._previous)
        base = np.where(onward, np.abs(self._previous), 0.0)
        before = np.where(onward, self._acceleration, 0.0)
        wanted = np.maximum(np.abs(command) - base, 0.0)
        gain = np.full(3, np.inf) if interval else np.zeros(3)
        if interval and self._max_acceleration is not None:
            gain = self._max_acceleration * interval
        if interval and self._max_jerk is not None:
            gain = np.minimum(gain, _smooth_gain(wanted, before, self._max_jerk, interval))
        if interval:
            self._acceleration = np.minimum(wanted, gain) / interval
        return np.sign(command) * np.minimum(np.abs(command), base + gain)


def _positive(name: str, values: Sequence[float] | np.ndarray | None) -> np.ndarray | None:
    if values is None:
        return None
    values = np.array(values, dtype=np.float64)
    if values.shape != (3,) or not np.all(values > 0):
        raise ValueError(f'{name}: three positive numbers are expected, not {values.tolist()}')
    return values


def _smooth_gain(
    wanted: np.ndarray, before: np.ndarray, jerk: np.ndarray, interval: float
) -> np.ndarray:
    """Return by how much (3,) speeds may rise, `before` (3,) having been the acceleration."""
    gain = np.full(3, np.inf)
    # Not times infinity: an axis without limit would get inf * 0, which is no number.
    for axis in np.flatnonzero(np.isfinite(jerk)):
        change = jerk[axis] * interval * interval
        if change == 0.0:
            gain[axis] = 0.0
            continue
        # So many intervals, in each of which the gain is less by `change`, end at what is wanted.
        left = wanted[axis] / change
        count = max(1.0, np.ceil((np.sqrt(1 + 8 * left) - 1) / 2))
        ending = (left / count + (count - 1) / 2) * change
        gain[axis] = min(before[axis] * interval + change, ending)
    return gain
