"""Divide the episodes of a data set into two, as for training and validation."""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.data import common
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
    from guda_ros.workflows.data.editing import split

    for part in split(
        args.source, args.out, share=args.share, seed=args.seed, names=args.names, say=print
    ):
        common.print_data_set(part)
    return 0
