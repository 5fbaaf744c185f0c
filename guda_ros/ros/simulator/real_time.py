"""The time of a simulated world, and how fast it should go and went."""

from __future__ import annotations

from collections.abc import Callable
import time
from typing import TYPE_CHECKING

from rclpy.task import Future

from guda_ros.data.messages import NANOSECONDS

if TYPE_CHECKING:
    from rclpy.executors import Executor

#: Real seconds that a world may be behind before it gives up catching up, and steps in one go.
_PATIENCE, _BURST = 0.25, 8


class StepClock:
    """
    Simulated time in steps; `now` is in nanoseconds and never runs backwards.

    :param rate: steps a second.
    :param control_rate: control steps a second, of which `rate` is a multiple.
    """

    def __init__(self, rate: float, control_rate: float) -> None:
        self.rate = rate
        self.ratio = round(rate / control_rate)
        self.now = self._began = 0
        self._steps = self._before = 0

    def next_begin(self) -> int:
        """Return when the next episode may begin: a gap keeps the data of two of them apart."""
        return (self.now // NANOSECONDS + 2) * NANOSECONDS

    def begin(self, now: int) -> None:
        """Begin an episode at `now` [ns]."""
        self._before += self._steps
        self.now = self._began = now
        self._steps = 0

    def advance(self) -> None:
        """Count a step."""
        self._steps += 1
        # Not by adding up, so that a rate that is no whole number of nanoseconds does not drift.
        self.now = self._began + round(self._steps * 1e9 / self.rate)

    @property
    def is_control(self) -> bool:
        """Whether a control step begins now."""
        return self._steps % self.ratio == 0

    @property
    def control_step(self) -> int:
        """Number of control steps since the episode's begin."""
        return self._steps // self.ratio

    @property
    def simulated(self) -> float:
        """Seconds in all episodes together."""
        return (self._before + self._steps) / self.rate


class RealTimePacer:
    """
    The steps of a free-running world on a steady clock, and its real-time factor.

    :param period: simulated seconds of a step.
    :param factor: simulated seconds that shall pass in a real one.
    """

    def __init__(
        self, period: float, factor: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        #: Real seconds between two steps.
        self.interval = period / factor
        self._clock = clock
        self._measured = clock(), 0.0
        self.restart()

    def restart(self) -> None:
        """Begin anew: no step is due."""
        self._next = self._clock() + self.interval

    def due(self) -> int:
        """Return how many steps are to be made now; a few at most, so that others get a turn."""
        behind = self._clock() - self._next
        if behind < 0:
            return 0
        count = int(behind / self.interval) + 1
        if behind > max(_PATIENCE, 2 * self.interval):
            self.restart()
            return 1
        count = min(count, _BURST)
        self._next += count * self.interval
        return count

    def measure(self, simulated: float) -> float:
        """Return simulated seconds for each real one since the last call, given their total."""
        clock = self._clock()
        (before, last), self._measured = self._measured, (clock, simulated)
        return (simulated - last) / max(clock - before, 1e-9)


class StepRequest:
    """The control steps that a caller of ~/step waits for, while the world is paused."""

    def __init__(self) -> None:
        self.left = 0
        self._done: Future | None = None

    def begin(self, count: int, executor: Executor) -> Future:
        """Allow steps; the future that is returned tells what prevented them, if anything did."""
        self.left, self._done = count, Future(executor=executor)
        return self._done

    def take(self) -> None:
        """Make one of the steps."""
        self.left = max(0, self.left - 1)

    def finish(self, problem: str = '') -> None:
        """Allow no more, and let the caller know."""
        done, self._done, self.left = self._done, None, 0
        if done is not None:
            done.set_result(problem)
