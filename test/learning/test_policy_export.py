"""Exported policies do what the network does, and say what they are."""

from dataclasses import asdict, replace
import json

from learning_data import CONTRACT, learnable_set, learner, SIZE
import numpy as np
import pytest
import torch

from guda_ros.cli.main import main
from guda_ros.control.exported_policy import ExportedPolicy, PolicyFileError
from guda_ros.learning.algorithms import ALGORITHMS
from guda_ros.learning.checkpoint import save_checkpoint
from guda_ros.learning.export import export_policy
from guda_ros.learning.networks import Normaliser, PolicyNetwork, TrainingError

VARIANTS = [(name, {}) for name in ALGORITHMS] + [
    ('bc', {'policy': 'gaussian'}),
    ('bc', {'policy': 'mixture', 'components': 3}),
    ('bc', {'policy': 'mixture', 'components': 3, 'chunk': 2}),
    ('bc', {'chunk': 4, 'normalise_actions': True}),
    ('iql', {'normalise_actions': True}),
]


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    normaliser = Normaliser(rng.normal(0, 1, SIZE), rng.uniform(0.1, 2, SIZE))
    return PolicyNetwork(normaliser, (256, 256), torch.Generator().manual_seed(0))


@pytest.mark.parametrize('name, arguments', VARIANTS, ids=str)
def test_exported_policy_acts_like_what_was_trained(tmp_path, name, arguments):
    trained = learner(name, learnable_set(300), seeds=(0, 1), **arguments).learn()
    result = trained.result(1)
    path = export_policy(tmp_path / 'policy.onnx', result.network, CONTRACT, name, result.config)
    policy = ExportedPolicy.load(path, CONTRACT)
    observations = np.random.default_rng(1).normal(0, 3, (500, SIZE)).astype(np.float32)
    expected = stacked_action(trained, 1, observations)
    assert np.abs(expected).max() <= 1.0 and expected.std() > 0.01
    np.testing.assert_allclose(policy.predict(observations), expected, atol=1e-5)
    np.testing.assert_allclose(policy.predict(observations[0]), expected[0], atol=1e-5)


@torch.no_grad()
def stacked_action(trained, index, observations):
    """Return the deterministic action of the network that was trained, not of its copy."""
    inputs = trained.scales[index].normaliser(torch.from_numpy(observations)).expand(2, -1, -1)
    output = trained.networks['actor'](inputs)[index]
    count = trained.components
    if count > 1:
        means = output[:, count : 4 * count].reshape(len(output), count, 3)
        output = means[torch.arange(len(output)), output[:, :count].argmax(dim=1)]
    return trained.scales[index].action_range(torch.tanh(output[:, :3])).numpy()


def test_file_says_what_it_is(tmp_path, network):
    path = export_policy(
        tmp_path / 'policy.onnx', network, CONTRACT, 'td3_bc', {'seed': 3, 'data': 'guided'}
    )
    policy = ExportedPolicy.load(path)
    assert policy.metadata['algorithm'] == 'td3_bc'
    assert policy.metadata['contract_hash'] == CONTRACT.hash
    assert policy.metadata['training'] == {'seed': 3, 'data': 'guided'}
    assert json.loads(policy.metadata['limits']) == asdict(CONTRACT.limits)
    normalisation = json.loads(policy.metadata['normalisation'])
    assert normalisation['observation'] == list(CONTRACT.observation_names)
    np.testing.assert_allclose(normalisation['mean'], network.normaliser.mean, rtol=1e-6)
    np.testing.assert_allclose(1 / np.array(normalisation['std']), network.normaliser.scale, 1e-6)
    assert policy.contract == CONTRACT


def test_the_command_line_tells_it(tmp_path, capsys):
    checkpoint, path = str(tmp_path / 'it.pt'), str(tmp_path / 'it.onnx')
    trained = learner('bc', chunk=2).learn()
    info = {'data': ['mine/guided.h5'], 'command': 'guda train --algo bc'}
    save_checkpoint(checkpoint, trained, info)
    assert main(['export', checkpoint, '--out', path]) == 0
    capsys.readouterr()
    assert main(['policy', 'info', path]) == 0
    told = capsys.readouterr().out
    for text in (
        CONTRACT.hash,
        trained.data_hash,
        'command: guda train --algo bc',
        'data: mine/guided.h5',
        'forward 0.25',
        'chunk: trained on 2 actions in a row, executes the first one',
        'ball_x',
    ):
        assert text in told
    assert main(['policy', 'info', path, '--json']) == 0
    metadata = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert metadata['training']['chunk'] == 2
    # The ball never rolls in this data.
    constant = metadata['normalisation']['observation'].index('ball_velocity_x')
    assert metadata['normalisation']['std'][constant] == 0.0
    assert main(['policy', 'info', str(tmp_path / 'none.onnx')]) == 1
    assert 'none.onnx: cannot be read' in capsys.readouterr().err


def test_policy_of_another_contract_is_refused_by_its_reader(tmp_path, network):
    path = export_policy(tmp_path / 'policy.onnx', network, CONTRACT, 'bc')
    with pytest.raises(PolicyFileError, match='time_limit'):
        ExportedPolicy.load(path, replace(CONTRACT, time_limit=60.0))


def test_network_that_does_not_fit_the_contract_is_not_exported(tmp_path, network):
    other = replace(CONTRACT, observation=('ball', 'goal'))
    with pytest.raises(TrainingError, match=rf'{SIZE} numbers .* has 4'):
        export_policy(tmp_path / 'policy.onnx', network, other, 'bc')
    assert not list(tmp_path.iterdir())


def test_broken_network_leaves_the_old_file(tmp_path, network):
    path = export_policy(tmp_path / 'policy.onnx', network, CONTRACT, 'bc')
    before = path.read_bytes()
    with torch.no_grad():
        network.layers[0].weight[0, 0] = float('nan')
    with pytest.raises(TrainingError, match='not finite'):
        export_policy(path, network, CONTRACT, 'bc')
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == ['policy.onnx']
