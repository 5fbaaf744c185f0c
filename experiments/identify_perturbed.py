"""
Recover the properties of simulated robots that the fit was not told.

Draws robots with other response times, delays, odometry scales and carpets, drives the protocol
with each and prints what `guda identify` finds, with the errors in percent.

    python experiments/identify_perturbed.py --count 20
"""

from __future__ import annotations

import argparse
import json

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.identification import trial
from guda_ros.identification.identify import identify
from guda_ros.soccer.robot import RobotProfile
from guda_ros.workflows.players import run_script
from guda_ros.workflows.terminal.arguments import natural, positive

_SHORT = {
    'walk.response_time.forward': 'forward',
    'walk.response_time.left': 'left',
    'walk.response_time.turn': 'turn',
    'walk.delay': 'delay',
    'odometry.translation_gain': 'distance',
    'odometry.yaw_gain': 'yaw',
    'ball.deceleration': 'ball',
}


def main() -> None:
    """Print one row a robot, the worst and the median error of each property, and JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--count', type=positive, default=20, metavar='N', help='robots (default: %(default)s)'
    )
    parser.add_argument(
        '--first-seed',
        type=natural,
        default=0,
        metavar='N',
        help='of the first robot, the others follow (default: %(default)s)',
    )
    parser.add_argument(
        '--robot',
        default='nao_v6',
        metavar='NAME',
        help='profile that is perturbed (default: %(default)s)',
    )
    run_script(run, parser)


def run(args: argparse.Namespace) -> None:
    """Perturb, drive, fit and compare."""
    contract, robot = Contract.load(robot=args.robot), RobotProfile.load(args.robot)
    print('found (error in %)')
    print('seed  ' + ''.join(f'{name:>16}' for name in _SHORT.values()))
    errors, sizes = [], []
    for seed in range(args.first_seed, args.first_seed + args.count):
        rng = np.random.default_rng([seed, 31])
        drawn, drawn_contract = trial.perturbed(robot, contract, rng)
        found = identify(trial.record(drawn, drawn_contract, rng), robot, contract.field).results
        true = trial.properties(drawn, drawn_contract)
        errors.append([100 * (found[name].value / value - 1) for name, value in true.items()])
        sizes.append(
            [(found[name].value - value) / found[name].deviation for name, value in true.items()]
        )
        cells = (
            f'{found[name].value:.3f} ({error:+.1f})' for name, error in zip(true, errors[-1])
        )
        print(f'{seed:4}  ' + ''.join(f'{cell:>16}' for cell in cells), flush=True)
    errors, sizes = np.abs(errors), np.abs(sizes)
    for title, values in (('worst', errors.max(axis=0)), ('median', np.median(errors, axis=0))):
        print(f'{title:6}' + ''.join(f'{value:14.1f} %' for value in values))
    print(
        'within two standard deviations: '
        + ', '.join(
            f'{name} {share:.2f}' for name, share in zip(_SHORT.values(), (sizes < 2).mean(axis=0))
        )
    )
    print(
        json.dumps(
            {
                'robots': len(errors),
                'worst_error': round(errors.max() / 100, 4),
                'within_10_percent': int((errors < 10).all(axis=1).sum()),
            }
        )
    )


if __name__ == '__main__':
    main()
