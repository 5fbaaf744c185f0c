"""How fast a simulated world should go and how fast it went."""

from __future__ import annotations

from collections.abc import Callable
import time

#: Real seconds that a world may be behind before it gives up catching up, and steps in one go.
_PATIENCE, _BURST = 0.25, 8


class Pace:
    """
    The steps of a free-running world on a steady clock, and its real-time factor.

    :param period: simulated seconds of a step.
    :param factor: simulated seconds that shall pass in a real one.
    """

    def __init__(self, period: float, factor: float = 1.0,
                 clock: Callable[[], float] = time.monotonic) -> None:
        self._interval = period / factor
        self._clock = clock
        self._measured = clock(), 0.0
        self.restart()

    def restart(self) -> None:
        """Begin anew: no step is due."""
        self._next = self._clock() + self._interval

    def due(self) -> int:
        """Return how many steps are to be made now; a few at most, so that others get a turn."""
        behind = self._clock() - self._next
        if behind < 0:
            return 0
        count = int(behind / self._interval) + 1
        if behind > max(_PATIENCE, 2 * self._interval):
            self.restart()
            return 1
        count = min(count, _BURST)
        self._next += count * self._interval
        return count

    def measure(self, simulated: float) -> float:
        """Return simulated seconds for each real one since the last call, given their total."""
        clock = self._clock()
        (before, last), self._measured = self._measured, (clock, simulated)
        return (simulated - last) / max(clock - before, 1e-9)
