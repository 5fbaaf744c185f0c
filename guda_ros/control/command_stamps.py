"""Stamps for plain velocity commands: of the headers that are sent just before them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

#: A header belongs to a command that its sender sent at most so long [ns] after it.
APART = 20_000_000
#: So long [s] a command waits for its header; then it counts from its reception.
PATIENCE = 0.1


@dataclass(frozen=True, eq=False)
class StampedCommand:
    """A command (3,), its stamp [ns] and who commanded it, empty if that is not known."""

    command: np.ndarray
    stamp: int
    commander: str = ''


@dataclass(frozen=True, eq=False)
class _Waiting:
    sent: int
    received: int
    since: float
    command: np.ndarray


class CommandStamps:
    """
    Find the header of each command by when their sender sent them, in whatever order they come.

    Every message may be late or lost; a header is used once. A command without one counts from its
    reception. `header`, `command` and `due` return the commands whose stamps are known now.
    """

    def __init__(self) -> None:
        self._headers: deque[tuple[int, int, str]] = deque(maxlen=100)
        self._waiting: deque[_Waiting] = deque()

    def header(self, sent: int, stamp: int, commander: str, now: float) -> list[StampedCommand]:
        """
        Take a header with its stamp [ns] and commander.

        :param sent: when it was sent, by the sender's clock [ns]. :param now: steady clock [s].
        """
        self._headers.append((sent, stamp, commander))
        return self._settle(now)

    def command(
        self, sent: int, received: int, command: np.ndarray, now: float
    ) -> list[StampedCommand]:
        """
        Take a command (3,) that was received at a ROS time [ns].

        :param sent, now: as in `header`.
        """
        self._waiting.append(_Waiting(sent, received, now, command))
        return self._settle(now)

    def due(self, now: float) -> list[StampedCommand]:
        """Return the commands that have waited long enough for a header."""
        return self._settle(now)

    def _settle(self, now: float) -> list[StampedCommand]:
        done = []
        while self._waiting:
            waiting = self._waiting[0]
            found = self._header_of(waiting.sent)
            if found is not None:
                self._headers.remove(found)
                done.append(StampedCommand(waiting.command, found[1], found[2]))
            elif now - waiting.since >= PATIENCE:
                done.append(StampedCommand(waiting.command, waiting.received))
            else:
                break
            self._waiting.popleft()
        return done

    def _header_of(self, sent: int) -> tuple[int, int, str] | None:
        near = [header for header in self._headers if 0 <= sent - header[0] <= APART]
        return max(near, default=None)
