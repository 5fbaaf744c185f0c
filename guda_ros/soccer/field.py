"""Soccer field and ball in metres: origin at the centre, x to the opponent's goal."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, MISSING
import os
from typing import Any, TYPE_CHECKING

import numpy as np

from guda_ros.config.files import ConfigError, find_config, load_yaml, Plain, Section
from guda_ros.soccer import world

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Colour = tuple[float, float, float]

#: Ways in which perception can find a ball.
DETECTORS = ('colour', 'network')


@dataclass(frozen=True)
class Ball:
    """
    A ball: radius [m], mass [kg], rolling deceleration on the carpet [m/s^2] and RGB colours.

    colour: the one that perception looks for. patches: of the twelve pentagons, by default a dark
    shade of it. detector: how perception finds it, of DETECTORS; by default by its colour if it
    has a hue, else by the network.
    """

    radius: float
    mass: float
    deceleration: float
    colour: Colour
    patches: Colour | None = None
    detector: str | None = None

    @classmethod
    def load(cls, name: str | os.PathLike[str]) -> Ball:
        """Read a ball by name or path; ConfigError names file and key of a wrong value."""
        path = find_config('balls', name)
        return cls.read(Section(load_yaml(path), path))

    @classmethod
    def read(cls, section: Section) -> Ball:
        """Read a ball from its own file or from the field that it is part of."""
        ball = cls(
            radius=section.number('radius', 0.01, 0.5),
            mass=section.number('mass', 0.001, 5),
            deceleration=section.number('deceleration', 0, 10),
            colour=section.numbers('colour', 3, 0, 1),
            patches=section.numbers('patches', 3, 0, 1) if section.has('patches') else None,
            detector=section.choice('detector', DETECTORS) if section.has('detector') else None,
        )
        section.close()
        return ball


@dataclass(frozen=True)
class Looks:
    """How a field is drawn, RGB in [0, 1]: carpet, lines, goal frames and the border's boards."""

    carpet: Colour = (0.13, 0.42, 0.17)
    lines: Colour = (0.96, 0.96, 0.96)
    goal: Colour = (0.95, 0.95, 0.95)
    boards: Colour = (0.20, 0.25, 0.33)


@dataclass(frozen=True)
class Field:
    """
    A field with one attacked goal at x = +length/2; all lengths in metres.

    `goal_width` is measured between the inner edges of the posts, areas are (depth, width).
    Lengths of areas, penalty mark and centre circle are 0 where there is none. `goals` is 2, or 1
    for a half field, whose halfway line is the line opposite to its goal.
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
    goals: int = 2
    looks: Looks = Looks()

    @classmethod
    def load(cls, name: str | os.PathLike[str]) -> Field:
        """Read a field by name or path; ConfigError names file and key of a wrong value."""
        path = find_config('fields', name)
        return cls.read(Section(load_yaml(path), path), path)

    @classmethod
    def read(cls, root: Section, path: str | os.PathLike[str]) -> Field:
        """
        Read a field from its own file or from what `as_dict` returned.

        :param path: for messages. :raises ConfigError: naming the key of a wrong value.
        """
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
            ball=_ball(root, path),
            goals=root.integer('goals', 1, 2) if root.has('goals') else 2,
            looks=_looks(root.section('looks')) if root.has('looks') else Looks(),
        )
        root.close()
        field._check(path)
        return field

    def _check(self, path: str | os.PathLike[str]) -> None:
        """Raise ConfigError where measures do not fit together."""
        half = self.length if self.goals == 1 else self.length / 2
        for key, value, limit, what in (
            ('goal_width', self.goal_width, self.width, 'the field is wide'),
            ('goal_depth', self.goal_depth, self.border, 'the border is wide'),
            ('ball', 2 * self.ball.radius, self.goal_width, 'the goal is wide'),
            ('penalty_area', self.penalty_area[0], half, 'one half is long'),
            ('penalty_area', self.penalty_area[1], self.width, 'the field is wide'),
            ('goal_area', self.goal_area[0], half, 'one half is long'),
            ('goal_area', self.goal_area[1], self.width, 'the field is wide'),
            ('penalty_mark', self.penalty_mark, half, 'one half is long'),
            (
                'centre_circle_radius',
                self.centre_circle_radius,
                min(half, self.width / 2),
                'there is room for',
            ),
        ):
            if value > limit:
                raise ConfigError(
                    f'{path}: {key}: {value:g} m are more than {what}, {limit:g} m', key
                )

    def as_dict(self) -> Plain:
        """
        Return the field as plain values, for hashes and recordings.

        What has its default is left out: a key that is new here does not change the hash of what
        was recorded before.
        """
        return _without_defaults(self, asdict(self))

    @classmethod
    def from_dict(cls, values: Plain) -> Field:
        """Build a field from what as_dict returned; ConfigError names a value that is none."""
        # The values themselves stay as they are: what was hashed with them has to fit.
        cls.read(Section(values, 'contract', 'field.'), 'contract: field')
        values = dict(values)
        for key, kind in (('ball', Ball), ('looks', Looks)):
            if key in values:
                values[key] = kind(**{name: _tuple(value) for name, value in values[key].items()})
        return cls(**{name: _tuple(value) for name, value in values.items()})

    @property
    def goal_sides(self) -> tuple[int, ...]:
        """Signs of x of the goals, the attacked one first."""
        return (1, -1)[: self.goals]

    @property
    def halfway_line(self) -> float:
        """X of the halfway line [m]."""
        return 0.0 if self.goals == 2 else -self.length / 2

    def toward_goal(self, x: np.ndarray) -> np.ndarray:
        """Return how far points at x (...) are toward the nearest goal line that has a goal."""
        return np.abs(x) if self.goals == 2 else np.asarray(x)

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

    @property
    def subject(self) -> slice:
        """Columns of a world state with what is to come to the goal: those of the ball."""
        return world.BALL

    def succeeded(self, states: np.ndarray) -> np.ndarray:
        """Tell for world states (..., 10) whether the ball is scored."""
        return self.scored(states[..., world.BALL])

    def failed(self, states: np.ndarray) -> np.ndarray:
        """Tell for world states (..., 10) whether the ball is out."""
        return self.out(states[..., world.BALL])

    def out(self, ball: np.ndarray) -> np.ndarray:
        """Tell for balls at (..., 2) whether the whole ball is off the field, goals excepted."""
        ball = np.asarray(ball)
        left = (np.abs(ball[..., 0]) > self.length / 2 + self.ball.radius) | (
            np.abs(ball[..., 1]) > self.width / 2 + self.ball.radius
        )
        return left & ~self.scored(ball)


def _ball(root: Section, path: str | os.PathLike[str]) -> Ball:
    """Read a ball's name or its values."""
    if not root.is_text('ball'):
        return Ball.read(root.section('ball'))
    name = root.text('ball')
    try:
        return Ball.load(name)
    except ConfigError as error:
        raise ConfigError(f'{path}: ball: {error}', 'ball') from error


def _looks(section: Section) -> Looks:
    looks = Looks(
        **{
            key: section.numbers(key, 3, 0, 1)
            for key in (field.name for field in fields(Looks))
            if section.has(key)
        }
    )
    section.close()
    return looks


def _without_defaults(instance: DataclassInstance, values: Plain) -> Plain:
    defaults = {field.name: field.default for field in fields(instance)}
    kept: Plain = {}
    for key, value in values.items():
        mine = getattr(instance, key)
        if defaults[key] is MISSING or mine != defaults[key]:
            kept[key] = _without_defaults(mine, value) if isinstance(value, dict) else value
    return kept


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
