"""What several actions of `guda data` share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from guda_ros.data.recording.repair import Diagnosis
    from guda_ros.data.sets.sources import Source

SOURCE_HELP = 'data set, recording or folder of recordings'


def print_data_set(made: Source) -> None:
    """Say what is in a data set that was made."""
    episodes = made.episodes
    print(
        f'{made.path}: {len(episodes)} episodes, '
        f'{sum(e.success for e in episodes)} {made.contract.words.past}, '
        f'{sum(int(e.usable.sum()) for e in episodes)} usable steps'
    )


def share(text: str) -> float:
    """Read a number between 0 and 1, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f'a number between 0 and 1 is expected, not {text!r}')
    return value


def seconds(text: str) -> float:
    """Read a time that is not negative, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float('inf'):
        raise argparse.ArgumentTypeError(f'a time in seconds is expected, not {text!r}')
    return value


def print_diagnoses(diagnoses: Sequence[Diagnosis]) -> None:
    """Print what is known of recordings, one line each, with what is wrong below."""
    for found in diagnoses:
        quality = {None: '', True: 'good', False: 'not good enough'}[found.good]
        row = (
            f'    {found.id or Path(found.path).name:<22} {found.state:<12} '
            f'{found.verdict:<8} {found.seconds:6.1f} s  {found.messages:7d} messages  {quality}'
        )
        print(row.rstrip())
        lost = [f'{found.lost_bytes} bytes cannot be read'] if found.lost_bytes else []
        for problem in (*found.problems, *found.reasons, *lost):
            print(f'        {problem}')
