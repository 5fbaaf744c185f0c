"""What several cameras on a head that turns have in view."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from guda_ros.perception.camera import CameraModel
from guda_ros.soccer.robot import Head


def in_view(
    cameras: Iterable[CameraModel], head: Head, points: np.ndarray, angles: np.ndarray
) -> np.ndarray:
    """
    Tell (m,) which points (m, 3) in base_link [m] at least one of the cameras has in its picture.

    :param cameras: as they are mounted with the head at zero.
    :param angles: (m, 2), pan and tilt of each head [rad].
    """
    turned = np.asarray(points, dtype=np.float64)
    if np.any(angles):
        # Turning the head one way is, for its cameras, turning the points the other.
        away = turned - head.neck
        (cp, ct), (sp, st) = np.cos(angles).T, np.sin(angles).T
        x, y = cp * away[:, 0] + sp * away[:, 1], cp * away[:, 1] - sp * away[:, 0]
        z = away[:, 2]
        turned = np.stack([ct * x - st * z, y, st * x + ct * z], axis=1) + head.neck
    seen = np.zeros(len(turned), dtype=bool)
    for camera in cameras:
        seen |= camera.project(turned)[1]
    return seen
