"""Velocity commands on their topics: those that are wanted in, the one that is followed out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from geometry_msgs.msg import Twist, TwistStamped
import numpy as np
from rclpy.duration import Duration
from rclpy.node import Node
from std_msgs.msg import Header

from guda_ros.data.messages import stamp_to_ns
from guda_ros.data.verdicts import SOURCES
from guda_ros.ros.conversions import (
    command_from_twist,
    ns_to_stamp,
    twist_from_command,
    twist_stamped,
)
from guda_ros.ros.parameters import declare_stamped, Parameters
from guda_ros.ros.robot_check.ends import commands_problem
from guda_ros.ros.robot_check.watch import ends_of, EndsWatch
from guda_ros.ros.topics import Topics, type_name


class CommandTopics:
    """
    Subscribe to the sources' commands, and publish `cmd_vel` and who commanded it.

    With each command goes a std_msgs/Header on `cmd_vel/source`: the same stamp, and in `frame_id`
    who commanded.

    :param frame: of commands that carry none.
    :param on_command: called with source, command (3,), stamp [ns] and frame of each message.
    """

    def __init__(
        self,
        node: Node,
        parameters: Parameters,
        topics: Topics,
        frame: str,
        on_command: Callable[[str, np.ndarray, int, str], None],
    ) -> None:
        self._node, self._frame, self._on_command = node, frame, on_command
        self._stamped = declare_stamped(parameters, 'publish TwistStamped; false: Twist')
        self._stamped_input = parameters.declare(
            'stamped_input', True, 'subscribe to TwistStamped; false: Twist', read_only=True
        )
        kind = TwistStamped if self._stamped else Twist
        self._pub = topics.publisher(node, 'command', kind=kind)
        self._source_pub = topics.publisher(node, 'command_source')
        self._heartbeat_pub = topics.publisher(node, 'heartbeat')
        kind = TwistStamped if self._stamped_input else Twist
        self._subs = [
            topics.subscription(node, f'command_{source}', partial(self._take, source), kind=kind)
            for source in SOURCES
        ]
        wishes = [topics[f'command_{source}'].name for source in SOURCES]
        self._wishes = EndsWatch(node, dict.fromkeys(wishes, type_name(kind)))
        #: Stamp [ns] of the latest command that was sent; -1 before the first.
        self.sent_stamp = -1

    def _take(self, source: str, message: TwistStamped | Twist) -> None:
        if self._stamped_input:
            stamp, frame = stamp_to_ns(message.header.stamp), message.header.frame_id
            twist = message.twist
        else:
            stamp, frame = self._node.get_clock().now().nanoseconds, self._frame
            twist = message
        self._on_command(source, command_from_twist(twist), stamp, frame)

    def send(self, command: np.ndarray, stamp: int, commander: str) -> None:
        """Publish a command (3,) with a stamp [ns], and who commanded it."""
        self.sent_stamp = stamp
        # First, so that who has the command knows whose it is.
        self._source_pub.publish(Header(stamp=ns_to_stamp(stamp), frame_id=commander))
        if self._stamped:
            self._pub.publish(twist_stamped(command, ns_to_stamp(stamp), self._frame))
        else:
            self._pub.publish(twist_from_command(command))

    def beat(self) -> None:
        """Tell an adapter, if there is one, that the latest command holds."""
        if self._heartbeat_pub.get_subscription_count():
            stamp = self._node.get_clock().now().to_msg()
            self._heartbeat_pub.publish(Header(stamp=stamp))

    def wait_until_heard(self, seconds: float) -> None:
        """Wait until the latest command has arrived, but no longer."""
        self._pub.wait_for_all_acked(Duration(seconds=seconds))

    def problem(self) -> str:
        """Return what keeps commands from coming in or being heard, else empty."""
        told = self._wishes.problems()
        hearers = ends_of(self._node.get_subscriptions_info_by_topic(self._pub.topic_name))
        kind = type_name(TwistStamped if self._stamped else Twist)
        unheard = commands_problem(self._pub.topic_name, kind, hearers)
        if unheard is not None:
            told.append('; '.join(filter(None, unheard)))
        return '; '.join(told)

    def rivals(self) -> str:
        """Return what is wrong if somebody else publishes commands to the robot, else empty."""
        others = self._node.count_publishers(self._pub.topic_name) - 1
        return f'{others} other publisher(s) of {self._pub.topic_name}' if others > 0 else ''
