"""Checkpoints: what was trained comes back, and what is no checkpoint is named."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from guda_ros.data.contract import Contract
from guda_ros.errors import GudaError
from guda_ros.learning.checkpoint import load_checkpoint, save_checkpoint
from guda_ros.learning.networks import Normaliser, PolicyNetwork, TrainingResult

CONTRACT = Contract.load()
SIZE = len(CONTRACT.observation_names)


@pytest.fixture
def result():
    rng = np.random.default_rng(0)
    normaliser = Normaliser(rng.normal(0, 1, SIZE), rng.uniform(0.1, 2, SIZE))
    network = PolicyNetwork(normaliser, (16, 8), torch.Generator().manual_seed(0))
    history = {'update': [100, 200], 'losses/qf_loss': [None, 0.5]}
    return TrainingResult(network, history, 1.5, 200, {'algorithm': 'td3_bc', 'seed': 3})


def test_a_policy_comes_back_with_its_history(tmp_path, result):
    path = tmp_path / 'policy.pt'
    save_checkpoint(path, result, CONTRACT, {'arm': 'guided'})
    loaded, contract, info = load_checkpoint(path)
    observations = np.random.default_rng(1).normal(0, 3, (50, SIZE))
    np.testing.assert_array_equal(
        loaded.network.predict(observations), result.network.predict(observations)
    )
    assert replace(loaded, network=None) == replace(result, network=None)
    assert contract == CONTRACT and info == {'arm': 'guided'}
    assert [file.name for file in tmp_path.iterdir()] == ['policy.pt']


def test_damaged_and_foreign_files_are_refused_with_a_remedy(tmp_path, result):
    path = tmp_path / 'policy.pt'
    save_checkpoint(path, result, CONTRACT, {})
    whole = path.read_bytes()
    torch.save({'weights': torch.zeros(3)}, tmp_path / 'foreign.pt')
    for content in (whole[: len(whole) // 2], b'', (tmp_path / 'foreign.pt').read_bytes()):
        path.write_bytes(content)
        with pytest.raises(GudaError, match=r'policy\.pt: not a checkpoint.*train the policy ag'):
            load_checkpoint(path)
