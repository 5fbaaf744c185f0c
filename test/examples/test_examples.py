"""The examples run as they are, each in a process of its own."""

import os
from pathlib import Path
import subprocess
import sys

import numpy as np
import torch

from guda_ros.control.exported_policy import ExportedPolicy
from guda_ros.data.contract import Contract
from guda_ros.learning.export import export_policy
from guda_ros.learning.networks import ActionRange, Normaliser, PolicyNetwork

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / 'examples'


def run(name, *arguments):
    """Run an example and return what it printed."""
    paths = [str(ROOT), os.environ.get('PYTHONPATH', '')]
    result = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *map(str, arguments)],
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout


def test_a_policy_runs_with_onnxruntime_alone(tmp_path):
    contract = Contract.load()
    size, names = len(contract.observation_names), contract.observation_names
    network = PolicyNetwork(
        Normaliser(np.full(size, 0.3), np.full(size, 2.0)),
        (16,),
        torch.Generator().manual_seed(1),
        3,
        1,
        ActionRange.identity(3),
    )
    path = export_policy(tmp_path / 'policy.onnx', network, contract, 'bc')
    assert 'import guda_ros' not in (EXAMPLES / 'onnx_policy.py').read_text()
    told = run('onnx_policy.py', path)
    action = ExportedPolicy.load(path).predict(np.zeros(size, dtype=np.float32))
    assert 'action: ' + ', '.join(f'{value:.3f}' for value in action) in told
    assert ', '.join(f'{value:.3f}' for value in contract.to_command(action)) in told
    assert contract.hash in told and names[0] in told


def test_stable_baselines3_learns_in_an_environment():
    told = run('gymnasium_sb3.py', '--steps', 512, '--episodes', 1)
    assert told.startswith('episode 0: return')
