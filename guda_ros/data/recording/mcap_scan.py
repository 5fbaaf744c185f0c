"""Read what is whole in an MCAP file, wherever it ends and whatever became of parts of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
import mmap
import os
from pathlib import Path
import struct
import zlib

from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Attachment, Channel, Chunk, Header, Message, Metadata, Schema
from mcap.stream_reader import breakup_chunk

_MAGIC = b'\x89MCAP0\r\n'
#: An opcode and a length come before each record.
_PREFIX = 9
#: Length of a footer with its prefix: two offsets and a checksum.
_FOOTER = _PREFIX + 8 + 8 + 4
#: How a chunk's header ends, and how far behind the chunk's begin that is.
_CHUNK_MARK, _MARK_OFFSET = b'\x04\x00\x00\x00zstd', 9 + 8 + 8 + 8 + 4
#: No chunk of ours is nearly as large: a length beyond this is a damaged one.
_MAX_CHUNK = 2**30


@dataclass
class McapScan:
    """
    The contents of an MCAP file that `messages` has gone through.

    complete: the file has its end. size, whole: bytes that there are, and that could be read.
    damage: sentences on what could not be read before the end. metadata: name -> the records of
    that name, in order. attachments: name -> content, with a checksum that fits. types: topic ->
    message type. roles: topic -> role, where our recorder noted it. library: what wrote the file,
    by its own header; None where that cannot be read.
    """

    path: Path
    complete: bool = False
    size: int = 0
    whole: int = 0
    damage: list[str] = field(default_factory=list)
    metadata: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    attachments: dict[str, bytes] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    library: str | None = None

    def first_metadata(self, name: str) -> dict[str, str]:
        """
        Return the first metadata record of a name; chunks are passed over unread.

        :raises KeyError: if there is none.
        """
        self.size = os.path.getsize(self.path)
        if self.size <= len(_MAGIC):
            raise KeyError(name)
        with (
            open(self.path, 'rb') as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            for opcode, content in self._records(data):
                if opcode != Opcode.METADATA:
                    continue
                try:
                    record = Metadata.read(ReadDataStream(BytesIO(content)))
                except Exception:  # A parser of damaged bytes may raise anything.
                    continue
                if record.name == name:
                    return record.metadata
        raise KeyError(name)

    def messages(self) -> Iterator[tuple[str, int, bytes]]:
        """Yield topic, time of reception [ns] and serialized message of whole chunks, in order."""
        self.size = os.path.getsize(self.path)
        if self.size <= len(_MAGIC):
            return
        schemas: dict[int, str] = {}
        channels: dict[int, str] = {}
        unknown = 0

        def learn(record: Schema | Channel) -> None:
            if isinstance(record, Schema):
                schemas[record.id] = record.name
            else:
                channels[record.id] = record.topic
                self.types[record.topic] = schemas.get(record.schema_id, '')
                self.roles[record.topic] = record.metadata.get('role', '')

        with (
            open(self.path, 'rb') as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
        ):
            for record in self._summary(data):
                learn(record)
            for opcode, content in self._records(data):
                try:
                    records = self._read(opcode, content)
                except Exception as error:  # A parser of damaged bytes may raise anything.
                    self.damage.append(
                        f'a record of {len(content)} bytes is damaged: '
                        f'{str(error) or type(error).__name__}'
                    )
                    continue
                self.whole += _PREFIX + len(content)
                for record in records:
                    if isinstance(record, (Schema, Channel)):
                        learn(record)
                    elif record.channel_id in channels:
                        yield channels[record.channel_id], record.log_time, record.data
                    else:
                        unknown += 1
        if unknown:
            self.damage.append(f'{unknown} messages are of topics that nothing describes any more')

    def _summary(self, data: mmap.mmap) -> list[Schema | Channel]:
        """
        Return the schemas and channels that a complete file repeats behind its chunks.

        Otherwise only the first chunk has them: with it, all that follows would be lost.
        """
        begin = self.size - len(_MAGIC) - _FOOTER
        if begin < len(_MAGIC) or data[begin] != Opcode.FOOTER or data[-len(_MAGIC) :] != _MAGIC:
            return []
        start, _, checksum = struct.unpack_from('<QQI', data, begin + _PREFIX)
        # The checksum covers the footer, too, but for itself.
        if not len(_MAGIC) <= start < begin or checksum != zlib.crc32(data[start : begin + 25]):
            return []
        found = []
        while start < begin:
            length = struct.unpack_from('<Q', data, start + 1)[0]
            if data[start] in (Opcode.SCHEMA, Opcode.CHANNEL):
                found += self._read(data[start], data[start + _PREFIX : start + _PREFIX + length])
            start += _PREFIX + length
        return found

    def _records(self, data: mmap.mmap) -> Iterator[tuple[int, bytes]]:
        """Yield opcode and content; after damage, go on with the next chunk."""
        offset = len(_MAGIC)
        if data[:offset] != _MAGIC:
            self.damage.append('the beginning is damaged')
            offset = self._next_chunk(data, 0)
        self.whole += len(_MAGIC)
        while offset + _PREFIX <= self.size:
            opcode = data[offset]
            length = struct.unpack_from('<Q', data, offset + 1)[0]
            end = offset + _PREFIX + length
            if not Opcode.HEADER <= opcode <= Opcode.DATA_END or end > self.size:
                following = self._next_chunk(data, offset + 1)
                if following < self.size:
                    self.damage.append(f'a record at byte {offset} of {self.size} is damaged')
                offset = following
                continue
            content = data[offset + _PREFIX : end]
            yield opcode, content
            if opcode == Opcode.FOOTER:
                self.complete = data[end:] == _MAGIC
                self.whole += len(_MAGIC) * self.complete
                return
            offset = end

    def _next_chunk(self, data: mmap.mmap, offset: int) -> int:
        """Return where the next chunk that fits into the file begins, or the file's size."""
        while (mark := data.find(_CHUNK_MARK, offset)) >= 0:
            start = mark - _MARK_OFFSET
            offset = mark + 1
            if start < len(_MAGIC) or data[start] != Opcode.CHUNK:
                continue
            length = struct.unpack_from('<Q', data, start + 1)[0]
            if length < _MAX_CHUNK and start + _PREFIX + length <= self.size:
                return start
        return self.size

    def _read(self, opcode: int, content: bytes) -> list[Schema | Channel | Message]:
        """Keep what describes the recording; return schemas, channels and messages."""
        stream = ReadDataStream(BytesIO(content))
        if opcode == Opcode.CHUNK:
            return breakup_chunk(Chunk.read(stream), validate_crc=True)
        if opcode == Opcode.METADATA:
            record = Metadata.read(stream)
            self.metadata.setdefault(record.name, []).append(record.metadata)
        elif opcode == Opcode.ATTACHMENT:
            if zlib.crc32(content[:-4]) != struct.unpack('<I', content[-4:])[0]:
                raise ValueError('the checksum of an attachment does not fit')
            record = Attachment.read(stream)
            self.attachments[record.name] = record.data
        elif opcode == Opcode.HEADER:
            self.library = Header.read(stream).library
        elif opcode == Opcode.SCHEMA:
            return [Schema.read(stream)]
        elif opcode == Opcode.CHANNEL:
            return [Channel.read(stream)]
        return []
