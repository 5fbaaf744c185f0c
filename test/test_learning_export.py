"""Exported policies do what the network does, and say what they are."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from guda_ros.control.exported_policy import ExportedPolicy, PolicyFileError
from guda_ros.data.contract import Contract
from guda_ros.learning.export import export_policy
from guda_ros.learning.networks import Normaliser, PolicyNetwork, TrainingError

CONTRACT = Contract.load()
SIZE = len(CONTRACT.observation_names)


@pytest.fixture
def network():
    rng = np.random.default_rng(0)
    normaliser = Normaliser(rng.normal(0, 1, SIZE), rng.uniform(0.1, 2, SIZE))
    return PolicyNetwork(normaliser, (256, 256), torch.Generator().manual_seed(0))


def test_exported_policy_acts_like_the_network(tmp_path, network):
    path = export_policy(tmp_path / 'policy.onnx', network, CONTRACT, 'bc')
    policy = ExportedPolicy.load(path, CONTRACT)
    observations = np.random.default_rng(1).normal(0, 3, (500, SIZE)).astype(np.float32)
    np.testing.assert_allclose(
        policy.predict(observations), network.predict(observations), atol=1e-5
    )
    np.testing.assert_allclose(
        policy.predict(observations[0]), network.predict(observations[0]), atol=1e-5
    )


def test_file_says_what_it_is(tmp_path, network):
    path = export_policy(
        tmp_path / 'policy.onnx', network, CONTRACT, 'td3_bc', {'seed': 3, 'data': 'guided'}
    )
    policy = ExportedPolicy.load(path)
    assert policy.metadata['algorithm'] == 'td3_bc'
    assert policy.metadata['contract_hash'] == CONTRACT.hash
    assert policy.metadata['training'] == {'seed': 3, 'data': 'guided'}
    assert policy.contract == CONTRACT


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
