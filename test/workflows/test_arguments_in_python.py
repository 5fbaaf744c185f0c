"""What `guda` refuses on its command line is refused in Python, too, in words."""

from inspect import isclass, signature
from pathlib import Path

from dataset_scene import CONTRACT, make_episode
from policy_file import write_policy
import pytest
from recording_scene import write_recording

import guda_ros
from guda_ros.arguments import as_path, as_paths, as_whole
from guda_ros.data.files import write_json
from guda_ros.data.sets.minari import write_minari
from guda_ros.errors import GudaError
from guda_ros.evaluation.start_sets import load_start_set
from guda_ros.soccer.field import Field


@pytest.mark.parametrize('count', [0, -2])
def test_fewer_starts_than_one_are_refused(count):
    with pytest.raises(GudaError, match='at least one is needed'):
        load_start_set('attack-v1', Field.load('spl'), count)


@pytest.mark.parametrize('wrong', [{'seed': -1}, {'threads': 0}, {'count': 0}, {'seed': 'x'}])
def test_a_negative_seed_and_no_thread_are_refused_before_anything_is_read(tmp_path, wrong):
    with pytest.raises(GudaError, match=f'{next(iter(wrong))}: a whole number from . is needed'):
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


#: Parameter -> name of what is there below the folder `given`; other names are taken as they are.
GIVEN = {
    'recordings': 'recordings',
    'data': 'dataset',
    'source': 'dataset',
    'sources': 'dataset',
    'policies': 'policy.onnx',
    'policy': 'policy.onnx',
    'path': 'dataset',
    'folder': 'recordings',
    'results': 'absent',
    'checkpoint': 'absent.pt',
    'bags': 'recordings/a',
    'name': 'soccer_push',
    'player': 'imperfect',
    'guide': 'guided',
    'robot': 'nao_v6',
    'base': 'nao_v6',
    'format': 'npz',
    'confirm': lambda motion: False,
    'graph': 'drive',
    'episodes': 1,
    'count': 1,
    'out': 'new',
}
OWN = {
    'benchmark': {'name': 'push_ball_to_goal'},
    'new_robot': {'name': 'tall'},
    'draw_robot': {'out': 'new.png'},
    'load_guide': {'name': 'guided'},
    'compare': {'results': 'absent'},
    'evaluate': {'policies': 'policy.onnx', 'count': 1},
    'replay': {'episode': 'a'},
    'replay_on_robot': {'episode': 'a'},
    'train': {'updates': 1, 'starts': 1},
    'export_data': {'out': 'new.npz'},
    'identify': {'out': None},
    'write_dataset': {'path': 'new', 'episodes': (), 'contract': CONTRACT},
    'export_policy': {'network': None, 'contract': CONTRACT, 'algorithm': 'bc'},
}
#: Where an empty text stands for what is usual.
EMPTY_IS_USUAL = ('robot',)
PATHS = ('PathLike', 'Readable', 'Data', 'Policy')
FUNCTIONS = {
    name: function for name in guda_ros.__all__ if not isclass(function := getattr(guda_ros, name))
}


def paths_of(function) -> list[str]:
    """Return the parameters of a function that are paths, or names that may be one."""
    return [
        name
        for name, parameter in signature(function).parameters.items()
        if any(word in str(parameter.annotation) for word in PATHS)
        and 'Network' not in str(parameter.annotation)
    ]


CASES = [(name, path) for name, function in FUNCTIONS.items() for path in paths_of(function)]


@pytest.fixture(scope='module')
def given(tmp_path_factory):
    """Return a folder with a data set, recordings and a policy."""
    folder = tmp_path_factory.mktemp('given')
    write_minari(folder / 'dataset', [make_episode('a'), make_episode('b', seed=2)], CONTRACT)
    (folder / 'recordings').mkdir()
    write_recording(folder / 'recordings', name='a')
    write_policy(folder / 'policy.onnx')
    return folder


def arguments_of(name, wrong, folder):
    """Return what a function needs, all but one argument."""
    function, found = FUNCTIONS[name], {}
    for key, parameter in signature(function).parameters.items():
        needed = parameter.default is parameter.empty and parameter.kind != parameter.VAR_KEYWORD
        if key == wrong or not (needed or key in OWN.get(name, ())):
            continue
        value = OWN.get(name, {}).get(key, GIVEN.get(key))
        inside = isinstance(value, str) and (folder / value).exists()
        found[key] = folder / value if inside or (key == 'out' and value) else value
    return found


def test_the_functions_that_take_paths_are_all_tried():
    assert {'convert', 'train', 'inspect', 'repair', 'load_results', 'up'} <= {n for n, _ in CASES}
    assert len(CASES) > 80


WRONG = (3, 1.5, b'x', {}, [3], object(), '', 'a\0b')


def try_wrong(folder, name, parameter, values):
    """Call a function with each value for a parameter: it must say in one line that it is none."""
    before, others = sorted(folder.rglob('*')), arguments_of(name, parameter, folder)
    for value in values:
        if value == '' and parameter in EMPTY_IS_USUAL:
            continue
        with pytest.raises(GudaError) as told:
            FUNCTIONS[name](**others, **{parameter: value})
        message = str(told.value)
        assert '\n' not in message and ('expected' in message or 'no path' in message), message
    assert sorted(folder.rglob('*')) == before


@pytest.mark.parametrize('number', range(len(CASES)), ids=['-'.join(case) for case in CASES])
def test_what_is_no_path_is_told_in_one_line(given, number, monkeypatch):
    monkeypatch.chdir(given)
    try_wrong(given, *CASES[number], [WRONG[number % len(WRONG)]])


@pytest.mark.long
@pytest.mark.parametrize('name, parameter', CASES)
def test_whatever_is_no_path_is_told_in_one_line(given, name, parameter, monkeypatch):
    monkeypatch.chdir(given)
    try_wrong(given, name, parameter, WRONG)


@pytest.mark.parametrize('value', WRONG, ids=[type(value).__name__ for value in WRONG])
def test_a_path_is_a_text_or_a_path(value):
    for check in (as_path, as_paths):
        with pytest.raises(GudaError, match=r'^out: .* (expected, not|is no path)'):
            check(value, 'out')


def test_the_home_folder_is_found_and_who_has_none_is_told(monkeypatch):
    monkeypatch.setenv('HOME', '/somewhere')
    assert as_path('~/a') == as_path(Path('~/a')) == Path('/somewhere/a')
    assert as_paths(iter(['~', './~'])) == [Path('/somewhere'), Path('~').absolute()]
    with pytest.raises(GudaError, match="there is no user 'nobody_of_that_name'"):
        as_path('~nobody_of_that_name/a')


@pytest.mark.parametrize('value', [0, -1, 1.0, True, '1', None])
def test_a_whole_number_is_whole_and_large_enough(value):
    with pytest.raises(GudaError, match='count: a whole number from 1 is needed'):
        as_whole(value, 'count', 1)


#: Suffix of a file that is not what is expected there; other names are those of YAML files.
SUFFIXES = {
    **dict.fromkeys(
        ('out', 'data', 'source', 'sources', 'path', 'folder', 'results', 'log_dir'), ''
    ),
    **dict.fromkeys(('recordings', 'policy', 'policies', 'checkpoint', 'player', 'bags'), ''),
    **dict.fromkeys(('tensorboard', 'augmented', 'reference', 'plot'), ''),
}
#: Files that are replaced, and of a path that is only handed on.
REPLACED = {('export_policy', 'path'), ('check_guide', 'out')}


@pytest.mark.parametrize('name, parameter', [case for case in CASES if case not in REPLACED])
def test_a_path_may_begin_with_the_home_folder(given, name, parameter, tmp_path, monkeypatch):
    monkeypatch.setenv('HOME', str(tmp_path))
    monkeypatch.chdir(given)
    suffix = '.yaml' if name in ('identify', 'new_robot') else SUFFIXES.get(parameter, '.yaml')
    file = tmp_path / f'there{suffix}'
    file.write_text('kept')
    with pytest.raises(Exception) as told:
        FUNCTIONS[name](**arguments_of(name, parameter, given), **{parameter: f'~/there{suffix}'})
    assert isinstance(told.value, (GudaError, OSError)), told.value
    assert str(file) in str(told.value)
    assert file.read_text() == 'kept'
