"""The samples of a rosbag2 bag by role, whatever common message types they came in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import difflib
import os
from pathlib import Path

import numpy as np

from guda_ros.data.messages import planar_pose, planar_position, planar_twist, stamp_to_ns
from guda_ros.data.recording.reader import load_definitions, METADATA_FILE, RecordingError
from guda_ros.data.world_states import LOST_VARIANCE

_ODOMETRY = 'nav_msgs/msg/Odometry'
_POSE = ('geometry_msgs/msg/PoseWithCovarianceStamped', 'geometry_msgs/msg/PoseStamped')
_PLANAR = 'geometry_msgs/msg/Pose2D'
_POINT = 'geometry_msgs/msg/PointStamped'
POSE_TYPES = (_ODOMETRY, *_POSE, _PLANAR)
BALL_TYPES = (_ODOMETRY, *_POSE, _POINT)
COMMAND_TYPES = ('geometry_msgs/msg/Twist', 'geometry_msgs/msg/TwistStamped')
#: Difference [s] of the stamps' clock from the recorder's from which they are two clocks.
_OTHER_CLOCK = 1.0


@dataclass(frozen=True, eq=False)
class BagSamples:
    """
    Rows in order of time [s after `origin`, ns], by role; of two with one stamp, the first.

    Poses have x, y, yaw, commands forward, left, turn, and balls x, y and velocity, which is NaN
    where the message has none. ball_frames: 'map', 'odom' or 'base' by role. problems: sentences.
    """

    path: Path
    origin: int
    rows: dict[str, np.ndarray]
    ball_frames: dict[str, str]
    problems: tuple[str, ...]


def is_foreign(path: str | os.PathLike) -> bool:
    """Tell whether there is a bag at a path that is no recording of this project."""
    path = Path(path)
    if path.is_file():
        return path.suffix in ('.mcap', '.db3')
    metadata = path / METADATA_FILE
    return metadata.is_file() and 'contract_hash' not in metadata.read_text(errors='replace')


def bag_topics(path: str | os.PathLike) -> dict[str, tuple[str, int]]:
    """
    Return the topics of any bag: name -> (type, number of messages).

    :raises RecordingError: if it cannot be read.
    """
    with _open(path) as bag:
        return {item.topic: (item.msgtype, item.msgcount) for item in bag.connections}


def read_bag(
    path: str | os.PathLike,
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
    with _open(path) as bag:
        wanted = _match(path, bag.connections, topics, required)
        raw: dict[str, list[tuple]] = {role: [] for role in wanted}
        offsets, names = [], {}
        definitions = load_definitions()
        # One topic may play two roles, and come from several publishers.
        roles: dict[str, list[str]] = {}
        for role, connection in wanted.items():
            roles.setdefault(connection.topic, []).append(role)
        try:
            for connection, received, data in bag.messages(
                [item for item in bag.connections if item.topic in roles]
            ):
                message = definitions.deserialize_cdr(data, connection.msgtype)
                stamp = None
                if hasattr(message, 'header'):
                    stamp = stamp_to_ns(message.header.stamp)
                    offsets.append(stamp - received)
                for role in roles[connection.topic]:
                    if stamp is not None:
                        names.setdefault(role, message.header.frame_id)
                    raw[role].append(
                        (stamp, received, *_values(role, message, connection.msgtype))
                    )
        except Exception as error:  # A parser of damaged bytes may raise anything.
            raise RecordingError(
                f'{path}: damaged: {str(error) or type(error).__name__}; '
                '`ros2 bag reindex` may save what can be read'
            ) from error
    for role in required:
        if len(raw[role]) < 2:
            raise RecordingError(f'{path}: {role}: fewer than two messages on {topics[role]}')
    problems = []
    offset = float(np.median(offsets)) if offsets else 0.0
    if abs(offset) * 1e-9 <= _OTHER_CLOCK:
        offset = 0.0
    else:
        problems.append(
            f'the stamps are {offset * 1e-9:.1f} s from the clock of the recorder; '
            'messages without a stamp were moved by that'
        )
    origin = min(
        stamp if stamp is not None else received + int(offset)
        for samples in raw.values()
        for stamp, received, *_ in samples
    )
    rows = {}
    for role, samples in raw.items():
        table = np.array(
            [
                ((stamp if stamp is not None else received + int(offset)) - origin, *values)
                for stamp, received, *values in samples
            ],
            dtype=np.float64,
        )
        rows[role] = _in_order(table, role, problems)
        if role in required and len(rows[role]) < 2:
            raise RecordingError(
                f'{path}: {role}: fewer than two messages on {topics[role]} hold numbers'
            )
    return BagSamples(
        Path(path),
        origin,
        {role: table for role, table in rows.items() if len(table) >= 2},
        _ball_frames(path, names, frames, wanted),
        tuple(problems),
    )


def _open(path):
    from rosbags.rosbag2 import Reader

    path = Path(path)
    if not path.exists():
        raise RecordingError(f'{path}: no such bag')
    try:
        bag = Reader(path)
        bag.open()
    except Exception as error:
        raise RecordingError(
            f'{path}: not a bag that can be read: {str(error) or type(error).__name__}; give the '
            'folder with metadata.yaml, or a .mcap or .db3 file'
        ) from error
    return _Opened(bag)


class _Opened:
    """A reader that is open already, for `with`."""

    def __init__(self, bag) -> None:
        self._bag = bag

    def __enter__(self):
        return self._bag

    def __exit__(self, *_) -> None:
        self._bag.close()


def _types(role: str) -> tuple[str, ...]:
    return COMMAND_TYPES if role == 'command' else BALL_TYPES if 'ball' in role else POSE_TYPES


def _match(path, connections, topics, required) -> dict:
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


def _suggest(role, topic, by_name) -> str:
    fitting = [name for name, connection in by_name.items() if connection.msgtype in _types(role)]
    near = difflib.get_close_matches(topic.lstrip('/'), fitting, 3, 0.0)
    told = ', '.join(f'{by_name[name].topic} ({by_name[name].msgtype})' for name in near)
    return f'{role}: no topic {topic}; it could be {told or "none of the topics in the bag"}'


def _values(role: str, message, kind: str) -> tuple:
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


def _in_order(table: np.ndarray, role: str, problems: list[str]) -> np.ndarray:
    if not len(table):
        return np.empty((0, 2))
    table[:, 0] *= 1e-9
    checked = table[:, :3] if 'ball' in role else table
    finite = np.isfinite(checked).all(axis=1)
    if not finite.all() and 'ball' not in role:
        problems.append(f'{role}: {int((~finite).sum())} samples are not finite and left out')
    table = table[finite]
    backward = int((np.diff(table[:, 0]) < 0).sum())
    if backward:
        problems.append(f'{role}: stamps go back {backward} times; they were put in order')
    _, first = np.unique(table[:, 0], return_index=True)
    return table[first]


def _ball_frames(path, names, frames, wanted) -> dict[str, str]:
    """Return which frame each ball is in; refuse samples in a frame that they cannot be in."""
    # `map` goes before the others where one frame has several names in the mapping.
    known = {name.lstrip('/'): key for key, name in reversed(frames.items())}
    found = {}
    for role, connection in wanted.items():
        name = names.get(role, '').lstrip('/')
        expected = frames['odom' if role == 'odom' else 'map']
        if 'ball' in role:
            if name not in known:
                raise RecordingError(
                    f'{path}: {role}: is in the frame {name!r}; say under '
                    'frames: which that is, map, odom or base'
                )
            found[role] = known[name]
        elif role != 'command' and connection.msgtype != _PLANAR and name != expected.lstrip('/'):
            raise RecordingError(
                f'{path}: {role}: is in the frame {name!r} where {expected!r} is '
                'expected; name it under frames:'
            )
    return found
