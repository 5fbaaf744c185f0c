"""What the data tools read: data sets, sets of transitions, recordings and folders of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
import os
from pathlib import Path

from guda_ros.arguments import as_path
from guda_ros.data.contract import Contract
from guda_ros.data.episodes import Episode, read_episode
from guda_ros.data.recording.reader import (
    list_recordings,
    METADATA_FILE,
    RecordingError,
    RecordingReader,
    unfinished,
)
from guda_ros.data.sets.editing import Joined, merge
from guda_ros.data.transitions import DataSetError, transitions, TransitionSet

DATA_SET, RECORDING, RECORDINGS, TRANSITIONS = 'data set', 'recording', 'recordings', 'transitions'


def kind_of(path: str | os.PathLike[str]) -> str:
    """
    Tell what there is at a path: one of DATA_SET, RECORDING, RECORDINGS and TRANSITIONS.

    :raises DataSetError: if there is nothing, or nothing of these.
    """
    path = as_path(path)
    if not path.exists():
        raise DataSetError(f'{path}: no such file or folder')
    if path.is_file() and path.suffix == '.h5':
        return TRANSITIONS
    if (path / 'metadata.json').is_file():
        return DATA_SET
    if (path / METADATA_FILE).is_file():
        return RECORDING
    if path.is_dir() and list_recordings(path):
        return RECORDINGS
    raise DataSetError(
        f'{path}: neither a data set, nor a set of transitions (.h5), nor a '
        'recording or a folder of recordings'
    )


@dataclass(frozen=True)
class Source:
    """
    Episodes of one contract.

    recordings: the folder of each, empty for a data set. damaged: a sentence for every recording
    that could not be read, or is not complete. notes: a sentence for every episode that was there
    twice and is taken once, or got another id because an earlier one has it.
    """

    path: Path
    kind: str
    contract: Contract
    episodes: list[Episode]
    recordings: tuple[Path, ...] = ()
    damaged: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_source(path: str | os.PathLike[str], contract: Contract | None = None) -> Source:
    """
    Read a data set, a recording or a folder of recordings.

    :param contract: refuse a data set of another one, if given.
    :raises ContractMismatch: naming what differs.
    :raises DataSetError: if there are no episodes; what is damaged in a folder is only named.
    """
    path = as_path(path)
    kind = kind_of(path)
    if kind == TRANSITIONS:
        raise DataSetError(
            f'{path}: a set of transitions has no episodes; give the data set or '
            'the recordings that it was made of'
        )
    if kind == DATA_SET:
        from guda_ros.data.sets.minari import read_minari, read_minari_contract

        episodes, told = merge([read_minari(path, contract)])
        return Source(path, kind, read_minari_contract(path), episodes, notes=tuple(told))
    found = [path] if kind == RECORDING else list_recordings(path)
    damaged = [] if kind == RECORDING else unfinished(path)
    joined = Joined()
    notes: list[str] = []
    read: list[Path] = []
    for folder in found:
        try:
            if contract is None:
                with RecordingReader(folder) as reader:
                    contract = reader.contract
            note = joined.add(read_episode(folder, contract))
        except RecordingError as error:
            damaged.append(str(error))
            continue
        if note:
            notes.append(f'{note} ({folder})')
        if len(joined.episodes) > len(read):
            read.append(folder)
    episodes = joined.episodes
    if not episodes or contract is None:
        raise DataSetError(f'{path}: no recording there can be used: ' + '; '.join(damaged))
    return Source(path, kind, contract, episodes, tuple(read), tuple(damaged), tuple(notes))


def read_steps(path: str | os.PathLike[str]) -> TransitionSet:
    """
    Return the usable steps of a data set; `notes` in its info tell what was there twice.

    :raises DataSetError: if it cannot be read.
    """
    from guda_ros.data.sets.minari import read_minari, read_minari_contract

    episodes, notes = merge([read_minari(path)])
    steps = transitions(episodes, read_minari_contract(path))
    return replace(steps, info={**steps.info, 'notes': notes}) if notes else steps
