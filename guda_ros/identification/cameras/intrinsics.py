"""Fit a lens to views of a board, by OpenCV, and refuse views that do not tell it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from guda_ros.errors import GudaError
from guda_ros.identification.cameras.boards import misreading
from guda_ros.identification.cameras.views import Collection, NO_BOARD, View
from guda_ros.identification.cameras.views import SQUARE as SQUARE_PIXELS
from guda_ros.soccer import lens

#: Fewest views; of those so many have the board tilted by TILT [rad] at least.
VIEWS, TILTED, TILT = 10, 4, np.radians(15.0)
#: The picture in so many columns and rows, of which this share must have seen a corner.
GRID, COVERAGE = (5, 4), 0.6
#: Largest root mean square of a corner's distance from where it should be: of the width.
RESIDUAL = 1 / 800
#: A view is left out if its residual is so many times the median one, and above this [pixels].
ODD, ODD_PIXELS = 3.0, 0.3
#: Largest deviations: of the focal length, of itself; of the principal point, of the width.
FOCAL_LIMIT, CENTRE_LIMIT = 0.01, 0.012
#: A board bulges if it does so by this share of its width, and so many standard deviations.
BULGE, SURE = 0.004, 5.0
#: Pixels are taken for square if their sides differ by less.
SQUARE = 0.01

COEFFICIENTS = ('k1', 'k2', 'p1', 'p2', 'k3')


class CalibrationError(GudaError):
    """The pictures do not tell what is asked; the message says what to do."""


@dataclass(frozen=True, eq=False)
class LensFit:
    """
    A lens and how well it is known.

    focal: of square pixels [pixels]; centre: (2,) principal point [pixels]; distortion: (5,)
    k1, k2, p1, p2, k3. covariance: (8, 8) of these in this order, zeros for what was not fitted.
    views: that were used; residuals: for each, (n, 2) [pixels], seen less expected. rms [pixels]:
    of the residuals' lengths. bulge: of the board [m], with its deviation. left_out: names of
    views that did not fit. wide: k3 was fitted.
    """

    size: tuple[int, int]
    focal: float
    centre: np.ndarray
    distortion: np.ndarray
    covariance: np.ndarray
    views: tuple[View, ...]
    residuals: tuple[np.ndarray, ...]
    rms: float
    bulge: tuple[float, float]
    left_out: tuple[str, ...]
    wide: bool

    @property
    def vertical_fov(self) -> float:
        """The angle [rad] that the height takes in the middle of the axis, without distortion."""
        return float(2 * np.arctan(self.size[1] / 2 / self.focal))

    @property
    def deviations(self) -> np.ndarray:
        """Standard deviations (8,) of focal length, principal point and coefficients."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def fov_deviation(self) -> float:
        """Standard deviation of the vertical field of view [rad]."""
        half = self.size[1] / 2
        return float(2 * half / (self.focal**2 + half**2) * self.deviations[0])

    @property
    def matrix(self) -> np.ndarray:
        """The camera matrix (3, 3)."""
        return np.array(
            [[self.focal, 0, self.centre[0]], [0, self.focal, self.centre[1]], [0, 0, 1.0]]
        )


def fit_lens(collection: Collection, wide: bool = True) -> LensFit:
    """
    Return the lens that a collection of views tells.

    :param wide: fit k3, too, and do not take it for 0.
    :raises CalibrationError: saying what the pictures lack.
    """
    _enough(collection)
    views, left_out = list(collection.views), []
    solution = _Solution(collection, views, wide)
    odd = solution.view_rms > max(ODD * float(np.median(solution.view_rms)), ODD_PIXELS)
    if odd.any() and odd.sum() <= len(views) // 4:
        left_out = [view.name for view, out in zip(views, odd) if out]
        views = [view for view, out in zip(views, odd) if not out]
        _enough_of(len(views), collection)
        solution = _Solution(collection, views, wide)
    fit = LensFit(
        collection.size,
        float(solution.parameters[0]),
        solution.parameters[1:3],
        solution.parameters[3:],
        solution.covariance,
        tuple(views),
        tuple(solution.residuals),
        solution.rms,
        solution.bulge,
        tuple(left_out),
        solution.wide,
    )
    _judge(fit, solution, collection)
    return fit


def _enough(collection: Collection) -> None:
    if not collection.seen:
        raise CalibrationError('there is no picture to calibrate by')
    _enough_of(len(collection.views), collection)


def _enough_of(count: int, collection: Collection) -> None:
    if count >= VIEWS:
        return
    reason = collection.refused.most_common(1)[0][0] if collection.refused else ''
    other = misreading(collection.board, collection.strange) if reason == NO_BOARD else ''
    remedy = other or {
        'like another view': 'the views are all alike: move and tilt the board between them, or '
        'the camera',
        'blurred': 'hold the board still, or give more light: the pictures are blurred',
        NO_BOARD: f'a {collection.board} is looked for, in which a '
        f'square has {SQUARE_PIXELS:.0f} pixels or more',
    }.get(reason, 'show the board nearer, all of it' if reason else 'take more pictures')
    raise CalibrationError(
        f'{count} different views of the board are too few, {VIEWS} are needed, 20 are good: '
        f'{collection.told()}; {remedy}'
    )


class _Solution:
    """What OpenCV finds for views, and what its neighbourhood says of the uncertainty."""

    def __init__(self, collection: Collection, views: list[View], wide: bool) -> None:
        board, size = collection.board, collection.size
        self.wide = wide
        objects = [board.corners[view.numbers].astype(np.float32) for view in views]
        seen = [view.pixels.astype(np.float32) for view in views]
        flags = cv2.CALIB_USE_INTRINSIC_GUESS | cv2.CALIB_FIX_ASPECT_RATIO
        kept = 0 if wide else cv2.CALIB_FIX_K3
        try:
            _, free, bent, _, _ = cv2.calibrateCamera(
                objects, seen, size, np.eye(3), np.zeros(5), flags=kept
            )
            self.aspect = float(free[0, 0] / free[1, 1])
            square = free.copy()
            square[0, 0] = square[1, 1] = np.sqrt(free[0, 0] * free[1, 1])
            _, matrix, bent, turns, moves = cv2.calibrateCamera(
                objects, seen, size, square, bent, flags=flags | kept
            )
        except cv2.error as error:
            raise CalibrationError(
                f'OpenCV finds no lens for these views ({error.err}): show the board tilted, at '
                'different distances and places'
            ) from error
        self.parameters = np.concatenate(
            [[matrix[0, 0]], matrix[[0, 1], 2], bent.ravel()[:5]]
        ).astype(np.float64)
        self.tilts = np.array([_tilt(turn) for turn in turns])
        self._linearise(board.size, views, objects, seen, (matrix, bent, turns, moves))

    def _linearise(self, extent, views, objects, seen, found) -> None:
        """
        Find uncertainties and the board's bulge from the derivatives at the minimum.

        Where the board was in a view is projected out of each view's rows.
        """
        matrix, bent, turns, moves = found
        used = 8 if self.wide else 7
        self.residuals, scores, weighed = [], [], []
        total, count = 0.0, 0
        half = np.array(extent) / 2
        for points, pixels, turn, move in zip(objects, seen, turns, moves):
            expected, slopes = cv2.projectPoints(points, turn, move, matrix, bent)
            residual = pixels - expected.reshape(-1, 2)
            self.residuals.append(residual)
            placed = slopes[:, :6]
            lens_slopes = np.column_stack([slopes[:, 6] + slopes[:, 7], slopes[:, 8:15]])[:, :used]
            # A board that bulges by 1 m in its middle, along its sides and across.
            across = 1.0 - ((points[:, :2] - half) / half) ** 2
            lifted = slopes[:, 3:6] @ cv2.Rodrigues(turn)[0][:, 2]
            bulges = lifted[:, None] * np.repeat(across, 2, axis=0)
            rows = np.column_stack([lens_slopes, bulges])
            base, _ = np.linalg.qr(placed)
            rows = rows - base @ (base.T @ rows)
            flat = residual.reshape(-1).astype(np.float64)
            flat = flat - base @ (base.T @ flat)
            weighed.append(rows.T @ rows)
            scores.append(rows.T @ flat)
            total += float(flat @ flat)
            count += len(flat)
        views_count = len(views)
        self.view_rms = np.array(
            [np.sqrt((residual**2).sum(axis=1).mean()) for residual in self.residuals]
        )
        self.rms = float(np.sqrt(total * 2 / count))
        information, gradients = np.sum(weighed, axis=0), np.array(scores)
        variance = total / max(count - 6 * views_count - used, 1)
        self.covariance = np.zeros((8, 8))
        self.covariance[:used, :used] = _covariance(
            information[:used, :used], gradients[:, :used], variance
        )
        # One step of Newton's method with the bulges free, too.
        step = np.linalg.lstsq(information, gradients.sum(axis=0), rcond=None)[0]
        moved = gradients - np.array([each @ step for each in weighed])
        both = _covariance(information, moved, variance)
        worst = int(np.argmax(np.abs(step[used:])))
        self.bulge = (float(step[used + worst]), float(np.sqrt(both[used + worst, used + worst])))


def _covariance(information: np.ndarray, gradients: np.ndarray, variance: float) -> np.ndarray:
    """
    Return the larger of the usual covariance and of the one that is robust to what views share.

    Errors of a view's corners may depend on each other: light, blur, a board that gives way.
    """
    inverse = np.linalg.pinv(information, hermitian=True)
    usual = inverse * variance
    count, size = gradients.shape
    if count <= size:
        return usual
    robust = inverse @ (gradients.T @ gradients) @ inverse * count / (count - size)
    larger = np.sqrt(np.maximum(np.diag(robust) / np.maximum(np.diag(usual), 1e-300), 1.0))
    return usual * np.outer(larger, larger)


def _tilt(turn: np.ndarray) -> float:
    """Return the angle [rad] between the board and the image plane."""
    return float(np.arccos(min(abs(cv2.Rodrigues(turn)[0][2, 2]), 1.0)))


def coverage(size: tuple[int, int], views: tuple[View, ...] | list[View]) -> np.ndarray:
    """Return which cells (rows, columns) of GRID have a corner in them."""
    cells = np.zeros(GRID[::-1], dtype=bool)
    for view in views:
        place = (view.pixels + 0.5) / size * GRID
        column, row = np.clip(place.astype(int), 0, np.array(GRID) - 1).T
        cells[row, column] = True
    return cells


def _judge(fit: LensFit, solution: _Solution, collection: Collection) -> None:
    """Raise CalibrationError if what was found is not to be believed."""
    if abs(solution.aspect - 1) > SQUARE and fit.deviations[0] < 0.2 * fit.focal:
        problems = [
            f'pixels are not square ({solution.aspect:.3f} times as high as wide): the driver '
            'stretches the pictures; let it send them as the camera takes them'
        ]
    else:
        problems = _of_views(fit, solution) or _of_board(fit, collection) or _of_result(fit)
    if problems:
        raise CalibrationError(f'no calibration: {"; ".join(problems)}. {collection.told()}')


def _of_views(fit: LensFit, solution: _Solution) -> list[str]:
    """Return where the board was not shown."""
    problems = []
    tilted = int((solution.tilts > TILT).sum())
    if tilted < TILTED:
        problems.append(
            f'the views are all alike: the board is tilted in {tilted} of them, {TILTED} with '
            f'{np.degrees(TILT):.0f} degrees or more are needed, to different sides'
        )
    cells = coverage(fit.size, fit.views)
    if cells.mean() < COVERAGE:
        problems.append(
            f'corners are in {cells.mean():.0%} of the picture, {COVERAGE:.0%} are needed: '
            f'none {_where(~cells)}'
        )
    return problems


def _of_board(fit: LensFit, collection: Collection) -> list[str]:
    """Return what is wrong with the board, or with how it was seen."""
    bulge, deviation = fit.bulge
    if abs(bulge) > max(BULGE * collection.board.size[0], SURE * deviation):
        return [
            f'the board is not flat: it bulges by {1000 * abs(bulge):.1f} +- '
            f'{1000 * deviation:.1f} mm; glue it onto a plate'
        ]
    limit = max(RESIDUAL * fit.size[0], 0.25)
    if fit.rms > limit:
        return [
            f'corners are {fit.rms:.2f} pixels from where the lens has them, more than '
            f'{limit:.2f}: a board that is not flat or of other squares, motion, or a fisheye, '
            'which a profile does not describe'
        ]
    return []


def _of_result(fit: LensFit) -> list[str]:
    """Return what of the result is of no use."""
    problems, (width, height) = [], fit.size
    if not fit.deviations[0] < FOCAL_LIMIT * fit.focal:
        problems.append(
            f'the focal length, {fit.focal:.0f} +- {fit.deviations[0]:.1f} pixels, is too '
            'uncertain: tilt the board more, and show it nearer'
        )
    if not fit.deviations[1:3].max() < CENTRE_LIMIT * width:
        problems.append(
            f'the principal point is too uncertain (+- {fit.deviations[1]:.1f}, '
            f'{fit.deviations[2]:.1f} pixels): tilt the board to all sides'
        )
    ends = np.array([[0, 0], [width, 0], [0, height], [width, height]])
    seen = lens.undistort((ends - fit.centre) / fit.focal, tuple(fit.distortion))
    if np.isnan(seen).any() and not problems:
        problems.append(
            'the distortion that was found folds the picture in its corners: show the board there'
        )
    return problems


def _where(missing: np.ndarray) -> str:
    """Return in words where cells (rows, columns) are True."""
    rows, columns = missing.shape
    sides = {
        'at the top': missing[0].mean(),
        'at the bottom': missing[-1].mean(),
        'on the left': missing[:, 0].mean(),
        'on the right': missing[:, -1].mean(),
    }
    most = [side for side, share in sides.items() if share > 0.6]
    return ', none '.join(most) or 'in some corners'
