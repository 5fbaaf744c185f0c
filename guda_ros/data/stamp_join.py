"""Bring together what belongs to one instant: DDS keeps no order between topics."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence


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
        self._waiting: OrderedDict[int, dict] = OrderedDict()

    def add(self, name: str, stamp: int, value: object) -> dict | None:
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
