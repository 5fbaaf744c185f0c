"""Arguments and printing that the actions of `guda calibrate` share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from guda_ros.errors import GudaError
from guda_ros.workflows.terminal.arguments import positive_number
from guda_ros.workflows.terminal.tables import print_table

if TYPE_CHECKING:
    from guda_ros.identification.cameras.boards import Board
    from guda_ros.workflows.calibration.profiles import Calibration


def add_board(parser: argparse.ArgumentParser) -> None:
    """Add what tells a board."""
    parser.add_argument(
        '--board',
        choices=('charuco', 'checkerboard'),
        default='charuco',
        help='kind of the board (default: %(default)s)',
    )
    parser.add_argument(
        '--squares',
        default='9x6',
        metavar='CxR',
        help='columns and rows of squares, not of inner corners (default: %(default)s)',
    )
    parser.add_argument(
        '--square',
        type=positive_number,
        default=0.03,
        metavar='M',
        help='side of a square in metres, as measured on the print (default: %(default)s)',
    )
    parser.add_argument(
        '--marker',
        type=positive_number,
        metavar='M',
        help='side of a marker in metres (default: .733 of a square, to .1 mm)',
    )
    parser.add_argument(
        '--dictionary',
        default='5X5_100',
        metavar='NAME',
        help="of the markers, by OpenCV's name (default: %(default)s)",
    )
    parser.add_argument(
        '--legacy', action='store_true', help='a ChArUco board as OpenCV before 4.6 drew it'
    )


def board_of(args: argparse.Namespace) -> Board:
    """Return the board that was told; GudaError if there is no such board."""
    from guda_ros.workflows.calibration.board import make_board

    columns, _, rows = args.squares.lower().partition('x')
    if not (columns.isdecimal() and rows.isdecimal()):
        raise GudaError(f'--squares {args.squares}: columns and rows are expected, such as 9x6')
    return make_board(
        args.board,
        int(columns),
        int(rows),
        args.square,
        args.marker,
        args.dictionary,
        args.legacy,
    )


def add_profile(parser: argparse.ArgumentParser) -> None:
    """Add what tells the camera, and what is written."""
    parser.add_argument(
        '--base',
        default='nao_v6',
        metavar='NAME',
        help='robot profile to start from, name or YAML file (default: %(default)s)',
    )
    parser.add_argument(
        '--camera',
        default='camera',
        metavar='NAME',
        help="which of the robot's cameras: camera for the first, lower_camera, or a name of the "
        "profile's `cameras` (default: %(default)s)",
    )
    parser.add_argument(
        '--out',
        type=Path,
        metavar='FILE.yaml',
        help='robot profile to write; without it the table is all',
    )
    parser.add_argument(
        '--plot',
        type=Path,
        metavar='FILE.png',
        help='annotated picture to write (default: beside --out)',
    )
    parser.add_argument('--overwrite', action='store_true', help='replace existing files')


def plot_of(args: argparse.Namespace) -> Path | None:
    """Return where the annotated picture goes."""
    return args.plot or (args.out.with_suffix('.png') if args.out else None)


def print_found(found: Calibration, *written: Path | None) -> None:
    """Print what was found beside what was there before, and which files were written."""
    rows = [
        [
            result.name,
            f'{result.before:.5g}',
            f'{result.value:.5g}',
            f'{result.deviation:.2g}',
            result.unit,
            result.note,
        ]
        for result in found.results.values()
    ]
    print_table(rows, ['property', 'before', 'found', '+-', 'unit', ''])
    for name, why in found.missing.items():
        print(f'{name}: {why}')
    for note in found.notes:
        print(note)
    print(f'residual {found.rms:.3f} pixels (root mean square)')
    for path in filter(None, written):
        print(f'wrote {path}')
