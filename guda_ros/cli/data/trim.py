"""
Cut episodes to what is worth learning from, and leave whole episodes out.

An episode whose end is cut off counts as aborted, because its outcome is not in it any more.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from guda_ros.cli.data import common
from guda_ros.data.files import refuse_target

if TYPE_CHECKING:
    from guda_ros.data.contract import Contract
    from guda_ros.data.episodes import Episode

HELP = 'cut episodes, leave episodes out'
EXAMPLE = 'guda data trim runs/mine/dataset --idle 0.5 --verdicts scored --out runs/mine/trimmed'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument('source', type=Path, metavar='PATH', help=common.SOURCE_HELP)
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='data set to make')
    parser.add_argument(
        '--episodes', nargs='+', metavar='ID', help='cut only these; the others are kept whole'
    )
    parser.add_argument(
        '--from',
        dest='start',
        type=common.seconds,
        default=0.0,
        metavar='S',
        help='cut what is before this time from the start [s]',
    )
    parser.add_argument(
        '--to',
        dest='stop',
        type=common.seconds,
        metavar='S',
        help='cut what is after this time from the start [s]',
    )
    parser.add_argument(
        '--idle',
        type=common.seconds,
        metavar='S',
        help='cut to so long before the first and after the last command [s]',
    )
    parser.add_argument('--drop', nargs='+', default=[], metavar='ID', help='leave these out')
    parser.add_argument(
        '--verdicts',
        nargs='+',
        metavar='V',
        help='keep only episodes that ended so, such as scored',
    )
    parser.add_argument(
        '--usable',
        type=common.share,
        metavar='X',
        help='keep only episodes with at least this share of usable steps',
    )


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.data.verdicts import VERDICTS
    from guda_ros.errors import GudaError

    refuse_target(args.out)
    source = common.read(args.source)
    known = {episode.id for episode in source.episodes}
    unknown = [name for name in (*(args.episodes or ()), *args.drop) if name not in known]
    if unknown:
        raise GudaError(
            f'{args.source}: no episode {", ".join(unknown)}; there are {", ".join(sorted(known))}'
        )
    for verdict in args.verdicts or ():
        if verdict not in VERDICTS:
            raise GudaError(f'--verdicts: {verdict!r} is none of {", ".join(VERDICTS)}')
    kept = [
        _trimmed(episode, source.contract, args)
        for episode in source.episodes
        if _is_kept(episode, args)
    ]
    if not kept:
        raise GudaError('no episode is left; nothing was written')
    common.write(args.out, kept, source.contract)
    return 0


def _is_kept(episode: Episode, args: argparse.Namespace) -> bool:
    if episode.id in args.drop or (args.verdicts and episode.verdict not in args.verdicts):
        return False
    return args.usable is None or float(episode.usable.mean()) >= args.usable


def _trimmed(episode: Episode, contract: Contract, args: argparse.Namespace) -> Episode:
    from guda_ros.data.sets.editing import cut, driven_steps, seconds_to_steps

    if args.episodes and episode.id not in args.episodes:
        return episode
    first, last = seconds_to_steps(episode, args.start, args.stop)
    if args.idle is not None:
        begin, end = driven_steps(episode, round(args.idle * contract.rate))
        first, last = max(first, begin), min(last, end)
    return cut(episode, first, last)
