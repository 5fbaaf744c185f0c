"""Bring together what belongs to one image: odometry, the head's angles, the episode it is of."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
import time

import numpy as np

from guda_ros.data.stamp_join import StampJoin
from guda_ros.perception.pipeline import Percept, Perception

#: An episode's first image comes at most so long after its reset [s]; later, the start is a guess.
LATE = 0.5
#: Positions of the head that are remembered.
_HEADS = 200


@dataclass(frozen=True, eq=False)
class Observation:
    """
    What is known at a stamp [ns], and from what.

    odom_pose: (3,) in `odom`. image: (height, width, 3) in OpenCV's order; None for an answer that
    is given once more.
    """

    stamp: int
    percept: Percept
    odom_pose: np.ndarray
    image: np.ndarray | None


class Observer:
    """
    Answer every image that has an odometry of its stamp, once for each time that the two come.

    Stamps are in nanoseconds. A repeated stamp gets the same answer; what is older than the
    present episode, or than the image before, gets none.
    """

    def __init__(self, perception: Perception) -> None:
        self._perception = perception
        self._inputs = StampJoin(('image', 'odom'))
        self._heads: deque[tuple[int, float, float]] = deque(maxlen=_HEADS)
        self._first: int | None = None
        self._latest: Observation | None = None
        #: Whether the first image of the episode came too late to know where the robot stood.
        self.late = False
        #: Images so far: all, those that were answered, those that show the ball; the time [ms]
        #: that answers took in all.
        self.images = self.answered = self.seen = 0
        self.milliseconds = 0.0

    @property
    def latest(self) -> Observation | None:
        """The latest answer, None before the first of an episode."""
        return self._latest

    def begin(self, first: int, start: np.ndarray | None) -> None:
        """
        Begin an episode.

        :param first: stamp of its first observation. :param start: (3,) in `map`, or None.
        """
        self._first, self._latest, self.late = first, None, False
        self._heads.clear()
        self._inputs.clear()
        self._perception.reset(start)

    def head(self, stamp: int, pan: float, tilt: float) -> None:
        """Note where the head is [rad]."""
        self._heads.append((stamp, pan, tilt))

    def odometry(self, stamp: int, pose: np.ndarray) -> Observation | None:
        """Take a pose (3,) in `odom`; for result and errors see `image`."""
        return self._take('odom', stamp, pose)

    def image(self, stamp: int, decode: Callable[[], np.ndarray]) -> Observation | None:
        """
        Take an image; return what is known at its stamp, None if there is nothing to answer yet.

        :param decode: returns the pixels, and is called only when they are needed.
        :raises ValueError: if image or odometry cannot be used; both are ignored then.
        """
        self.images += 1
        return self._take('image', stamp, decode)

    def _take(self, name: str, stamp: int, value: object) -> Observation | None:
        if self._first is not None and stamp < self._first:
            # A straggler of the episode before: its odometry has another origin.
            return None
        pair = self._inputs.add(name, stamp, value)
        latest = self._latest
        if pair is None or (latest is not None and stamp < latest.stamp):
            return None
        if latest is not None and stamp == latest.stamp:
            return Observation(stamp, latest.percept, latest.odom_pose, None)
        self._latest = self._observe(stamp, **pair)
        return self._latest

    def _observe(
        self, stamp: int, image: Callable[[], np.ndarray], odom: np.ndarray
    ) -> Observation:
        begin = time.perf_counter()
        if not np.isfinite(odom).all():
            raise ValueError('an odometry that is not finite was ignored')
        if self._latest is None and self._first:
            self.late = stamp - self._first > LATE * 1e9
        try:
            pixels = image()
            self._turn_head(stamp)
            percept = self._perception.process(pixels, odom, stamp * 1e-9)
        except ValueError as error:
            raise ValueError(f'an image was ignored: {error}') from error
        self.answered += 1
        self.seen += percept.detection is not None
        self.milliseconds += (time.perf_counter() - begin) * 1e3
        return Observation(stamp, percept, odom, pixels)

    def _turn_head(self, stamp: int) -> None:
        """Take the head to be where it was last known to be at the time of an image."""
        known = [head for head in self._heads if head[0] <= stamp]
        if known and np.isfinite(known[-1]).all():
            self._perception.look(*known[-1][1:])
