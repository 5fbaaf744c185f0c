"""Run episodes in a graph of nodes from outside: set the start, reset, wait for the outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import json
import time

from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter
from std_msgs.msg import String
from std_srvs.srv import Trigger

from guda_ros.data.contract import Contract
from guda_ros.errors import GudaError
from guda_ros.ros.episode.event import EpisodeEvent, read_event
from guda_ros.ros.executor import QuietExecutor
from guda_ros.ros.topics import service_client, Topics


class EpisodeError(GudaError):
    """An episode could not be started or did not end; the message says why."""


@dataclass(frozen=True)
class EpisodeOutcome:
    """
    How an episode ended.

    :param event: the `end` event with its verdict.
    :param duration: simulated seconds.
    :param wall_seconds: real seconds, the reset included.
    :param recording: what the recorder said of it, None if it was not asked.
    """

    event: EpisodeEvent
    duration: float
    wall_seconds: float
    recording: dict | None = None

    @property
    def scored(self) -> bool:
        """Whether it ended with a goal."""
        return self.event.verdict == 'scored'


class EpisodeRunner:
    """
    A client of the simulator node, and of the recorder if there is one.

    :param node: used for communication, spun while waiting.
    :param check: called while waiting; raises when the graph has lost a node.
    :param recorder: wait for each recording to be closed.
    :param contract: names the topics; None stands for the usual names.
    """

    def __init__(
        self,
        node: Node,
        check: Callable[[], None] = lambda: None,
        recorder: bool = False,
        contract: Contract | None = None,
    ) -> None:
        self._node = node
        self._check = check
        self._recorder = recorder
        self._executor = node.executor
        if self._executor is None:
            self._executor = QuietExecutor(context=node.context)
            self._executor.add_node(node)
        self._start: EpisodeEvent | None = None
        self._last: EpisodeEvent | None = None
        self._recordings: dict[str, dict] = {}
        topics = Topics(contract)
        self._entities = [topics.subscription(node, 'episode', self._on_episode)]
        if recorder:
            self._entities.append(topics.subscription(node, 'recording', self._on_recording))
        self._parameters = service_client(node, 'simulator_parameters')
        self._reset = service_client(node, 'reset')

    def _on_episode(self, message: String) -> None:
        event = read_event(self._node, message.data)
        if event is None:
            return
        if event.phase == 'start':
            self._start = event
        self._last = event

    def _on_recording(self, message: String) -> None:
        status = json.loads(message.data)
        self._recordings[status.get('id', '')] = status

    def _wait(self, done: Callable[[], bool], timeout: float, what: str) -> None:
        deadline = time.monotonic() + timeout
        while not done():
            self._check()
            if time.monotonic() > deadline:
                raise EpisodeError(f'{what}: no answer within {timeout:g} s')
            self._executor.spin_once(timeout_sec=0.1)

    def _call(self, client, request, timeout: float):
        self._wait(client.service_is_ready, timeout, f'service {client.srv_name}')
        future = client.call_async(request)
        self._wait(future.done, timeout, f'service {client.srv_name}')
        return future.result()

    def set_parameters(self, values: dict[str, object], timeout: float = 10.0) -> None:
        """
        Set parameters of the simulator; an empty `start` means the list of fixed starts.

        :raises EpisodeError: with the reason if one is refused.
        """
        parameters = [
            Parameter(name, Parameter.Type.DOUBLE_ARRAY, list(map(float, value)))
            if name == 'start'
            else Parameter(name, value=value)
            for name, value in values.items()
        ]
        request = SetParameters.Request(
            parameters=[parameter.to_parameter_msg() for parameter in parameters]
        )
        for result in self._call(self._parameters, request, timeout).results:
            if not result.successful:
                raise EpisodeError(f'the simulator refuses a parameter: {result.reason}')

    def run(
        self,
        *,
        start_index: int = 0,
        seed: int = 0,
        scenario: str = 'attack',
        purpose: str = 'demonstration',
        start: Sequence[float] = (),
        episode_id: str = '',
        time_limit: float = 0.0,
        timeout: float = 600.0,
    ) -> EpisodeOutcome:
        """
        Run one episode to its end.

        :param start: robot x, y, yaw, ball x, y instead of the list of fixed starts.
        :param time_limit: simulated seconds, 0 for the contract's.
        :param timeout: real seconds.
        :raises EpisodeError: if it cannot be started or does not end in time.
        """
        began = time.monotonic()
        self.set_parameters(
            {
                'scenario': scenario,
                'purpose': purpose,
                'start_index': int(start_index),
                'seed': int(seed),
                'start': start,
                'episode_id': episode_id,
                'time_limit': float(time_limit),
            }
        )
        # An earlier episode may have had the same name.
        self._recordings.pop(episode_id, None)
        self._start = self._last = None
        name = self._reset_simulator()
        self._wait(
            lambda: self._last is not None and self._last.id == name and self._last.phase == 'end',
            timeout,
            f'episode {name}',
        )
        recording = None
        if self._recorder:
            self._wait(
                lambda: self._recordings.get(name, {}).get('state') in ('closed', 'failed'),
                30.0,
                f'recording of episode {name}',
            )
            recording = self._recordings[name]
        event, first = self._last, self._start
        begun = first.stamp if first is not None and first.id == name else event.stamp
        return EpisodeOutcome(
            event, (event.stamp - begun) / 1e9, time.monotonic() - began, recording
        )

    def place(self, start: Sequence[float]) -> None:
        """Put robot and ball to a start (5,), as a person would, and wait for no end."""
        self.set_parameters({'start': start})
        self._reset_simulator()

    def _reset_simulator(self) -> str:
        """Return the name of the episode that begins."""
        # Three waits of the simulator are in a reset: for partners and for two confirmations.
        answer = self._call(self._reset, Trigger.Request(), timeout=60.0)
        if not answer.success:
            raise EpisodeError(answer.message)
        return answer.message

    def close(self) -> None:
        """Destroy the clients and subscriptions."""
        for entity in self._entities:
            self._node.destroy_subscription(entity)
        self._node.destroy_client(self._parameters)
        self._node.destroy_client(self._reset)
