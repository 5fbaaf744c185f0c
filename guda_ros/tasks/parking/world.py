"""
The car park of highway-env (`parking-v0`, default configuration), vectorised.

What Leurent, An Environment for Autonomous Driving Decision-Making, 2018 (highway-env 1.12) does
to one car is done to many, operation by operation: a kinematic bicycle model at 15 Hz, three of
its steps to an action, and collisions with the four walls by the separating axis theorem. A test
compares the two.

Frames: x to the right, y as in highway-env (down on its pictures); heading from x to y.
"""

from __future__ import annotations

import numpy as np

from guda_ros.soccer.world import wrap_angle

STATE = ('car_x', 'car_y', 'car_yaw', 'car_speed', 'goal_x', 'goal_y', 'goal_yaw', 'crashed')
CAR, YAW, SPEED, GOAL, GOAL_YAW, CRASHED = slice(0, 2), 2, 3, slice(4, 6), 6, 7

#: Length and width [m] of the car, and its largest speed [m/s].
LENGTH, WIDTH, MAX_SPEED = 5.0, 2.0, 40.0
#: Full acceleration [m/s^2] and steering angle [rad].
ACCELERATION, STEERING = 5.0, np.pi / 4
#: Steps of the model in an action, and their length [s].
FRAMES, PERIOD = 3, 1 / 15
#: Middle (x, y), length [m] and heading [rad] of the walls, which are 1 m thick.
WALLS = (
    (0.0, -21.0, 70.0, 0.0),
    (0.0, 21.0, 70.0, 0.0),
    (-35.0, 0.0, 42.0, np.pi / 2),
    (35.0, 0.0, 42.0, np.pi / 2),
)
#: Where the inner faces of the walls are: |x|, |y| [m].
INNER = (34.5, 20.5)


def spots() -> np.ndarray:
    """Return the parking spots (28, 3): x, y [m] of the middle and heading [rad]."""
    x = 4.0 * (np.arange(14) + 1 - 7) - 2.0
    rows = [
        np.column_stack([x, np.full(14, side * 14.0), np.full(14, side * np.pi / 2)])
        for side in (1, -1)
    ]
    return np.concatenate(rows)


def step(states: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """Return the states (M, 8) after actions (M, 2): acceleration and steering in [-1, 1]."""
    states = np.array(states, dtype=float)
    acceleration, steering = np.clip(np.asarray(actions, dtype=float), -1.0, 1.0).T
    acceleration, steering = acceleration * ACCELERATION, steering * STEERING
    # What a wall will do in the next frame follows from the state.
    inside, push = _collide(states)
    crashed = (states[:, CRASHED] > 0.5) | inside
    for _ in range(FRAMES):
        speed, yaw = states[:, SPEED].copy(), states[:, YAW]
        # A car that crashed brakes, and does so for the rest of the action.
        steering = np.where(crashed, 0.0, steering)
        acceleration = np.where(crashed, -speed, acceleration)
        acceleration = np.where(
            speed > MAX_SPEED, np.minimum(acceleration, MAX_SPEED - speed), acceleration
        )
        acceleration = np.where(
            speed < -MAX_SPEED, np.maximum(acceleration, -MAX_SPEED - speed), acceleration
        )
        slip = np.arctan(0.5 * np.tan(steering))
        velocity = speed[:, None] * np.stack([np.cos(yaw + slip), np.sin(yaw + slip)], axis=1)
        states[:, CAR] += velocity * PERIOD
        states[:, CAR] += push
        crashed = crashed | (push != 0).any(axis=1)
        states[:, YAW] = yaw + speed * np.sin(slip) / (LENGTH / 2) * PERIOD
        states[:, SPEED] = speed + acceleration * PERIOD
        inside, push = _collide(states)
        crashed = crashed | inside
    states[:, YAW] = wrap_angle(states[:, YAW])
    states[:, CRASHED] = crashed
    return states


def clear_of_walls(states: np.ndarray, margin: float = 0.0) -> np.ndarray:
    """Tell (M,) of states (M, 8) whether the car stays `margin` [m] away in the next frame too."""
    cos, sin = np.abs(np.cos(states[..., YAW])), np.abs(np.sin(states[..., YAW]))
    reach = np.abs(states[..., SPEED]) * PERIOD
    half_x = LENGTH / 2 * cos + WIDTH / 2 * sin + reach * cos + margin
    half_y = LENGTH / 2 * sin + WIDTH / 2 * cos + reach * sin + margin
    return (np.abs(states[..., 0]) + half_x <= INNER[0]) & (
        np.abs(states[..., 1]) + half_y <= INNER[1]
    )


def _collide(states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (M,) whether a wall is touched and (M, 2) how it will push the car [m]."""
    inside, push = np.zeros(len(states), dtype=bool), np.zeros((len(states), 2))
    near = np.flatnonzero(~clear_of_walls(states))
    if not len(near):
        return inside, push
    car, speed = states[near], states[near, SPEED]
    velocity = speed[:, None] * np.stack([np.cos(car[:, YAW]), np.sin(car[:, YAW])], axis=1)
    corners = _corners(car[:, CAR], car[:, YAW], LENGTH, WIDTH)
    for x, y, length, yaw in WALLS:
        middle = np.array([x, y])
        wall = np.broadcast_to(_corners(middle, np.asarray(yaw), length, 1.0), corners.shape)
        reach = (np.hypot(LENGTH, WIDTH) + np.hypot(length, 1.0)) / 2 + speed * PERIOD
        close = np.linalg.norm(car[:, CAR] - middle, axis=1) <= reach
        now, soon, shift = _overlap(corners, wall, velocity * PERIOD)
        inside[near] |= now & close
        hit = soon & close
        push[near[hit]] = shift[hit]
    return inside, push


def _corners(middle: np.ndarray, yaw: np.ndarray, length: float, width: float) -> np.ndarray:
    """Return the corners (..., 4, 2) of rectangles, in the order of highway-env."""
    along, across = (np.array(signs) for signs in ((-1, -1, 1, 1), (-1, 1, 1, -1)))
    along, across = along * length / 2, across * width / 2
    cos, sin = np.cos(yaw)[..., None], np.sin(yaw)[..., None]
    turned = np.stack([cos * along - sin * across, sin * along + cos * across], axis=-1)
    return turned + middle[..., None, :]


def _overlap(
    one: np.ndarray, other: np.ndarray, displacement: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Return (K,) whether rectangles (K, 4, 2) overlap, whether they will, and the push (K, 2).

    displacement (K, 2): how far the first moves in the next frame.
    """
    edges = np.concatenate([np.roll(part, -1, axis=1) - part for part in (one, other)], axis=1)
    normal = np.stack([-edges[..., 1], edges[..., 0]], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    projected = [np.einsum('kpc,kec->kep', part, normal) for part in (one, other)]
    (low, high), (other_low, other_high) = ((p.min(axis=-1), p.max(axis=-1)) for p in projected)
    now = np.all(_gap(low, high, other_low, other_high) <= 0, axis=1)
    moved = np.einsum('kc,kec->ke', displacement, normal)
    gap = _gap(low + np.minimum(moved, 0), high + np.maximum(moved, 0), other_low, other_high)
    soon = np.all(gap <= 0, axis=1)
    least = np.abs(gap).argmin(axis=1)
    rows = np.arange(len(one))
    axis = normal[rows, least]
    between = one.mean(axis=1) - other.mean(axis=1)
    side = np.where(np.sum(between * axis, axis=1) > 0, 1.0, -1.0)
    return now, soon, (np.abs(gap[rows, least]) * side)[:, None] * axis


def _gap(
    low: np.ndarray, high: np.ndarray, other_low: np.ndarray, other_high: np.ndarray
) -> np.ndarray:
    """Return the gap between intervals, negative where they overlap."""
    return np.where(low < other_low, other_low - high, low - other_high)
