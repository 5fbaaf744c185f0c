"""Turn recorded episodes (MCAP) into a Minari data set, through their contract."""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.errors import GudaError

HELP = 'recordings to a data set (Minari)'
EXAMPLE = 'guda convert runs/mine/recordings --out runs/mine/dataset'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument(
        'recordings', type=Path, nargs='+', help='folders of recordings, or single recordings'
    )
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='data set to make')
    parser.add_argument(
        '--skip-damaged',
        action='store_true',
        help='leave damaged recordings out instead of stopping at the first',
    )


def convert(paths: list[Path], target: Path, skip_damaged: bool = False, say=print) -> list:
    """
    Write the recordings to a Minari data set and return its episodes.

    :raises GudaError: for a recording that is damaged or of another contract than the first.
    """
    from guda_ros.data.datasets import write_minari
    from guda_ros.data.episodes import read_episode
    from guda_ros.data.recording import RecordingError, RecordingReader

    episodes, contract = [], None
    for path in paths:
        try:
            if contract is None:
                with RecordingReader(path) as reader:
                    contract = reader.contract
            episode = read_episode(path, contract)
        except RecordingError as error:
            if not skip_damaged:
                raise
            say(f'    left out: {error}')
            continue
        usable = int(episode.usable.sum())
        say(
            f'    {episode.id:<22} {episode.verdict:<8} {episode.duration:5.1f} s  '
            f'{usable:4d} of {len(episode):4d} steps usable'
        )
        for problem in episode.problems:
            say(f'        {problem}')
        episodes.append(episode)
    if not episodes:
        raise RecordingError('there is no complete recording; `guda record` makes recordings')
    write_minari(target, episodes, contract)
    return episodes


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    from guda_ros.data.recording import list_recordings, METADATA_FILE

    # Before the recordings are read, which takes a while.
    if args.out.exists():
        raise GudaError(f'{args.out}: exists already and is not overwritten; choose another name')
    paths = []
    for folder in args.recordings:
        paths += [folder] if (folder / METADATA_FILE).is_file() else list_recordings(folder)
    episodes = convert(paths, args.out, args.skip_damaged)
    print(
        f'{args.out}: {len(episodes)} episodes, {sum(e.success for e in episodes)} scored, '
        f'{sum(int(e.usable.sum()) for e in episodes)} usable steps'
    )
    return 0
