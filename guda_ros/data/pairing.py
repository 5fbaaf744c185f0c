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


def missing_samples(stamps: Mapping[str, Collection[int]], steps: np.ndarray, first: int,
                    period: float) -> list[str]:
    """
    Return one sentence for everything that an episode lacks; none if it is whole.

    Every step needs an observation, every step but the last a command with its stamp. Ground truth
    is not needed, but where some was recorded it has to be there for every step.
    """
    if not len(steps):
        return ['no observation was recorded']
    problems = []
    if steps[0] != first:
        problems.append(f'the first {(steps[0] - first) * 1e-9:.2f} s are missing')
    for role in (*OBSERVATION_ROLES, *TRUTH_ROLES, 'command'):
        needed = steps[:-1] if role == 'command' else steps
        have = stamps.get(role, ())
        if role in TRUTH_ROLES and not have:
            continue
        missing = [int(stamp) for stamp in needed if stamp not in have]
        if missing:
            problems.append(f'{role}: {len(missing)} of {len(needed)} samples are missing, the '
                            f'first {(missing[0] - steps[0]) * 1e-9:.2f} s after the start')
    gaps = np.flatnonzero(~regular(steps, period))
    if len(gaps):
        problems.append(f'{len(gaps)} steps do not last {period:g} s, the first '
                        f'{(steps[gaps[0]] - steps[0]) * 1e-9:.2f} s after the start')
    return problems
