"""Walk odometry that drifts as a profile says."""

from __future__ import annotations

import numpy as np

from guda_ros.soccer import world
from guda_ros.soccer.robot import OdometryNoise


class OdometryModel:
    """
    Turn true poses into what walk odometry would report.

    The `odom` frame begins at the reset's pose. Each reset draws a relative error of distances,
    one of turns, on top of the profile's gains, and a yaw rate bias; then come random walks in
    distance walked and angle turned.
    """

    def __init__(
        self, noise: OdometryNoise, rng: np.random.Generator, period: float = 0.1
    ) -> None:
        """
        Take the profile's standard deviations and a generator.

        :param period: seconds between two updates.
        """
        self._noise = noise
        self._rng = rng
        self._period = period
        self.reset(np.zeros(3))

    def reset(
        self, pose: np.ndarray, rng: np.random.Generator | None = None, scale: float = 1.0
    ) -> None:
        """
        Start at a true pose (x, y, yaw) with new errors, drawn from `rng` if one is given.

        :param scale: of distances, besides the error that is drawn.
        """
        self._rng = rng or self._rng
        self._true = np.array(pose, dtype=np.float64)
        self._pose = np.zeros(3)
        self._velocity = np.zeros(3)
        error, yaw_error, bias = self._rng.normal(size=3)
        noise = self._noise
        self._scale = scale * noise.translation_gain * (1.0 + error * noise.translation_scale)
        self._yaw_scale = noise.yaw_gain * (1.0 + yaw_error * noise.yaw_scale)
        self._yaw_bias = bias * self._noise.yaw_bias

    def update(self, true_pose: np.ndarray) -> np.ndarray:
        """Return the pose (x, y, yaw) in `odom`, one period after the last, for a true pose."""
        true_pose = np.asarray(true_pose, dtype=np.float64)
        step = world.relative_pose(true_pose, self._true)
        self._true = true_pose.copy()
        noise = self._rng.normal(size=3)
        walked, turned = np.hypot(step[0], step[1]), abs(step[2])
        step[:2] = step[:2] * self._scale + noise[:2] * self._noise.translation_noise * np.sqrt(
            walked
        )
        step[2] = (
            step[2] * self._yaw_scale
            + self._yaw_bias * self._period
            + noise[2] * self._noise.yaw_noise * np.sqrt(turned)
        )
        self._pose = world.compose(self._pose, step)
        # The way walked is a chord of the arc, half the turn away from where the robot looks now.
        self._velocity = np.append(world.rotate(step[:2], -step[2] / 2), step[2]) / self._period
        return self._pose.copy()

    @property
    def pose(self) -> np.ndarray:
        """The last pose (x, y, yaw) in `odom`."""
        return self._pose.copy()

    @property
    def velocity(self) -> np.ndarray:
        """The velocity (3,) in base_link [m/s, m/s, rad/s], the mean over the last period."""
        return self._velocity.copy()
