"""
Look at all that must be right before a robot moves for the first time: what lacks, what to do.

Starts the nodes of the graph robot beside the driver, looks as `guda check robot` does, and then
at contract, policy, limits, disk, clock and gamepad; presses the emergency stop, looks whether the
robot stands while it is told to, and releases the stop. Nothing is moved. Exit code 0: it may
move; 1: something lacks; 2: wrong usage.
"""

from __future__ import annotations

import argparse
import sys

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
guda preflight --robot nao_v6 --domain 0 --policy runs/demo/train/guided_0.onnx
  guda preflight --robot turtlebot4 --domain 0 --network --json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    add_contract(parser)
    add_adapter(parser)
    add_domain(parser, domain='$ROS_DOMAIN_ID or 0, where the driver is')
    parser.add_argument(
        '--policy',
        default='',
        metavar='FILE',
        help='policy that is to drive: is it of the contract?',
    )
    parser.add_argument(
        '--recordings',
        default='recordings',
        metavar='DIR',
        help='folder that episodes are to be recorded in (default: %(default)s)',
    )
    parser.add_argument(
        '--no-deadman',
        action='store_true',
        help='a gamepad is not needed, because the policy may move the robot without its dead-man',
    )
    parser.add_argument(
        '--seconds',
        type=positive_number,
        default=3.0,
        metavar='S',
        help='how long to listen to the driver (default: %(default)s)',
    )
    add_json(parser)
    add_node_settings(parser)
    add_names(parser)


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    from guda_ros.ros.graph.table import GraphOptions
    from guda_ros.workflows.robots.preflight import preflight
    from guda_ros.workflows.up import read_overrides

    found = preflight(
        GraphOptions(
            contract=args.contract,
            robot=args.robot or '',
            adapter=args.adapter,
            recordings=args.recordings,
            require_deadman=False if args.no_deadman else None,
            local=not args.network,
            overrides=read_overrides(args.set),
            names=names_of(args),
        ),
        policy=args.policy or None,
        domain=args.domain,
        seconds=args.seconds,
        log_dir=args.log_dir,
        say=lambda text: print(text, file=sys.stderr if args.json else sys.stdout),
    )
    fits = 'it may move: stand by to catch it'
    return print_check(found, args.json, '', fits, ': do not move it')
