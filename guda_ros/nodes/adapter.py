"""The node between the safety node and a robot: says in the robot's words what is safe."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import sys
import time

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Header, String
from std_srvs.srv import Trigger

from guda_ros.robots import motion
from guda_ros.robots.dead_zone import to_robot
from guda_ros.ros.control.sent_commands import SentCommands
from guda_ros.ros.diagnostics import DiagnosticsPublisher
from guda_ros.ros.parameters import declare_contract, declare_stamped, Parameters
from guda_ros.ros.robots.links import open_link
from guda_ros.ros.robots.odometry import OdometryTopic
from guda_ros.ros.robots.report import AdapterReport
from guda_ros.ros.running import exit_process, NodeStartError, run_node, steady_timer, terminable
from guda_ros.ros.topics import offer_service, Topics
from guda_ros.soccer.driver import ADAPTERS
from guda_ros.soccer.robot import RobotProfile

#: What was told last is told again after this time [s]: a message may be lost, and the robot
#: follows the last one.
AGAIN = 0.1
#: How often [s] the watchdog looks.
TICK = 0.02


class Adapter(Node):
    """
    Tell a robot what the safety node sends, in its own messages, and stop it when in doubt.

    The robot stands when neither a command nor a heartbeat of the safety node came for
    `watchdog` seconds, from the first sign of a fall until it is up, and when this node ends by
    anything that a process can see. It never gets up or changes its mode by itself: services do.
    """

    def __init__(self) -> None:
        super().__init__('adapter')
        self._stopping = self._ended = False
        self._told, self._told_at = np.zeros(3), float('-inf')
        self._reason, self._said = motion.STARTING, ''
        parameters = Parameters(self)
        contract = declare_contract(parameters)
        robot = RobotProfile.load(parameters['robot'] or contract.robot)
        name = parameters.declare(
            'adapter',
            '',
            "how the robot is spoken to; empty: the robot profile's driver.adapter",
            choices=('', *ADAPTERS),
            read_only=True,
        )
        watchdog = parameters.declare(
            'watchdog',
            robot.driver.watchdog,
            "silence that stops the robot; default: the robot profile's",
            unit='s',
            low=0.05,
            high=1.0,
            read_only=True,
        )
        stamped = declare_stamped(parameters, 'hear TwistStamped on cmd_vel; false: Twist')
        self._robot, self._motion = robot, motion.Motion(watchdog)
        topics = Topics(contract)
        self._link = open_link(name or robot.driver.adapter, self, robot, self._motion.status)
        self._link.on_odometry = OdometryTopic(self, contract).tell
        command = self.resolve_topic_name(topics['command'].name)
        if self.resolve_topic_name(self._link.channel) == command:
            raise NodeStartError(
                f'the robot is to hear {command} from this node, where the safety node speaks: '
                'give it another name by driver.channel of the robot profile, or the safety '
                "node's by topics.command"
            )
        self._about = AdapterReport(self._link, self._motion)
        self._state_pub = topics.publisher(self, 'adapter_state')
        SentCommands(self, topics, self._on_command, stamped)
        self._subs = [topics.subscription(self, 'heartbeat', self._on_heartbeat)]
        if self._link.LOOKS:
            self._subs.append(topics.subscription(self, 'head_command', self._on_head))
        if self._link.KICKS:
            self._subs.append(topics.subscription(self, 'kick', self._on_kick))
        self._servers = [
            offer_service(self, role, self._answer(getattr(self._link, role)))
            for role in ('walk', 'rest', 'get_up')
        ]
        self._tick()
        self._timers_of_mine = [
            steady_timer(self, TICK, self._tick),
            steady_timer(self, 1.0, self._link.ask),
        ]
        self._diagnostics = DiagnosticsPublisher(self, self._report, robot.name)
        if self._link.lack:
            self.get_logger().warning(self._link.lack)

    def terminate(self, *_) -> None:
        """Stop the robot and end the node soon; a signal handler."""
        self._stopping = True

    def close(self) -> None:
        """Tell the robot to stand, for the last time, and wait until it has heard that."""
        if self._ended or not self.context.ok():
            return
        self._ended = True
        self._tell(np.zeros(3), motion.ENDING)
        self._link.finish(0.3)

    def destroy_node(self) -> None:
        """Stop the robot first: rclpy destroys nodes before their context is shut down."""
        if hasattr(self, '_link'):
            self.close()
        super().destroy_node()

    def _on_command(self, command: np.ndarray, stamp: int) -> None:
        self._motion.command(command, time.monotonic())
        self._tick()

    def _on_heartbeat(self, _: Header) -> None:
        self._motion.heartbeat(time.monotonic())

    def _tick(self) -> None:
        if self._stopping:
            raise KeyboardInterrupt
        now = time.monotonic()
        wanted, reason = self._motion.tick(now)
        told = to_robot(wanted, self._robot.limits, self._robot.driver)
        if not np.array_equal(told, self._told) or now - self._told_at >= AGAIN:
            self._tell(told, reason)
        if reason != self._reason:
            self._reason = reason
            if reason in (motion.SILENT, motion.FALLEN):
                self.get_logger().warning(f'the robot is stopped: {self._about.words(reason)}')
        state = self._about.state(reason)
        if state != self._said:
            self._said = state
            self._state_pub.publish(String(data=state))

    def _tell(self, told: np.ndarray, reason: str) -> None:
        self._link.move(told)
        self._told, self._told_at, self._reason = told, time.monotonic(), reason

    def _on_head(self, message: JointState) -> None:
        if self._reason != motion.FALLEN:
            self._link.look(dict(zip(message.name, message.position)))

    def _on_kick(self, message: Bool) -> None:
        refused = self._about.kick_refused(self._reason)
        if message.data and refused:
            self.get_logger().warning(f'no kick: {refused}')
        elif message.data:
            self._link.kick()

    def _answer(self, do: Callable[[], str]) -> Callable:
        def answer(_, response: Trigger.Response) -> Trigger.Response:
            # Nobody walks into a change of mode.
            self._tell(np.zeros(3), self._reason)
            self._motion.forget()
            refused = do()
            response.success, response.message = not refused, refused or 'the robot was told'
            return response

        return answer

    def _report(self) -> tuple[bytes, str, dict]:
        return self._about.diagnostics(self._reason, self._told)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node."""
    return run_node(terminable(Adapter), args)


if __name__ == '__main__':
    exit_process(main(sys.argv))
