"""Make many transitions from a few demonstrations, by the rules of a guide."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from guda_ros.data.files import refuse_existing
from guda_ros.workflows.terminal.arguments import natural, positive
from guda_ros.workflows.terminal.tables import print_report, print_table

if TYPE_CHECKING:
    from guda_ros.augmentation.verify import Verification

EXAMPLE = 'guda augment runs/mine/dataset --guide guided --count 200000 --out runs/mine/guided.h5'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument(
        'dataset',
        type=Path,
        help='data set that `guda convert` made, or what the task of the guide reads',
    )
    parser.add_argument(
        '--guide',
        default='guided',
        metavar='NAME',
        help='guide in config/guides, or a YAML file (default: %(default)s); see `guda guide`',
    )
    parser.add_argument(
        '--count',
        type=positive,
        default=200_000,
        metavar='N',
        help='transitions to make (default: %(default)s)',
    )
    parser.add_argument(
        '--demonstrations',
        type=positive,
        default=None,
        metavar='N',
        help='use only this many episodes, drawn by --seed (default: all)',
    )
    parser.add_argument(
        '--seed',
        type=natural,
        default=0,
        metavar='N',
        help='of all that is drawn (default: %(default)s)',
    )
    parser.add_argument(
        '--out', type=Path, required=True, metavar='FILE', help='HDF5 file to make'
    )
    parser.add_argument(
        '--threads',
        type=positive,
        default=1,
        metavar='N',
        help='that work at the same time; the result is the same (default: %(default)s)',
    )
    parser.add_argument(
        '--verify',
        type=positive,
        nargs='?',
        const=2000,
        metavar='N',
        help='step N transitions again in the simulator, recorded ones too (default: 2000)',
    )
    parser.add_argument('--overwrite', action='store_true', help='replace FILE')


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    refuse_existing(args.out, args.overwrite)
    from guda_ros.workflows.augment import augment

    shown = {'next': 0.1}

    def progress(made: int, wanted: int) -> None:
        if wanted > 10**6 and made / wanted >= shown['next']:
            shown['next'] += 0.1
            print(f'  {made} of {wanted}')

    made = augment(
        args.dataset,
        args.guide,
        args.count,
        out=args.out,
        seed=args.seed,
        demonstrations=args.demonstrations,
        threads=args.threads,
        overwrite=args.overwrite,
        progress=progress,
    )
    recorded, report = made.recorded, made.report
    print_report(report)
    print(
        f'{args.out}: {args.count} transitions from {len(recorded.episode_ids)} episodes '
        f'({sum(recorded.episode_success)} {recorded.contract.words.past}), '
        f'{report.acceptance:.0%} accepted, '
        f'{report.seconds:.2f} s'
    )
    if args.verify:
        _print_errors(made.verify(args.verify))
    return 0


def _print_errors(errors: Mapping[str, Verification]) -> None:
    print('stepped again in the simulator (median, 99th percentile of the error):')
    rows = []
    for name, found in errors.items():
        rows.append(
            [name, found.count]
            + [
                f'{value:.2g}'
                for pair in (found.position, found.heading, found.reward)
                for value in pair
            ]
        )
    print_table(rows, ['', 'steps', 'm', 'm p99', 'rad', 'rad p99', 'reward', 'reward p99'])
