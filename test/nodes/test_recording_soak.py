"""A long recording of everything at full rate: memory does not grow, no loss goes unreported."""

import os
from pathlib import Path

import pytest
import recording as benchmark

from guda_ros.data.contract import Contract
from guda_ros.data.recording.reader import RecordingReader
from guda_ros.data.recording.repair import doctor
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.qos import RECORD_IMAGES

#: `make soak` asks for 60.
MINUTES = float(os.environ.get('GUDA_SOAK_MINUTES', '7'))
#: Minutes after which memory must have settled.
SETTLED = min(5.0, 0.8 * MINUTES)
#: Bytes by which it may differ then: DDS keeps the room of a queue of raw images once it was full.
ALLOWED = 12e6 + RECORD_IMAGES.depth * 640 * 480 * 3


def memory(pid):
    """Return the memory [bytes] that is a process's own."""
    for line in Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('RssAnon:'):
            return int(line.split()[1]) * 1024
    raise AssertionError('the kernel tells nothing of memory')


@pytest.mark.long
def test_a_long_recording_does_not_grow_in_memory_and_reports_every_loss(tmp_path):
    found = []
    spec = benchmark.recorder(tmp_path / 'recordings')
    with GraphProcesses([spec], log_dir=tmp_path / 'log') as graph:
        graph.wait_ready(60)
        robot = benchmark.StandInRobot(graph.monitor.node, Contract.load())
        heard = benchmark.hear_recorder(graph)
        benchmark.wait(graph, robot.connected)
        pid = graph.pids['data_collector']

        def look(passed):
            graph.monitor.spin(0.0)
            found.append((passed, memory(pid)))

        robot.run('soak', MINUTES * 60, look)
        benchmark.wait(graph, lambda: heard[-1]['state'] == 'closed', 60.0)
    path = tmp_path / 'recordings' / 'soak'
    with RecordingReader(path) as reader:
        recorded, quality = reader.topics, reader.quality
    topics = {
        'image': '/image_raw/compressed',
        'odom': '/odom',
        'pose': '/pose',
        'ball': '/ball/odom',
        'command': '/cmd_vel',
        'imu': '/imu/data',
    }
    lost = {role: robot.sent[role] - recorded[topic] for role, topic in topics.items()}
    settled = [size for passed, size in found if passed >= SETTLED * 60]
    print(
        f'{MINUTES:g} minutes: {robot.sent["image"]} images, lost of all streams {lost}, memory '
        f'{settled[0] / 1e6:.1f} to {max(settled) / 1e6:.1f} MB after {SETTLED:g} minutes'
    )
    assert max(settled) - settled[0] < ALLOWED
    # What is lost on the way leaves a gap in the stamps, which the report counts.
    assert lost == {role: quality['streams'][role]['lost'] for role in topics}
    assert doctor(path)[0].state == 'whole'
