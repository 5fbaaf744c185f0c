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
    return max(_describe(path) for path in args.paths)


def _describe(path: Path) -> int:
    from guda_ros.cli import info
    from guda_ros.data.exchange.rosbag_samples import is_foreign

    if is_foreign(path):
        return _bag(path)
    return info.run(argparse.Namespace(path=path))


def _bag(path: Path) -> int:
    from guda_ros.data.exchange.rosbag_samples import bag_topics
    from guda_ros.workflows.terminal.tables import print_table

    found = bag_topics(path)
    print(
        f'{path}: a bag of others, {sum(count for _, count in found.values())} messages; '
        '`guda data import` makes a data set of it'
    )
    print_table(
        [[topic, kind, count] for topic, (kind, count) in sorted(found.items())],
        ['topic', 'type', 'messages'],
    )
    return 0
