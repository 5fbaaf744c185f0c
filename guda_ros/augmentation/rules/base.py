"""What every rule of a guide is: it looks at a recording once and proposes changed steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
import copy
from dataclasses import dataclass

import numpy as np

from guda_ros.augmentation.rules.source import Source
from guda_ros.augmentation.task import Box, Task
from guda_ros.augmentation.transforms import Change, Layout, Move
from guda_ros.augmentation.values.map import ValueMap
from guda_ros.config.files import Section
from guda_ros.data.transitions import TransitionSet


@dataclass(frozen=True)
class Proposal:
    """
    Proposed steps.

    both (2, M, S): states and their successors; actions (M, A); source (M,): the rows of the
    recorded set. rejected (M,) indexes `reasons` of the rule that proposes, 0 where it has no
    objection. segment (M,) numbers the stretches of steps that are accepted or rejected as a
    whole, from 0 without gaps; None where every step stands alone. parameters (K, P) are those of
    each stretch or step, as `parameters_of` makes them. All arrays are the pipeline's to change.
    """

    both: np.ndarray
    actions: np.ndarray
    source: np.ndarray
    rejected: np.ndarray
    parameters: np.ndarray
    segment: np.ndarray | None = None


class Rule(ABC):
    """
    One rule of a guide, made of its section of the YAML file.

    A subclass names its `kind` and the `reasons` for which it refuses proposals itself.
    """

    kind: str
    reasons: tuple[str, ...] = ('accepted',)
    #: Of a prepared rule: the recording, its task, and what changes its steps.
    recorded: TransitionSet
    task: Task
    source: Source

    @abstractmethod
    def __init__(self, section: Section, task: type[Task]) -> None:
        """Take the rule's keys; ConfigError through the section for what is wrong."""

    def prepare(self, recorded: TransitionSet, task: Task) -> Rule:
        """Return this rule with what it found in a recording; the rule itself stays as it is."""
        prepared = copy.copy(self)
        prepared.recorded, prepared.task = recorded, task
        prepared.source = Source(recorded, task.layout)
        prepared._find()
        return prepared

    @abstractmethod
    def _find(self) -> None:
        """Find in `self.recorded` what there is to work on."""

    @property
    @abstractmethod
    def candidates(self) -> int:
        """Number of recorded steps that the prepared rule can use."""

    @abstractmethod
    def propose(self, count: int, rng: np.random.Generator) -> Proposal:
        """Propose about `count` steps; threads may call it at the same time."""

    def explain(self) -> list[str]:
        """Return sentences that say what the rule will do."""
        return [(self.__doc__ or '').strip().splitlines()[0]]

    def areas(self, task: Task) -> dict[str, Box]:
        """Return the boxes ((x low, x high), (y low, y high)) to draw, by what goes there."""
        return {}

    @property
    def value_map(self) -> ValueMap | None:
        """Values of positions of the object that the prepared rule found, to draw; or nothing."""
        return None


def parameter_names(layout: Layout) -> tuple[str, ...]:
    """Return the names of the parameters of a change: mirrored, and turn, x, y of every body."""
    parts = (f'{body}_{part}' for body in layout.bodies for part in ('turn', 'x', 'y'))
    return ('mirrored', *parts)


def parameters_of(change: Change, count: int) -> np.ndarray:
    """
    Return the parameters (count, P) of a change, float32; `change_of` is the way back.

    A body that was put at rest has a turn that is NaN, and x and y of the place.
    """
    layout = change.layout
    rows = np.empty((1 + 3 * len(layout.bodies), count), dtype=np.float32)
    rows[0] = change.move(layout.frame).mirrored
    for index, name in enumerate(layout.bodies):
        move = change.move(name)
        put = change.put.get(name)
        rows[1 + 3 * index] = move.angle if put is None else np.nan
        at = move.offset if put is None else put
        rows[2 + 3 * index], rows[3 + 3 * index] = at[..., 0], at[..., 1]
    return rows.T


def change_of(layout: Layout, parameters: np.ndarray) -> Change:
    """Return the change that parameters (..., P) describe; all put the same bodies at rest."""
    parameters = np.asarray(parameters, dtype=float)
    mirrored = parameters[..., 0] > 0.5
    moves, put = {}, {}
    for index, name in enumerate(layout.bodies):
        turn, at = parameters[..., 1 + 3 * index], parameters[..., 2 + 3 * index : 4 + 3 * index]
        if np.isnan(turn).any():
            put[name] = at
        else:
            moves[name] = Move(mirrored, turn, at)
    return Change(layout, moves, put)
