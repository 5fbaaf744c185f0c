"""
Records one rosbag2 folder an episode: what the robot knew, the command sent, and ground truth.

Subscribes to the topics of the contract, `joy` and `ball/detection`; announces on `~/recording`
(latched std_msgs/String, JSON: id, path, state, messages, verdict, complete, problems) how the
recording stands.
"""

from __future__ import annotations

from datetime import datetime, timezone
from functools import partial
import json
import sys

from geometry_msgs.msg import PointStamped, PoseWithCovarianceStamped, TwistStamped
from nav_msgs.msg import Odometry
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState, Joy
from std_msgs.msg import Header, String

from guda_ros.data.collection import EpisodeCollector, FAILED
from guda_ros.data.recording import RecordingInfo
from guda_ros.ros.conversions import bgr_from_message
from guda_ros.ros.diagnostics import DiagnosticsPublisher, ERROR, OK, WARN
from guda_ros.ros.episode import read_event
from guda_ros.ros.parameters import declare_contract, Parameters
from guda_ros.ros.qos import LATCHED, RECORD, RECORD_LATCHED, SENSOR_DATA
from guda_ros.ros.running import exit_process, run_node

#: Topics beside those of the contract: role -> name.
_MORE_TOPICS = {'joy': 'joy', 'ball_detection': 'ball/detection',
                'command_source': 'cmd_vel/source', 'head_command': 'head/command'}
_TYPES = {
    'camera_info': CameraInfo, 'odom': Odometry, 'pose': PoseWithCovarianceStamped,
    'ball': Odometry, 'command': TwistStamped, 'episode': String,
    'ground_truth_robot': Odometry, 'ground_truth_ball': Odometry, 'joy': Joy,
    'ball_detection': PointStamped, 'command_source': Header, 'head_command': JointState,
}
_TICK = 0.1


class DataCollector(Node):
    """The node `data_collector`."""

    def __init__(self) -> None:
        super().__init__('data_collector')
        parameters = Parameters(self)
        self._contract = declare_contract(parameters)
        declare = partial(parameters.declare, read_only=True)
        folder = declare('directory', 'recordings', 'folder for recordings')
        self._operator = declare('operator', '', 'who demonstrates, noted in the recording')
        images = declare('record_images', False, 'record images, as JPEG')
        self._quality = declare('jpeg_quality', 80, 'quality of recorded images', low=1, high=100)
        drain = declare('drain_timeout', 1.0, 'how long the last samples are waited for after '
                        'the end of an episode', unit='s', low=0.0, high=30.0)
        self._said: list[tuple[str, str]] = []

        names = {**self._contract.topics, **_MORE_TOPICS}
        topics = {role: (self.resolve_topic_name(names[role]), _type_name(kind))
                  for role, kind in _TYPES.items()}
        if images:
            topics['image'] = (self.resolve_topic_name(names['image']) + '/compressed',
                               _type_name(CompressedImage))
        self._collector = EpisodeCollector(folder, self._contract, topics, drain=drain,
                                           on_change=self._announce)
        self._pub = self.create_publisher(String, '~/recording', LATCHED)
        for role, kind in _TYPES.items():
            if role == 'episode':
                self.create_subscription(kind, names[role], self._on_episode, RECORD_LATCHED,
                                         raw=True)
            else:
                # Drivers publish CameraInfo with the quality of their images.
                qos = SENSOR_DATA if role == 'camera_info' else RECORD
                self.create_subscription(kind, names[role], partial(self._take, role), qos,
                                         raw=True)
        if images:
            self.create_subscription(Image, names['image'], self._on_image, SENSOR_DATA)
        # Steady: what was recorded goes to the disk also while the simulation's clock stands.
        self._timer = self.create_timer(_TICK, self._collector.tick,
                                        clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._diagnostics = DiagnosticsPublisher(self, self._report, self._contract.robot)
        self._announce()

    def close(self) -> None:
        """Close an open recording; called when the node ends."""
        self._collector.close()

    def _now(self) -> int:
        return self.get_clock().now().nanoseconds

    def _take(self, role: str, data: bytes) -> None:
        self._collector.take(role, self._now(), data)

    def _on_image(self, message: Image) -> None:
        if not self._collector.recording:
            return
        import cv2
        try:
            pixels = bgr_from_message(message)
        except ValueError as error:
            # What else is recorded must not suffer from a camera that sends something else.
            self.get_logger().error(f'images are not recorded: {error}', once=True)
            return
        _, jpeg = cv2.imencode('.jpg', pixels, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        self._take('image', serialize_message(
            CompressedImage(header=message.header, format='jpeg', data=jpeg.tobytes())))

    def _on_episode(self, data: bytes) -> None:
        event = read_event(self, deserialize_message(data, String).data)
        if event is None:
            return
        if event.phase == 'start':
            if event.contract_hash not in ('', self._contract.hash):
                self._collector.refuse(
                    event.id, f'the episode is of contract {event.contract_hash}, this node '
                    f'records {self._contract.hash}: start both with the same contract')
                return
            self._collector.begin(RecordingInfo(
                id=event.id, scenario=event.scenario, start_index=event.start_index,
                seed=event.seed, robot_start=event.robot_start, operator=self._operator,
                start_stamp=event.stamp, parameters=event.parameters,
                started=datetime.now(timezone.utc).isoformat(timespec='seconds')))
        self._take('episode', data)
        if event.phase == 'end' and event.id == self._collector.status['id']:
            self._collector.end(event.verdict or 'aborted', event.stamp, event.message)

    def _announce(self) -> None:
        status = self._collector.status
        said, self._said = self._said, [(status['id'], text) for text in status['problems']]
        for episode, problem in self._said:
            if (episode, problem) not in said:
                self.get_logger().error(f'{episode}: {problem}')
        if self.context.ok():
            self._pub.publish(String(data=json.dumps(status)))

    def _report(self) -> tuple[bytes, str, dict]:
        status = self._collector.status
        problems = status.pop('problems')
        level = OK if not problems else WARN
        if status['state'] == FAILED or (problems and self._collector.recording):
            level = ERROR
        return level, '; '.join(problems) or status['state'], status


def _type_name(kind: type) -> str:
    package, _, _ = kind.__module__.split('.', 2)
    return f'{package}/msg/{kind.__name__}'


def main(args=None) -> int:
    """Run the node."""
    return run_node(DataCollector, args)


if __name__ == '__main__':
    exit_process(main(sys.argv))
