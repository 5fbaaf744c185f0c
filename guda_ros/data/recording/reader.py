"""
Recordings: one rosbag2 folder an episode, `metadata.yaml` and MCAP files.

A folder is written as `<id>.partial` and renamed when it is complete, so a folder without that
suffix is whole. Contract, episode and verdict travel in `custom_data` of metadata.yaml and in MCAP
metadata records. Messages are the serialized (CDR) bytes that were on the wire; reading them needs
no ROS installation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
import json
import os
from pathlib import Path
from typing import Any

from guda_ros.arguments import as_path
from guda_ros.data.contract import Contract
from guda_ros.data.files import PARTIAL
from guda_ros.data.recording.bags import close_bag, open_bag, read_messages, read_metadata
from guda_ros.data.recording.info import (
    DISCARDED,
    INTERRUPTED,
    load_definitions,
    METADATA_FILE,
    recording_paths,
    RecordingError,
    RecordingInfo,
)
from guda_ros.data.recording.writer import QUALITY, RecordingWriter

__all__ = [
    'DISCARDED',
    'INTERRUPTED',
    'METADATA_FILE',
    'RecordingError',
    'RecordingInfo',
    'RecordingReader',
    'RecordingWriter',
    'list_recordings',
    'load_definitions',
    'recording_paths',
    'set_aside',
    'unfinished',
]

#: Keys of custom_data that are no documents.
_OWN = ('contract', 'contract_hash', 'episode')


class RecordingReader:
    """
    Read a finished recording; a context manager.

    `info` and `contract` are what its writer knew, `documents` what else it put in: name -> text.

    :raises RecordingError: if the folder is missing, interrupted, damaged or no recording of
        guda_ros.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = as_path(path, 'recording')
        if not self.path.is_dir():
            raise RecordingError(f'{self.path}: no such recording; `guda record` makes recordings')
        if not (self.path / METADATA_FILE).is_file():
            raise RecordingError(
                f'{self.path}: not a complete recording, {METADATA_FILE} is '
                f'missing: it was interrupted; `guda data repair {self.path}` '
                'recovers it'
            )
        custom = self._read_custom_data()
        if not set(_OWN) <= custom.keys():
            raise RecordingError(
                f'{self.path}: a bag, but not one of guda_ros: it has no '
                'contract; `guda data import` makes a data set of it'
            )
        try:
            self.contract = Contract.from_json(custom['contract'])
            self.info = RecordingInfo.from_json(custom['episode'])
            self.documents = {
                name: text
                for name, text in custom.items()
                if name not in _OWN and isinstance(text, str)
            }
        except ValueError as error:
            raise RecordingError(f'{self.path}: {METADATA_FILE}: {error}') from error
        if self.contract.hash != custom['contract_hash']:
            raise RecordingError(
                f'{self.path}: {METADATA_FILE}: its contract does not fit its '
                'hash: it was edited or made by another version of guda_ros'
            )
        try:
            self._bag = open_bag(self.path)
        except Exception as error:  # A parser of damaged bytes may raise anything.
            raise self._damaged(error) from error

    @property
    def quality(self) -> dict[str, Any] | None:
        """The quality report, see quality_report; None where the recording has none."""
        try:
            report = json.loads(self.documents[QUALITY])
        except (KeyError, ValueError, RecursionError):
            return None
        fits = (
            isinstance(report, dict)
            and isinstance(report.get('good'), bool)
            and isinstance(report.get('reasons'), list)
            and all(isinstance(reason, str) for reason in report['reasons'])
        )
        return report if fits else None

    @property
    def topics(self) -> Mapping[str, int]:
        """Topic names and how many messages of each there are."""
        return {connection.topic: connection.msgcount for connection in self._bag.connections}

    def messages(self, topics: Iterable[str] | None = None) -> Iterator[tuple[str, int, Any]]:
        """
        Yield topic, time of reception [ns] and message, in order of reception.

        Messages have the fields of their ROS types; arrays are NumPy arrays.

        :param topics: only these; all if None.
        :raises RecordingError: where the file is damaged.
        """
        wanted = None if topics is None else set(topics)
        connections = [
            item for item in self._bag.connections if wanted is None or item.topic in wanted
        ]
        if not connections:
            return
        for connection, stamp, message in read_messages(self._bag, connections, self._damaged):
            yield connection.topic, stamp, message

    def close(self) -> None:
        """Close the file."""
        if self._bag.is_open:
            close_bag(self._bag)

    def _read_custom_data(self) -> dict[str, Any]:
        try:
            return dict(read_metadata(self.path).get('custom_data') or {})
        except (OSError, ValueError, TypeError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> RecordingError:
        return RecordingError(
            f'{self.path}: damaged: {str(error) or type(error).__name__}; '
            f'`guda data repair {self.path}` recovers what is whole'
        )

    def __enter__(self) -> RecordingReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def set_aside(
    directory: str | os.PathLike[str],
    episode: str,
    finished: bool = False,
    suffix: str = INTERRUPTED,
) -> Path | None:
    """
    Rename what an interrupted recording of `episode` left, so that it can be recorded again.

    :param finished: rename the finished recording instead, of an episode that was broken off.
    :param suffix: INTERRUPTED or DISCARDED.
    :return: where it is now (`<id>.interrupted`, `<id>-2.interrupted`, ...), or None if there was
        none.
    """
    left = recording_paths(directory, episode)[0 if finished else 1]
    if not left.exists():
        return None
    number, target = 1, left.with_name(f'{episode}{suffix}')
    while target.exists():
        number += 1
        target = left.with_name(f'{episode}-{number}{suffix}')
    os.rename(left, target)
    return target


def list_recordings(folder: str | os.PathLike[str]) -> list[Path]:
    """
    Return the finished recordings in a folder, by name.

    :raises RecordingError: if there is no such folder.
    """
    folder = as_path(folder, 'recordings')
    if not folder.is_dir():
        raise RecordingError(f'{folder}: no such folder; `guda record` makes recordings')
    return sorted(
        path
        for path in folder.iterdir()
        if (path / METADATA_FILE).is_file()
        and path.suffix not in (PARTIAL, INTERRUPTED, DISCARDED)
    )


def unfinished(folder: str | os.PathLike[str]) -> list[str]:
    """Say of the recordings in a folder that are not complete what to do about them."""
    return [
        f'{path}: is being recorded, or was interrupted: then `guda data repair {folder}` '
        'recovers it'
        for path in sorted(as_path(folder).glob(f'[!.]*{PARTIAL}'))
        if path.is_dir()
    ]
