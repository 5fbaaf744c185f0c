"""Bases that hear Twist or TwistStamped: TurtleBot, Create, and whatever has such a driver."""

from __future__ import annotations

from geometry_msgs.msg import Twist, TwistStamped
import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import BatteryState

from guda_ros.robots.motion import RobotStatus
from guda_ros.ros.conversions import twist_from_command, twist_stamped
from guda_ros.ros.robots.link import Link
from guda_ros.soccer.robot import RobotProfile


class TwistLink(Link):
    """Send Twist, or TwistStamped, on a topic of the driver's; hear `battery_state`."""

    NAME = 'twist'

    def __init__(self, node: Node, robot: RobotProfile, status: RobotStatus) -> None:
        super().__init__(node, robot, status)
        self._stamped = robot.driver.channel_stamped
        self._pub = self.publisher(TwistStamped if self._stamped else Twist, self.channel)
        quality = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.hear(BatteryState, 'battery_state', self._on_battery, quality)

    def move(self, told: np.ndarray) -> None:
        """Publish a velocity."""
        if self._stamped:
            now = self.node.get_clock().now().nanoseconds
            self._pub.publish(twist_stamped(told, now))
        else:
            self._pub.publish(twist_from_command(told))

    def _on_battery(self, message: BatteryState) -> None:
        # sensor_msgs: a number that is not measured is NaN.
        charge = float(message.percentage)
        self.status.battery = charge if 0 <= charge <= 1 else None
