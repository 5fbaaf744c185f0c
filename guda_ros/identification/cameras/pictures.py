"""Pictures that show what a calibration saw, and how well it fits."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from guda_ros.identification.cameras.intrinsics import coverage, GRID, LensFit
from guda_ros.identification.cameras.mount import camera_of, MountFit
from guda_ros.perception.camera import CameraModel
from guda_ros.soccer import lens, world
from guda_ros.soccer.field_lines import LineMap
from guda_ros.soccer.robot import CameraMount, Head

INK, PAPER, GREY = (40, 40, 40), (250, 250, 250), (190, 190, 190)
SEEN, OFF, FOUND, BEFORE = (60, 160, 40), (30, 30, 220), (220, 120, 20), (0, 140, 255)
#: Residuals are drawn so many times as long.
LONGER = 40
#: Width of a panel [pixels], and pictures of a mount that are shown.
_WIDE, _SHOWN = 640, 6


def lens_picture(fit: LensFit, told: Sequence[str]) -> np.ndarray:
    """
    Return a picture, BGR uint8: a view with its corners, all corners with residuals, and text.

    :param told: lines of text below.
    """
    view = max(fit.views, key=lambda one: len(one.numbers))
    scale = _WIDE / fit.size[0]
    left = _scaled(view.bgr, scale)
    for pixel in view.pixels:
        cv2.circle(left, _at(pixel, scale), 4, SEEN, 1, cv2.LINE_AA)
    right = np.full(left.shape, PAPER, np.uint8)
    _draw_cells(right, fit)
    _draw_lens(right, fit, scale)
    for one, residuals in zip(fit.views, fit.residuals):
        for pixel, residual in zip(one.pixels, residuals):
            cv2.circle(right, _at(pixel, scale), 1, SEEN, -1, cv2.LINE_AA)
            end = _at(pixel + LONGER * residual, scale)
            cv2.line(right, _at(pixel, scale), end, OFF, 1, cv2.LINE_AA)
    _title(left, f'{view.name}: {len(view.numbers)} corners')
    _title(right, f'corners of {len(fit.views)} views, residuals x {LONGER}; grey: none seen')
    return _with_text(np.hstack([left, right]), told)


def _draw_cells(picture: np.ndarray, fit: LensFit) -> None:
    height, width = picture.shape[:2]
    for row, column in np.argwhere(~coverage(fit.size, fit.views)):
        low = (column * width // GRID[0], row * height // GRID[1])
        high = ((column + 1) * width // GRID[0], (row + 1) * height // GRID[1])
        cv2.rectangle(picture, low, high, (225, 225, 225), -1)


def _draw_lens(picture: np.ndarray, fit: LensFit, scale: float) -> None:
    """Draw straight lines as the lens shows them, and the principal point."""
    reach = 1.2 * np.array(fit.size) / 2 / fit.focal
    along = np.linspace(-1, 1, 81)
    for place in np.linspace(-1, 1, 13):
        for points in (
            np.stack([np.full_like(along, place), along], axis=-1) * reach,
            np.stack([along, np.full_like(along, place)], axis=-1) * reach,
        ):
            shown = lens.distort(points, tuple(fit.distortion)) * fit.focal + fit.centre
            shown = shown[np.isfinite(shown).all(axis=1)]
            path = np.round((shown + 0.5) * scale).astype(np.int32)
            cv2.polylines(picture, [path], False, GREY, 1, cv2.LINE_AA)
    cv2.drawMarker(picture, _at(fit.centre, scale), FOUND, cv2.MARKER_CROSS, 16, 2)


def mount_picture(
    fit: MountFit, before: CameraMount, head: Head, told: Sequence[str], lines: LineMap | None
) -> np.ndarray:
    """
    Return a picture, BGR uint8: what was seen, and where the camera has it before and after.

    :param before: the mount as the profile had it. :param lines: of the field, if they were used.
    """
    order = np.linspace(0, len(fit.sights) - 1, min(_SHOWN, len(fit.sights))).round().astype(int)
    panels = []
    stands = sorted({sight.stand for sight in fit.sights})
    for index in dict.fromkeys(order):
        sight, (pixels, good) = fit.sights[index], fit.points[index]
        scale = _WIDE / 2 / sight.bgr.shape[1]
        panel = _scaled(sight.bgr, scale)
        values = (0.0, 0.0, fit.found.get('roll', 0.0), fit.found.get('pan', 0.0))
        for camera, colour in (
            (camera_of(before, head, sight), BEFORE),
            (camera_of(fit.mount, head, sight, values), FOUND),
        ):
            if lines is not None:
                _draw_field(
                    panel, camera, lines, fit.poses[stands.index(sight.stand)], scale, colour
                )
                continue
            shown, _ = camera.project(np.column_stack([sight.places, sight.heights]))
            for pixel in shown[np.isfinite(shown).all(axis=1)]:
                cv2.drawMarker(panel, _at(pixel, scale), colour, cv2.MARKER_TILTED_CROSS, 10, 1)
        for pixel, fits in zip(pixels, good):
            cv2.circle(panel, _at(pixel, scale), 2, SEEN if fits else OFF, -1, cv2.LINE_AA)
        _title(panel, f'pan {np.degrees(sight.pan):+.0f}, tilt {np.degrees(sight.tilt):+.0f} deg')
        panels.append(panel)
    while len(panels) % 3:
        panels.append(np.full_like(panels[0], PAPER[0]))
    rows = [np.hstack(panels[start : start + 3]) for start in range(0, len(panels), 3)]
    legend = 'orange: by the profile before, blue: as found; green: seen and fits, red: does not'
    return _with_text(np.vstack(rows), [legend, *told])


def _draw_field(
    panel: np.ndarray,
    camera: CameraModel,
    lines: LineMap,
    pose: np.ndarray,
    scale: float,
    colour: tuple[int, int, int],
) -> None:
    """Draw the middles of a field's lines as seen from a pose (3,) in map."""
    for start, end in lines.segments:
        steps = max(2, int(np.hypot(*(end - start)) / 0.05))
        path = start + (end - start) * np.linspace(0, 1, steps)[:, None]
        places = world.to_frame(path, pose)
        near = np.hypot(*places.T) < 6.0
        pixels, inside = camera.project(np.column_stack([places, np.zeros(steps)]))
        shown = inside & near
        for first, second, both in zip(pixels[:-1], pixels[1:], shown[:-1] & shown[1:]):
            if both:
                cv2.line(panel, _at(first, scale), _at(second, scale), colour, 1, cv2.LINE_AA)


def _scaled(bgr: np.ndarray, scale: float) -> np.ndarray:
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return cv2.resize(bgr, None, fx=scale, fy=scale, interpolation=how)


def _at(pixel: np.ndarray, scale: float) -> tuple[int, int]:
    column, row = np.round((np.asarray(pixel) + 0.5) * scale - 0.5).clip(-9999, 9999)
    return int(column), int(row)


def _title(picture: np.ndarray, text: str) -> None:
    cv2.rectangle(picture, (0, 0), (picture.shape[1], 18), PAPER, -1)
    cv2.putText(picture, text, (4, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, INK, 1, cv2.LINE_AA)


def _with_text(picture: np.ndarray, told: Sequence[str]) -> np.ndarray:
    """Return a picture with lines of text below it."""
    room = np.full((18 * len(told) + 12, picture.shape[1], 3), PAPER, np.uint8)
    for index, text in enumerate(told):
        # OpenCV's fonts have no other letters than those of ASCII.
        plain = text.encode('ascii', 'replace').decode()
        place = (8, 18 * (index + 1))
        cv2.putText(room, plain, place, cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
    return np.vstack([picture, room])
