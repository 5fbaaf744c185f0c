"""The node that turns a gamepad into commands while its dead-man button is held."""

from __future__ import annotations

from collections.abc import Sequence
import json
import sys
import time

from geometry_msgs.msg import PoseWithCovarianceStamped, Twist, TwistStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import Joy
from std_msgs.msg import Bool, String

from guda_ros.control.head_aim import HeadAim
from guda_ros.control.teleoperation import Wish
from guda_ros.data.messages import stamp_to_ns
from guda_ros.ros.control.joystick_message import read_joy
from guda_ros.ros.control.teleop_parameters import declare_teleop
from guda_ros.ros.conversions import joint_state_message, twist_from_command, twist_stamped
from guda_ros.ros.diagnostics import DiagnosticsPublisher, OK, WARN
from guda_ros.ros.episode.control import EpisodeControl
from guda_ros.ros.parameters import declare_contract, Parameters
from guda_ros.ros.running import exit_process, run_node, steady_timer
from guda_ros.ros.topics import count_publishers, Topics
from guda_ros.soccer.robot import RobotProfile


class Teleop(Node):
    """
    Publish `cmd_vel/teleop` while the dead-man is held, and do what the other buttons are for.

    `answer` says what a command answers, with its stamp: each `joy`, or each observation
    (`ball/odom`, without a ball `pose`), so that what is recorded is in step with what the robot
    sees; then, where there is no policy, steps of an episode without the dead-man are answered
    with zero. The rules are control.teleoperation's.
    """

    def __init__(self) -> None:
        super().__init__('teleop')
        parameters = Parameters(self)
        self._contract = contract = declare_contract(parameters)
        self._head = HeadAim(RobotProfile.load(parameters['robot'] or contract.robot).head)
        told = declare_teleop(parameters)
        self._map, self._person, self._stamped = told.joystick, told.teleoperation, told.stamped
        self._topics = topics = Topics(contract)
        self._pub = topics.publisher(
            self, 'command_teleop', kind=TwistStamped if self._stamped else Twist
        )
        self._kick_pub = topics.publisher(self, 'kick_teleop')
        self._head_pub = topics.publisher(self, 'head_command_teleop')
        self._lock_pub = topics.publisher(self, 'lock_takeover')
        self._state_pub = topics.publisher(self, 'teleop_state')
        self._messages = self._commands = 0
        self._told = ''
        self._by_observation = told.by_observation
        self._episodes = EpisodeControl(
            self, contract, told.purpose, told.scenario, told.start_index, self._on_reset
        )
        self._subs = [topics.subscription(self, 'joy', self._on_joy)]
        if told.by_observation:
            # What completes what the robot sees.
            last = contract.inputs[-1]
            self._subs.append(topics.subscription(self, last, self._on_observation))
        self._timer = steady_timer(self, 0.04, self._check)
        self._diagnostics = DiagnosticsPublisher(self, self._report, contract.robot)
        self.get_logger().info(
            f'drives {contract.robot} by joystick {self._map.name}; hold '
            f'{self._map.label("deadman")} to move'
        )

    def _time(self) -> float:
        clock = self.get_clock()
        if clock.ros_time_is_active:
            return clock.now().nanoseconds * 1e-9
        return time.monotonic()

    def _now(self) -> int:
        return self.get_clock().now().nanoseconds

    def _on_joy(self, message: Joy) -> None:
        self._messages += 1
        person, now = self._person, self._time()
        # Some drivers leave the stamp empty; such messages count from when they arrive.
        stamp = stamp_to_ns(message.header.stamp) or self._now()
        before, known_for = person.state, person.known_for(now)
        state = read_joy(message, self._map, self.get_clock(), person.timeout)
        if state.problem != before.problem:
            if state.problem:
                self.get_logger().error(state.problem)
            else:
                self.get_logger().info('the joystick is understood again')
        self._publish(person.joystick(state, stamp, now, time.monotonic()))
        if known_for is not None and not state.problem:
            for button in sorted(state.pressed - before.pressed):
                self._press(button)
            if self._head.turn(state.look, known_for):
                self._publish_head()
        self._publish_state()

    def _on_observation(self, message: Odometry | PoseWithCovarianceStamped) -> None:
        stamp, running = stamp_to_ns(message.header.stamp), self._episodes.running
        self._publish(self._person.observation(stamp, self._now(), time.monotonic(), running))

    def _on_reset(self, first: int) -> None:
        if self._by_observation:
            self._person.expect((first - self._now()) * 1e-9, time.monotonic())

    def _press(self, button: str) -> None:
        person = self._person
        if button == 'kick' and person.state.deadman:
            self._kick_pub.publish(Bool(data=True))
        elif button == 'look_centre':
            self._head.centre()
            self._publish_head()
        elif button == 'takeover':
            person.taken_over = not person.taken_over
            self._lock_pub.publish(Bool(data=person.taken_over))
        elif button.startswith('episode_'):
            self._episodes.press(button)

    def _publish_head(self) -> None:
        self._head_pub.publish(joint_state_message(self._head.angles, self._now()))

    def _check(self) -> None:
        person = self._person
        person.policy = count_publishers(self, self._topics['command_policy'].name) > 0
        self._episodes.tick()
        stop = person.silence(self._time(), self._now())
        if stop is not None:
            self.get_logger().warning(f'the joystick fell silent (timeout {person.timeout:g} s)')
        self._publish(stop)
        self._publish_state()

    def _publish(self, wish: Wish | None) -> None:
        if wish is None:
            return
        self._commands += 1
        command = self._contract.to_command(wish.action)
        if self._stamped:
            message = twist_stamped(command, wish.stamp, self._contract.frames['base'])
        else:
            message = twist_from_command(command)
        self._pub.publish(message)

    def _publish_state(self) -> None:
        person = self._person
        alive, state = person.alive(self._time()), person.state
        told = json.dumps(
            {
                'joystick': self._map.name,
                'alive': alive,
                'driving': person.driving,
                'pressed': sorted(state.pressed) if alive else [],
                'problem': state.problem,
                'taken_over': person.taken_over,
                'policy': person.policy,
                'head': [round(angle, 3) for angle in self._head.angles.values()],
                'episode': self._episodes.status,
            }
        )
        if told != self._told:
            self._told = told
            self._state_pub.publish(String(data=told))

    def _report(self) -> tuple[bytes, str, dict]:
        person = self._person
        values = {
            'joystick': self._map.name,
            'driving': person.driving,
            'joy_messages': self._messages,
            'commands': self._commands,
        }
        if person.state.problem:
            return WARN, person.state.problem, values
        if not person.alive(self._time()):
            return WARN, 'no joystick', values
        joysticks = count_publishers(self, self._topics['joy'].name)
        if joysticks > 1:
            return WARN, f'{joysticks} joysticks publish joy and contradict each other', values
        return OK, 'driving' if person.driving else 'the dead-man is not held', values


def main(args: Sequence[str] | None = None) -> int:
    """Run the node."""
    return run_node(Teleop, args)


if __name__ == '__main__':
    exit_process(main(sys.argv))
