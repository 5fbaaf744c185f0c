"""
Named, versioned sets of starts from which policies are judged; nothing is ever trained on them.

A start is a row of five numbers in `map`: robot x, y [m], yaw [rad], ball x, y [m]. Outcomes of
two policies are compared start by start, so a set must never change: a set whose starts differ
gets another version, and the hash of the starts travels in every result.
"""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
import os
from pathlib import Path

import numpy as np

from guda_ros.arguments import as_path
from guda_ros.config.files import (
    config_directories,
    ConfigError,
    find_config,
    load_yaml,
    Section,
)
from guda_ros.errors import GudaError
from guda_ros.soccer import world
from guda_ros.soccer.field import Field
from guda_ros.soccer.rewards import Game
from guda_ros.soccer.starts import fixed_starts, SIZE

#: Sets drawn from the streams of `soccer.starts`: name -> purpose, scenario, starts tried unless
#: the user says how many, and the hash of the set on the SPL field.
DRAWN = {
    'attack-v1': ('test', 'attack', 200, '80af5c54abde64fc'),
    'centre-v1': ('test', 'centre', 200, '8787309636ffd5fb'),
    'attack-validation-v1': ('validation', 'attack', 100, '663c356f647654f4'),
    'attack-ros-v1': ('ros_test', 'attack', 20, '3a29f6497ed515c9'),
}
#: Length of a drawn set.
LENGTH = 1000
_PINNED_FIELD = 'spl'
#: Least distance [m] of the ball from the middle of the robot.
_LEAST_GAP = 0.2
#: Where the robot stands, seen from the ball: the angle between its way to the ball and the ball's
#: way to the goal is at most so many degrees.
SITUATIONS = (('behind the ball', 60.0), ('beside the ball', 120.0), ('ahead of the ball', 180.0))


class StartSetError(GudaError):
    """A set of starts cannot be used; the message says why and what to do."""


@dataclass(frozen=True, eq=False)
class StartSet:
    """
    Starts (n, 5) with the name of the set and the scenario of each.

    hash: of the whole set, of which these may be the first n.
    """

    name: str
    starts: np.ndarray
    scenarios: tuple[str, ...]
    hash: str

    def __len__(self) -> int:
        """Return the number of starts."""
        return len(self.starts)


def known_sets() -> list[str]:
    """Return the names of all sets, drawn ones first."""
    files = {
        file.stem
        for directory in config_directories()
        for file in (directory / 'starts').glob('*.yaml')
    }
    return [*DRAWN, *sorted(files - set(DRAWN))]


def load_start_set(
    name: str | os.PathLike, field: Field, count: int | None = None, ball: bool = True
) -> StartSet:
    """
    Return the first `count` starts of a set.

    :param name: a drawn set, a name in config/starts, or a YAML file with `name` and `starts`.
    :param count: by default as many as are usual for the set.
    :param ball: whether the task has one; where it has none, starts need not name its place.
    :raises StartSetError: if the set has fewer starts, `count` is less than one, or
        the set is not what its version says.
    """
    name = str(as_path(name, 'starts'))
    if name in DRAWN:
        purpose, scenario, usual, expected = DRAWN[name]
        starts = fixed_starts(purpose, LENGTH, field, scenario)
        scenarios = (scenario,) * LENGTH
    else:
        name, starts, scenarios = _read(name, ball)
        usual, expected = len(starts), None
        _check_positions(name, starts, field, ball)
    found = starts_hash(name, starts)
    if expected is not None and field.name == _PINNED_FIELD and found != expected:
        raise StartSetError(
            f'the starts of {name} have the hash {found}, not {expected}: the way in which they '
            'are drawn was changed; restore it, or define a set with another version'
        )
    count = min(usual, len(starts)) if count is None else count
    if count < 1:
        raise StartSetError(f'{name}: {count} starts are asked for; at least one is needed')
    if count > len(starts):
        raise StartSetError(f'{name} has {len(starts)} starts, {count} are asked for')
    return StartSet(name, starts[:count], scenarios[:count], found)


def starts_hash(name: str, starts: np.ndarray) -> str:
    """Return the hash of a set's name and starts, to a micrometre and a microradian."""
    # Adding zero turns -0.0 into 0.0, which is the same place.
    rows = np.round(np.asarray(starts, dtype='<f8'), 6) + 0.0
    return hashlib.sha256(name.encode() + b'\n' + rows.tobytes()).hexdigest()[:16]


def situations(starts: np.ndarray, game: Game) -> np.ndarray:
    """Return (n,) which of SITUATIONS each start (n, 5) of a field or contract is, by number."""
    starts = np.asarray(starts, dtype=float)
    approach, push = starts[:, 3:5] - starts[:, :2], game.goal - starts[:, 3:5]
    angle = np.arctan2(push[:, 1], push[:, 0]) - np.arctan2(approach[:, 1], approach[:, 0])
    degrees = np.degrees(np.abs(world.wrap_angle(angle)))
    return np.searchsorted([limit for _, limit in SITUATIONS[:-1]], degrees)


def _check_positions(name: str, starts: np.ndarray, field: Field, ball: bool) -> None:
    """Raise StartSetError naming a start at which nobody can be placed."""
    half = np.array([field.length, field.width]) / 2
    gap = np.linalg.norm(starts[:, 3:5] - starts[:, :2], axis=1)
    for problem, wrong in (
        ('the robot is off the field', (np.abs(starts[:, :2]) > half).any(axis=1)),
        ('the ball is off the field', ball & (np.abs(starts[:, 3:5]) > half).any(axis=1)),
        ('the ball is in the robot', ball & (gap < _LEAST_GAP)),
    ):
        if wrong.any():
            raise StartSetError(f'{name}: start {int(np.argmax(wrong))}: {problem}')


def _read(name: str, ball: bool = True) -> tuple[str, np.ndarray, tuple[str, ...]]:
    """Read a set from a YAML file: robot and ball in metres, heading in degrees."""
    if not Path(name).suffix and name not in known_sets():
        raise StartSetError(
            f'unknown set of starts {name!r}; known: {", ".join(known_sets())}, or a YAML file'
        )
    path = find_config('starts', name)
    root = Section(load_yaml(path), path)
    own, items = root.text('name'), root.rest().get('starts')
    if own in DRAWN:
        raise StartSetError(f'{path}: the name {own} belongs to another set; choose another')
    if not isinstance(items, list) or not items:
        raise StartSetError(f'{path}: starts: a list with at least one start is expected')
    rows, scenarios = [], []
    for number, content in enumerate(items):
        if not isinstance(content, dict):
            raise ConfigError(f'{path}: starts.{number}: a mapping is expected, not {content!r}')
        item = Section(content, path, f'starts.{number}.')
        robot, heading = item.numbers('robot', 2, -100, 100), item.number('heading', -180, 180)
        place = item.numbers('ball', 2, -100, 100) if ball or item.has('ball') else (0.0, 0.0)
        rows.append([*robot, np.radians(heading), *place])
        scenarios.append(item.text('scenario'))
        item.close()
    return own, np.array(rows).reshape(-1, SIZE), tuple(scenarios)
