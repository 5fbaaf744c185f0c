"""What others tell the safety node of the game and of the robot, and what it makes of it."""

from __future__ import annotations

from collections.abc import Callable
import json
import time

from rclpy.node import Node
from std_msgs.msg import String

from guda_ros.ros.topics import Topics

#: Silence [s] of a game node after which nobody knows what the game asks.
GAME_LIFE = 2.0


class ToldStates:
    """
    Hold the policy while the game wants the robot to stand, and everybody while it has fallen.

    A person may move a robot that the game keeps standing: what a game asks is asked of the
    policy. Without a game node nothing is held; one that was heard and fell silent without a word
    of farewell holds.

    :param hold: called with name, reason (empty to let go) and the sources that it keeps, all if
        there are none.
    """

    def __init__(
        self, node: Node, topics: Topics, hold: Callable[[str, str, tuple[str, ...]], None]
    ) -> None:
        self._hold = hold
        self._heard: float | None = None
        self._reason = ''
        topics.subscription(node, 'game_state', self._on_game)
        topics.subscription(node, 'adapter_state', self._on_robot)

    def look(self) -> None:
        """Notice that the game node fell silent."""
        if self._heard is not None and time.monotonic() - self._heard > GAME_LIFE:
            self._game(f'the game node says nothing for {GAME_LIFE:g} s')

    def _on_game(self, message: String) -> None:
        said = _read(message)
        self._heard = None if said.get('ended') else time.monotonic()
        self._game('' if said.get('ended') else str(said.get('stand', 'game state unreadable')))

    def _game(self, reason: str) -> None:
        if reason != self._reason:
            # Another reason is news, although the robot stands on.
            self._hold('game', '', ())
            self._reason = reason
        self._hold('game', reason and f'game: {reason}', ('policy',))

    def _on_robot(self, message: String) -> None:
        fall = _read(message).get('fall')
        self._hold('robot_fallen', f'the robot says that it is {fall}' if fall else '', ())


def _read(message: String) -> dict:
    try:
        said = json.loads(message.data)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
