"""Rules that take segments of a recording elsewhere, each as a whole, and which they take."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field

import numpy as np

from guda_ros.augmentation import segments
from guda_ros.augmentation.rules.base import parameters_of, Proposal, Rule
from guda_ros.augmentation.rules.sampling import uniform
from guda_ros.augmentation.segments import Segments
from guda_ros.augmentation.task import Task
from guda_ros.augmentation.transforms import Change
from guda_ros.config.files import Section
from guda_ros.data.transitions import TransitionSet

_KINDS = ('step', 'fixed', 'phase', 'whole', 'behaviour')


@dataclass(frozen=True)
class SegmentChoice:
    """
    Which segments of a recording a rule takes: the section `segments` of a guide.

    of: 'step', every step alone; 'fixed', stretches of `steps`; 'phase', stretches of one phase;
    'whole', trajectories; 'behaviour', the named `behaviours`, each a list of (episode, first
    step, step after the last). phases: those that steps must be in. shortest, longest: steps of a
    segment.
    """

    of: str
    phases: tuple[str, ...]
    steps: int = 0
    shortest: int = 1
    longest: int = 10**6
    behaviours: dict[str, tuple[tuple[int, int, int], ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, section: Section, task: type[Task]) -> SegmentChoice:
        """Take the keys of the section; docs/augmentation.md explains each."""
        of, phases, behaviours = section.choice('of', _KINDS), task.phases, {}
        if section.has('phases'):
            phases = section.texts('phases')
            for name in phases:
                if name not in task.phases:
                    section.fail('phases', f'{name!r} is unknown; known: {", ".join(task.phases)}')
        steps = section.integer('steps', 1, 10**6) if of == 'fixed' else 0
        shortest, longest = 1, 10**6
        if of in ('phase', 'whole') and section.has('min_steps'):
            shortest = section.integer('min_steps', 1, 10**6)
        if of in ('phase', 'whole', 'behaviour') and section.has('max_steps'):
            longest = section.integer('max_steps', shortest, 10**6)
        if of == 'behaviour':
            named = section.section('behaviours')
            behaviours = {name: named.ranges(name) for name in named.keys()}
            if not behaviours:
                section.fail('behaviours', 'at least one is needed')
        section.close()
        return cls(of, phases, steps, shortest, longest, behaviours)

    def find(
        self,
        recorded: TransitionSet,
        phase: np.ndarray,
        wanted: np.ndarray,
        keep_last: bool,
    ) -> Segments:
        """
        Return the segments of wanted steps.

        :param phase: (M,), of every step. :param wanted: (M,) bool.
        :param keep_last: of what is too long its end is taken, not its beginning.
        """
        if self.of == 'step':
            return segments.steps(recorded, wanted)
        if self.of == 'fixed':
            return segments.fixed(recorded, wanted, self.steps)
        if self.of == 'behaviour':
            found = segments.behaviours(recorded, wanted, self.behaviours)
            return segments.chop(found, self.longest)
        found = segments.runs(recorded, np.where(wanted, phase if self.of == 'phase' else 0, -1))
        found = found.take(found.length >= self.shortest)
        length = np.minimum(found.length, self.longest)
        return Segments(found.start + (found.length - length if keep_last else 0), length)

    def words(self) -> str:
        """Say which."""
        what = {
            'step': 'every step alone',
            'fixed': f'stretches of {self.steps} steps',
            'phase': 'stretches of one phase',
            'whole': 'whole trajectories',
            'behaviour': 'the behaviours ' + ', '.join(self.behaviours),
        }[self.of]
        return f'{what}, of the phases {", ".join(self.phases)}'


class SegmentRule(Rule):
    """A rule that changes segments as a whole; a subclass finds them and draws the changes."""

    #: Of a prepared rule.
    _segments: Segments

    def __init__(self, taken: SegmentChoice) -> None:
        """Take what the keys of the guide, or the subclass, say of the segments."""
        self._taken = taken

    @property
    def candidates(self) -> int:
        """Number of recorded steps in segments that the rule can use."""
        return int(self._segments.length.sum())

    def propose(self, count: int, rng: np.random.Generator) -> Proposal:
        """Propose about `count` steps, in whole segments."""
        number = max(int(count / self._segments.mean_length), 1)
        choice = (uniform(rng, number) * len(self._segments)).astype(int)
        change = self._draw(choice, number, rng)
        parameters = parameters_of(change, number)
        if self._taken.of == 'step':
            rows, segment, first, last = self._segments.start[choice], None, None, None
        else:
            chosen = self._segments.take(choice)
            rows, segment, first = chosen.expand()
            last = first + chosen.length - 1
            change = change.take(segment)
        both, actions = self.source.changed(rows, change)
        rejected = self._object(both, first, last)
        return Proposal(
            both,
            actions,
            rows,
            rejected if segment is None else rejected[segment],
            parameters,
            segment,
        )

    @abstractmethod
    def _draw(self, choice: np.ndarray, number: int, rng: np.random.Generator) -> Change:
        """Return the changes of chosen segments, with parameters of shape (number,)."""

    def _object(
        self, both: np.ndarray, first: np.ndarray | None, last: np.ndarray | None
    ) -> np.ndarray:
        """
        Return (K,) int8 why segments are refused, 0 if there is no reason.

        :param both: (2, M, S), states and successors. :param first: (K,) and
        :param last: (K,) rows of the segments; None if every row is one.
        """
        return np.zeros(both.shape[1] if last is None else len(last), dtype=np.int8)
