"""
Join data sets or recordings of one contract to one data set, or sets of transitions to one.

An episode that is in several of them is taken once; another one of the same name gets a new one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.data import common
from guda_ros.data.files import refuse_target

HELP = 'join data sets'
EXAMPLE = 'guda data merge runs/mine/dataset runs/demo/convert/dataset --out runs/ours'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument(
        'sources',
        type=Path,
        nargs='+',
        metavar='PATH',
        help=common.SOURCE_HELP + '; or only sets of transitions (.h5)',
    )
    parser.add_argument(
        '--out', type=Path, required=True, metavar='PATH', help='data set, or .h5 file, to make'
    )


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.data.sets.editing import merge
    from guda_ros.data.sets.sources import kind_of, TRANSITIONS
    from guda_ros.errors import GudaError

    refuse_target(args.out)
    kinds = [kind_of(path) for path in args.sources]
    if TRANSITIONS in kinds:
        if set(kinds) != {TRANSITIONS}:
            raise GudaError(
                'sets of transitions (.h5) and episodes cannot be joined: the former '
                'have lost what was between the steps; `guda train --data` takes both'
            )
        return _merge_transitions(args)
    sources, contract = [], None
    for path in args.sources:
        sources.append(common.read(path, contract))
        contract = sources[0].contract
        contract.require(sources[-1].contract, str(path))
    episodes, notes = merge(source.episodes for source in sources)
    for note in notes:
        print(f'    {note}')
    common.write(args.out, episodes, contract)
    return 0


def _merge_transitions(args: argparse.Namespace) -> int:
    from guda_ros.data.transitions import TransitionSet

    joined = TransitionSet.concatenate([TransitionSet.load(path) for path in args.sources])
    joined.save(args.out)
    print(f'{args.out}: {len(joined)} transitions from {len(joined.episode_ids)} episodes')
    return 0
