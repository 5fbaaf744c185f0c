"""Which transformed steps the real field allows, and for which reason the others are rejected."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.soccer import world

if TYPE_CHECKING:
    from guda_ros.soccer.field import Field

#: Distance [m] that the middle of a robot keeps from posts, nets and the edge of the carpet.
ROBOT_CLEARANCE = 0.2

#: Reasons, 'valid' is index 0; a step that breaks several rules is counted under the first.
REASONS = (
    'valid',
    'not_finite',
    'ball_not_in_play',
    'robot_off_field',
    'ball_at_post',
    'robot_at_goal',
    'overlap',
    'too_fast',
)
#: Those of a robot without a ball.
POSE_REASONS = (
    'valid',
    'not_finite',
    'after_the_end',
    'robot_off_field',
    'robot_at_goal',
    'too_fast',
)
#: How many times its limit a robot may seem to walk before it is a jump of its localisation,
_SPEED_MARGIN = 2.0
#: the noise [m] that is no jump, and the speed [m/s] that no ball has.
_NOISE = 0.15
_BALL_SPEED = 8.0


def check_steps(states: np.ndarray, next_states: np.ndarray, contract: Contract) -> np.ndarray:
    """
    Return (M,) indices into REASONS for steps between world states (M, 10).

    0: all is well. ball_not_in_play: the step begins after the end of an episode.
    robot_off_field: the robot leaves the carpet. ball_at_post, robot_at_goal: one of them would be
    inside a post or in the goal's net. overlap: the ball would be inside the robot. too_fast: one
    of them moves farther in the step than it can.
    """
    field = contract.field
    both = np.stack([states, next_states])
    ball, robot = both[..., world.BALL], both[..., world.ROBOT_POSITION]
    with np.errstate(invalid='ignore'):
        wrong = (
            ~np.all(np.isfinite(both), axis=(0, 2)),
            contract.terminated(states),
            np.any(_off_field(robot, field), axis=0),
            np.any(_at_post(ball, field, field.ball.radius), axis=0),
            np.any(_at_goal(robot, field), axis=0),
            np.any(np.hypot(*np.moveaxis(ball - robot, -1, 0)) < world.OVERLAP, axis=0),
            _walks_too_fast(robot, contract) | _rolls_too_fast(ball, contract),
        )
    return _first(wrong)


def check_poses(states: np.ndarray, next_states: np.ndarray, contract: Contract) -> np.ndarray:
    """Return (M,) indices into POSE_REASONS for steps of a robot without a ball."""
    field = contract.field
    both = np.stack([states, next_states])
    robot = both[..., world.ROBOT_POSITION]
    with np.errstate(invalid='ignore'):
        wrong = (
            ~np.all(np.isfinite(both), axis=(0, 2)),
            contract.terminated(states),
            np.any(_off_field(robot, field), axis=0),
            np.any(_at_goal(robot, field), axis=0),
            _walks_too_fast(robot, contract),
        )
    return _first(wrong)


def _first(wrong: Sequence[np.ndarray]) -> np.ndarray:
    """Return (M,) int8: 1 where the first of the arrays (M,) is true, and so on; 0: none is."""
    reason = np.zeros(len(wrong[0]), dtype=np.int8)
    for index in range(len(wrong), 0, -1):
        reason[wrong[index - 1]] = index
    return reason


def _walks_too_fast(robot: np.ndarray, contract: Contract) -> np.ndarray:
    limits, period = contract.limits, contract.period
    walk = _SPEED_MARGIN * max(limits.forward, limits.backward, limits.side) * period + _NOISE
    return np.hypot(*(robot[1] - robot[0]).T) > walk


def _rolls_too_fast(ball: np.ndarray, contract: Contract) -> np.ndarray:
    roll = _BALL_SPEED * contract.period + _NOISE
    return np.hypot(*(ball[1] - ball[0]).T) > roll


def _off_field(point: np.ndarray, field: Field) -> np.ndarray:
    edge = field.border - ROBOT_CLEARANCE
    return (np.abs(point[..., 0]) > field.length / 2 + edge) | (
        np.abs(point[..., 1]) > field.width / 2 + edge
    )


def _at_post(point: np.ndarray, field: Field, radius: float) -> np.ndarray:
    """Tell whether a round thing touches a post."""
    from_post = np.hypot(
        field.toward_goal(point[..., 0]) - field.goal_line,
        np.abs(point[..., 1]) - field.goal_width / 2 - field.post_radius,
    )
    return from_post < radius + field.post_radius


def _at_goal(point: np.ndarray, field: Field) -> np.ndarray:
    """Tell whether a robot touches a post or the net, or stands deep in a goal."""
    x, y = field.toward_goal(point[..., 0]), np.abs(point[..., 1])
    half = field.goal_width / 2
    outside = half + 2 * field.post_radius + ROBOT_CLEARANCE
    return (
        (x > field.goal_line - field.post_radius - ROBOT_CLEARANCE)
        & (x < field.goal_line + field.goal_depth + ROBOT_CLEARANCE)
        & (y < outside)
        & (
            (y > half - ROBOT_CLEARANCE)
            | (x > field.goal_line + field.goal_depth - ROBOT_CLEARANCE)
        )
    )
