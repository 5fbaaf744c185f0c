"""A NAO by naoqi_driver2: Twist to ALMotion.move, which has no time-out, and the head."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from rclpy.node import Node

from guda_ros.robots.motion import RobotStatus
from guda_ros.ros.conversions import twist_from_command
from guda_ros.ros.robots.foreign import interface, MissingMessages
from guda_ros.ros.robots.twist import TwistLink
from guda_ros.soccer.robot import RobotProfile

#: What the motors of a NAO's head reach [rad/s]; joint speeds are told as a share of it.
_HEAD_SPEED = 8.0


class NaoqiLink(TwistLink):
    """Publish Twist where naoqi_driver2 was told to hear it, and `joint_angles` for the head."""

    NAME, LOOKS = 'naoqi', True

    def __init__(self, node: Node, robot: RobotProfile, status: RobotStatus) -> None:
        super().__init__(node, robot, status)
        try:
            self._angles = interface(
                'naoqi_bridge_msgs/msg/JointAnglesWithSpeed', 'turning the head'
            )
        except MissingMessages as error:
            self._angles, self.lack = None, str(error)
        else:
            self._head = self.publisher(self._angles, 'joint_angles')

    def move(self, told: np.ndarray) -> None:
        """Publish a velocity, which the robot follows until it hears another."""
        self._pub.publish(twist_from_command(told))

    def look(self, positions: Mapping[str, float]) -> None:
        """Turn the head, if the messages for it are there."""
        if self._angles is None:
            return
        self._head.publish(
            self._angles(
                joint_names=list(positions),
                joint_angles=list(positions.values()),
                speed=min(1.0, self.robot.head.speed / _HEAD_SPEED),
                relative=0,
            )
        )
