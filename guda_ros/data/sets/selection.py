"""Which of the recorded demonstrations a training seed sees, and each step only once."""

from __future__ import annotations

from collections.abc import Sequence
import math
import zlib

import numpy as np

from guda_ros.data.episodes import Episode
from guda_ros.data.transitions import DataSetError, TransitionSet


def choose_demonstrations(
    episodes: Sequence[Episode], count: int | None, seed: int
) -> list[Episode]:
    """
    Draw `count` episodes without repetition, in their order; all of them when count is None.

    Failed episodes are drawn like the others. The same seed draws the same episodes for every arm,
    so that arms can be compared pair by pair.

    :raises DataSetError: if there are fewer than `count`.
    """
    if count is None:
        return list(episodes)
    if not 1 <= count <= len(episodes):
        raise DataSetError(
            f'{count} demonstrations are asked for and the data set has {len(episodes)}'
        )
    rng = np.random.default_rng([seed, 6])
    return [episodes[index] for index in sorted(rng.choice(len(episodes), count, replace=False))]


def without_repeats(sets: Sequence[TransitionSet]) -> tuple[list[TransitionSet], list[int]]:
    """
    Leave out what an earlier set holds, too: the same step, of the same rule, to the bit.

    :return: the sets, and how many transitions each of them lost; the first loses none.
    """
    if len(set().union(*(one.rule_names for one in sets))) == sum(
        len(set(one.rule_names)) for one in sets
    ):
        return list(sets), [0] * len(sets)
    kept: list[TransitionSet] = []
    marks: list[np.ndarray] = []
    for one in sets:
        found = _marks(one)
        again = np.isin(found, np.concatenate(marks)) if marks else np.zeros(len(one), dtype=bool)
        kept.append(one.select(~again) if again.any() else one)
        marks.append(found)
    return kept, [len(one) - len(rest) for one, rest in zip(sets, kept)]


def _marks(steps: TransitionSet) -> np.ndarray:
    """Return a number (M,) for each transition, of 64 bits, that only equal ones share."""
    columns = (steps.states, steps.actions, steps.next_states, steps.rewards, steps.terminations)
    # A random odd multiplier for each number: two that differ meet once in 2^60 pairs.
    rng = np.random.default_rng(1)
    with np.errstate(over='ignore'):
        marks = np.array(
            [zlib.crc32(name.encode()) for name in steps.rule_names], dtype=np.uint64
        )[steps.rule]
        for column in columns:
            # Zero has two signs.
            table = column.astype(np.float64) + 0.0
            bits = table.view(np.uint64).reshape(len(steps), math.prod(column.shape[1:]))
            bits = bits ^ (bits >> np.uint64(32))
            factors = rng.integers(2**63, size=bits.shape[1], dtype=np.uint64) * 2 + 1
            marks = (marks ^ (marks >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) + (
                bits * factors
            ).sum(axis=1, dtype=np.uint64)
    return marks
