"""What is known at each control step: values at the contract's rate, each with its odometry."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import Any

import numpy as np

from guda_ros.data.odometry_join import Joined, MAX_GAP, MAX_WAIT, OdometryJoin
from guda_ros.data.pairing import StepChoice
from guda_ros.data.stamp_join import StreamTime


class StepJoin:
    """
    Bring values, such as images, and odometry together at the control steps of an episode.

    Stamps are in nanoseconds. Odometry is joined as OdometryJoin does, steps are chosen as
    StepChoice does. What is older than the episode, or than the step before, is left out, unless
    it is so old that time began anew (StreamTime).

    :param period: of control [s]. :param what: the values, and `one` of them if that is
        called otherwise, for what is told of them.
    :param gap: the largest interval between two samples of odometry that are interpolated [s].
    :param wait: how long a value waits for the odometry after it [s], on `clock`.
    """

    def __init__(
        self,
        period: float,
        what: str,
        one: str = '',
        *,
        gap: float = MAX_GAP,
        wait: float = MAX_WAIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what = what
        self._inputs = OdometryJoin(one or what, gap, wait, clock)
        self._choice = StepChoice(period)
        self._time = StreamTime()
        self._newest: int | None = None
        self._latest: int | None = None
        self._news: list[str] = []
        #: Values so far that came between two steps.
        self.between = 0

    def begin(self, first: int | None) -> None:
        """Begin an episode whose first stamp is `first`; None for one that is not known."""
        self._time.begin(first)
        self._inputs.begin(first)
        self._forget()

    def _forget(self) -> None:
        self._inputs.forget_values()
        self._choice.reset()
        self._newest = self._latest = None

    def odometry(self, stamp: int, pose: np.ndarray) -> None:
        """
        Take an odometry (3,).

        :raises ValueError: if it cannot be used; it is ignored.
        """
        if self._inputs.odometry(stamp, pose):
            self._news.append('the stamps of the odometry went back: it counts anew from here')

    def add(self, stamp: int, value: Any) -> bool:
        """Take a value; return whether time began anew with it."""
        judged = self._time.judge(stamp)
        if judged == StreamTime.LATE:
            return False
        if judged == StreamTime.ANEW:
            self._forget()
            self._news.append(
                f'the stamps of {self._what} went back: a new time begins, what was known is '
                'forgotten'
            )
        self._inputs.add(stamp, value)
        return judged == StreamTime.ANEW

    def next(self) -> Joined | None:
        """Return what is known at the next step, or at the last once more; None if nothing is."""
        while (joined := self._inputs.next()) is not None:
            if joined.stamp == self._latest:
                return joined
            if self._newest is not None and joined.stamp <= self._newest:
                continue
            self._newest = joined.stamp
            if self._choice.take(joined.stamp):
                self._latest = joined.stamp
                return joined
            self.between += 1
        return None

    def path(self, first: int, last: int) -> list[tuple[int, np.ndarray]]:
        """Return the odometry with stamps in (first, last], in order."""
        return self._inputs.track.since(first, last)

    def odometry_at(self, stamp: int) -> np.ndarray | None:
        """Return the odometry (3,) at a stamp [ns], None if there is none (yet)."""
        same = self.path(stamp - 1, stamp)
        return same[0][1] if same else self._inputs.track.at(stamp)

    @property
    def lack(self) -> str:
        """Why the last value has no odometry; empty if it has, or may still get it."""
        return self._inputs.lack

    def news(self) -> list[str]:
        """Return what was noticed since the last call and must be told, a sentence each."""
        news, self._news = self._news, []
        return news
