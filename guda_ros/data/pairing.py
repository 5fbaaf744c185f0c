"""Find the control steps of an episode by exact stamps, and say which samples are missing."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

#: Roles (keys of the contract's topics) without which a step is not whole.
OBSERVATION_ROLES = ('odom', 'pose', 'ball')
#: Roles that come once for each image; odometry and ground truth may come more often.
_IMAGE_ROLES = ('pose', 'ball')
TRUTH_ROLES = ('ground_truth_robot', 'ground_truth_ball')


def control_steps(stamps: Mapping[str, Collection[int]], first: int, last: int) -> np.ndarray:
    """
    Return the stamps (K,) int64 [ns] in [first, last] of the images that were seen, in order.

    An image that nobody saw leaves a step that is too long.

    :param stamps: stamps of the samples by role.
    """
    found = set()
    for role in _IMAGE_ROLES:
        found.update(stamp for stamp in stamps.get(role, ()) if first <= stamp <= last)
    return np.array(sorted(found), dtype=np.int64)


def regular(steps: np.ndarray, period: float) -> np.ndarray:
    """Tell (K-1,) which steps last one control period [s], within a tenth of it."""
    return np.abs(np.diff(steps) * 1e-9 - period) <= 0.1 * period


def missing_samples(
    stamps: Mapping[str, Collection[int]], steps: np.ndarray, first: int, period: float
) -> list[str]:
    """
    Return one sentence for everything that an episode lacks; none if it is whole.

    Every step needs an observation, every step but the last a command with its stamp. Ground truth
    is not needed, but where some was recorded it has to be there for every step.
    """
    tally = SampleTally(first, period)
    tally.count(stamps, steps, last=True)
    return tally.problems()


class SampleTally:
    """
    Count what the steps of an episode lack, a stretch after the other.

    :param first: stamp [ns] that the first step shall have. :param period: of control [s].
    """

    def __init__(self, first: int, period: float) -> None:
        self._first = first
        self._period = period
        self._begin: int | None = None
        self._end = 0
        #: Role -> samples that are needed, missing, and the stamp of the first missing one.
        self._roles = {role: [0, 0, 0] for role in (*OBSERVATION_ROLES, *TRUTH_ROLES, 'command')}
        self._recorded = dict.fromkeys(TRUTH_ROLES, False)
        self._irregular, self._first_irregular = 0, 0

    def count(
        self, stamps: Mapping[str, Collection[int]], steps: np.ndarray, last: bool = False
    ) -> None:
        """
        Take the steps (K,) that follow those of the last call.

        :param stamps: stamps of the samples by role, at least around these steps.
        :param last: whether the episode ends with them.
        """
        if not len(steps):
            return
        before = steps if self._begin is None else np.concatenate([[self._end], steps])
        self._begin = int(steps[0]) if self._begin is None else self._begin
        self._end = int(steps[-1])
        gaps = np.flatnonzero(~regular(before, self._period))
        if len(gaps):
            self._first_irregular = self._first_irregular or int(before[gaps[0]])
            self._irregular += len(gaps)
        for role, tally in self._roles.items():
            have = stamps.get(role, ())
            needed = steps[:-1] if role == 'command' and last else steps
            missing = [int(stamp) for stamp in needed if stamp not in have]
            if role in TRUTH_ROLES:
                self._recorded[role] |= bool(have)
            if missing and not tally[1]:
                tally[2] = missing[0]
            tally[0] += len(needed)
            tally[1] += len(missing)

    @property
    def lost(self) -> float:
        """The largest share of missing samples among the roles that are needed."""
        if self._begin is None:
            return 1.0
        return max(
            (
                missing / needed
                for role, (needed, missing, _) in self._roles.items()
                if needed and role not in TRUTH_ROLES
            ),
            default=0.0,
        )

    def problems(self) -> list[str]:
        """Return one sentence for everything that is missing."""
        if self._begin is None:
            return ['no observation was recorded']
        problems = []
        late = (self._begin - self._first) * 1e-9
        # Outside lock-step an episode begins anywhere between two observations.
        if late > 1.1 * self._period or abs(late - self._period) < 1e-6:
            problems.append(f'the first {(self._begin - self._first) * 1e-9:.2f} s are missing')
        problems += [
            f'{role}: {missing} of {needed} samples are missing, the first '
            f'{(stamp - self._begin) * 1e-9:.2f} s after the start'
            for role, needed, missing, stamp in self._counted()
            if missing
        ]
        if self._irregular:
            problems.append(
                f'{self._irregular} steps do not last {self._period:g} s, the first '
                f'{(self._first_irregular - self._begin) * 1e-9:.2f} s after the start'
            )
        return problems

    def _counted(self) -> list[tuple[str, int, int, int]]:
        return [
            (role, *tally) for role, tally in self._roles.items() if self._recorded.get(role, True)
        ]
