"""Observations of the soccer tasks, built from world states by one vectorised function."""

from __future__ import annotations

import numpy as np

from guda_ros.soccer import world
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import VelocityLimits

#: Names of the numbers in each feature group, in order.
FEATURES = {
    'ball': ('ball_x', 'ball_y'),
    'ball_bearing': ('ball_bearing_sin', 'ball_bearing_cos'),
    'goal': ('goal_x', 'goal_y'),
    'goal_bearing': ('goal_bearing_sin', 'goal_bearing_cos'),
    'ball_velocity': ('ball_velocity_x', 'ball_velocity_y'),
    'push_frame': ('push_x', 'push_y', 'push_yaw_sin', 'push_yaw_cos'),
    'ball_place': ('ball_place_x', 'ball_place_y'),
    'previous_command': ('previous_forward', 'previous_left', 'previous_turn'),
    'obstacles': ('obstacle_1_x', 'obstacle_1_y', 'obstacle_2_x', 'obstacle_2_y'),
}

#: Where in base_link an obstacle is said to be that is not there [m].
_NO_OBSTACLE = (10.0, 0.0)
#: More than any ball of these games rolls [m/s].
_FASTEST_BALL = 20.0


def observation_names(features: tuple[str, ...]) -> tuple[str, ...]:
    """Return the name of every number; KeyError names an unknown feature group."""
    return tuple(name for feature in features for name in FEATURES[feature])


def observation_bounds(field: Field, features: tuple[str, ...]) -> np.ndarray:
    """Return the size (D,), float32, that no number of an observation exceeds."""
    # Robot and ball are on the carpet, the goal point is less than a metre behind its line.
    reach = float(np.hypot(field.length + 2 * field.border + 2, field.width + 2 * field.border))
    size: dict[str, tuple[float, ...]] = dict.fromkeys(('ball', 'goal'), (reach, reach))
    size['ball_velocity'] = (_FASTEST_BALL, _FASTEST_BALL)
    size['push_frame'] = (reach, reach, 1.0, 1.0)
    size['ball_place'] = (field.length / 2 + field.border + 1, field.width / 2 + field.border)
    size['obstacles'] = (max(reach, _NO_OBSTACLE[0]),) * len(FEATURES['obstacles'])
    return np.concatenate(
        [size.get(feature, (1.0,) * len(FEATURES[feature])) for feature in features]
    ).astype(np.float32)


def observe(
    states: np.ndarray,
    goal: np.ndarray,
    limits: VelocityLimits,
    features: tuple[str, ...],
    obstacles: np.ndarray | None = None,
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
    """
    states = np.asarray(states, dtype=np.float64)
    goal = np.broadcast_to(np.asarray(goal, dtype=np.float64), states.shape[:-1] + (2,))
    robot, ball = states[..., world.ROBOT], states[..., world.BALL]
    yaw = states[..., world.ROBOT_YAW]
    columns = []
    for feature in features:
        if feature in ('ball', 'ball_bearing'):
            seen = world.to_frame(ball, robot)
            columns.append(_bearing(seen) if feature == 'ball_bearing' else seen)
        elif feature in ('goal', 'goal_bearing'):
            seen = world.to_frame(goal, robot)
            columns.append(_bearing(seen) if feature == 'goal_bearing' else seen)
        elif feature == 'ball_velocity':
            columns.append(world.rotate(states[..., world.BALL_VELOCITY], -yaw))
        elif feature == 'push_frame':
            direction = np.arctan2(goal[..., 1] - ball[..., 1], goal[..., 0] - ball[..., 0])
            place = world.rotate(robot[..., :2] - ball, -direction)
            heading = yaw - direction
            columns.append(
                np.concatenate(
                    [place, np.sin(heading)[..., None], np.cos(heading)[..., None]], axis=-1
                )
            )
        elif feature == 'ball_place':
            columns.append(ball)
        elif feature == 'previous_command':
            columns.append(limits.to_action(states[..., world.PREVIOUS_COMMAND]))
        elif feature == 'obstacles':
            if obstacles is None:
                raise ValueError('this observation has obstacles: their places are needed')
            columns.append(_nearest(robot, np.asarray(obstacles, dtype=np.float64)[..., :2]))
        else:
            raise KeyError(
                f'unknown observation feature {feature!r}; known: {", ".join(FEATURES)}'
            )
    return np.concatenate(columns, axis=-1).astype(np.float32)


def _nearest(robot: np.ndarray, places: np.ndarray) -> np.ndarray:
    count = len(FEATURES['obstacles']) // 2
    absent = np.broadcast_to(np.array(_NO_OBSTACLE), (*robot.shape[:-1], count, 2))
    seen = np.concatenate([world.to_frame(places, robot[..., None, :]), absent], axis=-2)
    distance = np.hypot(seen[..., 0], seen[..., 1])
    distance[..., places.shape[-2] :] = np.inf
    order = np.argsort(distance, axis=-1, kind='stable')[..., :count, None]
    nearest = np.take_along_axis(seen, order, axis=-2)
    return nearest.reshape(*robot.shape[:-1], 2 * count)


def _bearing(vector: np.ndarray) -> np.ndarray:
    distance = np.maximum(np.linalg.norm(vector, axis=-1, keepdims=True), 1e-9)
    return np.concatenate([vector[..., 1:2], vector[..., 0:1]], axis=-1) / distance
