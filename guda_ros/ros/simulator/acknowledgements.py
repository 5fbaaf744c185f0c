"""Listen for the acknowledgements of each step of a simulator in lock-step."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
import time

from rclpy.lifecycle import LifecycleNode

from guda_ros.data.contract import Contract
from guda_ros.data.recording.serialization import header_stamp
from guda_ros.data.verdicts import SOURCES
from guda_ros.ros import qos
from guda_ros.ros.running import destroy_entities
from guda_ros.ros.simulator.lockstep import LockStep
from guda_ros.ros.topics import count_publishers, Topics


class Acknowledgements(LockStep):
    """
    LockStep that hears the acknowledgements itself, but for the command's.

    :param proceed: called when an answer has come that was waited for.
    """

    def __init__(
        self, node: LifecycleNode, contract: Contract, proceed: Callable[[], None]
    ) -> None:
        self._node, self._proceed = node, proceed
        self._topics = topics = Topics(contract)
        wishes = [f'command_{source}' for source in SOURCES]
        # What perception tells last of an image.
        last = contract.inputs[-1]
        self._seen_topic = topics[last].name
        super().__init__(
            topics['command'].name, self._seen_topic, [topics[role].name for role in wishes]
        )
        # Deeper than who only wants the newest: each stamp counts here.
        self._subscriptions = [
            topics.subscription(
                node, role, partial(self._on_answer, topics[role].name), qos=qos.DEFAULT, raw=True
            )
            for role in (last, *wishes)
        ]
        self.restart()

    def _on_answer(self, topic: str, data: bytes) -> None:
        if self.answer(topic, header_stamp(data)):
            self._proceed()

    def find_sources(self, camera: bool) -> None:
        """See who is there to answer; `camera`: whether there are images."""
        self.sources(
            count_publishers(self._node, self._seen_topic) > 0,
            count_publishers(self._node, self._topics['command_policy'].name) > 0,
            camera,
        )

    def restart(self) -> None:
        """Let the time in which an answer is waited for begin now."""
        self._sent, self._repeated = time.monotonic(), 0

    @property
    def waited(self) -> float:
        """Real seconds since the step began."""
        return time.monotonic() - self._sent

    def should_repeat(self) -> bool:
        """Tell, once a second, that messages may have been lost on their way."""
        repeat = self.waited > 1.0 + self._repeated
        self._repeated += repeat
        return repeat

    def explain(self) -> str:
        """Say who did not answer."""
        publishers = {
            topic: [info.node_name for info in self._node.get_publishers_info_by_topic(topic)]
            for topic in self.topics
        }
        return f'waited {self.waited:.1f} s: {self.describe(publishers)}'

    def destroy(self) -> None:
        """Remove the subscriptions."""
        destroy_entities(self._node, self._subscriptions)
