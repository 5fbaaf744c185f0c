"""Markdown of what the reference pages take from the code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table; a bar in a cell is kept as a character."""
    lines = [heads, ['---'] * len(heads), *rows]
    return ''.join('| ' + ' | '.join(_cell(cell) for cell in line) + ' |\n' for line in lines)


def code(text: object) -> str:
    """Return text as inline code; nothing for nothing."""
    return f'`{text}`' if str(text) else ''


def _cell(value: object) -> str:
    return ' '.join(str(value).split()).replace('|', r'\|')
