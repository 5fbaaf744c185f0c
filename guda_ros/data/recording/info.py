"""What is known about the episode of a recording, and where a recording lies."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache
import json
import os
from pathlib import Path
import re
from typing import TYPE_CHECKING

from guda_ros import __version__
from guda_ros.data.files import PARTIAL
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
    """
    What is known about the episode of a recording.

    `topics` maps roles of the contract (`odom`, `ball`, ...) to topic names in the bag. Stamps are
    nanoseconds of ROS time: of the first observation and of the announced end. `started` is the
    wall clock (ISO 8601). `verdict` is empty until the recording is closed; `success` is the mark
    that follows from it, None where the episode did not come to an end of its own. `guide` names
    the guide with which the data are to be augmented. `parameters` are what a simulator's domain
    randomisation drew, by name.
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
    success: bool | None = None
    guide: str = ''
    message: str = ''
    topics: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    parameters: dict = field(default_factory=dict)

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
            return cls(**values)
        except (TypeError, AttributeError, json.JSONDecodeError) as error:
            raise ValueError(f'not the description of an episode: {error}') from error


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
