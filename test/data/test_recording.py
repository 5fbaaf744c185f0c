import os
from pathlib import Path
import resource
import signal
import subprocess
import sys
import time

import mcap.records
from mcap.stream_reader import StreamReader
import pytest
import recording_scene as scene
from rosbags.rosbag2 import Reader

from guda_ros.data.contract import Contract
from guda_ros.data.recording.reader import (
    list_recordings,
    RecordingError,
    RecordingInfo,
    RecordingReader,
    RecordingWriter,
    set_aside,
)

SUPPORT = Path(__file__).resolve().parents[1] / 'support'


def test_a_recording_opens_as_an_ordinary_rosbag2_folder(tmp_path):
    path = scene.write_recording(tmp_path, steps=10)
    assert path == tmp_path / 'episode_0'
    assert sorted(item.name for item in path.iterdir()) == ['episode_0_0.mcap', 'metadata.yaml']
    with Reader(path) as bag:
        # 6 messages at each of 11 stamps, from 5.001 s to 6.001 s.
        assert bag.message_count == 66
        assert bag.start_time == 5_001_000_000
        assert bag.duration == 1_000_000_001
        found = {item.topic: item.msgtype for item in bag.connections}
        assert found == dict(scene.TOPICS.values())
        odom = [item for item in bag.connections if item.topic == '/odom']
        _, stamp, data = next(bag.messages(odom))
        assert stamp == 5_001_000_000
        assert bytes(data) == scene.samples(0)['odom']
        kinds = {item.msgtype: item.digest for item in bag.connections}
        assert kinds['nav_msgs/msg/Odometry'] == scene.TYPES.hash_rihs01('nav_msgs/msg/Odometry')


def test_the_mcap_file_alone_opens_too(tmp_path):
    path = scene.write_recording(tmp_path, steps=3)
    with Reader(path / 'episode_0_0.mcap') as bag:
        assert bag.message_count == 24


def test_a_recording_knows_its_episode_and_contract(tmp_path):
    contract = Contract.load()
    path = scene.write_recording(tmp_path, verdict='out')
    with RecordingReader(path) as reader:
        assert reader.contract == contract
        assert (reader.info.id, reader.info.verdict, reader.info.seed) == ('episode_0', 'out', 7)
        assert reader.info.operator == 'scripted'
        assert reader.info.software.startswith('guda_ros ')
        assert reader.info.topics['ball'] == '/ball/odom'
        assert reader.topics['/cmd_vel'] == 11
        topic, _, message = next(reader.messages(['/cmd_vel']))
        assert (topic, message.twist.linear.x) == ('/cmd_vel', 0.1)


def test_minari_opens_the_data_set_of_a_recording(tmp_path):
    minari = pytest.importorskip('minari')
    from guda_ros.workflows.convert import convert

    path = scene.write_recording(tmp_path, steps=10)
    convert(path, tmp_path / 'dataset')
    (episode,) = minari.MinariDataset(tmp_path / 'dataset').iterate_episodes()
    assert len(episode) == 10
    assert len(episode.observations) == 11
    assert episode.infos['commands'].shape == (10, 3)


def test_an_existing_recording_is_never_overwritten(tmp_path):
    path = scene.write_recording(tmp_path)
    before = (path / 'metadata.yaml').read_bytes()
    with pytest.raises(RecordingError, match='episode_0: exists already and is not overwritten'):
        scene.write_recording(tmp_path)
    assert (path / 'metadata.yaml').read_bytes() == before


def test_a_recording_that_appears_meanwhile_is_not_overwritten(tmp_path):
    writer = RecordingWriter(tmp_path, Contract.load(), RecordingInfo('a'))
    (tmp_path / 'a').mkdir()
    with pytest.raises(RecordingError, match='the episode is in .*a.partial'):
        writer.close(verdict='scored')
    assert (tmp_path / 'a.partial' / 'metadata.yaml').is_file()


def test_what_an_interrupted_recording_left_is_kept_under_other_names(tmp_path):
    assert set_aside(tmp_path, 'a') is None
    assert set_aside(tmp_path, 'a', finished=True) is None
    for expected in ('a.interrupted', 'a-2.interrupted'):
        RecordingWriter(tmp_path, Contract.load(), RecordingInfo('a')).abandon()
        with pytest.raises(RecordingError, match='interrupted'):
            RecordingWriter(tmp_path, Contract.load(), RecordingInfo('a'))
        assert set_aside(tmp_path, 'a') == tmp_path / expected
        assert (tmp_path / expected / 'a_0.mcap').stat().st_size > 0


@pytest.mark.parametrize('name', ['../a', '', 'a/b', '.a', 'a.partial', 'a b'])
def test_an_episode_id_that_cannot_name_a_folder_is_refused(tmp_path, name):
    with pytest.raises(RecordingError, match='cannot name a folder'):
        RecordingWriter(tmp_path, Contract.load(), RecordingInfo(name))
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_message_type_is_refused(tmp_path):
    writer = RecordingWriter(tmp_path, Contract.load(), RecordingInfo('a'))
    with pytest.raises(RecordingError, match='my_msgs/msg/Thing is not known'):
        writer.add_topic('/thing', 'my_msgs/msg/Thing')


def test_only_finished_recordings_are_listed_by_name(tmp_path):
    for name in ('b', 'a'):
        scene.write_recording(tmp_path, steps=1, name=name)
    RecordingWriter(tmp_path, Contract.load(), RecordingInfo('c')).abandon()
    RecordingWriter(tmp_path, Contract.load(), RecordingInfo('d')).abandon()
    set_aside(tmp_path, 'd')
    assert [path.name for path in list_recordings(tmp_path)] == ['a', 'b']


def test_a_missing_folder_of_recordings_is_named(tmp_path):
    with pytest.raises(RecordingError, match='nowhere: no such folder; `guda record`'):
        list_recordings(tmp_path / 'nowhere')


def test_a_missing_recording_is_named(tmp_path):
    with pytest.raises(RecordingError, match='nowhere: no such recording'):
        RecordingReader(tmp_path / 'nowhere')


def test_an_interrupted_recording_is_told_from_a_finished_one(tmp_path):
    RecordingWriter(tmp_path, Contract.load(), RecordingInfo('a')).abandon()
    with pytest.raises(RecordingError, match='a.partial: not a complete recording.*interrupted'):
        RecordingReader(tmp_path / 'a.partial')


@pytest.mark.parametrize('keep', [0, 5, 3000, -40, -1])
def test_a_truncated_recording_is_an_error_that_names_it(tmp_path, keep):
    path = scene.write_recording(tmp_path, steps=100)
    file = path / 'episode_0_0.mcap'
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(RecordingError, match='episode_0: damaged'):
        with RecordingReader(path) as reader:
            list(reader.messages())


def test_a_flipped_byte_is_found_by_the_checksum(tmp_path):
    path = scene.write_recording(tmp_path, steps=100)
    file = path / 'episode_0_0.mcap'
    content = bytearray(file.read_bytes())
    content[9000] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(RecordingError, match='episode_0: damaged'):
        with RecordingReader(path) as reader:
            list(reader.messages())


@pytest.mark.parametrize('text', ['', '[', 'rosbag2_bagfile_information: 3'])
def test_damaged_metadata_is_an_error_that_names_the_recording(tmp_path, text):
    path = scene.write_recording(tmp_path)
    (path / 'metadata.yaml').write_text(text)
    with pytest.raises(RecordingError, match='episode_0: damaged'):
        RecordingReader(path)


def test_a_bag_of_someone_else_is_told_apart(tmp_path):
    path = scene.write_recording(tmp_path)
    metadata = path / 'metadata.yaml'
    metadata.write_text(metadata.read_text().replace('    contract:', '    other:'))
    with pytest.raises(RecordingError, match='not one of guda_ros'):
        RecordingReader(path)


def test_an_edited_contract_is_noticed(tmp_path):
    path = scene.write_recording(tmp_path)
    metadata = path / 'metadata.yaml'
    metadata.write_text(metadata.read_text().replace('"time_limit":90.0', '"time_limit":91.0'))
    with pytest.raises(RecordingError, match='does not fit its hash'):
        RecordingReader(path)


def read_interrupted(path):
    """Read what is in an MCAP file without an end, as far as it goes."""
    messages, metadata = [], []
    with open(path, 'rb') as file:
        try:
            for record in StreamReader(file).records:
                if isinstance(record, mcap.records.Message):
                    messages.append(record)
                elif isinstance(record, mcap.records.Metadata):
                    metadata.append(record)
        except Exception:  # The end is missing.
            pass
    return messages, metadata


def test_messages_older_than_half_a_second_survive_sigkill(tmp_path):
    program = (
        'import sys, time; sys.path.insert(0, sys.argv[2]); import recording_scene as scene\n'
        'from guda_ros.data.contract import Contract\n'
        'from guda_ros.data.recording.reader import RecordingInfo, RecordingWriter\n'
        'writer = RecordingWriter(sys.argv[1], Contract.load(), RecordingInfo("killed", seed=5))\n'
        'writer.add_topic("/cmd_vel", "geometry_msgs/msg/TwistStamped", "command")\n'
        'step = 0\n'
        'while True:\n'
        '    writer.write("/cmd_vel", time.monotonic_ns(), scene.command(step, (0.1, 0, 0)))\n'
        '    step += 1; print(time.monotonic_ns(), flush=True); time.sleep(.02)\n'
    )
    process = subprocess.Popen(
        [sys.executable, '-c', program, str(tmp_path), str(SUPPORT)],
        stdout=subprocess.PIPE,
        text=True,
    )
    said = [int(process.stdout.readline())]
    while said[-1] - said[0] < 1.5e9:
        said.append(int(process.stdout.readline()))
    process.send_signal(signal.SIGKILL)
    killed = time.monotonic_ns()
    said += [int(line) for line in process.stdout]
    process.wait()
    messages, metadata = read_interrupted(tmp_path / 'killed.partial' / 'killed_0.mcap')
    old = [stamp for stamp in said if stamp < killed - 0.5e9]
    assert len(old) > 20
    assert len(messages) >= len(old)
    assert messages[len(old) - 1].data == scene.command(len(old) - 1, (0.1, 0, 0))
    # The episode and the contract are known without metadata.yaml, too.
    assert RecordingInfo.from_json(metadata[0].metadata['episode']).seed == 5
    assert Contract.from_json(metadata[0].metadata['contract']) == Contract.load()


def test_a_stream_that_stops_is_flushed_by_a_timer(tmp_path):
    now = [0.0]
    writer = RecordingWriter(tmp_path, Contract.load(), RecordingInfo('a'), clock=lambda: now[0])
    writer.add_topic('/cmd_vel', 'geometry_msgs/msg/TwistStamped')
    writer.write('/cmd_vel', 1, scene.command(1, (0, 0, 0)))
    file = tmp_path / 'a.partial' / 'a_0.mcap'
    writer.flush_if_due()
    assert len(read_interrupted(file)[0]) == 0
    now[0] = 0.3
    writer.flush_if_due()
    assert len(read_interrupted(file)[0]) == 1


def test_a_long_recording_goes_on_where_no_further_file_can_be_made(tmp_path):
    now = [0.0]
    writer = RecordingWriter(
        tmp_path, Contract.load(), RecordingInfo('a'), split=1.0, clock=lambda: now[0]
    )
    writer.add_topic('/cmd_vel', 'geometry_msgs/msg/TwistStamped')

    def write(steps):
        for step in steps:
            now[0] += 0.1
            writer.write('/cmd_vel', step, scene.command(step, (0, 0, 0)))

    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        write(range(8))
        with pytest.raises(RecordingError, match='no further file: Too many open files'):
            write(range(8, 20))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert writer.behind
    write(range(writer.messages, 25))
    assert not writer.behind
    with RecordingReader(writer.close(verdict='scored')) as reader:
        assert [stamp for _, stamp, _ in reader.messages()] == list(range(25))
    assert len(list((tmp_path / 'a').glob('*.mcap'))) >= 2


FULL_DISK = """
import resource, sys
sys.path.insert(0, sys.argv[2])
import recording_scene as scene
from guda_ros.data.contract import Contract
from guda_ros.data.recording.reader import RecordingError, RecordingInfo, RecordingWriter
writer = RecordingWriter(sys.argv[1], Contract.load(), RecordingInfo('full'), clock=lambda: 0.0)
writer.add_topic('/cmd_vel', 'geometry_msgs/msg/TwistStamped', 'command')
for step in range(100):
    writer.write('/cmd_vel', step, scene.command(step, (0.1, 0, 0)))
writer.flush()
size = (writer.partial / 'full_0.mcap').stat().st_size
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
for step in range(100, 200):
    writer.write('/cmd_vel', step, scene.command(step, (0.1, 0, 0)))
try:
    writer.flush()
except RecordingError as error:
    print(error)
assert writer.behind
if sys.argv[3] == 'freed':
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
try:
    print('closed', writer.close(verdict='scored'))
except RecordingError as error:
    print(error)
"""


def run_full_disk(folder, then):
    result = subprocess.run(
        [sys.executable, '-c', FULL_DISK, str(folder), str(SUPPORT), then],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_a_full_disk_keeps_what_was_written_and_says_so(tmp_path):
    said = run_full_disk(tmp_path, 'full')
    assert 'full.partial: the disk takes no more: File too large' in said
    assert 'free some space' in said
    messages, _ = read_interrupted(tmp_path / 'full.partial' / 'full_0.mcap')
    assert len(messages) == 100
    assert not (tmp_path / 'full').exists()


def test_nothing_is_lost_when_a_full_disk_is_freed(tmp_path):
    assert 'closed' in run_full_disk(tmp_path, 'freed')
    with RecordingReader(tmp_path / 'full') as reader:
        stamps = [stamp for _, stamp, _ in reader.messages()]
    assert stamps == list(range(200))
