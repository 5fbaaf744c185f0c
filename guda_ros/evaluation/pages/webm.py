"""Put VP8 frames into WebM, a subset of Matroska (RFC 9559), which browsers play."""

from __future__ import annotations

from collections.abc import Sequence
import struct

_IVF_MAGIC = b'DKIF'
_CLUSTER_MS = 4000


def read_ivf(content: bytes) -> list[bytes]:
    """Return the frames of an IVF file; ValueError if it is something else or cut short."""
    if content[:4] != _IVF_MAGIC or len(content) < 32:
        raise ValueError('not an IVF file')
    frames, place = [], struct.unpack_from('<H', content, 6)[0]
    while place < len(content):
        try:
            size = struct.unpack_from('<I', content, place)[0]
            frames.append(struct.unpack_from(f'{size}s', content, place + 12)[0])
        except struct.error:
            raise ValueError('the IVF file is cut short') from None
        place += 12 + size
    return frames


def is_key_frame(frame: bytes) -> bool:
    """Tell whether a VP8 frame can be decoded without those before it (RFC 6386, section 9.1)."""
    return bool(frame) and not frame[0] & 1


def webm(
    frames: Sequence[bytes], times: Sequence[int], duration: int, size: tuple[int, int]
) -> bytes:
    """
    Return a WebM file of VP8 frames.

    :param times: when each frame is shown [ms], increasing. :param duration: length of the film
        [ms].
    :param size: (width, height) [pixels].
    :raises ValueError: if the first frame is no key frame, or the numbers of frames and times
        differ.
    """
    if len(frames) != len(times) or not frames or not is_key_frame(frames[0]):
        raise ValueError('a film needs a time for each frame and begins with a key frame')
    head = _element(
        0x1A45DFA3,
        b''.join(
            (
                _number(0x4286, 1),
                _number(0x42F7, 1),
                _number(0x42F2, 4),
                _number(0x42F3, 8),
                _element(0x4282, b'webm'),
                _number(0x4287, 2),
                _number(0x4285, 2),
            )
        ),
    )
    info = _element(
        0x1549A966,
        b''.join(
            (
                _number(0x2AD7B1, 1_000_000),
                _element(0x4489, struct.pack('>d', duration)),
                _element(0x4D80, b'guda_ros'),
                _element(0x5741, b'guda_ros'),
            )
        ),
    )
    video = _element(0xE0, _number(0xB0, size[0]) + _number(0xBA, size[1]))
    tracks = _element(
        0x1654AE6B,
        _element(
            0xAE,
            b''.join(
                (
                    _number(0xD7, 1),
                    _number(0x73C5, 1),
                    _number(0x83, 1),
                    _number(0x9C, 0),
                    _element(0x86, b'V_VP8'),
                    video,
                )
            ),
        ),
    )
    clusters, starts = _clusters(frames, times)
    # The cues point past themselves: their length does not depend on what they point to, numbers
    # are 8 bytes.
    offset = len(info) + len(tracks) + len(_cues(starts, [0] * len(starts)))
    places = []
    for cluster in clusters:
        places.append(offset)
        offset += len(cluster)
    body = info + tracks + _cues(starts, places) + b''.join(clusters)
    return head + _element(0x18538067, body)


def _clusters(frames: Sequence[bytes], times: Sequence[int]) -> tuple[list[bytes], list[int]]:
    """Return clusters, which begin with key frames where these come in time, and their times."""
    groups: list[tuple[int, list[bytes]]] = []
    for frame, time in zip(frames, times):
        key = is_key_frame(frame)
        # A block's time is a signed 16-bit number relative to its cluster.
        if not groups or time - groups[-1][0] >= (_CLUSTER_MS if key else 30_000):
            groups.append((time, []))
        start, blocks = groups[-1]
        header = b'\x81' + struct.pack('>hB', time - start, 0x80 if key else 0)
        blocks.append(_element(0xA3, header + frame))
    return (
        [
            _element(0x1F43B675, _number(0xE7, start) + b''.join(blocks))
            for start, blocks in groups
        ],
        [start for start, _ in groups],
    )


def _cues(starts: Sequence[int], places: Sequence[int]) -> bytes:
    points = [
        _element(
            0xBB,
            _number(0xB3, start, 8) + _element(0xB7, _number(0xF7, 1) + _number(0xF1, place, 8)),
        )
        for start, place in zip(starts, places)
    ]
    return _element(0x1C53BB6B, b''.join(points))


def _element(identifier: int, content: bytes) -> bytes:
    """Return an EBML element: identifier, length in 8 bytes, content."""
    name = identifier.to_bytes((identifier.bit_length() + 7) // 8, 'big')
    return name + ((1 << 56) | len(content)).to_bytes(8, 'big') + content


def _number(identifier: int, value: int, length: int | None = None) -> bytes:
    length = length or max(1, (value.bit_length() + 7) // 8)
    return _element(identifier, value.to_bytes(length, 'big'))
