"""A scripted person with a gamepad: watches the field, moves the sticks, holds the dead-man."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from nav_msgs.msg import Odometry
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Joy
from std_msgs.msg import String

from guda_ros.control.joystick import JoystickMap
from guda_ros.data.messages import stamp_to_ns
from guda_ros.data.pairing import truth_roles
from guda_ros.data.stamp_join import StampJoin
from guda_ros.identification.protocol import ScriptedDrive
from guda_ros.ros import conversions as convert
from guda_ros.ros import diagnostics
from guda_ros.ros.episode.event import EpisodeEvent, read_event
from guda_ros.ros.parameters import declare_contract, Parameters
from guda_ros.ros.running import exit_process, run_node, wait_until_connected
from guda_ros.ros.topics import Topics
from guda_ros.soccer import world
from guda_ros.tasks.soccer.demonstrator import (
    Demonstrator,
    demonstrator_of,
    DemonstratorStyle,
)

STYLES = {
    'imperfect': DemonstratorStyle.imperfect,
    'clean': lambda seed: DemonstratorStyle.clean(),
}
#: Not a way of playing: the steps from which `guda identify` learns how the robot walks.
DRIVE = 'drive'


class Operator(Node):
    """
    Publish `joy` for every ground truth of an episode, with the same stamp.

    Ground truth stands for a person's eyes; nothing else in the graph uses it to act. Style and
    noise come from the episode's seed.
    """

    def __init__(self) -> None:
        super().__init__('operator')
        p = Parameters(self)
        self._contract = declare_contract(p)
        joystick = p.declare('joystick', 'xbox', 'joystick map, name or path', read_only=True)
        self._style = p.declare(
            'style',
            'imperfect',
            'how well the robot is driven',
            choices=(*STYLES, DRIVE),
            read_only=True,
        )
        self._joystick = JoystickMap.load(joystick)
        self._event: EpisodeEvent | None = None
        self._demonstrator: Demonstrator | ScriptedDrive | None = None
        self._command, self._answered = np.zeros(3), -1
        roles = truth_roles(self._contract.inputs)
        self._seen = StampJoin(roles)
        topics = Topics(self._contract)
        # First, so that it is handled before the observations that arrive with it.
        topics.subscription(self, 'episode', self._on_episode)
        self._joy_pub = topics.publisher(self, 'joy')
        for role in roles:
            topics.subscription(self, role, partial(self._on_truth, role))
        diagnostics.DiagnosticsPublisher(self, self._report, self._contract.robot)

    def _on_episode(self, message: String) -> None:
        event = read_event(self, message.data)
        if event is None:
            return
        if event.phase == 'reset' or self._event is None or event.id != self._event.id:
            self._demonstrator = self._driver(event.seed)
            self._command, self._answered = np.zeros(3), -1
            self._seen.clear()
            if event.phase != 'end' and not wait_until_connected(self, self._joy_pub, 2.0):
                self.get_logger().warning(f'not everybody hears {self._joy_pub.topic_name}')
        self._event = event
        if event.phase == 'end':
            self._send(np.zeros(3), self.get_clock().now().nanoseconds, deadman=False)

    def _driver(self, seed: int) -> Demonstrator | ScriptedDrive:
        if self._style == DRIVE:
            return ScriptedDrive(self._contract.limits, self._contract.period)
        rng = np.random.default_rng([seed, 1])
        return demonstrator_of(self._contract, rng, STYLES[self._style](seed))

    def _on_truth(self, role: str, message: Odometry) -> None:
        stamp = stamp_to_ns(message.header.stamp)
        seen = self._seen.add(role, stamp, message)
        event = self._event
        if seen is None or event is None or event.phase == 'end' or stamp < event.stamp:
            return
        if stamp == self._answered:
            # A repeated observation gets the same answer.
            self._send(self._contract.to_action(self._command), stamp)
            return
        self._answered = stamp
        state = convert.true_state(seen)
        state[world.PREVIOUS_COMMAND] = self._command
        self._command = self._demonstrator(state[None])[0]
        self._send(self._contract.to_action(self._command), stamp)

    def _send(self, action: np.ndarray, stamp: int, deadman: bool = True) -> None:
        axes, buttons = self._joystick.encode(action, deadman=deadman)
        self._joy_pub.publish(Joy(header=convert.header(stamp, ''), axes=axes, buttons=buttons))

    def _report(self) -> tuple:
        event = self._event
        return (
            diagnostics.OK,
            'driving' if event and event.phase != 'end' else 'waiting',
            {'style': self._style, 'episode': event.id if event else ''},
        )


def main(args: Sequence[str] | None = None) -> int:
    """Run the scripted operator."""
    return run_node(Operator, args)


if __name__ == '__main__':
    exit_process(main())
