"""A robot with two narrow cameras, and drawn pictures of what they see of a ball."""

from __future__ import annotations

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.perception.camera import CameraModel
from guda_ros.soccer.robot import RobotProfile

ROBOT = RobotProfile.load('nao_v6_real')
CONTRACT = Contract.load(robot='nao_v6_real')
#: Places in base_link [m] that one of its cameras sees with the head at zero, and the other not.
NEAR, FAR = np.array([0.7, 0.05]), np.array([2.5, -0.3])


def picture(camera: str, ball: np.ndarray | None = None, camera_model=None) -> np.ndarray:
    """Return turf (height, width, 3), BGR, with the ball at a place (2,) in base_link if seen."""
    model = camera_model or CameraModel.from_mount(ROBOT.cameras[camera])
    image = np.full((model.height, model.width, 3), (45, 110, 35), np.uint8)
    if ball is None:
        return image
    field_ball = CONTRACT.field.ball
    outline = model.sphere_outline(np.append(ball, field_ball.radius), field_ball.radius)
    columns, rows = np.meshgrid(np.arange(model.width), np.arange(model.height))
    inside = outline.contains(np.stack([columns, rows], axis=-1))
    image[inside] = np.round(np.array(field_ball.colour[::-1]) * 255)
    return image
