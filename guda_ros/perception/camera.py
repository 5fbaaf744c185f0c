"""
A camera on the robot: from points in base_link to pixels and back to the ground.

Pixels are (column, row) with integer coordinates at pixel centres, as in OpenCV and
sensor_msgs/CameraInfo: the image spans [-0.5, width - 0.5]. The optical frame has z forward, x
right, y down (REP-103).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guda_ros.soccer import lens
from guda_ros.soccer.robot import CameraMount, Head


@dataclass(frozen=True)
class CameraModel:
    """
    Intrinsics [pixels], distortion and mount of a camera.

    :param position: (3,), the optical centre in base_link [m].
    :param rotation: (3, 3), turns base_link vectors into the optical frame.
    :param distortion: coefficients of a lens, see guda_ros.soccer.lens; None for a pinhole.
    """

    width: int
    height: int
    focal: tuple[float, float]
    centre: tuple[float, float]
    position: np.ndarray
    rotation: np.ndarray
    distortion: tuple[float, ...] | None = None

    @classmethod
    def from_mount(cls, mount: CameraMount) -> CameraModel:
        """Build the camera of a profile: square pixels."""
        focal = mount.height / 2 / np.tan(mount.vertical_fov / 2)
        return cls._build(
            mount.width,
            mount.height,
            (focal, focal),
            mount.centre,
            mount,
            mount.distortion,
        )

    @classmethod
    def _build(
        cls,
        width: int,
        height: int,
        focal: tuple[float, float],
        centre: tuple[float, float],
        mount: CameraMount,
        distortion: tuple[float, ...],
    ) -> CameraModel:
        cos, sin = np.cos(mount.pitch), np.sin(mount.pitch)
        rotation = np.array([[0.0, -1.0, 0.0], [-sin, 0.0, -cos], [cos, 0.0, -sin]])
        return cls(
            width,
            height,
            (float(focal[0]), float(focal[1])),
            (float(centre[0]), float(centre[1])),
            np.array(mount.position),
            rotation,
            distortion if isinstance(distortion, lens.Equidistant) or any(distortion) else None,
        )

    def turned(self, head: Head, pan: float, tilt: float) -> CameraModel:
        """Return the camera as it is when a head that was at zero is at pan and tilt [rad]."""
        (cp, ct), (sp, st) = np.cos([pan, tilt]), np.sin([pan, tilt])
        turn = np.array([[cp, -sp, 0.0], [sp, cp, 0.0], [0.0, 0.0, 1.0]]) @ np.array(
            [[ct, 0.0, st], [0.0, 1.0, 0.0], [-st, 0.0, ct]]
        )
        return replace(
            self,
            position=head.neck + turn @ (self.position - head.neck),
            rotation=self.rotation @ turn.T,
        )

    def to_optical(self, points: np.ndarray) -> np.ndarray:
        """Express base_link points (..., 3) in the optical frame [m]."""
        return (np.asarray(points, dtype=np.float64) - self.position) @ self.rotation.T

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """
        Project base_link points (..., 3) [m].

        :return: pixels (..., 2), NaN behind the camera, and a mask (...) of those inside the
            image.
        """
        return self._to_pixels(self.to_optical(points))

    def _to_pixels(self, optical: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        depth = optical[..., 2]
        in_front = depth > 1e-6
        scale = np.where(in_front, 1.0, np.nan) / np.where(in_front, depth, 1.0)
        if self.distortion is None:
            pixels = (optical[..., :2] * scale[..., None] * self.focal) + self.centre
        else:
            pixels = (
                lens.distort(optical[..., :2] * scale[..., None], self.distortion) * self.focal
                + self.centre
            )
        with np.errstate(invalid='ignore'):
            inside = (
                in_front
                & (np.abs(pixels[..., 0] - (self.width - 1) / 2) < self.width / 2)
                & (np.abs(pixels[..., 1] - (self.height - 1) / 2) < self.height / 2)
            )
        return pixels, inside

    def ray_to_plane(self, pixels: np.ndarray, height: float) -> np.ndarray:
        """
        Intersect the rays of pixels (..., 2) with the horizontal plane at `height` [m].

        :return: (..., 2), x and y in base_link [m]; NaN where the ray does not meet the plane.
        """
        ray = self._rays(pixels)
        drop = height - self.position[2]
        meets = ray[..., 2] * np.sign(drop) > 1e-9
        distance = np.where(meets, drop / np.where(meets, ray[..., 2], 1.0), np.nan)
        return self.position[:2] + ray[..., :2] * distance[..., None]

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Return the unit vectors (..., 3) in base_link axes along which pixels (..., 2) look."""
        ray = self._rays(pixels)
        return ray / np.linalg.norm(ray, axis=-1, keepdims=True)

    def _rays(self, pixels: np.ndarray) -> np.ndarray:
        pixels = np.asarray(pixels, dtype=np.float64)
        aside = (pixels - self.centre) / self.focal
        if self.distortion is not None:
            aside = lens.undistort(aside, self.distortion)
        return aside @ self.rotation[:2] + self.rotation[2]

    def horizon_row(self) -> float:
        """
        Return the row of the horizon, which is level because the camera has no roll.

        A lens bends it: then the row of its highest point in the image.
        """
        ahead = self.rotation[2, :2]
        height = self.rotation[1, :2] @ ahead / (ahead @ ahead)
        if self.distortion is None:
            return self.centre[1] + self.focal[1] * height
        columns = (np.array([-0.5, self.width - 0.5]) - self.centre[0]) / self.focal[0]
        # Twice as wide as the image, for a lens that brings more into view.
        line = np.linspace(2 * columns[0], 2 * columns[1], 201)
        rows = lens.distort(np.stack([line, np.full_like(line, height)], axis=-1), self.distortion)
        seen = (rows[:, 0] >= columns[0]) & (rows[:, 0] <= columns[1])
        if not seen.any():
            return 0.0 if height < 0 else self.height - 1.0
        return self.centre[1] + self.focal[1] * rows[seen, 1].min()

    def sphere_outline(self, centre: np.ndarray, radius: float) -> Ellipse:
        """
        Return the outline of a sphere at a base_link point (3,) in the image, an ellipse.

        A lens is taken to be linear over the ball.

        The tangent cone of a sphere at (X, Y, Z) in the optical frame meets the image plane in an
        ellipse whose centre is Z / (Z^2 - r^2) (X, Y), which is farther from the principal point
        than the image of the sphere's own centre. NaN when the sphere reaches the camera's plane.
        """
        x, y, z = self.to_optical(centre)
        if not z > radius:
            return Ellipse(np.full(2, np.nan), np.full((2, 2), np.nan), np.nan)
        aside, focal = np.array([x, y]), np.array(self.focal)
        depth2 = z * z - radius * radius
        shape = (np.outer(aside, aside) / depth2 + np.eye(2)) * radius * radius / depth2
        area = (
            np.pi * focal[0] * focal[1] * radius**2 * np.sqrt(aside @ aside + depth2) / depth2**1.5
        )
        middle = aside * z / depth2
        if self.distortion is not None:
            local = lens.jacobian(middle, self.distortion)
            middle = lens.distort(middle, self.distortion)
            shape = local @ shape @ local.T
            area *= abs(np.linalg.det(local))
        return Ellipse(middle * focal + self.centre, shape * np.outer(focal, focal), area)

    def sphere_from_outline(self, pixel: np.ndarray, radius: float, height: float) -> np.ndarray:
        """
        Return the position (2,) in base_link [m] of a sphere from its outline in the image.

        :param pixel: (2,), centre of the outline.
        :param height: height of the sphere's centre over the ground [m].
        :return: NaN if the ray does not meet that height.
        """
        pixel = np.asarray(pixel, dtype=np.float64)
        position = self.ray_to_plane(pixel, height)
        if not np.isfinite(position).all():
            return position
        centre = np.append(position, height)
        # One correction is enough: what is left is below .2 mm.
        shift = self.project(centre)[0] - self.sphere_outline(centre, radius).centre
        return self.ray_to_plane(pixel + shift, height)


@dataclass(frozen=True)
class Calibration:
    """
    What a driver tells of its camera: the numbers of sensor_msgs/CameraInfo.

    :param k: nine numbers, row by row, of the whole sensor.
    :param width: of the whole sensor, as height [pixels].
    :param d: its distortion, empty for none, of the distortion model `model`.
    :param binning: sensor pixels of an image's pixel along x and y; 0 means 1.
    :param roi: left, top, width, height of the part that is sent [pixels]; 0 x 0: all of it.
    """

    k: tuple[float, ...]
    width: int
    height: int
    d: tuple[float, ...] = ()
    model: str = 'plumb_bob'
    binning: tuple[int, int] = (1, 1)
    roi: tuple[int, int, int, int] = (0, 0, 0, 0)

    def camera(self, mount: CameraMount) -> CameraModel:
        """
        Build the camera of the images, which is mounted as a profile has it.

        Pixels of binned images lie in the middle of those they are made of: a column u of the
        sensor is (u + 0.5) / n - 0.5 in the image (image_geometry takes u / n, a quarter of a
        pixel away for n = 2).

        :raises ValueError: if they are no intrinsics of a camera, or of a lens that OpenCV's
            models do not describe.
        """
        matrix = np.asarray(self.k, dtype=np.float64).reshape(3, 3)
        focal, centre = matrix[[0, 1], [0, 1]], matrix[:2, 2]
        if not (
            np.isfinite(matrix).all() and (focal > 0).all() and self.width > 0 and self.height > 0
        ):
            raise ValueError(
                f'camera_info has no usable calibration: k = {matrix.ravel().tolist()}, '
                f'{self.width} x {self.height} pixels'
            )
        try:
            distortion = lens.coefficients_of(self.model, self.d)
        except ValueError as error:
            raise ValueError(f'camera_info has a lens that is not understood: {error}') from error
        steps = np.maximum(np.array(self.binning), 1)
        corner, part = np.array(self.roi[:2]), self.roi[2:]
        size = np.array(part if all(part) else (self.width, self.height)) // steps
        if not (size > 0).all():
            raise ValueError(
                f'camera_info has a region of interest {list(self.roi)} with binning '
                f'{list(self.binning)} that leaves no pixels'
            )
        return CameraModel._build(
            int(size[0]),
            int(size[1]),
            focal / steps,
            (centre - corner + 0.5) / steps - 0.5 if (steps > 1).any() else centre - corner,
            mount,
            distortion or lens.NONE,
        )


def refuse_size(bgr: np.ndarray, camera: CameraModel) -> None:
    """Raise ValueError if an image is not (height, width, 3) of a camera."""
    if bgr.shape != (camera.height, camera.width, 3):
        raise ValueError(
            f'an image of {camera.width}x{camera.height} in 3 channels is '
            f'expected, not an array of shape {bgr.shape}'
        )


@dataclass(frozen=True)
class Ellipse:
    """
    An ellipse in the image.

    :param centre: (2,) [pixels].
    :param shape: (2, 2) [pixels^2]; points centre + d with d^T shape^-1 d <= 1 are inside.
    :param area: [pixels^2].
    """

    centre: np.ndarray
    shape: np.ndarray
    area: float

    def contains(self, pixels: np.ndarray) -> np.ndarray:
        """Tell for pixels (..., 2) whether they are inside."""
        away = np.asarray(pixels) - self.centre
        return ((away @ np.linalg.inv(self.shape)) * away).sum(axis=-1) <= 1.0

    @property
    def half_size(self) -> np.ndarray:
        """Half width and half height (2,) of the upright bounding box [pixels]."""
        return np.sqrt(np.diag(self.shape))
