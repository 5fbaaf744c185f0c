"""What the safety node says of itself: its state, and its diagnostics."""

from __future__ import annotations

import json

from guda_ros.control import safety_gate
from guda_ros.control.arbiter import Instant
from guda_ros.control.safety_gate import SafetyGate
from guda_ros.ros.diagnostics import ERROR, OK, WARN


class SafetyReport:
    """
    Describe a gate.

    :param reasons: source -> reason of the latest decision about it, kept up to date elsewhere.
    """

    def __init__(self, gate: SafetyGate, reasons: dict[str, str]) -> None:
        self._gate, self._reasons = gate, reasons
        self._faults = 0

    def state(self, now: Instant) -> str:
        """Return the JSON of `~/state`."""
        in_charge, reasons = self._stand(now)
        return json.dumps(
            {
                'stopped': self._gate.stopped,
                'cause': self._gate.stop_cause,
                'in_charge': in_charge,
                'reasons': reasons,
                'locks': self._gate.locks(now),
                'holds': self._gate.holds,
            }
        )

    def _stand(self, now: Instant) -> tuple[str | None, dict[str, str]]:
        """Return who is in charge and the reasons; a node without a person drives nothing."""
        in_charge = self._gate.active(now)
        reasons = {
            source: safety_gate.STANDING
            if reason == safety_gate.DRIVING and self._gate.idles(source, now)
            else reason
            for source, reason in self._reasons.items()
        }
        idle = in_charge is not None and self._gate.idles(in_charge, now)
        return None if idle else in_charge, reasons

    def diagnostics(self, now: Instant, rivals: str, problem: str) -> tuple[bytes, str, dict]:
        """
        Return level, message and values of /diagnostics.

        :param rivals: who else commands the robot.
        :param problem: what is wrong with the joystick, the watch or who hears commands.
        """
        counts, (in_charge, reasons) = self._gate.counts, self._stand(now)
        faults = sum(counts[key] for key in counts if key[1] in safety_gate.FAULTS)
        new_faults, self._faults = faults - self._faults, faults
        values = self._values(now)
        if rivals:
            return ERROR, rivals, values
        if self._gate.stopped:
            return ERROR, f'emergency stop by {self._gate.stop_cause}', values
        if self._gate.holds:
            return WARN, '; '.join(self._gate.holds.values()), values
        if new_faults or problem:
            return WARN, problem or f'{new_faults} commands were refused, see the counts', values
        limit = self._gate.field_limit
        if limit is not None and self._gate.driver is not None and not limit.knows(now):
            return WARN, 'nothing keeps the robot on the field: its pose is not known', values
        if in_charge is None:
            return OK, 'nobody is in charge', values
        return OK, f'{in_charge}: {reasons.get(in_charge, "")}', values

    def _values(self, now: Instant) -> dict[str, object]:
        values = {
            f'{source or "robot"}.{reason}': count
            for (source, reason), count in sorted(self._gate.counts.items(), key=str)
        }
        values.update({f'{source}.now': reason for source, reason in self._stand(now)[1].items()})
        values['in_charge'] = self._stand(now)[0] or 'nobody'
        values['holds'] = ', '.join(self._gate.holds) or 'none'
        values['locks'] = ', '.join(self._gate.locks(now)) or 'none'
        limit = self._gate.field_limit
        if limit is None:
            values['field_limit'] = 'off'
        else:
            values['field_limit'] = 'on' if limit.knows(now) else 'off: the pose is not known'
        return values
