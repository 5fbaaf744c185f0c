"""Live augmentation beside the recorder: real processes, over DDS."""

import json
import os
from pathlib import Path
import signal
import subprocess
import time

import numpy as np
import pytest
from recorder_graph import NODE, recorder_graphs
from std_msgs.msg import String
from std_srvs.srv import Trigger
from visualization_msgs.msg import Marker, MarkerArray

from guda_ros.augmentation.coverage import measure_coverage, SIDES
from guda_ros.data.contract import Contract
from guda_ros.data.transitions import TransitionSet
from guda_ros.ros import qos
from guda_ros.tasks.soccer.task import SoccerPush

STEPS = 40


@pytest.fixture(scope='module')
def graph(tmp_path_factory):
    """A data collector with a guide, and what it says of the augmentation."""
    with recorder_graphs(tmp_path_factory) as launch:
        graph = launch('guide:=guided')
        graph.told, graph.drawn = [], []
        graph.node.create_subscription(
            String,
            'data_collector/augmentation',
            lambda m: graph.told.append(json.loads(m.data)),
            qos.LATCHED,
        )
        graph.node.create_subscription(
            MarkerArray, 'data_collector/augmented', graph.drawn.append, qos.LATCHED
        )
        yield graph


def record(graph, name):
    """Record an episode in which the ball is pushed .4 m."""
    graph.announce('start', name=name)
    for step in range(STEPS + 1):
        graph.step(step)
        # A burst would overrun what the publishers keep for readers that are behind.
        time.sleep(0.02)
    graph.announce('end', STEPS, name=name, verdict='scored')
    return graph.status('closed', name)


def worker(graph):
    """Return the number of the process that augments."""
    children = Path(f'/proc/{graph.process.pid}/task').glob('*/children')
    found = [int(pid) for file in children for pid in file.read_text().split()]
    assert len(found) == 1
    return found[0]


def test_an_episode_is_augmented_saved_drawn_and_told(graph):
    graph.wait(lambda: graph.told and graph.told[-1]['episodes'] == 0)
    status = record(graph, 'one')
    graph.wait(lambda: graph.told[-1]['episodes'] == 1)
    told = graph.told[-1]
    assert (told['recorded'], told['augmented'], told['problems']) == (STEPS, 20_000, [])
    assert 0 < told['acceptance'] <= 1 and 0 < told['covered'] < 1
    made = TransitionSet.load(told['file'])
    assert Path(told['file']).parent == Path(status['path']).parent
    assert (len(made), made.episode_ids, made.info['guide']) == (20_000, ('one',), 'guided')
    # The robot was seen behind the ball only: that is what there is nothing to say of.
    assert told['next'] and not told['next'].startswith('behind the ball, ')
    graph.wait(lambda: any(marker.points for marker in graph.drawn[-1].markers))
    markers = {marker.ns: marker for marker in graph.drawn[-1].markers}
    assert markers['robot'].header.frame_id == 'map'
    assert markers['robot'].type == Marker.LINE_LIST and len(markers['robot'].points) % 2 == 0
    shown = np.array([(point.x, point.y) for point in markers['ball'].points])
    # Where the guide puts balls, and the way they roll.
    assert shown[:, 0].min() > 0 and np.abs(shown[:, 1]).max() < 3
    assert told['next'] in markers['words'].text
    graph.wait(
        lambda: any(
            pair.key == 'augmentation.acceptance' and float(pair.value) > 0
            for status in graph.diagnostics
            for pair in status.values
        )
    )


def test_recording_does_not_wait_for_an_augmentation_that_hangs(graph):
    before = len(graph.told)
    os.kill(worker(graph), signal.SIGSTOP)
    try:
        assert record(graph, 'two')['complete']
        assert record(graph, 'three')['complete']
        assert len(graph.told) == before
    finally:
        os.kill(worker(graph), signal.SIGCONT)
    graph.wait(lambda: graph.told[-1]['episodes'] == 3)


def test_a_killed_augmentation_is_told_and_starts_again(graph):
    os.kill(worker(graph), signal.SIGSTOP)
    assert record(graph, 'four')['complete']
    os.kill(worker(graph), signal.SIGKILL)
    graph.wait(lambda: 'the augmentation ended' in ''.join(graph.told[-1]['problems']))
    assert record(graph, 'five')['complete']
    graph.wait(lambda: graph.told[-1]['episodes'] == 5 and not graph.told[-1]['problems'])


def test_what_is_discarded_is_left_out(graph):
    record(graph, 'six')
    graph.wait(lambda: graph.told[-1]['episodes'] == 6)
    client = graph.node.create_client(Trigger, 'data_collector/discard')
    graph.wait(client.service_is_ready)
    future = client.call_async(Trigger.Request())
    graph.wait(future.done)
    assert future.result().success, future.result().message
    graph.wait(lambda: graph.told[-1]['episodes'] == 5)
    assert 'six' not in TransitionSet.load(graph.told[-1]['file']).episode_ids


def test_what_was_asked_for_is_saved_when_the_node_ends(graph):
    number = worker(graph)
    record(graph, 'last')
    graph.process.send_signal(signal.SIGINT)
    assert graph.process.wait(10) == 0
    assert not Path(f'/proc/{number}').exists()
    made = TransitionSet.load(graph.folder / 'augmented_guided.h5')
    assert 'last' in made.episode_ids


@pytest.mark.parametrize(
    'guide, message',
    [
        ('nothing', "unknown name 'nothing' in config/guides"),
        ('push_ball_random', 'it is for the task push_ball_to_goal'),
    ],
)
def test_a_guide_that_does_not_fit_ends_the_node_with_one_line(tmp_path, guide, message):
    result = subprocess.run(
        [*NODE, '-p', f'directory:={tmp_path}', '-p', f'guide:={guide}'],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert result.returncode == 1 and message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_sides_are_named_as_one_sees_them_who_looks_at_the_goal():
    contract = Contract.load()
    task = SoccerPush(contract)
    states = np.zeros((8, 10))
    # The goal is at (4.55, 0) or so; the robot goes round the ball at the origin, 1 m away.
    angles = np.pi + 2 * np.pi / 8 * np.arange(8)
    states[:, 0], states[:, 1] = np.cos(angles), np.sin(angles)
    for row, side in enumerate(SIDES):
        counted = measure_coverage(task, states[row : row + 1]).sides
        assert counted.sum() == counted[row, 1] == 1, side
    assert SIDES[6] == 'to the left of the {}' and states[6, 1] > 0.99
    assert measure_coverage(task, states).covered == 8 / 24
    # One side without any step comes before those that lack a distance.
    assert measure_coverage(task, states[1:]).missing() == 'behind the ball, 0.5 to 1.5 m away'
