"""Which of the recorded demonstrations a training seed sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guda_ros.data.episodes import Episode
from guda_ros.data.transitions import DataSetError


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
