"""A Kalman filter that follows one ball, rolling or at rest, through noise, gaps and kicks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Variance [m^2 and (m/s)^2] that is reported for a ball of which nothing is known.
UNKNOWN = 1e6
#: Mahalanobis distance^2 that 99.9 % of the true measurements stay below (two degrees of freedom).
GATE = 13.8


@dataclass(frozen=True)
class BallState:
    """
    What a tracker knows of the ball, in the tracker's frame.

    :param position: (2,) [m]; where it was last believed to be when lost, NaN if it never was
        seen.
    :param velocity: (2,) [m/s].
    :param covariance: (4, 4) of position and velocity; the diagonal is UNKNOWN when lost.
    :param time_since_seen: [s], infinite if it never was seen.
    """

    position: np.ndarray
    velocity: np.ndarray
    covariance: np.ndarray
    time_since_seen: float
    lost: bool


class BallTracker:
    """
    Constant velocity with rolling deceleration, in a frame at rest such as `odom`.

    Measurements far from the prediction are not used at first: a single one is taken for a false
    detection. When `confirmations` of them in a row agree with each other, the ball was kicked or
    moved, and the filter starts again from them.

    :param deceleration: of the rolling ball [m/s^2].
    :param hold: how long an unseen ball is still reported [s].
    :param patience: how many looks at the ball's place without seeing it, in a row, lose the ball.
    :param confirmations: how many consistent outliers make a new track.
    :param max_speed: of a kicked ball [m/s], which bounds how far outliers may be apart.
    """

    def __init__(
        self,
        deceleration: float,
        hold: float,
        patience: int = 6,
        confirmations: int = 3,
        max_speed: float = 4.0,
    ) -> None:
        self._deceleration = float(deceleration)
        self._hold = float(hold)
        self._patience = int(patience)
        self._confirmations = int(confirmations)
        self._max_speed = float(max_speed)
        self.reset()

    def reset(self) -> None:
        """Forget the ball."""
        self._mean = np.full(4, np.nan)
        self._covariance = np.eye(4) * UNKNOWN
        self._time_since_seen = np.inf
        self._misses = 0
        self._outliers: list[tuple[np.ndarray, np.ndarray, float]] = []

    @property
    def lost(self) -> bool:
        """Tell whether the ball's place is unknown: unseen for too long, or not where it was."""
        return self._time_since_seen > self._hold + 1e-6 or self._misses >= self._patience

    @property
    def state(self) -> BallState:
        """The current estimate."""
        if self.lost:
            return BallState(
                self._mean[:2].copy(),
                np.zeros(2),
                np.eye(4) * UNKNOWN,
                self._time_since_seen,
                True,
            )
        return BallState(
            self._mean[:2].copy(),
            self._mean[2:].copy(),
            self._covariance.copy(),
            self._time_since_seen,
            False,
        )

    def predict(self, dt: float, acceleration: float = 0.5) -> None:
        """
        Advance by `dt` [s].

        :param acceleration: standard deviation of what else may accelerate the ball [m/s^2]: large
            while a robot touches it.
        :raises ValueError: if dt is negative or not finite.
        """
        if not (np.isfinite(dt) and dt >= 0):
            raise ValueError(f'a time step must be finite and not negative, not {dt}')
        self._time_since_seen += dt
        if not np.isfinite(self._mean).all():
            return
        velocity = self._mean[2:]
        speed = float(np.hypot(*velocity))
        rolling = min(dt, speed / self._deceleration) if self._deceleration > 0 else dt
        slower = max(speed - self._deceleration * dt, 0.0)
        if speed > 1e-9:
            self._mean[:2] += velocity / speed * (speed + slower) / 2 * rolling
            self._mean[2:] = velocity / speed * slower
        transition = np.eye(4)
        transition[:2, 2:] = np.eye(2) * dt
        self._covariance = transition @ self._covariance @ transition.T + self._process_noise(
            dt, acceleration
        )
        self._outliers = [(point, noise, age + dt) for point, noise, age in self._outliers]

    def _process_noise(self, dt: float, acceleration: float) -> np.ndarray:
        # An acceleration that is constant over the step and independent from step to step.
        gain = np.array([dt * dt / 2, dt])
        return np.kron(np.outer(gain, gain) * acceleration**2, np.eye(2))

    def update(self, position: np.ndarray, covariance: np.ndarray) -> bool:
        """
        Take in a measured position (2,) [m] with its covariance (2, 2) [m^2].

        :return: whether the measurement was used; an outlier is not.
        """
        position = np.asarray(position, dtype=np.float64)
        covariance = np.asarray(covariance, dtype=np.float64)
        if not (np.isfinite(position).all() and np.isfinite(covariance).all()):
            return False
        if self.lost:
            self._start(position, covariance)
            return True
        innovation = position - self._mean[:2]
        spread = self._covariance[:2, :2] + covariance
        if innovation @ np.linalg.solve(spread, innovation) > GATE:
            return self._take_outlier(position, covariance)
        gain = np.linalg.solve(spread, self._covariance[:2]).T
        self._mean = self._mean + gain @ innovation
        # Joseph's form keeps the covariance symmetric and positive.
        keep = np.eye(4)
        keep[:, :2] -= gain
        self._covariance = keep @ self._covariance @ keep.T + gain @ covariance @ gain.T
        self._seen()
        return True

    def miss(self) -> None:
        """Tell the tracker that the ball should have been in view, and was not seen."""
        self._misses += 1

    def _seen(self) -> None:
        self._time_since_seen = 0.0
        self._misses = 0
        self._outliers = []

    def _start(self, position: np.ndarray, covariance: np.ndarray) -> None:
        self._mean = np.append(position, np.zeros(2))
        self._covariance = np.zeros((4, 4))
        self._covariance[:2, :2] = covariance
        self._covariance[2:, 2:] = np.eye(2) * 0.3**2
        self._seen()

    def _take_outlier(self, position: np.ndarray, covariance: np.ndarray) -> bool:
        if self._outliers:
            last, last_covariance, age = self._outliers[-1]
            noise = np.sqrt(np.linalg.eigvalsh(covariance + last_covariance)[-1])
            if np.hypot(*(position - last)) > self._max_speed * age + 3 * noise:
                self._outliers = []
        self._outliers.append((position, covariance, 0.0))
        if len(self._outliers) < self._confirmations:
            return False
        first, first_covariance, age = self._outliers[0]
        self._start(position, covariance)
        if age > 0:
            self._mean[2:] = (position - first) / age
            self._covariance[2:, 2:] = (covariance + first_covariance) / age**2 + np.eye(
                2
            ) * 0.1**2
        return True
