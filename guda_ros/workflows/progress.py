"""How a workflow tells what it is doing: line by line, to whoever wants to hear it."""

from __future__ import annotations

from collections.abc import Callable

#: Called with one line of progress; `print` shows it.
Say = Callable[[str], None]


def silent(line: str) -> None:
    """Take no notice of a line of progress: what a workflow called from Python does."""
