"""The node that turns a gamepad into commands while its dead-man button is held."""

from __future__ import annotations

from collections.abc import Sequence
import json
import sys
import time

from geometry_msgs.msg import Twist, TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import JointState, Joy
from std_msgs.msg import Bool, String

from guda_ros.control.joystick import JoystickMap, JoystickState
from guda_ros.control.kick_and_head import HEAD_JOINTS
from guda_ros.data.messages import stamp_to_ns
from guda_ros.ros.control.joystick_message import read_joy
from guda_ros.ros.conversions import ns_to_stamp, twist_from_command, twist_stamped
from guda_ros.ros.diagnostics import DiagnosticsPublisher, OK, WARN
from guda_ros.ros.episode.control import EpisodeControl
from guda_ros.ros.parameters import declare_contract, Parameters
from guda_ros.ros.running import exit_process, run_node
from guda_ros.ros.topics import Topics
from guda_ros.soccer.robot import RobotProfile
from guda_ros.soccer.starts import PURPOSES, SCENARIOS

#: Without an observation for so long [s], commands answer the joystick.
_OBSERVED = 0.4
#: How fast the head turns at most [rad/s], and the longest time [s] that one message moves it.
_HEAD_SPEED, _HEAD_STEP = 1.0, 0.1


class Teleop(Node):
    """
    Publish `cmd_vel/teleop` while the dead-man is held, and do what the other buttons are for.

    `answer` says what a command answers, with its stamp: each `joy`, or each observation
    (`ball/odom`), so that what is recorded is in step with what the robot sees; then, where there
    is no policy, steps of an episode without the dead-man are answered with zero.

    When the dead-man is let go, or `joy` falls silent, one zero command follows. Where a policy is
    running, a person who holds the dead-man with the sticks in the middle leaves it the robot, and
    takes it over by moving them; the takeover button keeps the policy out altogether.
    """

    def __init__(self) -> None:
        super().__init__('teleop')
        parameters = Parameters(self)
        self._contract = contract = declare_contract(parameters)
        self._head = RobotProfile.load(parameters['robot'] or contract.robot).head
        self._map = JoystickMap.load(
            parameters.declare('joystick', 'xbox', 'joystick map, name or file', read_only=True)
        )
        self._timeout = parameters.declare(
            'joy_timeout',
            0.5,
            'silence of the joystick after which the robot is stopped',
            unit='s',
            low=0.05,
            high=10.0,
            read_only=True,
        )
        self._hand_over = parameters.declare(
            'hand_over',
            0.5,
            'how long the sticks rest in the middle before a policy has the robot back',
            unit='s',
            low=0.0,
            high=10.0,
            read_only=True,
        )
        self._on_observation = (
            parameters.declare(
                'answer',
                'joy',
                'what commands answer',
                choices=('joy', 'observation'),
                read_only=True,
            )
            == 'observation'
        )
        self._stamped = parameters.declare(
            'stamped', True, 'publish TwistStamped; false: Twist', read_only=True
        )
        self._topics = topics = Topics(contract)
        self._pub = topics.publisher(
            self, 'command_teleop', kind=TwistStamped if self._stamped else Twist
        )
        self._kick_pub = topics.publisher(self, 'kick_teleop')
        self._head_pub = topics.publisher(self, 'head_command_teleop')
        self._lock_pub = topics.publisher(self, 'lock_takeover')
        self._state_pub = topics.publisher(self, 'teleop_state')
        self._state = JoystickState(np.zeros(3), frozenset())
        self._driving = self._taken_over = self._policy = False
        self._angles = dict.fromkeys(HEAD_JOINTS, 0.0)
        self._stamp = self._sent = self._seen = 0
        self._arrival: float | None = None
        self._moved = self._observed = -np.inf
        self._messages = self._commands = 0
        self._told = ''
        self._episodes = EpisodeControl(
            self,
            contract,
            parameters.declare(
                'purpose',
                'demonstration',
                'list of fixed starts of the episodes',
                choices=PURPOSES,
                read_only=True,
            ),
            parameters.declare(
                'scenario', 'attack', 'kind of start', choices=SCENARIOS, read_only=True
            ),
            parameters.declare(
                'start_index', 0, 'number of the first start', low=0, high=100000, read_only=True
            ),
        )
        self._subs = [topics.subscription(self, 'joy', self._on_joy)]
        if self._on_observation:
            self._subs.append(topics.subscription(self, 'ball', self._on_seen))
        # Steady, because timers on simulated time fire in bursts when it jumps.
        self._timer = self.create_timer(
            0.04, self._watch, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
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

    def _on_joy(self, message: Joy) -> None:
        self._messages += 1
        # Some drivers leave the stamp empty; such messages count from when they arrive.
        self._stamp = stamp_to_ns(message.header.stamp) or self.get_clock().now().nanoseconds
        # What was held when the joystick appeared, or came back, is no press.
        known = self._alive() and not self._state.problem
        step = min(self._time() - self._arrival, _HEAD_STEP) if known else 0.0
        before, self._arrival = self._state, self._time()
        # Commands that answer observations bear no trace of the age of the wish.
        self._state = state = read_joy(message, self._map, self.get_clock(), self._timeout)
        if state.problem != before.problem:
            if state.problem:
                self.get_logger().error(state.problem)
            else:
                self.get_logger().info('the joystick is understood again')
        if np.any(state.action) or 'kick' in state.pressed:
            self._moved = self._arrival
        if self._wants_to_drive():
            if not self._answers_observations():
                self._publish(self._contract.to_command(state.action), self._stamp)
            self._driving = True
        elif self._driving:
            # With a stamp of its own it would be newer than the next observation, whose answer
            # would then be out of order.
            self._stop(
                max(self._sent, self._seen) if self._answers_observations() else self._stamp
            )
        if known and not state.problem:
            for button in sorted(state.pressed - before.pressed):
                self._press(button)
            self._turn_head(state.look, step)
        self._publish_state()

    def _alive(self) -> bool:
        # Less than zero: a clock that was set back says nothing about age.
        return self._arrival is not None and 0 <= self._time() - self._arrival <= self._timeout

    def _wants_to_drive(self) -> bool:
        if not self._state.deadman or self._state.emergency_stop:
            return False
        resting = not 0 <= self._arrival - self._moved <= self._hand_over
        return self._taken_over or not resting or not self._policy

    def _answers_observations(self) -> bool:
        return time.monotonic() - self._observed < _OBSERVED

    def _on_seen(self, message: Odometry) -> None:
        self._observed = time.monotonic()
        self._seen = stamp = stamp_to_ns(message.header.stamp)
        now = self.get_clock().now().nanoseconds
        # A stamp far ahead of the clock is from before the clock was set back.
        if stamp < self._sent <= now + _OBSERVED * 1e9:
            return
        if self._driving:
            self._publish(self._contract.to_command(self._state.action), stamp)
        elif self._episodes.running and not self._policy:
            self._publish(np.zeros(3), stamp)

    def _press(self, button: str) -> None:
        if button == 'kick' and self._state.deadman:
            self._kick_pub.publish(Bool(data=True))
        elif button == 'look_centre':
            self._angles = dict.fromkeys(HEAD_JOINTS, 0.0)
            self._publish_head()
        elif button == 'takeover':
            self._taken_over = not self._taken_over
            self._lock_pub.publish(Bool(data=self._taken_over))
        elif button.startswith('episode_'):
            self._episodes.press(button)

    def _turn_head(self, look: np.ndarray, step: float) -> None:
        if not np.any(look):
            return
        speed = min(self._head.speed, _HEAD_SPEED)
        for joint, rate, limits in zip(HEAD_JOINTS, look, (self._head.pan, self._head.tilt)):
            self._angles[joint] = float(
                np.clip(self._angles[joint] + rate * speed * step, *limits)
            )
        self._publish_head()

    def _publish_head(self) -> None:
        message = JointState(name=list(HEAD_JOINTS), position=list(self._angles.values()))
        message.header.stamp = self.get_clock().now().to_msg()
        self._head_pub.publish(message)

    def _watch(self) -> None:
        self._policy = self.count_publishers(self._topics['command_policy'].name) > 0
        self._episodes.tick()
        if self._driving and not self._alive():
            self.get_logger().warning(f'the joystick fell silent (timeout {self._timeout:g} s)')
            # Stamped with the moment at which it expired: simulated time may have jumped to the
            # next episode since, whose first step this must not answer.
            now = self.get_clock().now().nanoseconds
            self._stop(min(now, max(self._stamp + int(self._timeout * 1e9), self._sent)))
        self._publish_state()

    def _stop(self, stamp: int) -> None:
        self._driving = False
        self._publish(np.zeros(3), stamp)

    def _publish(self, command: np.ndarray, stamp: int) -> None:
        self._commands += 1
        self._sent = stamp
        if self._stamped:
            message = twist_stamped(command, ns_to_stamp(stamp), self._contract.frames['base'])
        else:
            message = twist_from_command(command)
        self._pub.publish(message)

    def _publish_state(self) -> None:
        alive, state = self._alive(), self._state
        told = json.dumps(
            {
                'joystick': self._map.name,
                'alive': alive,
                'driving': self._driving,
                'pressed': sorted(state.pressed) if alive else [],
                'problem': state.problem,
                'taken_over': self._taken_over,
                'policy': self._policy,
                'head': [round(angle, 3) for angle in self._angles.values()],
                'episode': self._episodes.status,
            }
        )
        if told != self._told:
            self._told = told
            self._state_pub.publish(String(data=told))

    def _report(self) -> tuple[bytes, str, dict]:
        values = {
            'joystick': self._map.name,
            'driving': self._driving,
            'joy_messages': self._messages,
            'commands': self._commands,
        }
        if self._state.problem:
            return WARN, self._state.problem, values
        if not self._alive():
            return WARN, 'no joystick', values
        joysticks = self.count_publishers(self._topics['joy'].name)
        if joysticks > 1:
            return WARN, f'{joysticks} joysticks publish joy and contradict each other', values
        return OK, 'driving' if self._driving else 'the dead-man is not held', values


def main(args: Sequence[str] | None = None) -> int:
    """Run the node."""
    return run_node(Teleop, args)


if __name__ == '__main__':
    exit_process(main(sys.argv))
