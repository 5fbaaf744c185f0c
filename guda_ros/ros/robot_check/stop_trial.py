"""Press the emergency stop of a running graph, see that the robot stands, and release it."""

from __future__ import annotations

from collections.abc import Callable
import json
import time
from typing import Any

import numpy as np
from rclpy.client import Client
from sensor_msgs.msg import Joy
from std_srvs.srv import Trigger

from guda_ros.control.joystick import JoystickMap
from guda_ros.data.contract import Contract
from guda_ros.ros.control.joystick_message import read_joy
from guda_ros.ros.control.sent_commands import SentCommands
from guda_ros.ros.conversions import pose_from_message
from guda_ros.ros.graph.monitor import GraphMonitor
from guda_ros.ros.robot_check.preflight_checks import Gamepad, StopTrial
from guda_ros.ros.robot_check.watch import ends_of
from guda_ros.ros.running import destroy_entities
from guda_ros.ros.topics import service_client, Topics
from guda_ros.soccer.robot import RobotProfile
from guda_ros.soccer.world import wrap_angle

#: How long [s] an answer of the safety node is waited for.
PATIENCE = 10.0
#: How long [s] the robot is looked at while it stands.
WATCH = 1.5
#: So many time constants after its last command a walk stands.
_SETTLED = 4.0


class StopBench:
    """
    Hear the safety node, the robot and the gamepad, and call for a stop.

    :param monitor: of the graph. :param joystick: the map that the graph uses. :param check: is
        called often; what it raises ends the trial.
    """

    def __init__(
        self,
        monitor: GraphMonitor,
        contract: Contract,
        robot: RobotProfile,
        joystick: JoystickMap,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._monitor, self._robot, self._map, self._check = monitor, robot, joystick, check
        node, topics = monitor.node, Topics(contract)
        self._node, self._joy_name = node, topics['joy'].name
        self._state: dict[str, Any] = {}
        self._zeros, self._poses = 0, []
        self._joy: Joy | None = None
        self._messages = 0
        self._commands = SentCommands(node, topics, self._on_command, stamped=None)
        self._press, self._release = (
            service_client(node, role) for role in ('emergency_stop', 'release')
        )
        self._entities = [
            topics.subscription(node, 'safety_state', self._on_state),
            topics.subscription(node, 'odom', self._on_odometry),
            topics.subscription(node, 'joy', self._on_joy),
            self._press,
            self._release,
        ]

    def _on_state(self, message: Any) -> None:
        self._state = json.loads(message.data)

    def _on_command(self, command: np.ndarray, _: int) -> None:
        self._zeros = self._zeros + 1 if not np.any(command) else 0

    def _on_odometry(self, message: Any) -> None:
        self._poses.append(pose_from_message(message))

    def _on_joy(self, message: Joy) -> None:
        self._joy, self._messages = message, self._messages + 1

    def gamepad(self) -> Gamepad:
        """Return what came on `joy` so far."""
        name = self._node.resolve_topic_name(self._joy_name)
        ends = ends_of(self._node.get_publishers_info_by_topic(name))
        state = None
        if self._joy is not None:
            state = read_joy(self._joy, self._map, self._node.get_clock(), PATIENCE)
        return Gamepad(
            tuple(dict.fromkeys(end.node for end in ends)),
            self._messages,
            '' if state is None else state.problem,
            frozenset() if state is None else state.pressed,
        )

    def run(self) -> StopTrial:
        """Press, look at the robot, and release again if nobody had pressed before."""
        answered = self._wait(lambda: bool(self._state) and self._commands.look())
        if not answered:
            return StopTrial()
        latched = self._state.get('cause', '') if self._state.get('stopped') else ''
        self._zeros = 0
        self._call(self._press)
        pressed = self._wait(lambda: bool(self._state.get('stopped')))
        # A stop that is latched already is sent again, too.
        zero = self._wait(lambda: self._zeros > 0)
        seconds, poses = self._stand()
        released, refusal = False, ''
        if pressed and not latched:
            answer = self._call(self._release)
            refusal = '' if answer is None or answer.success else answer.message
            released = not refusal and self._wait(lambda: not self._state.get('stopped'))
        moved = turned = 0.0
        if len(poses):
            moved = float(np.hypot(*(poses[:, :2] - poses[0, :2]).T).max())
            turned = float(np.abs(wrap_angle(poses[:, 2] - poses[0, 2])).max())
        return StopTrial(
            True, latched, pressed, zero, released, refusal, seconds, len(poses), moved, turned
        )

    def _stand(self) -> tuple[float, np.ndarray]:
        """Return how long the robot was looked at [s], and its poses (n, 3) in `odom`."""
        walk = self._robot.walk
        self._spin(walk.delay + _SETTLED * max(walk.response_time))
        self._poses = []
        began = time.monotonic()
        self._spin(WATCH)
        # A busy machine may be late with what was sent.
        self._wait(lambda: len(self._poses) > 1)
        return time.monotonic() - began, np.array(self._poses).reshape(-1, 3)

    def _call(self, client: Client) -> Trigger.Response | None:
        if not self._wait(client.service_is_ready):
            return None
        future = client.call_async(Trigger.Request())
        return future.result() if self._wait(future.done) else None

    def _spin(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._check()
            self._monitor.spin(0.02)

    def _wait(self, done: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + PATIENCE
        while not done():
            if time.monotonic() > deadline:
                return False
            self._check()
            self._monitor.spin(0.02)
        return True

    def close(self) -> None:
        """Hear nothing any more."""
        destroy_entities(self._node, [*self._entities, *self._commands.entities])
