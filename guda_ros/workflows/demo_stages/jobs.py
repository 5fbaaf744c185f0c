"""Work of the demo in processes of its own; what is finished is not done again."""

from __future__ import annotations

from pathlib import Path


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
    from guda_ros.workflows.export import export
    from guda_ros.workflows.train import load_transitions, train

    checkpoint, policy = folder / f'{arm}_{seed}.pt', folder / f'{arm}_{seed}.onnx'
    if policy.exists() and checkpoint.exists():
        return load_checkpoint(checkpoint)[0].seconds
    paths = [dataset]
    if arm != 'raw':
        paths.append(augmented / f'{"guided" if arm == "td3_bc" else arm}_{seed}.h5')
    data = load_transitions(paths, demonstrations, seed)
    algorithm = 'td3_bc' if arm == 'td3_bc' else 'bc'
    learner = train(data, algorithm, seed=seed, updates=updates, starts=0).learner
    info = {
        'arm': arm,
        'seed': seed,
        'demonstrations': demonstrations,
        'rules': data.rule_counts(),
        'command': 'guda demo',
    }
    save_checkpoint(checkpoint, learner, info)
    export(checkpoint, policy, overwrite=True)
    return learner.seconds


def validate(policy: Path, starts: int, robot: str | None) -> float:
    """Return the success rate of a policy on validation starts."""
    from guda_ros.control.exported_policy import ExportedPolicy
    from guda_ros.soccer.starts import fixed_starts
    from guda_ros.workflows.evaluate import run_policy

    loaded = ExportedPolicy.load(policy)
    places = fixed_starts('validation', starts, loaded.contract.field)
    return run_policy(loaded, places, robot).rate
