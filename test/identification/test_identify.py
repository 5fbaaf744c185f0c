import numpy as np
import pytest

import guda_ros
from guda_ros.config.files import find_config
from guda_ros.data.contract import Contract
from guda_ros.data.recording.reader import RecordingError
from guda_ros.errors import GudaError
from guda_ros.identification.drives import make_drive
from guda_ros.identification.identify import IdentificationError, identify
from guda_ros.identification.least_squares import minimise
from guda_ros.identification.protocol import PROTOCOL, ScriptedDrive
from guda_ros.identification.roll_fit import fit_rolls
from guda_ros.identification.walk_fit import fit_walk, travelled, walks_between_stands
from guda_ros.soccer.robot import RobotProfile
from guda_ros.workflows.identify import profile_text

CONTRACT = Contract.load()
ROBOT = RobotProfile.load('nao_v6')
LIMITS = np.array([0.25, 0.20, 2.0943951])
RESPONSE, DELAY = np.array([0.3, 0.4, 0.2]), 0.13


def walk(command_times, commands, odom_times, response=RESPONSE, delay=DELAY, step=0.0005):
    """Integrate the walk in small steps; return poses at the odometry's times."""
    pose, velocity, poses, now = np.zeros(3), np.zeros(3), [], 0.0
    for time in odom_times:
        while now < time - 1e-9:
            dt = min(step, time - now)
            index = np.searchsorted(command_times, now - delay + 1e-9, side='right') - 1
            wanted = commands[index] if index >= 0 else np.zeros(3)
            velocity = velocity + dt * (wanted - velocity) / response
            cos, sin = np.cos(pose[2]), np.sin(pose[2])
            pose = pose + dt * np.array(
                [
                    cos * velocity[0] - sin * velocity[1],
                    sin * velocity[0] + cos * velocity[1],
                    velocity[2],
                ]
            )
            now += dt
        poses.append(pose)
    return np.array(poses)


@pytest.fixture(scope='module')
def real_drive():
    """A drive as a robot records it: odometry of 50 Hz and commands of 20 Hz, not in step."""
    rng = np.random.default_rng(5)
    ends = np.cumsum([seconds for seconds, _ in PROTOCOL])
    command_times = np.arange(0.013, ends[-1], 0.05)
    part = np.minimum(np.searchsorted(ends, command_times, side='right'), len(PROTOCOL) - 1)
    commands = CONTRACT.limits.to_command(np.array([PROTOCOL[i][1] for i in part], dtype=float))
    odom_times = np.sort(np.arange(0.0, ends[-1], 0.02) + rng.uniform(-0.004, 0.004, 3600))
    odom_times -= odom_times[0]
    truth = walk(command_times, commands, odom_times, step=0.002)
    step = np.diff(truth, axis=0) * [1.05, 1.05, 0.97]
    step += rng.normal(size=step.shape) * [0.0008, 0.0008, 0.002]
    odom = np.concatenate([np.zeros((1, 3)), np.cumsum(step, axis=0)])
    # Turned back into the axes that the drifted yaw has.
    odom[1:, :2] = np.cumsum(
        [rotated(row[:2], angle) for row, angle in zip(step, (odom[:-1, 2] - truth[:-1, 2]))],
        axis=0,
    )
    return command_times, commands, odom_times, odom, truth


def rotated(vector, angle):
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([cos * vector[0] - sin * vector[1], sin * vector[0] + cos * vector[1]])


def drive_of(real, name='drive', truth=True, change=lambda odom: odom, keep=slice(None)):
    command_times, commands, odom_times, odom, true = real
    return make_drive(
        name,
        np.column_stack([command_times, commands])[keep],
        np.column_stack([odom_times, change(odom.copy())]),
        np.column_stack([odom_times, true])[::5] if truth else (),
    )


def test_the_way_travelled_is_that_of_small_steps():
    times, commands = np.array([0.2, 1.0, 1.3]), np.zeros((3, 3))
    commands[:, 0] = [0.2, -0.1, 0.0]
    odom_times = np.linspace(0, 2.5, 40)
    expected = walk(times, commands, odom_times)[:, 0]
    found = travelled(odom_times, times, commands[:, 0], RESPONSE[0], DELAY)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert found.max() > 0.05


def test_a_line_is_fitted_in_spite_of_outliers_and_with_the_right_uncertainty():
    rng = np.random.default_rng(0)
    x = np.linspace(0, 1, 200)
    misses, deviations = [], []
    for _ in range(100):
        y = 2 + 3 * x + rng.normal(size=200) * 0.1
        y[::25] += 5.0
        fit = minimise(
            lambda theta, y=y: (y - theta[0] - theta[1] * x) / 0.1, [0, 0], [-9, -9], [9, 9]
        )
        misses.append(fit.parameters[1] - 3)
        deviations.append(fit.deviations[1])
    # Without outliers: .1 / sqrt(200 * var(x)) = .0244.
    assert np.std(misses) < 0.04 and abs(np.mean(misses)) < 0.02
    assert np.std(misses) / np.mean(deviations) == pytest.approx(1.0, abs=0.5)


def test_odometry_and_commands_need_not_be_in_step(real_drive):
    fit = fit_walk([drive_of(real_drive)], LIMITS)
    np.testing.assert_allclose(fit.response_time, RESPONSE, rtol=0.05)
    assert fit.delay == pytest.approx(DELAY, abs=0.008)
    np.testing.assert_allclose(fit.gain, [1.05, 1.05, 0.97], rtol=0.02)
    assert (np.abs(fit.response_time - RESPONSE) < 3 * fit.response_time_deviation).all()


def test_jumps_of_the_odometry_change_little(real_drive):
    def jump(odom):
        for row in range(100, len(odom), 300):
            odom[row:, :2] += [0.3, -0.2]
        return odom

    fit = fit_walk([drive_of(real_drive, change=jump)], LIMITS)
    np.testing.assert_allclose(fit.response_time, RESPONSE, rtol=0.08)


def test_truth_and_tape_tell_the_scale_of_the_odometry(real_drive):
    found = identify([drive_of(real_drive)], ROBOT, CONTRACT.field)
    assert found.results['odometry.translation_gain'].value == pytest.approx(1.05, rel=0.01)
    assert found.results['odometry.yaw_gain'].value == pytest.approx(0.97, rel=0.01)
    np.testing.assert_allclose(found.gains, 1.0, atol=0.02)
    drive = drive_of(real_drive, truth=False)
    walks = walks_between_stands([drive_of(real_drive)])
    longest = max(abs(walk.truth[0]) for walk in walks)
    turned = max(abs(walk.truth[2]) for walk in walks)
    found = identify([drive], ROBOT, CONTRACT.field, {'forward': longest, 'turn': turned})
    assert found.results['odometry.translation_gain'].value == pytest.approx(1.05, rel=0.01)
    assert found.results['odometry.yaw_gain'].value == pytest.approx(0.97, rel=0.01)
    # Two degrees in some turns, on top of what a single drive's scale may be off.
    assert 0.005 < found.results['odometry.yaw_gain'].deviation < 0.02
    with pytest.raises(IdentificationError, match='no walk left between two stands'):
        identify(
            [drive_of(real_drive, truth=False, change=lambda odom: odom * [1, 0, 1])],
            ROBOT,
            CONTRACT.field,
            {'left': 1.0},
        )


def test_without_truth_and_ball_their_properties_are_left_and_that_is_said(real_drive):
    found = identify([drive_of(real_drive, truth=False)], ROBOT, CONTRACT.field)
    assert set(found.missing) == {
        'odometry.translation_gain',
        'odometry.yaw_gain',
        'ball.deceleration',
    }
    assert 'no ball rolled' in found.missing['ball.deceleration']
    assert '--distance' in found.missing['odometry.yaw_gain']
    assert 'walk.delay' in found.results and np.isnan(found.gains).all()


def test_an_axis_that_was_not_driven_is_refused_by_name(real_drive):
    command_times, commands, odom_times, _, _ = real_drive
    commands = commands * [1, 1, 0]
    truth = walk(command_times, commands, odom_times, step=0.005)
    drive = drive_of((command_times, commands, odom_times, truth, truth))
    with pytest.raises(IdentificationError, match='response_time.turn .no step of turn') as error:
        identify([drive], ROBOT, CONTRACT.field)
    assert 'response_time.left' not in str(error.value)
    found = identify([drive], ROBOT, CONTRACT.field, partial=True)
    assert 'walk.response_time.turn' in found.missing
    assert found.results['walk.response_time.left'].value == pytest.approx(0.4, rel=0.05)


def test_a_base_with_wheels_is_asked_for_no_steps_to_a_side(real_drive, tmp_path):
    base = RobotProfile.load('turtlebot4')
    command_times, commands, odom_times, _, _ = real_drive
    commands = base.limits.clip(commands)
    truth = walk(command_times, commands, odom_times, step=0.005)
    drive = drive_of((command_times, commands, odom_times, truth, truth))
    found = identify([drive], base, CONTRACT.field)
    assert not any('left' in name for name in (*found.results, *found.missing))
    for axis, name in ((0, 'forward'), (2, 'turn')):
        value = found.results[f'walk.response_time.{name}'].value
        assert value == pytest.approx(RESPONSE[axis], rel=0.05)
    path = find_config('robots', 'turtlebot4')
    text = profile_text(path.read_text(), found, 'mine', 'a drive', path)
    (tmp_path / 'mine.yaml').write_text(text)
    written = RobotProfile.load(tmp_path / 'mine.yaml')
    assert written.walk.delay == pytest.approx(DELAY, abs=0.02) and written.limits == base.limits
    assert written.walk.response_time[1] == base.walk.response_time[1]
    assert written.odometry.yaw_noise == base.odometry.yaw_noise


def test_noise_that_hides_the_answer_is_refused_as_too_uncertain(real_drive):
    rng = np.random.default_rng(1)
    drive = drive_of(
        real_drive,
        truth=False,
        change=lambda odom: odom + rng.normal(size=odom.shape) * [0.3, 0.3, 1.0],
    )
    with pytest.raises(IdentificationError, match='too uncertain: drive more steps'):
        identify([drive], ROBOT, CONTRACT.field)


def test_a_robot_that_stands_while_a_ball_rolls_past_needs_no_commands():
    times = np.arange(20) * 0.1
    odom = np.column_stack([times, np.zeros((20, 3))])
    balls = np.column_stack([times, 1 + 0.1 * times, np.zeros(20)])
    drive = make_drive('roll', [], odom, detections=balls)
    assert len(drive.ball) == 20 and not drive.commands.any() and len(drive.commands) == 1
    odom[:, 1] = 0.1 * times
    with pytest.raises(RecordingError, match='holds no command'):
        make_drive('roll', [], odom, detections=balls)


def test_a_recording_without_commands_or_odometry_is_refused():
    odom = np.column_stack([np.arange(20) * 0.1, np.zeros((20, 3))])
    with pytest.raises(RecordingError, match='holds no command'):
        make_drive('x', [], odom)
    with pytest.raises(RecordingError, match='too short'):
        make_drive('x', [(0.0, 0.1, 0, 0)], odom[:4])


def rolling(deceleration, speed, start, heading, times, wall=None):
    """Places (n, 2) of a ball that slows down evenly; at x = `wall` it loses half of its speed."""
    place, velocity, places, now = np.array(start, float), speed, [], times[0]
    line = np.array([np.cos(heading), np.sin(heading)])
    for time in times:
        while now < time - 1e-9:
            velocity = max(velocity - deceleration * 0.001, 0.0)
            place = place + line * velocity * 0.001
            if wall is not None and place[0] > wall and line[0] > 0:
                line, velocity = line * [-1, 1], velocity * 0.5
            now += 0.001
        places.append(place)
    return np.array(places)


def roll_drive(rng, deceleration=0.35, wall=None, name='roll', false=True):
    times = np.arange(0.0, 6.0, 0.1)
    heading = rng.uniform(-0.4, 0.4)
    places = rolling(
        deceleration, rng.uniform(0.9, 1.3), (0.3, rng.uniform(-0.3, 0.3)), heading, times, wall
    )
    places = places + rng.normal(size=places.shape) * 0.005
    if false:
        places[rng.integers(0, len(times), 3)] = rng.uniform(-3, 3, (3, 2))
    standing = np.column_stack([times, np.zeros((len(times), 3))])
    return make_drive(name, standing, standing, (), np.column_stack([times, places]))


def test_rolls_are_found_in_spite_of_false_sightings():
    rng = np.random.default_rng(2)
    fit = fit_rolls([roll_drive(rng) for _ in range(5)], 0.48)
    assert len(fit.rolls) >= 4
    assert fit.deceleration == pytest.approx(0.35, rel=0.04)
    assert abs(fit.deceleration - 0.35) < 3 * fit.deviation


def test_a_wall_ends_a_roll():
    rng = np.random.default_rng(3)
    drives = [roll_drive(rng, wall=1.3, false=False) for _ in range(5)]
    # Taken for one roll, the bounce would brake the ball ten times as much.
    fit = fit_rolls(drives, 0.48)
    assert fit.deceleration == pytest.approx(0.35, rel=0.12)


def test_a_ball_that_is_seen_while_the_robot_walks_says_nothing():
    drive = roll_drive(np.random.default_rng(4))
    times = drive.odom_times
    walking = np.column_stack([times, np.tile([0.2, 0, 0], (len(times), 1))])
    moved = np.column_stack([times, 0.2 * times, 0 * times, 0 * times])
    ball = np.column_stack([drive.ball_times, drive.ball])
    assert fit_rolls([make_drive('x', walking, moved, (), ball)], 0.48) is None


def test_the_scripted_drive_waits_while_a_ball_rolls_and_then_follows_the_protocol():
    operator = ScriptedDrive(CONTRACT.limits, 0.1)
    state = np.zeros((1, 10))
    state[0, 5] = 0.5
    assert all((operator(state) == 0).all() for _ in range(30))
    state[0, 5] = 0.0
    commands = np.concatenate([operator(state) for _ in range(800)])
    assert (commands[:15] == 0).all() and commands[15].tolist() == [0.25, 0, 0]
    for axis in range(3):
        assert commands[:, axis].max() > 0 > commands[:, axis].min()
    # Never two axes at once, and still at the end.
    assert ((commands != 0).sum(axis=1) <= 1).all() and (commands[-70:] == 0).all()


@pytest.mark.parametrize('seed', [3, 11])
def test_properties_of_a_simulation_that_nobody_told_are_recovered(seed):
    check_recovery(seed)


@pytest.mark.long
@pytest.mark.parametrize('seed', range(20))
def test_twenty_simulations_are_recovered_within_a_tenth(seed):
    check_recovery(seed)


def check_recovery(seed):
    pytest.importorskip('mujoco')
    from guda_ros.identification import trial

    rng = np.random.default_rng([seed, 31])
    robot, contract = trial.perturbed(ROBOT, CONTRACT, rng)
    found = identify(trial.record(robot, contract, rng), ROBOT, CONTRACT.field)
    for name, value in trial.properties(robot, contract).items():
        assert found.results[name].value == pytest.approx(value, rel=0.1), name


def test_nothing_is_found_in_no_recording():
    with pytest.raises(GudaError, match='there is no recording'):
        guda_ros.identify([], 'nao_v6')
