"""Boards that a camera is calibrated by: squares, with or without markers, of a known size."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from guda_ros.errors import GudaError

CHARUCO, CHECKERBOARD = KINDS = ('charuco', 'checkerboard')
#: OpenCV's dictionaries of markers: name -> its number.
DICTIONARIES = {
    name.removeprefix('DICT_'): getattr(cv2.aruco, name)
    for name in dir(getattr(cv2, 'aruco', None))
    if name.startswith('DICT_') and 'ARUCO_MIP' not in name
}
#: A corner is no more than so many squares from its place on a board, whatever the lens.
MISFIT = 0.15
#: A picture is blurred if its contrast, of 255, is so large and its edges so wide [pixels].
_CONTRAST, _BLURRED = 40.0, 8.0
#: Squares of so few pixels are too small for markers in them to be read.
_FAR = 15.0
#: Dictionaries of which the smaller ones are the beginning of the largest, <name>_1000.
_FAMILIES = ('4X4', '5X5', '6X6', '7X7')
#: Side of a marker to that of a square, where it is not told.
MARKER = 0.733


@dataclass(frozen=True)
class Board:
    """
    A board.

    kind: of KINDS. columns, rows: how many squares, not inner corners. square: their side [m].
    marker: side of a marker [m], of a ChArUco board. dictionary: of DICTIONARIES. legacy: the
    pattern of OpenCV before 4.6, which begins with a marker where there is an even count of rows.
    """

    kind: str = CHARUCO
    columns: int = 9
    rows: int = 6
    square: float = 0.03
    marker: float = 0.022
    dictionary: str = '5X5_100'
    legacy: bool = False

    def __post_init__(self) -> None:
        """GudaError if there is no such board."""
        if self.kind not in KINDS:
            raise GudaError(f'a board is a {" or a ".join(KINDS)}, not {self.kind!r}')
        if not (3 <= self.columns <= 60 and 3 <= self.rows <= 60):
            raise GudaError(
                f'a board of {self.columns}x{self.rows} squares is none: 3 to 60 each are expected'
            )
        if not 0.002 <= self.square <= 1.0:
            raise GudaError(
                f'squares of {self.square:g} m are expected to be .002 to 1 m; metres are meant'
            )
        if self.kind == CHECKERBOARD:
            return
        if not DICTIONARIES or not hasattr(cv2.aruco, 'CharucoDetector'):
            raise GudaError(
                f'OpenCV {cv2.__version__} has no ChArUco boards: version 4.7 or newer is needed, '
                'or a checkerboard'
            )
        if not 0 < self.marker < self.square:
            raise GudaError(
                f'markers of {self.marker:g} m do not fit into squares of {self.square:g} m'
            )
        if self.dictionary not in DICTIONARIES:
            raise GudaError(
                f'no markers are called {self.dictionary!r}; there are {", ".join(DICTIONARIES)}'
            )
        held, needed = len(self._markers.bytesList), self.columns * self.rows // 2
        if needed > held:
            raise GudaError(
                f'{self.columns}x{self.rows} squares need {needed} markers, {self.dictionary} has '
                f'{held}: a larger dictionary, or fewer squares'
            )

    @cached_property
    def _markers(self) -> cv2.aruco.Dictionary:
        return cv2.aruco.getPredefinedDictionary(DICTIONARIES[self.dictionary])

    @cached_property
    def charuco(self) -> cv2.aruco.CharucoBoard:
        """The board as OpenCV has it."""
        board = cv2.aruco.CharucoBoard(
            (self.columns, self.rows), self.square, self.marker, self._markers
        )
        board.setLegacyPattern(self.legacy)
        return board

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the squares together [m]."""
        return self.columns * self.square, self.rows * self.square

    @cached_property
    def corners(self) -> np.ndarray:
        """Inner corners (n, 3) on the board [m], row by row, from its upper left."""
        columns, rows = np.meshgrid(np.arange(1, self.columns), np.arange(1, self.rows))
        flat = np.stack([columns, rows, np.zeros_like(rows)], axis=-1).reshape(-1, 3)
        return flat * self.square

    @property
    def outline(self) -> np.ndarray:
        """The outer corners (4, 2) on the board [m]."""
        width, height = self.size
        return np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]])

    def picture(self, pixels: int) -> np.ndarray:
        """Return the board (rows * pixels, columns * pixels), uint8, `pixels` to a square."""
        odd = np.add.outer(np.arange(self.rows), np.arange(self.columns)) % 2
        if self.kind == CHARUCO and self.legacy and self.rows % 2 == 0:
            odd = 1 - odd
        drawn = np.kron(odd.astype(np.uint8) * 255, np.ones((pixels, pixels), np.uint8))
        if self.kind == CHECKERBOARD:
            return drawn
        # CharucoBoard.generateImage fails for many sizes (OpenCV 5.0).
        side = round(self.marker / self.square * pixels)
        for number, corners in zip(self.charuco.getIds(), self.charuco.getObjPoints()):
            left, top = np.round(corners[0][:2] / self.square * pixels).astype(int)
            marker = cv2.aruco.generateImageMarker(self._markers, int(number), side)
            drawn[top : top + side, left : left + side] = marker
        return drawn

    def __str__(self) -> str:
        """Tell kind and measures."""
        told = f'{self.kind} of {self.columns}x{self.rows} squares of {1000 * self.square:g} mm'
        if self.kind == CHARUCO:
            told += f', markers {self.dictionary} of {1000 * self.marker:g} mm'
        return told


def misreading(board: Board, pictures: list[np.ndarray]) -> str:
    """
    Return why a board is not found in pictures (height, width), uint8; '' if that is not known.

    It is too far or blurred, or another board: then that is told.
    """
    seen: Counter[tuple[int, int]] = Counter()
    for grey in pictures:
        told = _blurred(grey) or _other_markers(board, grey)
        if told:
            return told
        counts, side = _other_checkerboard(board, grey)
        if 0 < side < _FAR:
            return 'the board is too far away: hold it nearer'
        if side:
            seen[counts] += 1
    if not seen:
        return ''
    columns, rows = max(seen, key=lambda pair: (seen[pair], pair[0] * pair[1]))
    return (
        f'there is a checkerboard of {columns + 1}x{rows + 1} squares ({columns}x{rows} inner '
        'corners), or a part of one in view'
    )


def _blurred(grey: np.ndarray) -> str:
    """Tell whether there is no sharp edge in a picture."""
    soft = cv2.GaussianBlur(grey, (0, 0), 0.6).astype(np.float32)
    slope = np.hypot(cv2.Sobel(soft, cv2.CV_32F, 1, 0), cv2.Sobel(soft, cv2.CV_32F, 0, 1)) / 8
    dark, light = np.percentile(soft, (1, 99))
    if light - dark > _CONTRAST and light - dark > _BLURRED * np.percentile(slope, 99.9):
        return 'the pictures are blurred: hold the board still, or give more light'
    return ''


def _other_checkerboard(board: Board, grey: np.ndarray) -> tuple[tuple[int, int], float]:
    """Return columns and rows of a checkerboard's inner corners, and a square's side [pixels]."""
    given = (board.columns - 1, board.rows - 1)
    counts = [(given[0] + across, given[1] + down) for across in (1, 0, -1) for down in (1, 0, -1)]
    for columns, rows in (given, *counts, given[::-1]):
        if min(columns, rows) < 2 or (board.kind == CHECKERBOARD and (columns, rows) == given):
            continue
        found, pixels = cv2.findChessboardCornersSB(grey, (columns, rows))
        if found:
            along = np.diff(pixels.reshape(rows, columns, 2), axis=1)
            return (columns, rows), float(np.median(np.linalg.norm(along, axis=-1)))
    return (0, 0), 0.0


def _other_markers(board: Board, grey: np.ndarray) -> str:
    """Return what ChArUco board there seems to be, in words."""
    found: dict[str, int] = {}
    for family in _FAMILIES:
        markers = cv2.aruco.getPredefinedDictionary(DICTIONARIES[f'{family}_1000'])
        _, ids, _ = cv2.aruco.ArucoDetector(markers).detectMarkers(grey)
        if ids is not None and len(ids) >= 4:
            found[family] = int(ids.max())
    if not found:
        return ''
    if board.kind == CHECKERBOARD:
        return f'there are markers ({", ".join(found)}) on the board: --board charuco'
    if not board.dictionary.startswith(tuple(found)):
        family, highest = next(iter(found.items()))
        size = next(size for size in (50, 100, 250, 1000) if highest < size)
        return (
            f'the markers are {family}, not {board.dictionary}: --dictionary, maybe '
            f'{family}_{size}'
        )
    for other in (
        replace(board, legacy=not board.legacy),
        replace(board, columns=board.rows, rows=board.columns),
    ):
        if _fits(other, grey):
            if other.legacy != board.legacy:
                return (
                    f'its pattern is {"" if other.legacy else "not "}that of OpenCV before 4.6: '
                    '--legacy'
                )
            return f'it has {other.columns}x{other.rows} squares: --squares'
    return (
        f'there are markers {board.dictionary}, but not as they lie on a board of '
        f'{board.columns}x{board.rows} squares: --squares'
    )


def _fits(board: Board, grey: np.ndarray) -> bool:
    """Tell whether a board is in a picture, and lies as it should."""
    numbers, pixels = corners_of(board, grey)
    return len(numbers) >= 8 and misfit(board, numbers, pixels) < MISFIT


def misfit(board: Board, numbers: np.ndarray, pixels: np.ndarray) -> float:
    """Return how far corners are from where a plane board has them, the median in squares."""
    points = board.corners[numbers][:, :2]
    homography, _ = cv2.findHomography(pixels, points)
    if homography is None:
        return float('inf')
    away = cv2.perspectiveTransform(pixels.reshape(-1, 1, 2), homography).reshape(-1, 2) - points
    return float(np.median(np.linalg.norm(away, axis=1)) / board.square)


def corners_of(board: Board, grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Return which inner corners of a board are in a picture (height, width), uint8, and where.

    :return: numbers (n,) in the order of `Board.corners`, and pixels (n, 2).
    """
    if board.kind == CHARUCO:
        pixels, ids, _, _ = cv2.aruco.CharucoDetector(board.charuco).detectBoard(grey)
        if ids is None:
            return np.empty(0, int), np.empty((0, 2))
        return ids.ravel().astype(int), pixels.reshape(-1, 2).astype(np.float64)
    counts = (board.columns - 1, board.rows - 1)
    found, pixels = cv2.findChessboardCornersSB(
        grey, counts, flags=cv2.CALIB_CB_NORMALIZE_IMAGE | cv2.CALIB_CB_ACCURACY
    )
    if not found:
        return np.empty(0, int), np.empty((0, 2))
    return np.arange(len(pixels)), pixels.reshape(-1, 2).astype(np.float64)
