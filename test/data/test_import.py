"""Bags that others recorded become episodes; what is missing in them stays missing."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
import shutil
import sqlite3
import tempfile

import bag_scene as scene
from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from guda_ros.cli.main import main
from guda_ros.config.files import ConfigError
from guda_ros.data.exchange.rosbag import import_bag, Mapping
from guda_ros.data.recording.reader import RecordingError
from guda_ros.data.sets.minari import read_minari

PERIOD = 0.1
TOPICS = {'pose': '/robot_pose', 'ball': '/ball', 'command': '/cmd_vel'}


@pytest.fixture
def mapping(tmp_path):
    """The mapping that is shipped, without the odometry that the bag lacks."""
    text = open('config/imports/example.yaml', encoding='utf-8').read()
    path = tmp_path / 'mapping.yaml'
    path.write_text(''.join(line for line in text.splitlines(True) if '  odom: /odom' not in line))
    return path


@pytest.mark.parametrize('storage', ['sqlite3', 'mcap'])
@pytest.mark.parametrize('ball_frame, stamped', [('base_footprint', False), ('world', True)])
def test_a_bag_of_others_gives_the_motion_at_the_control_rate(
    tmp_path, mapping, storage, ball_frame, stamped
):
    path = scene.write_bag(tmp_path / 'drive', storage, ball_frame=ball_frame, stamped=stamped)
    episode = import_bag(path, Mapping.load(mapping))
    # The last ball is from 3.99 s, the last pose from 3.99 s.
    assert len(episode) == 39 and episode.id == 'drive' and episode.verdict == 'timeout'
    times = PERIOD * np.arange(40)
    states = episode.world_states
    np.testing.assert_array_equal(episode.stamps, scene.START + np.round(times * 1e9))
    np.testing.assert_allclose(
        states[:, :3], np.transpose(np.broadcast_arrays(*scene.robot(times))), atol=1e-6
    )
    np.testing.assert_allclose(states[:, 3], 0.4 * times, atol=1e-4)
    np.testing.assert_allclose(states[:, 4], -0.5, atol=1e-4)
    np.testing.assert_allclose(states[:, 5], 0.4, atol=2e-3)
    np.testing.assert_allclose(states[:, 6], 0.0, atol=2e-3)
    # The command that is given in the middle of a step is the one that acts in it.
    expected = [scene.told(t + PERIOD / 2) for t in times[:-1]]
    np.testing.assert_allclose(episode.commands, expected, atol=1e-12)
    np.testing.assert_allclose(states[1:, 7:], expected, atol=1e-12)
    assert episode.usable.all() and episode.problems == ()


def test_a_gap_stays_a_gap_and_is_named(tmp_path, mapping):
    path = scene.write_bag(tmp_path / 'drive', gap=('/ball', 1.0, 2.0))
    episode = import_bag(path, Mapping.load(mapping))
    # Balls at .98 and 2.03 s are too far apart: the steps from 1.0 to 2.0 s have none.
    np.testing.assert_array_equal(np.flatnonzero(~episode.valid), np.arange(9, 22))
    assert np.isnan(episode.world_states[10:21, 3:5]).all()
    assert np.isfinite(episode.world_states[:, :3]).all()
    assert episode.problems[0].startswith(
        'ball: 11 of 40 steps have no sample within 0.2 s, the first 1.00 s'
    )


def test_commands_that_stop_are_not_held_for_ever(tmp_path, mapping):
    path = scene.write_bag(tmp_path / 'drive', gap=('/cmd_vel', 1.0, 3.0))
    episode = import_bag(path, Mapping.load(mapping))
    missing = np.isnan(episode.commands).any(axis=1)
    # The command of 1.0 s holds until 1.5 s; the middle of step 15 is 1.55 s.
    np.testing.assert_array_equal(np.flatnonzero(missing), np.arange(15, 30))
    assert 'command: at 15 of 39 steps none was given within 0.5 s' in episode.problems[0]


def test_what_was_commanded_before_the_first_step_is_known(tmp_path, mapping):
    path = scene.write_bag(tmp_path / 'drive', ball_frame='world', gap=('/robot_pose', -1.0, 1.0))
    episode = import_bag(path, Mapping.load(mapping))
    # The first pose is of 1.02 s, and what was told at .97 s another command than that of then.
    np.testing.assert_allclose(episode.world_states[0, 7:], scene.told(0.97))
    assert scene.told(0.97) != scene.told(1.02)


def test_truth_that_ends_early_is_missing_from_there(tmp_path, mapping):
    text = mapping.read_text().replace(
        'topics:\n', 'topics:\n  ground_truth_robot: /truth\n  ground_truth_ball: /ball\n'
    )
    mapping.write_text(text)
    path = scene.write_bag(
        tmp_path / 'drive', ball_frame='world', poses=('/truth',), gap=('/truth', 2.0, 9.0)
    )
    episode = import_bag(path, Mapping.load(mapping))
    # The last truth is of 1.98 s.
    np.testing.assert_array_equal(np.isnan(episode.truth_states[:, 0]), np.arange(40) >= 20)
    assert any(text.startswith('ground_truth_robot: 20 of 40') for text in episode.problems)


def test_messages_without_a_stamp_follow_the_clock_of_the_others(tmp_path, mapping):
    offset = -1_000_000 * scene.SECOND
    episode = import_bag(
        scene.write_bag(tmp_path / 'drive', clock_offset=offset), Mapping.load(mapping)
    )
    assert episode.stamps[0] == scene.START + offset
    assert episode.usable.all()
    np.testing.assert_allclose(episode.commands[10], scene.told(1.05))
    assert '-1000000.0 s from the clock of the recorder' in episode.problems[0]


def test_an_episode_ends_where_the_ball_comes_into_the_goal(tmp_path, mapping):
    # The whole ball is over the line at 4.5 m and its radius of .05 m, at .4 m/s after 11.375 s.
    episode = import_bag(scene.write_bag(tmp_path / 'long', seconds=13.0), Mapping.load(mapping))
    assert episode.verdict == 'scored'
    assert episode.duration == pytest.approx(11.4)


def test_missing_topics_are_named_with_what_there_is_instead(tmp_path, mapping):
    path = scene.write_bag(tmp_path / 'drive', without=('/ball',))
    with pytest.raises(RecordingError, match='ball: no topic /ball; it could be /robot_pose '):
        import_bag(path, Mapping.load(mapping))


def test_a_topic_of_another_type_is_named(tmp_path, mapping):
    mapping.write_text(mapping.read_text().replace('command: /cmd_vel', 'command: /robot_pose'))
    path = scene.write_bag(tmp_path / 'drive')
    with pytest.raises(RecordingError, match='command: /robot_pose is of geometry_msgs/msg/Pose'):
        import_bag(path, Mapping.load(mapping))


def test_one_topic_may_be_pose_and_odometry(tmp_path, mapping):
    text = mapping.read_text().replace('  odom: odom\n', '  odom: world\n')
    mapping.write_text(text.replace('topics:\n', 'topics:\n  odom: /robot_pose\n'))
    episode = import_bag(scene.write_bag(tmp_path / 'drive'), Mapping.load(mapping))
    np.testing.assert_allclose(episode.world_states[:, 3], 0.4 * PERIOD * np.arange(40), atol=1e-4)


def test_a_bag_without_messages_is_one_clear_error(tmp_path, mapping):
    path = scene.write_bag(tmp_path / 'drive', seconds=0.01)
    with pytest.raises(RecordingError, match='fewer than two messages on /robot_pose'):
        import_bag(path, Mapping.load(mapping))


def test_an_unknown_frame_is_named(tmp_path, mapping):
    path = scene.write_bag(tmp_path / 'drive', ball_frame='camera')
    with pytest.raises(RecordingError, match="ball: is in the frame 'camera'; say under frames"):
        import_bag(path, Mapping.load(mapping))


def test_a_mapping_with_an_unknown_key_is_refused_with_its_name(tmp_path, mapping):
    mapping.write_text(mapping.read_text() + 'colour: red\n')
    with pytest.raises(ConfigError, match='colour: is not a known key'):
        Mapping.load(mapping)


def test_a_damaged_bag_is_one_clear_error(tmp_path, mapping):
    path = scene.write_bag(tmp_path / 'drive', 'mcap')
    file = next(path.glob('*.mcap'))
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(RecordingError, match='drive'):
        import_bag(path, Mapping.load(mapping))


def test_the_command_makes_a_data_set_of_bags_and_of_single_files(tmp_path, mapping, capsys):
    one = scene.write_bag(tmp_path / 'one')
    two = next(scene.write_bag(tmp_path / 'two', 'mcap').glob('*.mcap'))
    out = tmp_path / 'set'
    assert (
        main(['data', 'import', str(one), str(two), '--mapping', str(mapping), '--out', str(out)])
        == 0
    )
    assert [episode.id for episode in read_minari(out)] == ['one', 'two']
    assert main(['data', 'info', str(one)]) == 0
    assert 'geometry_msgs/msg/Twist' in capsys.readouterr().out


def test_without_a_mapping_the_names_of_the_contract_are_expected(tmp_path, capsys):
    path = scene.write_bag(tmp_path / 'drive')
    assert main(['data', 'import', str(path), '--out', str(tmp_path / 'set')]) == 1
    error = capsys.readouterr().err
    assert 'pose: no topic pose; it could be /robot_pose' in error and '--mapping' in error
    assert not (tmp_path / 'set').exists()


def test_each_ball_is_where_its_own_frame_says(tmp_path, mapping):
    frames = ['base_footprint', '', 'world', 'base_footprint', 'camera', 'world']
    path = scene.write_bag(tmp_path / 'drive', ball_frame=lambda number: frames[number % 6])
    episode = import_bag(path, Mapping.load(mapping))
    times = PERIOD * np.arange(len(episode) + 1)
    seen = np.isfinite(episode.world_states[:, 3])
    assert seen.sum() > 20
    np.testing.assert_allclose(episode.world_states[seen, 3], 0.4 * times[seen], atol=1e-4)
    np.testing.assert_allclose(episode.world_states[seen, 4], -0.5, atol=1e-4)
    assert "samples are in the frame '', 'camera' and left out" in episode.problems[0]


@pytest.mark.parametrize(
    'stamp', [0, 1, 100 * scene.SECOND, (2**31 - 1) * scene.SECOND, scene.START // 10**6]
)
@pytest.mark.parametrize('which', ['first', 'middle', 'last'])
def test_one_wrong_stamp_in_each_topic_costs_one_sample(tmp_path, mapping, stamp, which):
    at = {'first': 0.0, 'middle': 2.1, 'last': 3.99}[which]
    path = scene.write_bag(
        tmp_path / 'drive', ball_frame='world', stamped=True, wrong_stamp=(at, stamp)
    )
    episode = import_bag(path, Mapping.load(mapping))
    assert len(episode) >= 38 and episode.usable.mean() > 0.9
    assert abs(episode.stamps[0] - scene.START) <= 0.1 * scene.SECOND
    known = np.isfinite(episode.world_states[:, 3])
    since = (episode.stamps - scene.START) * 1e-9
    np.testing.assert_allclose(episode.world_states[known, 3], 0.4 * since[known], atol=1e-4)
    assert episode.problems


def test_a_bag_that_lacks_its_end_gives_its_whole_chunks(tmp_path, mapping):
    file = scene.write_chunked(tmp_path / 'cut.mcap')
    whole = import_bag(file, Mapping.load(mapping))
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 2 // 3])
    part = import_bag(file, Mapping.load(mapping))
    assert 15 < len(part) < len(whole) and part.usable.all()
    np.testing.assert_array_equal(part.world_states[:10], whole.world_states[:10])
    assert 'cut.mcap lacks its end' in part.problems[0]
    # In a folder without metadata.yaml, as the recorder leaves it, just the same.
    folder = tmp_path / 'drive'
    folder.mkdir()
    file.rename(folder / 'drive_0.mcap')
    assert len(import_bag(folder, Mapping.load(mapping))) == len(part)


def test_poses_too_far_away_are_left_out_and_told(tmp_path, mapping, monkeypatch):
    robot = scene.robot
    monkeypatch.setattr(scene, 'robot', lambda t: (1e300, 0, 0) if t > 3.95 else robot(t))
    path = scene.write_bag(tmp_path / 'drive', ball_frame='world')
    episode = import_bag(path, Mapping.load(mapping))
    assert np.abs(episode.world_states[episode.valid]).max() < 5
    assert any(
        problem.startswith('pose: 2 samples have numbers beyond 10000')
        for problem in episode.problems
    )


@pytest.mark.parametrize(
    'change, problem',
    [
        (lambda text: text.replace('name: /ball', 'name: [/ball]'), 'a topic has no name'),
        (
            lambda text: text.replace('message_count: 58', 'message_count: x'),
            'a topic has no name',
        ),
        (lambda text: '[' * 60 + ']' * 60, 'nested too deeply'),
        (lambda text: 'a: 1', 'does not describe a bag'),
    ],
)
def test_a_bag_whose_metadata_cannot_be_is_refused(tmp_path, mapping, change, problem):
    path = scene.write_bag(tmp_path / 'drive')
    metadata = path / 'metadata.yaml'
    text = metadata.read_text()
    assert change(text) != text
    metadata.write_text(change(text))
    with pytest.raises(RecordingError, match=problem):
        import_bag(path, Mapping.load(mapping))


@settings(max_examples=12, deadline=None)
@given(number=st.integers(10, 118), far=st.floats(0.6, 50), way=st.floats(-np.pi, np.pi))
def test_a_pose_that_jumps_costs_the_step_over_it_and_is_told(number, far, way):
    # Poses come every .03 s.
    at = 0.03 * number + 0.015

    def jumping(t):
        x, y, yaw = scene.robot(t)
        return (x, y, yaw) if t < at else (x + far * np.cos(way), y + far * np.sin(way), yaw)

    with tempfile.TemporaryDirectory() as folder:
        path = scene.write_bag(Path(folder) / 'drive', ball_frame='world', robot_at=jumping)
        mapping = replace(Mapping.load('example'), topics=TOPICS)
        episode = import_bag(path, mapping)
    places = episode.world_states[:, :2]
    moved = np.hypot(*np.diff(places, axis=0).T)
    assert (moved[episode.usable] < 0.05).all() and 35 <= episode.usable.sum() <= 37
    # Before and after it the pose is what was sent: no place between the two is made up.
    sent = np.array([jumping(t)[:2] for t in PERIOD * np.arange(len(places))])
    known = np.isfinite(places[:, 0])
    assert (np.hypot(*(places - sent)[known].T) < 0.02).all()
    told = [problem for problem in episode.problems if problem.startswith('pose: jumps by')]
    assert len(told) == 1 and abs(float(told[0].split(' m ')[1].split(' s ')[0]) - at) < 0.04


def test_what_follows_an_odometry_that_begins_anew_is_left_out(tmp_path):
    def anew(t):
        x, y, yaw = scene.robot(t)
        return (x, y, yaw) if t < 2 else tuple(np.subtract(scene.robot(t), scene.robot(2.01)))

    path = scene.write_bag(tmp_path / 'drive', ball_frame='odom', robot_at=anew, pose_frame='odom')
    mapping = replace(
        Mapping.load('example'),
        topics=TOPICS,
        frames={'map': 'odom', 'odom': 'odom', 'base': 'base_footprint'},
    )
    episode = import_bag(path, mapping)
    np.testing.assert_array_equal(np.flatnonzero(episode.usable), np.arange(19))
    assert any('another origin' in problem for problem in episode.problems)


@pytest.mark.parametrize('as_file', [False, True])
def test_a_database_that_was_not_closed_gives_its_newest_messages_too(tmp_path, mapping, as_file):
    whole = scene.write_bag(tmp_path / 'whole', 'sqlite3')
    (closed,) = whole.glob('*.db3')
    work, killed = tmp_path / 'work.db3', tmp_path / 'killed'
    shutil.copy(closed, work)
    killed.mkdir()
    with closing(sqlite3.connect(work)) as database:
        rows = database.execute('SELECT * FROM messages ORDER BY timestamp').fetchall()
        newest = rows[len(rows) // 2 :]
        database.executemany('DELETE FROM messages WHERE id = ?', [row[:1] for row in newest])
        database.commit()
        database.execute('PRAGMA journal_mode = WAL')
        database.execute('PRAGMA wal_autocheckpoint = 0')
        database.executemany('INSERT INTO messages VALUES (?, ?, ?, ?)', newest)
        database.commit()
        # What a kill leaves: without an end the journal beside the database stays.
        for file in tmp_path.glob('work.db3*'):
            shutil.copy(file, killed / file.name.replace('work', 'killed_0'))
    before = {file.name: file.read_bytes() for file in killed.iterdir()}
    source = killed / 'killed_0.db3' if as_file else killed
    episode = import_bag(source, Mapping.load(mapping))
    expected = import_bag(whole, Mapping.load(mapping))
    np.testing.assert_array_equal(episode.world_states, expected.world_states)
    assert 'was not closed' in episode.problems[0]
    assert {file.name: file.read_bytes() for file in killed.iterdir()} == before
