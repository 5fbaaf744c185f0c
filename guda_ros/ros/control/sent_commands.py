"""Hear what the robot is sent, with its stamp, be it TwistStamped or Twist."""

from __future__ import annotations

from collections.abc import Callable, Iterable
import time

from geometry_msgs.msg import Twist, TwistStamped
import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_msgs.msg import Header

from guda_ros.control.command_stamps import CommandStamps, StampedCommand
from guda_ros.data.messages import stamp_to_ns
from guda_ros.ros.conversions import command_from_twist
from guda_ros.ros.running import steady_timer
from guda_ros.ros.topics import Topics, type_name


class SentCommands:
    """
    Subscribe to `cmd_vel`.

    A Twist has no stamp: it gets that of the header on `cmd_vel/source` which the safety node sent
    just before it, or, without one, that of its reception.

    :param stamped: whether it is TwistStamped; None: as who publishes it does, once `look` has
        seen that. :param on_command: called with command (3,) and stamp [ns].
    :param qos: of the subscription to commands, by default the table's.
    """

    def __init__(
        self,
        node: Node,
        topics: Topics,
        on_command: Callable[[np.ndarray, int], None],
        stamped: bool | None,
        qos: QoSProfile | None = None,
    ) -> None:
        self._node, self._topics, self._on_command, self._qos = node, topics, on_command, qos
        self._stamps = CommandStamps()
        #: Subscriptions and timers, for who destroys them.
        self.entities: list = []
        if stamped is not None:
            self._subscribe(stamped)

    def look(self) -> bool:
        """Subscribe as soon as somebody publishes commands; tell whether that is done."""
        if self.entities:
            return True
        name = self._topics['command'].name
        kinds = {info.topic_type for info in self._node.get_publishers_info_by_topic(name)}
        for kind in (TwistStamped, Twist):
            if type_name(kind) in kinds:
                self._subscribe(kind is TwistStamped)
                return True
        return False

    def _subscribe(self, stamped: bool) -> None:
        node, hear = self._node, self._topics.subscription
        if stamped:
            self.entities = [hear(node, 'command', self._take_stamped, qos=self._qos)]
            return
        self.entities = [
            # First, because it is sent first.
            hear(node, 'command_source', self._take_header),
            hear(node, 'command', self._take_plain, kind=Twist, qos=self._qos),
            steady_timer(node, 0.05, lambda: self._tell(self._stamps.due(time.monotonic()))),
        ]

    def _take_stamped(self, message: TwistStamped) -> None:
        self._on_command(command_from_twist(message.twist), stamp_to_ns(message.header.stamp))

    def _take_header(self, message: Header, info: dict) -> None:
        self._tell(
            self._stamps.header(
                info['source_timestamp'],
                stamp_to_ns(message.stamp),
                message.frame_id,
                time.monotonic(),
            )
        )

    def _take_plain(self, message: Twist, info: dict) -> None:
        received = self._node.get_clock().now().nanoseconds
        self._tell(
            self._stamps.command(
                info['source_timestamp'], received, command_from_twist(message), time.monotonic()
            )
        )

    def _tell(self, commands: Iterable[StampedCommand]) -> None:
        for known in commands:
            self._on_command(known.command, known.stamp)
