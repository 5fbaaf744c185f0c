"""Bags of others (rosbag2 with MCAP or sqlite3), and recordings of this project (MCAP)."""

from __future__ import annotations

from contextlib import suppress
import copy
from dataclasses import dataclass, replace
import hashlib
import io
from pathlib import Path
import random
import sqlite3
import struct

from fuzz_mutants import DUMPER, mutate_bytes, mutate_json, mutate_yaml
from fuzz_runner import guda, Kind, Mutant, Refused
from fuzz_texts import must
from mcap.writer import CompressionType, Writer
import numpy as np
import yaml

_DOUBLES = (1e300, -1e300, 1e39, 1e6, -5e4, float('nan'), float('inf'), float('-inf'), 0.0, 1e-320)
_STAMPS = (0, 1, -1, 2**31 - 1, -(2**31), 10**9, 4_000_000_000, 12345)
_TYPES = (
    'nav_msgs/msg/Odometry',
    'geometry_msgs/msg/Twist',
    'std_msgs/msg/String',
    '',
    'x',
    'a/b',
)
_NAMES = ('', '/', 'x', '/odom', '/cmd_vel', '/ball', 'a b', '/pose', '\0', 'ä')
#: No robot and no ball is farther away than this [m].
_FAR = 1e4


def mutate_cdr(data: bytes, rng: random.Random) -> bytes:
    """Change numbers, the stamp, the frame or the length of a serialized message."""
    what = rng.randrange(8)
    buffer = bytearray(data)
    if what <= 3 and len(data) >= 16:
        # CDR aligns doubles to eight bytes after the encapsulation header of four.
        at = 4 + 8 * rng.randrange((len(data) - 4) // 8)
        struct.pack_into('<d', buffer, at, rng.choice(_DOUBLES))
    elif what == 4 and len(data) >= 12:
        stamp = rng.choice(_STAMPS), rng.choice((0, 2**32 - 1, 10**9 - 1))
        struct.pack_into('<iI', buffer, 4, max(-(2**31), min(stamp[0], 2**31 - 1)), stamp[1])
    elif what == 5 and len(data) >= 16:
        struct.pack_into('<I', buffer, 12, rng.choice((0, 1, 2**31, 2**32 - 1, 1000)))
    elif what == 6:
        del buffer[rng.randrange(len(buffer) + 1) :]
    else:
        return mutate_bytes(data, rng)
    return bytes(buffer)


@dataclass
class McapContent:
    """The records of an MCAP file, to be written again with changes."""

    library: str
    schemas: list
    channels: list
    messages: list
    metadata: list
    attachments: list

    @classmethod
    def read(cls, content: bytes) -> McapContent:
        """Read a valid file."""
        from mcap.records import Attachment, Channel, Header, Message, Metadata, Schema
        from mcap.stream_reader import StreamReader

        found: dict[type, list] = {}
        for record in StreamReader(io.BytesIO(content)).records:
            found.setdefault(type(record), []).append(record)
        unique = {
            kind: list({record.id: record for record in found.get(kind, ())}.values())
            for kind in (Schema, Channel)
        }
        return cls(
            found[Header][0].library,
            unique[Schema],
            unique[Channel],
            found.get(Message, []),
            found.get(Metadata, []),
            found.get(Attachment, []),
        )

    def written(self, rng: random.Random) -> bytes:
        """Return the file with changes of its records; chunks and checksums fit."""
        messages, metadata = list(self.messages), list(self.metadata)
        schemas, channels = list(self.schemas), list(self.channels)
        attachments = list(self.attachments)
        for _ in range(rng.choice((1, 1, 2, 3))):
            at = rng.randrange(len(messages)) if messages else 0
            what = rng.randrange(10)
            if what <= 2 and messages:
                for index in self._some(messages, at, rng):
                    messages[index] = replace(
                        messages[index], data=mutate_cdr(messages[index].data, rng)
                    )
            elif what == 3 and messages:
                del messages[at : at + rng.choice((1, 3, 1000))]
            elif what == 4 and messages:
                messages[at:at] = messages[at : at + rng.choice((1, 5))]
            elif what == 5 and messages:
                time = rng.choice((0, 1, 2**63, 2**64 - 1, messages[at].log_time + 10**15))
                messages[at] = replace(messages[at], log_time=time, publish_time=time)
            elif what == 6:
                index = rng.randrange(len(schemas))
                schemas[index] = replace(schemas[index], name=rng.choice(_TYPES))
            elif what == 7:
                index = rng.randrange(len(channels))
                channels[index] = replace(channels[index], topic=rng.choice(_NAMES))
            elif what == 8 and metadata:
                index = rng.randrange(len(metadata))
                record = metadata[index]
                metadata[index] = replace(record, metadata=mutate_record(record.metadata, rng))
            elif attachments:
                index = rng.randrange(len(attachments))
                record = attachments[index]
                text = mutate_json(record.data.decode(errors='replace'), rng)
                attachments[index] = replace(record, data=text.encode(errors='replace'))
        return self._write(schemas, channels, messages, metadata, attachments, rng)

    def _some(self, messages: list, at: int, rng: random.Random) -> list[int]:
        """Return one message, or all of its topic."""
        if rng.random() < 0.7:
            return [at]
        channel = messages[at].channel_id
        return [n for n, message in enumerate(messages) if message.channel_id == channel]

    def _write(self, schemas, channels, messages, metadata, attachments, rng) -> bytes:
        file = io.BytesIO()
        packing = rng.choice((CompressionType.ZSTD, CompressionType.NONE))
        writer = Writer(file, chunk_size=rng.choice((512, 4096, 10**6)), compression=packing)
        writer.start(profile='ros2', library=self.library)
        known = {0: 0}
        for schema in schemas:
            known[schema.id] = writer.register_schema(schema.name, schema.encoding, schema.data)
        numbers = {
            channel.id: writer.register_channel(
                channel.topic, channel.message_encoding, known[channel.schema_id], channel.metadata
            )
            for channel in channels
        }
        for record in metadata[:1]:
            writer.add_metadata(record.name, record.metadata)
        for message in messages:
            writer.add_message(
                numbers[message.channel_id], message.log_time, message.data, message.publish_time
            )
        for record in attachments:
            writer.add_attachment(
                record.create_time, record.log_time, record.name, record.media_type, record.data
            )
        for record in metadata[1:]:
            writer.add_metadata(record.name, record.metadata)
        writer.finish()
        return file.getvalue()


def mutate_record(record: dict, rng: random.Random) -> dict:
    """Change what a recording says of itself; in half the cases the contract's hash fits."""
    record = dict(record)
    key = rng.choice(('contract', 'episode', 'contract_hash', *record))
    if key in ('contract', 'episode'):
        record[key] = mutate_json(str(record.get(key, '')), rng)
    elif rng.random() < 0.5:
        record.pop(key, None)
    else:
        record[key] = rng.choice(('', '{}', 'null', '[]', '5', 'x' * 3000))
    if rng.random() < 0.7 and 'contract' in record:
        text = record['contract'].encode(errors='replace')
        record['contract_hash'] = hashlib.sha256(text).hexdigest()[:16]
    return {str(name): text.encode(errors='replace').decode() for name, text in record.items()}


def judge_episode(episode, sound: bool = True) -> None:
    """Raise Nonsense where training data cannot be."""
    usable = episode.usable
    for states in (episode.world_states[:-1][usable], episode.world_states[1:][usable]):
        must(bool((np.abs(states) < _FAR).all()), 'a place too far away is usable')
    must(bool((np.abs(episode.commands[usable]) < _FAR).all()), 'a command beyond all limits')
    must(len(episode) <= 20_000, 'an episode without end')
    # The doctor tells of a data set in which stamps go back.
    must(not sound or bool((np.diff(episode.stamps) > 0).all()), 'stamps that do not go forward')


class Bags(Kind):
    """Bags of others: metadata.yaml with MCAP or sqlite3, or a bare MCAP file."""

    def prepare(self, folder: Path) -> None:
        from bag_scene import write_bag, write_chunked

        from guda_ros.data.exchange.rosbag import Mapping

        self.bags = {}
        for storage in ('sqlite3', 'mcap'):
            path = write_bag(folder / storage, storage=storage, seconds=1.5)
            self.bags[storage] = {
                f'bag/{file.name}': file.read_bytes() for file in sorted(path.iterdir())
            }
        bare = write_chunked(folder / 'bare.mcap', seconds=1.5).read_bytes()
        self.bags['bare'] = {'bare.mcap': bare}
        self.content = {
            kind: McapContent.read(next(data for name, data in files.items() if '.mcap' in name))
            for kind, files in self.bags.items()
            if kind != 'sqlite3'
        }
        self.mapping = folder / 'mapping.yaml'
        roles = {'pose': '/robot_pose', 'ball': '/ball', 'command': '/cmd_vel'}
        frames = {'map': 'world', 'odom': 'odom', 'base': 'base_footprint'}
        self.mapping.write_text(
            yaml.safe_dump(
                {
                    'contract': 'soccer_push',
                    'topics': roles,
                    'frames': frames,
                    'tolerance': 0.2,
                    'command_hold': 0.5,
                    'verdict': 'auto',
                }
            )
        )
        self.roles = Mapping.load(str(self.mapping))
        self.folder = folder

    def valid(self) -> list[Mutant]:
        return [
            Mutant(files, 'bare.mcap' if kind == 'bare' else 'bag')
            for kind, files in self.bags.items()
        ]

    def mutant(self, rng: random.Random) -> Mutant:
        kind = rng.choice(list(self.bags))
        files = dict(self.bags[kind])
        path = 'bare.mcap' if kind == 'bare' else 'bag'
        names = list(files)
        name = rng.choice(names)
        if rng.random() < 0.03:
            del files[name]
            return Mutant(files, path)
        if name.endswith('.yaml'):
            files[name] = mutate_yaml(files[name].decode(), rng)
        elif rng.random() < 0.5:
            files[name] = mutate_bytes(files[name], rng)
        elif kind == 'sqlite3':
            files[name] = self._sqlite(files[name], rng)
        else:
            files[name] = self.content[kind].written(rng)
        if rng.random() < 0.05:
            data = next(name for name in names if not name.endswith('.yaml'))
            return Mutant({Path(data).name: files[data]}, Path(data).name)
        return Mutant(files, path)

    def _sqlite(self, content: bytes, rng: random.Random) -> bytes:
        path = self.folder / 'changed.db3'
        path.write_bytes(content)
        base = sqlite3.connect(path)
        try:
            rows = base.execute('SELECT id, data FROM messages').fetchall()
            for row, data in rng.sample(rows, rng.choice((1, 2, 20))):
                what = rng.randrange(5)
                if what <= 1:
                    change = (
                        'UPDATE messages SET data = ? WHERE id = ?',
                        (mutate_cdr(data, rng), row),
                    )
                elif what == 2:
                    time = rng.choice((0, -1, 2**62, 'x', None, 1.5, 10**18))
                    change = 'UPDATE messages SET timestamp = ? WHERE id = ?', (time, row)
                elif what == 3:
                    column = rng.choice(('name', 'type', 'serialization_format'))
                    value = rng.choice((*_TYPES, *_NAMES, None, 5, b'\xff'))
                    change = (
                        f'UPDATE topics SET {column} = ? WHERE id = ?',
                        (value, rng.randrange(4)),
                    )
                else:
                    table = rng.choice(('messages', 'topics', 'metadata', 'schema'))
                    change = f'DROP TABLE IF EXISTS {table}', ()
                try:
                    base.execute(*change)
                except sqlite3.Error:
                    pass
            base.commit()
        finally:
            base.close()
        return path.read_bytes()

    def read(self, path: Path, out: Path, rng: random.Random) -> None:
        from guda_ros.data.exchange.rosbag import import_bag

        if rng.random() < 0.3:
            with suppress(Refused):
                guda('data', 'doctor', path)
        if rng.random() < 0.5:
            guda('data', 'info', path)
        episode = import_bag(path, self.roles)
        judge_episode(episode)
        if rng.random() < 0.05:
            made = out / 'set'
            guda('data', 'import', path, '--mapping', self.mapping, '--out', made)
            guda('data', 'doctor', made)


class Recordings(Kind):
    """Recordings of this project: one MCAP file and metadata.yaml."""

    def prepare(self, folder: Path) -> None:
        from recording_scene import write_recording

        write_recording(folder, steps=12)
        path = folder / 'episode_0'
        self.files = {f'rec/{file.name}': file.read_bytes() for file in sorted(path.iterdir())}
        self.name = next(name for name in self.files if name.endswith('.mcap'))
        self.content = McapContent.read(self.files[self.name])
        self.metadata = yaml.safe_load(self.files['rec/metadata.yaml'])

    def valid(self) -> list[Mutant]:
        return [Mutant(self.files, 'rec')]

    def mutant(self, rng: random.Random) -> Mutant:
        files, path = dict(self.files), 'rec'
        if rng.random() < 0.3:
            files['rec/metadata.yaml'] = self._metadata(rng)
        elif rng.random() < 0.4:
            files[self.name] = mutate_bytes(files[self.name], rng)
        else:
            files[self.name] = self.content.written(rng)
        if rng.random() < 0.05:
            del files[rng.choice(list(files))]
        if rng.random() < 0.1:
            files = {name.replace('rec/', 'broken/'): data for name, data in files.items()}
            return Mutant(files, 'broken', may_move=True)
        return Mutant(files, path)

    def _metadata(self, rng: random.Random) -> bytes:
        text = self.files['rec/metadata.yaml'].decode()
        if rng.random() < 0.5:
            return mutate_yaml(text, rng)
        values = copy.deepcopy(self.metadata)
        custom = values['rosbag2_bagfile_information']['custom_data']
        values['rosbag2_bagfile_information']['custom_data'] = mutate_record(custom, rng)
        return yaml.dump(values, Dumper=DUMPER, allow_unicode=True).encode()

    def read(self, path: Path, out: Path, rng: random.Random) -> None:
        from guda_ros.data.episodes import read_episode

        verbs = [verb for verb in (('data', 'doctor'), ('info',)) if rng.random() < 0.25]
        for verb in verbs:
            with suppress(Refused):
                guda(*verb, path)
        if path.name == 'broken':
            guda('data', 'repair', path)
            return
        episode = read_episode(path)
        judge_episode(episode)
        if rng.random() < 0.05:
            guda('convert', path, '--out', out / 'set')
            guda('data', 'doctor', out / 'set')
