"""`guda evaluate`: what it writes, what it refuses, and that nothing half-written is left."""

from dataclasses import replace
import json
from pathlib import Path
import subprocess
import sys

from policy_file import write_policy
import pytest

from guda_ros.cli.main import main
from guda_ros.data.contract import Contract
from guda_ros.evaluation.results import load_results

pytestmark = pytest.mark.needs('mujoco')

CONTRACT = Contract.load()
ROOT = Path(__file__).resolve().parents[2]
#: Straight before the goal; the ball behind the robot.
STARTS = """
name: two-v1
starts:
  - {robot: [3.9, 0.0], heading: 0, ball: [4.2, 0.0], scenario: near}
  - {robot: [1.0, 2.0], heading: 90, ball: [1.0, 1.0], scenario: far}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'two.yaml').write_text(STARTS)
    write_policy(tmp_path / 'walk.onnx', action=(1.0, 0.0, 0.0))
    write_policy(tmp_path / 'stand.onnx', action=(0.0, 0.0, 0.0))
    return tmp_path


def test_policies_are_judged_compared_and_reported(folder, capsys):
    assert (
        main(
            [
                'evaluate',
                'walk.onnx',
                'stand.onnx',
                '--set',
                'two.yaml',
                '--starts',
                '1',
                '--out',
                'judged',
            ]
        )
        == 0
    )
    told = capsys.readouterr().out
    assert 'walk - stand: +100.0 points' in told and 'alone: 1 against 0' in told
    walk, stand = load_results('judged').policies
    (goal,) = walk.episodes
    assert goal.scored and goal.touches >= 1
    # .05 m to the ball's edge, .35 m to the line and over it at .25 m/s.
    assert 0.8 < goal.seconds < 3.0
    assert [e.verdict for e in stand.episodes] == ['timeout']
    assert stand.episodes[0].touches == 0 and stand.episodes[0].message
    assert '<html' in (folder / 'judged' / 'report.html').read_text()


def test_saved_results_are_compared_without_judging_again(folder, capsys):
    for name in ('walk', 'stand'):
        assert (
            main(['evaluate', f'{name}.onnx', '--set', 'two.yaml', '--starts', '1', '--out', name])
            == 0
        )
    capsys.readouterr()
    assert main(['evaluate', '--compare', 'walk', 'stand/results.json', '--out', 'both']) == 0
    assert 'walk - stand: +100.0 points' in capsys.readouterr().out
    assert [p.name for p in load_results('both').policies] == ['walk', 'stand']
    # Another set cannot be compared, and leaves nothing behind.
    assert (
        main(['evaluate', 'walk.onnx', '--set', 'placed-v1', '--starts', '1', '--out', 'placed'])
        == 0
    )
    assert main(['evaluate', '--compare', 'walk', 'placed', '--out', 'never']) == 1
    assert 'cannot be compared; evaluate both from the same set' in capsys.readouterr().err
    assert not (folder / 'never').exists()


def test_trials_on_a_robot_are_never_overwritten(folder, capsys):
    assert main(['evaluate', 'walk.onnx', '--set', 'two.yaml', '--out', 'walk']) == 0
    result = load_results('walk')
    tried = replace(
        result,
        policies=tuple(replace(policy, name='tried', means='robot') for policy in result.policies),
    )
    saved = tried.save('trials').read_bytes()
    for arguments in (['walk.onnx', '--set', 'two.yaml'], ['--compare', 'walk']):
        assert main(['evaluate', *arguments, '--out', 'trials']) == 1
        error = capsys.readouterr().err
        assert 'trials: holds trials of tried on a robot, which would be lost' in error
        assert (folder / 'trials' / 'results.json').read_bytes() == saved
    for _ in range(2):
        assert main(['evaluate', '--compare', 'walk', 'trials', '--out', 'both']) == 0
    assert main(['evaluate', '--compare', 'trials', '--out', 'trials']) == 0
    assert load_results('trials').policies == tried.policies


def test_a_policy_that_answers_nan_is_named_and_nothing_is_written(folder, capsys):
    write_policy(folder / 'nan.onnx', divide=True)
    assert main(['evaluate', 'nan.onnx', '--set', 'two.yaml', '--out', 'judged']) == 1
    error = capsys.readouterr().err
    assert 'nan.onnx: answers [nan, nan, nan] to the observation [' in error
    assert 'Traceback' not in error and not (folder / 'judged').exists()


def test_policies_of_two_contracts_are_not_judged_together(folder, capsys):
    write_policy(folder / 'short.onnx', replace(CONTRACT, time_limit=60.0))
    assert main(['evaluate', 'walk.onnx', 'short.onnx', '--out', 'judged']) == 1
    error = capsys.readouterr().err
    assert 'short.onnx: is for another contract than' in error
    assert 'time_limit: 90.0 != 60.0' in error
    assert not (folder / 'judged').exists()


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--ros', '--demonstrator', 'clean'], 'in the batched simulator alone'),
        (['walk.onnx', '--set', 'attack-v9'], 'unknown set of starts'),
        (['walk.onnx', '--set', 'two.yaml', '--starts', '3'], 'two-v1 has 2 starts, 3 are asked'),
        (['walk.onnx', '--out', 'two.yaml'], 'is a file; --out names a folder'),
        (['walk.onnx', '--no-deadman'], '--no-deadman goes with --robot-trial alone'),
        (['walk.onnx', '--robot-trial'], 'need --out'),
        (['walk.onnx', 'stand.onnx', '--robot-trial', '--out', 'x'], 'one policy is judged at a'),
        (['walk.onnx', '--robot-trial', '--out', 'x'], 'trials need a terminal'),
        (['walk.onnx', '--compare', 'x'], '--compare takes saved results alone'),
        (['--compare', 'two.yaml'], 'is no JSON'),
        (['--compare', 'nowhere'], 'nowhere: cannot be read'),
        (['two.yaml'], 'no ONNX model'),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(folder, arguments, message, capsys):
    before = sorted(folder.iterdir())
    assert main(['evaluate', *arguments]) == 1
    error = capsys.readouterr().err
    assert error.startswith('guda evaluate: ') and message in error and 'Traceback' not in error
    assert sorted(folder.iterdir()) == before


def test_where_nothing_can_be_drawn_the_results_are_saved_all_the_same(folder):
    code = (
        'import sys\n'
        f'sys.path.insert(0, {str(ROOT)!r})\n'
        'sys.modules["matplotlib"] = None\n'
        'from guda_ros.cli.main import main\n'
        'sys.exit(main(["evaluate", "walk.onnx", "--set", "two.yaml", "--out", "judged"]))'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 'no page: matplotlib or Jinja2 is not installed here' in done.stdout
    assert len(load_results('judged').policies[0].episodes) == 2
    assert not (folder / 'judged' / 'report.html').exists()
    assert main(['evaluate', '--compare', 'judged', '--out', 'judged']) == 0
    assert (folder / 'judged' / 'report.html').exists()


def test_the_summary_in_the_file_is_strict_json(folder):
    assert main(['evaluate', '--demonstrator', 'clean', '--set', 'two.yaml', '--out', 'x']) == 0

    def refuse(word):
        raise AssertionError(word)

    content = json.loads((folder / 'x' / 'results.json').read_text(), parse_constant=refuse)
    assert content['summary']['groups']['demonstrator_clean']['scored'] == 2


@pytest.mark.long
def test_the_same_start_is_judged_through_ros_and_compared_with_the_simulator(folder, capsys):
    pytest.importorskip('rclpy')
    one = ['walk.onnx', '--set', 'two.yaml', '--starts', '1']
    assert main(['evaluate', *one, '--out', 'batch']) == 0
    for _ in range(2):
        # The second time the recording is there already.
        assert main(['evaluate', *one, '--ros', '--out', 'ros', '--recordings', 'recorded']) == 0
    assert '1 of 1 episodes were recorded before' in capsys.readouterr().out
    (episode,) = load_results('ros').policies[0].episodes
    assert episode.scored and episode.touches >= 1 and episode.id == 'two-v1_000'
    assert main(['evaluate', '--compare', 'batch', 'ros', '--out', 'both']) == 0
    batch, ros = load_results('both').policies
    assert (batch.means, ros.means) == ('batch', 'ros')
    # One physics, one policy, one start: perception alone makes a difference.
    assert ros.episodes[0].seconds == pytest.approx(batch.episodes[0].seconds, abs=0.5)
    # Another policy is not taken for the one that was recorded.
    (folder / 'other').mkdir()
    write_policy(folder / 'other' / 'walk.onnx', action=(0.9, 0.0, 0.0))
    assert (
        main(['evaluate', 'other/walk.onnx', *one[1:], '--ros', '--recordings', 'recorded']) == 1
    )
    assert 'holds episodes of another policy' in capsys.readouterr().err
