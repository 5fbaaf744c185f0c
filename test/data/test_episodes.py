from dataclasses import replace
import json

from camera_clocks import CAMERAS, check_rate, image_stamps
import numpy as np
import pytest
import recording_scene as scene

from guda_ros.data.contract import Contract
from guda_ros.data.contract_base import ContractMismatch
from guda_ros.data.episodes import Episode, read_episode
from guda_ros.data.pairing import missing_samples, OBSERVATION_ROLES
from guda_ros.data.recording.reader import RecordingError, RecordingInfo
from guda_ros.data.recording.repair import doctor
from guda_ros.data.world_states import assemble
from guda_ros.soccer import world


def drop(*wanted):
    """Return a change that leaves samples out, given as (step, role)."""

    def change(step, samples):
        return {role: data for role, data in samples.items() if (step, role) not in wanted}

    return change


def test_assemble_takes_the_ball_from_odom_to_map_through_the_robot():
    # The robot looks along y in map and along x in odom; the ball is 1 m ahead of it, .5 m to its
    # left.
    state = assemble(
        [1.0, 2.0, np.pi / 2], [3.0, 4.0, 0.0], [4.0, 4.5], [0.2, 0.1], [0.1, 0.0, 0.3]
    )
    np.testing.assert_allclose(
        state, [1, 2, np.pi / 2, 0.5, 3.0, -0.1, 0.2, 0.1, 0.0, 0.3], atol=1e-12
    )


def test_assemble_gives_many_rows_as_it_gives_one():
    random = np.random.default_rng(0)
    rows = [random.normal(size=(20, width)) for width in (3, 3, 2, 2, 3)]
    together = assemble(*rows)
    assert together.shape == (20, world.SIZE)
    for index in range(20):
        np.testing.assert_allclose(together[index], assemble(*(row[index] for row in rows)))


def test_an_episode_is_what_the_robot_knew_step_by_step(tmp_path):
    episode = read_episode(scene.write_recording(tmp_path, steps=10), Contract.load())
    assert len(episode) == 10
    assert episode.problems == ()
    assert (episode.id, episode.scenario, episode.seed, episode.start_index) == (
        'episode_0',
        'attack',
        7,
        3,
    )
    assert (episode.verdict, episode.success, episode.operator) == ('scored', True, 'scripted')
    np.testing.assert_array_equal(episode.stamps, 5_000_000_000 + np.arange(11) * 100_000_000)
    np.testing.assert_allclose(
        episode.world_states[3], [1, 2, np.pi / 2, 1, 2.53, 0, 0.1, 0.1, 0, 0.02], atol=1e-12
    )
    np.testing.assert_allclose(episode.commands[3], [0.1, 0, 0.03])
    assert episode.valid.all()
    assert episode.usable.all()
    assert episode.duration == pytest.approx(1.0)


def test_the_first_state_has_no_previous_command(tmp_path):
    episode = read_episode(scene.write_recording(tmp_path))
    np.testing.assert_array_equal(episode.world_states[0, world.PREVIOUS_COMMAND], 0)
    np.testing.assert_array_equal(
        episode.world_states[1:, world.PREVIOUS_COMMAND], episode.commands
    )


def test_ground_truth_is_kept_apart(tmp_path):
    episode = read_episode(scene.write_recording(tmp_path))
    np.testing.assert_allclose(
        episode.truth_states[3], [1, 2, np.pi / 2, 1, 2.55, 0, 0.1, 0.1, 0, 0.02], atol=1e-12
    )


def test_ground_truth_may_be_missing_as_on_a_real_robot(tmp_path):
    every = [
        (step, role) for step in range(11) for role in ('ground_truth_robot', 'ground_truth_ball')
    ]
    episode = read_episode(scene.write_recording(tmp_path, change=drop(*every)))
    assert episode.problems == ()
    assert np.isnan(episode.truth_states[:, :7]).all()
    assert episode.usable.all()


@pytest.mark.parametrize('role', ['odom', 'pose', 'ball'])
def test_a_missing_sample_breaks_the_episode_and_is_reported(tmp_path, role):
    episode = read_episode(scene.write_recording(tmp_path, change=drop((4, role))))
    assert len(episode) == 10
    np.testing.assert_array_equal(np.flatnonzero(~episode.valid), [4])
    np.testing.assert_array_equal(np.flatnonzero(~episode.usable), [3, 4])
    assert episode.pieces() == [slice(0, 3), slice(5, 10)]
    assert episode.problems == (
        f'{role}: 1 of 11 samples are missing, the first 0.40 s after the start',
    )


def test_a_missing_command_is_never_made_up(tmp_path):
    episode = read_episode(scene.write_recording(tmp_path, change=drop((4, 'command'))))
    assert np.isnan(episode.commands[4]).all()
    # Step 4 lacks its command, and state 5 the command of the step before.
    assert episode.pieces() == [slice(0, 4), slice(6, 10)]
    assert 'command: 1 of 10 samples are missing' in episode.problems[0]


def test_a_missing_step_breaks_the_episode(tmp_path):
    episode = read_episode(
        scene.write_recording(tmp_path, change=lambda step, samples: {} if step == 4 else samples)
    )
    assert len(episode) == 9
    assert episode.problems == ('1 steps do not last 0.1 s, the first 0.30 s after the start',)
    # State 4 is that of step 5: neither the step to it nor its previous command is known.
    assert episode.pieces() == [slice(0, 3), slice(5, 9)]


def test_a_missing_start_is_reported(tmp_path):
    episode = read_episode(
        scene.write_recording(tmp_path, change=lambda step, samples: {} if step < 2 else samples)
    )
    assert episode.problems == ('the first 0.20 s are missing',)
    assert not episode.valid[0]


@pytest.mark.parametrize(
    'early, problems',
    [
        (0.08, []),
        (0.097, []),
        (0.1, ['the first 0.10 s are missing']),
        (0.104, []),
        (0.12, ['the first 0.12 s are missing']),
    ],
)
def test_outside_lock_step_an_episode_begins_between_two_observations(early, problems):
    steps = 10**10 + np.arange(20) * 10**8
    stamps = dict.fromkeys((*OBSERVATION_ROLES, 'command'), set(steps.tolist()))
    assert missing_samples(stamps, steps, int(steps[0] - early * 1e9), 0.1) == problems


@pytest.mark.parametrize(
    'rate, late, whole',
    [
        (15.0, 0.17, True),
        (15.0, 0.24, False),
        (50.0, 0.12, True),
        (50.0, 0.17, False),
        # However seldom the odometry comes, a tenth of a second is the most that it excuses.
        (2.0, 0.22, True),
        (2.0, 0.3, False),
    ],
)
def test_an_episode_begins_with_the_first_image_between_two_odometries(rate, late, whole):
    steps = 10**10 + np.arange(20) * 10**8
    first = int(steps[0] - late * 1e9)
    odometry = {first + int(1e9 * (count + 0.99) / rate) for count in range(-2, int(3 * rate))}
    stamps = {**dict.fromkeys(('pose', 'ball', 'command'), set(steps.tolist())), 'odom': odometry}
    problems = missing_samples(stamps, steps, first, 0.1)
    assert (not any(problem.startswith('the first') for problem in problems)) == whole


@pytest.mark.parametrize('camera', CAMERAS)
def test_an_episode_has_steps_at_the_contracts_rate_whatever_the_cameras(tmp_path, camera):
    """All images are answered here, as an older perception or another one does."""
    seconds, end = 3.0, scene.START + 3 * 10**9
    path = scene.write_stamped(
        tmp_path,
        images=image_stamps(camera, scene.START + 12_345_678, seconds),
        odometries=range(scene.START - 10**9 + 7_000_000, end + 10**8, 20_000_000),
        end=end,
    )
    episode = read_episode(path, Contract.load())
    # What was commanded before the first image, between two periods, is not known.
    assert episode.problems == () and episode.usable[1:].all()
    check_rate(episode.stamps, seconds)
    moved = (episode.stamps - scene.START) * 1e-9 * scene.SPEED
    states = episode.world_states
    np.testing.assert_allclose(states[:, 0], moved, atol=1e-6)
    # The ball lies still in odom, and so in map.
    np.testing.assert_allclose(states[:, world.BALL] - states[0, world.BALL], 0.0, atol=1e-6)
    np.testing.assert_allclose(episode.commands[:, 0], scene.SPEED)


def test_the_answer_to_the_last_observation_is_no_step(tmp_path):
    with_answer = read_episode(scene.write_recording(tmp_path, name='a'))
    without = read_episode(scene.write_recording(tmp_path, name='b', change=drop((10, 'command'))))
    assert without.problems == ()
    np.testing.assert_array_equal(with_answer.commands, without.commands)


def test_samples_before_and_after_the_episode_are_left_out(tmp_path):
    def change(step, samples):
        if step == 0:
            samples['odom'] = scene.odometry(scene.START - scene.PERIOD, 'odom', (0, 0, 0))
        if step == 10:
            samples['command'] = scene.command(scene.START + 11 * scene.PERIOD, (9, 9, 9))
        return samples

    episode = read_episode(scene.write_recording(tmp_path, change=change))
    assert episode.stamps[0] == scene.START
    assert len(episode) == 10
    assert 'odom: 1 of 11 samples are missing' in episode.problems[0]


def test_a_lost_ball_is_not_valid(tmp_path):
    def change(step, samples):
        if 2 <= step < 5:
            samples['ball'] = scene.odometry(
                scene.START + step * scene.PERIOD, 'odom', (0, 0, 0), variance=1000.0
            )
        return samples

    episode = read_episode(scene.write_recording(tmp_path, change=change))
    assert episode.problems == ()
    np.testing.assert_array_equal(np.flatnonzero(~episode.valid), [2, 3, 4])
    assert episode.pieces() == [slice(0, 1), slice(5, 10)]


def test_a_ball_that_was_not_seen_within_the_hold_is_not_valid(tmp_path):
    contract = replace(Contract.load(), ball_hold=0.3)

    def change(step, samples):
        if step in (1, 8):
            samples['ball_detection'] = scene.detection(scene.START + step * scene.PERIOD)
        return samples

    path = scene.write_recording(tmp_path, change=change, contract=contract)
    # Seen at steps 1 and 8, held for three steps.
    np.testing.assert_array_equal(
        np.flatnonzero(read_episode(path, contract).valid), [1, 2, 3, 4, 8, 9, 10]
    )


def test_what_was_commanded_before_the_start_is_taken_from_the_pre_roll(tmp_path):
    episode = read_episode(scene.write_recording(tmp_path, pre_roll=3))
    assert len(episode) == 10 and episode.problems == ()
    np.testing.assert_allclose(episode.world_states[0, 7:], (0.1, 0.0, -0.01))
    standing = read_episode(scene.write_recording(tmp_path, name='standing'))
    np.testing.assert_array_equal(standing.world_states[0, 7:], 0.0)


def test_the_layout_of_the_observation_may_change_after_recording(tmp_path):
    path = scene.write_recording(tmp_path)
    contract = replace(Contract.load(), observation=('ball', 'goal'), time_limit=60.0)
    assert len(read_episode(path, contract)) == 10


def test_a_recording_of_another_contract_is_refused_with_the_difference(tmp_path):
    path = scene.write_recording(tmp_path)
    with pytest.raises(ContractMismatch, match=r'episode_0.*\n.*rate: 20.0 != 10.0'):
        read_episode(path, replace(Contract.load(), rate=20.0))


def test_a_ball_in_another_frame_is_refused(tmp_path):
    def change(step, samples):
        samples['ball'] = scene.odometry(scene.START + step * scene.PERIOD, 'map', (0, 0, 0))
        return samples

    with pytest.raises(RecordingError, match="/ball/odom: frame 'map' .* 'odom' is expected"):
        read_episode(scene.write_recording(tmp_path, change=change))


@pytest.mark.parametrize('role', ['pose', 'ball', 'odom'])
def test_a_place_too_far_away_is_no_training_data_and_the_doctor_names_it(tmp_path, role):
    far = scene.odometry(scene.START + 4 * scene.PERIOD, 'odom', (1e300, 0.0, 0.0))
    if role == 'pose':
        far = scene.pose(scene.START + 4 * scene.PERIOD, (1e300, 0.0, 0.0))
    path = scene.write_recording(
        tmp_path, change=lambda step, samples: {**samples, role: far} if step == 4 else samples
    )
    episode = read_episode(path)
    np.testing.assert_array_equal(np.flatnonzero(~episode.usable), [3, 4])
    assert '1 of 11 steps have a number beyond 10000' in episode.problems[0]
    (found,) = doctor(path)
    assert found.state == 'whole'
    assert (
        f'{scene.TOPICS[role][0]}: 1 of 11 messages tell of a place farther' in found.problems[0]
    )


def test_the_place_of_a_lost_ball_is_none_and_nothing_is_told_of_it(tmp_path):
    lost = scene.odometry(scene.START, 'odom', (np.nan, np.nan, 0.0), variance=1e6)
    path = scene.write_recording(
        tmp_path, change=lambda step, samples: {**samples, 'ball': lost} if not step else samples
    )
    assert doctor(path)[0].problems == ()


def test_a_usable_step_has_places_and_commands_that_can_be(tmp_path):
    episode = read_episode(scene.write_recording(tmp_path))
    for name, row, usable in (('world_states', 3, [2, 3]), ('commands', 5, [5])):
        values = getattr(episode, name).copy()
        values[row, 0] = 2e4
        changed = replace(episode, **{name: values})
        np.testing.assert_array_equal(np.flatnonzero(~changed.usable), usable)


@pytest.mark.parametrize(
    'key, value',
    [
        ('topics', ['/odom']),
        ('topics', {'odom': 5}),
        ('start_stamp', 'x'),
        ('start_stamp', -1),
        ('end_stamp', 2**70),
        ('start_index', 1.5),
        ('seed', None),
        ('robot_start', [1e300, 0, 0]),
        ('robot_start', [0, 0]),
        ('success', 'yes'),
        ('problems', [1]),
        ('verdict', {}),
        ('id', 'a\0b'),
        ('parameters', []),
    ],
)
def test_a_description_of_an_episode_has_values_of_its_kinds(key, value):
    values = json.loads(RecordingInfo(id='a').to_json())
    assert RecordingInfo.from_json(json.dumps(values)) == RecordingInfo(id='a')
    with pytest.raises(ValueError, match=f'not the description of an episode.*{key}'):
        RecordingInfo.from_json(json.dumps({**values, key: value}))


def test_a_recording_without_a_step_is_refused(tmp_path):
    path = scene.write_recording(tmp_path, steps=3, change=lambda step, samples: {})
    with pytest.raises(RecordingError, match='no complete control step .no observation'):
        read_episode(path)


@pytest.mark.parametrize('verdict', ['out', 'timeout', 'error', 'aborted'])
def test_only_a_goal_is_a_success(tmp_path, verdict):
    episode = read_episode(scene.write_recording(tmp_path, verdict=verdict))
    assert (episode.verdict, episode.success) == (verdict, False)


def test_arrays_of_wrong_shape_are_named():
    arrays = {
        'stamps': np.arange(3),
        'world_states': np.zeros((3, 10)),
        'commands': np.zeros((3, 3)),
        'valid': np.ones(3),
        'truth_states': np.zeros((3, 10)),
    }
    with pytest.raises(ValueError, match=r'commands: shape \(2, 3\) is expected, not \(3, 3\)'):
        Episode('a', 'attack', 0, 0, 'scored', '', '', **arrays)


def test_where_the_robot_did_not_know_its_place_nothing_can_be_learned(tmp_path):
    def lost(step, samples):
        if step >= 6:
            samples['pose'] = scene.pose(
                scene.START + step * scene.PERIOD, (0.0, 0.0, 0.0), variance=1e6
            )
        return samples

    episode = read_episode(scene.write_recording(tmp_path, 10, change=lost))
    np.testing.assert_array_equal(episode.usable, np.arange(10) < 5)
    assert 'pose: unknown at 5 of 11 steps, the first 0.60 s after the start' in episode.problems


@pytest.mark.parametrize('at', [1, 5, 9])
def test_a_pose_that_jumps_costs_the_steps_beside_it_and_is_told(tmp_path, at):
    def jump(step, samples):
        if step >= at:
            samples['pose'] = scene.pose(scene.START + step * scene.PERIOD, (4.0, 2.0, np.pi / 2))
        return samples

    episode = read_episode(scene.write_recording(tmp_path, 10, change=jump))
    assert np.flatnonzero(~episode.usable).tolist() == [at - 1, at]
    assert any(
        problem.startswith(f'pose: jumps by 3.00 m {at / 10:.2f} s')
        for problem in episode.problems
    )


def test_no_odometry_is_made_up_over_a_jump(tmp_path):
    def between(step, samples):
        # Odometry comes half a period beside the images, and begins anew in between.
        stamp = scene.START + step * scene.PERIOD + scene.PERIOD // 2
        place = (5.0, 0.0, 0.0) if step < 6 else (0.0, 0.0, 0.0)
        samples['odom'] = scene.odometry(stamp, 'odom', place)
        return samples

    episode = read_episode(scene.write_recording(tmp_path, 10, change=between))
    # The image of step 6 lies between the two.
    assert not episode.usable[5:7].any() and episode.usable[[1, 2, 3, 4, 7, 8]].all()
