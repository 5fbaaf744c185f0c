"""
Find the control steps of an episode by the stamps of images, and say which samples are missing.

Steps follow the contract's rate, whatever the camera's: `StepChoice` is the one rule by which
perception and policy answer images, and by which recordings are judged and converted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from guda_ros.data.odometry_join import around, MAX_GAP

#: Roles that come once for each image, the `inputs` of a contract with a ball; odometry and ground
#: truth may come more often.
IMAGE_ROLES = ('pose', 'ball')
#: Roles (keys of the contract's topics) without which a step is not whole.
OBSERVATION_ROLES = ('odom', *IMAGE_ROLES)
TRUTH_ROLES = ('ground_truth_robot', 'ground_truth_ball')


def observation_roles(inputs: Sequence[str] = IMAGE_ROLES) -> tuple[str, ...]:
    """Return the roles without which a step of a task with these `inputs` is not whole."""
    return tuple(role for role in OBSERVATION_ROLES if role == 'odom' or role in inputs)


def truth_roles(inputs: Sequence[str] = IMAGE_ROLES) -> tuple[str, ...]:
    """Return the roles of ground truth of a task with these `inputs`."""
    return TRUTH_ROLES if 'ball' in inputs else TRUTH_ROLES[:1]


#: A control step lasts one period, give or take this share of it: a camera of 15 Hz has no image
#: nearer than a third of a period of 10 Hz.
TOLERANCE = 0.4


class StepChoice:
    """
    Choose the images that begin control steps, as they come.

    The grid of multiples of the period begins with the first image; of the images around a point
    of the grid the nearest is chosen, as far as that can be told without the next image: it is
    expected as long after this one as this one came after the one before. A camera that is no
    faster than a tenth above the contract's rate has every image chosen.

    What was chosen is chosen again: who sees only chosen images chooses them all.

    :param period: of control [s].
    """

    #: An image may be this share of a period farther from the grid than the next one would be;
    #: with it, the earlier of two that are equally far is taken, whatever the jitter.
    _SLACK = 0.02
    #: Images this share of a period apart set the pace themselves.
    _PACE = 0.9

    def __init__(self, period: float) -> None:
        self._period = round(period * 1e9)
        self.reset()

    def reset(self) -> None:
        """Begin anew: the next image is the first."""
        self._origin: int | None = None
        self._before = self._index = 0

    def take(self, stamp: int) -> bool:
        """Tell whether an image [ns] begins a step; it is newer than the one before."""
        if self._origin is None:
            self._origin = self._before = stamp
            self._index = 0
            return True
        interval, self._before = stamp - self._before, stamp
        reach = min(interval, self._period) / 2 + self._SLACK * self._period
        due = self._origin + (self._index + 1) * self._period
        if stamp + reach < due and interval < self._PACE * self._period:
            return False
        nearest = (2 * (stamp - self._origin) + self._period) // (2 * self._period)
        self._index = max(self._index + 1, nearest)
        return True


def control_steps(
    stamps: Mapping[str, Collection[int]],
    first: int,
    last: int,
    choice: StepChoice | None = None,
) -> np.ndarray:
    """
    Return the stamps (K,) int64 [ns] in [first, last] of the images that begin steps, in order.

    An image that nobody saw leaves a step that is too long.

    :param stamps: stamps of the samples by role.
    :param choice: which images begin steps; it is left where it is after the last of them. None
        stands for all.
    """
    found: set[int] = set()
    for role in IMAGE_ROLES:
        found.update(stamp for stamp in stamps.get(role, ()) if first <= stamp <= last)
    steps = [stamp for stamp in sorted(found) if choice is None or choice.take(stamp)]
    return np.array(steps, dtype=np.int64)


def regular(steps: np.ndarray, period: float) -> np.ndarray:
    """Tell (K-1,) which steps last one control period [s], within TOLERANCE of it."""
    return np.abs(np.diff(steps) * 1e-9 - period) <= TOLERANCE * period


def slowest_rate(rate: float) -> float:
    """Return the least rate [Hz] of images of which steps are regular, for a control rate [Hz]."""
    return rate / (1 + TOLERANCE)


def has_odometry(stamps: Collection[int], steps: np.ndarray) -> np.ndarray:
    """Tell (K,) at which steps there is an odometry: with its stamp, or around it."""
    ordered = sorted(stamps)
    return np.array([around(ordered, int(step)) is not None for step in steps], dtype=bool)


def missing_samples(
    stamps: Mapping[str, Collection[int]],
    steps: np.ndarray,
    first: int,
    period: float,
    inputs: Sequence[str] = IMAGE_ROLES,
) -> list[str]:
    """
    Return one sentence for everything that an episode lacks; none if it is whole.

    Every step needs an observation, every step but the last a command with its stamp. Ground truth
    is not needed, but where some was recorded it has to be there for every step.

    :param inputs: of the contract.
    """
    tally = SampleTally(first, period, inputs)
    tally.count(stamps, steps, last=True)
    return tally.problems()


class SampleTally:
    """
    Count what the steps of an episode lack, a stretch after the other.

    :param first: stamp [ns] that the first step shall have. :param period: of control [s].
    :param inputs: of the contract.
    """

    def __init__(self, first: int, period: float, inputs: Sequence[str] = IMAGE_ROLES) -> None:
        self._first = first
        self._period = period
        self._begin: int | None = None
        self._end = 0
        #: Role -> samples that are needed, missing, and the stamp of the first missing one.
        roles = (*observation_roles(inputs), *truth_roles(inputs), 'command')
        self._roles = {role: [0, 0, 0] for role in roles}
        self._recorded = dict.fromkeys(TRUTH_ROLES, False)
        #: Whether images have stamps of their own, and the time [ns] to the first odometry.
        self._clocks_apart, self._lead = False, 0
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
        if self._begin is None:
            self._begin = int(steps[0])
            self._clocks_apart = self._begin not in stamps.get('odom', ())
            odometry = [stamp for stamp in stamps.get('odom', ()) if stamp >= self._first]
            # What came before the start is of another origin: an image needs one on either side.
            self._lead = min(odometry, default=self._first) - self._first
        self._end = int(steps[-1])
        gaps = np.flatnonzero(~regular(before, self._period))
        if len(gaps):
            self._first_irregular = self._first_irregular or int(before[gaps[0]])
            self._irregular += len(gaps)
        for role, tally in self._roles.items():
            have = stamps.get(role, ())
            needed = steps[:-1] if role == 'command' and last else steps
            missing = [int(stamp) for stamp in needed if stamp not in have]
            if role == 'odom' and missing:
                there = has_odometry(have, np.array(missing, dtype=np.int64))
                missing = [stamp for stamp, known in zip(missing, there) if not known]
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

    @property
    def indifferent(self) -> frozenset[str]:
        """
        Roles of which messages may be lost without any step lacking something.

        Calibrations are all alike, and between clocks apart one odometry is as good as another.
        """
        odometry = {'odom'} if self._clocks_apart and not self._roles['odom'][1] else set()
        return frozenset({'camera_info'} | odometry)

    def problems(self) -> list[str]:
        """Return one sentence for everything that is missing."""
        if self._begin is None:
            return ['no observation was recorded']
        problems = []
        late = (self._begin - self._first) * 1e-9
        # Outside lock-step an episode begins anywhere between two observations.
        if self._clocks_apart:
            missing = late > 1.1 * self._period + min(self._lead * 1e-9, MAX_GAP)
        else:
            missing = late > 1.1 * self._period or abs(late - self._period) < 1e-6
        if missing:
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
            (role, needed, missing, stamp)
            for role, (needed, missing, stamp) in self._roles.items()
            if self._recorded.get(role, True)
        ]
