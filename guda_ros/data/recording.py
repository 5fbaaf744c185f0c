"""
Recordings: one rosbag2 folder an episode, `metadata.yaml` and an MCAP file.

A folder is written as `<id>.partial` and renamed when it is complete, so a folder without that
suffix is whole. Contract, episode and verdict travel in `custom_data` of metadata.yaml and in MCAP
metadata records. Messages are the serialized (CDR) bytes that were on the wire; reading them needs
no ROS installation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
import json
import os
from pathlib import Path
import re
import time

import yaml

from guda_ros import __version__
from guda_ros.data.contract import Contract
from guda_ros.data.files import DurableFile, PARTIAL, sync
from guda_ros.errors import GudaError

METADATA_FILE = 'metadata.yaml'
INTERRUPTED = '.interrupted'
_RECORD = 'guda_ros'
_ROSBAG2_VERSION = 9
#: What is held in memory while the disk is full, before new messages are refused.
_MAX_PENDING = 256 * 2**20


class RecordingError(GudaError):
    """A recording cannot be written or read; the message names it and what to do."""


@dataclass(frozen=True)
class RecordingInfo:
    """
    What is known about the episode of a recording.

    `topics` maps roles of the contract (`odom`, `ball`, ...) to topic names in the bag. Stamps are
    nanoseconds of ROS time: of the first observation and of the announced end. `started` is the
    wall clock (ISO 8601). `verdict` is empty until the recording is closed. `parameters` are what
    a simulator's domain randomisation drew, by name.
    """

    id: str
    scenario: str = ''
    start_index: int = -1
    seed: int = 0
    robot_start: tuple[float, float, float] | None = None
    operator: str = ''
    software: str = f'guda_ros {__version__}'
    started: str = ''
    start_stamp: int = 0
    end_stamp: int = 0
    verdict: str = ''
    message: str = ''
    topics: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    parameters: dict = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the information as JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> 'RecordingInfo':
        """
        Read what to_json wrote; keys of later versions are ignored.

        :raises ValueError: if it is something else.
        """
        try:
            values = json.loads(text)
            known = {item.name for item in fields(cls)}
            values = {key: value for key, value in values.items() if key in known}
            for key in ('robot_start', 'problems'):
                if values.get(key) is not None:
                    values[key] = tuple(values[key])
            return cls(**values)
        except (TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f'not the description of an episode: {error}') from error


class RecordingWriter:
    """
    Write one episode to `<directory>/<id>.partial`, renamed to `<directory>/<id>` by `close`.

    What was written is on the disk (fsync) after `flush`, which `write` calls when the last one is
    `interval` seconds ago; a timer that calls `flush_if_due` covers a stream that has stopped.
    When the disk takes no more, `flush` and `write` raise RecordingError, nothing is lost, and the
    next call tries again.

    :param contract: goes into the recording as JSON and hash.
    :param clock: seconds, for the interval only.
    :raises RecordingError: if a recording of that id exists (it is never overwritten) or none can
        be written.
    """

    def __init__(self, directory: str | os.PathLike, contract: Contract, info: RecordingInfo,
                 interval: float = 0.25, clock: Callable[[], float] = time.monotonic) -> None:
        from mcap.writer import Writer
        self.info = info
        self.path, self.partial = recording_paths(directory, info.id)
        self.messages = 0
        self._contract = contract
        self._interval = interval
        self._clock = clock
        self._types: dict[str, int] = {}
        self._topics: dict[str, dict] = {}
        self._first, self._last = 2**63 - 1, 0
        self._file = None
        self._behind = False
        for path, remedy in ((self.path, 'choose another episode id or folder'),
                             (self.partial, 'an interrupted recording: move it away first')):
            if path.exists():
                raise RecordingError(f'{path}: exists already and is not overwritten; {remedy}')
        try:
            self.partial.mkdir(parents=True)
            self._file = DurableFile(self.partial / f'{info.id}_0.mcap')
            self._mcap = Writer(self._file)
            self._mcap.start(profile='ros2', library=info.software)
            self._mcap.add_metadata(_RECORD, self._custom_data())
            self._file.commit()
        except OSError as error:
            self.abandon()
            raise RecordingError(f'{self.partial}: cannot be written: {error.strerror}; is there '
                                 'room on the disk, and may you write there?') from error
        self._flushed = clock()

    def add_topic(self, topic: str, message_type: str, role: str = '') -> None:
        """
        Announce a topic, such as `/odom` of `nav_msgs/msg/Odometry`.

        :param role: its key in the contract's topics, by which readers find it whatever its name.
        :raises RecordingError: for a message type that is not of a common ROS package.
        """
        definitions = load_definitions()
        if message_type not in definitions.fielddefs:
            raise RecordingError(f'{topic}: the definition of {message_type} is not known')
        if message_type not in self._types:
            text, _ = definitions.generate_msgdef(message_type, ros_version=2)
            self._types[message_type] = self._mcap.register_schema(
                message_type, 'ros2msg', text.encode())
        channel = self._mcap.register_channel(topic, 'cdr', self._types[message_type],
                                              {'offered_qos_profiles': '[]'})
        self._topics[topic] = {'channel': channel, 'count': 0, 'type': message_type,
                               'hash': definitions.hash_rihs01(message_type)}
        if role:
            self.info = replace(self.info, topics={**self.info.topics, role: topic})

    def write(self, topic: str, stamp: int, data: bytes) -> None:
        """
        Append a serialized message; `stamp` is when it was received, ROS time in nanoseconds.

        :raises RecordingError: if the disk takes no more; see the class.
        """
        if self._file.pending > _MAX_PENDING:
            raise RecordingError(f'{self.partial}: the disk is full, and so is the memory set '
                                 'aside for it; messages are being dropped: free some space')
        entry = self._topics[topic]
        self._mcap.add_message(entry['channel'], stamp, data, stamp, entry['count'])
        entry['count'] += 1
        self.messages += 1
        self._first, self._last = min(self._first, stamp), max(self._last, stamp)
        self.flush_if_due()

    @property
    def behind(self) -> bool:
        """Tell whether the disk has refused data that are now held in memory."""
        return self._behind

    def flush_if_due(self) -> None:
        """Flush if the last time is `interval` seconds ago."""
        if self._clock() - self._flushed >= self._interval:
            self.flush()

    def flush(self) -> None:
        """Bring what was written to the disk; RecordingError if it takes no more."""
        self._flushed = self._clock()
        self._mcap.flush()
        self._commit()

    def close(self, **outcome) -> Path:
        """
        Complete the recording and give it its final name, which is returned.

        :param outcome: fields of RecordingInfo that are known now: verdict, message, end_stamp,
            problems.
        :raises RecordingError: if that fails; what was written stays in the .partial folder.
        """
        self.info = replace(self.info, **outcome)
        try:
            self._mcap.add_metadata(_RECORD, self._custom_data())
            description = yaml.safe_dump(self._description(), sort_keys=False, width=10**6)
            self._mcap.add_metadata('rosbag2', {'serialized_metadata': description})
            self._mcap.finish()
            self._commit()
            self._file.close()
            metadata = DurableFile(self.partial / METADATA_FILE)
            metadata.write(description.encode())
            try:
                metadata.commit()
            finally:
                metadata.close()
            sync(self.partial)
            if self.path.exists():
                raise RecordingError(f'{self.path}: appeared while recording and is not '
                                     f'overwritten; the episode is in {self.partial}')
            os.rename(self.partial, self.path)
            sync(self.path.parent)
        except OSError as error:
            self._file.close()
            raise RecordingError(f'{self.partial}: could not be completed: {error.strerror}; '
                                 'what was recorded before stays there') from error
        return self.path

    def abandon(self) -> None:
        """Stop writing and leave what is on the disk in the .partial folder."""
        if self._file is not None:
            self._file.close()

    def _commit(self) -> None:
        try:
            self._file.commit()
            self._behind = False
        except OSError as error:
            self._behind = True
            raise RecordingError(
                f'{self.partial}: the disk takes no more: {error.strerror}; {self._file.pending} '
                'bytes are held in memory: free some space') from error

    def _custom_data(self) -> dict[str, str]:
        return {'contract': self._contract.to_json(), 'contract_hash': self._contract.hash,
                'episode': self.info.to_json()}

    def _description(self) -> dict:
        start = self._first if self.messages else 0
        duration = {'nanoseconds': max(0, self._last - start)}
        starting_time = {'nanoseconds_since_epoch': start}
        name = f'{self.info.id}_0.mcap'
        return {'rosbag2_bagfile_information': {
            'version': _ROSBAG2_VERSION,
            'storage_identifier': 'mcap',
            'duration': duration,
            'starting_time': starting_time,
            'message_count': self.messages,
            'topics_with_message_count': [
                {'topic_metadata': {'name': topic, 'type': entry['type'],
                                    'serialization_format': 'cdr', 'offered_qos_profiles': [],
                                    'type_description_hash': entry['hash']},
                 'message_count': entry['count']}
                for topic, entry in self._topics.items()],
            'compression_format': '',
            'compression_mode': '',
            'relative_file_paths': [name],
            'files': [{'path': name, 'starting_time': dict(starting_time),
                       'duration': dict(duration), 'message_count': self.messages}],
            'custom_data': self._custom_data(),
            # Whose message definitions the file holds.
            'ros_distro': 'kilted'}}


class RecordingReader:
    """
    Read a finished recording; a context manager.

    `info` and `contract` are what its writer knew.

    :raises RecordingError: if the folder is missing, interrupted, damaged or no recording of
        guda_ros.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        from rosbags.rosbag2 import Reader
        self.path = Path(path)
        if not self.path.is_dir():
            raise RecordingError(f'{self.path}: no such recording; `guda record` makes recordings')
        if not (self.path / METADATA_FILE).is_file():
            raise RecordingError(f'{self.path}: not a complete recording, {METADATA_FILE} is '
                                 'missing: it was interrupted; record the episode again')
        custom = self._read_custom_data()
        if not {'contract', 'contract_hash', 'episode'} <= custom.keys():
            raise RecordingError(f'{self.path}: a bag, but not one of guda_ros: it has no '
                                 'contract; record with the data collector')
        try:
            self.contract = Contract.from_json(custom['contract'])
            self.info = RecordingInfo.from_json(custom['episode'])
        except ValueError as error:
            raise RecordingError(f'{self.path}: {METADATA_FILE}: {error}') from error
        if self.contract.hash != custom['contract_hash']:
            raise RecordingError(f'{self.path}: {METADATA_FILE}: its contract does not fit its '
                                 'hash: it was edited or made by another version of guda_ros')
        self._bag = Reader(self.path)
        try:
            self._bag.open()
        except Exception as error:  # A parser of damaged bytes may raise anything.
            raise self._damaged(error) from error

    @property
    def topics(self) -> Mapping[str, int]:
        """Topic names and how many messages of each there are."""
        return {connection.topic: connection.msgcount for connection in self._bag.connections}

    def messages(self, topics: Iterable[str] | None = None) -> Iterator[tuple[str, int, object]]:
        """
        Yield topic, time of reception [ns] and message, in order of reception.

        Messages have the fields of their ROS types; arrays are NumPy arrays.

        :param topics: only these; all if None.
        :raises RecordingError: where the file is damaged.
        """
        wanted = None if topics is None else set(topics)
        connections = [item for item in self._bag.connections
                       if wanted is None or item.topic in wanted]
        if not connections:
            return
        definitions = load_definitions()
        source = self._bag.messages(connections)
        while True:
            try:
                connection, stamp, data = next(source)
                message = definitions.deserialize_cdr(data, connection.msgtype)
            except StopIteration:
                return
            except Exception as error:
                raise self._damaged(error) from error
            yield connection.topic, stamp, message

    def close(self) -> None:
        """Close the file."""
        if self._bag.is_open:
            self._bag.close()

    def _read_custom_data(self) -> dict:
        try:
            content = yaml.safe_load((self.path / METADATA_FILE).read_text(encoding='utf-8'))
            return dict(content['rosbag2_bagfile_information'].get('custom_data') or {})
        except (OSError, ValueError, TypeError, KeyError, AttributeError, yaml.YAMLError) as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> RecordingError:
        return RecordingError(f'{self.path}: damaged: {str(error) or type(error).__name__}; '
                              'remove it or record the episode again')

    def __enter__(self) -> 'RecordingReader':
        return self

    def __exit__(self, *_) -> None:
        self.close()


def recording_paths(directory: str | os.PathLike, episode: str) -> tuple[Path, Path]:
    """
    Return the final and the partial folder of an episode.

    :raises RecordingError: if its id cannot name a folder.
    """
    if (not re.fullmatch(r'[A-Za-z0-9_][A-Za-z0-9_.-]*', episode)
            or episode.endswith((PARTIAL, INTERRUPTED))):
        raise RecordingError(f'episode id {episode!r} cannot name a folder; letters, digits, "_", '
                             '"-" and "." are allowed')
    path = Path(directory) / episode
    return path, path.with_name(episode + PARTIAL)


def set_aside(
    directory: str | os.PathLike, episode: str, finished: bool = False
) -> Path | None:
    """
    Rename what an interrupted recording of `episode` left, so that it can be recorded again.

    :param finished: rename the finished recording instead, of an episode that was broken off.
    :return: where it is now (`<id>.interrupted`, `<id>-2.interrupted`, ...), or None if there was
        none.
    """
    left = recording_paths(directory, episode)[0 if finished else 1]
    if not left.exists():
        return None
    number, target = 1, left.with_name(f'{episode}{INTERRUPTED}')
    while target.exists():
        number += 1
        target = left.with_name(f'{episode}-{number}{INTERRUPTED}')
    os.rename(left, target)
    return target


def list_recordings(folder: str | os.PathLike) -> list[Path]:
    """
    Return the finished recordings in a folder, by name.

    :raises RecordingError: if there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise RecordingError(f'{folder}: no such folder; `guda record` makes recordings')
    return sorted(path for path in folder.iterdir() if (path / METADATA_FILE).is_file()
                  and path.suffix not in (PARTIAL, INTERRUPTED))


@lru_cache(maxsize=1)
def load_definitions():
    """Return the message definitions (a rosbags typestore); the first call takes .2 s."""
    from rosbags.typesys import get_typestore, Stores
    return get_typestore(Stores.ROS2_KILTED)
