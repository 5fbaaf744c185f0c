#!/usr/bin/env python3
"""
Decide by validation whether the observation includes the previous command, alike for all arms.

Takes the data set of a `guda demo` run, trains every arm with both layouts and every seed, and
judges each policy on validation starts, which no reported figure comes from.

    python experiments/choose_observation.py runs/demo
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from guda_ros.data.contract import robot_of
from guda_ros.workflows.parallel.workers import run_jobs
from guda_ros.workflows.terminal.arguments import positive
from guda_ros.workflows.terminal.tables import print_table
from guda_ros.workflows.train import load_transitions, train

ARMS = ('guided', 'raw', 'random')


def success(
    arm: str, with_command: bool, seed: int, run: Path, starts: int, updates: int | None
) -> float:
    """Train one policy and return its success rate on validation starts."""
    from guda_ros.evaluation.ball_visibility import SightedPolicy
    from guda_ros.evaluation.rollout import evaluate_policy
    from guda_ros.soccer.starts import fixed_starts

    paths = [run / 'convert' / 'dataset']
    if arm != 'raw':
        paths.append(run / 'augment' / f'{arm}_{seed}.h5')
    data = load_transitions(paths, 6, seed)
    features = [name for name in data.contract.observation if name != 'previous_command']
    if with_command:
        features.append('previous_command')
    data = replace(data, contract=replace(data.contract, observation=tuple(features)))
    network = train(data, 'bc', seed=seed, updates=updates, starts=0).policy()
    contract = data.contract
    places = fixed_starts('validation', starts, contract.field)
    robot = robot_of(contract)
    controller = SightedPolicy(network.predict, contract, robot, starts)
    return evaluate_policy(controller, contract, robot, places).rate


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('run', type=Path, help='folder of a `guda demo` run')
    parser.add_argument('--seeds', type=positive, default=5)
    parser.add_argument('--starts', type=positive, default=100)
    parser.add_argument('--updates', type=positive, default=None, help="default: BC's own")
    args = parser.parse_args()
    jobs = [
        (arm, with_command, seed, args.run, args.starts, args.updates)
        for arm in ARMS
        for with_command in (False, True)
        for seed in range(args.seeds)
    ]
    rates: dict[tuple, dict[int, float]] = {}
    for (arm, with_command, seed, *_), rate in run_jobs(success, jobs):
        rates.setdefault((arm, with_command), {})[seed] = rate
    rows = [
        [
            arm,
            'with' if with_command else 'without',
            float(np.mean(list(found.values()))),
            ' '.join(f'{found[seed]:.2f}' for seed in sorted(found)),
        ]
        for (arm, with_command), found in sorted(rates.items())
    ]
    print_table(rows, ['arm', 'previous command', 'success', 'by seed'])


if __name__ == '__main__':
    main()
