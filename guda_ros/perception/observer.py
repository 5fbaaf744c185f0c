"""Bring together what belongs to one image: odometry, the head's angles, the episode it is of."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
import time

import numpy as np

from guda_ros.data.odometry_join import Joined, leaps, MAX_GAP, MAX_WAIT
from guda_ros.data.step_join import StepJoin
from guda_ros.perception.camera import refuse_size
from guda_ros.perception.further_cameras import FurtherCameras
from guda_ros.perception.image_watch import ImageWatch
from guda_ros.perception.pipeline import Percept, Perception, View
from guda_ros.soccer import world

#: An episode's first image comes at most so long after its reset [s]; later, the start is a guess.
LATE = 0.5
#: Returns an image's pixels (height, width, 3).
Decode = Callable[[], np.ndarray]
#: Positions of the head that are remembered.
_HEADS = 200


@dataclass(frozen=True, eq=False)
class Observation:
    """
    What is known at a stamp [ns], and from what.

    odom_pose: (3,) in `odom`. image: (height, width, 3) in OpenCV's order, of the camera of the
    percept; None for an answer that is given once more.
    """

    stamp: int
    percept: Percept
    odom_pose: np.ndarray
    image: np.ndarray | None


class Observer:
    """
    Answer images at the contract's rate, each by the odometry at its stamp.

    Stamps are in nanoseconds. An odometry of the very same stamp is used as it is, and answers
    once for each time that the two come; otherwise it is interpolated (OdometryJoin). Which images
    are answered is told by StepChoice. A repeated stamp gets the same answer; what is older than
    the present episode, or than the image before, gets none, unless it is so old that time began
    anew. Of several cameras the images of the first are answered, each with those of the others
    that belong to it (FurtherCameras); a camera that shows nothing is left out.

    :param gap: the largest interval between two samples of odometry that are interpolated [s].
    :param wait: how long an image waits for the odometry after it [s], on `clock`.
    """

    def __init__(
        self,
        perception: Perception,
        *,
        gap: float = MAX_GAP,
        wait: float = MAX_WAIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._perception = perception
        self._inputs = StepJoin(
            perception.period, 'the images', 'the image', gap=gap, wait=wait, clock=clock
        )
        self._further = FurtherCameras(perception.cameras[1:], wait, clock)
        self._pending: Joined | None = None
        self._watches = {name: ImageWatch() for name in perception.cameras}
        self._heads = tuple(deque[tuple[int, float]](maxlen=_HEADS) for _ in range(2))
        self._look = [0.0, 0.0]
        self._first: int | None = None
        self._latest: Observation | None = None
        self._before: tuple[int, np.ndarray] | None = None
        self._news: list[str] = []
        #: Why the robot does not know any more where it is; empty if it does, or never did.
        self.astray = ''
        #: Camera -> why its last image was left out.
        self.faults: dict[str, str] = {}
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
        self._forget()
        self._first, self.astray = first, ''
        self._before = None
        self._inputs.begin(first)
        self._perception.reset(start)

    def place(self, pose: np.ndarray, deviations: Sequence[float]) -> None:
        """Take the robot to stand at a pose (3,) in `map` at the next image, see Perception."""
        self.astray = ''
        self._perception.place(pose, deviations)

    def _forget(self) -> None:
        self._first = self._latest = self._pending = None
        self._further.forget()
        for watch in self._watches.values():
            watch.reset()
        for angles in self._heads:
            angles.clear()

    @property
    def between(self) -> int:
        """Images so far that came between two control steps."""
        return self._inputs.between

    @property
    def lack(self) -> str:
        """Why the last image has no odometry; empty if it has, or may still get it."""
        return self._inputs.lack

    def news(self) -> list[str]:
        """Return what was noticed since the last call and must be told, a sentence each."""
        news, self._news = self._inputs.news() + self._news, []
        return news

    def head(self, stamp: int, pan: float | None = None, tilt: float | None = None) -> None:
        """Note where the head is [rad], of one joint or of both."""
        for angles, angle in zip(self._heads, (pan, tilt)):
            if angle is not None and np.isfinite(angle):
                angles.append((stamp, angle))

    def odometry(self, stamp: int, pose: np.ndarray) -> Observation | None:
        """Take a pose (3,) in `odom`; for result and errors see `image`."""
        self._inputs.odometry(stamp, pose)
        return self.next()

    @property
    def silent(self) -> list[str]:
        """Further cameras that were waited for in vain."""
        return sorted(self._further.silent)

    def image(self, stamp: int, decode: Decode, camera: str = '') -> Observation | None:
        """
        Take an image; return what is known at its stamp, None if there is nothing to answer yet.

        Call `next` until it returns None as well: an odometry may complete several images.

        :param decode: returns the pixels, and is called only when they are needed.
        :param camera: its name; without one, the first.
        :raises ValueError: if image or odometry cannot be used; both are ignored then.
        """
        if camera not in ('', self._perception.first):
            self._further.add(camera, stamp, decode)
            return self.next()
        self.images += 1
        if self._inputs.add(stamp, decode):
            self._forget()
        return self.next()

    def next(self) -> Observation | None:
        """Return the next answer that can be given, None if there is none; errors as `image`."""
        joined, self._pending = self._pending or self._inputs.next(), None
        if joined is None:
            return None
        stamp, latest = joined.stamp, self._latest
        if latest is not None and stamp == latest.stamp:
            return Observation(stamp, latest.percept, latest.odom_pose, None)
        others = self._further.at(stamp)
        if others is None:
            self._pending = joined
            return None
        self._latest = self._observe(joined, others)
        return self._latest

    def _observe(self, joined: Joined, others: dict[str, tuple[int, Decode]]) -> Observation:
        stamp, odom = joined.stamp, joined.odom
        begin = time.perf_counter()
        self._follow(stamp, odom)
        if self._latest is None and self._first is not None:
            self._join(stamp - self._first)
        try:
            views = self._views(joined, others)
            self._turn_head(stamp)
            percept = self._perception.see(views, odom, stamp * 1e-9)
        except ValueError as error:
            raise ValueError(f'an image was ignored: {error}') from error
        self.answered += 1
        self.seen += percept.detection is not None
        self.milliseconds += (time.perf_counter() - begin) * 1e3
        shown = next(view.bgr for view in views if view.camera == percept.camera)
        return Observation(stamp, percept, odom, shown)

    def _views(self, joined: Joined, others: dict[str, tuple[int, Decode]]) -> list[View]:
        """Return what the cameras see; ValueError if none of them shows anything."""
        self.faults = {}
        views = []
        first = self._perception.first
        for name, (stamp, decode) in {first: (joined.stamp, joined.value), **others}.items():
            odom = joined.odom if stamp == joined.stamp else self._inputs.odometry_at(stamp)
            # At most TOGETHER apart: the odometry after it may not have come yet.
            odom = joined.odom if odom is None else odom
            try:
                views.append(View(name, self._pixels(name, decode, odom), odom))
            except ValueError as error:
                self.faults[name] = str(error)
        if not views:
            if len(self.faults) == 1:
                raise ValueError(self.faults[first])
            raise ValueError('; '.join(f'{name}: {why}' for name, why in self.faults.items()))
        return views

    def _pixels(self, name: str, decode: Decode, odom: np.ndarray) -> np.ndarray:
        pixels = decode()
        refuse_size(pixels, self._perception.camera_of(name))
        if fault := self._watches[name].fault(pixels, odom):
            raise ValueError(fault)
        return pixels

    def _join(self, behind: int) -> None:
        """Take up an episode whose first observation was `behind` [ns] before this one."""
        if behind > LATE * 1e9:
            # Where the robot stood at the start says nothing of where it has walked to since.
            self.astray = f'this node joined the episode {behind * 1e-9:.1f} s late'
            self._perception.reset(None)

    def _follow(self, stamp: int, odom: np.ndarray) -> None:
        """Look whether the robot can have walked from the last odometry to this one."""
        before, self._before = self._before, (stamp, odom)
        if before is None:
            return
        path = [before, *self._inputs.path(before[0], stamp - 1), self._before]
        times = np.array([moment for moment, _ in path]) * 1e-9
        poses = np.array([pose for _, pose in path])
        leapt = np.flatnonzero(leaps(times, poses, self._perception.limits))
        if not len(leapt):
            return
        first, last = poses[leapt[0] : leapt[0] + 2]
        seconds = max(times[leapt[0] + 1] - times[leapt[0]], 0.0)
        moved = float(np.hypot(*(last - first)[:2]))
        turned = abs(world.wrap_angle(last[2] - first[2]))
        self.astray = f'the odometry jumped by {moved:.2f} m and {turned:.2f} rad'
        self._news.append(
            f'{self.astray} within {seconds:.2f} s: the pose is unknown until it is told '
            'or found, and the ball is forgotten'
        )
        self._perception.reset(None)
        for watch in self._watches.values():
            watch.reset()

    def _turn_head(self, stamp: int) -> None:
        """Take each joint to be where it was last known to be at the time of an image."""
        for index, angles in enumerate(self._heads):
            self._look[index] = next(
                (angle for taken, angle in reversed(angles) if taken <= stamp), self._look[index]
            )
        self._perception.look(*self._look)
