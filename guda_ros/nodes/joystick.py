"""A gamepad driver for machines without joy_node: publishes `joy` through pygame."""

from __future__ import annotations

from collections.abc import Sequence
import sys

from rclpy.node import Node
from sensor_msgs.msg import Joy

from guda_ros.control.gamepad import Gamepad
from guda_ros.control.joystick import JoystickMap
from guda_ros.ros.conversions import header
from guda_ros.ros.diagnostics import DiagnosticsPublisher, OK, WARN
from guda_ros.ros.parameters import Parameters
from guda_ros.ros.running import exit_process, run_node, steady_timer
from guda_ros.ros.topics import Topics


class Joystick(Node):
    """
    Publish what the first known gamepad does, as the map `joystick` says it, whatever the model.

    A gamepad that is unplugged lets go of everything, then the node is silent until one is there.
    """

    def __init__(self) -> None:
        super().__init__('joystick')
        parameters = Parameters(self)
        self._gamepad = Gamepad(
            parameters.declare(
                'pad', '', 'map of the gamepad, name or file; empty: by its name', read_only=True
            ),
            parameters.declare(
                'device',
                '',
                'which gamepad: part of its name, or its number; empty: the first that is known',
                read_only=True,
            ),
        )
        self._map = JoystickMap.load(
            parameters.declare(
                'joystick', 'xbox', 'map that teleop and safety use, name or file', read_only=True
            )
        )
        rate = parameters.declare(
            'rate', 50.0, 'messages a second', unit='Hz', low=5.0, high=500.0, read_only=True
        )
        self._pub = Topics().publisher(self, 'joy')
        self._there, self._problem = False, ''
        self._timer = steady_timer(self, 1.0 / rate, self._tick)
        self._diagnostics = DiagnosticsPublisher(self, self._report, 'gamepad')
        self._tick()
        if not self._there:
            self.get_logger().info('waits for a gamepad')

    def _tick(self) -> None:
        state = self._gamepad.state()
        if self._gamepad.problem != self._problem:
            self._problem = self._gamepad.problem
            if self._problem:
                self.get_logger().error(self._problem)
        if state is None:
            if self._there:
                self._there = False
                self.get_logger().warning('the gamepad is gone')
                self._publish(self._map.encode((0, 0, 0), deadman=False))
            return
        if not self._there:
            self._there = True
            self.get_logger().info(
                f'{self._gamepad.name}: map {self._gamepad.map.name}; hold '
                f'{self._gamepad.map.label("deadman")} to move'
            )
        self._publish(self._map.say(state))

    def _publish(self, said: tuple[list[float], list[int]]) -> None:
        now = self.get_clock().now().nanoseconds
        self._pub.publish(Joy(header=header(now, ''), axes=said[0], buttons=said[1]))

    def close(self) -> None:
        """Let go of everything, once and for all."""
        if self._there and self.context.ok():
            self._publish(self._map.encode((0, 0, 0), deadman=False))
        self._gamepad.close()

    def _report(self) -> tuple[bytes, str, dict]:
        values = {'pad': self._gamepad.name}
        if not self._there:
            return WARN, self._problem or 'no gamepad', values
        return OK, self._gamepad.name, values


def main(args: Sequence[str] | None = None) -> int:
    """Run the node."""
    return run_node(Joystick, args)


if __name__ == '__main__':
    exit_process(main(sys.argv))
