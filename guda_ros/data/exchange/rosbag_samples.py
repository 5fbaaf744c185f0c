"""The samples of a rosbag2 bag by role, whatever common message types they came in."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
import difflib
import os
from pathlib import Path
from typing import Any, TYPE_CHECKING

import numpy as np

from guda_ros.arguments import as_path
from guda_ros.data.exchange.bag_clock import bag_times, ClockError
from guda_ros.data.exchange.unfinished_bag import (
    has_journal,
    open_unfinished,
    UnfinishedBag,
    UnfinishedDatabase,
)
from guda_ros.data.messages import (
    are_places,
    FARTHEST,
    planar_pose,
    planar_position,
    planar_twist,
    stamp_to_ns,
)
from guda_ros.data.recording.bags import close_bag, is_reception, open_bag
from guda_ros.data.recording.reader import load_definitions, METADATA_FILE, RecordingError
from guda_ros.data.world_states import LOST_VARIANCE

if TYPE_CHECKING:
    from rosbags.interfaces import Connection
    from rosbags.rosbag2 import Reader

_ODOMETRY = 'nav_msgs/msg/Odometry'
_POSE = ('geometry_msgs/msg/PoseWithCovarianceStamped', 'geometry_msgs/msg/PoseStamped')
_PLANAR = 'geometry_msgs/msg/Pose2D'
_POINT = 'geometry_msgs/msg/PointStamped'
POSE_TYPES = (_ODOMETRY, *_POSE, _PLANAR)
BALL_TYPES = (_ODOMETRY, *_POSE, _POINT)
COMMAND_TYPES = ('geometry_msgs/msg/Twist', 'geometry_msgs/msg/TwistStamped')


@dataclass(frozen=True, eq=False)
class BagSamples:
    """
    Rows in order of time [s after `origin`, ns], by role; of two with one stamp, the first.

    Poses have x, y, yaw, commands forward, left, turn, and balls x, y and velocity, which is NaN
    where the message has none. ball_frames: 'map', 'odom' or 'base' of each row, by role of a
    ball. problems: sentences.
    """

    path: Path
    origin: int
    rows: dict[str, np.ndarray]
    ball_frames: dict[str, np.ndarray]
    problems: tuple[str, ...]


def is_foreign(path: str | os.PathLike[str]) -> bool:
    """Tell whether there is a bag at a path that is no recording of this project."""
    path = as_path(path)
    if path.is_file():
        return path.suffix in ('.mcap', '.db3')
    metadata = path / METADATA_FILE
    return metadata.is_file() and 'contract_hash' not in metadata.read_text(errors='replace')


def bag_topics(path: str | os.PathLike[str]) -> dict[str, tuple[str, int]]:
    """
    Return the topics of any bag: name -> (type, number of messages).

    :raises RecordingError: if it cannot be read.
    """
    with opened_bag(path) as bag:
        return {item.topic: (item.msgtype, item.msgcount) for item in bag.connections}


def read_bag(
    path: str | os.PathLike[str],
    topics: Mapping[str, str],
    frames: Mapping[str, str],
    required: Sequence[str],
) -> BagSamples:
    """
    Read the samples of the mapped topics.

    :param topics: role -> topic name, with or without the leading slash.
    :param frames: the bag's names of `map`, `odom` and `base`.
    :param required: roles that must be there.
    :raises RecordingError: naming what is missing, of a type or in a frame that is not understood.
    """
    raw, problems = _read(path, topics, required)
    for role in required:
        if len(raw[role].received) < 2:
            raise RecordingError(f'{path}: {role}: fewer than two messages on {topics[role]}')
    try:
        clock = bag_times(
            {role: np.array(samples.stamps, dtype=np.int64) for role, samples in raw.items()},
            {role: np.array(samples.received, dtype=np.int64) for role, samples in raw.items()},
        )
    except ClockError as error:
        raise RecordingError(f'{path}: {error}') from error
    problems += clock.problems
    kept = {
        role: clock.kept[role] & _in_known_frame(path, role, samples, frames, problems)
        for role, samples in raw.items()
    }
    starts = [int(clock.times[role][kept[role]].min()) for role in raw if kept[role].any()]
    if not starts:
        raise RecordingError(f'{path}: no message has a time that can be: {"; ".join(problems)}')
    origin = min(starts)
    rows, ball_frames = {}, {}
    for role, samples in raw.items():
        values = np.array(samples.values, dtype=np.float64)[kept[role]]
        times = (clock.times[role][kept[role]] - origin).astype(np.float64)
        table = np.column_stack([times, values]) if len(times) else np.empty((0, 2))
        rows[role], order = _in_order(table, role, problems)
        if 'ball' in role:
            names = _ball_frames(np.array(samples.frames, dtype=object)[kept[role]], frames)
            ball_frames[role] = names[order]
        if role in required and len(rows[role]) < 2:
            told = ''.join(f'; {problem}' for problem in problems)
            raise RecordingError(
                f'{path}: {role}: fewer than two messages on {topics[role]} hold numbers{told}'
            )
    return BagSamples(
        as_path(path),
        origin,
        {role: table for role, table in rows.items() if len(table) >= 2},
        ball_frames,
        tuple(problems),
    )


@dataclass
class _Raw:
    """The messages of one role, in the order in which they were received."""

    kind: str
    stamps: list[int] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    frames: list[str] = field(default_factory=list)
    values: list[tuple[float, ...]] = field(default_factory=list)


def _read(
    path: str | os.PathLike[str], topics: Mapping[str, str], required: Collection[str]
) -> tuple[dict[str, _Raw], list[str]]:
    """Return the messages of each role that the bag has, and what is wrong with the file."""
    with opened_bag(path) as bag:
        wanted = _match(path, bag.connections, topics, required)
        raw = {role: _Raw(connection.msgtype) for role, connection in wanted.items()}
        definitions = load_definitions()
        # One topic may play two roles, and come from several publishers.
        roles: dict[str, list[str]] = {}
        for role, connection in wanted.items():
            roles.setdefault(connection.topic, []).append(role)
        timeless = 0
        try:
            for connection, received, data in bag.messages(
                [item for item in bag.connections if item.topic in roles]
            ):
                if not is_reception(received):
                    timeless += 1
                    continue
                message = definitions.deserialize_cdr(data, connection.msgtype)
                header = getattr(message, 'header', None)
                for role in roles[connection.topic]:
                    samples = raw[role]
                    samples.stamps.append(-1 if header is None else stamp_to_ns(header.stamp))
                    samples.received.append(received)
                    samples.frames.append('' if header is None else header.frame_id)
                    samples.values.append(_values(role, message, connection.msgtype))
        except Exception as error:  # A parser of damaged bytes may raise anything.
            raise RecordingError(
                f'{path}: damaged: {str(error) or type(error).__name__}; '
                '`ros2 bag reindex` may save what can be read'
            ) from error
        problems = list(getattr(bag, 'problems', ()))
        if timeless:
            problems.append(
                f'{timeless} messages have a time of reception that cannot be, and are left out'
            )
        return raw, problems


def opened_bag(path: str | os.PathLike[str]) -> OpenedBag:
    """
    Return a bag for `with`: a folder or one of its files, also of a recorder that did not end.

    :raises RecordingError: if it cannot be read.
    """
    path = as_path(path, 'bag')
    if not path.exists():
        raise RecordingError(f'{path}: no such bag')
    try:
        if has_journal(path) and (unclosed := open_unfinished(path)) is not None:
            return OpenedBag(unclosed)
        bag = open_bag(path)
    except Exception as error:
        unfinished = open_unfinished(path)
        if unfinished is not None:
            return OpenedBag(unfinished)
        raise RecordingError(
            f'{path}: not a bag that can be read: {str(error) or type(error).__name__}; give the '
            'folder with metadata.yaml, or a .mcap or .db3 file; `ros2 bag reindex` makes a '
            'metadata.yaml that is missing, `mcap recover` may save what a cut file holds'
        ) from error
    return OpenedBag(bag)


class OpenedBag:
    """A reader that is open already, for `with`."""

    def __init__(self, bag: Reader | UnfinishedBag | UnfinishedDatabase) -> None:
        self._bag = bag

    def __enter__(self) -> Reader | UnfinishedBag | UnfinishedDatabase:
        return self._bag

    def __exit__(self, *_: object) -> None:
        close_bag(self._bag)


def _types(role: str) -> tuple[str, ...]:
    return COMMAND_TYPES if role == 'command' else BALL_TYPES if 'ball' in role else POSE_TYPES


def _match(
    path: str | os.PathLike[str],
    connections: Iterable[Connection],
    topics: Mapping[str, str],
    required: Collection[str],
) -> dict[str, Connection]:
    by_name = {connection.topic.lstrip('/'): connection for connection in connections}
    found, missing = {}, []
    for role, topic in topics.items():
        connection = by_name.get(topic.lstrip('/'))
        if connection is not None and connection.msgtype in _types(role):
            found[role] = connection
        elif connection is not None:
            missing.append(
                f'{role}: {connection.topic} is of {connection.msgtype}; understood '
                f'are {", ".join(_types(role))}'
            )
        elif role in required:
            missing.append(_suggest(role, topic, by_name))
    if missing:
        raise RecordingError(
            f'{path}: topics are missing:\n  '
            + '\n  '.join(missing)
            + '\n  name them in a mapping (--mapping), as in config/imports/'
            'example.yaml'
        )
    return found


def _suggest(role: str, topic: str, by_name: Mapping[str, Connection]) -> str:
    fitting = [name for name, connection in by_name.items() if connection.msgtype in _types(role)]
    near = difflib.get_close_matches(topic.lstrip('/'), fitting, 3, 0.0)
    told = ', '.join(f'{by_name[name].topic} ({by_name[name].msgtype})' for name in near)
    return f'{role}: no topic {topic}; it could be {told or "none of the topics in the bag"}'


def _values(role: str, message: Any, kind: str) -> tuple[float, ...]:
    if role == 'command':
        return planar_twist(getattr(message, 'twist', message))
    if kind == _PLANAR:
        return message.x, message.y, message.theta
    if kind == _POINT:
        return message.point.x, message.point.y, np.nan, np.nan
    pose = message.pose if kind.endswith('/PoseStamped') else message.pose.pose
    if 'ball' not in role:
        return planar_pose(pose)
    if kind != _ODOMETRY:
        return *planar_position(pose), np.nan, np.nan
    lost = message.pose.covariance[0] >= LOST_VARIANCE
    position = (np.nan, np.nan) if lost else planar_position(pose)
    return *position, *planar_twist(message.twist.twist)[:2]


def _in_order(table: np.ndarray, role: str, problems: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return rows that hold numbers, in order of time, and their indices in the table."""
    if not len(table):
        return np.empty((0, 2)), np.empty(0, dtype=int)
    table[:, 0] *= 1e-9
    # Of a ball that is lost the place is no number, and of some the velocity.
    checked = table[:, 1:3] if 'ball' in role else table[:, 1:]
    finite, near = np.isfinite(checked).all(axis=1), are_places(checked)
    if not finite.all() and 'ball' not in role:
        problems.append(f'{role}: {int((~finite).sum())} samples are not finite and left out')
    if (finite & ~near).any():
        problems.append(
            f'{role}: {int((finite & ~near).sum())} samples have numbers beyond {FARTHEST:g} '
            '(m, m/s, rad), which are no places, and are left out'
        )
    table, rows = table[near], np.flatnonzero(near)
    backward = int((np.diff(table[:, 0]) < 0).sum())
    if backward:
        problems.append(f'{role}: stamps go back {backward} times; they were put in order')
    _, first = np.unique(table[:, 0], return_index=True)
    return table[first], rows[first]


def _in_known_frame(
    path: str | os.PathLike[str],
    role: str,
    samples: _Raw,
    frames: Mapping[str, str],
    problems: list[str],
) -> np.ndarray:
    """
    Tell (N,) which samples are in a frame that they can be in; the others are told.

    :raises RecordingError: if none is.
    """
    count = len(samples.received)
    if role == 'command' or samples.kind == _PLANAR or not count:
        return np.ones(count, dtype=bool)
    if 'ball' in role:
        known = {name.lstrip('/') for name in frames.values()}
        remedy = 'say under frames: which that is, map, odom or base'
    else:
        expected = frames['odom' if role == 'odom' else 'map']
        known, remedy = {expected.lstrip('/')}, f'{expected!r} is expected; name it under frames:'
    good = np.array([name.lstrip('/') in known for name in samples.frames])
    others = sorted({name for name, fits in zip(samples.frames, good) if not fits})
    if not good.any():
        raise RecordingError(f'{path}: {role}: is in the frame {others[0]!r}; {remedy}')
    if others:
        problems.append(
            f'{role}: {int((~good).sum())} of {count} samples are in the frame '
            f'{", ".join(map(repr, others))} and left out'
        )
    return good


def _ball_frames(names: np.ndarray, frames: Mapping[str, str]) -> np.ndarray:
    """Return 'map', 'odom' or 'base' for each of the bag's names of frames (N,)."""
    # `map` goes before the others where one frame has several names in the mapping.
    known = {name.lstrip('/'): key for key, name in reversed([*frames.items()])}
    return np.array([known[name.lstrip('/')] for name in names], dtype=object)
