"""Recordings that end anywhere, or that somebody damaged."""

import random
import shutil

from mcap.reader import make_reader
from mcap.records import Chunk, Message, Metadata
from mcap.stream_reader import breakup_chunk, StreamReader
from mcap.writer import CompressionType, Writer
import pytest
import recording_scene as scene
from rosbags.rosbag2 import Reader

from guda_ros.cli.main import main
from guda_ros.data.contract import Contract
from guda_ros.data.episodes import read_episode
from guda_ros.data.recording.folder import FolderClaim
from guda_ros.data.recording.reader import (
    list_recordings,
    RecordingError,
    RecordingInfo,
    RecordingReader,
    RecordingWriter,
)
from guda_ros.data.recording.repair import doctor, repair

STEPS = 40


def write(folder, name='a', split=1e9, quality=None):
    """Write a recording as it happens: the disk gets it every three steps."""
    now = [0.0]
    info = RecordingInfo(name, seed=5, operator='me', start_stamp=scene.START)
    writer = RecordingWriter(
        folder,
        Contract.load(),
        info,
        clock=lambda: now[0],
        split=split,
        documents={'profile.yaml': 'name: nao_v6\n'},
    )
    for role, (topic, kind) in scene.TOPICS.items():
        writer.add_topic(topic, kind, role)
    for step in range(STEPS + 1):
        now[0] += 0.1
        for role, data in scene.samples(step).items():
            writer.write(scene.TOPICS[role][0], scene.START + step * scene.PERIOD, data)
    return writer.close(quality, verdict='scored', end_stamp=scene.START + STEPS * scene.PERIOD)


@pytest.fixture(scope='module')
def content(tmp_path_factory):
    """Return the bytes of a whole file, and (end, messages) of each of its chunks."""
    file = write(tmp_path_factory.mktemp('whole')) / 'a_0.mcap'
    data, chunks, described = file.read_bytes(), [], 0
    with open(file, 'rb') as stream:
        for record in StreamReader(stream, emit_chunks=True).records:
            if isinstance(record, Chunk):
                count = sum(isinstance(item, Message) for item in breakup_chunk(record))
                chunks.append((stream.tell(), count))
            elif isinstance(record, Metadata) and not described:
                described = stream.tell()
    assert len(chunks) > 10
    return data, chunks, described


def place(folder, data, name='a.partial'):
    (folder / name).mkdir(parents=True)
    (folder / name / 'a_0.mcap').write_bytes(data)
    return folder / name


def offsets(size, chunks, described):
    edges = [8, 9, described - 1, described, *(end + by for end, _ in chunks for by in (-1, 0, 1))]
    return sorted({0, 1, 7, *edges, *random.Random(3).sample(range(size), 60), size - 1})


def test_a_file_that_ends_at_any_byte_gives_back_every_whole_chunk(content, tmp_path):
    data, chunks, described = content
    for number, offset in enumerate(offsets(len(data), chunks, described)):
        folder = tmp_path / str(offset)
        path = place(folder, data[:offset])
        wanted = sum(count for end, count in chunks if end <= offset)
        (found,) = doctor(folder)
        assert found.messages == wanted, offset
        if offset < described:
            assert found.state == 'lost', offset
            assert repair(folder)[0].state == 'lost' and path.is_dir()
            continue
        assert found.state == 'interrupted', offset
        if number % 5:
            continue
        (fixed,) = repair(folder)
        assert (fixed.repaired, fixed.original) == (
            str(folder / 'a'),
            str(folder / 'a.interrupted'),
        )
        assert (folder / 'a.interrupted' / 'a_0.mcap').read_bytes() == data[:offset]
        with RecordingReader(folder / 'a') as reader:
            assert len(list(reader.messages())) == wanted
            assert (reader.info.seed, reader.info.operator) == (5, 'me')
            assert reader.contract == Contract.load()
        assert [item.state for item in doctor(folder)] == ['whole']
        shutil.rmtree(folder)


def test_a_byte_that_flips_anywhere_costs_no_more_than_its_chunk(content, tmp_path):
    data, chunks, described = content
    first = chunks[0][0]
    largest, total = max(count for _, count in chunks), sum(count for _, count in chunks)
    whole = {bytes(sample) for step in range(STEPS + 1) for sample in scene.samples(step).values()}
    rng = random.Random(4)
    # The first chunk holds topics and types, which a complete file repeats at its end.
    for offset in (
        *rng.sample(range(described, first), 4),
        *rng.sample(range(first, chunks[-1][0]), 11),
    ):
        changed = bytearray(data)
        changed[offset] ^= 1 << rng.randrange(8)
        folder = tmp_path / str(offset)
        path = place(folder, changed, 'a')
        (found,) = doctor(folder)
        # Without metadata.yaml it is not whole, whichever byte it was.
        assert found.state in ('damaged', 'interrupted'), offset
        repair(folder)
        with Reader(folder / 'a') as bag:
            messages = [bytes(sample) for _, _, sample in bag.messages()]
        assert total - largest <= len(messages) <= total and set(messages) <= whole, offset
        assert (path.with_name('a.interrupted') / 'a_0.mcap').read_bytes() == changed


def test_what_is_recovered_is_an_episode_that_says_where_it_comes_from(content, tmp_path):
    data, chunks, _ = content
    place(tmp_path, data[: chunks[6][0] - 100])
    (fixed,) = repair(tmp_path)
    episode = read_episode(fixed.repaired)
    assert episode.verdict == 'aborted' and len(episode) >= 15
    assert episode.problems == ()
    with RecordingReader(fixed.repaired) as reader:
        assert reader.info.message == 'recording was interrupted'
        assert reader.documents['profile.yaml'] == 'name: nao_v6\n'
        assert reader.quality['repaired']['lost_bytes'] == fixed.lost_bytes > 0
        assert not reader.quality['good']
        assert reader.quality['reasons'][0] == 'it was broken off (aborted)'


def test_the_verdict_survives_when_only_the_end_is_missing(content, tmp_path):
    place(tmp_path, content[0][:-20])
    (fixed,) = repair(tmp_path)
    assert (fixed.verdict, fixed.good) == ('scored', True)
    assert len(read_episode(fixed.repaired)) == STEPS


def test_a_recording_of_several_files_is_whole_and_can_be_repaired(tmp_path):
    path = write(tmp_path, split=1.0)
    files = sorted(path.glob('*.mcap'))
    assert len(files) >= 4
    with Reader(path) as bag:
        assert bag.message_count == 6 * (STEPS + 1)
        assert len(list(bag.messages())) == 6 * (STEPS + 1)
    assert doctor(path)[0].state == 'whole'
    for file in files:
        with open(file, 'rb') as stream:
            reader = make_reader(stream, validate_crcs=True)
            assert reader.get_summary().statistics.message_count > 0
    last = files[-1].read_bytes()
    files[-1].write_bytes(last[: len(last) // 2])
    (path / 'metadata.yaml').unlink()
    path.rename(tmp_path / 'a.partial')
    (fixed,) = repair(tmp_path / 'a.partial')
    assert fixed.state == 'interrupted'
    assert 1.0 * STEPS / 2 < len(read_episode(tmp_path / 'a')) <= STEPS


def test_the_mcap_reader_opens_a_recording_and_finds_what_describes_it(tmp_path):
    path = write(tmp_path)
    with open(path / 'a_0.mcap', 'rb') as stream:
        reader = make_reader(stream, validate_crcs=True)
        assert reader.get_header().profile == 'ros2'
        found = [
            (channel.topic, bytes(message.data))
            for _, channel, message in reader.iter_messages(topics=['/cmd_vel'])
        ]
        assert found[2] == ('/cmd_vel', scene.samples(2)['command'])
        records = [
            record.metadata for record in reader.iter_metadata() if record.name == 'guda_ros'
        ]
        info = RecordingInfo.from_json(records[-1]['episode'])
        assert (info.verdict, info.success, info.operator) == ('scored', True, 'me')
        assert Contract.from_json(records[-1]['contract']) == Contract.load()
        attached = {item.name: item.data for item in reader.iter_attachments()}
        assert attached['profile.yaml'] == b'name: nao_v6\n'


def test_a_name_that_is_taken_meanwhile_is_not_overwritten(content, tmp_path):
    data, chunks, _ = content
    write(tmp_path)
    before = (tmp_path / 'a' / 'a_0.mcap').read_bytes()
    place(tmp_path, data[: chunks[8][0]], 'a.interrupted')
    # It was recorded again, so nobody needs it, unless it is named.
    assert [item.state for item in repair(tmp_path)] == ['whole']
    (fixed,) = repair(tmp_path / 'a.interrupted')
    assert fixed.repaired == str(tmp_path / 'a_repaired')
    assert (tmp_path / 'a' / 'a_0.mcap').read_bytes() == before
    assert (tmp_path / 'a.interrupted').is_dir()


def test_a_recording_that_lacks_only_its_name_gets_it(tmp_path):
    write(tmp_path).rename(tmp_path / 'a.partial')
    content = (tmp_path / 'a.partial' / 'a_0.mcap').read_bytes()
    assert list_recordings(tmp_path) == []
    assert doctor(tmp_path)[0].state == 'unnamed'
    (fixed,) = repair(tmp_path)
    assert (fixed.repaired, fixed.original) == (str(tmp_path / 'a'), '')
    assert (tmp_path / 'a' / 'a_0.mcap').read_bytes() == content
    # With the name taken it gets another one.
    shutil.copytree(tmp_path / 'a', tmp_path / 'a.partial')
    repair(tmp_path)
    assert [path.name for path in list_recordings(tmp_path)] == ['a', 'a_repaired']
    assert (tmp_path / 'a.interrupted' / 'a_0.mcap').read_bytes() == content


def test_what_the_recorder_had_against_an_episode_is_not_forgotten(tmp_path):
    quality = {'good': False, 'reasons': ['the clock jumped by -3.0 s']}
    path = write(tmp_path, quality=quality)
    (path / 'metadata.yaml').unlink()
    (fixed,) = repair(path)
    assert (fixed.good, fixed.reasons) == (False, ('the clock jumped by -3.0 s',))
    with RecordingReader(path) as reader:
        assert not reader.quality['good']


def test_a_damaged_recording_under_another_name_is_repaired_once(content, tmp_path):
    place(tmp_path, content[0][:-20], 'renamed')
    assert repair(tmp_path)[0].repaired == str(tmp_path / 'renamed')
    assert [(item.state, item.id) for item in repair(tmp_path)] == [('whole', 'a')]
    assert (tmp_path / 'renamed.interrupted').is_dir()


def test_a_number_in_a_name_is_not_taken_for_that_of_a_second_try(tmp_path):
    write(tmp_path, 'a')
    path = write(tmp_path, 'a-2')
    (path / 'metadata.yaml').unlink()
    path.rename(tmp_path / 'a-2.interrupted')
    assert [item.id for item in repair(tmp_path)] == ['a', 'a-2']
    assert len(read_episode(tmp_path / 'a-2')) == STEPS


def test_damaged_metadata_yaml_is_written_anew(tmp_path):
    path = write(tmp_path)
    (path / 'metadata.yaml').write_text('[')
    assert doctor(path)[0].state == 'damaged'
    repair(path)
    assert doctor(path)[0].state == 'whole'
    assert len(read_episode(path)) == STEPS


def test_nothing_is_repaired_while_a_recorder_writes_to_the_folder(content, tmp_path):
    place(tmp_path, content[0][:-20])
    with FolderClaim(tmp_path):
        with pytest.raises(RecordingError, match='another recorder'):
            repair(tmp_path)
    assert repair(tmp_path)[0].repaired


def test_what_is_no_recording_is_named(tmp_path):
    with pytest.raises(RecordingError, match='nowhere: no such recording'):
        doctor(tmp_path / 'nowhere')
    with pytest.raises(RecordingError, match='holds no recording'):
        doctor(tmp_path)
    place(tmp_path, b'something else that is longer than a few bytes' * 10)
    assert doctor(tmp_path)[0].state == 'lost'


@pytest.fixture(scope='module')
def trials(tmp_path_factory):
    """Return a folder of three recordings of several files each, and one of a single file."""
    folder = tmp_path_factory.mktemp('trials')
    for name in ('a', 'b', 'c'):
        write(folder, name, split=1.0)
    write(folder, 'd')
    return folder


def loose(trials, folder, *names, note='a letter'):
    """Copy the MCAP files of recordings into one folder, as a browser or a stick has them."""
    folder.mkdir(exist_ok=True)
    for name in names:
        for file in (trials / name).glob('*.mcap'):
            shutil.copy(file, folder)
    if note:
        (folder / 'letter.txt').write_text(note)
    return folder


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file() and path.name != '.recorder.lock'
    }


def assert_same_messages(path, other):
    with Reader(path) as one, Reader(other) as two:
        assert [(item[0].topic, *item[1:]) for item in one.messages()] == [
            (item[0].topic, *item[1:]) for item in two.messages()
        ]


@pytest.mark.parametrize('part', ['b_0.mcap', 'b_2.mcap'])
def test_a_file_stands_for_itself_and_its_own_parts(trials, tmp_path, part):
    folder = loose(trials, tmp_path / 'downloads', 'a', 'b', 'c', 'd')
    before = contents(tmp_path)
    (found,) = doctor(folder / part)
    assert (found.id, found.state, found.messages) == ('b', 'loose', 6 * (STEPS + 1))
    assert contents(tmp_path) == before
    (fixed,) = repair(folder / part)
    assert fixed.repaired == str(folder / 'b')
    assert_same_messages(folder / 'b', trials / 'b')
    assert read_episode(folder / 'b').verdict == 'scored'
    after = contents(tmp_path)
    assert {name: after[name] for name in before} == before
    assert {name.split('/')[1] for name in after.keys() - before.keys()} == {'b'}
    # Neither the folder was renamed, nor was anything put beside it.
    assert [path.name for path in tmp_path.iterdir()] == ['downloads']


def test_files_of_several_episodes_in_a_folder_become_several_recordings(trials, tmp_path):
    folder = loose(trials, tmp_path / 'stick', 'a', 'c', 'd', note='')
    before = contents(folder)
    assert [(one.id, one.state) for one in doctor(folder)] == [
        ('a', 'loose'),
        ('c', 'loose'),
        ('d', 'loose'),
    ]
    assert [one.repaired for one in repair(folder)] == [str(folder / name) for name in 'acd']
    for name in 'acd':
        assert_same_messages(folder / name, trials / name)
    assert {name: contents(folder)[name] for name in before} == before
    # Once is enough: the second time all of it is there.
    assert [(one.id, one.state) for one in repair(folder)] == [(name, 'whole') for name in 'acd']
    assert len(list_recordings(folder)) == 3


def test_a_taken_name_makes_another_recording_only_once(trials, tmp_path):
    folder = loose(trials, tmp_path / 'stick', 'd')
    write(folder, 'd', split=0.5)
    (folder / 'd' / 'd_0.mcap').write_bytes((trials / 'c' / 'c_0.mcap').read_bytes())
    (fixed,) = repair(folder / 'd_0.mcap')
    assert fixed.repaired == str(folder / 'd_repaired')
    assert not [one for one in doctor(folder) if one.state == 'loose']


def test_two_days_with_the_same_name_are_not_joined(tmp_path):
    now, days = [0.0], []
    for day in (1, 2):
        info = RecordingInfo('a', started=f'2026-05-0{day}T10:00:00', start_stamp=scene.START)
        writer = RecordingWriter(
            tmp_path / str(day), Contract.load(), info, clock=lambda: now[0], split=1.0
        )
        writer.add_topic('/odom', 'nav_msgs/msg/Odometry', 'odom')
        for step in range(STEPS + 1):
            now[0] += 0.1
            writer.write('/odom', scene.START + step * scene.PERIOD, scene.samples(step)['odom'])
        days.append(writer.close(verdict='timeout'))
    mixed = tmp_path / 'mixed'
    mixed.mkdir()
    shutil.copy(days[0] / 'a_0.mcap', mixed)
    for number in (1, 2):
        shutil.copy(days[1] / f'a_{number}.mcap', mixed)
    first, second = (doctor(mixed / name)[0].messages for name in ('a_0.mcap', 'a_2.mcap'))
    with Reader(days[0]) as bag:
        assert 0 < first < bag.message_count
    assert second > 0 and first + second < 3 * (STEPS + 1)
    assert len(doctor(mixed)) == 2


@pytest.mark.parametrize('change', ['letter', 'other episode', 'folder'])
def test_a_folder_with_something_else_in_it_is_not_renamed(trials, tmp_path, change):
    for name in ('a', 'a.partial'):
        folder = tmp_path / change.replace(' ', '_') / name
        shutil.copytree(trials / 'a', folder)
        (folder / 'metadata.yaml').unlink()
        if change == 'letter':
            (folder / 'letter.txt').write_text('mine')
        elif change == 'other episode':
            shutil.copy(trials / 'd' / 'd_0.mcap', folder)
        else:
            (folder / 'photos').mkdir()
        before = contents(folder)
        (fixed,) = repair(folder / 'a_0.mcap')
        assert contents(folder) == before and (folder / 'photos').exists() == (change == 'folder')
        assert_same_messages(fixed.repaired, trials / 'a')
        shutil.rmtree(fixed.repaired)


def test_a_folder_of_the_recording_alone_is_still_kept_as_interrupted(trials, tmp_path):
    shutil.copytree(trials / 'a', tmp_path / 'a.partial')
    (tmp_path / 'a.partial' / 'metadata.yaml').unlink()
    last = max((tmp_path / 'a.partial').glob('*.mcap'))
    last.write_bytes(last.read_bytes()[:-30])
    (fixed,) = repair(tmp_path / 'a.partial' / 'a_1.mcap')
    assert (fixed.repaired, fixed.original) == (
        str(tmp_path / 'a'),
        str(tmp_path / 'a.interrupted'),
    )
    assert_same_messages(tmp_path / 'a', trials / 'a')


def test_a_single_file_does_not_make_the_folder_of_downloads_its_own(trials, tmp_path):
    folder = loose(trials, tmp_path / 'downloads', 'd', note='')
    for path in (folder / 'd_0.mcap', folder):
        (fixed,) = repair(path)
        assert fixed.repaired == str(folder / 'd')
        shutil.rmtree(fixed.repaired)
    assert [path.name for path in tmp_path.iterdir()] == ['downloads']


def foreign(path, chunks=CompressionType.ZSTD, end=True):
    """Write a bag as rosbag2 does, with its writer's name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, 'wb') as file:
        writer = Writer(file, chunk_size=2000, compression=chunks)
        writer.start(profile='ros2', library='libmcap 1.4.0')
        schema = writer.register_schema('nav_msgs/msg/Odometry', 'ros2msg', b'')
        channel = writer.register_channel('/odom', 'cdr', schema)
        for step in range(STEPS):
            writer.add_message(channel, step, scene.samples(step)['odom'], step)
        writer.finish()
    if not end:
        path.write_bytes(path.read_bytes()[:-200])


@pytest.mark.parametrize('chunks', list(CompressionType))
@pytest.mark.parametrize('end', [True, False])
def test_a_bag_of_somebody_else_is_said_to_be_one(tmp_path, capsys, chunks, end):
    file = tmp_path / 'bag' / 'bag_0.mcap'
    foreign(file, chunks, end)
    before = contents(tmp_path)
    for path in (file, file.parent, tmp_path):
        (found,) = doctor(path)
        told = '; '.join(found.problems)
        assert found.state == 'foreign' and 'not a recording of guda_ros (libmcap 1.4.0' in told
        assert f'`ros2 bag reindex {file.parent}`' in told
        assert (f'`mcap recover {file}`' in told) == (not end)
        assert main(['data', 'doctor', str(path)]) == 1
        assert 'recovers what can be read' not in capsys.readouterr().out
        assert main(['data', 'repair', str(path)]) == 1
        assert '0 repaired, 0 lost, 0 were whole, 1 not of guda_ros' in capsys.readouterr().out
    assert contents(tmp_path) == before


def test_a_bag_of_sqlite_is_said_to_be_of_somebody_else(tmp_path):
    (tmp_path / 'bag').mkdir()
    for name in ('bag_0.db3', 'bag_0.db3-wal'):
        (tmp_path / 'bag' / name).write_bytes(b'SQLite format 3')
    for path in (tmp_path / 'bag', tmp_path / 'bag' / 'bag_0.db3', tmp_path):
        (found,) = repair(path)
        assert found.state == 'foreign' and 'ros2 bag reindex' in found.problems[-1]
