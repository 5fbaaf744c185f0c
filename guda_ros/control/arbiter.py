"""Who is in charge: sources of commands with priorities and timeouts, and locks (twist_mux)."""

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

    def since(self, earlier: Instant) -> float:
        """Return the time [s] since an earlier moment, on the clock that says more."""
        return max(self.ros - earlier.ros, self.steady - earlier.steady)


@dataclass(frozen=True)
class Source:
    """
    Priority (higher wins) and time [s] without a command after which a source is silent.

    age: how old [s] the stamp of a command may be, the timeout by default. Who sees through a slow
    camera commands with old stamps, but not seldom.
    """

    priority: int
    timeout: float
    age: float | None = None

    @property
    def oldest(self) -> float:
        """How old [s] the stamp of a command may be."""
        return self.timeout if self.age is None else self.age


@dataclass(frozen=True)
class Lock:
    """
    Keeps sources of a lower priority silent while it is on.

    With a `timeout` [s] it is on as well when nobody has said for so long that it is off; with 0
    it is off until somebody says that it is on.
    """

    priority: int
    timeout: float = 0.0


class CommandArbiter:
    """
    Give way to the source of the highest priority that has spoken within its timeout.

    Priorities, timeouts and locks mean what they mean in ROS' twist_mux.

    :param sources: name to Source, of different priorities.
    :param locks: name to Lock.
    :raises ValueError: for equal priorities or a timeout that is not positive.
    """

    def __init__(
        self, sources: Mapping[str, Source], locks: Mapping[str, Lock] | None = None
    ) -> None:
        priorities = [source.priority for source in sources.values()]
        if not sources or len(set(priorities)) != len(priorities):
            raise ValueError(f'sources of commands need different priorities, not {priorities}')
        for name, source in sources.items():
            for value in (source.timeout, source.oldest):
                if not 0 < value < float('inf'):
                    raise ValueError(f'{name}: a timeout must be a positive number, not {value}')
        self._sources = dict(sources)
        self._locks = dict(locks or {})
        # By source, when its last command came, and its stamp.
        self._spoke: dict[str, tuple[Instant, float]] = {}
        self._told: dict[str, tuple[bool, Instant]] = {}

    @property
    def sources(self) -> Mapping[str, Source]:
        """The sources by name."""
        return self._sources

    def claim(self, name: str, stamp: float, now: Instant) -> bool:
        """Note a command of a source with its stamp [s]; return whether it is in charge."""
        self._spoke[name] = now, min(stamp, now.ros)
        return self.active(now) == name

    def withdraw(self, name: str) -> None:
        """Let a source step back at once, before its timeout."""
        self._spoke.pop(name, None)

    def clear(self) -> None:
        """Forget who has spoken; locks that are on stay on."""
        self._spoke.clear()
        self._told = {name: told for name, told in self._told.items() if told[0]}

    def lock(self, name: str, on: bool, now: Instant) -> None:
        """Note what a lock's owner says."""
        self._told[name] = on, now

    def locks(self, now: Instant) -> list[str]:
        """Return the names of the locks that are on."""
        return [name for name, lock in self._locks.items() if self._is_on(name, lock, now)]

    def _is_on(self, name: str, lock: Lock, now: Instant) -> bool:
        on, when = self._told.get(name, (False, None))
        silent = lock.timeout > 0 and (when is None or now.since(when) > lock.timeout)
        return on or silent

    def masked_by(self, source: str, now: Instant) -> str:
        """Return a lock that keeps a source silent, an empty text if there is none."""
        return next(
            (
                name
                for name in self.locks(now)
                if self._locks[name].priority > self._sources[source].priority
            ),
            '',
        )

    def overruled(self, source: str, now: Instant) -> list[str]:
        """Return the sources of lower priority that have spoken within their timeouts."""
        return [
            name
            for name in self._sources
            if self.fresh(name, now)
            and self._sources[name].priority < self._sources[source].priority
        ]

    def fresh(self, name: str, now: Instant) -> bool:
        """Return whether a source has spoken within its timeout."""
        if name not in self._spoke:
            return False
        (arrival, stamp), source = self._spoke[name], self._sources[name]
        return now.since(arrival) <= source.timeout and now.ros - stamp <= source.oldest

    def expiry(self, name: str) -> float | None:
        """Return when [s, clock of the stamps] a source's last command loses effect, or None."""
        if name not in self._spoke:
            return None
        (arrival, stamp), source = self._spoke[name], self._sources[name]
        return min(arrival.ros + source.timeout, stamp + source.oldest)

    def active(self, now: Instant) -> str | None:
        """Return the source in charge, None when all are silent."""
        fresh = [
            name
            for name in self._sources
            if self.fresh(name, now) and not self.masked_by(name, now)
        ]
        return max(fresh, key=lambda name: self._sources[name].priority, default=None)
