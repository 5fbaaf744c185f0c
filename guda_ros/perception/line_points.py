"""
Points on the white lines of a field in a camera image.

Scan lines down and across the image meet lines as bright runs between two stretches of carpet,
as wide as the geometry lets a line be at that row: a transition test, as CPU-only soccer stacks
use it (e.g. the line spots of SPL teams).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guda_ros.perception.camera import CameraModel, refuse_size

#: Scan lines are so many pixels apart, and at most so many points are kept.
STEP, MOST = 6, 160
#: A line is at least so much brighter than the carpet on both sides, of 255.
CONTRAST = 30
#: Farther away [m] the place on the ground is too uncertain to be of use.
FARTHEST = 6.0
#: Standard deviations: of the middle of a run [pixels], and of the camera's pitch [rad].
PIXEL, PITCH = 1.0, 0.012


@dataclass(frozen=True, eq=False)
class LinePoints:
    """
    What is seen of lines.

    places: (n, 2) in base_link [m]. deviations: (n,), the standard deviation of each along the
    ground [m]. pixels: (n, 2), columns and rows. camera: as it looked.
    """

    places: np.ndarray
    deviations: np.ndarray
    pixels: np.ndarray
    camera: CameraModel

    def __len__(self) -> int:
        """Return how many points there are."""
        return len(self.places)


class LineFinder:
    """
    Find the middles of lines.

    :param camera: calibrated camera as it looks now. :param width: of a line [m].
    """

    def __init__(self, camera: CameraModel, width: float) -> None:
        self.camera = camera
        rows = np.arange(camera.height, dtype=np.float64)
        column = np.full_like(rows, (camera.width - 1) / 2)
        ground = camera.ray_to_plane(np.stack([column, rows], axis=-1), 0.0)
        away = ground - camera.position[:2]
        distance = np.hypot(away[:, 0], away[:, 1])
        with np.errstate(invalid='ignore'):
            self._rows = np.flatnonzero(distance < FARTHEST)
        # Of a line that lies across the view, and of one that leads away from it [pixels].
        slant = np.hypot(distance, camera.position[2])
        focal = float(np.mean(camera.focal))
        with np.errstate(invalid='ignore', divide='ignore'):
            self._across = focal * width / slant
            self._down = self._across * camera.position[2] / slant

    def find(self, bgr: np.ndarray) -> LinePoints:
        """
        Return the line points of an image (height, width, 3), uint8 in OpenCV's order of colours.

        :raises ValueError: if the image does not have the camera's size.
        """
        camera = self.camera
        refuse_size(bgr, camera)
        if len(self._rows) < 2:
            return self._on_ground(np.empty((0, 2)))
        first, last = int(self._rows[0]), int(self._rows[-1]) + 1
        columns = np.arange(STEP // 2, camera.width, STEP)
        rows = np.arange(first, last, STEP)
        down = self._runs(bgr[first:last, columns].swapaxes(0, 1), self._down[first:last])
        across = self._runs(bgr[rows], self._across[rows][:, None])
        pixels = np.concatenate(
            [
                np.stack([columns[down[0]], first + down[1]], axis=-1),
                np.stack([across[1], rows[across[0]]], axis=-1),
            ]
        )
        return self._on_ground(pixels[spread(len(pixels), MOST)])

    def _runs(self, scans: np.ndarray, width: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """
        Return scan and position of the middles of bright runs that are as wide as a line.

        :param scans: (scans, length, 3). :param width: expected pixels, (length,) or (scans, 1).
        """
        scans = scans.astype(np.int16)
        blue, green, red = scans[..., 0], scans[..., 1], scans[..., 2]
        light = (blue + 2 * green + red) >> 2
        carpet = (green > red + 4) & (green > blue + 4)
        white = (
            np.maximum(np.maximum(blue, green), red) - np.minimum(np.minimum(blue, green), red)
        ) < (40 + (light >> 2))
        count, length = light.shape
        reach = np.broadcast_to(np.maximum(2, np.ceil(0.8 * width)), (count, length)).astype(int)
        place = np.arange(length)
        before, after = np.maximum(place - reach, 0), np.minimum(place + reach, length - 1)
        scan = np.arange(count)[:, None]
        sides = np.maximum(light[scan, before], light[scan, after])
        on_line = (
            white
            & (light - sides > CONTRAST)
            & carpet[scan, before]
            & carpet[scan, after]
            & (place >= reach)
            & (place + reach < length)
        )
        padded = np.zeros((count, length + 2), dtype=np.int8)
        padded[:, 1:-1] = on_line
        change = np.diff(padded, axis=1)
        begin, end = np.argwhere(change == 1), np.argwhere(change == -1)
        size = end[:, 1] - begin[:, 1]
        middle = (begin[:, 1] + end[:, 1] - 1) / 2
        expected = np.broadcast_to(width, (count, length))[begin[:, 0], middle.astype(int)]
        # A line at an angle to the scan is wider; a run that is as wide as a shirt is none.
        fits = size <= 3 * expected + 3
        return begin[fits, 0], middle[fits]

    def _on_ground(self, pixels: np.ndarray) -> LinePoints:
        camera = self.camera
        places = camera.ray_to_plane(pixels, 0.0)
        away = places - camera.position[:2]
        distance = np.hypot(away[:, 0], away[:, 1])
        with np.errstate(invalid='ignore'):
            good = distance < FARTHEST
        places, pixels, distance = places[good], pixels[good], distance[good]
        return LinePoints(places, place_deviations(camera, distance), pixels, camera)


def spread(count: int, most: int) -> np.ndarray:
    """Return at most `most` indices of `count` things, in order, evenly from first to last."""
    return np.linspace(0, count - 1, min(most, count)).astype(int)


def place_deviations(camera: CameraModel, distance: np.ndarray) -> np.ndarray:
    """Return how well places on the ground at distances (n,) [m] from a camera are known [m]."""
    height = camera.position[2]
    angle = np.hypot(PIXEL / np.mean(camera.focal), PITCH)
    return np.hypot(angle * (distance**2 + height**2) / height, 0.01)
