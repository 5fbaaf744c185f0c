"""Observations of the soccer tasks, built from world states by one vectorised function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from guda_ros.soccer import world
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import VelocityLimits

#: How many obstacles are observed, and where in base_link one is said to be that is not there [m].
_OBSTACLES, _NO_OBSTACLE = 2, (10.0, 0.0)
#: More than any ball of these games rolls [m/s].
_FASTEST_BALL = 20.0


@dataclass(frozen=True)
class Scene:
    """What features are found in."""

    #: World states (..., 10), float64.
    states: np.ndarray
    #: Goal points (..., 2) in `map` [m], float64.
    goal: np.ndarray
    limits: VelocityLimits
    #: (..., k, 2 or more), in `map` [m].
    obstacles: np.ndarray | None

    @property
    def robot(self) -> np.ndarray:
        """Poses (..., 3)."""
        return self.states[..., world.ROBOT]

    @property
    def ball(self) -> np.ndarray:
        """Positions (..., 2)."""
        return self.states[..., world.BALL]


# Features: columns (..., n) of a scene, in the order of their names.


def _ball(scene: Scene) -> np.ndarray:
    return world.to_frame(scene.ball, scene.robot)


def _ball_bearing(scene: Scene) -> np.ndarray:
    return _bearing(_ball(scene))


def _goal(scene: Scene) -> np.ndarray:
    return world.to_frame(scene.goal, scene.robot)


def _goal_bearing(scene: Scene) -> np.ndarray:
    return _bearing(_goal(scene))


def _ball_velocity(scene: Scene) -> np.ndarray:
    return world.rotate(
        scene.states[..., world.BALL_VELOCITY], -scene.states[..., world.ROBOT_YAW]
    )


def _push_frame(scene: Scene) -> np.ndarray:
    goal, ball, robot = scene.goal, scene.ball, scene.robot
    direction = np.arctan2(goal[..., 1] - ball[..., 1], goal[..., 0] - ball[..., 0])
    position = world.rotate(robot[..., :2] - ball, -direction)
    heading = robot[..., 2] - direction
    return np.concatenate(
        [position, np.sin(heading)[..., None], np.cos(heading)[..., None]], axis=-1
    )


def _ball_position(scene: Scene) -> np.ndarray:
    return scene.ball


def _previous_command(scene: Scene) -> np.ndarray:
    return scene.limits.to_action(scene.states[..., world.PREVIOUS_COMMAND])


def _obstacles(scene: Scene) -> np.ndarray:
    if scene.obstacles is None:
        raise ValueError('this observation has obstacles: their places are needed')
    return _nearest(scene.robot, np.asarray(scene.obstacles, dtype=np.float64)[..., :2])


def _reach(field: Field) -> float:
    """Return the farthest that things are apart [m]."""
    # Robot and ball are on the carpet, the goal point is less than a metre behind its line.
    return float(np.hypot(field.length + 2 * field.border + 2, field.width + 2 * field.border))


def _carpet(field: Field) -> tuple[float, float]:
    return field.length / 2 + field.border + 1, field.width / 2 + field.border


@dataclass(frozen=True)
class Feature:
    """A group of numbers of an observation."""

    #: Of the numbers, in order; they are in the hash of contracts.
    names: tuple[str, ...]
    #: Returns the size that no number exceeds on a field, one for each name.
    bounds: Callable[[Field], tuple[float, ...]]
    #: Returns the numbers (..., n).
    observe: Callable[[Scene], np.ndarray]
    #: Whether it cannot be told without a ball.
    needs_ball: bool = False


#: The feature groups that contracts are made of, by name.
FEATURES = {
    'ball': Feature(
        ('ball_x', 'ball_y'),
        lambda field: (_reach(field),) * 2,
        _ball,
        needs_ball=True,
    ),
    'ball_bearing': Feature(
        ('ball_bearing_sin', 'ball_bearing_cos'),
        lambda field: (1.0,) * 2,
        _ball_bearing,
        needs_ball=True,
    ),
    'goal': Feature(
        ('goal_x', 'goal_y'),
        lambda field: (_reach(field),) * 2,
        _goal,
    ),
    'goal_bearing': Feature(
        ('goal_bearing_sin', 'goal_bearing_cos'),
        lambda field: (1.0,) * 2,
        _goal_bearing,
    ),
    'ball_velocity': Feature(
        ('ball_velocity_x', 'ball_velocity_y'),
        lambda field: (_FASTEST_BALL,) * 2,
        _ball_velocity,
        needs_ball=True,
    ),
    'push_frame': Feature(
        ('push_x', 'push_y', 'push_yaw_sin', 'push_yaw_cos'),
        lambda field: (_reach(field), _reach(field), 1.0, 1.0),
        _push_frame,
        needs_ball=True,
    ),
    'ball_place': Feature(
        ('ball_place_x', 'ball_place_y'),
        _carpet,
        _ball_position,
        needs_ball=True,
    ),
    'previous_command': Feature(
        ('previous_forward', 'previous_left', 'previous_turn'),
        lambda field: (1.0,) * 3,
        _previous_command,
    ),
    'obstacles': Feature(
        tuple(f'obstacle_{i}_{axis}' for i in range(1, _OBSTACLES + 1) for axis in 'xy'),
        lambda field: (max(_reach(field), _NO_OBSTACLE[0]),) * 2 * _OBSTACLES,
        _obstacles,
    ),
}


def observation_names(
    features: tuple[str, ...], known: Mapping[str, Feature] = FEATURES
) -> tuple[str, ...]:
    """Return the name of every number; KeyError names an unknown feature group."""
    return tuple(name for feature in features for name in known[feature].names)


def observation_bounds(
    field: Field, features: tuple[str, ...], known: Mapping[str, Feature] = FEATURES
) -> np.ndarray:
    """Return the size (D,), float32, that no number of an observation exceeds."""
    return np.concatenate([known[feature].bounds(field) for feature in features]).astype(
        np.float32
    )


def observe(
    states: np.ndarray,
    goal: np.ndarray,
    limits: VelocityLimits,
    features: tuple[str, ...],
    obstacles: np.ndarray | None = None,
    known: Mapping[str, Feature] = FEATURES,
) -> np.ndarray:
    """
    Return the observations (..., D), float32, of world states (..., 10).

    ball, goal and ball velocity are in base_link (m, m/s). The *push frame* has its origin at the
    ball and its x axis from ball to goal: push_x, push_y is the robot's place in it (negative
    push_x: behind the ball), push_yaw its heading relative to the push direction. ball_place is
    where the ball lies in `map` [m]: all the others are the same for a scene that is turned about
    the goal, such as a ball before it and a ball in a corner of the field. previous_command is in
    action units, [-1, 1].

    :param goal: (2,) or (..., 2), the goal point in `map` [m].
    :param obstacles: (..., k, 2 or more), places of obstacles in `map` [m], which the feature
        `obstacles` needs: of the nearest two, in base_link; (10, 0) where there is none.
    :param known: the features by name, which a task may have of its own.
    """
    unknown = [feature for feature in features if feature not in known]
    if unknown:
        raise KeyError(f'unknown observation feature {unknown[0]!r}; known: {", ".join(known)}')
    states = np.asarray(states, dtype=np.float64)
    goal = np.broadcast_to(np.asarray(goal, dtype=np.float64), states.shape[:-1] + (2,))
    scene = Scene(states, goal, limits, obstacles)
    columns = [known[feature].observe(scene) for feature in features]
    return np.concatenate(columns, axis=-1).astype(np.float32)


def _nearest(robot: np.ndarray, positions: np.ndarray) -> np.ndarray:
    count = _OBSTACLES
    absent = np.broadcast_to(np.array(_NO_OBSTACLE), (*robot.shape[:-1], count, 2))
    seen = np.concatenate([world.to_frame(positions, robot[..., None, :]), absent], axis=-2)
    distance = np.hypot(seen[..., 0], seen[..., 1])
    distance[..., positions.shape[-2] :] = np.inf
    order = np.argsort(distance, axis=-1, kind='stable')[..., :count, None]
    nearest = np.take_along_axis(seen, order, axis=-2)
    return nearest.reshape(*robot.shape[:-1], 2 * count)


def _bearing(vector: np.ndarray) -> np.ndarray:
    distance = np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9)
    return np.concatenate([vector[..., 1:2], vector[..., 0:1]], axis=-1) / distance
