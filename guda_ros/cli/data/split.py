"""Divide the episodes of a data set into two, as for training and validation."""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.data import common
from guda_ros.data.files import refuse_target
from guda_ros.workflows.terminal.arguments import natural

HELP = 'divide a data set into two'
EXAMPLE = 'guda data split runs/mine/dataset --share 0.8 --out runs/mine/split'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument('source', type=Path, metavar='PATH', help=common.SOURCE_HELP)
    parser.add_argument(
        '--share',
        type=common.share,
        default=0.8,
        metavar='X',
        help='of the episodes that goes to the first set (default: %(default)s)',
    )
    parser.add_argument(
        '--seed',
        type=natural,
        default=0,
        metavar='N',
        help='of the drawing (default: %(default)s)',
    )
    parser.add_argument(
        '--names',
        nargs=2,
        default=('train', 'validation'),
        metavar=('A', 'B'),
        help='of the two sets (default: train validation)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        required=True,
        metavar='DIR',
        help='folder in which the two data sets are made',
    )


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.data.sets.editing import split
    from guda_ros.errors import GudaError

    if args.names[0] == args.names[1]:
        raise GudaError(f'--names: two names that differ are needed, not twice {args.names[0]!r}')
    targets = [args.out / name for name in args.names]
    for target in targets:
        refuse_target(target)
    source = common.read(args.source)
    for target, episodes in zip(targets, split(source.episodes, args.share, args.seed)):
        common.write(target, episodes, source.contract)
    return 0
