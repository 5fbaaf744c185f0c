"""Reward and termination of the push-to-goal task, as functions of world states."""

from __future__ import annotations

import numpy as np

from guda_ros.soccer import world
from guda_ros.soccer.field import Field


def push_reward(states: np.ndarray, next_states: np.ndarray, field: Field) -> np.ndarray:
    """
    Return the rewards (...) of steps between world states (..., 10).

    +10 for a goal, -1 for a ball out of the field, and what the ball came nearer to the goal point
    [m].
    """
    before = np.linalg.norm(states[..., world.BALL] - field.goal, axis=-1)
    after = np.linalg.norm(next_states[..., world.BALL] - field.goal, axis=-1)
    ball = next_states[..., world.BALL]
    return (before - after) + 10.0 * field.scored(ball) - 1.0 * field.out(ball)


def push_terminated(next_states: np.ndarray, field: Field) -> np.ndarray:
    """Tell whether the task ends in world states (..., 10): a goal, or the ball out."""
    ball = next_states[..., world.BALL]
    return field.scored(ball) | field.out(ball)
