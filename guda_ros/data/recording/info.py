"""What is known about the episode of a recording, and where a recording lies."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
import json
import os
from pathlib import Path
import re
from typing import Any, TYPE_CHECKING

from guda_ros import __version__
from guda_ros.config.files import is_printable, shown
from guda_ros.data.files import PARTIAL
from guda_ros.data.messages import is_place
from guda_ros.errors import GudaError

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

METADATA_FILE = 'metadata.yaml'
INTERRUPTED = '.interrupted'
#: Of an episode that its operator did not want to keep.
DISCARDED = '.discarded'


class RecordingError(GudaError):
    """A recording cannot be written or read; the message names it and what to do."""


@dataclass(frozen=True)
class RecordingInfo:
    """What is known about the episode of a recording."""

    #: Name of the episode, and of the recording's folder.
    id: str
    #: Which family of starts it is from, and its place in the set of starts (-1: of none).
    scenario: str = ''
    start_index: int = -1
    #: Of the simulator.
    seed: int = 0
    #: Where the robot was placed (x, y [m], heading [rad]) in the field's frame.
    robot_start: tuple[float, float, float] | None = None
    #: Who drove: a person's name, or the demonstrator or policy.
    operator: str = ''
    #: Name and version of what recorded it.
    software: str = f'guda_ros {__version__}'
    #: Wall clock of the start (ISO 8601).
    started: str = ''
    #: ROS time [ns] of the first observation, and of the announced end.
    start_stamp: int = 0
    end_stamp: int = 0
    #: How it ended, one of VERDICTS; empty until the recording is closed.
    verdict: str = ''
    #: The mark that follows from the verdict; None where the episode did not come to an end of
    #: its own.
    success: bool | None = None
    #: Guide with which the data are to be augmented.
    guide: str = ''
    #: What was said of the end, for people.
    message: str = ''
    #: Role in the contract (`odom`, `ball`, ...) -> name of the topic in the bag.
    topics: dict[str, str] = field(default_factory=dict)
    #: What went wrong while it was recorded, a sentence each.
    problems: tuple[str, ...] = ()
    #: What a simulator's domain randomisation drew, by name.
    parameters: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the information as JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> RecordingInfo:
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
            info = cls(**values)
        except (TypeError, AttributeError, RecursionError, json.JSONDecodeError) as error:
            raise ValueError(f'not the description of an episode: {error}') from error
        info._check()
        return info

    def _check(self) -> None:
        """Raise ValueError where a value is none of its kind."""
        names = (
            'id',
            'scenario',
            'operator',
            'software',
            'started',
            'verdict',
            'guide',
            'message',
        )
        start = self.robot_start
        for key, right, what in (
            *((key, _is_text(getattr(self, key)), 'a text') for key in names),
            *(
                (key, _is_whole(getattr(self, key), 0), 'a time in nanoseconds')
                for key in ('start_stamp', 'end_stamp')
            ),
            ('start_index', _is_whole(self.start_index, -1), 'a whole number from -1'),
            ('seed', _is_whole(self.seed, -(2**63)), 'a whole number'),
            (
                'robot_start',
                start is None
                or (len(start) == 3 and all(map(_is_number, start)) and is_place(start)),
                'x, y and heading of a place',
            ),
            ('success', self.success in (None, True, False), 'true, false or null'),
            (
                'topics',
                isinstance(self.topics, dict) and all(map(_is_text, self.topics.values())),
                'a mapping of roles to topics',
            ),
            (
                'problems',
                isinstance(self.problems, tuple) and all(map(_is_text, self.problems)),
                'a list of sentences',
            ),
            ('parameters', isinstance(self.parameters, dict), 'a mapping'),
        ):
            if not right:
                raise ValueError(
                    f'not the description of an episode: {key}: {what} is expected, not '
                    f'{shown(getattr(self, key))}'
                )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and is_printable(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value: object, low: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value < 2**63


def recording_paths(directory: str | os.PathLike[str], episode: str) -> tuple[Path, Path]:
    """
    Return the final and the partial folder of an episode.

    :raises RecordingError: if its id cannot name a folder.
    """
    if not re.fullmatch(r'[A-Za-z0-9_][A-Za-z0-9_.-]*', episode) or episode.endswith(
        (PARTIAL, INTERRUPTED, DISCARDED)
    ):
        raise RecordingError(
            f'episode id {episode!r} cannot name a folder; letters, digits, "_", '
            '"-" and "." are allowed'
        )
    path = Path(directory) / episode
    return path, path.with_name(episode + PARTIAL)


@lru_cache(maxsize=1)
def load_definitions() -> Typestore:
    """Return the message definitions (a rosbags typestore); the first call takes .2 s."""
    from rosbags.typesys import get_typestore, Stores

    return get_typestore(Stores.ROS2_KILTED)
