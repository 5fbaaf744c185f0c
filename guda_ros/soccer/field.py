"""Soccer field and ball in metres: origin at the centre, x to the opponent's goal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guda_ros.soccer.resources import find_config, load_yaml, Section


@dataclass(frozen=True)
class Ball:
    """A ball: radius [m], mass [kg], rolling deceleration on the carpet [m/s^2] and RGB colour."""

    radius: float
    mass: float
    deceleration: float
    colour: tuple[float, float, float]


@dataclass(frozen=True)
class Field:
    """
    A field with one attacked goal at x = +length/2; all lengths in metres.

    `goal_width` is measured between the inner edges of the posts, areas are (depth, width).
    """

    name: str
    length: float
    width: float
    border: float
    line_width: float
    goal_width: float
    goal_depth: float
    goal_height: float
    post_radius: float
    penalty_area: tuple[float, float]
    goal_area: tuple[float, float]
    penalty_mark: float
    centre_circle_radius: float
    ball: Ball

    @classmethod
    def load(cls, name) -> 'Field':
        """Read a field by name or path; ConfigError names file and key of a wrong value."""
        path = find_config('fields', name)
        root = Section(load_yaml(path), path)
        ball = root.section('ball')
        field = cls(
            name=root.text('name'),
            length=root.number('length', 1, 200),
            width=root.number('width', 1, 200),
            border=root.number('border', 0, 20),
            line_width=root.number('line_width', 0.001, 1),
            goal_width=root.number('goal_width', 0.1, 20),
            goal_depth=root.number('goal_depth', 0.1, 10),
            goal_height=root.number('goal_height', 0.1, 10),
            post_radius=root.number('post_radius', 0.005, 0.5),
            penalty_area=root.numbers('penalty_area', 2, 0, 100),
            goal_area=root.numbers('goal_area', 2, 0, 100),
            penalty_mark=root.number('penalty_mark', 0, 100),
            centre_circle_radius=root.number('centre_circle_radius', 0, 100),
            ball=Ball(
                radius=ball.number('radius', 0.01, 0.5),
                mass=ball.number('mass', 0.001, 5),
                deceleration=ball.number('deceleration', 0, 10),
                colour=ball.numbers('colour', 3, 0, 1),
            ),
        )
        ball.close()
        root.close()
        return field

    @property
    def goal_line(self) -> float:
        """X of the attacked goal line [m]."""
        return self.length / 2

    @property
    def goal(self) -> np.ndarray:
        """Point (2,) in the attacked goal at which the ball is aimed, just behind the line [m]."""
        return np.array([self.length / 2 + 0.2, 0.0])

    def scored(self, ball: np.ndarray) -> np.ndarray:
        """Tell for balls at (..., 2) whether the whole ball is over the line, in the goal."""
        ball = np.asarray(ball)
        return (
            (ball[..., 0] > self.goal_line + self.ball.radius)
            & (ball[..., 0] < self.goal_line + self.goal_depth + self.ball.radius)
            & (np.abs(ball[..., 1]) < self.goal_width / 2)
        )

    def out(self, ball: np.ndarray) -> np.ndarray:
        """Tell for balls at (..., 2) whether the whole ball is off the field, goals excepted."""
        ball = np.asarray(ball)
        left = (np.abs(ball[..., 0]) > self.length / 2 + self.ball.radius) | (
            np.abs(ball[..., 1]) > self.width / 2 + self.ball.radius
        )
        return left & ~self.scored(ball)
