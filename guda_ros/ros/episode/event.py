"""What the latched `episode` topic says: std_msgs/String with one JSON object."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
import json
import math
from typing import TYPE_CHECKING

from guda_ros.data.verdicts import VERDICTS

if TYPE_CHECKING:
    from rclpy.node import Node

PHASES = ('reset', 'start', 'end')


@dataclass(frozen=True)
class EpisodeEvent:
    """
    A phase of an episode.

    `reset`: robot and ball are placed, `robot_start` (x, y, yaw in `map`) tells localisation where
    the robot stands; the ball is not in it, perception has to find it. `start`: the first
    observation follows. `end`: `verdict` says how it ended, `message` why when that needs words.
    `stamp` is in nanoseconds of ROS time; those of `reset` and `start` are the stamp of the first
    observation. `start_index` is -1 for a start that is not of a fixed list. `parameters` are
    what a simulator's domain randomisation drew for the episode, by name.
    """

    id: str
    phase: str
    scenario: str = ''
    start_index: int = -1
    seed: int = 0
    verdict: str | None = None
    message: str = ''
    stamp: int = 0
    robot_start: tuple[float, float, float] | None = None
    contract_hash: str = ''
    parameters: dict = field(default_factory=dict)

    def to_json(self) -> str:
        """Return the event as JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> EpisodeEvent:
        """
        Read an event; keys of later versions are ignored.

        :raises ValueError: saying what is wrong with it.
        """
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f'episode: not JSON: {error}') from error
        if not isinstance(values, dict):
            raise ValueError('episode: a JSON object is expected')
        known = {item.name for item in fields(cls)}
        values = {key: value for key, value in values.items() if key in known}
        if not isinstance(values.get('id'), str) or not values['id']:
            raise ValueError('episode: id is missing')
        if values.get('phase') not in PHASES:
            raise ValueError(
                f'episode: phase is {values.get("phase")!r}, not one of {", ".join(PHASES)}'
            )
        if values.get('verdict') not in (None, *VERDICTS):
            raise ValueError(
                f'episode: verdict is {values["verdict"]!r}, not one of {", ".join(VERDICTS)}'
            )
        for key in ('start_index', 'seed', 'stamp'):
            if not isinstance(values.get(key, 0), int):
                raise ValueError(f'episode: {key} must be an integer, not {values[key]!r}')
        if not isinstance(values.get('parameters', {}), dict):
            raise ValueError(
                f'episode: parameters must be an object, not {values["parameters"]!r}'
            )
        start = values.get('robot_start')
        if start is not None:
            if (
                not isinstance(start, list)
                or len(start) != 3
                or not all(isinstance(v, (int, float)) and math.isfinite(v) for v in start)
            ):
                raise ValueError(f'episode: robot_start must be three numbers, not {start!r}')
            values['robot_start'] = tuple(float(value) for value in start)
        return cls(**values)


def read_event(node: Node, text: str) -> EpisodeEvent | None:
    """Return the event in a message's text; None for what is none, which the node's log tells."""
    try:
        return EpisodeEvent.from_json(text)
    except ValueError as error:
        node.get_logger().warning(f'ignored: {error}')
        return None
