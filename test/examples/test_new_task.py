"""The task of examples/new_task goes through every verb, as an installed package brings it."""

import json
import os
from pathlib import Path
import subprocess
import sys

import numpy as np
from own_task import install
import pytest

from guda_ros.cli.main import main
from guda_ros.control.exported_policy import ExportedPolicy
from guda_ros.data.registry import find_task, task_names
from guda_ros.data.transitions import TransitionSet
from guda_ros.evaluation.results import load_results
from guda_ros.learning.checkpoint import load_checkpoint

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / 'examples' / 'new_task'


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
    """Return a folder with the package as pip would install it, and its name for sys.path."""
    return install(EXAMPLE, tmp_path_factory.mktemp('site'))


@pytest.fixture
def task(installed, monkeypatch):
    """Let this process know the task."""
    monkeypatch.syspath_prepend(installed)
    return find_task('push_box')


@pytest.fixture(scope='module')
def runs(installed, tmp_path_factory):
    """Record, augment, train and export; return the folder of it all."""
    folder = tmp_path_factory.mktemp('runs')
    (folder / 'data').mkdir()
    paths = [str(ROOT), str(installed), os.environ.get('PYTHONPATH', '')]
    subprocess.run(
        [sys.executable, str(EXAMPLE / 'record.py'), str(folder / 'data' / 'initial_0.h5')],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))},
        check=True,
        timeout=120,
    )
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(installed)
    guide = str(EXAMPLE / 'push_box_guided.yaml')
    recorded, made = str(folder / 'data' / 'initial_0.h5'), str(folder / 'guided.h5')
    small = ['--updates', '200', '--starts', '20', '--evaluations', '1']
    for name, data in (('raw', [recorded]), ('guided', [recorded, made])):
        if name == 'guided':
            assert (
                main(
                    [
                        'augment',
                        recorded,
                        '--guide',
                        guide,
                        '--count',
                        '5000',
                        '--out',
                        made,
                        '--verify',
                        '100',
                    ]
                )
                == 0
            )
        checkpoint = str(folder / f'{name}.pt')
        assert main(['train', '--data', *data, *small, '--out', checkpoint]) == 0
        assert main(['export', checkpoint, '--out', str(folder / f'{name}.onnx')]) == 0
    patch.undo()
    return folder


def test_the_files_name_their_task(runs, task):
    made = TransitionSet.load(runs / 'guided.h5')
    _, trained, _ = load_checkpoint(runs / 'guided.pt')
    exported = ExportedPolicy.load(runs / 'guided.onnx')
    assert {made.contract.task, trained.task, exported.contract.task} == {'push_box'}
    assert made.contract.hash == trained.hash == exported.contract.hash == task().contract.hash
    assert exported.metadata['task'] == 'push_box'


def test_an_exported_policy_answers_as_the_network(runs, task):
    network = load_checkpoint(runs / 'guided.pt')[0].network
    observations = task().contract.observe(task().start(30, np.random.default_rng(0)))
    np.testing.assert_allclose(
        ExportedPolicy.load(runs / 'guided.onnx').predict(observations),
        network.predict(observations),
        atol=1e-5,
    )


def test_guide_check_explains_the_guide_on_the_recording(runs, task, capsys, tmp_path):
    picture = tmp_path / 'guide.svg'
    assert (
        main(
            [
                'guide',
                'check',
                str(EXAMPLE / 'push_box_guided.yaml'),
                '--out',
                str(picture),
                '--data',
                str(runs / 'data' / 'initial_0.h5'),
                '--count',
                '2000',
            ]
        )
        == 0
    )
    told = capsys.readouterr().out
    assert 'to_corner' in told and 'in_wall' in told
    assert picture.stat().st_size > 1000


@pytest.mark.parametrize(
    ('file', 'expected'),
    [
        ('guided.h5', '5000  to_corner'),
        ('guided.pt', 'checkpoint after 200 updates'),
        ('guided.onnx', 'box_x, box_y, corner_x, corner_y, cos, sin'),
    ],
)
def test_info_describes_every_file(runs, task, capsys, file, expected):
    assert main(['info', str(runs / file)]) == 0
    told = capsys.readouterr().out
    assert expected in told and f'contract push_box, {task().contract.hash}' in told


def test_policy_info_names_the_actions(runs, task, capsys):
    assert main(['policy', 'info', str(runs / 'guided.onnx')]) == 0
    assert 'action: forward, turn' in capsys.readouterr().out


def test_evaluate_compares_policies_in_the_environment_of_the_task(runs, task, capsys, tmp_path):
    out = tmp_path / 'judged'
    policies = [str(runs / 'guided.onnx'), str(runs / 'raw.onnx')]
    assert main(['evaluate', *policies, '--starts', '40', '--out', str(out)]) == 0
    judged = load_results(out)
    guided, raw = judged.policies
    played = task().evaluate(ExportedPolicy.load(runs / 'guided.onnx').predict, 40, 1_000_000)
    assert [episode.scored for episode in guided.episodes] == played.successes.tolist()
    assert [episode.seconds for episode in guided.episodes] == pytest.approx(played.steps / 10)
    # What the example is for: turned about the corner, the demonstrations reach all of the room.
    assert sum(e.scored for e in guided.episodes) > sum(e.scored for e in raw.episodes)
    summary = json.loads((out / 'results.json').read_text())['summary']
    assert summary['comparisons'][0]['table']['first_only'] > 0
    page = (out / 'report.html').read_text()
    assert 'arrived' in page and 'the box within 0.2 m of the corner' in page
    assert 'McNemar' in page and 'push_box' in page and 'goal line' not in page
    assert main(['evaluate', '--compare', str(out), '--out', str(tmp_path / 'again')]) == 0
    assert load_results(tmp_path / 'again').policies == judged.policies


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--ros'], 'names no topics of a robot'),
        (['--robot', 'nao_v6'], 'is played without a robot'),
        (['--set', 'attack-v1'], 'it has test, validation'),
    ],
)
def test_what_the_task_cannot_do_is_said(runs, task, capsys, arguments, message):
    assert main(['evaluate', str(runs / 'raw.onnx'), *arguments]) == 1
    assert message in capsys.readouterr().err


def test_benchmark_trains_and_judges(runs, task, capsys, tmp_path):
    assert (
        main(
            [
                'benchmark',
                str(EXAMPLE / 'push_box.yaml'),
                '--data',
                str(runs / 'data'),
                '--seeds',
                '1',
                '--updates',
                '50',
                '--jobs',
                '1',
                '--augmentations',
                'guided',
                '--out',
                str(tmp_path),
            ]
        )
        == 0
    )
    assert '| bc | guided | 1 | 50 |' in capsys.readouterr().out


def test_transitions_are_exported_for_other_libraries(runs, task, tmp_path):
    out = tmp_path / 'steps.npz'
    assert (
        main(['data', 'export', str(runs / 'guided.h5'), '--format', 'npz', '--out', str(out)])
        == 0
    )
    with np.load(out) as file:
        steps = ~file['timeouts']
        assert file['observations'][steps].shape == (5000, 6)


def test_the_loop_in_python_takes_the_task_too(runs, installed, task, tmp_path):
    paths = [str(ROOT), str(installed), os.environ.get('PYTHONPATH', '')]
    example = [sys.executable, str(EXAMPLE.parent / 'augment_and_train.py')]
    guide = ['--guide', str(EXAMPLE / 'push_box_guided.yaml'), '--count', '5000']
    small = ['--updates', '200', '--starts', '40', '--out', str(tmp_path)]
    told = subprocess.run(
        [*example, str(runs / 'data' / 'initial_0.h5'), *guide, *small],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    ).stdout
    judged = load_results(tmp_path / 'judged')
    assert f'guided: success from {judged.success_rates["guided"]:.0%} of 40 starts' in told
    assert judged.success_rates['guided'] > judged.success_rates['raw']


@pytest.mark.parametrize('file', ['guided.h5', 'guided.pt', 'guided.onnx'])
def test_a_task_that_is_not_installed_is_named(runs, capsys, file):
    assert 'push_box' not in task_names()
    assert main(['info', str(runs / file)]) == 1
    told = capsys.readouterr().err
    assert file in told and "unknown task 'push_box': no installed package brings it" in told


def test_policies_of_different_tasks_are_not_compared(runs, task, capsys, tmp_path):
    from policy_file import write_policy

    other = tmp_path / 'soccer.onnx'
    write_policy(other)
    assert main(['evaluate', str(runs / 'raw.onnx'), str(other)]) == 1
    assert 'task: push_box != soccer_push' in capsys.readouterr().err


@pytest.mark.parametrize('path', sorted(EXAMPLE.parent.rglob('*.py')), ids=lambda path: path.name)
def test_an_example_is_read_in_a_minute(path):
    assert len(path.read_text().splitlines()) < 80
