"""Merge, split and trim episodes; what was recorded is never changed, results are new sets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace

import numpy as np

from guda_ros.data.episodes import Episode
from guda_ros.data.transitions import DataSetError


def merge(sets: Iterable[Sequence[Episode]]) -> tuple[list[Episode], list[str]]:
    """
    Join the episodes of several sets, in order, under ids that differ.

    :return: the episodes, and a sentence for each that was left out (the same one twice) or got
        another id (`a` becomes `a-2`).
    """
    joined: dict[str, Episode] = {}
    notes = []
    for episode in (episode for episodes in sets for episode in episodes):
        twin = joined.get(episode.id)
        if twin is None:
            joined[episode.id] = episode
            continue
        if same_episode(twin, episode):
            notes.append(f'{episode.id}: is in two of the sets and is taken once')
            continue
        number = 2
        while f'{episode.id}-{number}' in joined:
            number += 1
        name = f'{episode.id}-{number}'
        notes.append(f'{episode.id}: another episode has that id, this one is now {name}')
        joined[name] = replace(episode, id=name)
    return list(joined.values()), notes


def same_episode(one: Episode, other: Episode) -> bool:
    """Tell whether two episodes hold the same steps, whatever their ids."""
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
        for name in ('stamps', 'world_states', 'commands')
    )


def split(
    episodes: Sequence[Episode], share: float, seed: int
) -> tuple[list[Episode], list[Episode]]:
    """
    Divide whole episodes at random into two sets, the first with about `share` of them.

    Scored and other episodes are divided alike. Both sets keep the order.

    :raises DataSetError: if one of the sets would be empty.
    """
    rng = np.random.default_rng([seed, 7])
    success = np.array([episode.success for episode in episodes], dtype=bool)
    first = np.zeros(len(episodes), dtype=bool)
    # Rounded for both kinds together, so that few episodes of a kind do not all go one way.
    wanted = round(share * len(episodes))
    scored = rng.permutation(np.flatnonzero(success))
    others = rng.permutation(np.flatnonzero(~success))
    take = min(round(share * len(scored)), wanted)
    take = max(take, wanted - len(others))
    first[scored[:take]] = True
    first[others[: wanted - take]] = True
    if first.all() or not first.any():
        raise DataSetError(
            f'{len(episodes)} episodes cannot be divided into {share:.0%} and the '
            'rest: one of the sets would be empty'
        )
    return (
        [episode for episode, here in zip(episodes, first) if here],
        [episode for episode, here in zip(episodes, first) if not here],
    )


def cut(episode: Episode, start: int, stop: int) -> Episode:
    """
    Return the steps [start, stop) of an episode.

    An episode whose end is cut off did not come to its end: its verdict is 'aborted' and
    `problems` says what it was.

    :raises DataSetError: if no step is left.
    """
    steps = len(episode)
    start, stop = max(0, start), min(stop, steps)
    if start >= stop:
        raise DataSetError(f'{episode.id}: nothing is left of its {steps} steps')
    if (start, stop) == (0, steps):
        return episode
    changes = {}
    for field in fields(episode):
        value = getattr(episode, field.name)
        if isinstance(value, np.ndarray):
            # Rows are stamps, of which there is one more than steps, or steps.
            changes[field.name] = value[start : stop + (len(value) == steps + 1)]
    said = f'steps {start} to {stop - 1} of {steps} were kept'
    if stop < steps:
        said += f'; the verdict of the whole was {episode.verdict}'
        changes['verdict'] = 'aborted'
    return replace(episode, problems=(*episode.problems, said), **changes)


def seconds_to_steps(episode: Episode, start: float, stop: float | None) -> tuple[int, int]:
    """Return the steps [first, last) that lie in a time [s] from the start of an episode."""
    times = (episode.stamps - episode.stamps[0]) * 1e-9
    first = int(np.searchsorted(times, start - 1e-6))
    last = (
        len(episode)
        if stop is None
        else int(np.searchsorted(times, stop + 1e-6, side='right')) - 1
    )
    return first, last


def driven_steps(episode: Episode, margin: int) -> tuple[int, int]:
    """
    Return the steps [first, last) from the first command to the last, with `margin` around them.

    Commands that are zero or missing are idle. An episode without any command keeps no step.
    """
    driven = np.flatnonzero(np.nan_to_num(episode.commands).any(axis=1))
    if not len(driven):
        return 0, 0
    return max(0, int(driven[0]) - margin), min(len(episode), int(driven[-1]) + 1 + margin)
