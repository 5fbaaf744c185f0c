import json
import os
from pathlib import Path

import numpy as np
import pytest

from guda_ros.cli.main import main
from guda_ros.data.contract import Contract
from guda_ros.data.exchange.nao_demonstrations import demonstrations
from guda_ros.data.exchange.nao_logs import NaoLog, read_nao_logs
from guda_ros.data.sets.minari import read_minari
from guda_ros.errors import GudaError
from guda_ros.soccer import world

CONTRACT = Contract.load()
SPEED = 0.003  # m a row
REAL = Path(os.environ.get('GUDA_DATA', 'nowhere')) / 'nao_physical'


def walk(rows, start=(0.0, 0.0), yaw=0.0, ahead=0.3):
    """Return pose and ball of a robot that walks straight on and pushes the ball before it."""
    way = SPEED * np.arange(rows)[:, None] * [np.cos(yaw), np.sin(yaw)]
    pose = np.column_stack([np.asarray(start) + way, np.full(rows, yaw)])
    return pose, pose[:, :2] + [ahead * np.cos(yaw), ahead * np.sin(yaw)]


def log_of(pose, ball, number=1, actions=None):
    actions = np.tile([1.0, -0.5, 0.25], (len(pose), 1)) if actions is None else actions
    return NaoLog(f'x/run_{number}.log', pose, ball, actions)


def test_rows_become_control_steps_of_a_tenth_of_a_second():
    pose, ball = walk(600, start=(-1.0, 0.5), yaw=0.4)
    actions = np.zeros((600, 3))
    actions[:, 0] = np.arange(600) / 600
    (episode,) = demonstrations([log_of(pose, ball, actions=actions)], CONTRACT)[0]
    assert len(episode) == 600 / 6 - 1
    # Middle of the rows 6 k to 6 k + 5, and of those from there to the middle of the next.
    rows = 6 * np.arange(len(episode) + 1) + 2.5
    expected = np.array([-1.0, 0.5]) + SPEED * rows[:, None] * [np.cos(0.4), np.sin(0.4)]
    np.testing.assert_allclose(episode.world_states[:, :2], expected, atol=1e-12)
    np.testing.assert_allclose(
        CONTRACT.to_action(episode.commands)[:, 0], (rows[:-1] + 3) / 600, atol=1e-12
    )
    speed = 60 * SPEED * np.array([np.cos(0.4), np.sin(0.4)])
    np.testing.assert_allclose(
        episode.world_states[:, world.BALL_VELOCITY], np.tile(speed, (len(rows), 1)), atol=1e-9
    )
    np.testing.assert_array_equal(
        episode.world_states[1:, world.PREVIOUS_COMMAND], episode.commands
    )
    assert not episode.world_states[0, world.PREVIOUS_COMMAND].any()
    assert episode.usable.all()


def test_every_fault_is_counted_once_and_cut():
    pose, ball = walk(1200, start=(-2.0, 0.0))
    pose[300:, 1] += 0.3  # localisation jumps, and takes the ball with it
    ball[300:, 1] += 0.3
    ball[600:606] += [0.0, 0.4]  # the ball jumps there and back
    ball[700:750] = pose[700:750, :2] + [world.OVERLAP / 2, 0.0]
    ball[750:] = pose[750:, :2] + [0.3, 0.0]
    episodes, report = demonstrations([log_of(pose, ball)], CONTRACT)
    assert report.rows == 1200
    assert report.cut == {
        'jump of localisation': 1,
        'jump of the ball': 4,
        'ball inside the robot': 49,
        'off the field': 0,
        'ball in the goal': 0,
        'still': 0,
    }
    assert report.kept == 1200 - 54
    # Control steps 50, 100, 101, and 116 to 125 hold such a row.
    lost = np.flatnonzero(~episodes[0].valid)
    assert lost.tolist() == [50, 100, 101, *range(116, 126)]
    # No step crosses a gap.
    inside = episodes[0].usable
    assert not inside[lost[lost < len(inside)]].any() and not inside[lost - 1].any()


def test_an_attempt_ends_in_the_goal_or_when_the_robot_is_carried():
    first, ball = walk(700, start=(2.2, 0.1))  # 2.5 + 2.1 m: over the line of the goal
    back, back_ball = walk(600, start=(-1.0, 1.0))
    pose, ball = np.concatenate([first, back]), np.concatenate([ball, back_ball])
    episodes, report = demonstrations([log_of(pose, ball)], CONTRACT)
    assert [episode.verdict for episode in episodes] == ['scored', 'aborted']
    assert episodes[0].usable.all()
    assert 4.4 < episodes[0].world_states[-1, 3] < 4.4 + 6 * SPEED
    assert report.cut['ball in the goal'] == np.sum(2.5 + SPEED * np.arange(700) > 4.4)
    assert report.jumps['in which the robot was carried, over 1 m'] == 1
    np.testing.assert_allclose(episodes[1].world_states[1, :2], [-1.0, 1.0], atol=0.05)


def test_a_ball_beside_the_goal_is_out():
    pose, ball = walk(700, start=(2.2, 2.0))
    episodes, _ = demonstrations([log_of(pose, ball)], CONTRACT)
    assert [episode.verdict for episode in episodes] == ['out']


def test_a_robot_that_stands_still_is_cut_once_it_stood_a_second():
    pose, ball = walk(900, start=(-2.0, 0.0))
    pose[400:550] = pose[400]
    pose[550:, 0] -= 150 * SPEED
    ball = pose[:, :2] + [0.3, 0.0]
    _, report = demonstrations([log_of(pose, ball)], CONTRACT)
    # Within 20 mm: seven rows of 3 mm more than those in which nothing moves at all.
    assert 150 <= report.cut['still'] <= 150 + 2 * 7
    pose, ball = walk(900, start=(-2.0, 0.0))
    assert demonstrations([log_of(pose, ball)], CONTRACT)[1].cut['still'] == 0


def test_files_are_joined_by_their_numbers():
    pose, ball = walk(1200, start=(-2.0, 0.0))
    parts = [
        log_of(pose[part], ball[part], number)
        for number, part in ((10, slice(600, 1200)), (9, slice(0, 600)))
    ]
    (episode,) = demonstrations(parts, CONTRACT)[0]
    assert len(episode) == 199 and episode.usable.all()


def test_nothing_whole_is_an_error():
    pose, ball = walk(600)
    with pytest.raises(GudaError, match='nothing to learn from'):
        demonstrations([log_of(pose, pose[:, :2])], CONTRACT)
    with pytest.raises(GudaError, match='fewer than the 10 control steps'):
        demonstrations([log_of(pose, ball)], CONTRACT, rows_per_second=5)


def test_convert_reads_logs_draws_them_and_leaves_them_alone(tmp_path, capsys):
    pose, ball = walk(900, start=(-1.0, 0.0))
    seen = np.column_stack([pose[:, :2] * 1000, pose[:, 2], ball * 1000])
    raw = np.tile([0.1, 30.0, -20.0, 1.0], (900, 1))
    file = tmp_path / 'run_1.log'
    file.write_text(json.dumps({'observations': seen.tolist(), 'actions': raw.tolist()}))
    before = file.read_bytes()
    out, picture = tmp_path / 'real', tmp_path / 'real.png'
    assert (
        main(
            ['convert', '--nao-logs', str(tmp_path), '--out', str(out), '--picture', str(picture)]
        )
        == 0
    )
    told = capsys.readouterr().out
    assert 'forward 100.0%, left 100.0%, turn 0.0%' in told and 'kept' in told
    (episode,) = read_minari(out)
    assert episode.scenario == 'real' and len(episode) == 149
    np.testing.assert_allclose(episode.commands[5], [0.25, -0.2, 0.1 * CONTRACT.limits.turn])
    assert picture.read_bytes()[:4] == b'\x89PNG' and file.read_bytes() == before


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--out', 'x'], 'give either recordings'),
        (['a', '--nao-logs', 'b', '--out', 'x'], 'give either recordings'),
        (['a', '--out', 'x', '--picture', 'p.png'], 'are for --nao-logs'),
        (['--nao-logs', 'nowhere', '--out', 'x'], 'nowhere: no such file'),
    ],
)
def test_wrong_arguments_of_convert_are_told(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(['convert', *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not REAL.is_dir(), reason='GUDA_DATA names no folder with nao_physical/')
def test_real_logs_hold_attempts_that_scored():
    episodes, report = demonstrations(read_nao_logs([REAL / 'scoring.tar.gz']), CONTRACT)
    assert report.files == 25 and report.rows == 25_000
    assert sum(episode.success for episode in episodes) >= 3
    for episode in episodes:
        states = episode.world_states[episode.valid]
        apart = np.hypot(*(states[:, world.BALL] - states[:, world.ROBOT_POSITION]).T)
        step = np.hypot(*np.diff(episode.world_states[:, :2], axis=0).T)[episode.usable]
        assert apart.min() >= world.OVERLAP * 0.9 and step.max() < 0.25
