"""
Find one ball of a known colour and size in a camera image.

Colour proposes, geometry decides: connected patches of the ball's hue are candidates, and one is a
ball only when its size in the image is that of a ball lying on the ground where its direction
meets it.
"""

from __future__ import annotations

from dataclasses import dataclass
import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from guda_ros.perception.camera import CameraModel, refuse_size
from guda_ros.soccer.field import Ball

if TYPE_CHECKING:
    from guda_ros.perception.camera import Ellipse

#: Least saturation of a ball that is found by its hue, of 255.
LEAST_SATURATION = 60


@dataclass(frozen=True)
class BallDetection:
    """
    A ball in an image.

    :param position: (2,) of the ball's centre in base_link [m].
    :param covariance: (2, 2) of the position [m^2].
    :param pixel: (2,), column and row of the outline's centre; outside the image for a ball mostly
        out of view.
    :param radius: mean radius of the outline [pixels].
    :param score: how well size and shape fit, in (0, 1].
    :param cut: whether the image's border cuts the outline.
    """

    position: np.ndarray
    covariance: np.ndarray
    pixel: np.ndarray
    radius: float
    score: float
    cut: bool


class BallDetector:
    """
    Colour segmentation with a check of the physical size.

    :param camera: calibrated camera that sends the images.
    :param ball: its radius and colour.
    :param hue_tolerance: how far hues may be from the ball's [degrees].
    :param min_saturation: least saturation relative to the ball's own.
    :param min_brightness: least brightness of its brightest channel, of 255.
    :param max_distance: farthest ball that is believed [m].
    :param pixel_deviation: standard deviation of the outline's centre [pixels].
    """

    #: Pixels of the ball's colour that make a candidate, and how many candidates are looked at.
    MIN_PIXELS = 2
    MAX_CANDIDATES = 12
    #: Least score of a detection.
    MIN_SCORE = 0.5

    def __init__(
        self,
        camera: CameraModel,
        ball: Ball,
        hue_tolerance: float = 18.0,
        min_saturation: float = 0.5,
        min_brightness: float = 30.0,
        max_distance: float = 8.0,
        pixel_deviation: float = 0.25,
    ) -> None:
        self.camera = camera
        self._ball = ball
        self._max_distance = max_distance
        self._pixel_deviation = pixel_deviation
        hue, saturation, _ = hsv_of(ball)
        if saturation < LEAST_SATURATION:
            raise ValueError(f'a ball of colour {ball.colour} is too grey to be found by its hue')
        # OpenCV's hues are degrees / 2 and wrap at 180, so a reddish ball needs two ranges.
        tolerance = hue_tolerance / 2
        floor = (min_saturation * saturation, min_brightness)
        self._ranges = [
            ((max(low, 0.0), *floor), (min(high, 179.0), 255.0, 255.0))
            for low, high in (
                (hue + turn - tolerance, hue + turn + tolerance) for turn in (-180, 0, 180)
            )
            if high >= 0 and low < 180
        ]
        self._colour = np.array(ball.colour[::-1]) * 255
        self._first_row = int(np.clip(math.floor(camera.horizon_row()) - 2, 0, camera.height - 1))

    def detect(self, bgr: np.ndarray) -> BallDetection | None:
        """
        Return the most ball-like thing in an image (height, width, 3), or None.

        :param bgr: uint8 in OpenCV's order of colours.
        :raises ValueError: if the image does not have the camera's size.
        """
        camera = self.camera
        refuse_size(bgr, camera)
        mask = self.segment(bgr)
        left, top, width, height = cv2.boundingRect(mask)
        if not width:
            return None
        # Only where there is colour at all: labelling the whole image costs as much as all the
        # rest.
        left, top = max(left - 2, 0), max(top - 2, 0)
        crop = np.s_[top : top + height + 4, left : left + width + 4]
        mask, corner = mask[crop], np.array([left, top])
        count, labels, stats, _ = cv2.connectedComponentsWithStats(
            cv2.dilate(mask, np.ones((3, 3), np.uint8)), connectivity=8
        )
        best = None
        order = np.argsort(-stats[1:count, cv2.CC_STAT_AREA])[: self.MAX_CANDIDATES] + 1
        for label in order:
            detection = self._judge(bgr[crop], mask, labels == label, stats[label], corner)
            if detection is not None and (best is None or detection.score > best.score):
                best = detection
        return best

    def segment(self, bgr: np.ndarray) -> np.ndarray:
        """Return the pixels of the ball's colour below the horizon, 0 or 255 (height, width)."""
        hsv = cv2.cvtColor(bgr, cv2.COLOR_BGR2HSV)
        mask = cv2.inRange(hsv, *self._ranges[0])
        for low_high in self._ranges[1:]:
            mask |= cv2.inRange(hsv, *low_high)
        mask[: self._first_row] = 0
        return mask

    def _judge(
        self,
        bgr: np.ndarray,
        mask: np.ndarray,
        own: np.ndarray,
        stats: np.ndarray,
        corner: np.ndarray,
    ) -> BallDetection | None:
        """Return the detection of one candidate, or None if it is no ball."""
        camera, radius = self.camera, self._ball.radius
        left, top, width, height = (int(v) for v in stats[:4])
        left, top = max(left - 2, 0), max(top - 2, 0)
        window = np.s_[top : top + height + 4, left : left + width + 4]
        own = mask[window] * own[window]
        corner = corner + (left, top)
        contours, _ = cv2.findContours(own, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        points = np.concatenate(contours)[:, 0]
        # The hull bridges patches of another colour and what glare leaves out.
        hull = cv2.convexHull(points)
        filled = np.zeros_like(own)
        cv2.fillConvexPoly(filled, hull, 255)
        pixels = cv2.countNonZero(own)
        if pixels < self.MIN_PIXELS:
            return None
        solid = pixels / cv2.countNonZero(filled)
        inner = hull[:, 0] + corner
        cut = bool(
            (inner <= 1).any()
            or (inner[:, 0] >= camera.width - 2).any()
            or (inner[:, 1] >= camera.height - 2).any()
        )
        if cut:
            position = self._fit_outline(inner)
            if position is None:
                return None
            outline = camera.sphere_outline(np.append(position, radius), radius)
            area, expected = float(cv2.countNonZero(filled)), self._visible_area(outline)
        else:
            area, pixel = self._measure(bgr[window], filled)
            position = camera.sphere_from_outline(pixel + corner, radius, radius)
            if not np.isfinite(position).all():
                return None
            outline = camera.sphere_outline(np.append(position, radius), radius)
            expected = outline.area
        if not (np.hypot(*position) < self._max_distance and expected > 0):
            return None
        # One pixel of rim more or less is no evidence: it changes a small area by much.
        slack = 1.5 / math.sqrt(expected)
        ratio = max(area / expected, expected / max(area, 1e-9)) / (1.0 + slack)
        overlap = self._overlap(outline, filled, corner, expected) * (1.0 + slack)
        score = min(1.0, ratio**-2) * min(1.0, overlap / 0.75) ** 2 * min(1.0, solid / 0.8)
        if score < self.MIN_SCORE:
            return None
        deviation = self._pixel_deviation * (4.0 if cut else 1.0)
        return BallDetection(
            position,
            ground_covariance(camera, radius, outline.centre, deviation),
            outline.centre,
            math.sqrt(outline.area / math.pi),
            score,
            cut,
        )

    def _measure(self, bgr: np.ndarray, filled: np.ndarray) -> tuple[float, np.ndarray]:
        """Return area [pixels^2] and centre (2,) in a window; rim pixels count by share."""
        frame = np.concatenate(
            [
                bgr[:2].reshape(-1, 3),
                bgr[-2:].reshape(-1, 3),
                bgr[2:-2, :2].reshape(-1, 3),
                bgr[2:-2, -2:].reshape(-1, 3),
            ]
        )
        around = np.median(frame, axis=0)
        # Along this axis neither white nor the surroundings count, however bright they are.
        axis = np.cross(np.ones(3), around)
        if np.linalg.norm(axis) < 10:
            axis = self._colour - self._colour.mean()
        axis = axis * np.sign(axis @ self._colour)
        amount = bgr.astype(np.float32) @ axis.astype(np.float32)
        # The brightest neighbour stands for the ball's own colour here, so shading plays no part.
        full = cv2.dilate(np.where(filled > 0, amount, 0), np.ones((3, 3), np.uint8))
        share = np.where(full > 0, amount / np.maximum(full, 1e-6), 0).clip(0.0, 1.0)
        share[cv2.erode(filled, np.ones((3, 3), np.uint8)) > 0] = 1.0
        area = float(share.sum())
        columns, rows = np.arange(share.shape[1]), np.arange(share.shape[0])
        return area, np.array([share.sum(axis=0) @ columns, share.sum(axis=1) @ rows]) / area

    def _fit_outline(self, hull: np.ndarray) -> np.ndarray | None:
        """
        Return the position (2,) of a ball partly in view, from hull pixels (n, 2), or None.

        Every ray that touches a sphere has the same angle to the direction of its centre, which
        Gauss-Newton solves for the two coordinates on the ground. Pixels at the border are left
        out: there the image ends and not the ball.
        """
        camera, radius = self.camera, self._ball.radius
        size = np.array([camera.width, camera.height])
        free = ((hull > 1) & (hull < size - 2)).all(axis=1)
        rim = hull[free].astype(np.float64)
        if len(rim) < 3:
            return None
        middle = (hull.min(axis=0) + hull.max(axis=0)) / 2
        position = camera.ray_to_plane(middle, radius)
        if not np.isfinite(position).all():
            return None
        for _ in range(8):
            centre = np.append(position, radius)
            to_centre = centre - camera.position
            distance = float(np.linalg.norm(to_centre))
            # Mask pixels are inside of the outline; it runs half a pixel farther out.
            outward = rim - camera.sphere_outline(centre, radius).centre
            outward /= np.maximum(np.linalg.norm(outward, axis=1, keepdims=True), 1e-9)
            rays = camera.rays(rim + 0.5 * outward)
            if not np.isfinite(rays).all():
                # Beyond what the lens shows: no ball is there.
                return None
            along = rays @ to_centre
            reach = math.sqrt(max(distance**2 - radius**2, 1e-9))
            residual = along - reach
            jacobian = rays[:, :2] - to_centre[:2] / reach
            step = np.linalg.lstsq(jacobian, -residual, rcond=None)[0]
            position = position + step.clip(-0.1, 0.1)
            if not np.isfinite(position).all() or np.abs(position).max() > self._max_distance:
                return None
            if np.abs(step).max() < 1e-5:
                break
        return position

    def _visible_area(self, outline: Ellipse) -> float:
        """Return how many pixels of an ellipse are inside the image."""
        half = outline.half_size
        if not np.isfinite([*outline.centre, *half]).all():
            return 0.0
        low = np.maximum(np.floor(outline.centre - half), 0).astype(int)
        high = np.minimum(
            np.ceil(outline.centre + half) + 1, [self.camera.width, self.camera.height]
        ).astype(int)
        if (high <= low).any():
            return 0.0
        columns, rows = np.arange(low[0], high[0]), np.arange(low[1], high[1])
        grid = np.stack(np.meshgrid(columns, rows), axis=-1)
        return float(np.count_nonzero(outline.contains(grid)))

    def _overlap(
        self, outline: Ellipse, filled: np.ndarray, corner: np.ndarray, expected: float
    ) -> float:
        """Return the share that a candidate and its outline have in common, in [0, 1]."""
        rows, columns = np.nonzero(filled)
        inside = outline.contains(np.stack([columns, rows], axis=1) + corner)
        common = float(np.count_nonzero(inside))
        return common / (len(rows) + expected - common)


def hsv_of(ball: Ball) -> tuple[int, int, int]:
    """Return a ball's colour as OpenCV has it: hue of 180, saturation and value of 255."""
    rgb = np.round(np.array(ball.colour) * 255).astype(np.uint8)
    hue, saturation, value = cv2.cvtColor(rgb[None, None], cv2.COLOR_RGB2HSV)[0, 0]
    return int(hue), int(saturation), int(value)


def ground_covariance(
    camera: CameraModel, radius: float, pixel: np.ndarray, deviation: float
) -> np.ndarray:
    """
    Return the covariance (2, 2) [m^2] of where a pixel (2,) meets the height of a ball's centre.

    :param deviation: standard deviation of the pixel along an axis [pixels].
    """
    steps = np.array([[0.5, 0.0], [-0.5, 0.0], [0.0, 0.5], [0.0, -0.5]])
    positions = camera.ray_to_plane(pixel + steps, radius)
    jacobian = np.stack([positions[0] - positions[1], positions[2] - positions[3]], axis=1)
    if not np.isfinite(jacobian).all():
        return np.eye(2)
    return jacobian @ jacobian.T * deviation**2 + np.eye(2) * 0.002**2
