"""Make many transitions from a few demonstrations, by the rules of a guide."""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.common import natural, positive, print_table, refuse_existing

HELP = 'augment demonstrations by a guide'
EXAMPLE = 'guda augment runs/mine/dataset --guide guided --count 200000 --out runs/mine/guided.h5'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument('dataset', type=Path, help='data set that `guda convert` made')
    parser.add_argument(
        '--guide',
        default='guided',
        metavar='NAME',
        help='guide in config/guides (guided, random), or a YAML file (default: %(default)s)',
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
    parser.add_argument('--overwrite', action='store_true', help='replace FILE')


def augment_dataset(
    dataset: Path, guide: str, count: int, seed: int, demonstrations: int | None, target: Path
) -> tuple:
    """Augment a data set, save the result and return it with its AcceptanceReport."""
    from guda_ros.augmentation.pipeline import augment
    from guda_ros.data.datasets import read_minari, read_minari_contract
    from guda_ros.data.selection import choose_demonstrations
    from guda_ros.data.transitions import transitions
    from guda_ros.tasks.registry import load_guide

    rules = load_guide(guide)
    contract = read_minari_contract(dataset)
    episodes = choose_demonstrations(read_minari(dataset), demonstrations, seed)
    made, report = augment(transitions(episodes, contract), rules, count, seed)
    made.save(target)
    return made, report


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    refuse_existing(args.out, args.overwrite)
    made, report = augment_dataset(
        args.dataset, args.guide, args.count, args.seed, args.demonstrations, args.out
    )
    print_table(
        [
            [
                rule,
                report.accepted[rule],
                report.proposed[rule],
                ', '.join(f'{reason} {n}' for reason, n in report.rejected[rule].items() if n),
            ]
            for rule in report.proposed
        ],
        ['rule', 'accepted', 'proposed', 'rejected'],
    )
    for note in report.notes:
        print(f'note: {note}')
    print(
        f'{args.out}: {len(made)} transitions from {len(made.episode_ids)} episodes '
        f'({sum(made.episode_success)} scored), {report.acceptance:.0%} accepted, '
        f'{report.seconds:.2f} s'
    )
    return 0
