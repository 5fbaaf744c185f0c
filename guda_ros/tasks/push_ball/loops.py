"""
Compiled loops of the paper's soccer task: what its reward, observation and check do in NumPy.

x, y, ball_x, ball_y (M,): columns of states [m]; cos, sin (M,) float32: of the robot's heading.
"""

from __future__ import annotations

import numpy as np

from guda_ros.augmentation.compiled import loop

_SINGLE = np.float32
_ZERO, _LEAST = _SINGLE(0.0), _SINGLE(1e-12)
#: States whose observations stay in the nearest cache.
_TILE = 256
_AT_GOAL, _AT_BALL = _SINGLE(0.0009), _SINGLE(0.0001)


@loop('void(f8[::1], f8[::1], f8[::1], f8[::1], f4[::1], f4[::1], f8, f8, f8, f4, f8[::1])')
def reward(
    x: np.ndarray,
    y: np.ndarray,
    ball_x: np.ndarray,
    ball_y: np.ndarray,
    cos: np.ndarray,
    sin: np.ndarray,
    line: float,
    goal_x: float,
    post: float,
    cos_facing: float,
    out: np.ndarray,
) -> None:
    """Find the rewards (M,) of states."""
    for k in range(len(out)):
        to_x, to_y = _SINGLE(ball_x[k] - x[k]), _SINGLE(ball_y[k] - y[k])
        way_x, way_y = _SINGLE(goal_x - ball_x[k]), _SINGLE(0.0 - ball_y[k])
        distance = max(np.sqrt(to_x * to_x + to_y * to_y), _LEAST)
        far = max(np.sqrt(way_x * way_x + way_y * way_y), _LEAST)
        facing = to_x * cos[k] + to_y * sin[k] > cos_facing * distance
        facing &= ((to_y < 0) == (sin[k] < 0)) | (to_x < 0)
        shaping = _AT_BALL / distance + _AT_GOAL / far
        scored = (ball_x[k] > line) & (abs(ball_y[k]) < post)
        out[k] = (shaping if facing else _ZERO) + (1.0 if scored else 0.0)


@loop('void(f8[::1], f8[::1], f8[::1], f8[::1], f4[::1], f4[::1], f4, f4, f4, f4[:,::1])')
def observe(
    x: np.ndarray,
    y: np.ndarray,
    ball_x: np.ndarray,
    ball_y: np.ndarray,
    cos: np.ndarray,
    sin: np.ndarray,
    goal_x: float,
    per_length: float,
    per_width: float,
    out: np.ndarray,
) -> None:
    """Find the observations (M, 8) of states, some by columns before they become rows."""
    columns = np.empty((8, _TILE), dtype=_SINGLE)
    from_x, from_y, to_goal_x, to_goal_y = columns[0], columns[1], columns[2], columns[3]
    ball_left, ball_ahead, goal_left, goal_ahead = columns[4], columns[5], columns[6], columns[7]
    for begin in range(0, len(x), _TILE):
        rows = out[begin : begin + _TILE]
        xs, ys, c, s = x[begin:], y[begin:], cos[begin:], sin[begin:]
        ball_xs, ball_ys = ball_x[begin:], ball_y[begin:]
        for k in range(len(rows)):
            at_x, at_y = _SINGLE(xs[k]), _SINGLE(ys[k])
            ball_at_x, ball_at_y = _SINGLE(ball_xs[k]), _SINGLE(ball_ys[k])
            to_x, to_y, way_x, way_y = (
                ball_at_x - at_x,
                ball_at_y - at_y,
                goal_x - at_x,
                _ZERO - at_y,
            )
            from_x[k], from_y[k] = to_x * per_length, to_y * per_width
            to_goal_x[k] = (goal_x - ball_at_x) * per_length
            to_goal_y[k] = (_ZERO - ball_at_y) * per_width
            distance = max(np.sqrt(to_x * to_x + to_y * to_y), _LEAST)
            far = max(np.sqrt(way_x * way_x + way_y * way_y), _LEAST)
            to_x, to_y, way_x, way_y = to_x / distance, to_y / distance, way_x / far, way_y / far
            ball_left[k], ball_ahead[k] = to_y * c[k] - to_x * s[k], to_x * c[k] + to_y * s[k]
            goal_left[k], goal_ahead[k] = way_y * c[k] - way_x * s[k], way_x * c[k] + way_y * s[k]
        for k in range(len(rows)):
            for index in range(8):
                rows[k, index] = columns[index, k]


@loop(
    'void(f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1], f8[::1],'
    ' f8, f8, f8, f8, f8, i1[::1])'
)
def check(
    x: np.ndarray,
    y: np.ndarray,
    ball_x: np.ndarray,
    ball_y: np.ndarray,
    next_x: np.ndarray,
    next_y: np.ndarray,
    next_ball_x: np.ndarray,
    next_ball_y: np.ndarray,
    line: float,
    side: float,
    post: float,
    depth: float,
    contact: float,
    reason: np.ndarray,
) -> None:
    """Find the reasons (M,) of steps from states to others."""
    for k in range(len(reason)):
        to_x, to_y = ball_x[k] - next_x[k], ball_y[k] - next_y[k]
        rests = (ball_x[k] == next_ball_x[k]) & (ball_y[k] == next_ball_y[k])
        overlap = (to_x * to_x + to_y * to_y < contact) & rests
        far = abs(ball_y[k])
        inside = (ball_x[k] > line) & (ball_x[k] < line + depth) & (far < post)
        ball_off = ((abs(ball_x[k]) > line) | (far > side)) & (not inside)
        far = abs(next_ball_y[k])
        inside = (next_ball_x[k] > line) & (next_ball_x[k] < line + depth) & (far < post)
        ball_off |= ((abs(next_ball_x[k]) > line) | (far > side)) & (not inside)
        off = (abs(x[k]) > line) | (abs(y[k]) > side)
        off |= (abs(next_x[k]) > line) | (abs(next_y[k]) > side)
        reason[k] = 1 if off else 2 if ball_off else 3 if overlap else 0
