"""Robot profiles: what simulator, perception, safety and policy need to know about a robot."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from guda_ros.soccer.resources import find_config, load_yaml, Section


@dataclass(frozen=True)
class VelocityLimits:
    """Limits of a walk: forward, backward and side in m/s, turn in rad/s, all positive."""

    forward: float
    backward: float
    side: float
    turn: float

    def to_command(self, action: np.ndarray) -> np.ndarray:
        """Turn actions (..., 3), clipped to [-1, 1], into base_link velocities [m/s, rad/s]."""
        action = np.clip(np.asarray(action, dtype=np.float64), -1.0, 1.0)
        return action * self._scale(action)

    def to_action(self, command: np.ndarray) -> np.ndarray:
        """Turn base_link velocities (..., 3) into actions; the inverse of to_command."""
        command = np.asarray(command, dtype=np.float64)
        return np.clip(command / self._scale(command), -1.0, 1.0)

    def clip(self, command: np.ndarray) -> np.ndarray:
        """Clip base_link velocities (..., 3) to the limits, axis by axis."""
        return np.clip(
            np.asarray(command, dtype=np.float64),
            [-self.backward, -self.side, -self.turn],
            [self.forward, self.side, self.turn],
        )

    def _scale(self, value: np.ndarray) -> np.ndarray:
        scale = np.empty(value.shape)
        scale[..., 0] = np.where(value[..., 0] < 0, self.backward, self.forward)
        scale[..., 1] = self.side
        scale[..., 2] = self.turn
        return scale


@dataclass(frozen=True)
class Body:
    """Mass [kg] and dimensions [m]; `foot_front`: from base_link to the feet's front."""

    mass: float
    height: float
    foot_length: float
    foot_width: float
    foot_front: float
    stance_width: float


@dataclass(frozen=True)
class CameraMount:
    """
    A pinhole camera on a robot.

    width, height in pixels; vertical_fov [rad]; position in base_link [m]; pitch [rad], positive
    looks down.
    """

    width: int
    height: int
    vertical_fov: float
    position: tuple[float, float, float]
    pitch: float


@dataclass(frozen=True)
class OdometryNoise:
    """Standard deviations of odometry errors: per-episode scales and bias, and random walks."""

    translation_scale: float
    yaw_scale: float
    yaw_bias: float
    translation_noise: float
    yaw_noise: float


@dataclass(frozen=True)
class RobotProfile:
    """One robot: walk limits, response time of the walk [s], body, camera and odometry noise."""

    name: str
    limits: VelocityLimits
    response_time: float
    body: Body
    camera: CameraMount
    odometry: OdometryNoise

    @classmethod
    def load(cls, name) -> 'RobotProfile':
        """Read a profile by name or path; ConfigError names file and key of a wrong value."""
        path = find_config('robots', name)
        root = Section(load_yaml(path), path)
        limits = root.section('limits')
        body = root.section('body')
        camera = root.section('camera')
        odometry = root.section('odometry')
        profile = cls(
            name=root.text('name'),
            limits=VelocityLimits(
                forward=limits.number('forward', 0.01, 5),
                backward=limits.number('backward', 0.01, 5),
                side=limits.number('side', 0.01, 5),
                turn=limits.number('turn', 0.01, 10),
            ),
            response_time=root.number('response_time', 0.01, 5),
            body=Body(**{key: body.number(key, 0.001, 200) for key in Body.__dataclass_fields__}),
            camera=CameraMount(
                width=camera.integer('width', 16, 4096),
                height=camera.integer('height', 16, 4096),
                vertical_fov=camera.number('vertical_fov', 0.1, 3.0),
                position=camera.numbers('position', 3, -5, 5),
                pitch=camera.number('pitch', -1.6, 1.6),
            ),
            odometry=OdometryNoise(
                **{key: odometry.number(key, 0, 1) for key in OdometryNoise.__dataclass_fields__}
            ),
        )
        for section in (limits, body, camera, odometry, root):
            section.close()
        return profile

    def as_dict(self) -> dict:
        """Return the profile as plain values, for hashes and recordings."""
        return asdict(self)
