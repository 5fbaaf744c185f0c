"""The node in front of the robot: the only publisher of `cmd_vel`, `kick` and `head/command`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
import sys
import time

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Joy
from std_msgs.msg import Bool, String
from std_srvs.srv import Trigger

from guda_ros.control.arbiter import Instant
from guda_ros.control.decision_log import DecisionLog, is_warning
from guda_ros.control.held_commands import HeldCommand, HeldCommands
from guda_ros.control.joystick import JoystickMap
from guda_ros.control.safety_gate import Decision
from guda_ros.data.verdicts import STOP
from guda_ros.ros.control.command_topics import CommandTopics
from guda_ros.ros.control.joystick_message import read_joy
from guda_ros.ros.control.kick_and_head import KickAndHead
from guda_ros.ros.control.safety_parameters import declare_safety_gate, LOCKS
from guda_ros.ros.control.safety_report import SafetyReport
from guda_ros.ros.control.safety_watches import SafetyWatches
from guda_ros.ros.diagnostics import DiagnosticsPublisher
from guda_ros.ros.parameters import declare_contract, Parameters
from guda_ros.ros.qos import DEFAULT, LATCHED
from guda_ros.ros.running import exit_process, run_node, steady_timer, terminable
from guda_ros.ros.topics import offer_service, Topics
from guda_ros.soccer.robot import RobotProfile


class Safety(Node):
    """
    Let through one source of commands at a time, limited, and stop the robot when in doubt.

    The rules are control.safety_gate's; this node brings messages, clocks and services to them. A
    command's stamp is passed on with the answer to it.
    """

    def __init__(self) -> None:
        super().__init__('safety')
        self._stopping = False
        parameters = Parameters(self)
        contract = declare_contract(parameters)
        self._map = JoystickMap.load(
            parameters.declare('joystick', 'xbox', 'joystick map, name or file', read_only=True)
        )
        robot = RobotProfile.load(parameters['robot'] or contract.robot)
        self._gate = declare_safety_gate(
            parameters, contract, robot, simulated=self.get_clock().ros_time_is_active
        )
        self._held, self._log = HeldCommands(), DecisionLog()
        self._about = SafetyReport(self._gate, self._log.reasons)
        self._joystick_problem = self._state = ''

        topics = Topics(contract)
        self._commands = CommandTopics(
            self, parameters, topics, contract.frames['base'], self._on_command
        )
        self._kick_and_head = KickAndHead(self, topics, self._gate, self._now, robot)
        self._state_pub = topics.publisher(self, 'safety_state')
        self._watches = SafetyWatches(
            self, parameters, topics, self._gate, contract.limits, self._now, self._commands.rivals
        )
        # Twice: a latched subscription does not hear who publishes without latching.
        self._subs = [
            topics.subscription(self, f'lock_{name}', partial(self._on_lock, name), qos=qos)
            for name in LOCKS
            for qos in (LATCHED, DEFAULT)
        ]
        self._subs.append(topics.subscription(self, 'joy', self._on_joy))
        self._servers = [
            offer_service(self, 'emergency_stop', self._on_emergency_stop),
            offer_service(self, 'release', self._on_release),
        ]
        self._timer = steady_timer(self, 0.04, self._check)
        self._diagnostics = DiagnosticsPublisher(self, self._report, contract.robot)
        self._watches.begin()
        self._publish_state()

    def terminate(self, *_) -> None:
        """Stop the robot and end the node soon; a signal handler."""
        self._stopping = True

    def close(self) -> None:
        """Send a last zero command and wait until it has arrived."""
        if self.context.ok():
            self._commands.send(np.zeros(3), self.get_clock().now().nanoseconds, STOP)
            self._commands.wait_until_heard(0.5)
        self._watches.end()

    def _now(self) -> Instant:
        clock = self.get_clock()
        ros = clock.now().nanoseconds * 1e-9
        return Instant(ros, ros if clock.ros_time_is_active else time.monotonic())

    def _on_command(self, source: str, command: np.ndarray, stamp: int, frame: str) -> None:
        held = self._held.take(source)
        if held is not None:
            self._note(source, held.decision)
        self._offer(source, command, stamp, frame, time.monotonic())

    def _offer(
        self, source: str, command: np.ndarray, stamp: int, frame: str, arrival: float
    ) -> None:
        decision = self._gate.offer(source, command, stamp * 1e-9, frame, self._now())
        if self.get_clock().ros_time_is_active:
            now = self.get_clock().now().nanoseconds
            held = HeldCommand(source, command, stamp, frame, decision, arrival, now)
            if self._held.hold(held, time.monotonic()):
                return
        self._note(source, decision)
        if decision.command is not None:
            self._commands.send(
                decision.command, stamp, self._gate.commander(decision, self._now())
            )

    def _on_lock(self, name: str, message: Bool) -> None:
        if message.data != (name in self._gate.locks(self._now())):
            self.get_logger().info(f'lock {name} is {"on" if message.data else "off"}')
        self._gate.lock(name, message.data, self._now())
        self._check()

    def _on_joy(self, message: Joy) -> None:
        state = read_joy(message, self._map, self.get_clock(), self._gate.joystick_age)
        if state.problem and state.problem != self._joystick_problem:
            self.get_logger().error(state.problem)
        self._joystick_problem = state.problem
        held = state.deadman, state.emergency_stop, state.release
        self._act(self._gate.joystick(*held, self._now()))

    def _on_emergency_stop(self, _, response: Trigger.Response) -> Trigger.Response:
        self._act(self._gate.emergency_stop('service', self._now()))
        response.success, response.message = True, 'stopped until ~/release'
        return response

    def _on_release(self, _, response: Trigger.Response) -> Trigger.Response:
        response.success, response.message = self._gate.release(self._now())
        self.get_logger().warning(f'release by service: {response.message}')
        self._publish_state()
        return response

    def _check(self) -> None:
        if self._stopping:
            raise KeyboardInterrupt
        decision = self._gate.tick(self._now())
        if decision.command is not None:
            self._act(decision)
        again, unanswered = self._held.due(self.get_clock().now().nanoseconds, time.monotonic())
        for held in again:
            self._offer(held.source, held.command, held.stamp, held.frame, held.arrival)
        for held in unanswered:
            # Simulated time waits for an answer to this step, and who is in charge is silent.
            if held.stamp > self._commands.sent_stamp:
                self._commands.send(np.zeros(3), held.stamp, STOP)
        self._commands.beat()
        self._publish_state()

    def _act(self, decision: Decision | None) -> None:
        """Log and send what was decided without being asked by a command."""
        if decision is not None and decision.command is not None:
            self._note(decision.source or 'robot', decision)
            self._commands.send(decision.command, round(decision.stamp * 1e9), STOP)
        elif decision is not None:
            self.get_logger().warning(decision.message)
        self._publish_state()

    def _note(self, source: str, decision: Decision) -> None:
        if not self._log.is_news(source, decision, time.monotonic()):
            return
        # Two calls: rclpy ties the severity to the line of code.
        if is_warning(decision):
            self.get_logger().warning(decision.message)
        else:
            self.get_logger().info(decision.message)

    def _publish_state(self) -> None:
        self._watches.look()
        state = self._about.state(self._now())
        if state != self._state:
            self._state = state
            self._state_pub.publish(String(data=state))

    def _report(self) -> tuple[bytes, str, dict]:
        problem = self._joystick_problem or self._watches.problem or self._commands.problem()
        return self._about.diagnostics(self._now(), self._commands.rivals(), problem)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node."""
    return run_node(terminable(Safety), args)


if __name__ == '__main__':
    exit_process(main(sys.argv))
