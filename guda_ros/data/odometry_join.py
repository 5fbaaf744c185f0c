"""
The odometry at the stamp of something else, such as an image.

Drivers stamp images and odometry each by itself, at rates and phases of their own; a simulator in
lock-step gives both the very same stamp. An odometry with the same stamp is used as it is;
otherwise it is interpolated between the two samples around: positions linearly, yaw on the circle
(message_filters' exact policy, and what tf2's lookups do between two transforms).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
import time
from typing import Any, NamedTuple

import numpy as np

from guda_ros.data.messages import are_places, is_place
from guda_ros.data.stamp_join import StampJoin, StreamTime
from guda_ros.soccer import world
from guda_ros.soccer.robot import VelocityLimits

#: The largest interval [s] between two samples of odometry that are interpolated: that of 10 Hz
#: with some jitter.
MAX_GAP = 0.12
#: How long [s] an image waits for the sample after it: one interval, and its way.
MAX_WAIT = 0.15
#: Samples that are remembered: these many, and all of these many seconds.
_SAMPLES, _SECONDS = 200, 2.0
#: Values that wait at most; images are large.
_WAITING = 30
#: A robot that is so many times as fast as its limits, and this far [m, rad] away, did not walk
#: there.
_MARGIN, _LEAP = 3.0, 0.25
#: Odometry that begins anew does so this near to zero [m, rad].
_ZERO = 0.01


#: The numbers of a sample.
Row = Sequence[float] | np.ndarray


class Joined(NamedTuple):
    """A value, its stamp [ns] and the odometry (3,) at that stamp."""

    stamp: int
    value: Any
    odom: np.ndarray


def between(before: Row, after: Row, share: float) -> np.ndarray:
    """Return the pose (3,) a share in [0, 1] of the way from one (3,) to another."""
    first, last = np.asarray(before, dtype=np.float64), np.asarray(after, dtype=np.float64)
    change = last - first
    change[2] = world.wrap_angle(change[2])
    pose = first + share * change
    pose[2] = world.wrap_angle(pose[2])
    return pose


def around(stamps: Sequence[int], stamp: int, gap: float = MAX_GAP) -> tuple[int, int] | None:
    """
    Return the stamps [ns] between which to interpolate at `stamp`: twice itself if it is there.

    :param stamps: in order. :param gap: the largest interval [s]; None beyond it.
    """
    index = bisect_left(stamps, stamp)
    if index < len(stamps) and stamps[index] == stamp:
        return stamp, stamp
    if not 0 < index < len(stamps) or stamps[index] - stamps[index - 1] > gap * 1e9:
        return None
    return stamps[index - 1], stamps[index]


def leaps(times: np.ndarray, poses: np.ndarray, limits: VelocityLimits) -> np.ndarray:
    """
    Tell (N-1,) from which pose to the next one no robot can have moved: it jumped, or began anew.

    :param times: (N,) [s]. :param poses: (N, 3) in one frame. :param limits: of the robot.
    """
    seconds = np.maximum(np.diff(times), 0.0)
    # Of what is no place nothing is said.
    poses = np.where(are_places(poses)[:, None], poses, np.nan)
    change = np.diff(poses, axis=0)
    moved, turned = np.hypot(change[:, 0], change[:, 1]), np.abs(world.wrap_angle(change[:, 2]))
    fastest = max(limits.forward, limits.backward, limits.side)
    begun = (np.abs(poses[1:]).max(axis=1, initial=0.0) < _ZERO) & (
        turned > _MARGIN * limits.turn * seconds + _LEAP
    )
    return begun | (moved > _MARGIN * fastest * seconds + _LEAP)


def interpolated(
    samples: Mapping[int, Row],
    wanted: Iterable[int],
    gap: float = MAX_GAP,
    limits: VelocityLimits | None = None,
) -> dict[int, Row]:
    """
    Return the samples (3,) by stamp at the wanted stamps [ns], where there are any.

    :param limits: of a robot; nothing is interpolated over a leap then.
    """
    stamps = sorted(samples)
    found: dict[int, Row] = {}
    for stamp in map(int, wanted):
        pair = around(stamps, stamp, gap)
        if pair is None:
            continue
        if limits is not None and pair[0] != pair[1]:
            ends = np.array([samples[key] for key in pair], dtype=np.float64)
            if leaps(np.array(pair) * 1e-9, ends, limits)[0]:
                continue
        before, after = pair
        found[stamp] = (
            samples[stamp]
            if before == after
            else between(samples[before], samples[after], (stamp - before) / (after - before))
        )
    return found


class OdometryTrack:
    """The odometry (3,) of the last seconds by stamp, whatever the order in which it came."""

    def __init__(self, gap: float = MAX_GAP) -> None:
        self._gap = gap
        self.clear()

    def clear(self) -> None:
        """Forget all."""
        self._stamps: list[int] = []
        self._poses: dict[int, np.ndarray] = {}

    def add(self, stamp: int, pose: np.ndarray) -> None:
        """Take a sample; of two with one stamp the first counts."""
        if stamp in self._poses:
            return
        insort(self._stamps, stamp)
        self._poses[stamp] = pose
        oldest = self._stamps[-1] - _SECONDS * 1e9
        while len(self._stamps) > _SAMPLES and self._stamps[0] < oldest:
            del self._poses[self._stamps.pop(0)]

    def at(self, stamp: int) -> np.ndarray | None:
        """Return the odometry between two samples; None at a sample, and too far from one."""
        pair = around(self._stamps, stamp, self._gap)
        if pair is None or pair[0] == pair[1]:
            return None
        before, after = pair
        share = (stamp - before) / (after - before)
        return between(self._poses[before], self._poses[after], share)

    def since(self, first: int, last: int) -> list[tuple[int, np.ndarray]]:
        """Return the samples with stamps in (first, last], in order."""
        return [(key, self._poses[key]) for key in self._stamps if first < key <= last]

    def lack(self, stamp: int, what: str) -> str:
        """Say why there is no odometry at the stamp of `what`; nothing if one may still come."""
        if not self._stamps:
            return 'there is no odometry yet'
        index = bisect_left(self._stamps, stamp)
        if index == 0:
            distance = (self._stamps[0] - stamp) * 1e-9
            return f'the oldest odometry is {distance:.3f} s after {what}'
        before = (stamp - self._stamps[index - 1]) * 1e-9
        if index == len(self._stamps):
            return f'the newest odometry is {before:.3f} s before {what}'
        apart = (self._stamps[index] - self._stamps[index - 1]) * 1e-9
        return (
            f'the odometry around {what} is {apart:.3f} s apart '
            f'({self._gap:g} s is the most that is interpolated)'
        )


class OdometryJoin:
    """
    Join values that have stamps of their own with the odometry at their stamps.

    With an odometry of the same stamp a value is joined whenever the two come, once for each time
    that they do; otherwise as soon as there is one after it, at most `wait` seconds after it came.
    A value older than one that was joined is dropped.

    :param what: one of the values, for what is told of it.
    :param gap: see MAX_GAP. :param wait: see MAX_WAIT. :param clock: in seconds.
    """

    def __init__(
        self,
        what: str,
        gap: float = MAX_GAP,
        wait: float = MAX_WAIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._what, self._wait, self._clock = what, wait, clock
        self.track = OdometryTrack(gap)
        self._exact = StampJoin(('value', 'odom'))
        self._time = StreamTime()
        self._waiting: dict[int, tuple[Any, float]] = {}
        self._ready: list[Joined] = []

    def begin(self, first: int | None) -> None:
        """Forget all; odometry before `first` [ns] has another origin and is left out."""
        self.track.clear()
        self._time.begin(first)
        self.forget_values()
        self._exact.clear()

    def forget_values(self) -> None:
        """Forget what waits for its odometry."""
        for stamp in self._waiting:
            self._exact.drop(stamp)
        self._waiting.clear()
        self._ready.clear()

    def odometry(self, stamp: int, pose: np.ndarray) -> bool:
        """
        Take a sample (3,); return whether time began anew with it.

        :raises ValueError: if it is not finite, or so far away that it is none; it is ignored.
        """
        if not np.isfinite(pose).all():
            raise ValueError('an odometry that is not finite was ignored')
        if not is_place(pose):
            raise ValueError(f'an odometry at {pose[:2]} m was ignored: that is no place')
        judged = self._time.judge(stamp)
        if judged == StreamTime.LATE:
            return False
        if judged == StreamTime.ANEW:
            self.track.clear()
            self._exact.clear()
            for waiting, (value, _) in self._waiting.items():
                self._exact.add('value', waiting, value)
        self.track.add(stamp, pose)
        self._take('odom', stamp, pose)
        return judged == StreamTime.ANEW

    def add(self, stamp: int, value: Any) -> None:
        """Take a value."""
        self._waiting[stamp] = value, self._clock()
        if len(self._waiting) > _WAITING:
            oldest = min(self._waiting)
            self._drop_until(oldest)
        self._take('value', stamp, value)

    def next(self) -> Joined | None:
        """Return the oldest value that has its odometry, None if there is none."""
        if self._ready:
            return self._ready.pop(0)
        now = self._clock()
        for stamp in sorted(self._waiting):
            value, came = self._waiting[stamp]
            odom = self.track.at(stamp) if now - came <= self._wait else None
            if odom is not None:
                self._drop_until(stamp)
                return Joined(stamp, value, odom)
        return None

    @property
    def lack(self) -> str:
        """Why a value that has waited long enough has no odometry; empty if none has."""
        if not self._waiting:
            return ''
        stamp = min(self._waiting)
        waited = self._clock() - self._waiting[stamp][1]
        return self.track.lack(stamp, self._what) if waited > self._wait else ''

    def _take(self, name: str, stamp: int, value: Any) -> None:
        pair = self._exact.add(name, stamp, value)
        if pair is not None:
            self._drop_until(stamp)
            self._ready.append(Joined(stamp, pair['value'], pair['odom']))

    def _drop_until(self, stamp: int) -> None:
        for old in [key for key in self._waiting if key <= stamp]:
            del self._waiting[old]
            self._exact.drop(old)
