"""Recordings to a Minari data set, through their contract."""

from __future__ import annotations

from collections.abc import Iterable
import os
from pathlib import Path
from types import NoneType

from guda_ros.arguments import as_path, as_paths
from guda_ros.data.contract import Contract
from guda_ros.data.episodes import Episode, read_episode
from guda_ros.data.files import refuse_target
from guda_ros.data.recording.reader import (
    list_recordings,
    METADATA_FILE,
    RecordingError,
    RecordingReader,
    unfinished,
)
from guda_ros.data.sets.editing import Joined
from guda_ros.data.sets.minari import write_minari
from guda_ros.data.sets.sources import DATA_SET, Source
from guda_ros.errors import naming_extras
from guda_ros.workflows.progress import Say, silent


@naming_extras()
def convert(
    recordings: str | os.PathLike | Iterable[str | os.PathLike],
    out: str | os.PathLike,
    *,
    contract: str | os.PathLike | Contract | None = None,
    robot: str | os.PathLike | None = None,
    skip_damaged: bool = False,
    say: Say = silent,
) -> Source:
    """
    Write recordings to a Minari data set, as `guda convert` does, and return it.

        data = guda_ros.convert('runs/mine/recordings', 'runs/mine/dataset')
        print(len(data.episodes), sum(episode.usable.sum() for episode in data.episodes))

    :param recordings: recordings, or folders of them, one or several; what is unfinished in a
        folder is left out. A recording that is there twice is taken once, and another one of the
        same id gets a new one, as in `guda data merge`.
    :param contract: of the set: task in config/tasks, a YAML file or a Contract; by default the
        recordings' own.
    :param robot: profile of the contract, by default the one that it names.
    :param skip_damaged: leave damaged recordings out instead of stopping at the first.
    :raises GudaError: for a recording that is damaged or of another contract, if there is none,
        or if `out` is there.
    """
    given, out = as_paths(recordings, 'recordings'), as_path(out, 'out')
    refuse_target(out)
    paths: list[Path] = []
    for folder in given:
        if (folder / METADATA_FILE).is_file():
            paths.append(folder)
            continue
        paths += list_recordings(folder)
        for problem in unfinished(folder):
            say(f'    left out: {problem}')
    if robot is not None or not isinstance(contract, (Contract, NoneType)):
        contract = Contract.load('soccer_push' if contract is None else contract, robot)
    joined = Joined()
    used: list[Path] = []
    for path in paths:
        try:
            with RecordingReader(path) as reader:
                contract = contract or reader.contract
                quality = reader.quality or {}
            episode = read_episode(path, contract)
        except RecordingError as error:
            if not skip_damaged:
                raise
            say(f'    left out: {error}')
            continue
        note, count = joined.add(episode), len(joined.episodes)
        if note:
            say(f'    {note} ({path})')
        if count == len(used):
            continue
        used.append(path)
        say(describe(joined.episodes[-1]))
        for problem in episode.problems:
            say(f'        {problem}')
        if quality.get('reasons'):
            say(f'        not good enough: {"; ".join(quality["reasons"])}')
    episodes = joined.episodes
    if not episodes:
        raise RecordingError('there is no complete recording; `guda record` makes recordings')
    write_minari(out, episodes, contract)
    return Source(out, DATA_SET, contract, episodes, tuple(used))


def describe(episode: Episode) -> str:
    """Return a line that says how an episode ended and how much of it can be used."""
    return (
        f'    {episode.id:<22} {episode.verdict:<8} {episode.duration:5.1f} s  '
        f'{int(episode.usable.sum()):4d} of {len(episode):4d} steps usable'
    )
