"""
Run the whole loop, from demonstrations over ROS 2 to a report.

Every stage leaves a mark when it is finished; an interrupted run continues with the stage that it
was in. A stage is run again when its settings, the robot profile, the contract or a guide change.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.common import add_contract, add_domain

EXAMPLE = 'guda demo --out runs/demo\n  guda demo --quick --out runs/quick'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('runs/demo'),
        metavar='DIR',
        help='folder of the run (default: %(default)s)',
    )
    parser.add_argument(
        '--fresh',
        action='store_true',
        help='begin anew; an earlier run in that folder is kept under another name',
    )
    parser.add_argument(
        '--quick',
        action='store_true',
        help='a small run that tries every stage; its numbers mean nothing',
    )
    add_contract(parser)
    add_domain(parser, logs='log in that of the run')


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    from guda_ros.workflows.demo import demo

    demo(
        args.out,
        quick=args.quick,
        fresh=args.fresh,
        contract=args.contract,
        robot=args.robot,
        domain=args.domain,
        log_dir=args.log_dir,
        say=print,
    )
    return 0
