"""
Join data sets or recordings of one contract to one data set, or sets of transitions to one.

An episode that is in several of them is taken once; another one of the same name gets a new one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.data import common

HELP = 'join data sets'
EXAMPLE = 'guda data merge runs/mine/dataset runs/demo/convert/dataset --out runs/ours'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument(
        'sources',
        type=Path,
        nargs='+',
        metavar='PATH',
        help=common.SOURCE_HELP + '; or only sets of transitions (.h5)',
    )
    parser.add_argument(
        '--out', type=Path, required=True, metavar='PATH', help='data set, or .h5 file, to make'
    )


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.data.transitions import TransitionSet
    from guda_ros.workflows.data.editing import merge

    joined = merge(args.sources, args.out, say=print)
    if isinstance(joined, TransitionSet):
        print(f'{args.out}: {len(joined)} transitions from {len(joined.episode_ids)} episodes')
    else:
        common.print_data_set(joined)
    return 0
