"""The data collector in a process of its own, over DDS."""

from io import StringIO
import json
import os
from pathlib import Path
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from rclpy.duration import Duration
from recorder_graph import NODE, recorder_graphs
import recording_scene as scene
from sensor_msgs.msg import Image, Joy
from std_msgs.msg import String

from guda_ros.data.contract import Contract
from guda_ros.data.episodes import read_episode
from guda_ros.data.recording.reader import RecordingReader
from guda_ros.ros import qos
from guda_ros.ros.conversions import image_message

CONFIG = Path(__file__).resolve().parents[2] / 'config'


@pytest.fixture(scope='module')
def start(tmp_path_factory):
    """Return a function that starts the graph with parameters of the collector."""
    with recorder_graphs(tmp_path_factory) as launch:
        yield launch


@pytest.fixture(scope='module')
def shared(start):
    return start('operator:=scripted', 'guide:=guided')


@pytest.fixture
def graph(shared):
    """Return the graph that the tests share, with an episode name of the test's own."""
    shared.number += 1
    shared.name = f'episode_{shared.number}'
    return shared


def test_an_episode_is_recorded_from_the_topics(graph):
    graph.announce('reset')
    graph.announce('start', contract_hash=Contract.load().hash)
    for step in range(11):
        graph.step(step)
        graph.publishers['joy'].publish(Joy())
    graph.announce('end', 10, verdict='scored')
    status = graph.status('closed')
    assert (status['complete'], status['problems'], status['verdict']) == (True, [], 'scored')
    assert status['path'] == str(graph.folder / graph.name)
    episode = read_episode(status['path'], Contract.load())
    assert (len(episode), episode.problems, episode.operator) == (10, (), 'scripted')
    assert (episode.seed, episode.start_index, episode.success) == (9, 2, True)
    np.testing.assert_allclose(
        episode.world_states[3], [1, 2, np.pi / 2, 1, 2.53, 0, 0.1, 0.1, 0, 0.02], atol=1e-12
    )
    with RecordingReader(status['path']) as reader:
        assert reader.info.robot_start == (1.0, 2.0, 0.5)
        assert reader.topics['/joy'] > 0
        assert (reader.info.success, reader.info.guide) == (True, 'guided')
        for name, kind in (('profile.yaml', 'robots/nao_v6'), ('guide.yaml', 'guides/guided')):
            assert reader.documents[name] == (CONFIG / f'{kind}.yaml').read_text()
        # The scene's stamps are decades before the clock of this machine.
        assert 'odom: stamps are' in ' '.join(reader.quality['reasons'])
        assert reader.quality['streams']['odom']['messages'] == 11
        phases = [
            json.loads(message.data)['phase'] for _, _, message in reader.messages(['/episode'])
        ]
    assert phases == ['reset', 'start', 'end']


def test_episodes_follow_each_other(graph):
    for name in ('a', 'b', 'c'):
        graph.announce('start', name=name)
        for step in range(4):
            graph.step(step)
        graph.announce('end', 3, name=name, verdict='timeout')
        assert graph.status('closed', name)['problems'] == []
    assert {'a', 'b', 'c'} <= {path.name for path in graph.folder.iterdir()}


def test_messages_that_come_after_the_end_was_announced_are_taken(graph):
    graph.announce('start')
    for step in range(5):
        graph.step(step)
    graph.step(5, 'ball')
    graph.announce('end', 5, verdict='scored')
    time.sleep(0.3)
    graph.publishers['ball'].publish(scene.samples(5)['ball'])
    assert graph.status('closed')['complete']


def test_a_missing_sample_is_told(graph):
    graph.announce('start')
    for step in range(5):
        graph.step(step, *(['pose'] if step == 2 else []))
    graph.announce('end', 4, verdict='scored')
    status = graph.status('closed')
    assert not status['complete']
    assert 'pose: 1 of 5 samples are missing' in status['problems'][0]


def test_an_episode_of_another_contract_is_refused(graph):
    graph.announce('start', contract_hash='0123456789abcdef')
    assert 'start both with the same contract' in graph.status('failed')['problems'][0]
    assert not (graph.folder / graph.name).exists()


def test_an_existing_recording_is_an_error_on_diagnostics_and_the_node_goes_on(graph):
    scene.write_recording(graph.folder, name=graph.name)
    graph.announce('start')
    assert 'exists already' in graph.status('failed')['problems'][0]
    graph.wait(
        lambda: any(
            status.name == '/data_collector'
            and 'exists already' in status.message
            and status.level == b'\x02'
            for status in graph.diagnostics
        )
    )
    graph.announce('start', name='after')
    for step in range(3):
        graph.step(step)
    graph.announce('end', 2, name='after', verdict='scored')
    assert graph.status('closed', 'after')['complete']


def test_what_is_not_an_event_is_ignored(graph):
    for text in ('{"id": 3}', 'nonsense'):
        graph.episode.publish(String(data=text))
        assert graph.episode.wait_for_all_acked(Duration(seconds=5))
    graph.announce('start')
    graph.status('recording')


def test_stopping_the_node_closes_the_recording_as_aborted(start):
    graph = start()
    graph.announce('start')
    graph.status('recording')
    file = graph.folder / 'a.partial' / 'a_0.mcap'
    empty = file.stat().st_size
    for step in range(5):
        graph.step(step)
    graph.wait(lambda: file.stat().st_size > empty + 1000)
    time.sleep(0.5)
    graph.process.send_signal(signal.SIGINT)
    assert graph.process.wait(10) == 0
    episode = read_episode(graph.folder / 'a')
    assert (len(episode), episode.verdict) == (4, 'aborted')


def test_images_are_recorded_as_jpeg_if_asked_for(start):
    graph = start('record_images:=true')
    image = np.full((48, 64, 3), (255, 0, 0), dtype=np.uint8)
    publisher = graph.node.create_publisher(Image, 'image_raw', qos.DEFAULT)
    graph.wait(publisher.get_subscription_count)
    graph.announce('start')
    graph.status('recording')
    for step in range(3):
        publisher.publish(image_message(image, scene.START + step * scene.PERIOD, 'camera'))
        graph.step(step)
        time.sleep(0.1)
    graph.announce('end', 2, verdict='scored')
    path = graph.status('closed')['path']
    cv2 = pytest.importorskip('cv2')
    with RecordingReader(path) as reader:
        found = [message for _, _, message in reader.messages(['/image_raw/compressed'])]
    assert len(found) == 3
    assert found[0].header.frame_id == 'camera'
    pixels = cv2.imdecode(np.asarray(found[0].data), cv2.IMREAD_COLOR)
    assert pixels.shape == (48, 64, 3)
    # OpenCV's order is blue, green, red.
    np.testing.assert_allclose(pixels[24, 32], (0, 0, 255), atol=5)


def test_an_unknown_contract_ends_the_node_with_one_line(start):
    result = subprocess.run(
        [*NODE, '-p', 'contract:=nothing'],
        capture_output=True,
        text=True,
        env=dict(os.environ),
        timeout=30,
    )
    assert result.returncode == 1
    lines = [line for line in StringIO(result.stderr) if line.strip()]
    assert len(lines) == 1 and "unknown name 'nothing' in config/tasks" in lines[0]


def test_the_node_needs_neither_torch_nor_mujoco():
    program = (
        'import sys, guda_ros.nodes.data_collector, guda_ros.data.episodes\n'
        'heavy = {"torch", "mujoco", "gymnasium", "minari", "h5py", "cv2", "matplotlib"}\n'
        'print(sorted(heavy & set(sys.modules)))\n'
    )
    result = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert result.stdout.strip() == '[]', result.stderr
