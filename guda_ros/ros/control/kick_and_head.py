"""Kicks and movements of the head on their way through the safety node."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
import time

from rclpy.node import Node
from rclpy.timer import Timer
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool

from guda_ros.control.arbiter import Instant
from guda_ros.control.head_joints import to_driver
from guda_ros.control.kick_and_head import KickGate, limit_head
from guda_ros.control.safety_gate import SafetyGate
from guda_ros.data.verdicts import SOURCES
from guda_ros.ros.running import steady_timer
from guda_ros.ros.topics import Topics
from guda_ros.soccer.robot import RobotProfile

#: Seconds that a kick waits for the dead-man, and between two looks.
_GRACE, _AGAIN = 0.2, 0.02
#: Seconds for which a head that somebody turned does not turn by itself.
LEFT_ALONE = 3.0


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
        #: Source -> until when [s] a kick that it asked for waits for the dead-man.
        self._asked: dict[str, float] = {}
        self._timer: Timer | None = None
        self._kick_pub = topics.publisher(node, 'kick')
        self._head_pub = topics.publisher(node, 'head_command')
        self._turned = -LEFT_ALONE
        if robot.head.gaze is not None:
            topics.subscription(node, 'head_command_gaze', self._on_gaze)
        for source in SOURCES:
            topics.subscription(node, f'kick_{source}', partial(self._on_kick, source))
            topics.subscription(node, f'head_command_{source}', partial(self._on_head, source))

    def _on_kick(self, source: str, message: Bool) -> None:
        if message.data:
            self._asked[source] = time.monotonic() + _GRACE
            self._kick()

    def _kick(self) -> None:
        """Pass on the kicks that are asked for, refuse them, or let them wait."""
        now = self._now()
        for source, until in list(self._asked.items()):
            refused = self._gate.may_act(source, now)
            alone = refused and not self._gate.may_act(source, now, walking=False)
            if alone and time.monotonic() < until:
                # The dead-man that was pressed with it comes on another topic.
                continue
            del self._asked[source]
            refused = refused or self._kick_gate.refuse(now)
            if refused:
                self._node.get_logger().warning(f'no kick: {refused}')
            else:
                self._kick_pub.publish(Bool(data=True))
        if self._asked and self._timer is None:
            self._timer = steady_timer(self._node, _AGAIN, self._kick)
        elif not self._asked and self._timer is not None:
            self._node.destroy_timer(self._timer)
            self._timer = None

    def _on_head(self, source: str, message: JointState) -> None:
        refused, wanted = self._gate.may_act(source, self._now(), walking=False), {}
        try:
            wanted = limit_head(dict(zip(message.name, message.position)), self._robot.head)
        except ValueError as error:
            refused = str(error)
        if refused:
            self._node.get_logger().warning(
                f'the head stays: {refused}', throttle_duration_sec=5.0
            )
            return
        self._turned = time.monotonic()
        self._send_head(wanted, message)

    def _on_gaze(self, message: JointState) -> None:
        """Let the head look by itself where nobody else turns it, and the robot may move."""
        if self._gate.stopped or time.monotonic() - self._turned < LEFT_ALONE:
            return
        try:
            wanted = limit_head(dict(zip(message.name, message.position)), self._robot.head)
        except ValueError as error:
            self._node.get_logger().warning(f'the head stays: {error}', throttle_duration_sec=5.0)
            return
        self._send_head(wanted, message)

    def _send_head(self, wanted: dict[str, float], message: JointState) -> None:
        told = to_driver(wanted, self._robot.head.joints)
        command = JointState(name=list(told), position=list(told.values()))
        command.header.stamp = message.header.stamp
        self._head_pub.publish(command)
