"""Work of the demo in processes of its own; what is finished is not done again."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def train_and_export(
    arm: str,
    seed: int,
    dataset: Path,
    augmented: Path,
    folder: Path,
    demonstrations: int,
    updates: int | None,
) -> float:
    """
    Train one arm with one seed, save checkpoint and policy; return the seconds of training.

    raw sees the demonstrations alone, random and guided see them and what that guide made, td3_bc
    is the offline RL learner on the data of guided.
    """
    from guda_ros.learning.checkpoint import load_checkpoint, save_checkpoint
    from guda_ros.learning.export import export_policy
    from guda_ros.workflows.train import load_transitions, train

    checkpoint, policy = folder / f'{arm}_{seed}.pt', folder / f'{arm}_{seed}.onnx'
    if policy.exists() and checkpoint.exists():
        return load_checkpoint(checkpoint)[0].seconds
    paths = [dataset]
    if arm != 'raw':
        paths.append(augmented / f'{"guided" if arm == "td3_bc" else arm}_{seed}.h5')
    data = load_transitions(paths, demonstrations, seed)
    learner = train('td3_bc' if arm == 'td3_bc' else 'bc', data, seed, updates)
    result = learner.result()
    info = {
        'arm': arm,
        'seed': seed,
        'demonstrations': demonstrations,
        'rules': data.rule_counts(),
        'command': 'guda demo',
    }
    save_checkpoint(checkpoint, learner, info)
    algorithm = result.config['algorithm']
    export_policy(policy, result.network, data.contract, algorithm, {**result.config, **info})
    return result.seconds


def validate(policy: Path, starts: int, robot: str | None) -> float:
    """Return the success rate of a policy on validation starts."""
    from guda_ros.workflows.evaluate import evaluate_file

    return evaluate_file(policy, 'validation', starts, robot).rate


def evaluate_arm(
    arm: str, seed: int, policies: Path, folder: Path, starts: int, contract, robot: str | None
) -> float:
    """Run one policy or demonstrator on the test starts; save outcomes, return the rate."""
    from guda_ros.data.files import atomic_target
    from guda_ros.soccer.starts import fixed_starts
    from guda_ros.workflows.evaluate import evaluate_demonstrator, evaluate_file

    target = folder / f'{arm}_{seed}.npz'
    if target.exists():
        with np.load(target) as saved:
            return float(saved['success'].mean())
    if arm.startswith('demonstrator'):
        style = 'clean' if arm.endswith('clean') else 'imperfect'
        places = fixed_starts('test', starts, contract.field)
        result = evaluate_demonstrator(style, contract, places, seed, robot)
    else:
        result = evaluate_file(policies / f'{arm}_{seed}.onnx', 'test', starts, robot)
    with atomic_target(target) as temporary, open(temporary, 'wb') as file:
        np.savez_compressed(file, success=result.success, steps=result.steps, out=result.out)
    return result.rate
