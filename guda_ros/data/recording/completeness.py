"""Find what an episode lacks while it is recorded, in memory that does not grow with it."""

from __future__ import annotations

from guda_ros.data.pairing import (
    control_steps,
    OBSERVATION_ROLES,
    SampleTally,
    TRUTH_ROLES,
)

#: Seconds that a sample may come later than others of its stamp.
_HORIZON = 10.0


class SampleCheck:
    """
    Take the stamps of samples as they come.

    :param first: stamp [ns] of the first step. :param period: of control [s].
    """

    def __init__(self, first: int, period: float) -> None:
        self._tally = SampleTally(first, period)
        self._stamps: dict[str, set[int]] = {
            role: set() for role in (*OBSERVATION_ROLES, *TRUTH_ROLES, 'command')
        }
        self._newest = first
        self._counted = first

    def add(self, role: str, stamp: int) -> None:
        """Take a sample's stamp [ns]; a role of no step is ignored."""
        stamps = self._stamps.get(role)
        if stamps is None:
            return
        stamps.add(stamp)
        self._newest = max(self._newest, stamp)
        horizon = int(_HORIZON * 1e9)
        if self._newest - self._counted > 2 * horizon:
            self._count(self._newest - horizon)

    def has(self, role: str, stamp: int) -> bool:
        """Tell whether a sample with this stamp came lately."""
        return stamp in self._stamps[role]

    def seen(self, role: str) -> bool:
        """Tell whether samples of a role came lately."""
        return bool(self._stamps[role])

    def _count(self, limit: int) -> None:
        steps = control_steps(self._stamps, self._counted, self._newest)
        # The last step is kept: only the end tells whether it needs a command.
        limit = min(limit, int(steps[-1])) if len(steps) else limit
        self._tally.count(self._stamps, steps[steps < limit])
        self._counted = limit
        for role, stamps in self._stamps.items():
            self._stamps[role] = {stamp for stamp in stamps if stamp >= limit}

    def finish(self, end: int) -> SampleTally:
        """
        Return what the episode lacks.

        :param end: stamp [ns] of its last observation; 0 for whatever came last.
        """
        steps = control_steps(self._stamps, self._counted, end or 2**63 - 1)
        self._tally.count(self._stamps, steps, last=True)
        return self._tally
