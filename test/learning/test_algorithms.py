"""Arguments of trainings from YAML files, and the command that trains."""

from dataclasses import asdict, replace
import io
import re

from learning_data import CONTRACT, learnable_set, learner, random_set
import numpy as np
import pytest
import yaml

from guda_ros.cli.main import main
from guda_ros.cli.train import ALGORITHMS as CLI_ALGORITHMS
from guda_ros.cli.train import Progress
from guda_ros.config.files import ConfigError, find_config
from guda_ros.control.exported_policy import ExportedPolicy
from guda_ros.errors import GudaError
from guda_ros.learning.algorithms import ALGORITHMS, read_config, shortened
from guda_ros.learning.checkpoint import load_checkpoint
from guda_ros.learning.networks import TrainingError
from guda_ros.workflows.train import train


def test_the_command_line_knows_all_algorithms():
    assert tuple(ALGORITHMS) == CLI_ALGORITHMS


@pytest.mark.parametrize('name', ALGORITHMS)
def test_a_shipped_file_names_every_argument_with_its_default(name):
    kind, config = read_config(name)
    assert kind.name == name and config == kind.Config()
    written = yaml.safe_load(find_config('learning', name).read_text())
    assert set(written) == {'algorithm', *asdict(config)}


@pytest.mark.parametrize(
    'text, message',
    [
        ('algorithm: bcd', "algorithm: 'bcd' is unknown; known: bc, td3_bc"),
        ('updates: 5', 'algorithm: is missing'),
        ('algorithm: bc\nalpha: 1', 'alpha: is not a known key of bc'),
        ('algorithm: bc\nupdates: many', 'updates: a number is expected'),
        ('algorithm: bc\nupdates: 2.5', 'updates: an integer is expected'),
        ('algorithm: bc\nupdates: 0', 'updates: a positive number'),
        ('algorithm: bc\nhidden: 256', 'hidden: a list'),
        ('algorithm: bc\nhidden: [0]', 'hidden.0: 0 is outside'),
        ('algorithm: bc\nsampler: 3', 'sampler: a text'),
        ('algorithm: bc\nsampler: best', 'sampler: one of uniform, balanced, return'),
        ('algorithm: bc\nnormalise_actions: 1', 'normalise_actions: true or false'),
        ('algorithm: iql\nexpectile: 1.5', r'expectile: a number in \(0, 1\]'),
        ('algorithm: td3_bc\nwarmup: -1', 'warmup: a share'),
        ('[1, 2]', 'a mapping'),
    ],
)
def test_wrong_files_are_refused_by_file_and_key(tmp_path, text, message):
    path = tmp_path / 'mine.yaml'
    path.write_text(text)
    with pytest.raises(ConfigError, match=rf'mine\.yaml: {message}'):
        read_config(path)


def test_values_of_a_file_arrive(tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text('algorithm: iql\nhidden: [64, 32, 16]\nbeta: 1\nschedule: constant')
    kind, config = read_config(path)
    assert kind.name == 'iql' and config.hidden == (64, 32, 16) and config.schedule == 'constant'
    assert config.beta == 1.0 and isinstance(config.beta, float) and config.updates == 2500


def test_cloning_before_the_critics_keeps_its_share():
    config = shortened(ALGORITHMS['td3_bc'].Config(updates=1000, bc_updates=500), 100)
    assert (config.updates, config.bc_updates) == (100, 50)


def test_an_unknown_algorithm_is_named():
    with pytest.raises(GudaError, match="unknown algorithm 'magic'; known: bc"):
        train(random_set(), 'magic')


def test_progress_is_told():
    told = []
    trained = train(
        random_set(50),
        'bc',
        seed=3,
        updates=200,
        starts=0,
        progress=lambda now: told.append(
            (now.updates, now.total, now.history['losses/policy_loss'][-1][0])
        ),
    )
    assert [(update, total) for update, total, _ in told] == [(100, 200), (200, 200)]
    assert trained.learner.seeds == (3,) and trained.finished
    assert told[1][2] == trained.result().history['losses/policy_loss'][1]


@pytest.fixture
def data(tmp_path):
    path = tmp_path / 'data.h5'
    learnable_set(300).save(path)
    return path


def test_train_with_a_file_validation_and_seeds(tmp_path, data, capsys):
    config, out = tmp_path / 'mine.yaml', tmp_path / 'it.pt'
    config.write_text('algorithm: iql\nhidden: [16]\ncritic_hidden: [16]\nlog_every: 10')
    arguments = [
        'train',
        '--data',
        str(data),
        '--config',
        str(config),
        '--updates',
        '20',
        '--seeds',
        '2',
        '--starts',
        '2',
        '--evaluations',
        '1',
        '--out',
        str(out),
    ]
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert 'iql: 300 transitions, 300 raw' in told
    assert re.search(r'20 of 20, \d+ s .*qf_loss [\d.]+.*validation \d\.\d\d \d\.\d\d', told)
    # So short a training reaches no goal, and what may be the cause is said.
    assert told.count('success 0.00 from 2 validation starts') == 2
    assert 'no policy succeeded: see how many recorded steps are usable' in told
    result, _, info = load_checkpoint(out)
    assert result.config['hidden'] == (16,) and info['seeds'] == [0, 1]
    assert info['data'] == [str(data)] and info['command'].startswith('guda ')
    assert main(['export', str(out), '--seed', '1', '--out', str(tmp_path / 'it.onnx')]) == 0
    training = ExportedPolicy.load(tmp_path / 'it.onnx').metadata['training']
    assert (training['seed'], training['seeds'], training['starts']) == (1, [0, 1], 2)
    capsys.readouterr()
    assert main(arguments) == 1
    assert 'exists already' in capsys.readouterr().err
    assert main([*arguments, '--resume']) == 0
    assert 'done before' in capsys.readouterr().out
    assert main([*arguments, '--starts', '3', '--resume']) == 1
    assert 'starts: 3 now, 2 there' in capsys.readouterr().err
    assert main([*arguments, '--algo', 'bc', '--overwrite']) == 1
    assert 'is for iql, not for --algo bc' in capsys.readouterr().err


def test_bad_data_is_refused_before_training(tmp_path, capsys):
    path, out = tmp_path / 'data.h5', tmp_path / 'it.pt'
    learnable_set(10).select(slice(0, 0)).save(path)
    assert main(['train', '--data', str(path), '--out', str(out)]) == 1
    assert '0 transitions are too few' in capsys.readouterr().err and not out.exists()


def test_data_of_another_contract_is_named(tmp_path, data, capsys):
    other = replace(CONTRACT, rate=20.0)
    replace(learnable_set(10), contract=other).save(tmp_path / 'other.h5')
    assert (
        main(
            [
                'train',
                '--data',
                str(data),
                str(tmp_path / 'other.h5'),
                '--out',
                str(tmp_path / 'it.pt'),
            ]
        )
        == 1
    )
    told = capsys.readouterr().err
    assert 'other.h5 was made for another contract' in told and 'rate' in told


def test_all_failures_are_told(tmp_path, capsys):
    path, out = tmp_path / 'data.h5', tmp_path / 'it.pt'
    random_set(100, episode_success=[False]).save(path)
    assert (
        main(['train', '--data', str(path), '--out', str(out), '--updates', '2', '--starts', '0'])
        == 0
    )
    assert 'note: none of the 1 episodes scored' in capsys.readouterr().out


def test_a_line_that_is_written_over_fits_the_terminal(monkeypatch):
    monkeypatch.setenv('COLUMNS', '60')
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    learner('iql').learn(Progress(terminal))
    lines = terminal.getvalue().replace('\x1b[K', '').split('\r')[1:]
    assert len(lines) == 3 and [len(line) for line in lines[:2]] == [59, 59]
    assert '60 of 60' in lines[2] and lines[2].endswith('\n') and len(lines[2]) > 60


def test_tensorboard_is_asked_for_by_name(tmp_path, data, capsys):
    try:
        import tensorboard  # noqa: F401
    except ModuleNotFoundError:
        pass
    else:
        pytest.skip('tensorboard is installed')
    assert (
        main(
            [
                'train',
                '--data',
                str(data),
                '--out',
                str(tmp_path / 'it.pt'),
                '--starts',
                '0',
                '--tensorboard',
                str(tmp_path / 'logs'),
            ]
        )
        == 1
    )
    assert 'python -m pip install tensorboard' in capsys.readouterr().err


@pytest.mark.parametrize('name', ['bc', 'iql'])
def test_a_seed_with_data_of_its_own_learns_what_it_learns_alone(name):
    sets = [random_set(300, seed=1), random_set(200, seed=2)]
    config = ALGORITHMS[name].Config(updates=10, hidden=(16,), batch_size=32)
    contract = sets[0].contract
    both = ALGORITHMS[name]([sets[0], sets[1], sets[0]], contract, config, (4, 5, 6)).learn()
    observations = sets[0].observations()[:50]
    for seed, one in zip((4, 5, 6), (sets[0], sets[1], sets[0])):
        alone = ALGORITHMS[name](one, contract, config, (seed,)).learn()
        np.testing.assert_allclose(
            both.policy(seed).predict(observations),
            alone.policy().predict(observations),
            atol=1e-4,
        )
    assert both.data_hash not in (
        ALGORITHMS[name](one, contract, config).data_hash for one in sets
    )


def test_as_many_sets_as_seeds_are_needed():
    data = random_set(50)
    with pytest.raises(TrainingError, match='1 sets of transitions for 2 seeds'):
        ALGORITHMS['bc']([data], data.contract, seeds=(0, 1))
