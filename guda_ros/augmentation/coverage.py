"""
From where a task has been shown: sides and distances of the actor round the object.

Where the actor is the object, as in a task without a ball, round the goal.

Guided augmentation moves whole scenes anywhere on the field, but how the robot stands to the ball
and the goal is not changed by that: a side from which nobody came stays empty. So that is counted,
and named to the person who demonstrates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from guda_ros.augmentation.guides import Guide
from guda_ros.augmentation.task import Task

#: Sides by the bearing of the actor from the object, 0 where the goal is straight beyond the
#: object, counter-clockwise in eighths. Left and right are as one sees them who looks at the goal.
SIDES = (
    'behind the {}',
    'behind the {} to the right',
    'to the right of the {}',
    'in front of the {} to the right',
    'in front of the {}',
    'in front of the {} to the left',
    'to the left of the {}',
    'behind the {} to the left',
)
#: Upper ends of the distances [m].
RINGS = (0.5, 1.5, np.inf)
_RING_WORDS = ('closer than 0.5 m', '0.5 to 1.5 m away', 'further than 1.5 m away')
#: Share of all steps that a side needs to count as covered.
_ENOUGH = 0.002
#: Edge [m] of the cells of places.
CELL = 0.5


@dataclass(frozen=True, eq=False)
class Coverage:
    """
    Counted steps.

    sides (8, 3): by side and distance of the actor from the object; places (X, Y): by place of the
    object in cells of .5 m, whose corner is `origin` [m]. enough: steps from which a side counts
    as covered. thing: what the sides are of: name of the object, or `goal`.
    """

    sides: np.ndarray
    places: np.ndarray
    origin: tuple[float, float]
    enough: int
    thing: str

    @property
    def covered(self) -> float:
        """Share of sides and distances that are covered."""
        return float((self.sides >= self.enough).mean())

    @property
    def places_covered(self) -> float:
        """Share of the cells in which the object has been."""
        return float((self.places > 0).mean())

    def missing(self) -> str:
        """Say from where to demonstrate next; an empty text if every side is covered."""
        if self.covered == 1.0:
            return ''
        # A whole side first: the ring that is nearest to how one would start.
        order = np.argsort(self.sides.sum(axis=1), kind='stable')
        side = next(int(index) for index in order if (self.sides[index] < self.enough).any())
        ring = next(number for number in (1, 2, 0) if self.sides[side, number] < self.enough)
        return f'{SIDES[side].format(self.thing)}, {_RING_WORDS[ring]}'


def guided_area(guide: Guide, task: Task) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the box ((x low, x high), (y low, y high)) in which a guide puts the object [m]."""
    boxes = [
        box
        for rule in guide.rules.values()
        for name, box in rule.areas(task).items()
        if name == task.object
    ]
    if not boxes:
        return task.bounds
    low, high = np.min(boxes, axis=(0, 2)), np.max(boxes, axis=(0, 2))
    return (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))


def measure_coverage(
    task: Task, states: np.ndarray, area: Sequence[Sequence[float]] | None = None
) -> Coverage:
    """
    Count world states (M, S) of a task.

    :param area: box whose places are counted, by default the field.
    """
    actor, thing = (
        states[:, list(task.layout.bodies[name].position)] for name in (task.actor, task.object)
    )
    if task.actor == task.object:
        # Who comes to the goal itself is seen from there, as one sees it who looks along x.
        name, ahead, apart = 'goal', np.broadcast_to([1.0, 0.0], actor.shape), actor - task.goal
    else:
        name, ahead, apart = task.object, task.goal - thing, actor - thing
    bearing = np.arctan2(apart[:, 1], apart[:, 0]) - np.arctan2(-ahead[:, 1], -ahead[:, 0])
    count = len(SIDES)
    side = np.round(bearing / (2 * np.pi / count)).astype(int) % count
    ring = np.searchsorted(RINGS, np.linalg.norm(apart, axis=1), side='right')
    sides = np.zeros((count, len(RINGS)), dtype=int)
    np.add.at(sides, (side, np.minimum(ring, len(RINGS) - 1)), 1)
    (left, right), (low, high) = area or task.bounds
    cells = np.maximum(np.ceil([(right - left) / CELL, (high - low) / CELL]), 1).astype(int)
    across, along = (int(number) for number in cells)
    places, _, _ = np.histogram2d(
        thing[:, 0],
        thing[:, 1],
        bins=(across, along),
        range=((left, left + CELL * across), (low, low + CELL * along)),
    )
    enough = max(1, round(_ENOUGH * len(states)))
    return Coverage(sides, places.astype(int), (left, low), enough, name)


def in_words(report: Mapping[str, Any]) -> str:
    """Return one line for a person about a report of LiveAugmenter.run."""
    text = (
        f'augmentation after {report["episodes"]} episodes: {report["acceptance"]:.0%} '
        f'accepted, {report["covered"]:.0%} of the approaches covered '
        f'({report["gained"]:+.0%})'
    )
    if report['next']:
        return f'{text}; show next: robot {report["next"]}'
    return f'{text}; every side is covered'
