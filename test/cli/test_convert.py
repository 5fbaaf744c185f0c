"""`guda convert` of recordings; that of logs is in test_nao_demonstrations."""

import json
import shutil

import h5py
import numpy as np
import pytest
import recording_scene as scene

from guda_ros.augmentation.live import LiveAugmenter, LiveSettings
from guda_ros.cli.main import main
from guda_ros.config.files import find_config
from guda_ros.data.contract import Contract
from guda_ros.data.recording.reader import RecordingInfo, RecordingWriter
from guda_ros.data.sets.minari import read_minari, read_minari_contract, write_minari
from guda_ros.data.transitions import TransitionSet
from guda_ros.workflows.train import load_transitions


@pytest.fixture
def recordings(tmp_path):
    scene.write_recording(tmp_path / 'recordings')
    return tmp_path / 'recordings'


def test_a_set_may_have_another_observation_than_the_recordings(recordings, tmp_path):
    with open(find_config('tasks', 'soccer_push'), encoding='utf-8') as file:
        lines = [line for line in file if not line.startswith('observation:')]
    task = tmp_path / 'simple.yaml'
    task.write_text(''.join(lines) + 'observation: [ball, goal]\n')
    out = tmp_path / 'set'
    assert main(['convert', str(recordings), '--contract', str(task), '--out', str(out)]) == 0
    assert read_minari_contract(out).observation == ('ball', 'goal')
    assert len(read_minari(out)[0]) == 10


@pytest.mark.parametrize('arguments', [(), ('--skip-damaged',)])
def test_another_robot_than_that_of_the_recordings_is_refused(
    recordings, tmp_path, capsys, arguments
):
    out = tmp_path / 'set'
    assert (
        main(['convert', str(recordings), '--robot', 'booster_t1', '--out', str(out), *arguments])
        == 1
    )
    assert 'robot: booster_t1 != nao_v6' in capsys.readouterr().err
    assert not out.exists()


def test_what_the_recorder_had_against_an_episode_is_told(recordings, tmp_path, capsys):
    writer = RecordingWriter(
        recordings, Contract.load(), RecordingInfo('jumped', start_stamp=scene.START)
    )
    for role, (topic, kind) in scene.TOPICS.items():
        writer.add_topic(topic, kind, role)
    for step in range(3):
        for role, data in scene.samples(step).items():
            writer.write(scene.TOPICS[role][0], scene.START, data)
    writer.close(
        {'good': False, 'reasons': ['the clock jumped by -3.0 s']},
        verdict='scored',
        end_stamp=scene.START + 2 * scene.PERIOD,
    )
    assert main(['convert', str(recordings), '--out', str(tmp_path / 'set')]) == 0
    told = capsys.readouterr().out
    assert told.count('not good enough: the clock jumped by -3.0 s') == 1


def test_what_is_not_complete_is_left_out_and_told(recordings, tmp_path, capsys):
    scene.write_recording(recordings, name='b').rename(recordings / 'b.partial')
    assert main(['convert', str(recordings), '--out', str(tmp_path / 'set')]) == 0
    assert f'left out: {recordings / "b.partial"}: is being recorded, or was interrupted' in (
        capsys.readouterr().out
    )
    assert [episode.id for episode in read_minari(tmp_path / 'set')] == ['episode_0']


def moved(k, samples):
    """Give a step another odometry, as on another day."""
    return {
        **samples,
        'odom': scene.odometry(scene.START + k * scene.PERIOD, 'odom', (0.01 * k, 0.0, 0.0)),
    }


def converted(folders, out, capsys):
    assert main(['convert', *map(str, folders), '--out', str(out)]) == 0
    return read_minari(out), capsys.readouterr().out


def test_a_copy_in_the_folder_is_converted_once_and_told(recordings, tmp_path, capsys):
    shutil.copytree(recordings / 'episode_0', recordings / 'episode_0 (copy)')
    shutil.copytree(recordings / 'episode_0', recordings / 'best')
    (episode,), told = converted([recordings], tmp_path / 'set', capsys)
    assert episode.id == 'episode_0' and len(episode) == 10
    assert told.count('episode_0: is there twice and is taken once') == 2
    assert f'({recordings / "episode_0 (copy)"})' in told and '1 episodes, 1 scored' in told
    assert main(['data', 'doctor', str(tmp_path / 'set')]) == 0


def test_folders_that_overlap_count_each_episode_once(recordings, tmp_path, capsys):
    shutil.copytree(recordings, tmp_path / 'more')
    scene.write_recording(tmp_path / 'more', 20, 'episode_1')
    folders = [recordings, tmp_path / 'more', recordings / 'episode_0']
    found, told = converted(folders, tmp_path / 'set', capsys)
    assert [(episode.id, len(episode)) for episode in found] == [
        ('episode_0', 10),
        ('episode_1', 20),
    ]
    assert told.count('taken once') == 2


def test_another_day_with_the_same_name_gets_another_one(recordings, tmp_path, capsys):
    days = [recordings]
    for number in (1, 2):
        days.append(tmp_path / f'day_{number}')
        scene.write_recording(days[-1], 10 + number, change=moved)
    shutil.copytree(days[1], tmp_path / 'day_3')
    found, told = converted([*days, tmp_path / 'day_3'], tmp_path / 'set', capsys)
    assert [episode.id for episode in found] == ['episode_0', 'episode_0-2', 'episode_0-3']
    assert [len(episode) for episode in found] == [10, 11, 12]
    assert 'another episode has that id, this one is now episode_0-3' in told
    assert told.count('taken once') == 1
    assert main(['data', 'doctor', str(tmp_path / 'set')]) == 0
    assert 'two episodes have this id' not in capsys.readouterr().out


@pytest.fixture
def twice(recordings, tmp_path):
    """Return recordings with a copy, and a data set of an older version with a twin."""
    scene.write_recording(recordings, 10, 'other', change=moved)
    shutil.copytree(recordings / 'episode_0', recordings / 'episode_0 (copy)')
    assert main(['convert', str(recordings), '--out', str(tmp_path / 'once')]) == 0
    once = read_minari(tmp_path / 'once')
    write_minari(tmp_path / 'twins', [*once, once[0]], Contract.load())
    return recordings, tmp_path / 'twins', tmp_path / 'once'


def test_a_report_counts_a_copy_once(twice, tmp_path, capsys):
    for number, source in enumerate(twice[:2]):
        out = tmp_path / str(number)
        assert main(['data', 'report', str(source), '--out', str(out)]) == 0
        assert 'episode_0: is there twice and is taken once' in capsys.readouterr().out
        report = json.loads((out / 'report.json').read_text())
        assert [episode['id'] for episode in report['episodes']] == ['episode_0', 'other']
        assert report['steps'] == 20
    assert all(
        stream['episodes'] == 2
        for stream in json.loads((tmp_path / '0' / 'report.json').read_text())['streams']
    )


def test_augmentation_and_training_count_a_twin_once(twice, tmp_path, capsys):
    _, twins, once = twice
    made = []
    for number, source in enumerate((twins, once)):
        out = tmp_path / f'{number}.h5'
        arguments = ['--guide', 'guided', '--count', '500', '--out', str(out)]
        assert main(['augment', str(source), *arguments]) == 0
        told = capsys.readouterr().out
        assert ('taken once' in told) == (source == twins) and 'from 2 episodes' in told
        made.append(TransitionSet.load(out))
    np.testing.assert_array_equal(made[0].states, made[1].states)
    assert len(load_transitions(twins)) == len(load_transitions(once)) == 20


def test_live_augmentation_counts_a_copy_once(twice):
    report = LiveAugmenter(
        LiveSettings(str(twice[0]), 'guided', Contract.load().to_json(), count=200)
    ).run()
    assert (report['episodes'], report['recorded']) == (2, 20)
    assert any('taken once' in problem for problem in report['problems'])


def test_the_held_out_list_of_robomimic_has_whole_episodes_of_their_own(twice, tmp_path):
    out = tmp_path / 'x.hdf5'
    arguments = ['--format', 'robomimic', '--validation', '0.5', '--out', str(out)]
    assert main(['data', 'export', str(twice[1]), *arguments]) == 0
    with h5py.File(out) as file:
        assert [len(file['mask'][name]) for name in ('train', 'valid')] == [1, 1]
        assert {demo.attrs['episode'] for demo in file['data'].values()} == {'episode_0', 'other'}


def test_training_on_sets_that_overlap_counts_each_step_once(twice, tmp_path, capsys):
    recordings, _, once = twice
    assert main(['data', 'trim', str(once), '--drop', 'other', '--out', str(tmp_path / 'a')]) == 0
    both = load_transitions(once)
    said = []
    assert len(load_transitions([once, tmp_path / 'a', once], say=said.append)) == len(both) == 20
    assert sum('taken once' in line for line in said) == 3
    # A cut copy holds some of the same steps, and a file of transitions may hold them, too.
    assert main(['data', 'trim', str(once), '--from', '.3', '--out', str(tmp_path / 'cut')]) == 0
    both.save(tmp_path / 'both.h5')
    for given in ([once, tmp_path / 'cut'], [once, both], [tmp_path / 'both.h5', once]):
        joined = load_transitions(given, say=said.append)
        assert sorted(map(bytes, joined.states)) == sorted(map(bytes, both.states))
    assert (
        main(['data', 'merge', *[str(tmp_path / 'both.h5')] * 2, '--out', str(tmp_path / 'm.h5')])
        == 0
    )
    assert len(TransitionSet.load(tmp_path / 'm.h5')) == 20


def test_another_day_with_the_same_names_is_another_episode_for_training(recordings, tmp_path):
    folders = []
    for number in range(2):
        folders.append(tmp_path / str(number))
        scene.write_recording(folders[-1], 10, change=moved if number else lambda k, s: s)
        assert main(['convert', str(folders[-1]), '--out', f'{folders[-1]}.set']) == 0
    steps = load_transitions([f'{folder}.set' for folder in folders])
    assert len(steps) == 20 and steps.episode_ids == ('episode_0', 'episode_0-2')
