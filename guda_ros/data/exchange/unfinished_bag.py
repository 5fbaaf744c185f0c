"""Bags that a power cut, a full disk or a kill left without their end: what is whole in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
import re
import shutil
import sqlite3
import tempfile
from typing import TYPE_CHECKING

from guda_ros.data.recording.bags import close_bag, open_bag
from guda_ros.data.recording.info import METADATA_FILE
from guda_ros.data.recording.mcap_scan import McapScan

if TYPE_CHECKING:
    from rosbags.rosbag2 import Reader

#: SQLite keeps what is not in the database yet in a file of this name beside it.
_WAL = '-wal'


@dataclass(frozen=True)
class Connection:
    """A topic of a bag, with the names that rosbags gives its parts."""

    topic: str
    msgtype: str
    msgcount: int


class UnfinishedBag:
    """
    The messages of whole chunks of MCAP files, with the interface of a rosbags Reader.

    connections: the topics that have messages. problems: a sentence for each file that lacks its
    end or has damaged parts.
    """

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        counts: Counter[str] = Counter()
        types: dict[str, str] = {}
        problems = []
        for file in files:
            scan = McapScan(file)
            counts.update(topic for topic, _, _ in scan.messages())
            types.update(scan.types)
            if not scan.complete or scan.damage:
                lost = '; '.join(scan.damage)
                problems.append(
                    f'{file.name} lacks its end: {scan.whole} of {scan.size} bytes could be read'
                    + (f'; {lost}' if lost else '')
                )
        self.connections = [
            Connection(topic, types.get(topic, ''), count) for topic, count in counts.items()
        ]
        self.problems = tuple(problems)

    def messages(
        self, connections: Iterable[Connection]
    ) -> Iterator[tuple[Connection, int, bytes]]:
        """Yield connection, time of reception [ns] and message, file by file."""
        wanted = {connection.topic: connection for connection in connections}
        for file in self._files:
            for topic, received, data in McapScan(file).messages():
                if topic in wanted:
                    yield wanted[topic], received, data

    def close(self) -> None:
        """Do nothing: files are closed when they are read."""


class UnfinishedDatabase:
    """
    The messages of .db3 files whose recorder did not close them, as UnfinishedBag has them.

    SQLite keeps the newest messages in a file beside the database until it is closed; they are
    brought together in a copy, and what the user has is left as it is.

    :raises Exception: of SQLite or rosbags, if a file cannot be read.
    """

    def __init__(self, files: list[Path]) -> None:
        self._copies = tempfile.TemporaryDirectory(prefix='guda_bag_')
        self._readers: list[Reader] = []
        problems = []
        try:
            for file in files:
                copy = Path(shutil.copy(file, self._copies.name))
                if has_journal(file):
                    shutil.copy(f'{file}{_WAL}', self._copies.name)
                    problems.append(
                        f'{file.name} was not closed: the newest messages are those of '
                        f'{file.name}{_WAL} beside it'
                    )
                    with closing(sqlite3.connect(copy)) as database:
                        database.execute('PRAGMA wal_checkpoint(TRUNCATE)')
                        database.execute('PRAGMA journal_mode = DELETE')
                self._readers.append(open_bag(copy))
        except BaseException:
            self.close()
            raise
        counts: Counter[str] = Counter()
        types: dict[str, str] = {}
        for reader in self._readers:
            for item in reader.connections:
                counts[item.topic] += item.msgcount
                types[item.topic] = item.msgtype
        self.connections = [Connection(name, types[name], count) for name, count in counts.items()]
        self.problems = tuple(problems)

    def messages(
        self, connections: Iterable[Connection]
    ) -> Iterator[tuple[Connection, int, bytes]]:
        """Yield connection, time of reception [ns] and message, file by file."""
        wanted = {connection.topic: connection for connection in connections}
        for reader in self._readers:
            chosen = [item for item in reader.connections if item.topic in wanted]
            for item, received, data in reader.messages(chosen) if chosen else ():
                yield wanted[item.topic], received, data

    def close(self) -> None:
        """Close the copies and remove them."""
        for reader in self._readers:
            close_bag(reader)
        self._copies.cleanup()


def has_journal(path: Path) -> bool:
    """Tell whether a .db3 file, or one in a folder, has messages that are not in it yet."""
    files = [path] if path.is_file() else path.glob('*.db3')
    journals = (Path(f'{file}{_WAL}') for file in files)
    return any(journal.is_file() and journal.stat().st_size > 0 for journal in journals)


def open_unfinished(path: Path) -> UnfinishedBag | UnfinishedDatabase | None:
    """Return what can be read of MCAP or .db3 files, given or in a folder; None if nothing is."""
    databases = [path] if path.is_file() else sorted(path.glob('*.db3'), key=_numbered)
    databases = [file for file in databases if file.suffix == '.db3']
    # What a metadata.yaml that is there says of whole files is not guessed.
    if databases and (has_journal(path) or not (path / METADATA_FILE).is_file()):
        try:
            found = UnfinishedDatabase(databases)
        except Exception:  # SQLite and the reader may raise anything over damaged bytes.
            return None
        if found.connections:
            return found
        found.close()
        return None
    files = [path] if path.is_file() else sorted(path.glob('*.mcap'))
    files = [file for file in files if file.suffix == '.mcap']
    if not files:
        return None
    bag = UnfinishedBag(files)
    return bag if bag.connections else None


def _numbered(file: Path) -> list[tuple[int, str]]:
    """Return by what files of a bag are in order: bag_2 before bag_10."""
    return [
        (int(part), '') if part.isdigit() else (0, part) for part in re.split(r'(\d+)', file.stem)
    ]
