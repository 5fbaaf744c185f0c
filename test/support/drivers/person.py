"""A person with a gamepad beside a robot: sensor_msgs/Joy, and an eye on what the nodes say."""

from __future__ import annotations

from collections.abc import Callable
import json
import time

from diagnostic_msgs.msg import DiagnosticArray
import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Joy
from std_msgs.msg import String

from guda_ros.control.joystick import JoystickMap
from guda_ros.ros.conversions import ns_to_stamp
from guda_ros.ros.qos import DEFAULT, LATCHED

#: Where nodes say how things stand.
STATES = ('teleop/state', 'data_collector/recording', 'safety/state')
_PERIOD = 0.04


class Person:
    """
    Hold sticks and buttons: `sticks` (3,) in [-1, 1], and `held` while the dead-man is held.

    `said` is what nodes said last on their topics, `diagnostics` by name: level, text, values.
    """

    def __init__(self, domain: int) -> None:
        self._pad = JoystickMap.load('xbox')
        self._context = Context()
        rclpy.init(
            context=self._context,
            domain_id=domain,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self.node = rclpy.create_node('person', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._joy = self.node.create_publisher(Joy, 'joy', DEFAULT)
        self.said: dict[str, dict] = {}
        self.diagnostics: dict[str, tuple] = {}
        for topic in STATES:
            self.node.create_subscription(
                String,
                topic,
                lambda message, topic=topic: self.said.update({topic: json.loads(message.data)}),
                LATCHED,
            )
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._diagnose, 10)
        self.sticks, self.held = np.zeros(3), False
        self._next = 0.0

    def _diagnose(self, message: DiagnosticArray) -> None:
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            self.diagnostics[status.name] = status.level, status.message, values

    def wait(
        self, condition: Callable[[], object], seconds: float = 30.0, tell=lambda: ''
    ) -> None:
        """Hold on until a condition is true."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f'{tell()}\n{self.said}\n{self.diagnostics}'
            self._hold()

    def _hold(self, *buttons: str) -> None:
        if self._joy is not None and (time.monotonic() >= self._next or buttons):
            self._next = time.monotonic() + _PERIOD
            axes, pressed = self._pad.encode(self.sticks, self.held, buttons)
            message = Joy(axes=axes, buttons=pressed)
            message.header.stamp = ns_to_stamp(time.time_ns())
            self._joy.publish(message)
        self._executor.spin_once(timeout_sec=_PERIOD / 2)

    def press(self, button: str, condition: Callable[[], object], seconds: float = 30.0) -> None:
        """Press a button, again where nobody heard it, until a condition is true."""
        self.wait(lambda: self._joy.get_subscription_count() and self.said.keys() >= {*STATES})
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f'{button}: {self.said}'
            for _ in range(3):
                self._hold(button)
            pause = time.monotonic() + 2.0
            while time.monotonic() < pause and not condition():
                self._hold()

    def put_away(self) -> None:
        """Put the pad away, and only look on."""
        self.node.destroy_publisher(self._joy)
        self._joy = None

    @property
    def episode(self) -> dict:
        """What the teleop node says of the episode."""
        return self.said.get('teleop/state', {}).get('episode', {})

    @property
    def recording(self) -> dict:
        """What the recorder says."""
        return self.said.get('data_collector/recording', {})

    def close(self) -> None:
        """Leave."""
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)
