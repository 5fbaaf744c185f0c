"""The images of a robot's further cameras that belong to an image of its first one."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
import time
from typing import Any

#: Images of two cameras that are at most so far apart [s] show the same moment: cameras of 30 Hz,
#: each with a clock of its own, have one that near.
TOGETHER = 0.02
#: Images of each camera that are remembered.
_FRAMES = 8


class FurtherCameras:
    """
    Find what the further cameras saw at the time of an image, and wait for it if it is to come.

    A camera that a moment was waited for in vain is not waited for again until it sends something.

    :param names: of the cameras that are not the first.
    :param wait: how long their images are waited for [s], on `clock`.
    """

    def __init__(
        self,
        names: Iterable[str],
        wait: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wait, self._clock = wait, clock
        self._frames = {name: deque[tuple[int, Any]](maxlen=_FRAMES) for name in names}
        #: Cameras that send nothing.
        self.silent: set[str] = set()
        self._since: tuple[int, float] | None = None

    def forget(self) -> None:
        """Forget all images; a silent camera is waited for once more."""
        for frames in self._frames.values():
            frames.clear()
        self.silent.clear()
        self._since = None

    def add(self, name: str, stamp: int, value: Any) -> None:
        """Take a camera's image, of a stamp [ns]."""
        frames = self._frames[name]
        if frames and stamp < frames[-1][0]:
            # A repeated one, or a time that began anew.
            kept = [frame for frame in frames if frame[0] < stamp]
            frames.clear()
            frames.extend(kept)
        if not frames or frames[-1][0] != stamp:
            frames.append((stamp, value))
        self.silent.discard(name)

    def at(self, stamp: int) -> dict[str, tuple[int, Any]] | None:
        """
        Return stamp [ns] and image by camera of those that belong to an image of `stamp`.

        None as long as one of them may still come.
        """
        found, missing = {}, []
        for name, frames in self._frames.items():
            frame = min(frames, key=lambda each: abs(each[0] - stamp), default=None)
            if frame is not None and abs(frame[0] - stamp) <= TOGETHER * 1e9:
                found[name] = frame
            elif name not in self.silent and not (frames and frames[-1][0] > stamp):
                missing.append(name)
        if not missing:
            self._since = None
            return found
        if self._since is None or self._since[0] != stamp:
            self._since = stamp, self._clock()
        if self._clock() - self._since[1] < self._wait:
            return None
        self.silent.update(missing)
        self._since = None
        return found
