"""Who has answered a control step and who has not: the bookkeeping of lock-step."""

from __future__ import annotations

from collections.abc import Iterable


class LockStep:
    """
    The answers to the observation set of one stamp.

    :param command: the topic whose message moves the robot; always required.
    :param observed: topics in the order in which an answer comes about; with `command` they tell
        where an answer got stuck.
    """

    def __init__(self, command: str, observed: Iterable[str] = ()) -> None:
        self._command = command
        self._last: dict[str, int | None] = dict.fromkeys((*observed, command))
        self._required: tuple[str, ...] = (command,)
        self._stamp: int | None = None

    @property
    def stamp(self) -> int | None:
        """Stamp [ns] that is to be answered, None while none is."""
        return self._stamp

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics whose stamps are looked at."""
        return tuple(self._last)

    def require(self, topics: Iterable[str]) -> None:
        """Say which topics besides the command have to carry a stamp until it is answered."""
        self._required = (*topics, self._command)

    def expect(self, stamp: int) -> None:
        """Wait for the answers to an observation set with this stamp [ns]."""
        self._stamp = stamp

    def finish(self) -> None:
        """Wait for nothing."""
        self._stamp = None

    def answer(self, topic: str, stamp: int) -> bool:
        """Take note of a message; tell whether it is one for the stamp that is waited for."""
        self._last[topic] = stamp
        return self._stamp is not None and stamp == self._stamp

    @property
    def complete(self) -> bool:
        """Whether all that is required has been answered."""
        return self._stamp is not None and not self.missing()

    def missing(self) -> list[str]:
        """Return the required topics that have not carried the stamp yet."""
        return [topic for topic in self._required if self._last[topic] != self._stamp]

    def describe(self, publishers: dict[str, list[str]]) -> str:
        """
        Say where the answer got stuck.

        :param publishers: names of the nodes that publish each topic.
        """
        stuck = next((topic for topic in self._last
                      if (publishers.get(topic) or topic in self._required)
                      and self._last[topic] != self._stamp), self._command)
        nodes = ' or '.join(publishers.get(stuck, [])) or 'nobody publishes it'
        seen = []
        for topic, last in self._last.items():
            if not publishers.get(topic) and topic not in self._required:
                continue
            when = 'never' if last is None else f'last stamp {last / 1e9:.3f} s'
            seen.append(f'{topic} {"answered" if last == self._stamp else when}')
        return (f'no {stuck} for stamp {(self._stamp or 0) / 1e9:.3f} s (from {nodes}); '
                + ', '.join(seen))
