"""What a walking robot sees of the lines of a field, by geometry alone, with a gait's errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from guda_ros.perception.camera import CameraModel
from guda_ros.perception.line_points import LinePoints, place_deviations
from guda_ros.soccer import world
from guda_ros.soccer.field import Field
from guda_ros.soccer.field_lines import line_segments
from guda_ros.soccer.robot import RobotProfile

PROFILE = RobotProfile.load('nao_v6')
FIELD = Field.load('spl')
PERIOD = 0.1
#: Of the pitch of the camera from image to image [rad], of a place [m]; share of false points.
SWAY, NOISE, FALSE = 0.015, 0.01, 0.1


class Walk:
    """A robot that walks about and looks about; where it is, and what odometry says of that."""

    def __init__(self, seed: int, mount=PROFILE.camera, start=None) -> None:
        self.rng = np.random.default_rng(seed)
        self._camera = CameraModel.from_mount(mount)
        ends = line_segments(FIELD)
        counts = np.maximum(2, np.hypot(*(ends[:, 1] - ends[:, 0]).T) // 0.05).astype(int)
        self._lines = np.concatenate(
            [a + (b - a) * np.linspace(0, 1, n)[:, None] for (a, b), n in zip(ends, counts)]
        )
        self.pose = self.anywhere() if start is None else np.array(start, dtype=float)
        self.odom, self.steps = np.zeros(3), 0
        noise = PROFILE.odometry
        deviations = [noise.translation_scale] * 2 + [noise.yaw_scale]
        self._scale = 1 + self.rng.normal(size=3) * deviations

    def anywhere(self) -> np.ndarray:
        """Return a pose (3,) on the field."""
        return self.rng.uniform([-4, -2.7, -np.pi], [4, 2.7, np.pi])

    def step(self) -> None:
        """Walk for a control period, and stay on the field."""
        if self.steps % 20 == 0:
            self._command = self.rng.uniform([-0.1, -0.15, -0.8], [0.25, 0.15, 0.8])
        moved = self._command * PERIOD
        if (np.abs(world.compose(self.pose, moved)[:2]) > [4.5, 3.0]).any():
            self._command, moved = -self._command, -moved
        self.pose = world.compose(self.pose, moved)
        self.odom = world.compose(
            self.odom, moved * self._scale + self.rng.normal(size=3) * 0.0015
        )
        self.steps += 1

    def look(self) -> LinePoints:
        """Return what the camera sees of lines, the head turning to and fro."""
        camera = self._camera.turned(PROFILE.head, 0.9 * np.sin(0.15 * self.steps), 0.0)
        places = world.to_frame(self._lines, self.pose)
        pixels, inside = camera.project(np.column_stack([places, np.zeros(len(places))]))
        distance = np.hypot(*(places - camera.position[:2]).T)
        seen = np.flatnonzero(inside & (distance < 6.0))
        seen = self.rng.permutation(seen)[:120]
        deviations = place_deviations(camera, distance[seen])
        pitched = replace(camera, rotation=_pitch(self.rng.normal() * SWAY) @ camera.rotation)
        places = pitched.ray_to_plane(pixels[seen], 0.0)
        places += self.rng.normal(size=places.shape) * NOISE
        false = np.arange(len(seen)) < FALSE * len(seen)
        places[false] += self.rng.normal(size=(false.sum(), 2)) * 0.5
        good = np.isfinite(places).all(axis=1)
        return LinePoints(places[good], deviations[good], pixels[seen][good], camera)


def _pitch(angle: float) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
