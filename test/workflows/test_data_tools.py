"""What the actions of `guda data` do, called from Python: it returns what was made, in silence."""

from dataclasses import replace
from pathlib import Path

from dataset_scene import CONTRACT, make_episode, make_transitions
import numpy as np
import pytest

import guda_ros
from guda_ros.data.sets.minari import write_minari
from guda_ros.errors import GudaError

pytest.importorskip('minari')


@pytest.fixture
def dataset(tmp_path):
    """Return a data set of eight episodes, every other one scored."""
    path = tmp_path / 'set'
    verdicts = ('scored', 'timeout')
    write_minari(
        path, [make_episode(str(n), verdicts[n % 2], steps=8, seed=n) for n in range(8)], CONTRACT
    )
    return path


def test_data_sets_are_divided_and_joined_again(dataset, tmp_path, capsys):
    train, validation = guda_ros.split(dataset, tmp_path / 'parts', share=0.5)
    assert [len(part.episodes) for part in (train, validation)] == [4, 4]
    joined = guda_ros.merge([train.path, validation.path], tmp_path / 'whole')
    again = guda_ros.read_dataset(tmp_path / 'whole')
    assert {e.id for e in again.episodes} == {e.id for e in joined.episodes} == set('01234567')
    assert capsys.readouterr().out == ''


def test_a_source_that_was_read_is_not_read_again(dataset, tmp_path):
    source = guda_ros.read_dataset(dataset)
    trimmed = guda_ros.trim(source, tmp_path / 'one', verdicts=['scored'], drop=['0'], stop=0.5)
    assert [(e.id, len(e)) for e in trimmed.episodes] == [('2', 5), ('4', 5), ('6', 5)]
    with pytest.raises(GudaError, match='nothing was written'):
        guda_ros.trim(source, tmp_path / 'none', drop=list('01234567'))
    assert not (tmp_path / 'none').exists()


def test_sets_of_transitions_are_joined_and_exported(tmp_path):
    steps = make_transitions(60)
    for name, rows in (('a', slice(30)), ('b', slice(30, 60))):
        steps.select(rows).save(tmp_path / f'{name}.h5')
    joined = guda_ros.merge([tmp_path / 'a.h5', tmp_path / 'b.h5'], tmp_path / 'both.h5')
    assert len(joined) == len(guda_ros.TransitionSet.load(tmp_path / 'both.h5')) == 60
    made = guda_ros.export_data(tmp_path / 'both.h5', 'npz', tmp_path / 'both.npz')
    assert (made.steps, made.episodes) == (60, 0)
    with np.load(tmp_path / 'both.npz') as arrays:
        # Each cut is followed by a row of its own, which holds where it led and ends it.
        assert len(arrays['actions']) - arrays['timeouts'].sum() == 60
    with pytest.raises(GudaError, match='there is nothing to join'):
        guda_ros.merge([], tmp_path / 'nothing')


def test_an_export_says_how_much_of_the_episodes_is_in_it(dataset, tmp_path):
    made = guda_ros.export_data(dataset, 'npz', tmp_path / 'set.npz')
    assert (made.steps, made.recorded_steps, made.trajectories, made.episodes) == (64, 64, 8, 8)


def test_a_checkup_tells_what_is_wrong_with_a_set_from_what_is_only_strange(dataset, tmp_path):
    strange = guda_ros.doctor(dataset)
    assert strange.sound and 'the robot jumps' in strange.findings[0].text
    useless = tmp_path / 'useless'
    write_minari(useless, [replace(make_episode(), valid=np.zeros(6))], CONTRACT)
    wrong = guda_ros.doctor(useless)
    assert not wrong.sound and wrong.errors == 1 and not wrong.recordings


def test_what_there_is_at_a_path_is_found_out(dataset, tmp_path):
    (found,) = guda_ros.inspect(dataset)
    assert isinstance(found, guda_ros.Source) and len(found.episodes) == 8
    # One level deeper, as the stages of `guda demo` leave it.
    assert [one.path for one in guda_ros.inspect(tmp_path)] == [dataset]
    make_transitions(30).save(tmp_path / 'a.h5')
    (steps,) = guda_ros.inspect(tmp_path / 'a.h5')
    assert isinstance(steps, guda_ros.TransitionSet) and len(steps) == 30
    with pytest.raises(GudaError, match='neither a recording'):
        guda_ros.inspect(Path(__file__))


def test_an_installation_names_what_commands_take():
    found = guda_ros.installation()
    assert found.version == guda_ros.__version__ and 'numpy' in found.packages
    assert any('nao_v6' in kinds['robots'] for kinds in found.names.values())
