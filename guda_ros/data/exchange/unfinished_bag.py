"""Bags that a power cut, a full disk or a kill left without their end: what is whole in them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from guda_ros.data.recording.mcap_scan import McapScan


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


def open_unfinished(path: Path) -> UnfinishedBag | None:
    """Return what can be read of a .mcap file or a folder of them, None if there is nothing."""
    files = [path] if path.is_file() else sorted(path.glob('*.mcap'))
    files = [file for file in files if file.suffix == '.mcap']
    if not files:
        return None
    bag = UnfinishedBag(files)
    return bag if bag.connections else None
