"""
Make a data set of rosbag2 bags (MCAP or sqlite3) that others recorded.

Every bag becomes an episode. Without --mapping the bags have to use the topic names of the
contract; a mapping (see config/imports/example.yaml) says which topics and frames they use.
Commands may be Twist or TwistStamped. Poses are interpolated at the control rate where samples are
close enough; what is missing stays missing and is told.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.common import add_contract
from guda_ros.cli.data import common

HELP = 'bags that others recorded to a data set'
EXAMPLE = """\
guda data import bags/* --mapping my_robot.yaml --out runs/theirs
      # bags: what you recorded; my_robot.yaml: as config/imports/example.yaml"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument(
        'bags',
        type=Path,
        nargs='+',
        metavar='BAG',
        help='folder with metadata.yaml, or a .mcap or .db3 file',
    )
    parser.add_argument(
        '--mapping',
        metavar='NAME',
        help='topics by role, a name in config/imports or a YAML file; it names the contract',
    )
    add_contract(parser)
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='data set to make')


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.workflows.data.exchange import import_bags

    common.print_data_set(
        import_bags(
            args.bags,
            args.out,
            mapping=args.mapping,
            contract=args.contract,
            robot=args.robot,
            say=print,
        )
    )
    return 0
