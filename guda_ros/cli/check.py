"""
Look at a robot whose driver runs: what fits, what lacks, and what to do.

Listens for some seconds to what the driver sends and looks at who hears commands: topics, types,
quality of service, encoding, calibration, rates, stamps and clocks, frames, joints, the ball.
Nothing is moved. Exit code 0: it fits; 1: something lacks; 2: wrong usage.
"""

from __future__ import annotations

import argparse

from guda_ros.cli.common import (
    add_adapter,
    add_contract,
    add_domain,
    add_json,
    add_names,
    add_node_settings,
    names_of,
    print_check,
)
from guda_ros.workflows.terminal.arguments import positive_number

EXAMPLE = """\
guda check robot --robot booster_t1 --domain 0 --network
  guda check robot --robot turtlebot4 --remap image_raw:=/oakd/rgb/preview/image_raw --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument('action', choices=('robot',), help='what to look at')
    add_contract(parser)
    add_adapter(parser)
    add_domain(parser, None, '$ROS_DOMAIN_ID or 0, where the driver is')
    parser.add_argument(
        '--seconds',
        type=positive_number,
        default=5.0,
        metavar='S',
        help='how long to listen (default: %(default)s)',
    )
    add_json(parser)
    add_node_settings(parser)
    add_names(parser)


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    from guda_ros.ros.graph.table import GraphOptions
    from guda_ros.workflows.robots.checking import check_robot
    from guda_ros.workflows.up import read_overrides

    found = check_robot(
        GraphOptions(
            contract=args.contract,
            robot=args.robot or '',
            adapter=args.adapter,
            local=not args.network,
            overrides=read_overrides(args.set),
            names=names_of(args),
        ),
        domain=args.domain,
        seconds=args.seconds,
    )
    return print_check(
        found,
        args.json,
        f'ROS domain {found.domain}, {found.seconds:.1f} s',
        'it fits: `guda up robot` or `guda teleop robot` with the same options',
    )
