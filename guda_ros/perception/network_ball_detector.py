"""
Find one ball of any print and a known size in a camera image, by networks and geometry.

Networks propose, accept and measure in pixels (guda_ros.perception.ball_network); a ball is one
only where its size in the image is that of a ball lying on the ground where its direction meets
it.
"""

from __future__ import annotations

import math

import numpy as np

from guda_ros.perception.ball_detector import BallDetection, ground_covariance
from guda_ros.perception.ball_network import BallFind, BallNetwork, Band, load_network
from guda_ros.perception.camera import CameraModel, refuse_size
from guda_ros.soccer.field import Ball
from guda_ros.soccer.robot import Body


class NetworkBallDetector:
    """
    Networks with a check of the physical size; used as guda_ros.perception.BallDetector is.

    :param camera: calibrated camera that sends the images.
    :param ball: its radius; its colours do not matter.
    :param min_score: least score of a detection. With the usual one 95 of 100 detections are
        right in renders that no training saw (docs/perception.md).
    :param max_distance: farthest ball that is believed [m].
    :param pose_deviation: standard deviation of the camera's direction [rad], for the covariance.
    :param network: by default the shipped one, read once.
    :param body: of the robot: what is where its own feet stand, or seen through its own arms, is
        no ball.
    """

    #: How much larger or smaller than the ground says a ball may look, and pixels of its radius
    #: that are no evidence. Of a proposal, whose size is a guess: `LOOSE`.
    TIGHT, LOOSE, SLACK = 1.3, 2.6, 1.0
    #: Radius below which a ball is looked for more closely [pixels], and what is made there, and
    #: elsewhere, of a pixel of an image that is 640 wide.
    SMALL, CLOSELY, COARSELY = 11.0, 0.75, 0.5
    #: A ball whose middle is this near to the robot's feet, in radii, would be in them.
    INSIDE = 0.5
    #: How far behind the front of the feet the hands hang, in lengths of a foot.
    HANDS = 0.25

    def __init__(
        self,
        camera: CameraModel,
        ball: Ball,
        min_score: float = 0.7,
        max_distance: float = 8.0,
        pose_deviation: float = 0.004,
        network: BallNetwork | None = None,
        body: Body | None = None,
    ) -> None:
        self.camera = camera
        self._ball = ball
        self._min_score, self._max_distance = min_score, max_distance
        self._pose_deviation = pose_deviation
        self._network = network or load_network()
        self._body = body
        self.bands = self._find_bands()

    def detect(self, bgr: np.ndarray) -> BallDetection | None:
        """
        Return the most ball-like thing in an image (height, width, 3), or None.

        :param bgr: uint8 in OpenCV's order of colours.
        :raises ValueError: if the image does not have the camera's size.
        """
        refuse_size(bgr, self.camera)
        for find in self._network.find(bgr, self.sizes, self.bands):
            if find.score < self._min_score:
                break
            detection = self._judge(find)
            if detection is not None:
                return detection
        return None

    def _find_bands(self) -> list[Band]:
        """Return the rows where balls on the ground are small, and those where they are not."""
        camera = self.camera
        # A few columns and rows are enough, and a head that turns asks for every image.
        columns, rows = np.linspace(0, camera.width - 1, 3), np.arange(0, camera.height, 8)
        grid = np.stack(np.meshgrid(columns, rows, indexing='ij'), axis=-1)
        radii = self._expected(grid.reshape(-1, 2)).reshape(len(columns), -1)
        known = np.isfinite(radii)
        far = (known & (radii < self.SMALL)).any(axis=0)
        near = (known & (radii >= self.SMALL)).any(axis=0)
        bands = []
        # Above the first row are tops of balls, and what stands behind them.
        margin = round(2 * self.SMALL)
        for mine, scale in ((far, self.CLOSELY), (near, self.COARSELY)):
            if mine.any():
                first, last = rows[np.flatnonzero(mine)[[0, -1]]]
                top, bottom = max(0, first - margin), min(camera.height, last + margin + 8)
                bands.append(Band(int(top), int(bottom), min(1.0, scale * 640 / camera.width)))
        return bands

    def sizes(self, centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
        """
        Return the radii (n,) that balls on the ground have at pixels (n, 2).

        NaN where a ball cannot be, and where the proposed radii (n,) are too far from it. Near the
        image's border, where balls are cut, the proposed ones are kept.
        """
        camera = self.camera
        expected = self._expected(centres)
        size = np.array([camera.width, camera.height])
        reach = np.nanmax(np.stack([radii, expected]), axis=0)[:, None] + 2
        cut = ((centres < reach) | (centres > size - 1 - reach)).any(axis=1)
        with np.errstate(invalid='ignore'):
            ratio = np.maximum(radii / expected, expected / radii)
            fits = ratio < self.LOOSE + self.SLACK / np.maximum(expected, 1.0)
        return np.where(cut, radii, np.where(fits, expected, np.nan))

    def _expected(self, centres: np.ndarray) -> np.ndarray:
        """Return the mean radii (n,) [pixels] of balls at pixels (n, 2), NaN where none can be."""
        camera, radius = self.camera, self._ball.radius
        rays = camera.rays(centres)
        drop = camera.position[2] - radius
        with np.errstate(divide='ignore', invalid='ignore'):
            distance = np.where(rays[:, 2] < -1e-6, drop / -rays[:, 2], np.nan)
        beyond = distance * np.hypot(rays[:, 0], rays[:, 1]) > self._max_distance
        steps = np.array([[1.0, 0.0], [0.0, 1.0]])
        aside = np.stack([camera.rays(centres + step) for step in steps], axis=1)
        # How many radians a pixel is here, along both axes.
        angles = np.linalg.norm(aside - rays[:, None], axis=-1)
        with np.errstate(divide='ignore', invalid='ignore'):
            half = np.arcsin(np.clip(radius / distance, 0, 1))
            found = half / np.sqrt(angles.prod(axis=1))
        return np.where(beyond | (distance <= radius), np.nan, found)

    def _judge(self, find: BallFind) -> BallDetection | None:
        """Return the detection of a find, or None if no ball on the ground looks like this."""
        camera, radius = self.camera, self._ball.radius
        size = np.array([camera.width, camera.height])
        free = np.concatenate([find.box[:2] > 1, find.box[2:] < size - 2])
        cut = not free.all()
        if cut:
            position = self._fit_box(find.box, free)
        else:
            position = camera.sphere_from_outline(find.centre, radius, radius)
        if position is None or not np.isfinite(position).all():
            return None
        if not np.hypot(*position) < self._max_distance or self._is_own(position):
            return None
        outline = camera.sphere_outline(np.append(position, radius), radius)
        if not (np.isfinite(outline.area) and outline.area > 0):
            return None
        expected = math.sqrt(outline.area / math.pi)
        if cut:
            low = np.maximum(outline.centre - outline.half_size, -0.5)
            high = np.minimum(outline.centre + outline.half_size, size - 0.5)
            away = np.abs(np.concatenate([low, high]) - find.box)
            if away.max() > self.SLACK + 0.45 * expected:
                return None
        else:
            ratio = max(find.radius / expected, expected / find.radius)
            if ratio > self.TIGHT + self.SLACK / expected:
                return None
        deviation = find.deviation * (2.0 if cut else 1.0)
        focal = sum(camera.focal) / 2
        deviation = math.hypot(deviation, self._pose_deviation * focal)
        return BallDetection(
            position,
            ground_covariance(camera, radius, outline.centre, deviation),
            outline.centre,
            expected,
            find.score,
            cut,
        )

    def _is_own(self, position: np.ndarray) -> bool:
        """
        Tell of a place (2,) in base_link whether what looks like a ball there is the robot itself.

        A ball there would be in its feet, or behind its hands, which hang beside the hips.
        """
        if self._body is None:
            return False
        x, y = position
        body, (eye_x, eye_y, eye_z) = self._body, self.camera.position
        share = (eye_z - body.hip_height) / (eye_z - self._ball.radius)
        hand_x, hand_y = eye_x + share * (x - eye_x), eye_y + share * (y - eye_y)
        back = body.foot_front - body.foot_length
        front = body.foot_front - self.HANDS * body.foot_length
        if share > 0 and back <= hand_x <= front and abs(hand_y) <= body.shoulder_width / 2:
            return True
        aside = max(abs(y) - (body.stance_width + body.foot_width) / 2, 0.0)
        ahead = max(x - body.foot_front, body.foot_front - body.foot_length - x, 0.0)
        return math.hypot(ahead, aside) < self.INSIDE * self._ball.radius

    def _fit_box(self, box: np.ndarray, free: np.ndarray) -> np.ndarray | None:
        """
        Return the place (2,) of a ball that is partly in view, from the sides that are its own.

        Sides of a box (4,) that lie on the image's border say nothing; Gauss-Newton fits the
        others to those of the outline of a ball on the ground.
        """
        camera, radius = self.camera, self._ball.radius
        if np.count_nonzero(free) < 2:
            return None
        place = camera.ray_to_plane((box[:2] + box[2:]) / 2, radius)

        def sides(at: np.ndarray) -> np.ndarray:
            outline = camera.sphere_outline(np.append(at, radius), radius)
            half = outline.half_size
            return np.concatenate([outline.centre - half, outline.centre + half])[free]

        for _ in range(12):
            if not np.isfinite(place).all() or np.hypot(*place) > self._max_distance:
                return None
            error = sides(place) - box[free]
            if not np.isfinite(error).all():
                return None
            step = 1e-4
            jacobian = np.stack(
                [(sides(place + step * axis) - sides(place)) / step for axis in np.eye(2)], axis=1
            )
            if not np.isfinite(jacobian).all():
                return None
            move = np.linalg.lstsq(jacobian, -error, rcond=None)[0].clip(-0.2, 0.2)
            place = place + move
            if np.abs(move).max() < 1e-4:
                break
        return place
