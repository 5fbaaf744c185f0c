"""Pictures of files: single ones, videos, bags."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from guda_ros.data.exchange.rosbag_samples import opened_bag
from guda_ros.data.messages import stamp_to_ns
from guda_ros.data.recording.bags import read_messages
from guda_ros.errors import GudaError
from guda_ros.perception.encodings import decode_message, read_picture

IMAGES = ('.jpg', '.jpeg', '.png', '.bmp', '.ppm', '.webp')
VIDEOS = ('.mp4', '.avi', '.mkv', '.mov', '.webm', '.mjpeg', '.mjpg')
_TYPES = ('sensor_msgs/msg/Image', 'sensor_msgs/msg/CompressedImage')
_EXPECTED = (
    f'a picture ({", ".join(IMAGES)}), a video ({", ".join(VIDEOS)}), a folder of pictures, or a '
    'bag (its folder, or an .mcap or .db3 file) is expected'
)


def read_pictures(path: Path, topic: str = '') -> Iterator[tuple[str, np.ndarray]]:
    """
    Yield names and pictures (height, width, 3), BGR uint8, of a file, folder or bag.

    :param topic: of a bag's images; by default the only one there is.
    :raises GudaError: if there are none, or one cannot be read.
    """
    if not path.exists():
        raise GudaError(f'{path}: there is no such file; {_EXPECTED}')
    kind = path.suffix.lower()
    if is_bag(path):
        yield from _of_bag(path, topic)
    elif path.is_dir():
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in IMAGES)
        if not files:
            raise GudaError(f'{path}: no picture in this folder; {_EXPECTED}')
        for file in files:
            yield file.stem, read_picture(file)
    elif kind in IMAGES:
        yield path.stem, read_picture(path)
    elif kind in VIDEOS:
        yield from _of_video(path)
    else:
        raise GudaError(f'{path}: {_EXPECTED}')


def is_bag(path: Path) -> bool:
    """Tell whether a path is a bag."""
    if path.is_dir():
        return (path / 'metadata.yaml').is_file()
    return path.suffix in ('.mcap', '.db3')


def is_film(path: Path) -> bool:
    """Tell whether the pictures of a path follow each other in time."""
    return is_bag(path) or path.suffix.lower() in VIDEOS


def _of_video(path: Path) -> Iterator[tuple[str, np.ndarray]]:
    video = cv2.VideoCapture(str(path))
    number = 0
    try:
        while True:
            there, bgr = video.read()
            if not there:
                break
            yield f'{path.stem}_{number:06}', bgr
            number += 1
    finally:
        video.release()
    if not number:
        raise GudaError(f'{path}: no video that OpenCV can read')


def _of_bag(path: Path, topic: str) -> Iterator[tuple[str, np.ndarray]]:
    for number, (_, bgr) in enumerate(bag_images(path, topic)):
        yield f'{path.stem}_{number:06}', bgr


def bag_images(path: Path, topic: str = '') -> Iterator[tuple[int, np.ndarray]]:
    """
    Yield stamps [ns] and pictures (height, width, 3), BGR uint8, of a bag.

    :param topic: of the images; by default the only one there is.
    :raises GudaError: if there are none, or one cannot be decoded.
    """
    number = 0
    for stamp, message in bag_messages(path, topic, _TYPES, 'images', '--topic'):
        try:
            bgr = decode_message(message)
        except ValueError as error:
            raise GudaError(f'{path}: image {number}: {error}') from error
        yield stamp, bgr
        number += 1
    if not number:
        raise GudaError(f'{path}: holds no image on its topic of images')


def bag_messages(
    path: Path, topic: str, kinds: Sequence[str], what: str, option: str
) -> Iterator[tuple[int, Any]]:
    """
    Yield stamps [ns] and messages of a topic of a bag; without a stamp, when it was received.

    :param topic: by default the only one that has one of the types `kinds`.
    :param what: they are, and `option`: that names the topic, for errors.
    :raises GudaError: if there is no such topic, several and none is named, or damage.
    """
    with opened_bag(path) as bag:
        found = {item.topic for item in bag.connections if item.msgtype in kinds}
        wanted = topic if topic.startswith('/') or not topic else f'/{topic}'
        if wanted and wanted not in found:
            raise GudaError(f'{path}: no {what} on {wanted}; there are {_listed(found, what)}')
        if not wanted and len(found) != 1:
            raise GudaError(f'{path}: choose {what} by {option}: {_listed(found, what)}')
        wanted = wanted or next(iter(found))
        connections = [item for item in bag.connections if item.topic == wanted]
        for _, received, message in read_messages(
            bag, connections, lambda error: _damaged(path, error)
        ):
            yield stamp_to_ns(message.header.stamp) or received, message


def _damaged(path: Path, error: Exception) -> GudaError:
    return GudaError(f'{path}: damaged: {str(error) or type(error).__name__}')


def _listed(topics: set[str], what: str) -> str:
    return ', '.join(sorted(topics)) or f'no topic of {what}'


class Film:
    """A video that is written picture by picture; `close` it."""

    def __init__(self, path: os.PathLike[str], size: tuple[int, int], rate: float) -> None:
        """GudaError if OpenCV cannot write one here."""
        self._size = size
        self._writer = cv2.VideoWriter(
            os.fspath(path), cv2.VideoWriter.fourcc(*'mp4v'), rate, size
        )
        if not self._writer.isOpened():
            raise GudaError(f'{path}: OpenCV writes no video here; give --rate 0 for pictures')

    def add(self, bgr: np.ndarray) -> None:
        """Append a picture, scaled to the first one's size if it has another."""
        if bgr.shape[1::-1] != self._size:
            bgr = cv2.resize(bgr, self._size)
        self._writer.write(bgr)

    def close(self) -> None:
        """Finish the file."""
        self._writer.release()
