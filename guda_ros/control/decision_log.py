"""What is worth a line in the log of the decisions about commands."""

from __future__ import annotations

import math

from guda_ros.control import safety_gate
from guda_ros.control.safety_gate import Decision

#: The same reason of the same source is logged at most this often [s].
LOG_INTERVAL = 1.0


class DecisionLog:
    """
    Keep the latest reason by source, and tell which decisions are news.

    There are many decisions a second, most of them as before.
    """

    def __init__(self) -> None:
        #: Source -> reason of the latest decision about it.
        self.reasons: dict[str, str] = {}
        self._logged: dict[tuple[str, str], float] = {}

    def is_news(self, source: str, decision: Decision, now: float) -> bool:
        """Note a decision at `now` [s, steady]; tell whether its message is to be logged."""
        reason = decision.reason
        if self.reasons.get(source) == reason or not decision.message:
            return False
        self.reasons[source] = reason
        if now - self._logged.get((source, reason), -math.inf) < LOG_INTERVAL:
            return False
        self._logged[source, reason] = now
        return True


def is_warning(decision: Decision) -> bool:
    """Tell whether a person should look at a decision."""
    return decision.reason.startswith(f'{safety_gate.HELD}:') or decision.reason in (
        safety_gate.EMERGENCY_STOP,
        safety_gate.SILENT,
        *safety_gate.FAULTS,
    )
