"""Who is in charge: sources of commands with priorities and timeouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class Instant(NamedTuple):
    """
    A moment [s] on two clocks.

    `ros` is the clock of the stamps and may jump; `steady` never does. Where time is simulated,
    both are the simulated time, so that a paused simulation ages nothing.
    """

    ros: float
    steady: float

    def since(self, earlier: 'Instant') -> float:
        """Return the time [s] since an earlier moment, on the clock that says more."""
        return max(self.ros - earlier.ros, self.steady - earlier.steady)


@dataclass(frozen=True)
class Source:
    """Priority (higher wins) and time [s] without a command after which a source is silent."""

    priority: int
    timeout: float


class CommandArbiter:
    """
    Give way to the source of the highest priority that has spoken within its timeout.

    :param sources: name to Source, of different priorities.
    :raises ValueError: for equal priorities or a timeout that is not positive.
    """

    def __init__(self, sources: Mapping[str, Source]) -> None:
        priorities = [source.priority for source in sources.values()]
        if not sources or len(set(priorities)) != len(priorities):
            raise ValueError(f'sources of commands need different priorities, not {priorities}')
        for name, source in sources.items():
            if not 0 < source.timeout < float('inf'):
                raise ValueError(
                    f'{name}: a timeout must be a positive number, not {source.timeout}')
        self._sources = dict(sources)
        self._spoke: dict[str, Instant] = {}

    @property
    def sources(self) -> Mapping[str, Source]:
        """The sources by name."""
        return self._sources

    def claim(self, name: str, stamp: float, now: Instant) -> bool:
        """Note a command of a source with its stamp [s]; return whether it is in charge."""
        self._spoke[name] = Instant(min(stamp, now.ros), now.steady)
        return self.active(now) == name

    def withdraw(self, name: str) -> None:
        """Let a source step back at once, before its timeout."""
        self._spoke.pop(name, None)

    def clear(self) -> None:
        """Forget who has spoken."""
        self._spoke.clear()

    def fresh(self, name: str, now: Instant) -> bool:
        """Return whether a source has spoken within its timeout."""
        spoke = self._spoke.get(name)
        return spoke is not None and now.since(spoke) <= self._sources[name].timeout

    def expiry(self, name: str) -> float | None:
        """Return when [s, clock of the stamps] a source's last command loses effect, or None."""
        spoke = self._spoke.get(name)
        return None if spoke is None else spoke.ros + self._sources[name].timeout

    def active(self, now: Instant) -> str | None:
        """Return the source in charge, None when all are silent."""
        fresh = [name for name in self._sources if self.fresh(name, now)]
        return max(fresh, key=lambda name: self._sources[name].priority, default=None)
