"""
Write a board to print, on a page of its real size.

Print it at 100 % (no "fit to page"), measure the squares, glue it onto a plate that does not bend.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.calibrate.common import add_board, board_of

HELP = 'write a board to print (PDF, PNG)'
EXAMPLE = 'guda calibrate board --out runs/mine/board.pdf'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument(
        '--out', type=Path, required=True, metavar='FILE', help='a .pdf or .png file'
    )
    parser.add_argument(
        '--page',
        choices=('a4', 'a3', 'letter'),
        default='a4',
        help='size of the paper, its longer side across (default: %(default)s)',
    )
    add_board(parser)
    parser.add_argument('--overwrite', action='store_true', help='replace an existing file')


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.workflows.calibration.board import calibrate_board

    board = calibrate_board(args.out, board_of(args), page=args.page, overwrite=args.overwrite)
    print(f'{args.out}: {board}')
    print(
        f'print it at 100 %, measure: {board.columns} squares are {1000 * board.size[0]:g} mm '
        'wide; tell what you measured by --square'
    )
    return 0
