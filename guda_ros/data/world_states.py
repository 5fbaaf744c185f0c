"""Put what a robot knows at one stamp together to world states, from a bag or on the robot."""

from __future__ import annotations

import numpy as np

from guda_ros.data.messages import FARTHEST
from guda_ros.soccer import world

#: Variance [m^2] of a ball's position from which it counts as lost.
LOST_VARIANCE = 1.0e3


def assemble(
    pose: np.ndarray,
    odom: np.ndarray,
    ball_position: np.ndarray,
    ball_velocity: np.ndarray,
    previous_command: np.ndarray,
) -> np.ndarray:
    """
    Return world states (..., 10) in `map`.

    The ball is tracked in `odom`, which drifts less from one moment to the next than the estimate
    in `map` jumps; it goes to `map` through the robot, whose pose in both frames belongs to the
    same stamp.

    :param pose: (..., 3) robot in `map`.
    :param odom: (..., 3) robot in `odom`.
    :param ball_position: (..., 2) in `odom` [m].
    :param ball_velocity: (..., 2) along the axes of `odom` [m/s].
    :param previous_command: (..., 3) the command of the step before, base_link.
    """
    pose, odom, previous = (
        np.asarray(value, dtype=np.float64) for value in (pose, odom, previous_command)
    )
    ball = world.from_frame(world.to_frame(ball_position, odom), pose)
    velocity = world.rotate(ball_velocity, pose[..., 2] - odom[..., 2])
    return np.concatenate([pose, ball, velocity, previous], axis=-1)


def without_ball(pose: np.ndarray, previous_command: np.ndarray) -> np.ndarray:
    """
    Return world states (..., 10) of a task without a ball: zeros in its columns.

    :param pose: (..., 3) robot in `map`.
    :param previous_command: (..., 3) the command of the step before, base_link.
    """
    pose = np.asarray(pose, dtype=np.float64)
    states = np.zeros((*pose.shape[:-1], world.SIZE))
    states[..., world.ROBOT], states[..., world.PREVIOUS_COMMAND] = pose, previous_command
    return states


def far_away(states: np.ndarray) -> list[str]:
    """Return a sentence if some of the world states (K, 10) are no places; none otherwise."""
    far = (np.abs(states) >= FARTHEST).any(axis=1)
    if not far.any():
        return []
    return [
        f'{int(far.sum())} of {len(far)} steps have a number beyond {FARTHEST:g} (m, m/s, rad), '
        f'which is no place; the first is step {int(np.argmax(far))}'
    ]
