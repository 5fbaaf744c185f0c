"""
Times of a bag's messages, whatever their stamps say.

Headers come without a stamp, all with the same, from 1970, from a clock that is set while it
runs, or damaged. A message without a stamp counts from its reception; a stamp that is far from
where its neighbours are is left out; where a clock was set, or time begins anew, the longest
stretch is kept. All of it is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

import numpy as np

#: Difference [s] of the stamps' clock from the recorder's from which they are two clocks.
OTHER_CLOCK = 1.0
#: A stamp is wrong if it is farther [s] than that from its neighbours, which are so many.
_FAR, _NEIGHBOURS = 5.0, 21
#: A silence [s] from which a clock was set, and the longest bag [s] that is one episode.
_SILENCE, _LONGEST = 3600.0, 86_400.0
#: Stamps go back where so many messages of a topic are all older, by this [s], than so many
#: before.
_BEFORE, _BACK = 3, 0.3
#: Reception times [s] up to which a stamp of zero may be simulated time.
_SIMULATED = 86_400.0
#: Role -> a value (N,) of each of its messages.
_Columns = Mapping[str, np.ndarray]


class ClockError(ValueError):
    """The stamps of a bag cannot be of one recording; the message names two of them."""


@dataclass(frozen=True, eq=False)
class BagTimes:
    """
    Times by role.

    times: role -> (N,) int64 [ns]. kept: role -> (N,) bool, which messages have one. problems:
    sentences on what was moved or left out.
    """

    times: dict[str, np.ndarray]
    kept: dict[str, np.ndarray]
    problems: tuple[str, ...]


def bag_times(
    stamps: Mapping[str, np.ndarray],
    received: Mapping[str, np.ndarray],
) -> BagTimes:
    """
    Return the times of messages, in the clock of their stamps.

    :param stamps: role -> (N,) int64 [ns]; -1 where a message has no header.
    :param received: role -> (N,) int64 [ns], in order.
    :raises ClockError: if what is left is longer than a day.
    """
    problems: list[str] = []
    stamped, kept = {}, {}
    for role, values in stamps.items():
        empty = (values == 0) & (received[role] > _SIMULATED * 1e9)
        if empty.any():
            problems.append(
                f'{role}: {_count(empty.sum(), "message has", "messages have")} no stamp; taken '
                'at reception'
            )
        stamped[role] = (values >= 0) & ~empty
        if _frozen(values[stamped[role]], received[role][stamped[role]]):
            problems.append(
                f'{role}: all {stamped[role].sum()} messages have the stamp '
                f'{_date(values[stamped[role]][0])}; taken at reception'
            )
            stamped[role][:] = False
        kept[role] = np.ones(len(values), dtype=bool)
    _keep_one_time(stamps, received, stamped, kept, problems)
    for role, values in stamps.items():
        wrong = _outliers(values, received[role], stamped[role] & kept[role])
        if wrong.any():
            kept[role] &= ~wrong
            problems.append(
                f'{role}: {_count(wrong.sum(), "sample has", "samples have")} the stamp '
                f'{_date(values[wrong][0])}, far from its neighbours, and left out'
            )
    offset = _offset(stamps, received, stamped, kept, problems)
    times = {
        role: np.where(stamped[role], values, received[role] + offset)
        for role, values in stamps.items()
    }
    _keep_one_stretch(times, kept, problems)
    return BagTimes(times, kept, tuple(problems))


def _frozen(stamps: np.ndarray, received: np.ndarray) -> bool:
    """Tell whether messages that came one after the other all have one stamp."""
    return len(stamps) > 2 and stamps.min() == stamps.max() and received.min() < received.max()


def _keep_one_time(
    stamps: _Columns,
    received: _Columns,
    stamped: _Columns,
    kept: dict[str, np.ndarray],
    problems: list[str],
) -> None:
    """Keep the stretch with the most messages between places where stamps go back, in place."""
    cuts = sorted(
        cut
        for role in stamps
        for cut in _backward(stamps[role][stamped[role]], received[role][stamped[role]])
    )
    if not cuts:
        return
    # Topics notice it one after the other.
    cuts = [cut for cut, before in zip(cuts, [-np.inf, *cuts]) if cut - before > 1e9]
    which = {role: np.searchsorted(cuts, times, side='right') for role, times in received.items()}
    counts = np.bincount(np.concatenate(list(which.values())), minlength=len(cuts) + 1)
    best = int(np.argmax(counts))
    spans = [
        np.concatenate([stamps[role][stamped[role] & (which[role] == n)] for role in stamps])
        for n in range(len(cuts) + 1)
    ]
    for number, span in enumerate(spans):
        if number != best and len(span):
            problems.append(
                f'the clock was set: time begins anew; {_spread(span):.1f} s from '
                f'{_date(span.min())} are left out, {_spread(spans[best]):.1f} s from '
                f'{_date(spans[best].min())} are kept'
            )
    for role, numbers in which.items():
        kept[role] &= numbers == best


def _backward(stamps: np.ndarray, received: np.ndarray) -> list[float]:
    """Return when [ns] messages were received from which on the stamps of a topic are older."""
    if len(stamps) < _BEFORE + 2:
        return []
    windows = np.lib.stride_tricks.sliding_window_view(stamps, _BEFORE)
    lowest, highest = windows.min(axis=1), windows.max(axis=1)
    # Row n compares the messages before number n + _BEFORE with those from there on.
    apart = (lowest[:-_BEFORE] - highest[_BEFORE:]) * 1e-9
    rows = np.flatnonzero(apart > _BACK)
    # Of the places around one jump the sharpest.
    groups = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1) if len(rows) else []
    return [float(received[group[np.argmax(apart[group])] + _BEFORE]) for group in groups]


def _outliers(stamps: np.ndarray, received: np.ndarray, stamped: np.ndarray) -> np.ndarray:
    """Tell (N,) which stamps are far from those of the messages around them."""
    wrong = np.zeros(len(stamps), dtype=bool)
    rows = np.flatnonzero(stamped)
    if len(rows) < 3:
        return wrong
    away = (stamps[rows] - received[rows]) * 1e-9
    half = _NEIGHBOURS // 2
    padded = np.pad(away, half, mode='reflect' if len(away) > half else 'edge')
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, _NEIGHBOURS), axis=1)
    wrong[rows] = np.abs(away - middle) > _FAR
    return wrong


def _offset(
    stamps: _Columns, received: _Columns, stamped: _Columns, kept: _Columns, problems: list[str]
) -> int:
    """Return how far [ns] the stamps' clock is from the recorder's, 0 if they are one."""
    away = np.concatenate(
        [(stamps[role] - received[role])[stamped[role] & kept[role]] for role in stamps]
    )
    offset = float(np.median(away)) if len(away) else 0.0
    if abs(offset) * 1e-9 <= OTHER_CLOCK:
        return 0
    problems.append(
        f'the stamps are {offset * 1e-9:.1f} s from the clock of the recorder; '
        'messages without a stamp were moved by that'
    )
    return int(offset)


def _keep_one_stretch(times: _Columns, kept: dict[str, np.ndarray], problems: list[str]) -> None:
    """Keep the stretch with the most messages between silences of an hour, in place."""
    whole = np.sort(np.concatenate([times[role][kept[role]] for role in times]))
    if not len(whole):
        return
    strangers = _of_another_clock(times, kept)
    for role in strangers:
        first = times[role][kept[role]].min()
        problems.append(
            f'{role}: the stamps, from {_date(first)} on, are of another clock than those of the '
            'other topics; left out'
        )
        kept[role][:] = False
    if strangers:
        whole = np.sort(np.concatenate([times[role][kept[role]] for role in times]))
    ends = np.flatnonzero(np.diff(whole) > _SILENCE * 1e9) + 1
    stretches = np.split(whole, ends)
    best = max(stretches, key=len)
    for stretch in stretches:
        if stretch is not best:
            problems.append(
                f'the clock was set: {_seconds(stretch):.1f} s from {_date(stretch[0])} are left '
                f'out, {_seconds(best):.1f} s from {_date(best[0])} are kept'
            )
    if _seconds(best) > _LONGEST:
        raise ClockError(
            f'stamps from {_date(best[0])} to {_date(best[-1])}: one recording is no longer than '
            'a day; cut the bag, or mend its stamps'
        )
    for role, values in times.items():
        low, high = best[0] - int(_FAR * 1e9), best[-1] + int(_FAR * 1e9)
        kept[role] &= (values >= low) & (values <= high)


def _of_another_clock(times: _Columns, kept: _Columns) -> list[str]:
    """Name the topics that have no message within a silence's length of those of the others."""
    spans = {
        role: (values[kept[role]].min(), values[kept[role]].max())
        for role, values in times.items()
        if kept[role].any()
    }
    counts = {role: int(kept[role].sum()) for role in spans}
    apart = [
        role
        for role, (low, high) in spans.items()
        if all(
            low - end > _SILENCE * 1e9 or begin - high > _SILENCE * 1e9
            for other, (begin, end) in spans.items()
            if other != role
        )
    ]
    if len(apart) == len(spans):
        apart.remove(max(counts, key=lambda role: counts[role]))
    return apart


def _spread(stamps: np.ndarray) -> float:
    return float(stamps.max() - stamps.min()) * 1e-9 if len(stamps) else 0.0


def _seconds(stretch: np.ndarray) -> float:
    return float(stretch[-1] - stretch[0]) * 1e-9


def _date(stamp: int) -> str:
    try:
        found = datetime.fromtimestamp(int(stamp) / 1e9, tz=timezone.utc)
    except (OverflowError, ValueError, OSError):
        return f'{int(stamp) / 1e9:.0f} s'
    return found.strftime('%Y-%m-%d %H:%M:%S')


def _count(number: int, one: str, many: str) -> str:
    return f'{int(number)} {one if number == 1 else many}'
