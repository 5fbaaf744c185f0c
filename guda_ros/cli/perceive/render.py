"""
Render labelled pictures of random scenes in the simulator; what is there already is kept.

Scenes of the split `training` teach; those of `test` are made of other families of ball prints,
turfs, lights, cameras, robots and backdrops, which no training sees.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.workflows.terminal.arguments import natural, positive

HELP = 'render labelled pictures in the simulator'
EXAMPLE = 'guda perceive render --split test --pictures 96 --out runs/mine/renders'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='folder for them')
    parser.add_argument('--split', choices=('training', 'test'), default='test', help='families')
    parser.add_argument(
        '--pictures',
        type=positive,
        default=480,
        metavar='N',
        help='how many the folder is to hold (default: %(default)s)',
    )
    parser.add_argument(
        '--seed', type=natural, default=7, metavar='N', help='of the scenes (default: %(default)s)'
    )


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.workflows.perception.training import render_scenes

    rate = render_scenes(args.out, args.split, args.pictures, seed=args.seed, say=print)
    told = f', {rate:.1f} a second' if rate == rate else ', all there before'
    print(f'{args.out}: {args.pictures} pictures{told}')
    return 0
