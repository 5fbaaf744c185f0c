"""Write a recording so that no more than the last moment of it can be lost."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
import json
import os
from pathlib import Path
import time
from typing import Any

from mcap.writer import Writer
import yaml

from guda_ros.data.contract import Contract
from guda_ros.data.files import DurableFile, remove, sync
from guda_ros.data.recording.info import (
    load_definitions,
    METADATA_FILE,
    recording_paths,
    RecordingError,
    RecordingInfo,
)
from guda_ros.data.verdicts import BROKEN_OFF

#: Name of the MCAP metadata record that tells contract and episode; the last one of a file counts.
RECORD = 'guda_ros'
QUALITY = 'quality.json'
_ROSBAG2_VERSION = 9
#: The one in C is ten times faster, where PyYAML has it.
_DUMPER = getattr(yaml, 'CSafeDumper', yaml.SafeDumper)
#: What is held in memory while the disk is full, before new messages are refused.
_MAX_PENDING = 256 * 2**20


@dataclass
class _Topic:
    type: str
    hash: str
    role: str
    count: int = 0
    channel: int = 0


@dataclass
class _Part:
    """One MCAP file of a recording."""

    name: str
    file: DurableFile
    mcap: Writer | None
    opened: float
    schemas: dict[str, int] = field(default_factory=dict)
    messages: int = 0
    first: int = 2**63 - 1
    last: int = 0

    def span(self) -> dict[str, Any]:
        """Return what rosbag2 says of a file's time."""
        start = self.first if self.messages else 0
        return {
            'starting_time': {'nanoseconds_since_epoch': start},
            'duration': {'nanoseconds': max(0, self.last - start)},
            'message_count': self.messages,
        }


class RecordingWriter:
    """
    Write one episode to `<directory>/<id>.partial`, renamed to `<directory>/<id>` by `close`.

    What was written is handed to the disk and synced whenever `write` or `flush_if_due` is called
    and the last time is `interval` seconds ago; a timer that calls `flush_if_due` covers a stream
    that has stopped. When the disk takes no more, `flush` and `write` raise RecordingError,
    nothing is lost, and the next call tries again.

    A long recording continues in another file every `split` seconds, so that its index does not
    grow in memory and only the last file can be without its end.

    :param contract: goes into the recording as JSON and hash.
    :param documents: name -> text of what else describes the episode, such as `profile.yaml`.
    :param clock: seconds, for interval and split only.
    :raises RecordingError: if a recording of that id exists (it is never overwritten) or none can
        be written.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        contract: Contract,
        info: RecordingInfo,
        interval: float = 0.25,
        clock: Callable[[], float] = time.monotonic,
        *,
        documents: Mapping[str, str] | None = None,
        split: float = 300.0,
    ) -> None:
        self.info = info
        self.path, self.partial = recording_paths(directory, info.id)
        self._contract = contract
        self._documents = dict(documents or {})
        self._interval = interval
        self._split = split
        self._clock = clock
        self._topics: dict[str, _Topic] = {}
        self._parts: list[_Part] = []
        self._behind = False
        self._described = True
        self._finished = False
        self._yaml = ''
        for path, remedy in (
            (self.path, 'choose another episode id or folder'),
            (self.partial, 'an interrupted recording: move it away first'),
        ):
            if path.exists():
                raise RecordingError(f'{path}: exists already and is not overwritten; {remedy}')
        try:
            self.partial.mkdir(parents=True)
            self._open_part()
            self._part.file.commit()
            sync(self.partial)
            sync(self.partial.parent)
        except OSError as error:
            self.abandon()
            raise RecordingError(
                f'{self.partial}: cannot be written: {error.strerror}; is there '
                'room on the disk, and may you write there?'
            ) from error
        self._flushed = clock()

    @property
    def messages(self) -> int:
        """Number of messages so far."""
        return sum(part.messages for part in self._parts)

    @property
    def bytes(self) -> int:
        """Size so far."""
        return sum(part.file.tell() for part in self._parts)

    @property
    def behind(self) -> bool:
        """Tell whether the disk has refused data that are now held in memory."""
        return self._behind

    @property
    def slowest_sync(self) -> float:
        """The longest time [s] that the disk took for a sync."""
        return max(part.file.slowest for part in self._parts)

    @property
    def _part(self) -> _Part:
        return self._parts[-1]

    @property
    def _mcap(self) -> Writer:
        """Writer of the present part, which has one until another part follows it."""
        mcap = self._part.mcap
        assert mcap is not None
        return mcap

    def _open_part(self) -> None:
        name = f'{self.info.id}_{len(self._parts)}.mcap'
        file = DurableFile(self.partial / name)
        self._parts.append(_Part(name, file, Writer(file), self._clock()))
        self._mcap.start(profile='ros2', library=self.info.software)
        self._mcap.add_metadata(RECORD, self._description())
        for document, text in self._documents.items():
            self._attach(document, text)
        for topic in self._topics:
            self._register(topic)

    def _attach(self, name: str, text: str) -> None:
        media = 'application/json' if name.endswith('.json') else 'text/yaml'
        self._mcap.add_attachment(0, 0, name, media, text.encode())

    def add_topic(self, topic: str, message_type: str, role: str = '') -> None:
        """
        Announce a topic, such as `/odom` of `nav_msgs/msg/Odometry`.

        :param role: its key in the contract's topics, by which readers find it whatever its name.
        :raises RecordingError: for a message type that is not of a common ROS package.
        """
        definitions = load_definitions()
        if message_type not in definitions.fielddefs:
            raise RecordingError(f'{topic}: the definition of {message_type} is not known')
        self._topics[topic] = _Topic(message_type, definitions.hash_rihs01(message_type), role)
        self._register(topic)
        if role:
            self.info = replace(self.info, topics={**self.info.topics, role: topic})
            self._described = False

    def _register(self, name: str) -> None:
        topic, part = self._topics[name], self._part
        if topic.type not in part.schemas:
            text, _ = load_definitions().generate_msgdef(topic.type, ros_version=2)
            part.schemas[topic.type] = self._mcap.register_schema(
                topic.type, 'ros2msg', text.encode()
            )
        topic.channel = self._mcap.register_channel(
            name,
            'cdr',
            part.schemas[topic.type],
            {'offered_qos_profiles': '[]', 'role': topic.role},
        )

    def write(self, topic: str, stamp: int, data: builtins.bytes) -> None:
        """
        Append a serialized message; `stamp` is when it was received, ROS time in nanoseconds.

        :raises RecordingError: if the disk takes no more; see the class.
        """
        part, entry = self._part, self._topics[topic]
        if part.file.pending > _MAX_PENDING:
            raise RecordingError(
                f'{self.partial}: the disk is full, and so is the memory set '
                'aside for it; messages are being dropped: free some space'
            )
        self._mcap.add_message(entry.channel, stamp, data, stamp, entry.count)
        entry.count += 1
        part.messages += 1
        part.first, part.last = min(part.first, stamp), max(part.last, stamp)
        self.flush_if_due()

    def flush_if_due(self) -> None:
        """Flush if the last time is `interval` seconds ago."""
        if self._clock() - self._flushed >= self._interval:
            self.flush(wait=False)
            if self._clock() - self._part.opened >= self._split:
                self._next_part()

    def flush(self, wait: bool = True) -> None:
        """
        Hand what was written to the disk; RecordingError if it takes no more.

        :param wait: until it is synced.
        """
        self._flushed = self._clock()
        if not self._described:
            self._mcap.add_metadata(RECORD, self._description())
            self._described = True
        self._mcap.flush()
        self._commit(wait)

    def _next_part(self) -> None:
        """Complete the present file and go on in another."""
        part, mcap = self._part, self._mcap
        try:
            self._open_part()
            sync(self.partial)
        except OSError as error:
            self._behind = True
            raise RecordingError(
                f'{self.partial}: the disk takes no further file: '
                f'{error.strerror}; free some space'
            ) from error
        finally:
            if self._part is not part:
                mcap.finish()
                # Its index is as long as the file.
                part.mcap = None
        self._commit(wait=False)

    def close(self, quality: Mapping[str, Any] | None = None, **outcome: Any) -> Path:
        """
        Complete the recording and give it its final name, which is returned.

        :param quality: the quality report, plain values.
        :param outcome: fields of RecordingInfo that are known now: verdict, message, end_stamp,
            problems.
        :raises RecordingError: if that fails; what was written stays in the .partial folder, and
            another call tries again.
        """
        try:
            if not self._finished:
                self.info = replace(self.info, **outcome)
                if self.info.verdict not in BROKEN_OFF:
                    self.info = replace(self.info, success=self.info.verdict == 'scored')
                if quality is not None:
                    self._documents[QUALITY] = json.dumps(quality, sort_keys=True)
                    self._attach(QUALITY, self._documents[QUALITY])
                self._mcap.add_metadata(RECORD, self._description())
                self._yaml = yaml.dump(self._bag(), Dumper=_DUMPER, sort_keys=False, width=10**6)
                self._mcap.add_metadata('rosbag2', {'serialized_metadata': self._yaml})
                self._mcap.finish()
                self._finished = True
            self._commit(wait=True)
            self._write_metadata()
            if self.path.exists():
                raise RecordingError(
                    f'{self.path}: appeared while recording and is not '
                    f'overwritten; the episode is in {self.partial}'
                )
            os.rename(self.partial, self.path)
            sync(self.path.parent)
        except OSError as error:
            self._behind = True
            raise RecordingError(
                f'{self.partial}: could not be completed: {error.strerror}; '
                'what was recorded before stays there'
            ) from error
        self.abandon()
        return self.path

    def _write_metadata(self) -> None:
        path = self.partial / METADATA_FILE
        # What an earlier call could not complete.
        remove(path)
        file = DurableFile(path)
        try:
            file.write(self._yaml.encode())
            file.commit()
        finally:
            file.close()
        sync(self.partial)

    def abandon(self) -> None:
        """Stop writing and leave what is on the disk where it is."""
        for part in self._parts:
            part.file.close()

    def _commit(self, wait: bool) -> None:
        try:
            for part in self._parts:
                part.file.commit(wait)
                if part.mcap is None and part.file.synced:
                    part.file.close()
            self._behind = False
        except OSError as error:
            self._behind = True
            pending = sum(part.file.pending for part in self._parts)
            raise RecordingError(
                f'{self.partial}: the disk takes no more: {error.strerror}; {pending} '
                'bytes are held in memory: free some space'
            ) from error

    def _description(self) -> dict[str, str]:
        return {
            'contract': self._contract.to_json(),
            'contract_hash': self._contract.hash,
            'episode': self.info.to_json(),
        }

    def _bag(self) -> dict[str, Any]:
        first = min(part.first for part in self._parts) if self.messages else 0
        last = max(part.last for part in self._parts)
        return {
            'rosbag2_bagfile_information': {
                'version': _ROSBAG2_VERSION,
                'storage_identifier': 'mcap',
                'duration': {'nanoseconds': max(0, last - first)},
                'starting_time': {'nanoseconds_since_epoch': first},
                'message_count': self.messages,
                'topics_with_message_count': [
                    {
                        'topic_metadata': {
                            'name': name,
                            'type': topic.type,
                            'serialization_format': 'cdr',
                            'offered_qos_profiles': [],
                            'type_description_hash': topic.hash,
                        },
                        'message_count': topic.count,
                    }
                    for name, topic in self._topics.items()
                ],
                'compression_format': '',
                'compression_mode': '',
                'relative_file_paths': [part.name for part in self._parts],
                'files': [{'path': part.name, **part.span()} for part in self._parts],
                'custom_data': {**self._description(), **self._documents},
                # Whose message definitions the file holds.
                'ros_distro': 'kilted',
            }
        }
