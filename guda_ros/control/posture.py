"""Whether a robot stands upright, from its IMU."""

from __future__ import annotations

from collections.abc import Sequence
import math

import numpy as np

#: Standard gravity [m/s^2].
GRAVITY = 9.80665
#: How far [s] the present rate of tilting is followed into the future: a fall is seen early.
HORIZON = 0.15
#: Time constant [s] with which the accelerometer corrects what the gyroscope says.
CORRECTION_TIME = 0.5
#: An accelerometer that differs from gravity by more [m/s^2] feels a shock and not what is down.
SHOCK = 3.0
#: Samples farther apart [s] than this are not integrated.
MAX_INTERVAL = 0.1


class Posture:
    """
    Follow the direction of gravity in the trunk, and tell when the robot falls, lies or stands.

    The gyroscope turns the direction, the accelerometer pulls it back (a complementary filter:
    Mahony, Hamel and Pflimlin 2008, doi 10.1109/TAC.2008.923738); an orientation, where the IMU
    gives one, is taken instead.

    :param limit: tilt [rad] from which the robot no longer stands, also if it will be there in
        HORIZON.
    :param settled: time [s] for which the tilt must be below half the limit until it stands again.
    :param up: (3,) which way is up in the IMU's axes while the robot stands.
    :raises ValueError: for an `up` without a direction.
    """

    def __init__(
        self, limit: float = 0.5, settled: float = 1.0, up: Sequence[float] = (0.0, 0.0, 1.0)
    ) -> None:
        length = float(np.linalg.norm(up))
        if len(up) != 3 or not (math.isfinite(length) and length > 0):
            raise ValueError(f'up: three numbers that give a direction are expected, not {up}')
        self._limit, self._settled = limit, settled
        self._up = np.asarray(up, dtype=np.float64) / length
        self.reset()

    def reset(self) -> None:
        """Know nothing, as before the first sample; a robot that was not seen to lie stands."""
        self._sensed: np.ndarray | None = None
        self._time = -math.inf
        self._upright_since: float | None = None
        #: Whether the robot falls, lies or gets up.
        self.down = False
        #: Angle between the trunk and the vertical [rad].
        self.tilt = 0.0

    def see(
        self,
        time: float,
        rates: np.ndarray,
        force: np.ndarray,
        orientation: np.ndarray | None = None,
    ) -> None:
        """
        Take a sample of the IMU.

        What is not finite is passed over; time that goes back starts anew, but who lay lies.

        :param time: of the sample [s]. :param rates: gyroscope (3,) [rad/s].
        :param force: accelerometer (3,) [m/s^2], +g along up at rest.
        :param orientation: quaternion (4,) x, y, z, w of the IMU in a level frame, or None.
        """
        if not (np.isfinite(rates).all() and np.isfinite(force).all() and math.isfinite(time)):
            return
        if time < self._time:
            down = self.down
            self.reset()
            self.down = down
        interval, self._time = time - self._time, time
        before = self.tilt
        vertical = self._vertical(interval, rates, force, orientation)
        if vertical is None:
            return
        known, self._sensed = self._sensed is not None, vertical
        self.tilt = math.acos(float(np.clip(vertical @ self._up, -1.0, 1.0)))
        rate = (self.tilt - before) / interval if known and 0 < interval <= MAX_INTERVAL else 0.0
        if self.tilt + max(rate, 0.0) * HORIZON > self._limit:
            self.down, self._upright_since = True, None
        elif self.tilt > self._limit / 2:
            self._upright_since = None
        elif self._upright_since is None:
            self._upright_since = time
        if self.down and self._upright_since is not None:
            self.down = time - self._upright_since < self._settled

    def _vertical(
        self,
        interval: float,
        rates: np.ndarray,
        force: np.ndarray,
        orientation: np.ndarray | None,
    ) -> np.ndarray | None:
        """Return which way is up (3,) in the IMU's axes, None while nothing tells."""
        if orientation is not None and abs(float(np.linalg.norm(orientation)) - 1.0) < 0.01:
            x, y, z, w = orientation
            return np.array([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)])
        strength = float(np.linalg.norm(force))
        felt = force / strength if abs(strength - GRAVITY) < SHOCK else None
        if self._sensed is None or interval > MAX_INTERVAL:
            return felt if felt is not None else self._sensed
        vertical = self._sensed - interval * np.cross(rates, self._sensed)
        if felt is not None:
            vertical += min(1.0, interval / CORRECTION_TIME) * (felt - vertical)
        return vertical / np.linalg.norm(vertical)
