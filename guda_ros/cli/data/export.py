"""
Write a data set in the format of another library.

robomimic: its HDF5 structure. npz: the arrays of D4RL, which d3rlpy and others take; sets of
transitions (.h5) too. lerobot: a folder in LeRobot's format 3.0; of recordings that have pictures
(guda record --images) with what the camera saw, as videos. Where a sample or a picture is missing
or the ball was lost an episode is cut: nothing is filled in.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.data import common
from guda_ros.data.exchange import FORMATS, READERS
from guda_ros.workflows.terminal.arguments import natural

HELP = 'to robomimic, D4RL (NPZ) or LeRobot'
EXAMPLE = 'guda data export runs/mine/dataset --format robomimic --out runs/mine/demo.hdf5'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument(
        'source',
        type=Path,
        metavar='PATH',
        help=common.SOURCE_HELP + '; npz: also a set of transitions (.h5)',
    )
    parser.add_argument('--format', choices=FORMATS, required=True, help='what to write')
    parser.add_argument(
        '--out',
        type=Path,
        required=True,
        metavar='PATH',
        help='file, or folder for lerobot, to make',
    )
    parser.add_argument(
        '--validation',
        type=common.share,
        metavar='X',
        help='robomimic: share of the episodes for the filter key valid',
    )
    parser.add_argument(
        '--seed',
        type=natural,
        default=0,
        metavar='N',
        help='by which those are drawn (default: %(default)s)',
    )
    parser.add_argument(
        '--no-pictures',
        dest='pictures',
        action='store_false',
        help='lerobot: without what the camera saw',
    )


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.workflows.data.exchange import export_data

    made = export_data(
        args.source,
        args.format,
        args.out,
        validation=args.validation,
        seed=args.seed,
        pictures=args.pictures,
        say=print,
    )
    if made.episodes:
        print(
            f'{made.path}: {made.format}, {made.trajectories} trajectories from '
            f'{made.episodes} episodes, {made.steps} of {made.recorded_steps} steps'
            + (', with pictures' if made.pictures else '')
        )
    else:
        print(f'{made.path}: {made.format}, {made.steps} transitions')
    print(f'    {READERS[made.format]}')
    return 0
