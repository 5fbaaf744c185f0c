"""
Judge the ball networks on labelled pictures, and write a page with the worst cases.

Labels are `.txt` files beside the pictures, a line `class cx cy w h` for each box, relative to the
picture. Told are average precision at an overlap (IoU) of .5 and recall at a precision of .98, by
series (series.csv, or folders such as dates) and by the balls' size.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.perceive.look import add_weights, weights_of
from guda_ros.workflows.terminal.tables import print_table

HELP = 'judge the networks on labelled pictures'
EXAMPLE = 'guda perceive evaluate pictures/humanoid_ball --out runs/mine/eyes'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument('folder', type=Path, metavar='FOLDER', help='labelled pictures')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('perception_report'),
        metavar='DIR',
        help='folder for report.html and report.json (default: %(default)s)',
    )
    parser.add_argument(
        '--series', nargs='+', default=[], metavar='NAME', help='only these series (default: all)'
    )
    add_weights(parser)


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.workflows.perception.evaluating import evaluate_perception

    numbers, page = evaluate_perception(
        args.folder, args.out, series=tuple(args.series), say=print, **weights_of(args)
    )
    rows = [
        [name, str(row['balls']), f'{row["ap"]:.3f}', f'{row["recall"]:.3f}']
        for table in ('series', 'diameter')
        for name, row in numbers[table].items()
    ]
    rows.append(
        [
            'all',
            str(numbers['all']['balls']),
            f'{numbers["all"]["ap"]:.3f}',
            f'{numbers["all"]["recall"]:.3f}',
        ]
    )
    print_table(rows, ['', 'balls', 'AP at IoU .5', 'recall at precision .98'])
    ground = numbers.get('ground')
    if ground:
        for name, row in ground['distance'].items():
            print(
                f'on the ground, {name}: recall {row["recall"]:.3f} of {row["balls"]} balls, '
                f'median error {row["relative_error"]:.1%} of the distance'
            )
    print(f'wrote {page.html}')
    return 0
