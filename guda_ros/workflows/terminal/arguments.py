"""Kinds of arguments that verbs and scripts share, for argparse."""

from __future__ import annotations

import argparse
from collections.abc import Callable
import math


def positive(text: str) -> int:
    """Read a whole number of at least one, for argparse."""
    return _whole(text, 1)


def natural(text: str) -> int:
    """Read a whole number of at least zero, for argparse: seeds cannot be negative."""
    return _whole(text, 0)


def positive_number(text: str) -> float:
    """Read a finite number above zero, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f'a number above 0 is expected, not {text!r}')
    return value


def _whole(text: str, low: int) -> int:
    try:
        value = int(text.replace('_', ''))
    except ValueError:
        value = low - 1
    if value < low:
        raise argparse.ArgumentTypeError(
            f'a whole number of at least {low} is expected, not {text!r}'
        )
    return value


def within(low: int, high: int) -> Callable[[str], int]:
    """Return a reader of whole numbers from `low` to `high`, for argparse."""

    def read(text: str) -> int:
        # No more digits than Python reads at all.
        if text.isascii() and text.isdigit() and len(text) < 9 and low <= int(text) <= high:
            return int(text)
        raise argparse.ArgumentTypeError(
            f'a number from {low} to {high} is expected, not {text!r}'
        )

    return read
