"""
Cut episodes to what is worth learning from, and leave whole episodes out.

An episode whose end is cut off counts as aborted, because its outcome is not in it any more.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.data import common

HELP = 'cut episodes, leave episodes out'
EXAMPLE = 'guda data trim runs/mine/dataset --idle 0.5 --verdicts scored --out runs/mine/trimmed'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument('source', type=Path, metavar='PATH', help=common.SOURCE_HELP)
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='data set to make')
    parser.add_argument(
        '--episodes', nargs='+', metavar='ID', help='cut only these; the others are kept whole'
    )
    parser.add_argument(
        '--from',
        dest='start',
        type=common.seconds,
        default=0.0,
        metavar='S',
        help='cut what is before this time from the start [s]',
    )
    parser.add_argument(
        '--to',
        dest='stop',
        type=common.seconds,
        metavar='S',
        help='cut what is after this time from the start [s]',
    )
    parser.add_argument(
        '--idle',
        type=common.seconds,
        metavar='S',
        help='cut to so long before the first and after the last command [s]',
    )
    parser.add_argument('--drop', nargs='+', default=[], metavar='ID', help='leave these out')
    parser.add_argument(
        '--verdicts',
        nargs='+',
        metavar='V',
        help='keep only episodes that ended so, such as scored',
    )
    parser.add_argument(
        '--usable',
        type=common.share,
        metavar='X',
        help='keep only episodes with at least this share of usable steps',
    )


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.workflows.data.editing import trim

    common.print_data_set(
        trim(
            args.source,
            args.out,
            episodes=args.episodes or (),
            start=args.start,
            stop=args.stop,
            idle=args.idle,
            drop=args.drop,
            verdicts=args.verdicts or (),
            usable=args.usable,
            say=print,
        )
    )
    return 0
