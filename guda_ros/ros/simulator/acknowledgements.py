"""Listen for the answers to each step of a simulator in lock-step."""

from __future__ import annotations

from collections.abc import Callable
import time

from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from rclpy.lifecycle import LifecycleNode

from guda_ros.data.contract import Contract
from guda_ros.data.recording.serialization import header_stamp
from guda_ros.ros import qos
from guda_ros.ros.simulator.lockstep import LockStep


class AnswerWatch(LockStep):
    """
    LockStep that hears the answers itself, but for the command's.

    :param proceed: called when an answer has come that was waited for.
    """

    def __init__(
        self, node: LifecycleNode, contract: Contract, proceed: Callable[[], None]
    ) -> None:
        self._node, self._proceed = node, proceed
        self._topic = topic = contract.topics
        wishes = [f'{topic["command"]}/{source}' for source in ('teleop', 'policy')]
        super().__init__(topic['command'], topic['ball'], wishes)
        self._subscriptions = [
            node.create_subscription(
                Odometry if name == topic['ball'] else TwistStamped,
                name,
                lambda data, name=name: self._on_answer(name, data),
                qos.DEFAULT,
                raw=True,
            )
            for name in (topic['ball'], *wishes)
        ]
        self.restart()

    def _on_answer(self, topic: str, data: bytes) -> None:
        if self.answer(topic, header_stamp(data)):
            self._proceed()

    def look(self, camera: bool) -> None:
        """See who is there to answer; `camera`: whether there are images."""
        count = self._node.count_publishers
        self.sources(
            count(self._topic['ball']) > 0, count(f'{self._topic["command"]}/policy') > 0, camera
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
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
