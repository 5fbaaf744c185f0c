"""What an adapter needs of the one robot that it speaks to."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile

from guda_ros.robots.motion import RobotStatus
from guda_ros.ros.qos import DEFAULT
from guda_ros.soccer.driver import CHANNELS
from guda_ros.soccer.robot import RobotProfile


class Link:
    """
    The way to one robot; a subclass speaks its messages.

    :param status: filled with what the robot says of itself.
    """

    #: Name in a profile.
    NAME = ''
    #: Whether head and foot are moved by way of the adapter; else the robot hears the topics.
    LOOKS = KICKS = False

    def __init__(self, node: Node, robot: RobotProfile, status: RobotStatus) -> None:
        self.node, self.robot, self.status = node, robot, status
        self.channel = robot.driver.channel or CHANNELS[self.NAME]
        #: What this link cannot do, in words, although the robot can be driven.
        self.lack = ''
        #: Called with a pose (3,) of odometry that the robot tells in messages of its own.
        self.on_odometry: Callable[[np.ndarray], None] = lambda pose: None
        self._publishers: list[Publisher] = []

    def publisher(self, kind: type, topic: str, depth: int = 1) -> Publisher:
        """Create a publisher whose last message `finish` waits for."""
        self._publishers.append(self.node.create_publisher(kind, topic, depth))
        return self._publishers[-1]

    def hear(self, kind: type, topic: str, callback: Callable, qos: QoSProfile = DEFAULT) -> None:
        """Subscribe to a topic of the robot's."""
        self.node.create_subscription(kind, topic, callback, qos)

    def heard(self) -> bool:
        """Tell whether the robot is there to hear velocities."""
        return self._publishers[0].get_subscription_count() > 0

    def move(self, told: np.ndarray) -> None:
        """Tell the robot a velocity (3,): forward, left [m/s], turn [rad/s]."""
        raise NotImplementedError

    def look(self, positions: Mapping[str, float]) -> None:
        """Turn joints of the head, by their names, to positions [rad]."""

    def kick(self) -> None:
        """Kick."""

    def ask(self) -> None:
        """Ask the robot how it is; called once a second."""

    def walk(self) -> str:
        """Make the robot ready to walk; return why that cannot be done, empty if it was told."""
        return f'{self.NAME} has no way to do that: use what the robot brings for it'

    def rest(self) -> str:
        """Make the robot stand without walking; likewise."""
        return f'{self.NAME} has no way to do that: use what the robot brings for it'

    def get_up(self) -> str:
        """Make a fallen robot get up; likewise."""
        return f'{self.NAME} has no way to do that: use what the robot brings for it'

    def finish(self, seconds: float) -> None:
        """Leave the robot as it may be left, and wait until what was sent has arrived."""
        for publisher in self._publishers:
            publisher.wait_for_all_acked(Duration(seconds=seconds))
