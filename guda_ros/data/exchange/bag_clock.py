"""
Times of a bag's messages, whatever their stamps say.

Headers come without a stamp, from 1970, from a clock that is set while it runs, or damaged. A
message without a stamp counts from its reception; a stamp that is far from where its neighbours
are is left out; where a clock was set, the longer stretch is kept. All of it is told.
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
#: Reception times [s] up to which a stamp of zero may be simulated time.
_SIMULATED = 86_400.0


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
        kept[role] = np.ones(len(values), dtype=bool)
        wrong = _outliers(values, received[role], stamped[role])
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


def _offset(stamps, received, stamped, kept, problems: list[str]) -> int:
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


def _keep_one_stretch(times: dict[str, np.ndarray], kept, problems: list[str]) -> None:
    """Keep the stretch with the most messages between silences of an hour, in place."""
    whole = np.sort(np.concatenate([times[role][kept[role]] for role in times]))
    if not len(whole):
        return
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
