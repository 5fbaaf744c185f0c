"""The referee of trials on a robot: announces episodes and sees when the robot is commanded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import json
import time

import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import String

from guda_ros.data.contract import Contract
from guda_ros.ros import qos
from guda_ros.ros.control.sent_commands import SentCommands
from guda_ros.ros.episode.event import EpisodeEvent
from guda_ros.ros.episode.runner import EpisodeError
from guda_ros.ros.executor import QuietExecutor
from guda_ros.ros.graph.names import RosNames, USUAL_NAMES
from guda_ros.ros.topics import Topics

#: Seconds from the announcement of an episode to its first observation: all nodes know of it then.
LEAD = 0.3


class Referee:
    """
    Publishes `episode` for a person who runs trials; a node of this process, spun by hand.

    :param sim_time: follow /clock, when a simulator stands in for the robot.
    :param names: namespace and remaps of the graph.
    """

    def __init__(
        self,
        domain: int,
        contract: Contract,
        sim_time: bool = False,
        names: RosNames = USUAL_NAMES,
    ) -> None:
        self._contract = contract
        self._context = Context()
        rclpy.init(
            context=self._context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO
        )
        self._node = node = Node(
            'referee',
            context=self._context,
            cli_args=names.arguments,
            start_parameter_services=False,
            parameter_overrides=[Parameter('use_sim_time', value=sim_time)],
        )
        self._executor = QuietExecutor(context=self._context)
        self._executor.add_node(node)
        self._event: EpisodeEvent | None = None
        self._first: int | None = None
        #: What the policy node says that it does, and what the safety node says (JSON).
        self.policy_state, self.safety_state = '', '{}'
        self._recordings: dict[str, dict] = {}
        topics = Topics(contract)
        self._pub = topics.publisher(node, 'episode', qos=qos.LATCHED)
        self._commands = SentCommands(node, topics, self._on_command, stamped=None)
        topics.subscription(node, 'policy_state', self._on_policy)
        topics.subscription(node, 'safety_state', self._on_safety)
        topics.subscription(node, 'recording', self._on_recording)

    @property
    def now(self) -> int:
        """ROS time [ns]."""
        return self._node.get_clock().now().nanoseconds

    @property
    def seconds(self) -> float | None:
        """Seconds since the first command of this episode that moves the robot, None before."""
        return None if self._first is None else max(0, self.now - self._first) * 1e-9

    def spin(self, seconds: float) -> None:
        """Handle what arrives for so long."""
        deadline = time.monotonic() + seconds
        self._commands.look()
        while (left := deadline - time.monotonic()) > 0:
            self._executor.spin_once(timeout_sec=left)

    def wait_for_time(self, timeout: float = 15.0) -> None:
        """Wait until there is a clock and all hear the announcements; EpisodeError if not."""
        self._wait(lambda: self.now > 0, timeout, 'nobody publishes /clock')
        self._wait(
            lambda: self._pub.get_subscription_count() >= 3,
            timeout,
            'perception, policy and recorder do not hear the referee',
        )
        self._wait(self._commands.look, timeout, 'nobody commands the robot: is safety running?')

    def _wait(self, done: Callable[[], bool], timeout: float, problem: str) -> None:
        deadline = time.monotonic() + timeout
        while not done():
            if time.monotonic() > deadline:
                raise EpisodeError(f'{problem} (waited {timeout:g} s)')
            self.spin(0.05)

    def begin(self, name: str, start: np.ndarray | None, index: int, scenario: str) -> None:
        """
        Announce an episode: localisation begins at its start, the policy acts.

        :param start: (5,); None if nobody knows where the robot stands.
        """
        self._first = None
        event = EpisodeEvent(
            id=name,
            phase='reset',
            scenario=scenario,
            start_index=index,
            stamp=self.now + round(LEAD * 1e9),
            robot_start=None if start is None else tuple(map(float, start[:3])),
            contract_hash=self._contract.hash,
        )
        for phase in ('reset', 'start'):
            self._event = replace(event, phase=phase)
            self._announce()
            self.spin(0.05)

    def end(self, verdict: str, message: str = '') -> None:
        """Announce the end of the episode, at which the policy stops the robot; twice is once."""
        if self._event is None or self._event.phase == 'end':
            return
        self._event = replace(
            self._event, phase='end', verdict=verdict, message=message, stamp=self.now
        )
        self._announce()

    def wait_recorded(self, timeout: float = 5.0) -> str:
        """Wait until the episode is recorded; return what is wrong with the recording, or ''."""
        name = self._event.id
        try:
            self._wait(
                lambda: self._recordings.get(name, {}).get('state') in ('closed', 'failed'),
                timeout,
                'no recording',
            )
        except EpisodeError as error:
            return str(error)
        status = self._recordings[name]
        return '' if status['state'] == 'closed' else '; '.join(status['problems'])

    def close(self) -> None:
        """End the episode, if one is under way, and leave."""
        if not self._context.ok():
            return
        if self._event is not None and self._event.phase != 'end':
            self.end('aborted', 'the trial was broken off')
            self.spin(0.3)
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def __enter__(self) -> Referee:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _announce(self) -> None:
        self._pub.publish(String(data=self._event.to_json()))

    def _on_command(self, command: np.ndarray, _) -> None:
        event = self._event
        if (
            self._first is None
            and event is not None
            and event.phase != 'end'
            and self.now >= event.stamp
            and np.any(command != 0)
        ):
            self._first = self.now

    def _on_policy(self, message: String) -> None:
        self.policy_state = message.data

    def _on_safety(self, message: String) -> None:
        self.safety_state = message.data

    def _on_recording(self, message: String) -> None:
        status = json.loads(message.data)
        self._recordings[status.get('id', '')] = status
