"""A robot's task with its own goal goes all the way: through ROS, learning and judgement."""

import json
from pathlib import Path
import re
import shutil
import subprocess
import sys

import numpy as np
from own_task import installed_task
from policy_file import write_policy
from pty_command import PtyCommand
import pytest
import yaml

from guda_ros.augmentation.live import LiveAugmenter, LiveSettings, load_live_guide
from guda_ros.cli.main import main
from guda_ros.data.contract import Contract
from guda_ros.data.episodes import read_episode
from guda_ros.data.recording.reader import list_recordings, RecordingReader
from guda_ros.data.sets.minari import read_minari, read_minari_contract
from guda_ros.data.transitions import transitions, TransitionSet
from guda_ros.errors import GudaError
from guda_ros.evaluation.results import load_results
from guda_ros.soccer import world

pytestmark = pytest.mark.needs('drawing')

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / 'examples' / 'corner_task'
#: The base looks at the ball, and the corner lies behind it; it looks away.
STARTS = """\
name: corner-test
starts:
  - {robot: [0.7, 0.1], heading: 40.6, ball: [1.15, 0.486], scenario: near}
  - {robot: [0.0, 0.0], heading: 180, ball: [0.5, 0.0], scenario: away}
"""


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
    """Let this process, and those that it starts, know the task."""
    with installed_task(EXAMPLE, tmp_path_factory.mktemp('site')) as site:
        yield site


@pytest.fixture(scope='module')
def runs(installed, tmp_path_factory):
    """Judge a policy that drives ahead through the ROS graph; return the folder of it all."""
    folder = tmp_path_factory.mktemp('runs')
    values = yaml.safe_load((EXAMPLE / 'push_corner.yaml').read_text())
    (folder / 'corner.yaml').write_text(yaml.safe_dump({**values, 'time_limit': 6.0}))
    (folder / 'starts.yaml').write_text(STARTS)
    contract = Contract.load(folder / 'corner.yaml')
    write_policy(folder / 'ahead.onnx', contract, (1.0, 0.0, 0.0))
    judged = [
        'evaluate',
        str(folder / 'ahead.onnx'),
        '--ros',
        '--set',
        str(folder / 'starts.yaml'),
    ]
    judged += ['--contract', str(folder / 'corner.yaml'), '--out', str(folder / 'judged')]
    assert main([*judged, '--recordings', str(folder / 'recorded')]) == 0
    recorded = str(folder / 'recorded' / 'ahead')
    assert main(['convert', recorded, '--out', str(folder / 'dataset')]) == 0
    return folder


def test_policy_and_safety_play_the_task_through_ros(runs):
    judged = load_results(runs / 'judged')
    near, away = judged.policies[0].episodes
    assert (near.verdict, away.verdict) == ('scored', 'timeout')
    contract = judged.contract
    assert contract.task == 'push_corner' and 'to_corner_x' in contract.observation_names
    first, second = (read_episode(path) for path in list_recordings(runs / 'recorded' / 'ahead'))
    # It is over as soon as the ball is in the corner, where soccer has no goal.
    ball = first.truth_states[:, world.BALL]
    assert contract.scored(ball).tolist() == [False] * (len(ball) - 1) + [True]
    assert not contract.field.scored(ball).any()
    # A base with wheels is told to go nowhere sideways, and is told to move.
    commands = np.concatenate([first.commands, second.commands])
    assert np.isfinite(commands).all() and not commands[:, 1].any()
    assert np.abs(commands[:, 0]).max() == pytest.approx(contract.limits.forward)


def test_recorded_steps_are_worth_what_the_task_says(runs):
    contract = read_minari_contract(runs / 'dataset')
    steps = transitions(read_minari(runs / 'dataset'), contract)
    assert len(steps) > 20
    one = steps.select(steps.source_episode == 0)
    assert one.rewards[-1] > 9 and one.terminations[-1]
    left = np.linalg.norm(one.states[:-1, world.BALL] - contract.goal, axis=1)
    after = np.linalg.norm(one.next_states[:-1, world.BALL] - contract.goal, axis=1)
    seen = ~contract.scored(one.next_states[:-1, world.BALL])
    np.testing.assert_allclose(one.rewards[:-1][seen], (left - after)[seen], atol=1e-6)
    assert not steps.terminations[steps.source_episode == 1].any()


def test_the_task_is_augmented_learned_and_judged(runs, capsys):
    made, trained = str(runs / 'guided.h5'), str(runs / 'guided.pt')
    guide = ['--guide', str(EXAMPLE / 'push_corner_guided.yaml')]
    recorded = str(runs / 'dataset')
    assert main(['augment', recorded, *guide, '--count', '2000', '--out', made]) == 0
    small = ['--updates', '50', '--starts', '4', '--evaluations', '1']
    assert main(['train', '--data', recorded, made, *small, '--out', trained]) == 0
    assert main(['export', trained, '--out', str(runs / 'guided.onnx')]) == 0
    capsys.readouterr()
    out = runs / 'judged_guided'
    assert main(['evaluate', str(runs / 'guided.onnx'), '--starts', '3', '--out', str(out)]) == 0
    told = capsys.readouterr().out
    assert 'of 3 arrived' in told and 'median s to arrival' in told
    assert 'goal' not in told and 'scored' not in told
    words = re.sub(r'<[^>]*>|data:[^"]*', ' ', (out / 'report.html').read_text())
    assert 'the ball within 0.35 m of the corner' in words
    assert 'scored' not in words and 'the goal' not in words
    assert main(['info', made]) == 0
    assert 'contract push_corner' in capsys.readouterr().out
    assert main(['policy', 'info', str(runs / 'guided.onnx')]) == 0
    assert 'to_corner_x' in capsys.readouterr().out


def test_the_scripted_demonstrator_finds_the_goal_of_the_task(runs, tmp_path):
    contract = ['--contract', str(EXAMPLE / 'push_corner.yaml'), '--out', str(tmp_path)]
    assert main(['evaluate', '--demonstrator', 'clean', *contract, '--starts', '20']) == 0
    assert load_results(tmp_path).success_rates['demonstrator_clean'] >= 0.8


def test_a_graph_of_another_task_is_refused(runs, capsys):
    assert main(['evaluate', str(runs / 'ahead.onnx'), '--ros']) == 1
    assert 'task: soccer_push != push_corner' in capsys.readouterr().err


def test_without_its_package_all_files_name_the_task(runs, installed, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'path', [path for path in sys.path if path != str(installed)])
    recording = list_recordings(runs / 'recorded' / 'ahead')[0]
    for arguments in (
        ['info', str(runs / 'ahead.onnx')],
        ['convert', str(recording), '--out', str(runs / 'again')],
        ['train', '--data', str(runs / 'dataset'), '--out', str(runs / 'again.pt')],
        ['record', '--contract', str(runs / 'corner.yaml'), '--out', str(runs / 'more')],
    ):
        assert main(arguments) == 1
        assert "unknown task 'push_corner': no installed package" in capsys.readouterr().err
    with pytest.raises(ValueError, match='unknown task'):
        Contract.from_json(json.dumps({'task': 'push_corner'}))
    assert not (runs / 'more').exists()


def test_its_contract_is_read_on_a_robot_without_heavy_packages(installed):
    code = (
        'import sys\n'
        'heavy = "torch", "mujoco", "gymnasium", "minari", "h5py", "numba", "onnx", "matplotlib"\n'
        'sys.modules.update(dict.fromkeys(heavy))\n'
        'from guda_ros.data.contract import Contract\n'
        'print(type(Contract.load(sys.argv[1])).__name__)\n'
    )
    contract = str(EXAMPLE / 'push_corner.yaml')
    told = subprocess.run(
        [sys.executable, '-c', code, contract], capture_output=True, text=True, check=True
    )
    assert told.stdout == 'PushCornerContract\n'


def test_what_is_recorded_is_augmented_live_by_a_guide_of_the_task(runs, tmp_path):
    contract = Contract.load(runs / 'corner.yaml')
    for path in list_recordings(runs / 'recorded' / 'ahead'):
        shutil.copytree(path, tmp_path / path.name)
    guide = str(EXAMPLE / 'push_corner_guided.yaml')
    report = LiveAugmenter(LiveSettings(str(tmp_path), guide, contract.to_json(), 300)).run()
    assert (report['episodes'], report['augmented']) == (2, 300)
    made = TransitionSet.load(tmp_path / 'augmented_push_corner_guided.h5')
    assert made.contract == contract and made.contract.task == 'push_corner'
    with pytest.raises(GudaError, match='soccer_push, and what is recorded is for push_corner'):
        load_live_guide('guided', contract)


@pytest.mark.long
def test_a_policy_of_the_example_brings_most_balls_to_the_corner_also_through_ros(runs, tmp_path):
    text = (ROOT / 'docs' / 'tutorial_own_task.md').read_text()
    commands = text.split('cd examples/corner_task\n')[1].split('```')[0]
    for line in commands.splitlines():
        words = [str(EXAMPLE / word) if word.endswith('.yaml') else word for word in line.split()]
        done = subprocess.run(
            [sys.executable, '-m', 'guda_ros', *words[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    assert main(['evaluate', str(tmp_path / 'guided.onnx'), '--out', str(tmp_path / 'batch')]) == 0
    assert load_results(tmp_path / 'batch').success_rates['guided'] > 0.75
    ends = []
    for path in list_recordings(tmp_path / 'judged' / 'guided'):
        with RecordingReader(path) as reader:
            ends.append(reader.info.verdict)
    assert len(ends) == 4 and ends.count('scored') >= 2


@pytest.mark.long
def test_the_trials_on_a_robot_are_rehearsed_with_the_task(runs, tmp_path):
    out = tmp_path / 'trials'
    arguments = ['--contract', str(runs / 'corner.yaml'), '--set', str(runs / 'starts.yaml')]
    person = PtyCommand(
        *['evaluate', str(runs / 'ahead.onnx'), '--rehearse', *arguments],
        *['--starts', '1', '--out', str(out)],
    )
    try:
        person.wait_for('simulated robot and ball are there(.|\n)*Enter: both', 90)
        person.press('\n')
        person.wait_for(r'the ball is \d\.\d m from where it is to go')
        person.wait_for('the ball is where it is to go')
        person.press('s')
        assert person.wait() == 0 and 'all trials are made' in person.text
    finally:
        person.close()
    judged = load_results(out)
    assert judged.contract.task == 'push_corner'
    assert [episode.verdict for episode in judged.policies[0].episodes] == ['scored']
