"""Tables on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guda_ros.augmentation.pipeline import AcceptanceReport


def print_table(rows: list[list], header: list[str]) -> None:
    """Print rows under a header, columns aligned, numbers to the right."""
    cells = [header, *[[_cell(value) for value in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    for number, row in enumerate(cells):
        source = rows[number - 1] if number else rows[0] if rows else header
        print(
            '  '.join(
                text.rjust(width)
                if isinstance(value, (int, float)) and not isinstance(value, bool)
                else text.ljust(width)
                for text, width, value in zip(row, widths, source)
            ).rstrip()
        )


def print_report(report: AcceptanceReport) -> None:
    """Print what became of the proposals of an augmentation."""
    print_table(
        [
            [
                rule,
                report.accepted[rule],
                report.proposed[rule],
                ', '.join(f'{reason} {n}' for reason, n in report.rejected[rule].items() if n),
            ]
            for rule in report.proposed
        ],
        ['rule', 'accepted', 'proposed', 'rejected'],
    )
    for note in report.notes:
        print(f'note: {note}')


def _cell(value: str | float) -> str:
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    if isinstance(value, float):
        return f'{value:.3g}' if abs(value) < 1000 else f'{value:.0f}'
    return str(value)
