"""What came shortly before an episode was announced, so that its start is never missed."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection

from guda_ros.data.recording.serialization import event_of, header_stamp

#: The announcement of an episode may come this much [s] later than its first messages.
_LATE = 0.5


class PreRoll:
    """
    Messages of the last seconds.

    :param seconds: how much of what came before the start belongs to an episode.
    :param unstamped: roles whose messages have no header.
    :param clock: a steady clock [s].
    """

    def __init__(
        self, seconds: float, unstamped: Collection[str], clock: Callable[[], float]
    ) -> None:
        self._seconds = seconds
        self._unstamped = unstamped
        self._clock = clock
        self._kept: deque[tuple[float, str, int, bytes]] = deque()
        self._reset: tuple[str, int] = '', 0

    def add(self, role: str, received: int, data: bytes) -> None:
        """Keep a message for a while."""
        self._kept.append((self._clock(), role, received, data))
        self._forget()

    def reset(self, episode: str, stamp: int) -> None:
        """Take note that an episode was reset: what bears an earlier stamp is none of it."""
        self._reset = episode, stamp

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def of(self, episode: str, start: int) -> list[tuple[str, int, bytes]]:
        """
        Return role, time of reception and message of what belongs to an episode.

        :param start: stamp [ns] of its first observation.
        """
        self._forget()
        first = start - int(self._seconds * 1e9)
        if self._reset[0] == episode:
            first = self._reset[1]
        found = []
        for _, role, received, data in self._kept:
            if role == 'episode':
                belongs = event_of(data).get('id') == episode
            else:
                belongs = role in self._unstamped or header_stamp(data) >= first
            if belongs:
                found.append((role, received, data))
        return found

    def _forget(self) -> None:
        oldest = self._clock() - max(self._seconds, _LATE)
        while self._kept and self._kept[0][0] < oldest:
            self._kept.popleft()
