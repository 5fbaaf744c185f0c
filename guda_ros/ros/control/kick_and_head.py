"""Kicks and movements of the head on their way through the safety node."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool

from guda_ros.control.arbiter import Instant
from guda_ros.control.head_joints import to_driver
from guda_ros.control.kick_and_head import KickGate, limit_head
from guda_ros.control.safety_gate import SafetyGate
from guda_ros.data.verdicts import SOURCES
from guda_ros.ros.topics import Topics
from guda_ros.soccer.robot import RobotProfile


class KickAndHead:
    """
    Pass what the sources want on as `kick` and `head/command`.

    :param gate: tells which source may act. :param now: the moment on the node's clocks.
    """

    def __init__(
        self,
        node: Node,
        topics: Topics,
        gate: SafetyGate,
        now: Callable[[], Instant],
        robot: RobotProfile,
    ) -> None:
        self._node, self._gate, self._now, self._robot = node, gate, now, robot
        self._kick_gate = KickGate(robot)
        self._kick_pub = topics.publisher(node, 'kick')
        self._head_pub = topics.publisher(node, 'head_command')
        for source in SOURCES:
            topics.subscription(node, f'kick_{source}', partial(self._on_kick, source))
            topics.subscription(node, f'head_command_{source}', partial(self._on_head, source))

    def _on_kick(self, source: str, message: Bool) -> None:
        if not message.data:
            return
        now = self._now()
        refused = self._gate.may_act(source, now) or self._kick_gate.refuse(now)
        if refused:
            self._node.get_logger().warning(f'no kick: {refused}')
        else:
            self._kick_pub.publish(Bool(data=True))

    def _on_head(self, source: str, message: JointState) -> None:
        refused, wanted = self._gate.may_act(source, self._now()), {}
        try:
            wanted = limit_head(dict(zip(message.name, message.position)), self._robot.head)
        except ValueError as error:
            refused = str(error)
        if refused:
            self._node.get_logger().warning(
                f'the head stays: {refused}', throttle_duration_sec=5.0
            )
            return
        told = to_driver(wanted, self._robot.head.joints)
        command = JointState(name=list(told), position=list(told.values()))
        command.header.stamp = message.header.stamp
        self._head_pub.publish(command)
