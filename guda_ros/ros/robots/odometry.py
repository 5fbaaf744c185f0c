"""Odometry that a robot tells in a message of its own, on the topic that all nodes hear."""

from __future__ import annotations

import numpy as np
from rclpy.node import Node
from rclpy.publisher import Publisher

from guda_ros.data.contract import Contract
from guda_ros.ros.conversions import odometry_message
from guda_ros.ros.topics import count_publishers, Topics


class OdometryTopic:
    """
    Publish poses as nav_msgs/Odometry, stamped as they come, unless the robot does so itself.

    :param contract: names topic and frames. No velocity is told.
    """

    def __init__(self, node: Node, contract: Contract) -> None:
        self._node, self._frames, self._topics = node, contract.frames, Topics(contract)
        self._pub: Publisher | None = None

    def tell(self, pose: np.ndarray) -> None:
        """Publish a pose (3,): x, y [m], yaw [rad] in the frame of odometry."""
        mine = 0 if self._pub is None else 1
        if not np.isfinite(pose).all() or count_publishers(self._node, self.name) > mine:
            return
        if self._pub is None:
            self._pub = self._topics.publisher(self._node, 'odom')
        now = self._node.get_clock().now().nanoseconds
        frames = self._frames['odom'], self._frames['base']
        self._pub.publish(odometry_message(np.asarray(pose), now, *frames))

    @property
    def name(self) -> str:
        """Name of the topic."""
        return self._topics['odom'].name
