"""
Train the ball networks of renders and of labelled pictures; the same call goes on where it was.

Series that are left out of training are for `guda perceive evaluate --series`. The files say how
they were made, of what data and under which licences.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.workflows.terminal.arguments import natural, positive

HELP = 'train the networks'
EXAMPLE = """\
guda perceive train --sets pictures/humanoid_ball pictures/robocup_msl \\
      --leave-out yellow_static photo_a 20230709 --work runs/mine/eyes --out runs/mine/weights"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument(
        '--out', type=Path, required=True, metavar='DIR', help='folder for the two networks'
    )
    parser.add_argument(
        '--work',
        type=Path,
        required=True,
        metavar='DIR',
        help='folder for renders and checkpoints, gone on from',
    )
    parser.add_argument(
        '--sets', type=Path, nargs='+', default=[], metavar='DIR', help='labelled pictures'
    )
    parser.add_argument(
        '--leave-out', nargs='+', default=[], metavar='SERIES', help='series that are not seen'
    )
    parser.add_argument(
        '--renders',
        type=positive,
        default=1464,
        metavar='N',
        help='pictures of the simulator (default: %(default)s)',
    )
    parser.add_argument(
        '--effort',
        type=float,
        default=1.0,
        metavar='X',
        help='how long, 1 as the shipped networks (default: %(default)s)',
    )
    parser.add_argument('--seed', type=natural, default=1, metavar='N', help='of everything')


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.workflows.perception.training import train_perception

    train_perception(
        args.out,
        args.work,
        sets=args.sets,
        leave_out=args.leave_out,
        renders=args.renders,
        effort=args.effort,
        seed=args.seed,
        command=args.command,
        say=print,
    )
    print(f'wrote {args.out}')
    return 0
