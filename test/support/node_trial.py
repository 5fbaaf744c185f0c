"""Real nodes as processes, and a client in this process that talks to them over DDS."""

from __future__ import annotations

from collections import Counter
import json
import time

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped, Twist, TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState, Joy
from std_msgs.msg import Bool, Header, String
from std_srvs.srv import Trigger

from guda_ros.control.joystick import JoystickMap
from guda_ros.data.messages import stamp_to_ns
from guda_ros.ros.conversions import (
    ball_message,
    command_from_twist,
    ns_to_stamp,
    pose_message,
    twist_from_command,
    twist_stamped,
)
from guda_ros.ros.executor import QuietExecutor
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import NodeSpec
from guda_ros.ros.qos import COMMAND, DEFAULT, LATCHED

SECOND = 1_000_000_000
JOYSTICK = JoystickMap.load('xbox')


class NodeTrial:
    """
    Start nodes, publish to them and keep what they publish.

    :param nodes: executable to parameters.
    :param listen: topics of velocity commands to keep.
    :param log_dir: folder of the nodes' logs.
    :param plain: send and expect Twist instead of TwistStamped.
    :param domain: ROS domain, by default the first free one.
    """

    def __init__(
        self, nodes: dict[str, dict], log_dir, listen=('cmd_vel',), plain=False, domain=None
    ) -> None:
        self.graph = GraphProcesses(
            [
                NodeSpec(executable=name, name=name, parameters=parameters)
                for name, parameters in nodes.items()
            ],
            log_dir=log_dir,
            domain=domain,
        )
        self._nodes, self._listen, self._plain = nodes, listen, plain
        #: What was received: (topic, command (3,) as a list, stamp [ns], monotonic time [s]).
        self.commands = []
        self.states = []
        self.diagnostics = {}
        #: Stamp [ns] to who commanded; kicks and positions of the head that reached the robot.
        self.commanders = {}
        self.kicks = 0
        self.heads = []
        #: What the teleop node said of itself last.
        self.teleop = {}

    def __enter__(self) -> NodeTrial:
        self.graph.start()
        try:
            self.graph.wait_ready(30)
            self._open()
        except BaseException:
            self.graph.stop()
            raise
        return self

    def _open(self) -> None:
        self.context = Context()
        rclpy.init(
            context=self.context,
            domain_id=self.graph.domain,
            signal_handler_options=SignalHandlerOptions.NO,
        )
        self.node = rclpy.create_node('trial', context=self.context)
        self._executor = QuietExecutor(context=self.context)
        self._executor.add_node(self.node)
        kind = Twist if self._plain else TwistStamped
        self._pubs = {
            topic: self.node.create_publisher(message, topic, qos)
            for topic, message, qos in (
                ('joy', Joy, DEFAULT),
                ('/clock', Clock, DEFAULT),
                ('cmd_vel/policy', kind, COMMAND),
                ('cmd_vel/teleop', kind, COMMAND),
            )
            if topic not in self._listen
        }
        self._subs = [
            self.node.create_subscription(
                kind, topic, lambda message, topic=topic: self._keep(topic, message), DEFAULT
            )
            for topic in self._listen
        ]
        self._subs += [
            self.node.create_subscription(
                String, 'safety/state', lambda message: self.states.append(message.data), LATCHED
            ),
            self.node.create_subscription(DiagnosticArray, '/diagnostics', self._diagnose, 10),
            self.node.create_subscription(
                Header,
                'cmd_vel/source',
                lambda message: self.commanders.update(
                    {stamp_to_ns(message.stamp): message.frame_id}
                ),
                DEFAULT,
            ),
            self.node.create_subscription(Bool, 'kick', self._on_kick, DEFAULT),
            self.node.create_subscription(
                JointState,
                'head/command',
                lambda message: self.heads.append(dict(zip(message.name, message.position))),
                DEFAULT,
            ),
            self.node.create_subscription(
                String,
                'teleop/state',
                lambda message: self.teleop.update(json.loads(message.data)),
                LATCHED,
            ),
        ]
        expected = {'safety': ('joy', 'cmd_vel/policy'), 'teleop': ('joy',)}
        wanted = Counter(
            topic
            for name in self._nodes
            for topic in expected.get(name, ())
            if topic in self._pubs
        )
        assert self.wait_for(
            lambda: (
                all(
                    self._pubs[topic].get_subscription_count() >= count
                    for topic, count in wanted.items()
                )
                and all(self.node.count_publishers(topic) >= 1 for topic in self._listen)
            ),
            10,
        ), 'nodes do not connect'
        self.spin(0.1)

    def __exit__(self, *_) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)
        self.graph.stop()

    def _keep(self, topic, message) -> None:
        stamp = 0 if self._plain else stamp_to_ns(message.header.stamp)
        twist = message if self._plain else message.twist
        self.commands.append((topic, command_from_twist(twist).tolist(), stamp, time.monotonic()))

    def _on_kick(self, message) -> None:
        self.kicks += message.data

    def publish(self, kind, topic: str, message, qos=DEFAULT) -> None:
        """Publish on a topic that the nodes know, once somebody listens."""
        if topic not in self._pubs:
            self._pubs[topic] = self.node.create_publisher(kind, topic, qos)
            assert self.wait_for(self._pubs[topic].get_subscription_count)
            self.spin(0.1)
        self._pubs[topic].publish(message)

    def listen(self, kind, topic: str, qos=DEFAULT) -> list:
        """Return a list that grows with every message of a topic that somebody publishes."""
        heard = []
        self._subs.append(self.node.create_subscription(kind, topic, heard.append, qos))
        assert self.wait_for(lambda: self.node.count_publishers(topic))
        self.spin(0.2)
        return heard

    def lock(self, name: str, on: bool) -> None:
        """Switch a lock and wait until the safety node says so."""
        self.publish(Bool, f'lock/{name}', Bool(data=on), LATCHED)
        assert self.wait_for(lambda: (name in json.loads(self.states[-1])['locks']) == on)

    def kick(self, source: str) -> None:
        """Ask for a kick."""
        self.publish(Bool, f'kick/{source}', Bool(data=True), COMMAND)

    def look(self, source: str, **positions) -> None:
        """Ask for positions of the head."""
        self.publish(
            JointState,
            f'head/command/{source}',
            JointState(name=list(positions), position=list(positions.values())),
            COMMAND,
        )

    def stand_at(self, x: float, y: float, yaw: float) -> None:
        """Publish where localisation sees the robot."""
        self.publish(
            PoseWithCovarianceStamped,
            'pose',
            pose_message((x, y, yaw), self.now(), 'map', np.eye(3) * 0.01),
        )

    def observe(self, stamp: int | None = None) -> int:
        """Publish what perception sees of the ball; return its stamp [ns]."""
        stamp = self.now() if stamp is None else stamp
        self.publish(
            Odometry,
            'ball/odom',
            ball_message(
                (1.0, 0.0),
                (0.0, 0.0),
                stamp,
                'odom',
                position_covariance=np.eye(2) * 0.01,
                velocity_covariance=np.eye(2) * 0.01,
                radius=0.05,
            ),
        )
        return stamp

    def _diagnose(self, message) -> None:
        for status in message.status:
            self.diagnostics[status.name] = (
                status.level,
                status.message,
                {pair.key: pair.value for pair in status.values},
            )

    def spin(self, seconds: float) -> None:
        """Handle what arrives for a time."""
        self.wait_for(lambda: False, seconds)

    def wait_for(self, condition, timeout: float = 5.0) -> bool:
        """Handle what arrives until a condition holds; return whether it does."""
        deadline = time.monotonic() + timeout
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self._executor.spin_once(timeout_sec=min(left, 0.02))
        return True

    def now(self) -> int:
        """Return the wall clock [ns]."""
        return time.time_ns()

    def command(
        self, source: str, command, stamp: int | None = None, frame: str = 'base_link'
    ) -> int:
        """Publish a command as `teleop` or `policy` would; return its stamp [ns]."""
        stamp = self.now() if stamp is None else stamp
        message = (
            twist_from_command(command)
            if self._plain
            else twist_stamped(command, ns_to_stamp(stamp), frame)
        )
        self._pubs[f'cmd_vel/{source}'].publish(message)
        return stamp

    def joy(
        self, action=(0, 0, 0), deadman=True, pressed=(), stamp: int | None = None, look=(0.0, 0.0)
    ) -> int:
        """Publish what a gamepad would; return its stamp [ns]."""
        stamp = self.now() if stamp is None else stamp
        axes, buttons = JOYSTICK.encode(action, deadman, pressed, look)
        self.raw_joy(axes, buttons, stamp)
        return stamp

    def raw_joy(self, axes, buttons, stamp: int) -> None:
        """Publish a joystick message as it is."""
        message = Joy(axes=axes, buttons=buttons)
        message.header.stamp = ns_to_stamp(stamp)
        self._pubs['joy'].publish(message)

    def clock(self, nanoseconds: int) -> None:
        """Publish simulated time."""
        self._pubs['/clock'].publish(Clock(clock=ns_to_stamp(nanoseconds)))

    def answer(self, stamp: int, timeout: float = 5.0) -> list | None:
        """Wait for the command with a stamp and return it."""
        found = []

        def look() -> bool:
            found[:] = [command for _, command, own, _ in self.commands if own == stamp]
            return bool(found)

        self.wait_for(look, timeout)
        return found[0] if found else None

    def call(self, service: str) -> tuple[bool, str]:
        """Call a Trigger service of the safety node."""
        client = self.node.create_client(Trigger, f'safety/{service}')
        assert client.wait_for_service(5.0)
        future = client.call_async(Trigger.Request())
        assert self.wait_for(future.done), f'no answer from {service}'
        self.node.destroy_client(client)
        return future.result().success, future.result().message

    def log(self, name: str) -> str:
        """Return what a node has printed."""
        return (self.graph.log_dir / f'{name}.log').read_text()
