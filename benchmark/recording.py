"""
Measure the recorder: a camera of 640x480 at 30 Hz, odometry and IMU at 100 Hz, control at 10 Hz.

The data collector runs in a process of its own and hears a stand-in for the robot over DDS. The
last line is a JSON object: `delivered` and `dropped` images, `cpu_share` of one core that the
recorder took, `write_vs_disk`: its bytes a second as a share of what the same disk took right
after, and `conversion_transitions_per_s`: recording to transitions.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
import sys
import tempfile
import time

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from guda_ros.data.contract import Contract
from guda_ros.data.episodes import read_episode
from guda_ros.data.recording.reader import RecordingReader
from guda_ros.data.transitions import transitions
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import NodeSpec

WIDTH, HEIGHT = 640, 480
IMAGE_RATE, SENSOR_RATE = 30, 100
#: Pictures that are published in turn.
_PICTURES = 30
_DISK_BYTES, _DISK_BLOCK = 256 * 2**20, 2**20


def pictures(count: int = _PICTURES) -> list[np.ndarray]:
    """Return pictures (480, 640, 3) of a green field with lines, noise and a ball that rolls."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    field = np.stack([40 + rows // 12, 110 + rows // 6, 40 + columns // 40], axis=2)
    field[((rows - columns // 3) % 160) < 6] = 230
    found = []
    for index in range(count):
        picture = field + rng.normal(0, 4, field.shape)
        ball = (rows - 300) ** 2 + (columns - 100 - 14 * index) ** 2 < 30**2
        picture[ball] = (230, 120, 30)
        found.append(picture.clip(0, 255).astype(np.uint8))
    return found


class StandInRobot:
    """
    Publishes what a robot, perception and safety publish, each at its rate, with exact stamps.

    :param node: of the graph that is measured.
    """

    def __init__(self, node, contract: Contract) -> None:
        from geometry_msgs.msg import PoseWithCovarianceStamped, TwistStamped
        from nav_msgs.msg import Odometry
        from sensor_msgs.msg import CameraInfo, Image, Imu
        from std_msgs.msg import String

        from guda_ros.ros import qos

        self._node = node
        self._contract = contract
        self._pictures = pictures()
        kinds = {
            'image': Image,
            'camera_info': CameraInfo,
            'odom': Odometry,
            'pose': PoseWithCovarianceStamped,
            'ball': Odometry,
            'command': TwistStamped,
        }
        names = contract.topics
        self._pub = {
            role: node.create_publisher(
                kind, names[role], qos.STREAM if role == 'odom' else qos.DEFAULT
            )
            for role, kind in kinds.items()
        }
        self._pub['imu'] = node.create_publisher(Imu, 'imu/data', qos.STREAM)
        self._pub['episode'] = node.create_publisher(String, names['episode'], qos.EPISODE)
        #: Role -> how many messages were published, and when the last one was late by how much.
        self.sent = dict.fromkeys(self._pub, 0)
        self.late = 0.0

    def connected(self) -> bool:
        """Tell whether somebody subscribes to everything."""
        return all(pub.get_subscription_count() for pub in self._pub.values())

    def announce(self, phase: str, name: str, stamp: int, verdict: str | None = None) -> None:
        """Publish a phase of an episode and wait until it was heard."""
        from rclpy.duration import Duration
        from std_msgs.msg import String

        from guda_ros.ros.episode.event import EpisodeEvent

        event = EpisodeEvent(id=name, phase=phase, stamp=stamp, verdict=verdict)
        self._pub['episode'].publish(String(data=event.to_json()))
        self._pub['episode'].wait_for_all_acked(Duration(seconds=5))

    def run(self, name: str, seconds: float, meanwhile=lambda passed: None) -> None:
        """Publish an episode in real time; `meanwhile` is called once a second."""
        rates = {'odom': SENSOR_RATE, 'image': IMAGE_RATE, 'control': self._contract.rate}
        counts = dict.fromkeys(rates, 0)
        first = time.time_ns() + 300_000_000
        self.announce('reset', name, first)
        self.announce('start', name, first)
        offset, looked, last = time.time() - time.monotonic(), 0, first
        while True:
            # Sensors go before what is made of them.
            kind = min(rates, key=lambda key: counts[key] / rates[key])
            passed = counts[kind] / rates[kind]
            if passed > seconds:
                break
            stamp = first + round(counts[kind] * 1e9 / rates[kind])
            due = stamp * 1e-9 - offset
            wait = due - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            self.late = max(self.late, -wait)
            getattr(self, f'_{kind}')(stamp, counts[kind])
            counts[kind] += 1
            last = stamp if kind == 'control' else last
            if passed >= looked:
                meanwhile(passed)
                looked += 1
        self.announce('end', name, last, 'scored')

    def _send(self, role: str, message) -> None:
        self._pub[role].publish(message)
        self.sent[role] += 1

    def _odom(self, stamp: int, count: int) -> None:
        from guda_ros.ros import conversions as convert

        frames = self._contract.frames
        self._send(
            'odom',
            convert.odometry_message(
                np.array([0.001 * count % 3, 0.0, 0.0]),
                stamp,
                frames['odom'],
                frames['base'],
                velocity=np.array([0.1, 0.0, 0.0]),
            ),
        )
        self._send(
            'imu',
            convert.imu_message(
                np.zeros(3), np.array([0.0, 0.0, 9.81]), stamp, frames['base'], (0.01, 0.1)
            ),
        )

    def _image(self, stamp: int, count: int) -> None:
        from guda_ros.ros import conversions as convert

        frame = self._contract.frames['camera']
        self._send('camera_info', convert.camera_info_message(WIDTH, HEIGHT, 500.0, stamp, frame))
        self._send(
            'image',
            convert.image_message(self._pictures[count % len(self._pictures)], stamp, frame),
        )

    def _control(self, stamp: int, count: int) -> None:
        from guda_ros.ros import conversions as convert

        frames = self._contract.frames
        self._send(
            'pose',
            convert.pose_message(
                np.array([0.01 * count % 3, 0.0, 0.0]),
                stamp,
                frames['map'],
                covariance=np.eye(3) * 0.01,
            ),
        )
        self._send(
            'ball',
            convert.ball_message(
                np.array([1.0, 0.0]),
                np.zeros(2),
                stamp,
                frames['odom'],
                position_covariance=np.eye(2) * 0.01,
                velocity_covariance=np.eye(2) * 0.01,
            ),
        )
        self._send('command', convert.twist_stamped(np.array([0.1, 0.0, 0.0]), stamp))


def recorder(folder: Path) -> NodeSpec:
    """Return the data collector that records into a folder."""
    return NodeSpec(
        'data_collector',
        'data_collector',
        parameters={
            'directory': str(folder),
            'record_images': True,
            'rates': [f'image={IMAGE_RATE}'],
            'use_sim_time': False,
        },
    )


def wait(graph: GraphProcesses, condition, timeout: float = 30.0) -> None:
    """Handle messages until a condition holds."""
    deadline = time.monotonic() + timeout
    while not condition():
        graph.check()
        if time.monotonic() > deadline:
            raise SystemExit('the recorder does not answer')
        graph.monitor.spin(0.05)


def hear_recorder(graph: GraphProcesses) -> list[dict]:
    """Return a list that is filled with what the recorder announces."""
    from std_msgs.msg import String

    from guda_ros.ros import qos

    heard: list[dict] = []
    graph.monitor.node.create_subscription(
        String,
        'data_collector/recording',
        lambda message: heard.append(json.loads(message.data)),
        qos.LATCHED,
    )
    return heard


def cpu_seconds(pid: int) -> float:
    """Return the processor time [s] that a process has taken."""
    fields = Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def disk_rate(folder: Path) -> float:
    """Return the bytes a second that a disk takes, synced at the end."""
    block = os.urandom(_DISK_BLOCK)
    file = folder / 'disk_rate'
    began = time.monotonic()
    with open(file, 'wb') as stream:
        stream.writelines(block for _ in range(_DISK_BYTES // _DISK_BLOCK))
        stream.flush()
        os.fsync(stream.fileno())
    rate = _DISK_BYTES / (time.monotonic() - began)
    file.unlink()
    return rate


def conversion_rate(path: Path, seconds: float = 2.0) -> float:
    """Return the transitions a second at which a recording is read and converted."""
    count, began = 0, time.monotonic()
    contract = Contract.load()
    while time.monotonic() - began < seconds:
        count += len(transitions([read_episode(path, contract)], contract))
    return count / (time.monotonic() - began)


def measure(seconds: float, folder: Path) -> dict:
    """Record for so long into a folder and return what the last line tells, and more."""
    contract = Contract.load()
    with GraphProcesses([recorder(folder / 'recordings')], log_dir=folder / 'log') as graph:
        graph.wait_ready(60)
        robot = StandInRobot(graph.monitor.node, contract)
        heard = hear_recorder(graph)
        wait(graph, robot.connected)
        pid = graph.pids['data_collector']
        began, used = time.monotonic(), cpu_seconds(pid)
        robot.run('benchmark', seconds)
        passed, used = time.monotonic() - began, cpu_seconds(pid) - used
        wait(graph, lambda: heard and heard[-1]['state'] == 'closed')
    disk = disk_rate(folder)
    path = folder / 'recordings' / 'benchmark'
    with RecordingReader(path) as reader:
        delivered, quality = reader.topics['/image_raw/compressed'], reader.quality
    size = sum(file.stat().st_size for file in path.glob('*.mcap'))
    return {
        'delivered': delivered,
        'dropped': robot.sent['image'] - delivered,
        'cpu_share': round(used / passed, 3),
        'write_vs_disk': round(size / passed / disk, 5),
        'conversion_transitions_per_s': round(conversion_rate(path)),
        'reported_lost': quality['streams']['image']['lost'],
        'seconds': round(passed, 1),
        'write_mb_per_s': round(size / passed / 1e6, 3),
        'disk_mb_per_s': round(disk / 1e6, 1),
        'slowest_sync_s': quality['slowest_sync'],
        'publisher_late_s': round(robot.late, 3),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n', maxsplit=1)[0].strip())
    parser.add_argument('--seconds', type=float, default=30.0, help='length of the recording')
    parser.add_argument('--folder', type=Path, help='where to record (default: a temporary one)')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        print(json.dumps(measure(options.seconds, Path(folder))))


if __name__ == '__main__':
    main()
