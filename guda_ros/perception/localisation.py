"""Where the robot is in `map`: dead reckoning from a known start."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guda_ros.soccer import world
from guda_ros.soccer.robot import OdometryNoise

#: Standard deviation of where a person puts the robot down: x, y [m], yaw [rad].
START_DEVIATION = (0.01, 0.01, 0.01)
#: Variance of a pose of which nothing is known.
UNKNOWN = 1e6


def checked_start(start: np.ndarray, odom: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Return a start in `map` and the odometry's pose there, (3,) each, as arrays.

    :raises ValueError: if one is not three finite numbers.
    """
    start = np.asarray(start, dtype=np.float64)
    odom = np.asarray(odom, dtype=np.float64)
    for pose in (start, odom):
        if pose.shape != (3,) or not np.isfinite(pose).all():
            raise ValueError(
                f'a start and an odometry pose are three finite numbers each, not {start} and '
                f'{odom}'
            )
    return start, odom


class StartAnchoredLocaliser:
    """
    Carries a known start in `map` along with the odometry; the error grows with the way walked.

    :param noise: the odometry's errors from the robot profile, for the covariance.
    """

    def __init__(self, noise: OdometryNoise) -> None:
        self._noise = noise
        self.forget()

    def forget(self) -> None:
        """Drop the start: the pose is unknown until the next reset."""
        self._start: np.ndarray | None = None
        self._reference = np.zeros(3)
        self._last = np.zeros(3)
        self._covariance = np.zeros((6, 6))

    @property
    def anchored(self) -> bool:
        """Tell whether the start is known."""
        return self._start is not None

    def reset(
        self,
        start_pose_in_map: np.ndarray,
        odom_pose: np.ndarray,
        deviations: Sequence[float] = START_DEVIATION,
    ) -> None:
        """
        Anchor the odometry: at `odom_pose` the robot stands at `start_pose_in_map`.

        :param start_pose_in_map: (3,), x, y [m], yaw [rad].
        :param odom_pose: (3,) of the odometry at the same time.
        :param deviations: (3,), standard deviations of the start [m, m, rad].
        :raises ValueError: if a pose is not three finite numbers.
        """
        start, reference = checked_start(start_pose_in_map, odom_pose)
        self._start, self._reference, self._last = start, reference, reference
        # Of x, y, yaw and of the odometry's constant errors: its two scales and the bias of yaw.
        self._covariance = np.diag(
            np.square(
                [
                    *deviations,
                    self._noise.translation_scale,
                    self._noise.yaw_scale,
                    self._noise.yaw_bias,
                ]
            )
        )

    def update(self, odom_pose: np.ndarray, dt: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
        """
        Return the pose (3,) in `map` and its covariance (3, 3) for an odometry pose (3,).

        :param dt: time since the last update [s], in which the yaw drifts by its bias.
        :return: the odometry pose itself with a covariance of UNKNOWN if no start is known.
        """
        odom_pose = np.asarray(odom_pose, dtype=np.float64)
        if self._start is None:
            return odom_pose.copy(), np.eye(3) * UNKNOWN
        step = world.relative_pose(odom_pose, self._last)
        last = world.compose(self._start, world.relative_pose(self._last, self._reference))
        self._last = odom_pose
        pose = world.compose(self._start, world.relative_pose(odom_pose, self._reference))
        moved = world.rotate(step[:2], last[2])
        growth = np.eye(6)
        growth[:2, 2] = -moved[1], moved[0]
        growth[:2, 3] = moved
        growth[2, 4:] = step[2], dt
        self._covariance = growth @ self._covariance @ growth.T
        self._covariance[[0, 1], [0, 1]] += self._noise.translation_noise**2 * np.hypot(
            step[0], step[1]
        )
        self._covariance[2, 2] += self._noise.yaw_noise**2 * abs(step[2])
        return pose, self._covariance[:3, :3].copy()
