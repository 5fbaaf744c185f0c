"""
Write a data set in the format of another library.

robomimic: its HDF5 structure. npz: the arrays of D4RL, which d3rlpy and others take; sets of
transitions (.h5) too. lerobot: a folder in LeRobot's format 3.0, without images. Where a sample is
missing or the ball was lost an episode is cut: nothing is filled in.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from guda_ros.cli.data import common
from guda_ros.data.files import refuse_target
from guda_ros.workflows.terminal.arguments import natural

if TYPE_CHECKING:
    from guda_ros.data.sets.sources import Source

HELP = 'to robomimic, D4RL (NPZ) or LeRobot'
EXAMPLE = 'guda data export runs/mine/dataset --format robomimic --out runs/mine/demo.hdf5'
FORMATS = ('robomimic', 'npz', 'lerobot')


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


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.data.sets.sources import kind_of, TRANSITIONS
    from guda_ros.data.sets.trajectories import trajectories
    from guda_ros.errors import GudaError

    refuse_target(args.out)
    if args.validation and args.format != 'robomimic':
        raise GudaError(f'--validation: {args.format} has no such list; use `guda data split`')
    if kind_of(args.source) == TRANSITIONS:
        return _transitions(args)
    source = common.read(args.source)
    parts, contract = trajectories(source.episodes, source.contract), source.contract
    if args.format == 'npz':
        from guda_ros.data.exchange.d4rl import write_npz

        write_npz(args.out, parts, contract)
    elif args.format == 'lerobot':
        from guda_ros.data.exchange.lerobot import write_lerobot

        write_lerobot(args.out, parts, contract)
    else:
        from guda_ros.data.exchange.robomimic import write_robomimic

        write_robomimic(args.out, parts, contract, _validation(source, args))
    steps, whole = sum(map(len, parts)), sum(len(episode) for episode in source.episodes)
    print(
        f'{args.out}: {args.format}, {len(parts)} trajectories from {len(source.episodes)} '
        f'episodes, {steps} of {whole} steps'
    )
    return 0


def _validation(source: Source, args: argparse.Namespace) -> list[str]:
    from guda_ros.data.sets.editing import split

    if not args.validation:
        return []
    _, held_out = split(source.episodes, 1.0 - args.validation, args.seed)
    return [episode.id for episode in held_out]


def _transitions(args: argparse.Namespace) -> int:
    from guda_ros.data.exchange.d4rl import write_transitions_npz
    from guda_ros.data.transitions import TransitionSet
    from guda_ros.errors import GudaError

    if args.format != 'npz':
        raise GudaError(
            f'{args.source}: {args.format} takes whole trajectories; export the data '
            'set, or choose --format npz'
        )
    steps = TransitionSet.load(args.source)
    write_transitions_npz(args.out, steps)
    print(f'{args.out}: npz, {len(steps)} transitions')
    return 0
