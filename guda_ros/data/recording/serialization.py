"""What can be read of a serialized message without knowing its type."""

from __future__ import annotations

import json
import struct
from typing import Any

from guda_ros.data.messages import NANOSECONDS


def header_stamp(data: bytes) -> int:
    """
    Return the stamp [ns] of a serialized message that begins with std_msgs/Header.

    :raises ValueError: if it is too short for one.
    """
    if len(data) < 12:
        raise ValueError('a serialized message with a header is expected')
    # CDR: the second byte of the encapsulation header tells the byte order.
    seconds, nanoseconds = struct.unpack_from('<iI' if data[1] & 1 else '>iI', data, 4)
    return seconds * NANOSECONDS + nanoseconds


def header_frame(data: bytes) -> str:
    """
    Return the frame_id of a serialized message that begins with std_msgs/Header.

    :raises ValueError: if it is too short for one.
    """
    if len(data) < 16:
        raise ValueError('a serialized message with a header is expected')
    (length,) = struct.unpack_from('<I' if data[1] & 1 else '>I', data, 12)
    return bytes(data[16 : 16 + length]).rstrip(b'\0').decode('utf-8', 'replace')


def event_of(data: bytes) -> dict[str, Any]:
    """Return the episode event in a serialized std_msgs/String; empty if there is none."""
    try:
        # CDR: after the encapsulation header, a length and that many bytes with a final zero.
        event = json.loads(bytes(data[8:]).rstrip(b'\0'))
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def place_of(data: bytes, frames: int) -> tuple[float, float, float]:
    """
    Return x, y [m] and the variance of x of a serialized pose with covariance.

    :param frames: names of frames before it: 1 in a PoseWithCovarianceStamped, 2 in an Odometry.
    :raises ValueError: if the message is too short for one.
    """
    order, offset = '<' if len(data) > 1 and data[1] & 1 else '>', 12
    try:
        for _ in range(frames):
            # CDR: after the encapsulation header of four bytes, numbers are at multiples of their
            # size.
            offset += -offset % 4
            offset += 4 + struct.unpack_from(f'{order}I', data, offset)[0]
        offset += (4 - offset) % 8
        x, y, *_, variance = struct.unpack_from(f'{order}8d', data, offset)
    except struct.error as error:
        raise ValueError('a serialized pose with covariance is expected') from error
    return x, y, variance
