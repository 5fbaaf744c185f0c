import json
from pathlib import Path
import subprocess
import sys

from collector_bench import Bench
import pytest
import recording_scene as scene

from guda_ros.data.contract import Contract
from guda_ros.data.episodes import read_episode
from guda_ros.data.recording.collector import RecorderSettings
from guda_ros.data.recording.reader import (
    RecordingError,
    RecordingInfo,
    RecordingReader,
    RecordingWriter,
)
from guda_ros.data.recording.serialization import header_frame, header_stamp

CONTRACT = Contract.load()
SUPPORT = Path(__file__).resolve().parents[1] / 'support'


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


def test_the_stamp_is_read_from_the_serialized_header():
    assert header_stamp(scene.command(12_345_678_901, (0, 0, 0))) == 12_345_678_901
    with pytest.raises(ValueError, match='header is expected'):
        header_stamp(b'\x00\x01')


def test_the_frame_is_read_from_the_serialized_header_in_either_byte_order():
    for frame in ('', 'odom', 'base_link', 'für'):
        assert header_frame(scene.odometry(7, frame, (0, 0, 0))) == frame
    big = b'\x00\x00\x00\x00' + bytes(8) + b'\x00\x00\x00\x05odom\x00'
    assert header_frame(big) == 'odom'
    with pytest.raises(ValueError, match='header is expected'):
        header_frame(b'\x00\x01')


@pytest.mark.parametrize(
    ('role', 'key'),
    [
        ('odom', 'odom'),
        ('ball', 'odom'),
        ('pose', 'map'),
        ('ground_truth_robot', 'map'),
        ('ground_truth_ball', 'map'),
    ],
)
def test_a_frame_that_convert_would_refuse_is_told_at_its_first_message(bench, role, key):
    def strange(step):
        stamp = scene.START + step * scene.PERIOD
        row = (1.0, 2.0, 0.0)
        return scene.pose(stamp, row, 'w') if role == 'pose' else scene.odometry(stamp, 'w', row)

    assert bench.collector.unfit == []
    bench.collector.take(role, scene.START - 1, strange(-1))
    words = f"comes in frame 'w' where '{key}' is expected: put `frames: {{{key}: w}}`"
    assert [text.startswith(f'{role} {words}') for text in bench.collector.unfit] == [True]
    bench.begin()
    for step in range(3):
        bench.step(step, role)
        bench.collector.take(role, scene.START + step * scene.PERIOD, strange(step))
        assert any(words in text for text in bench.collector.status['alarms'])
    assert any(words in text for text in bench.collector.news())
    bench.end(2)
    status = bench.collector.status
    assert status['good'] is False and any(words in text for text in status['reasons'])
    # Nothing of it is lost, and the next one in the right frame is well.
    assert status['messages'] >= 18
    bench.begin('b')
    for step in range(6):
        bench.step(step)
    bench.end(5)
    assert bench.collector.status['good'] and bench.collector.unfit == []


def test_a_whole_episode_is_saved_and_announced(bench, tmp_path):
    assert bench.collector.status['state'] == 'waiting'
    bench.begin()
    assert bench.announced[-1]['state'] == 'recording'
    assert bench.announced[-1]['path'] == str(tmp_path / 'a.partial')
    for step in range(6):
        bench.step(step)
    bench.end(5)
    assert bench.announced[-1] == {
        'id': 'a',
        'path': str(tmp_path / 'a'),
        'state': 'closed',
        'messages': 36,
        'verdict': 'scored',
        'complete': True,
        'problems': [],
        'good': True,
        'reasons': [],
        'alarms': [],
    }
    episode = read_episode(tmp_path / 'a', CONTRACT)
    assert (len(episode), episode.success, episode.problems, episode.seed) == (5, True, (), 7)


@pytest.mark.parametrize('lockstep', [True, False])
def test_a_recorder_that_is_behind_spoils_an_episode_unless_the_world_goes_in_lock_step(
    tmp_path, lockstep
):
    bench = Bench(tmp_path, RecorderSettings(lockstep=lockstep))
    bench.begin()
    for step in range(6):
        bench.step(step, behind=900_000_000)
    bench.end(5)
    status = bench.collector.status
    assert (status['complete'], status['good']) == (True, lockstep)
    assert all('stamps are 0.9 s old' in reason for reason in status['reasons'])
    # How far it was behind can be read afterwards.
    with RecordingReader(tmp_path / 'a') as reader:
        assert reader.quality['streams']['odom']['oldest'] == 0.9


def test_in_lock_step_lost_samples_still_spoil_an_episode(tmp_path):
    bench = Bench(tmp_path, RecorderSettings(lockstep=True))
    bench.begin()
    for step in range(6):
        bench.step(step, *(['ball'] if step == 3 else []))
    bench.end(5)
    assert bench.collector.status['good'] is False


def test_messages_that_are_on_the_way_at_the_end_are_waited_for(bench, tmp_path):
    bench.begin()
    for step in range(5):
        bench.step(step)
    bench.step(5, 'pose', 'ball')
    bench.end(5)
    for role in ('pose', 'ball'):
        bench.now += 0.3
        bench.collector.tick()
        assert bench.collector.status['state'] == 'recording'
        bench.collector.take(role, 0, scene.samples(5)[role])
    bench.collector.tick()
    assert bench.collector.status['complete']
    assert read_episode(tmp_path / 'a').problems == ()


def test_what_never_comes_is_waited_for_no_longer_than_the_drain_time(bench, tmp_path):
    bench.begin()
    for step in range(5):
        bench.step(step)
    bench.step(5, 'ball')
    bench.end(5)
    bench.now = 0.9
    bench.collector.tick()
    assert bench.collector.recording
    bench.now = 1.0
    bench.collector.tick()
    status = bench.collector.status
    assert (status['state'], status['complete']) == ('closed', False)
    assert status['problems'] == [
        'ball: 1 of 6 samples are missing, the first 0.50 s after the start'
    ]
    assert read_episode(tmp_path / 'a').problems == tuple(status['problems'])


def test_what_came_shortly_before_the_start_was_announced_is_kept(bench, tmp_path):
    bench.collector.take('odom', 0, scene.odometry(scene.START - scene.PERIOD, 'odom', (0, 0, 0)))
    bench.step(0)
    bench.begin()
    for step in range(1, 4):
        bench.step(step)
    bench.end(3)
    assert bench.collector.status['complete']
    with RecordingReader(tmp_path / 'a') as reader:
        # With the odometry of before the episode, which its steps do not have.
        assert reader.topics['/odom'] == 5
    assert len(read_episode(tmp_path / 'a')) == 3


def test_what_came_before_the_reset_belongs_to_no_episode(bench, tmp_path):
    bench.collector.take('odom', 0, scene.odometry(scene.START - scene.PERIOD, 'odom', (0, 0, 0)))
    bench.collector.expect('a', scene.START)
    for step in range(2):
        bench.step(step)
    bench.begin()
    bench.end(1)
    with RecordingReader(tmp_path / 'a') as reader:
        assert reader.topics['/odom'] == 2


def test_what_comes_while_the_last_episode_is_closed_belongs_to_the_next(bench, tmp_path):
    bench.begin()
    for step in range(3):
        bench.step(step)
    bench.end(4)
    assert bench.collector.recording
    bench.step(10)
    bench.collector.expect('b', scene.START + 10 * scene.PERIOD)
    bench.collector.begin(RecordingInfo('b', start_stamp=scene.START + 10 * scene.PERIOD))
    bench.step(11)
    bench.end(11)
    assert read_episode(tmp_path / 'b').problems == ()
    assert len(read_episode(tmp_path / 'b')) == 1


def test_what_came_long_before_the_start_is_left_out(bench, tmp_path):
    # A simulator that was started anew begins with earlier stamps than the one before had reached.
    bench.step(30)
    bench.now = 3.0
    bench.begin()
    bench.step(0)
    bench.step(1)
    bench.end(1)
    with RecordingReader(tmp_path / 'a') as reader:
        assert reader.topics['/odom'] == 2


def test_nothing_is_recorded_between_episodes(bench, tmp_path):
    for name in ('a', 'b'):
        bench.begin(name)
        for step in range(4):
            bench.step(step)
        bench.end(3)
        bench.collector.take('odom', 0, scene.odometry(scene.START - 1, 'odom', (0, 0, 0)))
        bench.end(3)
    assert sorted(item.name for item in tmp_path.iterdir()) == ['a', 'b']
    assert len(read_episode(tmp_path / 'b')) == 3


def test_an_episode_that_did_not_end_is_closed_when_the_next_begins(bench, tmp_path):
    bench.begin('a')
    for step in range(3):
        bench.step(step)
    bench.begin('b')
    first = next(status for status in bench.announced if status['state'] == 'closed')
    assert (first['id'], first['verdict']) == ('a', 'aborted')
    assert bench.collector.status['state'] == 'recording'
    assert read_episode(tmp_path / 'a').verdict == 'aborted'


def test_the_same_start_twice_goes_on_with_the_recording(bench):
    bench.begin()
    bench.step(0)
    bench.begin()
    assert bench.collector.status['messages'] == 6


def test_the_same_episode_from_another_start_is_not_put_into_the_recording(bench, tmp_path):
    bench.begin()
    for step in range(4):
        bench.step(step)
    bench.collector.begin(RecordingInfo('a', start_stamp=scene.START + 10 * scene.PERIOD))
    bench.step(10)
    assert bench.collector.status['state'] == 'failed'
    assert 'a: exists already' in bench.collector.status['problems'][0]
    episode = read_episode(tmp_path / 'a')
    assert (episode.verdict, len(episode)) == ('aborted', 3)


def test_discarding_means_the_episode_that_was_reset_last(bench, tmp_path):
    bench.begin()
    bench.step(0)
    bench.step(1)
    bench.end(1)
    bench.collector.expect('b', scene.START + 10 * scene.PERIOD)
    with pytest.raises(RecordingError, match='b has not begun.*; a is kept'):
        bench.collector.discard()
    assert len(read_episode(tmp_path / 'a')) == 1


def test_a_discarded_episode_keeps_its_verdict(bench, tmp_path):
    bench.begin()
    for step in range(3):
        bench.step(step)
    bench.end(3)
    assert bench.collector.recording
    assert read_episode(bench.collector.discard()).verdict == 'scored'
    assert [path.name for path in tmp_path.iterdir()] == ['a.discarded']


def test_closing_in_the_middle_saves_an_aborted_episode(bench, tmp_path):
    bench.begin()
    for step in range(4):
        bench.step(step)
    bench.collector.close()
    with RecordingReader(tmp_path / 'a') as reader:
        assert reader.info.verdict == 'aborted'
        assert 'before the episode had ended' in reader.info.message


def test_an_existing_recording_is_refused_and_kept(bench, tmp_path):
    path = scene.write_recording(tmp_path, name='a')
    before = (path / 'metadata.yaml').read_bytes()
    bench.begin()
    bench.step(0)
    bench.end(0)
    status = bench.collector.status
    assert status['state'] == 'failed'
    assert 'a: exists already and is not overwritten' in status['problems'][0]
    assert (path / 'metadata.yaml').read_bytes() == before
    assert not (tmp_path / 'a.partial').exists()


def test_the_episode_after_a_refused_one_is_recorded(bench, tmp_path):
    scene.write_recording(tmp_path, name='a')
    bench.begin('a')
    bench.begin('b')
    bench.step(0)
    bench.step(1)
    bench.end(1)
    assert bench.collector.status['state'] == 'closed'
    assert bench.collector.status['problems'] == []


def test_an_interrupted_recording_is_moved_aside_and_reported(bench, tmp_path):
    RecordingWriter(tmp_path, CONTRACT, RecordingInfo('a')).abandon()
    bench.begin()
    status = bench.collector.status
    assert status['state'] == 'recording'
    assert status['problems'] == [
        f'what an interrupted recording had left is now in {tmp_path / "a.interrupted"}'
    ]


def test_a_folder_that_cannot_be_made_is_reported(tmp_path):
    (tmp_path / 'file').write_text('')
    bench = Bench(tmp_path / 'file')
    bench.begin()
    bench.step(0)
    assert bench.collector.status['state'] == 'failed'
    assert 'cannot be written: Not a directory' in bench.collector.status['problems'][0]


FULL_DISK = """
import json, resource, sys
import json
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from collector_bench import Bench
bench = Bench(Path(sys.argv[1]))
bench.begin()
for step in range(5):
    bench.step(step)
bench.now = 1.0
bench.collector.tick()
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
for step in range(5, 10):
    bench.now += .3
    bench.step(step)
print(json.dumps(bench.collector.status))
if sys.argv[3] == 'freed':
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
bench.step(10)
bench.end(10)
print(json.dumps(bench.collector.status))
"""


@pytest.mark.parametrize('then', ['full', 'freed'])
def test_a_full_disk_is_reported_and_recording_goes_on_when_there_is_room_again(tmp_path, then):
    result = subprocess.run(
        [sys.executable, '-c', FULL_DISK, str(tmp_path), str(SUPPORT), then],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    during, after = map(json.loads, result.stdout.splitlines())
    assert during['state'] == 'recording'
    assert 'a.partial: the disk takes no more' in during['problems'][0]
    if then == 'freed':
        assert (after['state'], after['complete'], after['problems']) == ('closed', True, [])
        assert len(read_episode(tmp_path / 'a')) == 10
    else:
        assert after['state'] == 'failed'
        assert 'a.partial: ' in after['problems'][0]
        assert (tmp_path / 'a.partial' / 'a_0.mcap').stat().st_size > 1000
