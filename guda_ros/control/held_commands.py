"""Commands that are not answered yet, because simulated time stands still."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guda_ros.control import safety_gate
from guda_ros.control.safety_gate import Decision

#: How long [s, steady] a command waits for a simulated clock that is behind its stamp.
CLOCK_PATIENCE = 2.0
#: How long [s, steady] simulated time may stand still before a command that gave way is answered.
SUPPRESSED_PATIENCE = 0.2


@dataclass(frozen=True, eq=False)
class HeldCommand:
    """
    A command (3,) of a source that waits, and what was decided about it.

    stamp: its own [ns]. arrival: when it came [s, steady]. clock: simulated time then [ns].
    """

    source: str
    command: np.ndarray
    stamp: int
    frame: str
    decision: Decision
    arrival: float
    clock: int


class HeldCommands:
    """
    At most one command of each source that waits for simulated time to go on.

    A command whose stamp is ahead of the clock may be in time when the clock's message has
    arrived; one that gave way to another source may be the only answer to a step in lock-step,
    because the other source fell silent.
    """

    def __init__(self) -> None:
        self._held: dict[str, HeldCommand] = {}

    def take(self, source: str) -> HeldCommand | None:
        """Return and forget what is held of a source, because a newer command has come."""
        return self._held.pop(source, None)

    def hold(self, held: HeldCommand, now: float) -> bool:
        """
        Hold a command if it may still be answered.

        :param now: [s, steady].
        :return: whether that decides about it: what is ahead of the clock is offered again.
        """
        future = held.decision.reason == safety_gate.FUTURE
        if future and now - held.arrival > CLOCK_PATIENCE:
            return False
        if not future and held.decision.reason != safety_gate.SUPPRESSED:
            return False
        self._held[held.source] = held
        return future

    def due(self, clock: int, now: float) -> tuple[list[HeldCommand], list[HeldCommand]]:
        """
        Return and forget what waits no longer.

        :param clock: simulated time [ns]. :param now: [s, steady].
        :return: commands to be offered again, and commands whose step nobody else has answered.
        """
        again, unanswered = [], []
        for source, held in list(self._held.items()):
            moved, waited = clock != held.clock, now - held.arrival
            future = held.decision.reason == safety_gate.FUTURE
            if not moved and waited <= (CLOCK_PATIENCE if future else SUPPRESSED_PATIENCE):
                continue
            del self._held[source]
            if future:
                again.append(held)
            elif not moved:
                unanswered.append(held)
        return again, unanswered
