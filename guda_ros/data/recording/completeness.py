"""Find what an episode lacks while it is recorded, in memory that does not grow with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guda_ros.data.pairing import (
    control_steps,
    IMAGE_ROLES,
    observation_roles,
    SampleTally,
    StepChoice,
    truth_roles,
)

#: Seconds that a sample may come later than others of its stamp.
_HORIZON = 10.0


class SampleCheck:
    """
    Take the stamps of samples as they come.

    :param first: stamp [ns] of the first step. :param period: of control [s].
    :param inputs: of the contract.
    """

    def __init__(self, first: int, period: float, inputs: Sequence[str] = IMAGE_ROLES) -> None:
        self._observed, self._true = observation_roles(inputs), truth_roles(inputs)
        self._tally = SampleTally(first, period, inputs)
        self._choice = StepChoice(period)
        #: The last step, which is not counted yet: only the end tells whether it needs a command.
        self._last: int | None = None
        self._stamps: dict[str, set[int]] = {
            role: set() for role in (*self._observed, *self._true, 'command')
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

    def settled(self, stamp: int) -> bool:
        """Tell whether all samples of a step came lately: truth too, if any of it came."""
        return all(self._has(role, stamp) for role in self._observed) and all(
            not self._stamps[role] or self._has(role, stamp) for role in self._true
        )

    def _has(self, role: str, stamp: int) -> bool:
        # An odometry may be a later one.
        stamps = self._stamps[role]
        return stamp in stamps or (role == 'odom' and any(other > stamp for other in stamps))

    def _count(self, limit: int) -> None:
        steps = self._steps(limit - 1)
        if len(steps) == 1 and limit - steps[0] > _HORIZON * 1e9:
            # Nothing was seen for long: what belongs to it need not be remembered.
            self._tally.count(self._stamps, steps)
            self._last = None
        elif len(steps):
            self._last = int(steps[-1])
            self._tally.count(self._stamps, steps[:-1])
        self._counted = limit
        # The samples before the limit as well, between which an odometry may lie.
        kept = min(limit - int(1e9), limit if self._last is None else self._last)
        for role, stamps in self._stamps.items():
            self._stamps[role] = {stamp for stamp in stamps if stamp >= kept}

    def _steps(self, last: int) -> np.ndarray:
        """Return the steps that are not counted yet, up to `last` [ns]."""
        steps = control_steps(self._stamps, self._counted, last, self._choice)
        if self._last is None:
            return steps
        return np.concatenate([np.array([self._last], dtype=np.int64), steps])

    def finish(self, end: int) -> SampleTally:
        """
        Return what the episode lacks.

        :param end: stamp [ns] of its last observation; 0 for whatever came last.
        """
        steps = self._steps(end or 2**63 - 1)
        self._tally.count(self._stamps, steps, last=True)
        return self._tally
