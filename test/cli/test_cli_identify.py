"""`guda identify` from recordings to a profile, and `guda record --drive` over ROS 2."""

import numpy as np
import pytest
from recording_scene import command, header, odometry, point, START, TOPICS, TYPES
import yaml

from guda_ros.cli.main import main
from guda_ros.config.files import find_config
from guda_ros.data.contract import Contract
from guda_ros.data.recording.reader import RecordingInfo, RecordingWriter
from guda_ros.identification import trial
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import RobotProfile

CONTRACT = Contract.load()
ROBOT = RobotProfile.load('nao_v6')


def write_drive(folder, drive, roles=tuple(TOPICS)):
    """Record a drive as a robot would."""
    writer = RecordingWriter(folder, CONTRACT, RecordingInfo(id=drive.name, start_stamp=START))
    for role in roles:
        writer.add_topic(*TOPICS[role], role)

    def write(role, times, make):
        for time, row in zip(times, make) if role in roles else ():
            stamp = START + round(time * 1e9)
            writer.write(TOPICS[role][0], stamp, row(stamp))

    write(
        'odom',
        drive.odom_times,
        [lambda stamp, row=row: odometry(stamp, 'odom', row) for row in drive.odom],
    )
    write(
        'ground_truth_robot',
        drive.truth_times,
        [lambda stamp, row=row: odometry(stamp, 'map', row) for row in drive.truth],
    )
    write(
        'command',
        drive.command_times,
        [lambda stamp, row=row: command(stamp, row) for row in drive.commands],
    )
    # The robot stands while balls are seen, at the origin of `odom`.
    kind = 'geometry_msgs/msg/PointStamped'
    write(
        'ball_detection',
        drive.ball_times,
        [
            lambda stamp, row=row: bytes(
                TYPES.serialize_cdr(
                    TYPES.types[kind](header(stamp, 'base_link'), point(*row, 0)), kind
                )
            )
            for row in drive.ball
        ],
    )
    return writer.close(verdict='timeout', end_stamp=START + round(drive.duration * 1e9))


@pytest.fixture(scope='module')
def robot_and_drives():
    rng = np.random.default_rng(77)
    robot, contract = trial.perturbed(ROBOT, CONTRACT, rng)
    return trial.properties(robot, contract), trial.record(robot, contract, rng)


@pytest.fixture(scope='module')
def recordings(robot_and_drives, tmp_path_factory):
    folder = tmp_path_factory.mktemp('drive')
    for drive in robot_and_drives[1]:
        write_drive(folder, drive)
    return folder


def test_a_profile_and_a_field_are_written_that_follow_the_robot(
    robot_and_drives, recordings, tmp_path, capsys
):
    pytest.importorskip('matplotlib')
    out, field = tmp_path / 'mine.yaml', tmp_path / 'carpet.yaml'
    assert main(['identify', str(recordings), '--out', str(out), '--field-out', str(field)]) == 0
    true = robot_and_drives[0]
    profile = RobotProfile.load(out)
    found = trial.properties(profile, CONTRACT)
    found['ball.deceleration'] = Field.load(field).ball.deceleration
    assert found == pytest.approx(true, rel=0.1)
    assert profile.name == 'mine' and profile.limits == ROBOT.limits
    assert set(true) <= set(profile.uncertainty)
    for name in ('walk.delay', 'odometry.yaw_gain'):
        assert abs(found[name] - true[name]) < 4 * profile.uncertainty[name]
    assert 'drive_0' in profile.sources[-1] and profile.sources[:-1] == ROBOT.sources
    # The comments of the base are still there.
    base = find_config('robots', 'nao_v6').read_text().count('#')
    assert out.read_text().count('#') >= base
    assert (tmp_path / 'mine.png').read_bytes().startswith(b'\x89PNG')
    printed = capsys.readouterr().out
    for word in ('before', 'found', 'walk.response_time.left', 'm/s^2', 'share of the command'):
        assert word in printed


def test_existing_files_are_kept_and_a_refusal_writes_nothing(recordings, tmp_path, capsys):
    out = tmp_path / 'mine.yaml'
    out.write_text('precious')
    assert main(['identify', str(recordings), '--out', str(out)]) == 1
    assert 'exists already' in capsys.readouterr().err and out.read_text() == 'precious'
    out.unlink()
    # When the ball lies, the driver begins with a walk forward, and that is all.
    assert main(['identify', str(recordings / 'roll_0'), '--out', str(out)]) == 1
    error = capsys.readouterr().err
    assert 'no step of left was driven' in error and '--partial' in error
    assert list(tmp_path.iterdir()) == []
    assert main(['identify', str(recordings / 'roll_0'), '--partial']) == 0
    assert 'left as it was: no step of turn' in capsys.readouterr().out


def test_a_drive_without_a_ball_leaves_the_field_alone(recordings, tmp_path, capsys):
    field = tmp_path / 'carpet.yaml'
    drive = str(recordings / 'drive_0')
    assert main(['identify', drive]) == 0
    assert 'ball.deceleration: left as it was: no ball rolled' in capsys.readouterr().out
    assert main(['identify', drive, '--field-out', str(field)]) == 1
    assert 'is not written: no ball rolled' in capsys.readouterr().err and not field.exists()


def test_a_ball_in_a_file_of_its_own_is_written_into_the_field():
    from guda_ros.identification.identify import Identification, Result
    from guda_ros.workflows.identify import field_text

    result = Result('ball.deceleration', 'm/s^2', 0.3, 0.4567, 0.01, '', '3 rolls')
    found = Identification({result.name: result}, {}, None, None, None)
    text = field_text(
        'name: lab\nball: spl     # config/balls\ngoals: 2\n', found, 'mine', CONTRACT.field.ball
    )
    assert yaml.safe_load(text)['ball'] == {
        'radius': 0.05,
        'mass': 0.044,
        'deceleration': 0.4567,
        'colour': [0.93, 0.38, 0.06],
    }
    assert '0.457 +- 0.010' in text and yaml.safe_load(text)['name'] == 'mine'


def test_damaged_and_foreign_recordings_are_named(robot_and_drives, recordings, tmp_path, capsys):
    drive = robot_and_drives[1][0]
    path = write_drive(tmp_path, drive)
    mcap = next(path.glob('*.mcap'))
    data = mcap.read_bytes()
    mcap.write_bytes(data[: len(data) // 2])
    assert main(['identify', str(path)]) == 1
    assert 'damaged' in capsys.readouterr().err
    path = write_drive(tmp_path / 'silent', drive, ('odom',))
    assert main(['identify', str(path)]) == 1
    assert 'holds no command' in capsys.readouterr().err
    other = tmp_path / 'fast.yaml'
    other.write_text(
        find_config('robots', 'nao_v6').read_text().replace('forward: 0.25', 'forward: 0.30')
    )
    assert main(['identify', str(recordings), '--base', str(other)]) == 1
    assert 'give the right profile with --base' in capsys.readouterr().err


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['identify'], 'give the recordings of a drive'),
        (['identify', 'x', '--distance', 'up=1'], 'turn=DEGREES is expected'),
        (['identify', 'x', '--distance', 'forward=nan'], 'forward=METRES'),
        (['identify', 'x', '--out', 'robot.json'], 'a profile is a .yaml file'),
        (['identify', 'nowhere'], 'nowhere'),
        (['identify', '--nao-logs', 'nowhere'], 'nowhere: no such file or folder'),
    ],
)
def test_wrong_arguments_are_one_clear_line(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert message in error and 'Traceback' not in error and len(error.splitlines()) == 1


def perturbed_files(folder):
    """Write a robot, a field and a task that differ from what identification starts from."""
    from guda_ros.config.text import with_values

    robot, field, task = folder / 'robot.yaml', folder / 'field.yaml', folder / 'task.yaml'
    robot.write_text(
        with_values(
            find_config('robots', 'nao_v6').read_text(),
            {
                'walk.response_time': [0.36, 0.2, 0.3],
                'walk.delay': 0.14,
                'odometry.translation_gain': 1.12,
                'odometry.yaw_gain': 0.9,
            },
        )
    )
    text = yaml.safe_load(find_config('fields', 'spl').read_text())
    ball = {'radius': 0.05, 'mass': 0.044, 'deceleration': 0.42, 'colour': [0.93, 0.38, 0.06]}
    field.write_text(yaml.safe_dump({**text, 'ball': ball}))
    text = yaml.safe_load(find_config('tasks', 'soccer_push').read_text())
    task.write_text(yaml.safe_dump({**text, 'field': str(field)}))
    return robot, field, task


@pytest.mark.long
def test_a_drive_over_ros_with_perception_recovers_the_robot(tmp_path):
    robot, field, task = perturbed_files(tmp_path)
    out, carpet = tmp_path / 'found.yaml', tmp_path / 'carpet.yaml'
    assert (
        main(
            [
                'record',
                '--drive',
                '--contract',
                str(task),
                '--robot',
                str(robot),
                '--out',
                str(tmp_path / 'drive'),
                '--log-dir',
                str(tmp_path / 'log'),
            ]
        )
        == 0
    )
    assert (
        main(
            [
                'identify',
                str(tmp_path / 'drive'),
                '--base',
                'nao_v6',
                '--out',
                str(out),
                '--field-out',
                str(carpet),
                '--field',
                'spl',
            ]
        )
        == 0
    )
    found, true = RobotProfile.load(out), RobotProfile.load(robot)
    assert found.walk.response_time == pytest.approx(true.walk.response_time, rel=0.1)
    assert found.walk.delay == pytest.approx(true.walk.delay, rel=0.1)
    assert found.odometry.translation_gain == pytest.approx(1.12, rel=0.1)
    assert found.odometry.yaw_gain == pytest.approx(0.9, rel=0.1)
    assert Field.load(carpet).ball.deceleration == pytest.approx(0.42, rel=0.1)


@pytest.mark.needs('rclpy', 'drawing')
def test_a_ball_rolls_over_ros_while_the_driver_waits_and_then_drives(tmp_path):
    from guda_ros.identification.drives import read_drive
    from guda_ros.ros.graph.processes import GraphProcesses
    from guda_ros.ros.graph.table import GraphOptions

    options = GraphOptions(
        recordings=str(tmp_path / 'bags'), overrides={'operator': {'style': 'drive'}}
    )
    with GraphProcesses('collect', options, tmp_path / 'log') as graph:
        graph.wait_ready(90)
        # .4 m/s are gone after 1.3 s; the protocol begins with a stand of 1.5 s.
        outcome = graph.runner().run(
            start=(-1.0, 0.0, 0.0, -0.2, -0.3, 0.0, 0.4), seed=1, time_limit=4.0, episode_id='roll'
        )
    assert outcome.event.verdict == 'timeout', outcome.event.message
    drive, _ = read_drive(tmp_path / 'bags' / 'roll')
    moved = np.hypot(*(drive.ball[10] - drive.ball[0]))
    # .4 t - .15 t^2 after a second.
    assert moved == pytest.approx(0.25, abs=0.04)
    driven = drive.command_times[np.flatnonzero(drive.commands[:, 0])]
    assert 2.5 < driven[0] < 3.2 and (drive.commands[:, 1:] == 0).all()
    assert drive.odom[-1, 0] > 0.1 and len(drive.truth) == len(drive.odom)
