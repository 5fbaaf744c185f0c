"""What perception publishes of an image."""

from __future__ import annotations

import numpy as np
from rclpy.node import Node

from guda_ros.data.contract import Contract
from guda_ros.perception.camera import CameraModel
from guda_ros.perception.debug_image import draw_percept
from guda_ros.perception.observer import Observation
from guda_ros.perception.pipeline import Percept
from guda_ros.ros import conversions as convert
from guda_ros.ros.topics import Topics


class PerceptTopics:
    """
    The publishers of `ball/detection`, `pose`, `ball/odom` and `~/debug_image`.

    In a task without a ball nothing is told of one.
    """

    def __init__(self, node: Node, contract: Contract, topics: Topics) -> None:
        self._frames, self._radius = contract.frames, contract.field.ball.radius
        self._pose_pub = topics.publisher(node, 'pose')
        self._has_ball = contract.has_ball
        if self._has_ball:
            self._detection_pub = topics.publisher(node, 'ball_detection')
            self._ball_pub = topics.publisher(node, 'ball')
        self._debug_pub = topics.publisher(node, 'debug_image')

    def publish(self, stamp: int, percept: Percept) -> None:
        """Publish what is known at a stamp [ns]; the ball last, which completes it."""
        frames, radius = self._frames, self._radius
        if self._has_ball and percept.detection is not None:
            seen = np.append(percept.detection.position, radius)
            self._detection_pub.publish(convert.point_message(seen, stamp, frames['base']))
        self._pose_pub.publish(
            convert.pose_message(percept.pose, stamp, frames['map'], percept.pose_covariance)
        )
        if not self._has_ball:
            return
        ball, lost = percept.ball, percept.ball.lost
        self._ball_pub.publish(
            convert.ball_message(
                np.nan_to_num(ball.position),
                ball.velocity,
                stamp,
                frames['odom'],
                position_covariance=None if lost else ball.covariance[:2, :2],
                velocity_covariance=None if lost else ball.covariance[2:, 2:],
                radius=radius,
            )
        )

    def draw(self, observed: Observation, camera: CameraModel) -> None:
        """Publish the image with what was seen in it, if somebody wants it."""
        if not self._debug_pub.get_subscription_count():
            return
        percept = observed.percept
        drawn = draw_percept(
            observed.image,
            camera,
            self._radius,
            percept.detection,
            percept.ball,
            observed.odom_pose,
        )
        self._debug_pub.publish(
            convert.image_message(drawn, observed.stamp, self._frames['camera'], 'bgr8')
        )
