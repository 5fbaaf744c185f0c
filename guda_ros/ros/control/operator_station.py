"""The station of a person who drives: sends `joy`, and knows how everything stands."""

from __future__ import annotations

import json
import time
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from nav_msgs.msg import Odometry
import numpy as np
from rcl_interfaces.srv import GetParameters
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Joy

from guda_ros.control.joystick import JoystickMap, JoystickState
from guda_ros.data.contract import Contract
from guda_ros.errors import GudaError
from guda_ros.ros import conversions as convert
from guda_ros.ros import qos
from guda_ros.ros.control.sent_commands import SentCommands
from guda_ros.ros.diagnostics import ERROR, OK
from guda_ros.ros.executor import QuietExecutor
from guda_ros.ros.graph.names import RosNames, USUAL_NAMES
from guda_ros.ros.topics import service_client, Topics
from guda_ros.soccer import world

#: What is older than this [s] is not shown as if it were so now.
FRESH = 1.5
#: Attribute of OperatorStation -> role of the topic on which a node tells it, as JSON.
_STATES = {
    'teleop': 'teleop_state',
    'safety': 'safety_state',
    'recording': 'recording',
    'augmentation': 'augmentation',
    'episode': 'episode',
}


class OperatorStation:
    """
    A node of this process, spun by hand, in a graph that has a teleop node.

    :param names: namespace and remaps of the graph.
    :raises GudaError: if there is no teleop node in the domain.
    """

    def __init__(self, domain: int, contract: Contract, names: RosNames = USUAL_NAMES) -> None:
        self._contract = contract
        self._context = Context()
        rclpy.init(
            context=self._context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO
        )
        self._node = node = Node(
            'operator_station',
            context=self._context,
            cli_args=names.arguments,
            start_parameter_services=False,
        )
        self._executor = QuietExecutor(context=self._context)
        self._executor.add_node(node)
        self._commands: SentCommands | None = None
        try:
            joystick, simulated = self._ask_teleop(domain)
            #: The map that the graph uses.
            self.map = JoystickMap.load(joystick)
        except BaseException:
            self.close()
            raise
        node.set_parameters([Parameter('use_sim_time', value=simulated)])
        #: What the nodes say of themselves, as they say it (JSON objects).
        self.teleop, self.safety, self.recording, self.episode = {}, {}, {}, {}
        self.augmentation = {}
        self._heard: dict[str, tuple[float, object]] = {}
        self._lively: dict[str, float] = {}
        self._complaints: dict[str, tuple[float, bytes, str]] = {}
        topics = Topics(contract)
        self._pub = topics.publisher(node, 'joy')
        for name, role in _STATES.items():
            topics.subscription(
                node, role, lambda message, name=name: self._take(name, message.data)
            )
        hear = self._hear
        topics.subscription(
            node, 'command_source', lambda message: hear('commander', message.frame_id)
        )
        self._commands = SentCommands(
            node, topics, lambda command, _: hear('command', command), stamped=None
        )
        topics.subscription(
            node,
            'pose',
            lambda message: hear(
                'pose',
                convert.pose_from_message(message) if convert.pose_is_known(message) else None,
            ),
        )
        # Of what is only shown, the newest will do.
        for name, read in (
            ('odom', convert.pose_from_message),
            ('ground_truth_robot', convert.pose_from_message),
            ('ball', _known_position),
            ('ground_truth_ball', _known_position),
        ):
            topics.subscription(
                node,
                name,
                lambda message, name=name, read=read: hear(name, read(message)),
                qos=qos.COMMAND,
            )
        topics.subscription(node, 'diagnostics', self._on_diagnostics)

    def _ask_teleop(self, domain: int, timeout: float = 10.0) -> tuple[str, bool]:
        client = service_client(self._node, 'teleop_parameters')
        request = GetParameters.Request(names=['joystick', 'use_sim_time'])
        deadline, future = time.monotonic() + timeout, None
        while future is None or not future.done():
            if time.monotonic() > deadline:
                raise GudaError(
                    f'there is no teleop node in ROS domain {domain}: start a graph '
                    'that has one, such as `guda up robot`, or name its --domain'
                )
            if future is None and client.service_is_ready():
                future = client.call_async(request)
            self.spin(0.05)
        joystick, simulated = future.result().values
        return joystick.string_value, simulated.bool_value

    def spin(self, seconds: float) -> None:
        """Handle what arrives, for at most so long."""
        deadline = time.monotonic() + seconds
        if self._commands is not None:
            self._commands.look()
        while True:
            self._executor.spin_once(timeout_sec=max(0.0, deadline - time.monotonic()))
            if time.monotonic() >= deadline:
                return

    def send(self, state: JoystickState) -> None:
        """Publish what the person wants, as the graph's gamepad would say it."""
        axes, buttons = self.map.say(state)
        now = self._node.get_clock().now().nanoseconds
        self._pub.publish(Joy(header=convert.header(now, ''), axes=axes, buttons=buttons))

    def let_go(self) -> None:
        """Say that nothing is held any more, and wait a moment until it is heard."""
        self.send(JoystickState(np.zeros(3), frozenset()))
        self.spin(0.1)

    @property
    def seconds(self) -> float:
        """How long the episode that is running has lasted [s of ROS time]."""
        now = self._node.get_clock().now().nanoseconds
        return max(0, now - self.episode.get('stamp', now)) * 1e-9

    def latest(self, name: str) -> Any:
        """Return what a topic said last, None if that is too long ago."""
        when, what = self._heard.get(name, (-np.inf, None))
        return what if time.monotonic() - when < FRESH else None

    @property
    def scene(self) -> tuple[np.ndarray | None, np.ndarray | None, str]:
        """Return robot (3,) and ball (2,) in `map`, each None if unknown, and who says so."""
        robot, ball = self.latest('ground_truth_robot'), self.latest('ground_truth_ball')
        if robot is not None:
            return robot, ball, 'truth'
        robot, odom, ball = (self.latest(name) for name in ('pose', 'odom', 'ball'))
        if robot is None or odom is None or ball is None:
            return robot, None, 'perception'
        return robot, world.from_frame(world.to_frame(ball, odom), robot), 'perception'

    def silent(self, name: str) -> bool:
        """Tell whether a node, `teleop` or `safety`, has said nothing for a while."""
        return time.monotonic() - self._lively.get(name, -np.inf) > 2 * FRESH

    @property
    def complaints(self) -> list[tuple[bool, str]]:
        """What nodes complain of now, in /diagnostics: whether it is an error, and the text."""
        now = time.monotonic()
        found = [
            (level == ERROR, f'{name.strip("/")}: {text}')
            for name, (when, level, text) in sorted(self._complaints.items())
            if level != OK and now - when < 2 * FRESH
        ]
        return sorted(found, key=lambda complaint: not complaint[0])

    def _take(self, name: str, text: str) -> None:
        try:
            value = json.loads(text)
        except ValueError:
            value = None
        if isinstance(value, dict):
            setattr(self, name, value)
            self._lively[name] = time.monotonic()

    def _hear(self, name: str, value) -> None:
        self._heard[name] = time.monotonic(), value

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            self._lively[status.name.rpartition('/')[2]] = time.monotonic()
            self._complaints[status.name] = time.monotonic(), status.level, status.message

    def close(self) -> None:
        """Leave the graph."""
        if self._context.ok():
            self._executor.shutdown()
            self._node.destroy_node()
            rclpy.shutdown(context=self._context)


def _known_position(message: Odometry) -> np.ndarray | None:
    position, _, known = convert.ball_from_message(message)
    return position if known else None
