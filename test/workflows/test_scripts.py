"""The scripts in sim/ and the benchmark run, from their own command lines."""

import json
import os
from pathlib import Path
import subprocess
import sys

import pytest

from guda_ros.config.files import config_names, ConfigError, find_config
from guda_ros.control.exported_policy import ExportedPolicy
from guda_ros.data.contract import Contract
from guda_ros.data.sets.minari import read_minari, transitions
from guda_ros.online.training import OnlineConfig

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = (
    'sim/train.py',
    'sim/evaluate.py',
    'sim/view.py',
    'sim/collect.py',
    'benchmark/simulation.py',
    'benchmark/online.py',
)
CONFIG = """\
algorithm: ppo
scenario: penalty
contract: soccer_push
rewards: shaped
randomisation: none
environments: 4
threads: 1
steps: 64
minutes: 5
evaluate_every: 64
starts: 2
stop_at: 1.1
hidden: [8]
arguments: {n_steps: 16, batch_size: 32, n_epochs: 1}
"""


def run(script, *arguments, folder=None):
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, str(ROOT / script), *map(str, arguments)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp('runs')
    (folder / 'tiny.yaml').write_text(CONFIG)
    result = run(
        'sim/train.py',
        'tiny.yaml',
        '--seeds',
        0,
        1,
        '--test-starts',
        3,
        '--checkpoints',
        folder=folder,
    )
    assert result.returncode == 0, result.stderr
    return folder / 'runs' / 'tiny', result.stdout


@pytest.mark.parametrize('script', SCRIPTS)
def test_help_explains_with_an_example(script):
    result = run(script, '--help')
    assert result.returncode == 0, result.stderr
    assert f'python {script}' in result.stdout


def test_training_leaves_policy_model_and_curve(trained):
    out, printed = trained
    assert printed.count('of 3 test starts') == 2
    for seed in (0, 1):
        folder = out / f'seed_{seed}'
        for name in ('model.zip', 'normalisation.pkl', 'run.json', 'policy.onnx'):
            assert (folder / name).is_file()
        assert (folder / 'step_64' / 'model.zip').is_file()
        content = json.loads((folder / 'run.json').read_text())
        assert [row['steps'] for row in content['history']] == [0, 64]
        assert content['test']['starts'] == 3 and content['time_limit'] == 30
        assert content['history'][0]['episode_reward'] is None
        policy = ExportedPolicy.load(folder / 'policy.onnx')
        assert policy.metadata['training']['scenario'] == 'penalty'
    assert (out / 'curve.png').read_bytes()[:4] == b'\x89PNG'
    rows = (out / 'curve.csv').read_text().splitlines()
    assert rows[0].startswith('seed,steps,seconds,success') and len(rows) == 5


def test_what_was_trained_is_not_overwritten_by_chance(trained):
    out, _ = trained
    result = run('sim/train.py', out.parents[1] / 'tiny.yaml', '--out', out)
    assert result.returncode == 1 and '--overwrite' in result.stderr
    assert 'Traceback' not in result.stderr


def test_model_and_exported_policy_are_judged_alike(trained, tmp_path):
    out, _ = trained
    found = []
    for index, player in enumerate((out / 'seed_0', out / 'seed_0' / 'step_64' / 'model.zip')):
        file = tmp_path / f'{index}.json'
        result = run('sim/evaluate.py', player, '--starts', 4, '--out', file)
        assert result.returncode == 0, result.stderr
        found.append(json.loads(file.read_text()))
    assert found[0]['scenario'] == found[1]['scenario'] == 'penalty'
    assert found[0]['steps'] == found[1]['steps'] and found[0]['success'] == found[1]['success']


@pytest.mark.parametrize('scenario', ['penalty', 'goalkeeper'])
def test_the_demonstrator_is_judged_on_any_scenario(scenario, tmp_path):
    file = tmp_path / 'found.json'
    result = run(
        'sim/evaluate.py',
        'demonstrator',
        '--scenario',
        scenario,
        '--starts',
        3,
        '--purpose',
        'validation',
        '--out',
        file,
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(file.read_text())
    assert found['time_limit'] == (30 if scenario == 'penalty' else 90)
    if scenario == 'penalty':
        assert found['value'] == 1.0


def test_episodes_become_a_data_set(tmp_path):
    result = run(
        'sim/collect.py',
        'imperfect',
        '--scenario',
        'penalty',
        '--episodes',
        3,
        '--out',
        'data',
        folder=tmp_path,
    )
    assert result.returncode == 0, result.stderr
    episodes = read_minari(tmp_path / 'data')
    assert len(episodes) == 3 and f'{sum(map(len, episodes))} steps' in result.stdout
    assert episodes[0].verdict == 'scored' and episodes[0].operator == 'imperfect'
    made = transitions(episodes, Contract.load())
    assert made.terminations.sum() == sum(one.verdict != 'timeout' for one in episodes)
    again = run('sim/collect.py', 'imperfect', '--episodes', 3, '--out', 'data', folder=tmp_path)
    assert again.returncode == 1 and 'exists already' in again.stderr


@pytest.mark.needs('drawing')
def test_without_a_display_an_episode_is_drawn(tmp_path):
    result = run(
        'sim/view.py',
        'demonstrator',
        '--scenario',
        'goalkeeper',
        '--time',
        1,
        '--out',
        'still.png',
        folder=tmp_path,
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / 'still.png').stat().st_size > 10_000
    result = run('sim/view.py', 'demonstrator', '--out', 'still.gif', folder=tmp_path)
    assert result.returncode == 1 and '.webm, .png or .jpg' in result.stderr


@pytest.mark.parametrize(
    ('arguments', 'named'),
    [(('nowhere',), 'nowhere'), (('demonstrator', '--scenario', 'x'), 'unknown scenario')],
)
def test_wrong_arguments_are_told_in_a_line(arguments, named):
    result = run('sim/evaluate.py', *arguments)
    assert result.returncode == 1 and named in result.stderr
    assert 'Traceback' not in result.stderr


@pytest.mark.parametrize(
    ('old', 'new', 'named'),
    [
        ('algorithm: ppo', 'algorithm: dqn', 'algorithm'),
        ('steps: 64\n', '', 'steps'),
        ('hidden: [8]', 'hidden: [8, x]', 'hidden'),
        ('stop_at', 'stop', 'stop'),
    ],
)
def test_a_wrong_config_is_named(tmp_path, old, new, named):
    path = tmp_path / 'wrong.yaml'
    path.write_text(CONFIG.replace(old, new))
    with pytest.raises(ConfigError, match=f'wrong.yaml: {named}'):
        OnlineConfig.load(path)


@pytest.mark.parametrize('name', config_names('online'))
def test_the_experiments_can_be_read(name):
    path = find_config('online', name)
    # Where they lay before, for old command lines.
    assert (ROOT / 'sim' / 'config' / path.name).read_bytes() == path.read_bytes()
    config = OnlineConfig.load(path)
    assert config.algorithm in path.stem and config.scenario in path.stem


def test_the_benchmark_ends_with_its_figures():
    result = run(
        'benchmark/simulation.py', '--count', 8, '--steps', 3, '--repeats', 1, '--skip-node'
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    assert set(found) == {
        'batch_vs_raw_1_thread',
        'batch_vs_raw_2_threads',
        'batch_vs_subproc',
        'batch_env_steps_per_s',
        'single_env_steps_per_s',
        'camera_fps',
        'real_time_factor',
    }
    measured = [
        value for name, value in found.items() if name not in ('camera_fps', 'real_time_factor')
    ]
    assert min(measured) > 0 and found['real_time_factor'] is None


@pytest.mark.long
def test_the_benchmark_of_online_learning_ends_with_its_figures():
    result = run('benchmark/online.py', '--rollouts', 1, '--repeats', 1)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout.splitlines()[-1])
    rates = {
        f'{one}_{what}'
        for one in ('ppo', 'sac')
        for what in ('env_steps_per_s', 'subproc_env_steps_per_s', 'vs_subproc')
    }
    assert set(found) == {*rates, 'augmentation_share', 'augmented_sac_vs_sac'}
    assert min(found.values()) > 0
