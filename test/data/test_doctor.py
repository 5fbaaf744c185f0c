"""`guda data doctor` and `repair`, on real files."""

from dataclasses import replace
import json
import struct

from dataset_scene import CONTRACT, make_episode, make_transitions
import h5py
import numpy as np
import pytest
import recording_scene as scene

from guda_ros.cli.main import main
from guda_ros.data.episodes import read_episode
from guda_ros.data.sets.checkup import check_data_set, ERROR, WARNING
from guda_ros.data.sets.minari import read_minari, write_minari
from guda_ros.data.sets.sources import read_steps
from guda_ros.data.transitions import DataSetError, TransitionSet


def sane(name='a', seed=1, **changes):
    """Return an episode in which a robot walks as one can."""
    episode = make_episode(name, 'scored', 20, seed)
    states = episode.world_states.copy()
    states[:, :2] = 0.02 * np.arange(21)[:, None]
    return replace(episode, world_states=states, **changes)


def edited(episode, field, where, value):
    """Return an episode with other values in a part of one of its arrays."""
    array = getattr(episode, field).copy()
    array[where] = value
    return replace(episode, **{field: array})


def check(path, *episodes):
    write_minari(path, episodes, CONTRACT)
    return [(finding.level, finding.episode, finding.text) for finding in check_data_set(path)]


def test_nothing_is_found_in_a_sound_data_set(tmp_path):
    assert check(tmp_path / 'set', sane(), sane('b', 2)) == []


def test_what_cannot_be_is_found(tmp_path):
    back = edited(sane('back'), 'stamps', 5, sane().stamps[4])
    still = edited(sane('still', 2), 'commands', slice(None), 0)
    fast = edited(sane('fast', 3), 'commands', 7, (0.9, 0, 0))
    jump = sane('jump', 4)
    behind = slice(10, None), 0
    jump = edited(jump, 'world_states', behind, jump.world_states[behind] + 2.0)
    lost = edited(sane('lost', 5), 'valid', slice(15), False)
    found = check(tmp_path / 'set', back, still, fast, jump, lost, sane('twin', 1))
    assert (ERROR, 'back', 'stamps do not go forward') in found
    assert (WARNING, 'still', 'the robot was never told to move') in found
    assert any(name == 'fast' and 'step 7: [0.9, 0.0, 0.0]' in text for _, name, text in found)
    assert any(
        name == 'jump' and text.startswith('the robot jumps 2.02 m in step 9')
        for _, name, text in found
    )
    assert (WARNING, 'lost', '25% of the steps are usable') in found


def test_places_too_far_away_are_found_and_are_no_training_data(tmp_path):
    far = edited(sane('far'), 'world_states', (4, 0), 1e300)
    found = check(tmp_path / 'set', far)
    problem = '1 of 42 steps have a number beyond 10000 (m, m/s, rad), which is no place'
    assert any(level == ERROR and text.startswith(problem) for level, _, text in found)
    steps = read_steps(tmp_path / 'set')
    assert len(steps) == 18 and 3 not in steps.source_step and 4 not in steps.source_step


def _huge(file):
    del file['states']
    file.create_dataset('states', shape=(10**10, 10), dtype='f8', chunks=(1000, 10))


def _complex(file):
    del file['states']
    file['states'] = np.zeros((60, 10), complex)


def _elsewhere(file):
    del file['rewards']
    file.create_dataset('rewards', shape=(60,), dtype='f4', external=[('letter.txt', 0, 240)])


@pytest.mark.parametrize(
    'change, problem',
    [
        (_huge, 'states claims 800000000000 bytes and stores 0'),
        (_complex, 'states: complex128 is no type for it'),
        (_elsewhere, 'rewards refers to other files'),
        (lambda f: f['states'].write_direct(np.full((60, 10), 1e300)), 'states: 60 of 60 rows'),
        (lambda f: f['rewards'].write_direct(np.full(60, np.nan, 'f4')), 'rewards: 60 of 60 rows'),
    ],
)
def test_a_set_of_transitions_that_cannot_be_is_refused_before_it_fills_the_memory(
    tmp_path, change, problem
):
    path = tmp_path / 'set.h5'
    make_transitions(60).save(path)
    with h5py.File(path, 'r+') as file:
        change(file)
    with pytest.raises(DataSetError, match=problem):
        TransitionSet.load(path)


def test_a_data_set_that_claims_more_than_it_stores_is_refused(tmp_path):
    write_minari(tmp_path / 'set', [sane()], CONTRACT)
    with h5py.File(tmp_path / 'set' / 'main_data.hdf5', 'r+') as file:
        del file['episode_0/infos/stamps']
        file.create_dataset('episode_0/infos/stamps', shape=(10**10,), dtype='i8', chunks=(100,))
    with pytest.raises(DataSetError, match='stamps claims 80000000000 bytes'):
        read_minari(tmp_path / 'set')


def test_an_array_of_another_type_is_refused(tmp_path):
    write_minari(tmp_path / 'set', [sane()], CONTRACT)
    with h5py.File(tmp_path / 'set' / 'main_data.hdf5', 'r+') as file:
        stamps = file['episode_0/infos/stamps'][()]
        del file['episode_0/infos/stamps']
        file['episode_0/infos/stamps'] = stamps + 0.5
    with pytest.raises(DataSetError, match='stamps: float64 is no type for it'):
        read_minari(tmp_path / 'set')


def test_the_same_episode_twice_is_found(tmp_path):
    assert check(tmp_path / 'set', sane(), sane('b')) == [
        (WARNING, 'b', 'holds the same steps as a')
    ]


def test_numbers_that_do_not_follow_from_the_states_are_found(tmp_path, capsys):
    path = tmp_path / 'set'
    assert check(path, sane()) == []
    with h5py.File(next(path.glob('*.hdf5')), 'r+') as file:
        file['episode_0/rewards'][3] += 1.0
    metadata = json.loads((path / 'metadata.json').read_text())
    (path / 'metadata.json').write_text(json.dumps({**metadata, 'total_steps': 7}))
    assert main(['data', 'doctor', str(path)]) == 1
    told = capsys.readouterr().out
    assert 'a: rewards do not follow from the world states' in told
    assert 'total_steps is 7, and there are 20' in told and '2 errors, 0 warnings' in told


def test_a_torn_recording_is_found_and_repaired(tmp_path, capsys):
    folder = tmp_path / 'recordings'
    scene.write_recording(folder, 200, 'whole')
    scene.write_recording(folder, 200, 'torn')
    file = next((folder / 'torn').glob('*.mcap'))
    content = file.read_bytes()
    # Footer and magic are the end; the summary begins where the footer says. How much of the file
    # is before it depends on how fast it was written.
    (summary,) = struct.unpack('<Q', content[-28:-20])
    assert 0 < summary < len(content)
    file.write_bytes(content[: summary - 5])
    assert main(['data', 'doctor', str(folder)]) == 1
    assert '1 of 2 recordings are whole' in capsys.readouterr().out
    assert main(['data', 'repair', str(folder)]) == 0
    assert '1 repaired, 0 lost, 1 were whole' in capsys.readouterr().out
    assert main(['data', 'doctor', str(folder)]) == 0
    # The messages come first in the file; what is behind them was torn off.
    np.testing.assert_array_equal(
        read_episode(folder / 'torn').world_states, read_episode(folder / 'whole').world_states
    )
    assert (folder / 'torn.interrupted').is_dir()


@pytest.mark.parametrize('action', ['doctor', 'repair'])
def test_nothing_there_is_one_clear_error(tmp_path, capsys, action):
    assert main(['data', action, str(tmp_path / 'nowhere')]) == 1
    assert 'no such recording' in capsys.readouterr().err
