"""Where rules put things: boxes and regions of the task, read from a guide and drawn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guda_ros.augmentation.rules.sampling import uniform
from guda_ros.augmentation.task import Box, Task
from guda_ros.config.files import Section

#: ((x low, x high), (y low, y high)) [m].


@dataclass(frozen=True)
class Destination:
    """
    Where a point is put: 'box', 'goal' (the mouth), 'field' or 'current' (where it was).

    box: ((x low, x high), (y low, y high)) [m]. bias: with 2 the far end in x is drawn twice as
    often as the middle, and the near end never; 1 is even.
    """

    place: str
    box: Box | None
    bias: float

    @classmethod
    def read(cls, section: Section) -> Destination:
        """Take `place` or `box`, and `bias`."""
        box = None
        if section.has('box'):
            box, place = read_box(section.section('box')), 'box'
        else:
            place = section.choice('place', ('goal', 'field', 'current'))
        bias = section.number('bias', 1, 10) if section.has('bias') else 1.0
        section.close()
        return cls(place, box, bias)

    def area(self, task: Task) -> Box | None:
        """Return the box that places are drawn from; None for 'current'."""
        if self.place == 'current':
            return None
        return {'box': self.box, 'goal': task.mouth, 'field': task.bounds}[self.place]

    def draw(self, count: int, task: Task, rng: np.random.Generator) -> np.ndarray:
        """Return places (count, 2) [m]."""
        area = self.area(task)
        assert area is not None, 'what stays where it is has no place to be drawn'
        (low, high), (right, left) = area
        place = uniform(rng, 2, count)
        if self.bias == 2:
            np.sqrt(place[0], out=place[0])
        elif self.bias != 1:
            place[0] **= 1 / self.bias
        place[0] *= high - low
        place[0] += low
        place[1] *= left - right
        place[1] += right
        return place.T

    def words(self) -> str:
        """Say where."""
        if self.box is not None:
            (a, b), (c, d) = self.box
            words = f'the box x {a:g} to {b:g}, y {c:g} to {d:g} m'
        else:
            words = {
                'goal': 'the goal mouth',
                'field': 'anywhere on the field',
                'current': 'the place where it was',
            }[self.place]
        return words + (f', biased to high x ({self.bias:g})' if self.bias != 1 else '')


def read_box(section: Section) -> Box:
    """Take `x` and `y`, each [low, high] in m."""
    box = read_range(section, 'x'), read_range(section, 'y')
    section.close()
    return box


def read_range(
    section: Section, key: str, low: float = -1000, high: float = 1000
) -> tuple[float, float]:
    """Take a list of two numbers in [low, high], of which the first is not above the second."""
    values = section.numbers(key, 2, low, high)
    if values[0] > values[1]:
        section.fail(
            key, f'[{values[0]:g}, {values[1]:g}]: the lower bound is above the upper one'
        )
    return values
