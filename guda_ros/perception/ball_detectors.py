"""Which detector finds a ball: by its hue, or by the networks."""

from __future__ import annotations

from guda_ros.perception.ball_detector import BallDetector, hsv_of, LEAST_SATURATION
from guda_ros.perception.camera import CameraModel
from guda_ros.perception.network_ball_detector import NetworkBallDetector
from guda_ros.soccer.field import Ball
from guda_ros.soccer.robot import Body


def kind_of(ball: Ball) -> str:
    """Return `colour` or `network`: what the ball's profile says, else what its colour allows."""
    if ball.detector is not None:
        return ball.detector
    return 'colour' if hsv_of(ball)[1] >= LEAST_SATURATION else 'network'


def detector_of(
    camera: CameraModel, ball: Ball, body: Body | None = None
) -> BallDetector | NetworkBallDetector:
    """
    Return the detector of a ball.

    :param body: of the robot, whose feet are no ball.
    :raises ValueError: if the profile asks for `colour`, and the ball is too grey for it.
    """
    if kind_of(ball) == 'colour':
        return BallDetector(camera, ball)
    return NetworkBallDetector(camera, ball, body=body)
