"""
A robot that walks on with the last velocity it heard, as a process that keeps a log.

    python fake_robot.py TOPIC LOG [stamped]

Each line of the log: steady time [s], which all processes of a machine share, and the command.
"""

from __future__ import annotations

import sys
import time

from geometry_msgs.msg import Twist, TwistStamped
import rclpy
from rclpy.executors import ExternalShutdownException


def main() -> None:
    """Hear velocities until it is ended."""
    topic, path = sys.argv[1:3]
    kind = TwistStamped if 'stamped' in sys.argv[3:] else Twist
    rclpy.init()
    node = rclpy.create_node('fake_robot')
    with open(path, 'a', buffering=1, encoding='utf-8') as log:

        def hear(message) -> None:
            twist = message.twist if kind is TwistStamped else message
            log.write(f'{time.monotonic()} {twist.linear.x} {twist.linear.y} {twist.angular.z}\n')

        node.create_subscription(kind, topic, hear, 10)
        try:
            rclpy.spin(node)
        except (KeyboardInterrupt, ExternalShutdownException):
            pass


if __name__ == '__main__':
    main()
