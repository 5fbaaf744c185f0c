"""Where a ball is to be pushed to, seen from where it lies."""

from __future__ import annotations

from typing import cast, overload, Protocol

import numpy as np

from guda_ros.soccer.field import Field

#: Radii of the ball that its straight way to the goal keeps from the posts, unless said.
_MARGIN = 4.0


class GoalField(Protocol):
    """What is asked of a field: the point aimed at, the goal's line and its width."""

    @property
    def goal(self) -> np.ndarray: ...

    @property
    def goal_line(self) -> float: ...

    @property
    def goal_width(self) -> float: ...


@overload
def push_target(
    ball: np.ndarray, field: Field, before: float = ..., clear: float | None = ...
) -> np.ndarray: ...


@overload
def push_target(ball: np.ndarray, field: GoalField, before: float, clear: float) -> np.ndarray: ...


def push_target(
    ball: np.ndarray, field: GoalField, before: float = 0.0, clear: float | None = None
) -> np.ndarray:
    """
    Return the points (..., 2) [m] to which balls (..., 2) are pushed: the goal, in general.

    A ball in a corner cannot go straight to the goal: it would cross the line beside a post. With
    `before` above zero such balls go to a point this far [m] before the middle of the goal first.

    :param clear: that the ball's straight way keeps from the posts on the goal line [m]; without
        it as far as the size of the ball asks for, which a `Field` knows.
    """
    ball = np.asarray(ball, dtype=float)
    target = np.broadcast_to(field.goal, ball.shape).copy()
    if before > 0:
        behind = field.goal[0] - field.goal_line
        left = np.maximum(field.goal[0] - ball[..., 0], 1e-9)
        crossing = np.abs(ball[..., 1]) * behind / left
        margin = _MARGIN * cast(Field, field).ball.radius if clear is None else clear
        beside = crossing > field.goal_width / 2 - margin
        target[beside] = (field.goal_line - before, 0.0)
    return target
