"""Bring together what belongs to one instant: DDS keeps no order between topics."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
import time
from typing import Any

#: A stamp so far [s] before the newest one is no straggler: time began anew.
BACK = 1.0
#: Seconds after the begin of an episode in which older stamps are stragglers of the one before.
_SETTLING = 2.0


class StampJoin:
    """
    Join values of several sources that carry the same stamp.

    :param names: the sources.
    :param depth: incomplete stamps that are remembered; the oldest are dropped. By default two
        seconds of an odometry of 100 Hz, most of which no image belongs to.
    """

    def __init__(self, names: Sequence[str], depth: int = 200) -> None:
        self._names = frozenset(names)
        self._depth = depth
        self._waiting: OrderedDict[int, dict[str, Any]] = OrderedDict()

    def add(self, name: str, stamp: int, value: Any) -> dict[str, Any] | None:
        """Take a value; return the values of its stamp by name when it was the last missing."""
        values = self._waiting.setdefault(stamp, {})
        values[name] = value
        if values.keys() == self._names:
            return self._waiting.pop(stamp)
        while len(self._waiting) > self._depth:
            self._waiting.popitem(last=False)
        return None

    def clear(self) -> None:
        """Forget what is incomplete."""
        self._waiting.clear()

    def drop(self, stamp: int) -> None:
        """Forget what is incomplete of one stamp."""
        self._waiting.pop(stamp, None)


class StreamTime:
    """
    Tell stragglers of a stream from a time that began anew: a loop of a bag, a clock set back.

    :param clock: a steady clock [s].
    """

    FRESH, LATE, ANEW = 'fresh', 'late', 'anew'

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.begin(None)

    def begin(self, first: int | None) -> None:
        """Begin an episode whose first stamp [ns] is `first`; None for one that is not known."""
        self._first, self._newest = first, first
        self._began = self._clock()

    def judge(self, stamp: int) -> str:
        """
        Return FRESH for what is of the present time, LATE for a straggler of the episode before.

        ANEW stands for a stamp [ns] so old that time must have begun anew; it counts from then on.
        """
        if self._newest is not None and self._newest - stamp > BACK * 1e9:
            before = self._first is not None and stamp < self._first
            if before and self._clock() - self._began < _SETTLING:
                return self.LATE
            self._first, self._newest = None, stamp
            return self.ANEW
        if self._first is not None and stamp < self._first:
            return self.LATE
        self._newest = stamp if self._newest is None else max(self._newest, stamp)
        return self.FRESH
