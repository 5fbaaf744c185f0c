"""The examples run as they are, each in a process of its own."""

import os
from pathlib import Path
import subprocess
import sys

from bag_scene import robot, write_bag, write_chunked
import numpy as np
import torch

import guda_ros
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


def test_a_bag_of_somebody_else_becomes_a_policy(tmp_path):
    # The ball rolls while the robot walks, for as long as both stay on the field.
    bags = write_bag(tmp_path / 'bag', seconds=8.0), write_chunked(tmp_path / 'other.mcap')
    small = ['--count', 500, '--updates', 20, '--starts', 3, '--guide', 'random']
    told = run('foreign_bag.py', *bags, *small, '--out', tmp_path / 'out')
    theirs = guda_ros.read_dataset(tmp_path / 'out' / 'dataset')
    usable = [int(episode.usable.sum()) for episode in theirs.episodes]
    assert min(usable) > 30 and f'2 episodes, {sum(usable)} usable steps' in told
    for episode in theirs.episodes:
        np.testing.assert_allclose(episode.world_states[20, :2], robot(2.0)[:2], atol=0.02)
    assert '500 steps' in told and 'success from' in told
    assert ExportedPolicy.load(tmp_path / 'out' / 'policy.onnx').contract == theirs.contract
