"""What `guda` refuses on its command line is refused in Python, too, in words."""

import pytest

import guda_ros
from guda_ros.data.files import write_json
from guda_ros.errors import GudaError
from guda_ros.evaluation.start_sets import load_start_set
from guda_ros.soccer.field import Field


@pytest.mark.parametrize('count', [0, -2])
def test_fewer_starts_than_one_are_refused(count):
    with pytest.raises(GudaError, match='at least one is needed'):
        load_start_set('attack-v1', Field.load('spl'), count)


@pytest.mark.parametrize('wrong', [{'seed': -1}, {'threads': 0}])
def test_a_negative_seed_and_no_thread_are_refused_before_anything_is_read(tmp_path, wrong):
    with pytest.raises(GudaError, match='are needed'):
        guda_ros.augment(tmp_path / 'absent', out=tmp_path / 'made.h5', **wrong)


def test_a_training_without_data_is_refused(tmp_path):
    with pytest.raises(GudaError, match='no data are given'):
        guda_ros.train([], out=tmp_path / 'policy.pt')


def test_a_comparison_of_nothing_is_refused():
    with pytest.raises(GudaError, match='no saved results are given'):
        guda_ros.compare([])


def test_a_comparison_takes_one_path_as_a_whole(tmp_path):
    with pytest.raises(GudaError, match='results_that_are_absent'):
        guda_ros.compare(str(tmp_path / 'results_that_are_absent'))


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path):
    (tmp_path / 'file').write_text('kept')
    for path in (tmp_path / 'file' / 'a.json', tmp_path / 'file' / 'deeper' / 'a.json'):
        with pytest.raises(GudaError, match=f'{tmp_path / "file"} is a file, not a folder'):
            write_json(path, {})
    assert (tmp_path / 'file').read_text() == 'kept'
