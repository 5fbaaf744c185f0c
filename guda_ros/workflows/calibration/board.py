"""Write a board to print."""

from __future__ import annotations

import os

import cv2
import numpy as np

from guda_ros.arguments import as_path
from guda_ros.data.files import atomic_target, refuse_existing
from guda_ros.errors import GudaError, naming_extras
from guda_ros.identification.cameras.boards import Board, CHARUCO, MARKER
from guda_ros.workflows.calibration.profiles import require_suffix

#: Width and height of a page [m], the longer side across.
PAGES = {'a4': (0.297, 0.210), 'a3': (0.420, 0.297), 'letter': (0.2794, 0.2159)}
#: Left free around the squares [m], and dots to an inch, about.
_MARGIN, _DPI = 0.012, 600


def make_board(
    kind: str = CHARUCO,
    columns: int = 9,
    rows: int = 6,
    square: float = 0.03,
    marker: float | None = None,
    dictionary: str = '5X5_100',
    legacy: bool = False,
) -> Board:
    """Return a board; without `marker` its markers are .733 of a square [m], to .1 mm."""
    if marker is None:
        marker = round(MARKER * square, 4)
    return Board(kind, columns, rows, square, marker, dictionary, legacy)


@naming_extras()
def calibrate_board(
    out: str | os.PathLike[str],
    board: Board | None = None,
    *,
    page: str = 'a4',
    overwrite: bool = False,
) -> Board:
    """
    Write a board to print, as `guda calibrate board` does.

        guda_ros.calibrate_board('board.pdf')

    :param out: a .pdf or .png file of the page's size. :param board: by default a ChArUco board.
    :param page: a4, a3 or letter.
    :raises GudaError: if the board does not fit onto the page, or the file is there.
    """
    out = as_path(out, 'out')
    board = board or Board()
    require_suffix(out, ('.pdf', '.png'), 'a board')
    refuse_existing(out, overwrite)
    if page not in PAGES:
        raise GudaError(f'no page is called {page!r}; there are {", ".join(PAGES)}')
    from PIL import Image

    # A whole number of dots to a square: its size is then exact.
    dots = round(_DPI * board.square / 0.0254)
    dpi = dots / board.square * 0.0254
    picture = Image.fromarray(_page(board, page, dots)).convert('1')
    with atomic_target(out) as target:
        if out.suffix.lower() == '.pdf':
            picture.save(target, format='PDF', resolution=dpi, title=str(board))
        else:
            picture.save(target, format='PNG', dpi=(dpi, dpi))
    return board


def _page(board: Board, page: str, dots: int) -> np.ndarray:
    """Return the page, uint8, `dots` to a square."""
    size = PAGES[page]
    width, height = board.size
    if width + 2 * _MARGIN > size[0] or height + 2 * _MARGIN > size[1]:
        most = min((size[0] - 2 * _MARGIN) / board.columns, (size[1] - 2 * _MARGIN) / board.rows)
        raise GudaError(
            f'{board.columns}x{board.rows} squares of {1000 * board.square:g} mm do not fit onto '
            f'{page} ({1000 * size[0]:.0f}x{1000 * size[1]:.0f} mm): squares of at most '
            f'{np.floor(1e4 * most) / 1e4:g} m, fewer of them, or another --page'
        )
    per_metre = dots / board.square
    sheet = np.full([round(per_metre * side) for side in size[::-1]], 255, np.uint8)
    drawn = board.picture(dots)
    top, left = (np.array(sheet.shape) - drawn.shape) // 2
    sheet[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
    text = (
        f'{board}. Print at 100 %, measure: all {board.columns} squares together are '
        f'{1000 * width:g} mm wide'
    )
    scale = 3.2e-3 * per_metre / cv2.getTextSize('A', cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)[0][1]
    wide = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0]
    scale *= min(1.0, drawn.shape[1] / wide)
    place = (int(left), int(top + drawn.shape[0] + 0.008 * per_metre))
    thick = max(1, round(scale))
    cv2.putText(sheet, text, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 0, thick, cv2.LINE_AA)
    return sheet
