"""An exported policy at the robot's sticks: what perception sees in, velocity commands out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_msgs.msg import String
from std_srvs.srv import Trigger

from guda_ros.control.ball_controller import BallController, LOST, Observed
from guda_ros.control.exported_policy import ExportedPolicy, PolicyFileError
from guda_ros.control.search import BallSearch, SEARCH_SPEED
from guda_ros.ros import conversions as convert
from guda_ros.ros import diagnostics
from guda_ros.ros.control.sent_commands import SentCommands
from guda_ros.ros.episode.event import EpisodeEvent, read_event
from guda_ros.ros.parameters import (
    declare_contract,
    declare_odometry,
    declare_stamped,
    Parameters,
)
from guda_ros.ros.policy_inputs import PolicyInputs
from guda_ros.ros.running import (
    autostart,
    destroy_entities,
    exit_process,
    reports_failure,
    run_node,
    wait_until_connected,
)
from guda_ros.ros.topics import offer_service, Topics


class Policy(LifecycleNode):
    """
    Answer every `ball/odom` (without a ball `pose`) by a `cmd_vel/policy` of the same stamp.

    Pose and ball of one stamp, and the odometry at it (OdometryJoin), make the world state that
    the contract turns into an observation; stamps that come faster than the contract's rate are
    left out as StepChoice says. While the ball is lost the robot turns toward the side where it
    was last seen; while its pose in `map` is unknown it stands.
    """

    def __init__(self) -> None:
        super().__init__('policy')
        self._options = p = Parameters(self)
        self.contract = declare_contract(p)
        p.declare('policy', '', 'file that `guda export` wrote; ~/reload reads it again')
        p.declare('autostart', True, 'configure and activate by itself', read_only=True)
        p.declare(
            'search_speed',
            SEARCH_SPEED,
            'turning speed of the search for the ball',
            unit='rad/s',
            low=0.05,
            high=10.0,
            read_only=True,
        )
        self._stamped = declare_stamped(p, 'hear TwistStamped on cmd_vel; false: Twist')
        self.failure = ''
        self._policy: ExportedPolicy | None = None
        search = BallSearch(min(p['search_speed'], self.contract.limits.turn))
        self._controller = BallController(self.contract, search)
        self._event: EpisodeEvent | None = None
        self._inputs = PolicyInputs(
            self, self.contract, declare_odometry(p), self._on_step, self._begin_anew
        )
        self._forget()
        self._active, self._state, self._steps = False, '', 0
        diagnostics.DiagnosticsPublisher(self, self._report, self.contract.robot)
        autostart(self, p['autostart'])

    @reports_failure
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the policy and create the interfaces."""
        self._load()
        topics = Topics(self.contract)
        self._pub = topics.publisher(self, 'command_policy')
        self._state_pub = topics.publisher(self, 'policy_state')
        self._entities = [
            # First, so that it is handled before the observations that arrive with it.
            topics.subscription(self, 'episode', self._on_episode),
            *SentCommands(self, topics, self._on_sent, self._stamped).entities,
            *self._inputs.subscriptions(topics),
            offer_service(self, 'reload', self._on_reload),
        ]
        return TransitionCallbackReturn.SUCCESS

    @reports_failure
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to answer."""
        result = super().on_activate(state)
        self._active = True
        self._forget(self._event.stamp if self._event else None)
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop the robot and answer no more."""
        self._active = False
        self._send(np.zeros(3), self.get_clock().now().nanoseconds, 'inactive')
        return super().on_deactivate(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Deactivate first: rclpy leaves an active node at work."""
        if self._active:
            self.on_deactivate(state)
        return super().on_shutdown(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Undo configure."""
        destroy_entities(self, self._entities)
        self.destroy_lifecycle_publisher(self._pub)
        self.destroy_lifecycle_publisher(self._state_pub)
        self._policy = None
        return TransitionCallbackReturn.SUCCESS

    def _load(self) -> None:
        """Read the file of the parameter; PolicyFileError says what is wrong with it."""
        path = self._options['policy']
        if not path:
            raise PolicyFileError(
                'parameter policy is empty: give the file that `guda export` wrote'
            )
        self._policy = ExportedPolicy.load(path, self.contract)
        self.get_logger().info(f'{path}: {self._policy.metadata["algorithm"]}')

    def _on_reload(self, request, response: Trigger.Response) -> Trigger.Response:
        try:
            self._load()
        except PolicyFileError as error:
            response.message = f'the policy before is kept: {error}'
            return response
        response.success, response.message = True, self._options['policy']
        return response

    def _forget(self, first: int | None = None) -> None:
        """Know nothing of the ball, as at the start of an episode, whose first stamp is given."""
        self._inputs.begin(first)
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._answer = np.zeros(3), -1, ''
        self._controller.reset()

    def _on_episode(self, message: String) -> None:
        event = read_event(self, message.data)
        if event is None:
            return
        if event.phase == 'reset' or self._event is None or event.id != self._event.id:
            self._forget(event.stamp)
            if self._active and not wait_until_connected(self, self._pub, 2.0):
                self.get_logger().warning(f'nobody hears {self._pub.topic_name}')
        if event.phase == 'end' and self._active:
            self._send(np.zeros(3), self.get_clock().now().nanoseconds, 'waiting')
        self._event = event

    def _on_sent(self, command: np.ndarray, stamp: int) -> None:
        # What comes late from the episode before is no previous command in this one.
        if self._event is None or stamp >= self._event.stamp:
            self._controller.previous = command

    def _on_step(self, stamp: int, seen: Observed) -> None:
        if not self._active or (self._event is not None and self._event.phase == 'end'):
            return
        if stamp == self._answer[1]:
            self._send(*self._answer)
            return
        try:
            command, state = self._controller.command(seen, stamp, self._policy.predict)
        except ValueError as error:
            self._inputs.complain(f'the policy cannot answer: {error}')
            command, state = np.zeros(3), LOST
        self._send(command, stamp, state)

    def _send(self, command: np.ndarray, stamp: int, state: str) -> None:
        self._steps += 1
        self._answer = command, stamp, state
        self._pub.publish(convert.twist_stamped(command, stamp, self.contract.frames['base']))
        if state != self._state:
            self._state = state
            self._state_pub.publish(String(data=state))

    def _report(self) -> tuple:
        wrong, said = self._inputs.problem, self._state or self._inputs.lack or 'nothing seen yet'
        algorithm = self._policy.metadata['algorithm'] if self._policy else ''
        values = {'policy': self._options['policy'], 'commands': self._steps}
        level = diagnostics.OK if self._active and not wrong else diagnostics.WARN
        return level, wrong or said, {**values, 'algorithm': algorithm}


def main(args: Sequence[str] | None = None) -> int:
    """Run the policy node."""
    return run_node(Policy, args)


if __name__ == '__main__':
    exit_process(main())
