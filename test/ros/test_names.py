"""Names are the robot's: namespaces, remaps, parameter files, log levels, topics and frames."""

import argparse

import numpy as np
from policy_file import write_policy
import pytest
from rcl_interfaces.srv import GetParameters
from ros_helpers import wait_for
import yaml

from guda_ros.cli.common import add_names, names_of
from guda_ros.config.files import ConfigError, find_config
from guda_ros.data.contract import Contract
from guda_ros.data.episodes import read_episode
from guda_ros.errors import GudaError
from guda_ros.ros.control.operator_station import OperatorStation
from guda_ros.ros.graph.names import read_remaps, RosNames
from guda_ros.ros.graph.parameter_file import node_parameters, read_parameter_file
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import build_graph, GraphOptions

CONTRACT = Contract.load()
START = (2.6, 0.3, 0.1, 3.6, 0.2)


def test_what_a_person_types_reaches_every_node_of_a_graph(tmp_path):
    parser = argparse.ArgumentParser()
    add_names(parser)
    args = parser.parse_args(
        [
            '--remap',
            'image_raw:=/cam/image',
            '--remap',
            'safety:cmd_vel:=base/cmd_vel',
            '--namespace',
            'red',
            '--params-file',
            'p.yaml',
            '--log-level',
            'debug',
        ]
    )
    names = names_of(args)
    assert names == RosNames(
        'red', {'image_raw': '/cam/image', 'safety:cmd_vel': 'base/cmd_vel'}, 'p.yaml', 'debug'
    )
    specs = build_graph('robot', GraphOptions(names=names))
    assert [spec.names for spec in specs] == [names] * 5
    assert names_of(parser.parse_args([])).rules == []


@pytest.mark.parametrize('text', ['image_raw', ':=x', 'x:=', 'x=y'])
def test_what_is_no_remap_is_told(text):
    with pytest.raises(GudaError, match='FROM:=TO is expected'):
        read_remaps([text])


@pytest.mark.parametrize(
    'names, said',
    [
        ({'namespace': 'my robot'}, 'letters, digits and _'),
        ({'namespace': '7up'}, 'letters, digits and _'),
        ({'remaps': {'__ns': '/x'}}, '--namespace'),
        ({'remaps': {'a b': 'c'}}, 'no pair of names'),
        ({'remaps': {'a': 'c-d'}}, 'no pair of names'),
        ({'log_level': 'loud'}, 'one of debug'),
    ],
)
def test_names_that_ros_would_not_take_are_told_before_anything_is_started(names, said):
    with pytest.raises(GudaError, match=said):
        RosNames(**names)


@pytest.mark.parametrize(
    'text, said',
    [
        (None, 'no such file'),
        ('safety: [', 'not valid YAML'),
        ('safety: {timeout: 1}', 'no file of parameters'),
        ('- 1', 'no file of parameters'),
        (b'# f\xfcr\nsafety: {}', 'not UTF-8'),
    ],
)
def test_a_file_that_holds_no_parameters_is_told(tmp_path, text, said):
    path = tmp_path / 'p.yaml'
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises((GudaError, ConfigError), match=said):
        read_parameter_file(path)


def test_a_node_is_told_what_all_are_told_and_over_it_its_own_in_its_namespace(tmp_path):
    path = tmp_path / 'p.yaml'
    path.write_text(
        """
safety: {ros__parameters: {stamped: false, timeout: {joy: 0.3}}}
/**: {ros__parameters: {stamped: true, robot: nao_v6}}
red:
  safety: {ros__parameters: {stamped: 7}}
""",
        encoding='utf-8',
    )
    assert node_parameters(path, 'safety') == {
        'stamped': False,
        'robot': 'nao_v6',
        'timeout.joy': 0.3,
    }
    assert node_parameters(path, 'safety', '/red') == {'stamped': 7, 'robot': 'nao_v6'}
    assert node_parameters(path, 'perception') == {'stamped': True, 'robot': 'nao_v6'}


def test_lists_of_a_parameter_file_become_reals_and_nothing_else_changes(tmp_path):
    path = tmp_path / 'p.yaml'
    text = 'a:\n  ros__parameters:\n    x: [1, 2]\n    y: yes\n    z: 3\n    w: "1"\n'
    path.write_text(text)
    assert read_parameter_file(path) == text
    path.write_text(text + '    v: [1, 0x10, 2.5]\n    u: [a, 1, 2.5]\n')
    values = yaml.safe_load(read_parameter_file(path))['a']['ros__parameters']
    assert values == {
        'x': [1, 2],
        'y': True,
        'z': 3,
        'w': '1',
        'v': [1.0, 16.0, 2.5],
        'u': ['a', 1.0, 2.5],
    }
    assert all(type(value) is float for value in values['v'])


def test_a_node_has_namespace_remaps_and_parameters_of_a_file_under_what_was_set(tmp_path):
    path = tmp_path / 'p.yaml'
    path.write_text(
        '/**:\n  ros__parameters:\n    timeout: {joy: 2}\n'
        'red:\n  safety:\n    ros__parameters:\n      timeout: {teleop: 3, policy: 4}\n'
        '      max_acceleration: [1, 0.5, 2]\n'
    )
    names = RosNames('red', {'cmd_vel': '/base/cmd'}, str(path), 'debug')
    options = GraphOptions(names=names, overrides={'safety': {'timeout.policy': 5}})
    spec = next(spec for spec in build_graph('robot', options) if spec.name == 'safety')
    with GraphProcesses([spec], log_dir=tmp_path / 'log') as graph:
        graph.wait_ready(60)
        node = graph.monitor.node
        publishers = node.get_publishers_info_by_topic
        assert wait_for(lambda: publishers('/base/cmd'), 20.0, lambda: graph.monitor.spin(0.1))
        (info,) = publishers('/base/cmd')
        assert (info.node_name, info.node_namespace) == ('safety', '/red')
        client = node.create_client(GetParameters, 'safety/get_parameters')
        asked = ['timeout.joy', 'timeout.teleop', 'timeout.policy', 'max_acceleration']
        assert client.wait_for_service(10.0)
        future = client.call_async(GetParameters.Request(names=asked))
        while not future.done():
            graph.monitor.spin(0.1)
        joy, teleop, policy, acceleration = future.result().values
        assert (joy.double_value, teleop.double_value, policy.double_value) == (2.0, 3.0, 5.0)
        assert list(acceleration.double_array_value) == [1.0, 0.5, 2.0]
    assert '[DEBUG]' in (tmp_path / 'log' / 'safety.log').read_text()


@pytest.mark.needs('drawing')
def test_a_robot_with_names_of_its_own_is_driven_by_a_policy_of_another_and_recorded(tmp_path):
    write_policy(tmp_path / 'walk.onnx', CONTRACT)
    profile = tmp_path / 'mine.yaml'
    text = find_config('robots', 'nao_v6').read_text(encoding='utf-8')
    profile.write_text(
        text + '\ntopics: {odom: base/odometry, joint_states: body/joints}\n'
        'frames: {odom: odom_combined, base: base_footprint, camera: CameraTop_optical_frame}\n'
    )
    names = RosNames('red', {'image_raw': '/cam/image', 'cmd_vel': '/base/cmd'})
    episodes = []
    for name, how in (('usual', {}), ('mine', {'robot': str(profile), 'names': names})):
        options = GraphOptions(
            policy=str(tmp_path / 'walk.onnx'), recordings=str(tmp_path / name), **how
        )
        with GraphProcesses('evaluate', options, tmp_path / f'log_{name}') as graph:
            graph.wait_ready(90)
            outcome = graph.runner().run(start=START, seed=3, time_limit=2.5, episode_id='one')
            assert outcome.recording['good'], outcome.recording
            topics = dict(graph.monitor.node.get_topic_names_and_types())
        # What was recorded under other names is for the usual contract, too.
        episodes.append(read_episode(tmp_path / name / 'one', CONTRACT))
    assert {'/red/base/odometry', '/red/body/joints', '/cam/image', '/base/cmd'} <= topics.keys()
    assert not {'/image_raw', '/odom', '/cmd_vel', '/red/odom', '/red/cmd_vel'} & topics.keys()
    usual, mine = episodes
    assert len(usual) == 25 and np.abs(usual.commands).max() > 0.05
    for column in ('stamps', 'commands', 'world_states', 'truth_states', 'commanded_by'):
        np.testing.assert_array_equal(getattr(mine, column), getattr(usual, column))


def test_a_screen_finds_a_graph_in_a_namespace(tmp_path):
    names = RosNames('red', {'joy': 'pad'})
    specs = [
        spec
        for spec in build_graph('robot', GraphOptions(names=names))
        if spec.name in ('safety', 'teleop')
    ]
    with GraphProcesses(specs, log_dir=tmp_path / 'log') as graph:
        graph.wait_ready(60)
        with pytest.raises(GudaError, match='no teleop node'):
            OperatorStation(graph.domain, CONTRACT)
        station = OperatorStation(graph.domain, CONTRACT, names)
        assert wait_for(lambda: station.teleop and station.safety, 20.0, lambda: station.spin(0.1))
        assert station.teleop['joystick'] == 'xbox' and station.safety['stopped'] is False
        station.close()
