"""What `--help` shows works as it is printed, in the order of the verbs, after `guda demo`."""

import argparse
import os
from pathlib import Path
import shlex
import subprocess
import sys

import pytest

from guda_ros.cli.main import build_parser, COMMANDS

#: Needs what a test has not -> what that is. The rest is run.
NEEDS = {
    'guda demo --out runs/demo': 'ten minutes; a quick one stands in for it',
    'guda demo --quick --out runs/quick': 'is made by the fixture, under another name',
    'guda up': 'runs until Ctrl-C; the tests of graphs start them',
    'guda game': 'a person who types; test_game.py does',
    'guda teleop': 'a person at a terminal; test_cli_teleop.py drives it',
    'guda benchmark': "the task's initial data and hours",
    'guda evaluate runs/demo/train/guided_0.onnx --robot-trial': 'a robot',
    'guda data import': 'bags of somebody else; test_import.py makes some',
    'guda sim train': 'minutes to hours; test_scripts.py trains for a moment',
    'guda sim evaluate runs/ppo_penalty': 'a policy of guda sim train',
    'guda sim view': 'a policy of guda sim train, or a minute of drawing; see test_scripts.py',
    'guda sim collect runs/ppo_penalty': 'a policy of guda sim train',
    'guda check robot': 'a robot; test_check_robot.py stands in for one',
    'guda preflight': 'a robot; test_preflight.py stands in for one',
    'guda identify --record': 'a robot; test_robot_drive.py stands in for one',
    'guda perceive camera.jpg': 'a picture; test_perceive.py has one',
    'guda perceive evaluate pictures': 'pictures with labels; test_perceive.py has some',
    'guda perceive train': 'hours, and pictures with labels',
    'guda calibrate camera': 'pictures of a board; test_calibrate.py makes some',
    'guda calibrate mount': 'a bag of a robot; test_calibrate.py makes one',
    'guda robot new my_robot --base': 'a person who answers; test_robot.py does',
    'guda robot show booster_t1 --render': 'OpenGL; test_robot.py draws one',
}


def texts(parser):
    """Return the examples below the help of a parser and of its actions."""
    found = [parser.epilog or ''] if 'example' in (parser.epilog or '') else []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                found += texts(below)
    return found


def examples():
    """Return every command line that some help shows, in the order of the verbs, once."""
    lines = [
        line.partition('  #')[0].strip()
        for verb in COMMANDS
        for text in texts(build_parser(verb))
        for line in text.replace('\\\n', ' ').splitlines()
    ]
    shown = [line for line in lines if line.startswith('guda ') and 'VERB' not in line]
    return list(dict.fromkeys(shown))


@pytest.mark.parametrize('line', examples())
def test_an_example_is_a_command_line_that_the_verb_takes(line):
    words = shlex.split(line)[1:]
    build_parser(words[0]).parse_args(words)


def test_what_is_not_run_is_still_shown():
    for start in NEEDS:
        assert any(line.startswith(start) for line in examples()), start


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Return a folder in which `guda demo` has run, to runs/demo."""
    for extra in ('rclpy', 'mujoco', 'torch'):
        pytest.importorskip(extra)
    folder = tmp_path_factory.mktemp('examples')
    guda(folder, 'guda demo --quick --out runs/demo', 600)
    return folder


def guda(folder, line, seconds=600):
    path = os.pathsep.join([str(Path(__file__).resolve().parents[2]), *sys.path])
    done = subprocess.run(
        ['bash', '-c', f'set -e; guda() {{ {sys.executable} -m guda_ros "$@"; }}; {line}'],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=seconds,
        env={**os.environ, 'PYTHONPATH': path},
    )
    assert done.returncode == 0, f'{line}\n{done.stdout}\n{done.stderr}'
    return done.stdout


@pytest.mark.long
def test_every_example_works_as_printed_one_after_the_other(folder):
    for line in examples():
        if not line.startswith(tuple(NEEDS)):
            guda(folder, line)


@pytest.mark.long
def test_what_a_demo_leaves_says_what_it_is(folder):
    recorded = len(list((folder / 'runs/demo/record').glob('demonstration_*')))
    said = guda(folder, 'guda info runs/demo/convert')
    assert f'dataset: Minari data set of {recorded} episodes' in said
    told = guda(folder, 'guda policy info runs/demo/train/guided_0.onnx')
    assert 'versions: guda_ros' in told and 'torch' in told
