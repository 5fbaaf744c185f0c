"""Merge, split and trim episodes; what was recorded is never changed, results are new sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from guda_ros.data.episodes import Episode
from guda_ros.data.transitions import DataSetError


class Joined:
    """Episodes that are collected one by one, each of them once and under an id of its own."""

    def __init__(self) -> None:
        self._episodes: dict[str, Episode] = {}

    @property
    def episodes(self) -> list[Episode]:
        """The episodes so far, in order."""
        return list(self._episodes.values())

    def add(self, episode: Episode) -> str:
        """
        Take an episode, unless it is there already.

        :return: a sentence if it was left out (the same one twice) or got another id (`a` becomes
            `a-2`), else ''.
        """
        number, name = 1, episode.id
        while (twin := self._episodes.get(name)) is not None:
            if same_episode(twin, episode):
                return f'{episode.id}: is there twice and is taken once'
            number += 1
            name = f'{episode.id}-{number}'
        if name == episode.id:
            self._episodes[name] = episode
            return ''
        self._episodes[name] = replace(episode, id=name)
        return f'{episode.id}: another episode has that id, this one is now {name}'


def merge(sets: Iterable[Sequence[Episode]]) -> tuple[list[Episode], list[str]]:
    """
    Join the episodes of several sets, in order, under ids that differ.

    :return: the episodes, and a sentence for each that was left out (the same one twice) or got
        another id (`a` becomes `a-2`).
    """
    joined = Joined()
    notes = [joined.add(episode) for episodes in sets for episode in episodes]
    return joined.episodes, [note for note in notes if note]


def same_episode(one: Episode, other: Episode) -> bool:
    """Tell whether two episodes hold the same steps, whatever their ids."""
    return all(
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True)
        for name in ('stamps', 'world_states', 'commands')
    )


def related(episodes: Sequence[Episode]) -> list[list[int]]:
    """
    Group episodes that hold the same steps, by index and in order.

    Two are of one kind where half of the shorter one's steps or more are in both: copies under
    other ids, one that was trimmed, one that was recovered from a torn copy.
    """
    group = list(range(len(episodes)))
    seen: dict[bytes, list[int]] = {}
    shared: Counter[tuple[int, int]] = Counter()
    for index, episode in enumerate(episodes):
        rows = np.column_stack([episode.world_states[:-1], episode.commands])
        for stamp, row in zip(episode.stamps[:-1], rows):
            holders = seen.setdefault(stamp.tobytes() + row.tobytes(), [])
            shared.update((other, index) for other in holders if other != index)
            if holders[-1:] != [index]:
                holders.append(index)
    for (one, other), count in sorted(shared.items()):
        if 2 * count >= min(len(episodes[one]), len(episodes[other])):
            first, last = sorted((group[one], group[other]))
            group = [first if mark == last else mark for mark in group]
    return [
        [index for index, mark in enumerate(group) if mark == first]
        for first in sorted(set(group))
    ]


def split(
    episodes: Sequence[Episode], share: float, seed: int
) -> tuple[list[Episode], list[Episode]]:
    """
    Divide whole episodes at random into two sets, the first with about `share` of them.

    Scored and other episodes are divided alike, and related ones (see `related`) go to the same
    set. Both sets keep the order.

    :raises DataSetError: if one of the sets would be empty.
    """
    rng = np.random.default_rng([seed, 7])
    groups = related(episodes)
    sizes = np.array([len(group) for group in groups], dtype=int)
    success = np.array([episodes[group[0]].success for group in groups], dtype=bool)
    first = np.zeros(len(groups), dtype=bool)
    # Rounded for both kinds together, so that few episodes of a kind do not all go one way.
    wanted = round(share * len(episodes))
    scored = rng.permutation(np.flatnonzero(success))
    others = rng.permutation(np.flatnonzero(~success))
    take = min(round(share * sizes[scored].sum()), wanted)
    take = max(take, wanted - sizes[others].sum())
    taken = _about(take, scored, sizes)
    first[taken] = True
    first[_about(wanted - sizes[taken].sum(), others, sizes)] = True
    if first.all() or not first.any():
        twins = '' if len(groups) == len(episodes) else ' (of which some hold the same steps)'
        raise DataSetError(
            f'{len(episodes)} episodes{twins} cannot be divided into {share:.0%} and the '
            'rest: one of the sets would be empty'
        )
    here = {index for group, chosen in zip(groups, first) if chosen for index in group}
    return (
        [episode for index, episode in enumerate(episodes) if index in here],
        [episode for index, episode in enumerate(episodes) if index not in here],
    )


def _about(wanted: int, groups: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return as many of the groups, from the first on, as come nearest to so many episodes."""
    totals = np.concatenate([[0], np.cumsum(sizes[groups])])
    return groups[: int(np.argmin(np.abs(totals - wanted)))]


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
    changes: dict[str, Any] = {}
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
