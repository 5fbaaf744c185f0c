"""A node's health on /diagnostics, once a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from guda_ros.ros.running import steady_timer
from guda_ros.ros.topics import Topics

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


class DiagnosticsPublisher:
    """
    Publish one status of a node at 1 Hz.

    :param report: returns level (OK, WARN, ERROR), message and a mapping of values.
    :param hardware_id: what is diagnosed, such as the robot's name.
    """

    def __init__(
        self,
        node: Node,
        report: Callable[[], tuple[bytes, str, Mapping[str, object]]],
        hardware_id: str,
    ) -> None:
        self._node = node
        self._report = report
        self._hardware_id = hardware_id
        topic = Topics()['diagnostics']
        # Not a lifecycle publisher: a node that is not active has a health, too.
        self._publisher = Node.create_publisher(node, topic.kind, topic.name, topic.publish)
        # Steady: a paused simulation stops the ROS clock and is exactly when health is asked for.
        self._timer = steady_timer(node, 1.0, self.publish)

    def publish(self) -> None:
        """Publish the present status now."""
        level, message, values = self._report()
        status = DiagnosticStatus(
            level=level,
            name=self._node.get_fully_qualified_name(),
            message=message,
            hardware_id=self._hardware_id,
            values=[KeyValue(key=str(key), value=str(value)) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)
