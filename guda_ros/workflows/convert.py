"""Recordings to a Minari data set, through their contract."""

from __future__ import annotations

from pathlib import Path


def convert(
    paths: list[Path], target: Path, skip_damaged: bool = False, contract=None, say=print
) -> list:
    """
    Write the recordings to a Minari data set and return its episodes.

    :param contract: of the set; by default that of the first recording.
    :raises GudaError: for a recording that is damaged or of another contract.
    """
    from guda_ros.data.episodes import read_episode
    from guda_ros.data.recording.reader import RecordingError, RecordingReader
    from guda_ros.data.sets.minari import write_minari

    episodes = []
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
        usable = int(episode.usable.sum())
        say(
            f'    {episode.id:<22} {episode.verdict:<8} {episode.duration:5.1f} s  '
            f'{usable:4d} of {len(episode):4d} steps usable'
        )
        for problem in episode.problems:
            say(f'        {problem}')
        if quality.get('reasons'):
            say(f'        not good enough: {"; ".join(quality["reasons"])}')
        episodes.append(episode)
    if not episodes:
        raise RecordingError('there is no complete recording; `guda record` makes recordings')
    write_minari(target, episodes, contract)
    return episodes
