"""Send the commands of a recorded episode again, through the safety node, as a policy would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
import json
import time
from typing import TYPE_CHECKING

from nav_msgs.msg import Odometry
import numpy as np
from std_msgs.msg import String

from guda_ros.control.safety_gate import DRIVING
from guda_ros.data.episodes import Episode
from guda_ros.data.messages import stamp_to_ns
from guda_ros.data.pairing import truth_roles
from guda_ros.data.stamp_join import StampJoin
from guda_ros.errors import GudaError
from guda_ros.ros import conversions as convert
from guda_ros.ros.topics import Topics
from guda_ros.soccer import world

if TYPE_CHECKING:
    from rclpy.node import Node

    from guda_ros.data.contract import Contract
    from guda_ros.ros.episode.runner import EpisodeRunner
    from guda_ros.ros.graph.monitor import GraphMonitor

_SOURCE = 'policy'


@dataclass(frozen=True, eq=False)
class ReplayOutcome:
    """
    What came of a replay in the simulator.

    verdict: how it ended there. robot (K, 3), ball (K, 2): the truth at every step, in `map`; none
    (0, 2) of a ball where the task has none.
    """

    verdict: str
    robot: np.ndarray
    ball: np.ndarray


class SimulatorReplay:
    """
    Answer every observation of a simulator in lock-step with the command of that step.

    :param runner: an EpisodeRunner; its node publishes the commands.
    :param start: robot x, y, yaw, ball x, y.
    """

    def __init__(
        self,
        node: Node,
        runner: EpisodeRunner,
        contract: Contract,
        episode: Episode,
        start: np.ndarray,
    ) -> None:
        self._node, self._runner, self._contract = node, runner, contract
        self._episode, self._start = episode, start
        self._commands = np.nan_to_num(episode.commands)
        self._truth: dict[int, np.ndarray] = {}
        self._seen = StampJoin(truth_roles(contract.inputs))
        topics = Topics(contract)
        self._pub = topics.publisher(node, f'command_{_SOURCE}')
        for role in truth_roles(contract.inputs):
            topics.subscription(node, role, partial(self._on_truth, role))
        self._first = 0
        topics.subscription(node, 'episode', self._on_episode)

    def run(self, timeout: float) -> ReplayOutcome:
        """Run the episode to its end; EpisodeError if it cannot be run."""
        outcome = self._runner.run(
            start=self._start,
            seed=self._episode.seed,
            episode_id='replay',
            time_limit=len(self._episode) * self._contract.period,
            timeout=timeout,
        )
        stamps = sorted(stamp for stamp in self._truth if stamp >= self._first)
        states = np.array([self._truth[stamp] for stamp in stamps]).reshape(-1, world.SIZE)
        ball = states[:, world.BALL] if self._contract.has_ball else np.empty((0, 2))
        return ReplayOutcome(outcome.event.verdict, states[:, world.ROBOT], ball)

    def _on_episode(self, message: String) -> None:
        event = json.loads(message.data)
        if event['phase'] == 'reset':
            self._first = event['stamp']

    def _on_truth(self, role: str, message: Odometry) -> None:
        stamp = stamp_to_ns(message.header.stamp)
        seen = self._seen.add(role, stamp, message)
        if seen is None or stamp < self._first:
            return
        self._truth[stamp] = convert.true_state(seen)
        step = round((stamp - self._first) * 1e-9 / self._contract.period)
        # The state after the last command is answered too: lock-step waits for it.
        command = self._commands[step] if step < len(self._commands) else np.zeros(3)
        self._pub.publish(convert.twist_stamped(command, stamp, self._contract.frames['base']))


class RobotReplay:
    """
    Send commands to a robot in their own time, while a person holds the dead-man's button.

    When the safety node does not let them through any more (the button let go, teleop, an
    emergency stop), the replay is over: it does not go on from the middle.

    :param monitor: a GraphMonitor in the robot's domain. :param check: raises when a node is lost.
    """

    def __init__(
        self,
        monitor: GraphMonitor,
        check: Callable[[], None],
        contract: Contract,
        episode: Episode,
    ) -> None:
        self._monitor, self._check, self._contract = monitor, check, contract
        self._times = (episode.stamps[:-1] - episode.stamps[0]) * 1e-9
        self._commands = np.nan_to_num(episode.commands)
        self._end = (episode.stamps[-1] - episode.stamps[0]) * 1e-9
        self._state: dict = {}
        node = monitor.node
        topics = Topics(contract)
        self._pub = topics.publisher(node, f'command_{_SOURCE}')
        topics.subscription(node, 'safety_state', self._on_state)

    def wait_for_deadman(self, timeout: float) -> None:
        """
        Send zeros until the safety node lets them through.

        :raises GudaError: after `timeout` seconds, with what the safety node said.
        """
        deadline = time.monotonic() + timeout
        while not self._let_through():
            self._check()
            if time.monotonic() > deadline:
                raise GudaError(f'the safety node does not let the replay through: {self._why()}')
            self._send(np.zeros(3))
            self._spin(self._contract.period)

    def run(self) -> float:
        """
        Send the commands; return how many seconds of them were sent.

        :raises GudaError: when it was stopped in between.
        """
        begin = time.monotonic()
        try:
            for moment, command in zip(self._times, self._commands):
                self._spin(begin + moment - time.monotonic())
                self._check()
                if not self._let_through():
                    raise GudaError(
                        f'stopped after {moment:.1f} s of {self._end:.1f} s: {self._why()}'
                    )
                self._send(command)
            self._spin(begin + self._end - time.monotonic())
        finally:
            self._send(np.zeros(3))
        return float(self._end)

    def _on_state(self, message: String) -> None:
        self._state = json.loads(message.data)

    def _let_through(self) -> bool:
        return (
            not self._state.get('stopped')
            and self._state.get('reasons', {}).get(_SOURCE) == DRIVING
        )

    def _why(self) -> str:
        if not self._state:
            return 'it says nothing'
        if self._state.get('stopped'):
            return f'emergency stop by {self._state.get("cause")}'
        return self._state.get('reasons', {}).get(_SOURCE, 'it has heard nothing of it')

    def _send(self, command: np.ndarray) -> None:
        now = self._monitor.node.get_clock().now().nanoseconds
        self._pub.publish(convert.twist_stamped(command, now, self._contract.frames['base']))

    def _spin(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            self._monitor.spin(max(0.0, min(left, 0.02)))
            if left <= 0:
                return
