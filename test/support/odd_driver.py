"""A robot's driver, a participant of its own, that does one thing or other as it should not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import threading
import time

from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CameraInfo, Image, Imu, JointState

from guda_ros.ros import qos
from guda_ros.ros.conversions import (
    camera_info_message,
    image_message,
    imu_message,
    joint_state_message,
    ns_to_stamp,
    odometry_message,
)


@dataclass(frozen=True)
class Habits:
    """
    What a driver does.

    names: role -> topic, None for a role that it has not. kinds: message classes other than the
    usual ones. rates: in Hz. best_effort: its publishers. stamped: its headers. shift: of its
    clock [s]; shifts: of one role. edit: changes a message before it is sent.
    """

    names: dict[str, str | None] = field(default_factory=dict)
    kinds: dict[str, type] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    best_effort: bool = False
    stamped: bool = True
    shift: float = 0.0
    shifts: dict[str, float] = field(default_factory=dict)
    edit: Callable[[str, object], None] = lambda role, message: None


#: Role -> topic, message class and rate [Hz] of a driver for NAO that does all right.
USUAL = {
    'image': ('image_raw', Image, 30.0),
    'camera_info': ('camera_info', CameraInfo, 30.0),
    'odom': ('odom', Odometry, 50.0),
    'joint_states': ('joint_states', JointState, 30.0),
    'imu': ('imu/data', Imu, 30.0),
}
#: Of its images: small, because only their size and their place in time are looked at.
WIDTH, HEIGHT = 80, 60


class OddDriver:
    """A driver that sends from a thread of its own, from `with` until its end."""

    def __init__(self, domain: int, habits: Habits = Habits(), name: str = 'driver') -> None:
        self._habits = habits
        self._context = Context()
        rclpy.init(
            context=self._context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO
        )
        self.node = Node(name, context=self._context, start_parameter_services=False)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._pubs = {}
        offered = qos.SENSOR_DATA if habits.best_effort else qos.DEFAULT
        for role, (topic, kind, rate) in USUAL.items():
            topic = habits.names.get(role, topic)
            if topic is None:
                continue
            kind = habits.kinds.get(role, kind)
            self._pubs[role] = self.node.create_publisher(kind, topic, offered)
            period = 1 / habits.rates.get(role, rate)
            self.node.create_timer(period, lambda role=role, kind=kind: self._send(role, kind))
        command = habits.names.get('command', 'cmd_vel')
        #: How many commands it has heard.
        self.commands = 0
        #: The commands (3,) themselves, if they are TwistStamped.
        self.told: list[tuple[float, float, float]] = []
        if command is not None:
            kind = habits.kinds.get('command', TwistStamped)
            self.node.create_subscription(kind, command, self._on_command, qos.DEFAULT)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> OddDriver:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._ended.set()
        self._thread.join()
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._executor.spin_once(timeout_sec=0.05)

    def _on_command(self, message) -> None:
        self.commands += 1
        if isinstance(message, TwistStamped):
            velocity = message.twist
            self.told.append((velocity.linear.x, velocity.linear.y, velocity.angular.z))

    def _send(self, role: str, kind: type) -> None:
        if kind is not USUAL[role][1]:
            self._pubs[role].publish(kind())
            return
        shift = self._habits.shifts.get(role, self._habits.shift)
        now = time.time_ns() + round(shift * 1e9)
        stamp = ns_to_stamp(now if self._habits.stamped else 0)
        if role == 'image':
            pixels = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
            message = image_message(pixels, stamp, 'CameraBottom_optical_frame')
        elif role == 'camera_info':
            message = camera_info_message(
                WIDTH, HEIGHT, 60.0, stamp, 'CameraBottom_optical_frame', (0.1, 0, 0, 0, 0)
            )
        elif role == 'odom':
            message = odometry_message((0.0, 0.0, 0.0), stamp, 'odom', 'base_link')
        elif role == 'joint_states':
            message = joint_state_message({'HeadYaw': 0.1, 'HeadPitch': 0.2}, stamp)
        else:
            message = imu_message(np.zeros(3), np.array([0, 0, 9.81]), stamp, 'base', (1, 1))
        self._habits.edit(role, message)
        self._pubs[role].publish(message)
