"""Still pictures of robot and field profiles."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from guda_ros.sim.physics.mjcf import BALL_QPOS, build_model, ROBOT_QPOS
from guda_ros.sim.rendering.figures import head_quaternion
from guda_ros.sim.rendering.renderer import Renderer
from guda_ros.sim.rendering.scenery import look_at
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import RobotProfile


def portrait(
    robot: RobotProfile,
    width: int,
    height: int,
    field: Field | None = None,
    head: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """
    Draw a robot at the centre of a field with the ball beside it, RGB uint8 (height, width, 3).

    :param field: by default the SPL's.
    :param head: pan and tilt [rad].
    """
    field = field or Field.load('spl')
    size, radius = robot.body.height, field.ball.radius
    scene = _Scene(robot, field)
    scene.place([0.0, 0.0, 0.0], [robot.body.foot_front + 0.28 * size, -0.30 * size - radius])
    scene.turn_head(*head)
    return scene.draw(
        size * np.array([1.85, -0.95, 0.95]),
        size * np.array([0.10, -0.05, 0.44]),
        40,
        width,
        height,
    )


def field_view(field: Field, robot: RobotProfile, width: int, height: int) -> np.ndarray:
    """Draw a whole field with a robot that attacks, RGB uint8 (height, width, 3)."""
    scene = _Scene(robot, field)
    start = np.array([0.10 * field.length, -0.10 * field.width])
    ahead = robot.body.foot_front + 0.08 + field.ball.radius
    scene.place([*start, 0.3], start + ahead * np.array([np.cos(0.3), np.sin(0.3)]))
    length = field.length + 2 * field.border
    eye = np.array([0.12, -0.84, 0.56]) * length
    return scene.draw(eye, np.array([0.01 * length, -0.045 * length, 0.0]), 38, width, height)


class _Scene:
    def __init__(self, robot: RobotProfile, field: Field) -> None:
        self._field = field
        self._model = build_model(robot, field)
        self._data = mujoco.MjData(self._model)

    def place(
        self, robot: np.ndarray | Sequence[float], ball: np.ndarray | Sequence[float]
    ) -> None:
        """Put robot (x, y, yaw) and ball (x, y) there."""
        self._data.qpos[ROBOT_QPOS] = robot
        self._data.qpos[BALL_QPOS] = (*ball, self._field.ball.radius, 1, 0, 0, 0)

    def turn_head(self, pan: float, tilt: float) -> None:
        """Turn the head to pan and tilt [rad]."""
        self._model.body('head').quat[:] = head_quaternion(pan, tilt)

    def draw(
        self, eye: np.ndarray, target: np.ndarray, fov: float, width: int, height: int
    ) -> np.ndarray:
        """Draw from `eye` to `target` [m] with a vertical field of view [deg]."""
        camera = self._model.camera('overview')
        right, up = look_at(eye, target)
        camera.pos[:] = eye
        mujoco.mju_mat2Quat(camera.quat, np.stack([right, up, np.cross(right, up)], 1).ravel())
        camera.fovy[:] = fov
        with Renderer(self._model, 2 * width, 2 * height, samples=4) as renderer:
            image = renderer.render(self._data, 'overview').astype(np.float64)
        # Twice the size, averaged: thin nets and far lines stay whole.
        image = image.reshape(height, 2, width, 2, 3).mean(axis=(1, 3))
        return np.round(image).astype(np.uint8)
