"""
Numbers out of ROS messages, by their fields alone: of rclpy, of rosbags, or of another reader.

Stamps are integers in nanoseconds, which compare exactly: pairing by stamp relies on it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

NANOSECONDS = 1_000_000_000
#: No robot and no ball is so far away [m], nor so fast [m/s].
FARTHEST = 1e4


def stamp_to_ns(stamp: Any) -> int:
    """Return a builtin_interfaces/Time in nanoseconds."""
    return stamp.sec * NANOSECONDS + stamp.nanosec


def is_place(values: Any) -> bool:
    """Tell whether numbers [m, m/s, rad] are finite and of a size that things on a field have."""
    try:
        return bool(are_places(np.asarray(values, dtype=np.float64)).all())
    except OverflowError:
        return False


def are_places(rows: np.ndarray) -> np.ndarray:
    """Tell (...) of rows (..., n) [m, m/s, rad] which hold what things on a field can have."""
    # Not a number is no more a place than one too far away.
    return (np.abs(rows) < FARTHEST).all(axis=-1)


def yaw_of(w: Any, x: Any, y: Any, z: Any, arctan2: Callable[[Any, Any], Any] = np.arctan2) -> Any:
    """
    Return the heading [rad] in [-pi, pi] of a unit quaternion, roll and pitch ignored.

    :param w: with the others, numbers or arrays of one shape.
    :param arctan2: `math.atan2` is faster for numbers, but its last bit may be another one; what
        is read from recordings comes of NumPy's, so that data sets stay the same.
    """
    return arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def planar_pose(
    pose: Any, arctan2: Callable[[Any, Any], Any] = np.arctan2
) -> tuple[float, float, float]:
    """Return x, y [m], yaw [rad] of a geometry_msgs/Pose; for `arctan2` see yaw_of."""
    q = pose.orientation
    return pose.position.x, pose.position.y, yaw_of(q.w, q.x, q.y, q.z, arctan2)


def planar_position(pose: Any) -> tuple[float, float]:
    """Return x, y [m] of a geometry_msgs/Pose."""
    return pose.position.x, pose.position.y


def planar_twist(twist: Any) -> tuple[float, float, float]:
    """Return forward, left [m/s], turn [rad/s] of a geometry_msgs/Twist."""
    return twist.linear.x, twist.linear.y, twist.angular.z
