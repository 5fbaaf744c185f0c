"""The node in front of the robot: the only publisher of `cmd_vel`, `kick` and `head/command`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
import json
import signal
import sys
import time

from geometry_msgs.msg import PoseWithCovarianceStamped, Twist, TwistStamped
import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.node import Node
import rclpy.signals
from sensor_msgs.msg import Joy
from std_msgs.msg import Bool, Header, String
from std_srvs.srv import Trigger

from guda_ros.control import safety_gate
from guda_ros.control.arbiter import Instant
from guda_ros.control.joystick import JoystickMap
from guda_ros.control.safety_gate import Decision
from guda_ros.data.messages import stamp_to_ns
from guda_ros.data.verdicts import INTERVENTION, SOURCES, STOP
from guda_ros.ros.control.joystick_message import read_joy
from guda_ros.ros.control.kick_and_head import KickAndHead
from guda_ros.ros.control.safety_parameters import declare_safety_gate, LOCKS
from guda_ros.ros.conversions import (
    command_from_twist,
    ns_to_stamp,
    pose_from_message,
    pose_is_known,
    twist_from_command,
    twist_stamped,
)
from guda_ros.ros.diagnostics import DiagnosticsPublisher, ERROR, OK, WARN
from guda_ros.ros.parameters import declare_contract, Parameters
from guda_ros.ros.qos import DEFAULT, LATCHED
from guda_ros.ros.running import exit_process, run_node
from guda_ros.ros.topics import offer_service, Topics
from guda_ros.soccer.robot import RobotProfile

#: How long [s, steady] a command waits for a simulated clock that is behind its stamp.
CLOCK_PATIENCE = 2.0
#: How long [s, steady] simulated time may stand still before a command that gave way is answered.
SUPPRESSED_PATIENCE = 0.2
#: The same reason of the same source is logged at most this often [s].
LOG_INTERVAL = 1.0


@dataclass
class _Held:
    """A command that is not answered yet, because simulated time stands still."""

    command: np.ndarray
    stamp: int
    frame: str
    decision: Decision
    arrival: float
    clock: int


class Safety(Node):
    """
    Let through one source of commands at a time, limited, and stop the robot when in doubt.

    The rules are control.safety_gate's; this node brings messages, clocks and services to them. A
    command's stamp is passed on with the answer to it. With each command goes a std_msgs/Header on
    `cmd_vel/source`: the same stamp, and in `frame_id` who commanded.
    """

    def __init__(self) -> None:
        super().__init__('safety')
        self._stopping = False
        parameters = Parameters(self)
        contract = declare_contract(parameters)
        self._map = JoystickMap.load(
            parameters.declare('joystick', 'xbox', 'joystick map, name or file', read_only=True)
        )
        self._frame = contract.frames['base']
        self._stamped = parameters.declare(
            'stamped', True, 'publish TwistStamped; false: Twist', read_only=True
        )
        self._stamped_input = parameters.declare(
            'stamped_input', True, 'subscribe to TwistStamped; false: Twist', read_only=True
        )
        # An unasked second stop would answer a later step of a simulator in lock-step.
        self._gate = declare_safety_gate(
            parameters, contract, repeat_stop=0.0 if self.get_clock().ros_time_is_active else 1.0
        )
        self._sent_stamp = -1
        self._held: dict[str, _Held] = {}
        self._reasons: dict[str, str] = {}
        self._faults = 0
        self._logged: dict[tuple, float] = {}
        self._joystick_problem = ''
        self._state = ''

        topics = Topics(contract)
        kind = TwistStamped if self._stamped else Twist
        self._pub = topics.publisher(self, 'command', kind=kind)
        self._source_pub = topics.publisher(self, 'command_source')
        robot = RobotProfile.load(parameters['robot'] or contract.robot)
        self._kick_and_head = KickAndHead(self, topics, self._gate, self._now, robot)
        self._state_pub = topics.publisher(self, 'safety_state')
        kind = TwistStamped if self._stamped_input else Twist
        self._subs = [
            topics.subscription(
                self, f'command_{source}', partial(self._on_command, source), kind=kind
            )
            for source in SOURCES
        ]
        # Twice: a latched subscription does not hear who publishes without latching.
        self._subs += [
            topics.subscription(self, f'lock_{name}', partial(self._on_lock, name), qos=qos)
            for name in LOCKS
            for qos in (LATCHED, DEFAULT)
        ]
        self._subs.append(topics.subscription(self, 'joy', self._on_joy))
        if self._gate.field_limit is not None:
            self._subs.append(topics.subscription(self, 'pose', self._on_pose))
        self._servers = [
            offer_service(self, 'emergency_stop', self._on_emergency_stop),
            offer_service(self, 'release', self._on_release),
        ]
        # Steady, because timers on simulated time fire in bursts when it jumps.
        self._timer = self.create_timer(
            0.04, self._watch, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        self._diagnostics = DiagnosticsPublisher(self, self._report, contract.robot)
        self._publish_state()

    def terminate(self, *_) -> None:
        """Stop the robot and end the node soon; a signal handler."""
        self._stopping = True

    def close(self) -> None:
        """Send a last zero command and wait until it has arrived."""
        if self.context.ok():
            self._send(np.zeros(3), self.get_clock().now().nanoseconds)
            self._pub.wait_for_all_acked(Duration(seconds=0.5))

    def _now(self) -> Instant:
        clock = self.get_clock()
        ros = clock.now().nanoseconds * 1e-9
        return Instant(ros, ros if clock.ros_time_is_active else time.monotonic())

    def _on_command(self, source: str, message) -> None:
        if self._stamped_input:
            header, twist = message.header, message.twist
            stamp, frame = stamp_to_ns(header.stamp), header.frame_id
        else:
            stamp, frame, twist = self.get_clock().now().nanoseconds, self._frame, message
        held = self._held.pop(source, None)
        if held is not None:
            self._note(source, held.decision)
        self._offer(source, command_from_twist(twist), stamp, frame)

    def _offer(
        self,
        source: str,
        command: np.ndarray,
        stamp: int,
        frame: str,
        arrival: float | None = None,
    ) -> None:
        decision = self._gate.offer(source, command, stamp * 1e-9, frame, self._now())
        clock, steady = self.get_clock(), time.monotonic()
        arrival = steady if arrival is None else arrival
        future = decision.reason == safety_gate.FUTURE
        if clock.ros_time_is_active and (
            decision.reason == safety_gate.SUPPRESSED
            or future
            and steady - arrival <= CLOCK_PATIENCE
        ):
            self._held[source] = _Held(
                command, stamp, frame, decision, arrival, clock.now().nanoseconds
            )
            if future:
                return
        self._note(source, decision)
        if decision.command is not None:
            self._send(decision.command, stamp, self._commander(decision))

    def _commander(self, decision: Decision) -> str:
        if decision.reason != safety_gate.DRIVING:
            return STOP
        overruled = self._gate.overruled(decision.source, self._now())
        return INTERVENTION if overruled else decision.source

    def _on_pose(self, message: PoseWithCovarianceStamped) -> None:
        pose = pose_from_message(message) if pose_is_known(message) else None
        self._gate.field_limit.see(pose, self._now())

    def _on_lock(self, name: str, message: Bool) -> None:
        if message.data != (name in self._gate.locks(self._now())):
            self.get_logger().info(f'lock {name} is {"on" if message.data else "off"}')
        self._gate.lock(name, message.data, self._now())
        self._watch()

    def _on_joy(self, message: Joy) -> None:
        state = read_joy(message, self._map, self.get_clock(), self._gate.joystick_timeout)
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

    def _watch(self) -> None:
        if self._stopping:
            raise KeyboardInterrupt
        decision = self._gate.tick(self._now())
        if decision.command is not None:
            self._act(decision)
        if self._held:
            self._retry()
        self._publish_state()

    def _retry(self) -> None:
        clock, steady = self.get_clock().now().nanoseconds, time.monotonic()
        for source, held in list(self._held.items()):
            moved, waited = clock != held.clock, steady - held.arrival
            if held.decision.reason == safety_gate.FUTURE:
                if moved or waited > CLOCK_PATIENCE:
                    del self._held[source]
                    self._offer(source, held.command, held.stamp, held.frame, held.arrival)
            elif moved or waited > SUPPRESSED_PATIENCE:
                del self._held[source]
                # Simulated time waits for an answer to this step, and who is in charge is silent.
                if not moved and held.stamp > self._sent_stamp:
                    self._send(np.zeros(3), held.stamp)

    def _act(self, decision: Decision | None) -> None:
        """Log and send what was decided without being asked by a command."""
        if decision is not None and decision.command is not None:
            self._note(decision.source or 'robot', decision)
            self._send(decision.command, round(decision.stamp * 1e9))
        elif decision is not None:
            self.get_logger().warning(decision.message)
        self._publish_state()

    def _send(self, command: np.ndarray, stamp: int, commander: str = STOP) -> None:
        self._sent_stamp = stamp
        # First, so that who has the command knows whose it is.
        self._source_pub.publish(Header(stamp=ns_to_stamp(stamp), frame_id=commander))
        if self._stamped:
            self._pub.publish(twist_stamped(command, ns_to_stamp(stamp), self._frame))
        else:
            self._pub.publish(twist_from_command(command))

    def _note(self, source: str, decision: Decision) -> None:
        reason = decision.reason
        if self._reasons.get(source) == reason or not decision.message:
            return
        self._reasons[source] = reason
        key, now = (source, reason), time.monotonic()
        if now - self._logged.get(key, -np.inf) < LOG_INTERVAL:
            return
        self._logged[key] = now
        if reason in (safety_gate.EMERGENCY_STOP, safety_gate.SILENT, *safety_gate.FAULTS):
            self.get_logger().warning(decision.message)
        else:
            self.get_logger().info(decision.message)

    def _publish_state(self) -> None:
        state = json.dumps(
            {
                'stopped': self._gate.stopped,
                'cause': self._gate.stop_cause,
                'in_charge': self._gate.active(self._now()),
                'reasons': self._reasons,
                'locks': self._gate.locks(self._now()),
            }
        )
        if state != self._state:
            self._state = state
            self._state_pub.publish(String(data=state))

    def _report(self) -> tuple[bytes, str, dict]:
        counts, in_charge = self._gate.counts, self._gate.active(self._now())
        values = {
            f'{source or "robot"}.{reason}': count
            for (source, reason), count in sorted(counts.items(), key=str)
        }
        values.update({f'{source}.now': reason for source, reason in self._reasons.items()})
        values['in_charge'] = in_charge or 'nobody'
        values['locks'] = ', '.join(self._gate.locks(self._now())) or 'none'
        limit = self._gate.field_limit
        values['field_limit'] = (
            'off'
            if limit is None
            else 'on'
            if limit.knows(self._now())
            else 'off: the pose is not known'
        )
        faults = sum(counts[key] for key in counts if key[1] in safety_gate.FAULTS)
        new_faults, self._faults = faults - self._faults, faults
        others = self.count_publishers(self._pub.topic_name) - 1
        if others > 0:
            return ERROR, f'{others} other publisher(s) of {self._pub.topic_name}', values
        if self._gate.stopped:
            return ERROR, f'emergency stop by {self._gate.stop_cause}', values
        if new_faults or self._joystick_problem:
            refused = f'{new_faults} commands were refused, see the counts'
            return WARN, self._joystick_problem or refused, values
        if in_charge is None:
            return OK, 'nobody is in charge', values
        return OK, f'{in_charge}: {self._reasons.get(in_charge, "")}', values


def safety() -> Safety:
    """Make the node with signal handlers that let it send a last command."""
    # rclpy's own handlers shut the context down before a last command could be sent.
    rclpy.signals.uninstall_signal_handlers()
    node = Safety()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, node.terminate)
    return node


def main(args: Sequence[str] | None = None) -> int:
    """Run the node."""
    return run_node(safety, args)


if __name__ == '__main__':
    exit_process(main(sys.argv))
