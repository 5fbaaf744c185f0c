"""What the camera saw at the steps of recordings, for formats that take pictures, as films."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
import os
from pathlib import Path
from typing import Any

import numpy as np

from guda_ros.data.episodes import Episode
from guda_ros.data.messages import stamp_to_ns
from guda_ros.data.recording.reader import RecordingReader
from guda_ros.data.transitions import DataSetError

#: Gives the pixels (H, W, 3) of the bytes of a sensor_msgs/CompressedImage and its format, or
#: raises ValueError.
Decode = Callable[[Any, str], np.ndarray]

#: Codecs in the order in which they are tried; browsers show the first.
_CODECS = (('vp09', 'vp9'), ('mp4v', 'mpeg4'))


class RecordedPictures:
    """
    The pictures of recordings, found by their stamps.

    size: (width, height), even numbers: the codecs that others read know no odd ones, the last row
    or column is left out then. seen[i] (N,) bool: at which steps of episode i there is one.

    :param recordings: folder of each of the episodes.
    :raises DataSetError: if some recordings have pictures and some have none, or their sizes
        differ. :raises RecordingError: if a recording cannot be read.
    """

    def __init__(
        self, recordings: Sequence[Path], episodes: Sequence[Episode], decode: Decode
    ) -> None:
        self._recordings = {id(one): path for one, path in zip(episodes, recordings)}
        self._decode = decode
        self._last: tuple[int, dict[int, tuple[bytes, str]]] = (0, {})
        self.seen: list[np.ndarray] = []
        without: list[Path] = []
        sizes: dict[tuple[int, int], Path] = {}
        for path, episode in zip(recordings, episodes):
            found = {
                stamp: size
                for stamp, content in self._read(episode).items()
                if (size := self._size(content))
            }
            self.seen.append(np.isin(episode.stamps[:-1], list(found)))
            if not found:
                without.append(path)
            for size in found.values():
                sizes.setdefault(size, path)
        if without and sizes:
            raise DataSetError(
                f'{without[0]}: has no pictures, but {next(iter(sizes.values()))} has: export '
                'those with pictures apart, or all without them'
            )
        if len(sizes) > 1:
            named = ', '.join(f'{w}x{h} in {path}' for (w, h), path in sizes.items())
            raise DataSetError(
                f'pictures of several sizes ({named}): export each apart, or all without pictures'
            )
        width, height = next(iter(sizes), (0, 0))
        self.size = width // 2 * 2, height // 2 * 2

    def __bool__(self) -> bool:
        """Tell whether there are any."""
        return any(self.size)

    def of(self, episode: Episode, stamps: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the pictures (H, W, 3) in OpenCV's order at stamps of an episode that has them."""
        if self._last[0] != id(episode):
            self._last = id(episode), self._read(episode)
        width, height = self.size
        for stamp in stamps:
            yield self._decode(*self._last[1][int(stamp)])[:height, :width]

    def _read(self, episode: Episode) -> dict[int, tuple[bytes, str]]:
        """Return stamp -> compressed picture and its format, of the steps only."""
        wanted = set(episode.stamps.tolist())
        with RecordingReader(self._recordings[id(episode)]) as reader:
            topic = reader.info.topics.get('image')
            if topic is None:
                return {}
            return {
                stamp: (bytes(message.data), message.format)
                for _, _, message in reader.messages([topic])
                if (stamp := stamp_to_ns(message.header.stamp)) in wanted
            }

    def _size(self, content: tuple[bytes, str]) -> tuple[int, int] | None:
        try:
            height, width = self._decode(*content).shape[:2]
        except ValueError:
            return None
        return (width, height) if min(width, height) > 1 else None


class FilmWriter:
    """
    Write pictures (H, W, 3) in OpenCV's order into an MP4 file; a context manager.

    codec: its name in FFmpeg. frames: how many were written.

    :raises DataSetError: if OpenCV can encode none of the codecs.
    """

    def __init__(self, path: str | os.PathLike[str], rate: float, size: tuple[int, int]) -> None:
        import cv2

        Path(path).parent.mkdir(parents=True, exist_ok=True)
        self.path, self.frames = Path(path), 0
        for tag, self.codec in _CODECS:
            self._writer = cv2.VideoWriter(
                str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*tag), rate, size
            )
            if self._writer.isOpened():
                return
        raise DataSetError(
            'this build of OpenCV can encode neither VP9 nor MPEG-4: install '
            'opencv-python-headless from PyPI, or export without pictures'
        )

    def write(self, picture: np.ndarray) -> None:
        """Append a picture."""
        self._writer.write(np.ascontiguousarray(picture))
        self.frames += 1

    def __enter__(self) -> FilmWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.release()
