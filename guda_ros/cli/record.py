"""
Record demonstrations: every node in its own process over DDS, one MCAP recording an episode.

A scripted operator stands in for a person: it publishes a gamepad's sensor_msgs/Joy, and teleop
drives the robot. Episodes that are in the folder already are kept, so an interrupted job continues
where it was.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.common import add_contract, add_domain, add_names, load_contract, names_of
from guda_ros.workflows.terminal.arguments import positive

EXAMPLE = 'guda record --episodes 14 --out runs/mine/recordings'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument(
        '--out', type=Path, required=True, metavar='DIR', help='folder for the recordings'
    )
    parser.add_argument(
        '--episodes',
        type=positive,
        default=14,
        metavar='N',
        help='how many the folder is to hold (default: %(default)s)',
    )
    parser.add_argument(
        '--scenario',
        default='attack',
        metavar='NAME',
        help='kind of start: attack or centre (default: %(default)s)',
    )
    parser.add_argument(
        '--drive',
        action='store_true',
        help='record the drive of `guda identify` instead of demonstrations',
    )
    parser.add_argument(
        '--guide',
        default='',
        metavar='NAME',
        help='augment by this guide after each episode, into DIR/augmented_NAME.h5',
    )
    parser.add_argument('--images', action='store_true', help='record the camera too, as JPEG')
    add_contract(parser)
    add_domain(parser)
    add_names(parser)


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    from guda_ros.workflows.record import record, record_drive

    how = {
        'contract': args.contract,
        'robot': args.robot,
        'images': args.images,
        'domain': args.domain,
        'log_dir': args.log_dir,
        'names': names_of(args),
        'say': print,
    }
    if args.drive:
        drives = record_drive(args.out, **how)
        print(f'{args.out}: a drive of {len(drives)} recordings, for `guda identify`')
        return 0
    outcomes = record(args.out, args.episodes, scenario=args.scenario, guide=args.guide, **how)
    scored = sum(outcome.scored for outcome in outcomes)
    words = load_contract(args).words
    print(f'{args.out}: {len(outcomes)} episodes, {scored} {words.past}')
    return 0
