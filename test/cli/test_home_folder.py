"""`~` is the home folder wherever a shell does not make it that: --out=~/set, policy:=~/p.onnx."""

import argparse
import os
from pathlib import Path
import subprocess
import sys

from dataset_scene import CONTRACT, make_episode
import pytest

from guda_ros.cli.main import build_parser, main
from guda_ros.data.sets.minari import read_minari, write_minari


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Return a home folder; the current folder is another one."""
    (tmp_path / 'home').mkdir()
    (tmp_path / 'here').mkdir()
    monkeypatch.setenv('HOME', str(tmp_path / 'home'))
    monkeypatch.chdir(tmp_path / 'here')
    yield tmp_path / 'home'
    assert not [path for path in (tmp_path / 'here').iterdir() if '~' in path.name]


def parsers(parser=None, words=()):
    """Yield the words and the parser of every verb and action."""
    parser = parser or build_parser()
    subs = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    for sub in subs:
        for name, inner in sub.choices.items():
            yield from parsers(inner, (*words, name))
    if not subs:
        yield words, parser


ALL = list(parsers())


@pytest.mark.parametrize('words, parser', ALL, ids=[' '.join(words) for words, _ in ALL])
def test_every_path_of_every_verb_may_begin_with_the_home_folder(home, words, parser):
    """Each argument that is a path, or a name that may be one, given alone with what is needed."""

    def value(action):
        if action.choices:
            return str(next(iter(action.choices)))
        return '1' if action.type not in (None, Path) else '~/there'

    def written(action, text):
        return [f'{action.option_strings[-1]}={text}'] if action.option_strings else [text]

    actions = [one for one in parser._actions if one.dest != 'help']
    needed = [one for one in actions if one.required and one.nargs in (None, '+', 1)]
    tried = 0
    for action in actions:
        free = action.nargs in (None, '+', '*', '?') and not action.choices
        if not free or action.type not in (None, Path) or action.dest in ('set', 'seeds'):
            continue
        given = [word for one in needed if one is not action for word in written(one, value(one))]
        args = build_parser().parse_args([*words, *given, *written(action, '~/there')])
        found = getattr(args, action.dest)
        found = found[0] if isinstance(found, list) else found
        assert os.fspath(found) == f'{home}/there', action.dest
        tried += 1
    assert tried or words[-1] == 'record'


def test_a_set_is_written_to_and_read_from_the_home_folder(home):
    write_minari(home / 'a', [make_episode('a'), make_episode('b', seed=2)], CONTRACT)
    assert main(['data', 'merge', '~/a', '~/a', '--out=~/b']) == 0
    assert main(['data', 'split', '~/b', '--share=0.5', '--out=~/c']) == 0
    assert len(read_minari(home / 'c' / 'train')) == 1
    assert sorted(path.name for path in home.iterdir()) == ['a', 'b', 'c']


def test_somebody_who_is_not_there_is_no_folder(home, capsys):
    with pytest.raises(SystemExit) as ended:
        main(['data', 'merge', '~/a', '--out=~nobody_of_that_name/b'])
    assert ended.value.code == 2
    assert "there is no user 'nobody_of_that_name'" in capsys.readouterr().err


def test_a_tilde_elsewhere_is_what_it_is(home):
    args = build_parser('data').parse_args(['data', 'report', './~', '--out', 'a~b'])
    assert (args.source, args.out) == (Path('~').absolute(), Path('a~b'))


@pytest.mark.needs('rclpy')
def test_launch_arguments_and_options_of_graphs_may_begin_with_the_home_folder(home):
    from guda_ros.ros.graph.table import build_graph, GraphOptions

    options = GraphOptions(
        policy='~/p.onnx',
        recordings='~/rec',
        robot='~/r.yaml',
        contract='~/c.yaml',
        joystick='~/j.yaml',
        randomisation='~/d.yaml',
    )
    nodes = {node.name: node.parameters for node in build_graph('drive', options)}
    assert nodes['policy']['policy'] == f'{home}/p.onnx'
    assert nodes['data_collector']['directory'] == f'{home}/rec'
    assert nodes['simulator']['randomisation'] == f'{home}/d.yaml'
    assert nodes['safety']['joystick'] == f'{home}/j.yaml'
    assert (nodes['teleop']['robot'], nodes['teleop']['contract']) == (
        f'{home}/r.yaml',
        f'{home}/c.yaml',
    )


@pytest.mark.needs('rclpy')
@pytest.mark.parametrize('parameter', ['robot', 'contract', 'joystick'])
def test_a_node_parameter_may_begin_with_the_home_folder(home, parameter):
    found = subprocess.run(
        [
            sys.executable,
            '-m',
            'guda_ros.nodes.safety',
            '--ros-args',
            '-p',
            f'{parameter}:=~/x.yaml',
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert found.returncode == 1 and f'{home}/x.yaml: no such file' in found.stderr


@pytest.mark.needs('rclpy')
def test_the_folder_of_the_recorder_may_lie_in_the_home_folder(home):
    import rclpy
    from rclpy.parameter import Parameter

    from guda_ros.ros.parameters import Parameters
    from guda_ros.ros.recorder.parameters import declare_recorder

    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node(
        'n', context=context, parameter_overrides=[Parameter('directory', value='~/rec')]
    )
    assert declare_recorder(Parameters(node), True).folder == f'{home}/rec'
    node.destroy_node()
    rclpy.shutdown(context=context)


@pytest.mark.needs('rclpy')
def test_the_file_of_the_policy_node_may_lie_in_the_home_folder(home):
    node = [sys.executable, '-m', 'guda_ros.nodes.policy', '--ros-args', '-p', 'policy:=~/p.onnx']
    found = subprocess.run(
        [*node, '-p', 'autostart:=true'], capture_output=True, text=True, timeout=60
    )
    assert f'{home}/p.onnx' in found.stderr + found.stdout and found.returncode
