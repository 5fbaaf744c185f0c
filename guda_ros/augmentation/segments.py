"""Segments: stretches of consecutive recorded steps that are changed, and judged, as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from guda_ros.data.transitions import TransitionSet


@dataclass(frozen=True, eq=False)
class Segments:
    """Segments of a recording: first row and number of steps of each, (K,) int."""

    start: np.ndarray
    length: np.ndarray

    def __len__(self) -> int:
        return len(self.start)

    @cached_property
    def mean_length(self) -> float:
        """Mean number of steps; 1 if there are no segments."""
        return float(self.length.mean()) if len(self) else 1.0

    @property
    def last(self) -> np.ndarray:
        """Last row (K,) of each."""
        return self.start + self.length - 1

    def take(self, index: np.ndarray) -> Segments:
        """Return the segments of an index or mask."""
        return Segments(self.start[index], self.length[index])

    def expand(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the rows (M,) of all, the segment (M,) of each, and where each begins (K,)."""
        first = np.cumsum(self.length) - self.length
        segment = np.repeat(np.arange(len(self)), self.length)
        return self.start[segment] + np.arange(len(segment)) - first[segment], segment, first


def chop(found: Segments, longest: int) -> Segments:
    """Return the pieces of segments, of `longest` steps each but for the last one."""
    pieces = -(-found.length // longest)
    which = np.repeat(np.arange(len(found)), pieces)
    begin = (np.arange(len(which)) - (np.cumsum(pieces) - pieces)[which]) * longest
    return Segments(found.start[which] + begin, np.minimum(found.length[which] - begin, longest))


def runs(recorded: TransitionSet, label: np.ndarray) -> Segments:
    """
    Return the longest stretches of consecutive steps with the same label (M,).

    Steps with a label that is negative or False belong to none.
    """
    if not len(recorded):
        return Segments(np.zeros(0, dtype=int), np.zeros(0, dtype=int))
    label = np.asarray(label)
    wanted = label if label.dtype == bool else label >= 0
    begins = breaks(recorded)
    begins[1:] |= label[1:] != label[:-1]
    start = np.flatnonzero(begins)
    length = np.diff(np.append(start, len(recorded)))
    return Segments(start, length).take(wanted[start])


def steps(recorded: TransitionSet, wanted: np.ndarray) -> Segments:
    """Return each wanted step (M,) as a segment of its own."""
    rows = np.flatnonzero(wanted)
    return Segments(rows, np.ones(len(rows), dtype=int))


def fixed(recorded: TransitionSet, wanted: np.ndarray, length: int) -> Segments:
    """Return all stretches of `length` steps that are wanted (M,), one from each step on."""
    whole = runs(recorded, wanted)
    left = np.zeros(len(recorded), dtype=int)
    rows, segment, _ = whole.expand()
    left[rows] = whole.last[segment] - rows + 1
    start = np.flatnonzero(left >= length)
    return Segments(start, np.full(len(start), length))


def behaviours(
    recorded: TransitionSet, wanted: np.ndarray, ranges: Mapping[str, Sequence[Sequence[int]]]
) -> Segments:
    """
    Return the named stretches: [episode, first step, step after the last], as far as wanted (M,).

    A stretch with a step that is not there or not wanted gives the pieces that are left.
    """
    label = np.full(len(recorded), -1)
    parts = []
    for stretches in ranges.values():
        for episode, first, stop in stretches:
            inside = (
                (recorded.source_episode == episode)
                & (recorded.source_step >= first)
                & (recorded.source_step < stop)
                & wanted
            )
            label[:] = np.where(inside, 0, -1)
            parts.append(runs(recorded, label))
    return Segments(
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.length for part in parts]),
    )


def breaks(recorded: TransitionSet) -> np.ndarray:
    """Tell (M,) which steps do not continue the one before."""
    follows = (np.diff(recorded.source_episode) == 0) & (np.diff(recorded.source_step) == 1)
    return np.concatenate([[True], ~follows])[: len(recorded)]


def run_starts(recorded: TransitionSet, member: np.ndarray) -> np.ndarray:
    """Return (M,) the first row of the run of consecutive steps in `member` of every row."""
    begins = breaks(recorded) | ~np.concatenate([[False], member[:-1]])[: len(member)]
    return np.maximum.accumulate(np.where(begins, np.arange(len(member)), 0))


def run_ends(recorded: TransitionSet) -> np.ndarray:
    """Return (M,) the last row of the run of consecutive steps that a row belongs to."""
    count = len(recorded)
    ends = np.concatenate([breaks(recorded)[1:], [True]])[:count]
    return np.minimum.accumulate(np.where(ends, np.arange(count), count)[::-1])[::-1]
