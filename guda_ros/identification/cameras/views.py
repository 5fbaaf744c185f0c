"""Pictures of a board that are good enough to calibrate by, and why others are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import cv2
import numpy as np

from guda_ros.identification.cameras.boards import Board, corners_of, MISFIT, misfit

#: A view has so many corners at least; its squares have so many pixels.
CORNERS, SQUARE = 8, 10.0
#: An edge between black and white is at most so wide [pixels], and relative to a square.
EDGE, EDGE_SHARE = 4.0, 0.3
#: Views are alike if no corner of the board has moved by more than this share of the width.
ALIKE = 0.04
#: Most views that are kept.
MOST = 60


@dataclass(frozen=True, eq=False)
class View:
    """
    A board in a picture.

    numbers: (n,), which inner corners. pixels: (n, 2), where they are. outline: (4, 2) [pixels],
    of the whole board, by a homography. square: mean side of a square, edge: width of its edges
    [pixels]. bgr: the picture.
    """

    name: str
    numbers: np.ndarray
    pixels: np.ndarray
    outline: np.ndarray
    square: float
    edge: float
    bgr: np.ndarray


class ViewRefused(Exception):
    """A picture is of no use; the text says why, the same for all that lack the same."""


NO_BOARD = 'no board'


def view_of(board: Board, bgr: np.ndarray, name: str) -> View:
    """
    Return the view of a board in a picture (height, width, 3), BGR uint8.

    :raises ViewRefused: if it is not there, or not seen well.
    """
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    numbers, pixels = corners_of(board, grey)
    if not len(numbers):
        raise ViewRefused(NO_BOARD)
    points = board.corners[numbers][:, :2]
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    if len(numbers) < CORNERS or spread[1] < board.square:
        raise ViewRefused('too little of the board in view')
    if misfit(board, numbers, pixels) > MISFIT:
        raise ViewRefused(NO_BOARD)
    homography, _ = cv2.findHomography(points, pixels)
    square = _square(board, homography, points)
    if square < SQUARE:
        raise ViewRefused(f'board too far: squares of less than {SQUARE:.0f} pixels')
    edge = edge_width(grey, pixels, square)
    if edge > max(EDGE, EDGE_SHARE * square):
        raise ViewRefused('blurred')
    return View(name, numbers, pixels, _mapped(homography, board.outline), square, edge, bgr)


def _mapped(homography: np.ndarray, points: np.ndarray) -> np.ndarray:
    return cv2.perspectiveTransform(points.reshape(-1, 1, 2), homography).reshape(-1, 2)


def _square(board: Board, homography: np.ndarray, points: np.ndarray) -> float:
    """Return the mean shorter side of a square [pixels] where corners are seen."""
    here = _mapped(homography, points)
    right = _mapped(homography, points + [board.square, 0.0])
    below = _mapped(homography, points + [0.0, board.square])
    sides = np.linalg.norm([right - here, below - here], axis=-1)
    return float(sides.mean(axis=1).min())


def edge_width(grey: np.ndarray, pixels: np.ndarray, square: float) -> float:
    """
    Return how wide edges are at corners (n, 2) of squares [pixels], in the direction of most blur.

    Contrast over the steepest slope: 1 to 2 for a sharp picture, 2.5 sigma for a Gaussian blur.
    """
    reach = int(np.clip(square / 2, 3, 12))
    soft = cv2.GaussianBlur(grey, (0, 0), 0.6).astype(np.float32)
    slopes = (cv2.Sobel(soft, cv2.CV_32F, 1, 0) / 8, cv2.Sobel(soft, cv2.CV_32F, 0, 1) / 8)
    widths = []
    for column, row in np.round(pixels).astype(int):
        low = np.maximum([row - reach, column - reach], 0)
        part = np.s_[low[0] : row + reach + 1, low[1] : column + reach + 1]
        if soft[part].size == 0:
            continue
        dark, light = np.percentile(soft[part], (5, 95))
        steepest = min(float(np.abs(slope[part]).max()) for slope in slopes)
        widths.append((light - dark) / max(steepest, 1e-3))
    return float(np.median(widths)) if widths else np.inf


class Collection:
    """Views that differ from each other, and what became of all pictures."""

    def __init__(self, board: Board, most: int = MOST) -> None:
        self.board = board
        self.views: list[View] = []
        self.refused: Counter[str] = Counter()
        self.seen = 0
        #: Some pictures without the board, to tell what is in them.
        self.strange: list[np.ndarray] = []
        self._most = most
        self._size: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height of the pictures; None before the first."""
        return self._size

    def add(self, name: str, bgr: np.ndarray) -> str:
        """
        Look at a picture; return why it was not taken, '' if it was.

        :raises ValueError: if it does not have the size of the others.
        """
        size = (bgr.shape[1], bgr.shape[0])
        if self._size not in (None, size):
            raise ValueError(
                f'{name} has {size[0]}x{size[1]} pixels, the pictures before it '
                f'{self._size[0]}x{self._size[1]}'
            )
        self._size = size
        self.seen += 1
        try:
            view = view_of(self.board, bgr, name)
        except ViewRefused as refusal:
            self.refused[str(refusal)] += 1
            if str(refusal) == NO_BOARD and len(self.strange) < 4:
                self.strange.append(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY))
            return str(refusal)
        if any(alike(view, other, size[0]) for other in self.views):
            why = 'like another view'
        elif len(self.views) >= self._most:
            why = f'more than {self._most} views'
        else:
            self.views.append(view)
            return ''
        self.refused[why] += 1
        return why

    def told(self) -> str:
        """Return what became of the pictures, in words."""
        why = ', '.join(f'{reason}: {count}' for reason, count in self.refused.most_common())
        return f'{len(self.views)} of {self.seen} pictures are of use' + (
            f' ({why})' if why else ''
        )


def alike(view: View, other: View, width: int) -> bool:
    """Tell whether a board has hardly moved between two views of pictures of a width [pixels]."""
    # A board may be taken for itself upside down.
    return any(
        bool(np.linalg.norm(view.outline - outline, axis=-1).max() < ALIKE * width)
        for outline in (other.outline, np.roll(other.outline, 2, axis=0))
    )
