"""
Data augmentation functions (DAFs): changes of a step that its dynamics do not notice.

They work on world states (..., 10) and actions (..., 3) of any number of steps at once, return new
arrays and never change their input. A state and its successor are to be given the same move.
"""

from __future__ import annotations

import numpy as np

from guda_ros.soccer import world


def rigid_move(
    states: np.ndarray, angle: np.ndarray, pivot: np.ndarray, place: np.ndarray
) -> np.ndarray:
    """
    Turn whole scenes by `angle` (...) [rad] about `pivot` and carry that to `place` (..., 2) [m].

    Commands and actions are in base_link and stay as they are.
    """
    states = np.asarray(states, dtype=float)
    moved = states.copy()
    moved[..., world.ROBOT_POSITION] = _move_point(
        states[..., world.ROBOT_POSITION], angle, pivot, place
    )
    moved[..., world.ROBOT_YAW] = world.wrap_angle(states[..., world.ROBOT_YAW] + angle)
    moved[..., world.BALL] = _move_point(states[..., world.BALL], angle, pivot, place)
    moved[..., world.BALL_VELOCITY] = world.rotate(states[..., world.BALL_VELOCITY], angle)
    return moved


def mirror(states: np.ndarray, where: np.ndarray | bool = True) -> np.ndarray:
    """Mirror states, previous commands too, at the x axis of `map` where `where` (...) is true."""
    states = np.asarray(states, dtype=float)
    where = np.asarray(where)
    mirrored = states.copy()
    for column in _MIRRORED_STATE:
        mirrored[..., column] = np.where(where, -states[..., column], states[..., column])
    mirrored[..., world.ROBOT_YAW] = world.wrap_angle(mirrored[..., world.ROBOT_YAW])
    return mirrored


def mirror_action(actions: np.ndarray, where: np.ndarray | bool = True) -> np.ndarray:
    """Mirror actions or commands (..., 3) where `where` (...) is true: left and turn change."""
    sign = np.where(np.asarray(where)[..., None], [1.0, -1.0, -1.0], 1.0)
    return np.asarray(actions, dtype=float) * sign


def mirror_point(points: np.ndarray, where: np.ndarray | bool = True) -> np.ndarray:
    """Mirror points or vectors (..., 2) at the x axis where `where` (...) is true."""
    sign = np.where(np.asarray(where)[..., None], [1.0, -1.0], 1.0)
    return np.asarray(points, dtype=float) * sign


def place_ball(states: np.ndarray, ball: np.ndarray) -> np.ndarray:
    """Put a ball at rest at `ball` (..., 2) [m]: allowed while the robot does not touch it."""
    placed = np.array(states, dtype=float)
    placed[..., world.BALL] = ball
    placed[..., world.BALL_VELOCITY] = 0.0
    return placed


_MIRRORED_STATE = (1, 2, 4, 6, 8, 9)  # robot y and yaw, ball y and vy, previous left and turn


def _move_point(points, angle, pivot, place):
    return world.rotate(points - pivot, angle) + place
