"""Say what a recording, data set or set of transitions holds, or any other rosbag2 bag."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = 'what recordings, data sets and bags hold'
EXAMPLE = 'guda data info runs/mine/dataset'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument(
        'paths',
        type=Path,
        nargs='+',
        metavar='PATH',
        help='data set, recording, folder of recordings, .h5, or a bag of others',
    )


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.cli.info import describe

    return max(describe(path, foreign=True) for path in args.paths)
