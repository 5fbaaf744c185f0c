"""
Records one rosbag2 folder an episode: what the robot knew, the command sent, and ground truth.

Subscribes to the topics of the contract, and to what else RecorderParameters names; announces on
`~/recording` (latched std_msgs/String, JSON: see EpisodeCollector.status) how the recording
stands. Alarms go to the log, to /diagnostics and, on a terminal, to a line that is kept up to
date.
"""

from __future__ import annotations

from collections.abc import Sequence
import json
import sys

from rclpy.node import Node
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String
from std_srvs.srv import Trigger

from guda_ros.data.recording.collector import CLOSED, EpisodeCollector, FAILED
from guda_ros.data.recording.folder import FolderClaim, require_contract
from guda_ros.data.recording.reader import RecordingError
from guda_ros.ros.diagnostics import DiagnosticsPublisher, ERROR, OK, WARN
from guda_ros.ros.episode.event import read_event
from guda_ros.ros.images import compressed_topic
from guda_ros.ros.parameters import Parameters
from guda_ros.ros.recorder.inputs import RecorderInputs
from guda_ros.ros.recorder.live_augmentation import LiveAugmentation
from guda_ros.ros.recorder.parameters import declare_recorder, recording_info
from guda_ros.ros.recorder.screen import RecorderScreen
from guda_ros.ros.running import exit_process, run_node, steady_timer
from guda_ros.ros.topics import offer_service, Topics, type_name

_TICK = 0.1


class DataCollector(Node):
    """The node `data_collector`."""

    def __init__(self) -> None:
        super().__init__('data_collector')
        told = declare_recorder(Parameters(self), not self.get_parameter('use_sim_time').value)
        self._contract, self._operator, self._guide = told.contract, told.operator, told.guide
        self._said: list[tuple[str, str]] = []
        self._judged = ''
        self._claim = FolderClaim(told.folder)
        require_contract(told.folder, self._contract)

        topics = {
            role: (self.resolve_topic_name(name), type_name(kind))
            for role, (name, kind) in told.topics.items()
        }
        table = Topics(self._contract)
        image = table['image'].name
        if told.images:
            compressed = compressed_topic(self.resolve_topic_name(image))
            topics['image'] = compressed, type_name(CompressedImage)
        self._collector = EpisodeCollector(
            told.folder,
            self._contract,
            topics,
            told.settings,
            ros_time=self._now,
            on_change=self._announce,
        )
        self._screen = RecorderScreen(self._collector, [*told.settings.rates])
        self._pub = table.publisher(self, 'recording')
        self._inputs = RecorderInputs(self, told, table, self._collector.take, self._on_episode)
        self._unfit: list[str] = []
        offer_service(self, 'discard', self._on_discard)
        # What was recorded goes to the disk also while the simulation's clock stands.
        self._timer = steady_timer(self, _TICK, self._on_tick)
        self._live = (
            LiveAugmentation(self, self._guide, told.folder, self._contract)
            if self._guide
            else None
        )
        self._diagnostics = DiagnosticsPublisher(self, self._report, self._contract.robot)
        self._announce()

    def close(self) -> None:
        """Close an open recording; called when the node ends."""
        self._collector.shut_down()
        if self._live is not None:
            self._live.close()
        self._claim.release()

    def _now(self) -> int:
        return self.get_clock().now().nanoseconds

    def _on_episode(self, data: bytes) -> None:
        event = read_event(self, deserialize_message(data, String).data)
        if event is None:
            return
        if event.phase == 'reset':
            self._collector.expect(event.id, event.stamp)
        if event.phase == 'start':
            if event.contract_hash not in ('', self._contract.hash):
                self._collector.refuse(
                    event.id,
                    f'the episode is of contract {event.contract_hash}, this node '
                    f'records {self._contract.hash}: start both with the same contract',
                )
                return
            self._collector.begin(recording_info(event, self._operator, self._guide))
        self._collector.take('episode', self._now(), data)
        if event.phase == 'end' and event.id == self._collector.status['id']:
            self._collector.end(event.verdict or 'aborted', event.stamp, event.message)

    def _on_discard(self, _, response: Trigger.Response) -> Trigger.Response:
        try:
            response.message = str(self._collector.discard())
            response.success = True
            if self._live is not None:
                self._live.ask()
        except (RecordingError, OSError) as error:
            response.success, response.message = False, str(error)
        return response

    def _on_tick(self) -> None:
        self._collector.tick()
        news = self._collector.news()
        for text in news:
            self._screen.clear()
            self.get_logger().warning(f'{self._collector.status["id"]}: {text}')
        if news:
            self._announce()
        unfit, self._unfit = self._unfit, self._collector.unfit
        for text in self._unfit:
            if text not in unfit:
                self.get_logger().error(text)
        self._screen.draw()

    def _announce(self) -> None:
        status = self._collector.status
        said, self._said = self._said, [(status['id'], text) for text in status['problems']]
        self._screen.clear()
        for episode, problem in self._said:
            if (episode, problem) not in said:
                self.get_logger().error(f'{episode}: {problem}')
        if status['state'] == CLOSED and status['path'] != self._judged:
            self._judged = status['path']
            if self._live is not None:
                self._live.ask()
            if status['good']:
                self.get_logger().info(f'{status["id"]}: {status["verdict"]}, recorded well')
            else:
                self.get_logger().error(
                    f'{status["id"]}: NOT GOOD ENOUGH, record it again: '
                    + '; '.join(status['reasons'])
                )
        if self.context.ok():
            self._pub.publish(String(data=json.dumps(status)))

    def _report(self) -> tuple[bytes, str, dict]:
        status = self._collector.status
        wrong = status.pop('problems') + status.pop('alarms')
        wrong += self._inputs.ends.problems() + self._collector.unfit
        reasons = status.pop('reasons')
        if status['state'] == CLOSED:
            wrong += reasons
        level = OK if not wrong else WARN
        if status['state'] == FAILED or (wrong and self._collector.recording):
            level = ERROR
        status['free_mb'] = self._collector.free // 10**6
        if self._live is not None:
            status.update(self._live.values())
        return level, '; '.join(wrong) or status['state'], status


def main(args: Sequence[str] | None = None) -> int:
    """Run the node."""
    return run_node(DataCollector, args)


if __name__ == '__main__':
    exit_process(main(sys.argv))
