"""How regularly the topics of a recording came: rates, gaps, order and delay."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
import os

import numpy as np

from guda_ros.data.recording.bags import is_reception, open_bag
from guda_ros.data.recording.reader import load_definitions, RecordingError, RecordingReader
from guda_ros.data.recording.serialization import header_stamp

#: A stream is regular when its middle half of intervals differs by less than this share.
_REGULAR = 0.2
#: An interval of so many periods is a gap.
_GAP = 1.5
#: Roles that come when something happens, such as a ball in sight: nothing of them is lost.
_OCCASIONAL = ('ball_detection', 'episode', 'kick', 'safety_state')


@dataclass(frozen=True, eq=False)
class Stream:
    """
    One topic of one episode, by the stamps of its messages, where it has any.

    period: median of the intervals [s]; regular: whether most of them are about that; widest: the
    longest [s] and when [s after the start]; lost: messages that are missing in gaps of a regular
    stream; backward: how often the stamps go back; delay: median [s] between stamp and reception,
    NaN without stamps; intervals (M,) [s].
    """

    recording: str
    topic: str
    role: str
    messages: int
    period: float
    regular: bool
    widest: float
    widest_at: float
    lost: int
    backward: int
    delay: float
    intervals: np.ndarray

    @property
    def rate(self) -> float:
        """Messages a second."""
        return 1.0 / self.period if self.period > 0 else 0.0


def read_streams(path: str | os.PathLike[str]) -> list[Stream]:
    """
    Return the streams of a recording that have at least two messages, by topic.

    Only what belongs to the episode counts: from its first observation to its announced end.

    :raises RecordingError: if it cannot be read.
    """
    with RecordingReader(path) as reader:
        info = reader.info
    roles = {topic: role for role, topic in info.topics.items()}
    stamps: dict[str, list[tuple[int, int]]] = {}
    try:
        with closing(open_bag(path)) as bag:
            headed = {item.topic for item in bag.connections if _has_header(item.msgtype)}
            for connection, received, data in bag.messages():
                if not is_reception(received):
                    raise ValueError(f'a message was received at {received}, which is no time')
                stamp = header_stamp(data) if connection.topic in headed else received
                stamps.setdefault(connection.topic, []).append((stamp, received))
    except Exception as error:  # A parser of damaged bytes may raise anything.
        raise RecordingError(
            f'{path}: damaged: {error}; `guda data repair` recovers what can be read'
        ) from error
    end = info.end_stamp or 2**63 - 1
    found = []
    for topic, listed in sorted(stamps.items()):
        pairs = np.array(listed, dtype=np.int64)
        inside = (pairs[:, 0] >= info.start_stamp) & (pairs[:, 0] <= end)
        if inside.sum() >= 2:
            found.append(
                _stream(
                    info.id,
                    topic,
                    roles.get(topic, ''),
                    pairs[inside],
                    topic in headed,
                    info.start_stamp,
                )
            )
    return found


def _has_header(kind: str) -> bool:
    definition = load_definitions().fielddefs.get(kind)
    # The header by itself is a message, too, and begins with its stamp.
    return kind == 'std_msgs/msg/Header' or bool(
        definition and definition[1] and definition[1][0][0] == 'header'
    )


def _stream(
    episode: str, topic: str, role: str, pairs: np.ndarray, headed: bool, start: int
) -> Stream:
    steps = np.diff(pairs[:, 0])
    times = np.unique(pairs[:, 0])
    intervals = np.diff(times) * 1e-9
    if not len(intervals):
        intervals = np.zeros(1)
    period = float(np.median(intervals))
    low, high = np.percentile(intervals, (25, 75))
    regular = bool(role not in _OCCASIONAL and period > 0 and high - low < _REGULAR * period)
    gaps = intervals[intervals > _GAP * period] if regular else np.empty(0)
    widest = int(np.argmax(intervals))
    delay = float(np.median(pairs[:, 1] - pairs[:, 0])) * 1e-9 if headed else np.nan
    return Stream(
        episode,
        topic,
        role,
        len(pairs),
        period,
        regular,
        float(intervals[widest]),
        float(times[widest] - start) * 1e-9,
        int((np.round(gaps / period) - 1).sum()) if regular else 0,
        int((steps < 0).sum()),
        delay,
        intervals,
    )
