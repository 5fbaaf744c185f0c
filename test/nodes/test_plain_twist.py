"""Robots whose driver hears Twist: one key of the profile, and everything else follows."""

import time

from node_trial import NodeTrial
import numpy as np
from policy_file import write_policy
import pytest

from guda_ros.config.files import find_config
from guda_ros.data.contract import Contract
from guda_ros.data.episodes import read_episode
from guda_ros.data.verdicts import COMMANDERS
from guda_ros.ros.control.operator_station import OperatorStation
from guda_ros.ros.episode.referee import Referee
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import build_graph, GraphOptions
from guda_ros.soccer import world
from guda_ros.workflows.robots.making import new_robot

CONTRACT = Contract.load()
TWIST, STAMPED = 'geometry_msgs/msg/Twist', 'geometry_msgs/msg/TwistStamped'
START = (2.6, 0.3, 0.1, 3.6, 0.2)


@pytest.fixture
def plain(tmp_path):
    """Return a profile of a robot that hears Twist."""
    path = tmp_path / 'plain.yaml'
    text = find_config('robots', 'nao_v6').read_text(encoding='utf-8')
    path.write_text(text.replace('adapter: naoqi', 'stamped: false'), encoding='utf-8')
    return path


@pytest.mark.needs('drawing')
@pytest.mark.parametrize('by', ['profile', pytest.param('parameter', marks=pytest.mark.long)])
def test_a_robot_that_hears_twist_is_recorded_as_one_that_hears_twist_stamped(tmp_path, plain, by):
    write_policy(tmp_path / 'walk.onnx')
    episodes, kinds = [], []
    told = {
        'stamped': {},
        'profile': {'robot': str(plain)},
        'parameter': {'overrides': {'safety': {'stamped': False}}},
    }
    for name in ('stamped', by):
        how = told[name]
        options = GraphOptions(
            policy=str(tmp_path / 'walk.onnx'), recordings=str(tmp_path / name), **how
        )
        with GraphProcesses('evaluate', options, tmp_path / f'log_{name}') as graph:
            graph.wait_ready(90)
            outcome = graph.runner().run(start=START, seed=3, time_limit=2.5, episode_id='one')
            assert outcome.recording['good'], outcome.recording
            node = graph.monitor.node
            kinds.append(
                {
                    info.topic_type
                    for ends in (
                        node.get_publishers_info_by_topic,
                        node.get_subscriptions_info_by_topic,
                    )
                    for info in ends('/cmd_vel')
                }
            )
        episodes.append(read_episode(tmp_path / name / 'one', CONTRACT))
    assert kinds == [{STAMPED}, {TWIST}]
    first, other = episodes
    assert len(first) >= 24 and first.usable.all() and np.abs(first.commands).max() > 0.05
    assert set(first.commanded_by) == {COMMANDERS.index('policy')}
    # On a busy machine the first image of an episode may come before its recorder hears it.
    shared, ours, theirs = np.intersect1d(first.stamps, other.stamps, return_indices=True)
    assert len(shared) >= 25 and np.all(np.diff(ours) == 1)
    # The previous command is among the states: the policy hears Twist too.
    for column, last in (
        ('world_states', None),
        ('truth_states', None),
        ('commands', -1),
        ('commanded_by', -1),
    ):
        np.testing.assert_array_equal(
            getattr(other, column)[theirs[:last]], getattr(first, column)[ours[:last]]
        )


@pytest.mark.long
@pytest.mark.needs('drawing')
def test_a_robot_that_sends_compressed_images_is_seen_and_recorded(tmp_path):
    values = {'driver.image_transport': 'compressed', 'topics.image': 'cam/image'}
    new_robot('mine', base='nao_v6', values=values, out=tmp_path / 'mine.yaml')
    contract = Contract.load('soccer_push', str(tmp_path / 'mine.yaml'))
    write_policy(tmp_path / 'walk.onnx', contract)
    options = GraphOptions(
        policy=str(tmp_path / 'walk.onnx'),
        robot=str(tmp_path / 'mine.yaml'),
        recordings=str(tmp_path / 'recordings'),
        record_images=True,
    )
    with GraphProcesses('evaluate', options, tmp_path / 'log') as graph:
        graph.wait_ready(90)
        outcome = graph.runner().run(start=START, seed=3, time_limit=2.5, episode_id='one')
        assert outcome.recording['good'], outcome.recording
        topics = dict(graph.monitor.node.get_topic_names_and_types())
        assert '/cam/image/compressed' in topics and '/cam/image' not in topics
    episode = read_episode(tmp_path / 'recordings' / 'one', contract)
    assert episode.usable.all()
    away = episode.world_states - episode.truth_states
    assert np.abs(away[3:, world.BALL]).max() < 0.03


@pytest.mark.parametrize('stamped', [True, False])
def test_the_referee_and_the_screen_see_commands_of_either_type(tmp_path, plain, stamped):
    nodes = {
        'safety': {'robot': '' if stamped else str(plain), 'require_deadman': False},
        'teleop': {},
    }
    with NodeTrial(nodes, tmp_path, listen=()) as trial:
        station = OperatorStation(trial.graph.domain, CONTRACT)
        with Referee(trial.graph.domain, CONTRACT) as referee:
            referee.begin('one', np.zeros(5), 0, 'attack')
            referee.spin(0.5)
            assert referee.seconds is None
            trial.command('policy', (0.0, 0.0, 0.0))
            referee.spin(0.2)
            assert referee.seconds is None
            until = time.monotonic() + 10.0
            while time.monotonic() < until:
                trial.command('policy', (0.1, 0.0, 0.5))
                station.spin(0.05)
                referee.spin(0.05)
                seen = station.latest('command'), station.latest('commander')
                if referee.seconds is not None and all(part is not None for part in seen):
                    break
            assert referee.seconds is not None
        np.testing.assert_allclose(seen[0], (0.1, 0.0, 0.5))
        assert seen[1] == 'policy'
        station.close()


def test_the_types_that_safety_is_told_are_told_to_all_and_each_may_be_told_otherwise():
    told = {'safety': {'stamped': False, 'stamped_input': False}}

    def stamped(overrides):
        options = GraphOptions(policy='p.onnx', overrides=overrides)
        return {
            spec.name: {
                key: spec.parameters[key]
                for key in ('stamped', 'stamped_input')
                if key in spec.parameters
            }
            for spec in build_graph('drive', options)
        }

    assert stamped({}) == dict.fromkeys(
        ('simulator', 'perception', 'teleop', 'safety', 'data_collector', 'policy'), {}
    )
    assert stamped(told) == {
        'simulator': {'stamped': False},
        'perception': {},
        'teleop': {'stamped': False},
        'safety': {'stamped': False, 'stamped_input': False},
        'data_collector': {'stamped': False, 'stamped_input': False},
        'policy': {'stamped': False},
    }
    assert stamped({**told, 'policy': {'stamped': True}})['policy'] == {'stamped': True}
