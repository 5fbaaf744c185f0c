"""
The world state: one float64 row of ten numbers, in the `map` frame, metres and radians.

Columns: robot x, y, yaw; ball x, y; ball velocity x, y [m/s]; the command of the step before as it
was sent, in base_link (forward, left [m/s], turn [rad/s]). Arrays of states have shape (..., 10).
"""

from __future__ import annotations

import numpy as np

FIELDS = (
    'robot_x',
    'robot_y',
    'robot_yaw',
    'ball_x',
    'ball_y',
    'ball_vx',
    'ball_vy',
    'command_forward',
    'command_left',
    'command_turn',
)
SIZE = len(FIELDS)
ROBOT = slice(0, 3)
ROBOT_POSITION = slice(0, 2)
ROBOT_YAW = 2
BALL = slice(3, 5)
BALL_VELOCITY = slice(5, 7)
PREVIOUS_COMMAND = slice(7, 10)
#: Distance [m] of the robot's middle and the ball's below which one would be inside the other.
OVERLAP = 0.1


def wrap_angle(angle: np.ndarray) -> np.ndarray:
    """Wrap angles [rad] to [-pi, pi)."""
    return (np.asarray(angle) + np.pi) % (2 * np.pi) - np.pi


def wrap_angle_fast(angle: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """
    Wrap angles [rad] to [-pi, pi), as `wrap_angle` does, but faster; to rounding.

    :param out: array to write to, which may be `angle`.
    """
    return np.subtract(angle, (2 * np.pi) * np.floor((angle + np.pi) * (0.5 / np.pi)), out=out)


def rotate(vector: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Rotate vectors (..., 2) counter-clockwise by angles (...) [rad]."""
    vector = np.asarray(vector)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack(
        [cos * vector[..., 0] - sin * vector[..., 1], sin * vector[..., 0] + cos * vector[..., 1]],
        axis=-1,
    )


def to_frame(point: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Express points (..., 2) of the parent frame in the frame at poses (..., 3) (x, y, yaw)."""
    return rotate(np.asarray(point) - pose[..., :2], -pose[..., 2])


def from_frame(point: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Express points (..., 2) of the frame at poses (..., 3) in the parent frame."""
    return rotate(point, pose[..., 2]) + pose[..., :2]


def compose(pose: np.ndarray, relative: np.ndarray) -> np.ndarray:
    """Return the parent-frame pose (..., 3) of a pose given relative to `pose`."""
    position = from_frame(relative[..., :2], pose)
    yaw = wrap_angle(pose[..., 2] + relative[..., 2])
    return np.concatenate([position, yaw[..., None]], axis=-1)


def relative_pose(pose: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return `pose` (..., 3) as seen from `reference` (..., 3); the inverse of compose."""
    position = to_frame(pose[..., :2], reference)
    yaw = wrap_angle(pose[..., 2] - reference[..., 2])
    return np.concatenate([position, yaw[..., None]], axis=-1)
