"""
Rewards and terminations of the push-to-goal task, as functions of world states.

`push_reward` is the reward of offline data, its weights are here. Simulators add up the terms with
the weights of a file in config/rewards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
import os
from pathlib import Path
from typing import Protocol

import numpy as np

from guda_ros.config.files import ConfigError, find_config, load_yaml, Section
from guda_ros.soccer import world
from guda_ros.soccer.robot import VelocityLimits

#: How far behind the ball, seen from the goal, a push begins [m]: about where the feet touch it.
PUSH_DISTANCE = 0.15


class Game(Protocol):
    """What rewards ask of a game: a Field, with the goal of soccer, or a task's contract."""

    @property
    def goal(self) -> np.ndarray: ...

    @property
    def subject(self) -> slice: ...

    def succeeded(self, states: np.ndarray) -> np.ndarray: ...

    def failed(self, states: np.ndarray) -> np.ndarray: ...

    def out(self, ball: np.ndarray) -> np.ndarray: ...


def push_reward(states: np.ndarray, next_states: np.ndarray, game: Game) -> np.ndarray:
    """
    Return the rewards (...) of steps between world states (..., 10).

    +10 for a goal, -1 for a ball out of the field, and what the ball came nearer to the goal point
    [m]; without a ball in the task, the robot.
    """
    before = np.linalg.norm(states[..., game.subject] - game.goal, axis=-1)
    after = np.linalg.norm(next_states[..., game.subject] - game.goal, axis=-1)
    succeeded, failed = game.succeeded(next_states), game.failed(next_states)
    return (before - after) + 10.0 * succeeded - 1.0 * failed


def push_terminated(next_states: np.ndarray, game: Game) -> np.ndarray:
    """Tell whether the task ends in world states (..., 10): a goal, or the ball out."""
    return game.succeeded(next_states) | game.failed(next_states)


# Terms: what a step from states (..., 10) to next_states (..., 10) is worth with a weight of one.


def goal(
    states: np.ndarray, next_states: np.ndarray, game: Game, limits: VelocityLimits
) -> np.ndarray:
    """Return 1 for a goal."""
    return game.succeeded(next_states).astype(np.float64)


def out(
    states: np.ndarray, next_states: np.ndarray, game: Game, limits: VelocityLimits
) -> np.ndarray:
    """Return 1 for a ball that left the game, or another failure of the task."""
    return game.failed(next_states).astype(np.float64)


def ball_to_goal(
    states: np.ndarray, next_states: np.ndarray, game: Game, limits: VelocityLimits
) -> np.ndarray:
    """Return what the ball, in a task without one the robot, came nearer to the goal point [m]."""
    return _to_goal(states, game) - _to_goal(next_states, game)


def robot_to_ball(
    states: np.ndarray, next_states: np.ndarray, game: Game, limits: VelocityLimits
) -> np.ndarray:
    """Return what the robot came nearer to the ball [m]."""
    return _to_ball(states) - _to_ball(next_states)


def robot_to_push(
    states: np.ndarray, next_states: np.ndarray, game: Game, limits: VelocityLimits
) -> np.ndarray:
    """Return what the robot came nearer to the place behind the ball from which to push [m]."""
    return _to_push(states, game) - _to_push(next_states, game)


def time(
    states: np.ndarray, next_states: np.ndarray, game: Game, limits: VelocityLimits
) -> np.ndarray:
    """Return 1 for every step."""
    return np.ones(np.shape(next_states)[:-1])


def command_change(
    states: np.ndarray, next_states: np.ndarray, game: Game, limits: VelocityLimits
) -> np.ndarray:
    """Return the squared change of the command, in action units, summed over the axes."""
    before = limits.to_action(states[..., world.PREVIOUS_COMMAND])
    after = limits.to_action(next_states[..., world.PREVIOUS_COMMAND])
    return np.sum(np.square(after - before), axis=-1)


Term = Callable[[np.ndarray, np.ndarray, Game, VelocityLimits], np.ndarray]
#: Terms that tell nothing where the task has no ball.
BALL_TERMS = ('robot_to_ball', 'robot_to_push')
TERMS: dict[str, Term] = {
    term.__name__: term
    for term in (goal, out, ball_to_goal, robot_to_ball, robot_to_push, time, command_change)
}


def reward_terms(
    states: np.ndarray,
    next_states: np.ndarray,
    game: Game,
    limits: VelocityLimits,
    weights: Mapping[str, float],
) -> np.ndarray:
    """Return the weighted terms (..., k), in the order of `weights`; their sum is the reward."""
    return np.stack(
        [
            weight * TERMS[name](states, next_states, game, limits)
            for name, weight in weights.items()
        ],
        axis=-1,
    )


def load_weights(name: str | os.PathLike[str] | Mapping[str, float]) -> dict[str, float]:
    """Read weights by name (config/rewards) or path, or check them; ConfigError tells the key."""
    path: str | Path
    if isinstance(name, Mapping):
        path, values = 'rewards', name
    else:
        path = find_config('rewards', name)
        values = load_yaml(path)
    root = Section(values, path)
    unknown = [key for key in root.keys() if key not in TERMS]
    if unknown:
        raise ConfigError(f'{path}: {unknown[0]}: no reward term; known: {", ".join(TERMS)}')
    if not root.keys():
        raise ConfigError(f'{path}: at least one reward term is expected of {", ".join(TERMS)}')
    return {key: root.number(key, -1e6, 1e6) for key in root.keys()}


def _to_goal(states: np.ndarray, game: Game) -> np.ndarray:
    offset = game.goal - states[..., game.subject]
    return np.hypot(offset[..., 0], offset[..., 1])


def _to_ball(states: np.ndarray) -> np.ndarray:
    offset = states[..., world.BALL] - states[..., world.ROBOT_POSITION]
    return np.hypot(offset[..., 0], offset[..., 1])


def _to_push(states: np.ndarray, game: Game) -> np.ndarray:
    ball = states[..., world.BALL]
    behind = ball - game.goal
    distance = np.maximum(np.hypot(behind[..., 0], behind[..., 1]), 1e-9)[..., None]
    offset = ball + PUSH_DISTANCE * behind / distance - states[..., world.ROBOT_POSITION]
    return np.hypot(offset[..., 0], offset[..., 1])
