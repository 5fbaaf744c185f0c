"""The node that turns a gamepad into velocity commands while its dead-man button is held."""

from __future__ import annotations

import sys
import time

from geometry_msgs.msg import Twist, TwistStamped
import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import Joy

from guda_ros.control.joystick import JoystickMap
from guda_ros.ros.conversions import ns_to_stamp, stamp_to_ns, twist_from_command, twist_stamped
from guda_ros.ros.diagnostics import DiagnosticsPublisher, OK, WARN
from guda_ros.ros.parameters import declare_contract, Parameters
from guda_ros.ros.qos import COMMAND, DEFAULT
from guda_ros.ros.running import exit_process, run_node


class Teleop(Node):
    """
    Publish `cmd_vel/teleop` for every `joy` message with the dead-man held, with the same stamp.

    When the dead-man is let go, or `joy` falls silent, one zero command follows and then nothing.
    """

    def __init__(self) -> None:
        super().__init__('teleop')
        parameters = Parameters(self)
        contract = declare_contract(parameters)
        self._map = JoystickMap.load(
            parameters.declare('joystick', 'xbox', 'joystick map, name or file', read_only=True))
        self._timeout = parameters.declare(
            'joy_timeout', 0.5, 'silence of the joystick after which the robot is stopped',
            unit='s', low=0.05, high=10.0, read_only=True)
        self._stamped = parameters.declare(
            'stamped', True, 'publish TwistStamped; false: Twist', read_only=True)
        self._contract = contract
        self._pub = self.create_publisher(TwistStamped if self._stamped else Twist,
                                          f'{contract.topics["command"]}/teleop', COMMAND)
        self._sub = self.create_subscription(Joy, 'joy', self._on_joy, DEFAULT)
        # Steady, because timers on simulated time fire in bursts when it jumps.
        self._timer = self.create_timer(
            0.04, self._watch, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._driving = False
        self._stamp = 0
        self._arrival: float | None = None
        self._problem = ''
        self._messages = 0
        self._commands = 0
        self._diagnostics = DiagnosticsPublisher(self, self._report, contract.robot)
        self.get_logger().info(f'drives {contract.robot} by joystick {self._map.name}; hold '
                               f'button {self._map.buttons["deadman"]} to move')

    def _time(self) -> float:
        clock = self.get_clock()
        if clock.ros_time_is_active:
            return clock.now().nanoseconds * 1e-9
        return time.monotonic()

    def _on_joy(self, message: Joy) -> None:
        self._messages += 1
        # Some drivers leave the stamp empty; such messages count from when they arrive.
        self._stamp = stamp_to_ns(message.header.stamp) or self.get_clock().now().nanoseconds
        self._arrival = self._time()
        state = self._map.decode(message.axes, message.buttons)
        if state.problem != self._problem:
            self._problem = state.problem
            if state.problem:
                self.get_logger().error(state.problem)
            else:
                self.get_logger().info('the joystick is understood again')
        if state.deadman and not state.emergency_stop:
            self._publish(self._contract.to_command(state.action), self._stamp)
            self._driving = True
        elif self._driving:
            self._stop(self._stamp)

    def _watch(self) -> None:
        if self._driving and self._time() - self._arrival > self._timeout:
            self.get_logger().warning(f'the joystick fell silent (timeout {self._timeout:g} s)')
            # Stamped with the moment at which it expired: simulated time may have jumped to the
            # next episode since, whose first step this must not answer.
            now = self.get_clock().now().nanoseconds
            self._stop(min(now, self._stamp + int(self._timeout * 1e9)))

    def _stop(self, stamp: int) -> None:
        self._driving = False
        self._publish(np.zeros(3), stamp)

    def _publish(self, command: np.ndarray, stamp: int) -> None:
        self._commands += 1
        if self._stamped:
            message = twist_stamped(command, ns_to_stamp(stamp), self._contract.frames['base'])
        else:
            message = twist_from_command(command)
        self._pub.publish(message)

    def _report(self) -> tuple[bytes, str, dict]:
        values = {'joystick': self._map.name, 'driving': self._driving,
                  'joy_messages': self._messages, 'commands': self._commands}
        if self._problem:
            return WARN, self._problem, values
        if self._arrival is None or self._time() - self._arrival > self._timeout:
            return WARN, 'no joystick', values
        return OK, 'driving' if self._driving else 'the dead-man is not held', values


def main(args=None) -> int:
    """Run the node."""
    return run_node(Teleop, args)


if __name__ == '__main__':
    exit_process(main(sys.argv))
