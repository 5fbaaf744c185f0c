"""
The distortion of a lens, as OpenCV and sensor_msgs/CameraInfo define it, and its inverse.

Points are on the image plane at distance one, (..., 2): x right, y down. Coefficients of a
`plumb_bob` or `rational_polynomial` lens are 4, 5, 8, 12 or 14 numbers in OpenCV's order,
k1, k2, p1, p2, k3, k4, k5, k6, s1, s2, s3, s4, tau_x, tau_y (cv::projectPoints); those of a
fisheye (`equidistant`, cv::fisheye) are an `Equidistant`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

NONE = (0.0, 0.0, 0.0, 0.0, 0.0)
#: How many numbers OpenCV's models have.
LENGTHS = (4, 5, 8, 12, 14)


class Equidistant(NamedTuple):
    """Coefficients of a fisheye: theta (1 + k1 theta^2 + k2 theta^4 + k3 theta^6 + k4 theta^8)."""

    k1: float
    k2: float
    k3: float
    k4: float


def coefficients_of(model: str, numbers: Sequence[float]) -> tuple[float, ...] | None:
    """
    Return the coefficients of a lens as sensor_msgs/CameraInfo names it, None for a pinhole.

    Zeros at the end do not count, as drivers fill up with them; an empty model means plumb_bob or
    rational_polynomial by the count of its numbers.

    :raises ValueError: if the model or the count of its numbers is not one of OpenCV's.
    """
    values = tuple(float(value) for value in numbers)
    if not np.isfinite(values).all():
        raise ValueError(f'distortion {list(values)} holds what is no number')
    if model in ('equidistant', 'fisheye'):
        # A fisheye without coefficients still bends: its angles are what is linear.
        if any(values[4:]):
            raise ValueError(f'a distortion {model} has four numbers, not {list(values)}')
        return Equidistant(*(*values, 0.0, 0.0, 0.0, 0.0)[:4])
    if not any(values):
        return None
    if model not in ('', 'plumb_bob', 'rational_polynomial'):
        raise ValueError(
            f'distortion model {model!r} {list(values)} is not understood; plumb_bob, '
            'rational_polynomial and equidistant are'
        )
    used = len(np.trim_zeros(np.array(values), 'b'))
    length = next((length for length in LENGTHS[1:] if used <= length), None)
    if length is None:
        raise ValueError(
            f'a distortion {model or "without a name"} has 4, 5, 8, 12 or 14 numbers, '
            f'not {len(values)}'
        )
    return (*values, *[0.0] * length)[:length]


def distort(points: np.ndarray, coefficients: tuple[float, ...]) -> np.ndarray:
    """Return where a lens shows points (..., 2); NaN beyond the radius at which it folds back."""
    points = np.asarray(points, dtype=np.float64)
    shown = _unlimited(points, coefficients)
    shown[np.linalg.norm(points, axis=-1) > fold(coefficients)] = np.nan
    return shown


def jacobian(points: np.ndarray, coefficients: tuple[float, ...]) -> np.ndarray:
    """Return the derivatives (..., 2, 2) of `distort` at points (..., 2)."""
    points = np.asarray(points, dtype=np.float64)
    if isinstance(coefficients, Equidistant):
        return _fisheye_jacobian(points, coefficients)
    k1, k2, p1, p2, k3 = (*coefficients, 0.0)[:5]
    x, y = points[..., 0], points[..., 1]
    square = x * x + y * y
    radial = 1.0 + square * (k1 + square * (k2 + square * k3))
    growth = 2.0 * (k1 + square * (2 * k2 + square * 3 * k3))
    if len(coefficients) > 5:
        k4, k5, k6 = coefficients[5:8]
        below = 1.0 + square * (k4 + square * (k5 + square * k6))
        growth = (
            growth - radial / below * 2.0 * (k4 + square * (2 * k5 + square * 3 * k6))
        ) / below
        radial = radial / below
    across = x * y * growth + 2 * p1 * x + 2 * p2 * y
    matrix = np.empty(points.shape[:-1] + (2, 2))
    matrix[..., 0, 0] = radial + x * x * growth + 2 * p1 * y + 6 * p2 * x
    matrix[..., 1, 1] = radial + y * y * growth + 6 * p1 * y + 2 * p2 * x
    matrix[..., 0, 1] = matrix[..., 1, 0] = across
    if len(coefficients) > 8:
        s1, s2, s3, s4 = coefficients[8:12]
        slope = np.stack([2 * s1 + 4 * s2 * square, 2 * s3 + 4 * s4 * square], axis=-1)
        matrix = matrix + slope[..., :, None] * points[..., None, :]
    if len(coefficients) > 12:
        tilt = _tilt(*coefficients[12:14])
        flat = _thin(points, coefficients)
        ahead = flat @ tilt[:, :2].T + tilt[:, 2]
        outer = (tilt[:2, :2] - (ahead[..., :2] / ahead[..., 2:])[..., None] * tilt[2, :2]) / (
            ahead[..., 2, None, None]
        )
        matrix = outer @ matrix
    return matrix


def undistort(shown: np.ndarray, coefficients: tuple[float, ...], rounds: int = 20) -> np.ndarray:
    """
    Return the points (..., 2) that a lens shows at `shown` (..., 2), by Newton's method.

    NaN where the lens shows nothing.
    """
    shown = np.asarray(shown, dtype=np.float64)
    if isinstance(coefficients, Equidistant):
        return _fisheye_undistort(shown, coefficients, rounds)
    points = shown.copy()
    limit = fold(coefficients)
    if len(coefficients) > 5:
        # Beyond a pole Newton's method would stay on the wrong side of it.
        points *= np.minimum(
            1.0, 0.9 * limit / np.maximum(np.linalg.norm(shown, axis=-1, keepdims=True), 1e-9)
        )
    with np.errstate(all='ignore'):
        for _ in range(rounds):
            error = _unlimited(points, coefficients) - shown
            matrix = jacobian(points, coefficients)
            determinant = (
                matrix[..., 0, 0] * matrix[..., 1, 1] - matrix[..., 0, 1] * matrix[..., 1, 0]
            )
            step = (
                np.stack(
                    [
                        matrix[..., 1, 1] * error[..., 0] - matrix[..., 0, 1] * error[..., 1],
                        matrix[..., 0, 0] * error[..., 1] - matrix[..., 1, 0] * error[..., 0],
                    ],
                    axis=-1,
                )
                / determinant[..., None]
            )
            # Near the fold a full step would leave for the wrong branch.
            points = points - np.clip(step, -0.3, 0.3)
            if not np.nanmax(np.abs(step), initial=0.0) > 1e-12:
                break
        wrong = ~(np.abs(_unlimited(points, coefficients) - shown).max(axis=-1) < 1e-9) | ~(
            np.linalg.norm(points, axis=-1) <= limit
        )
    points[wrong] = np.nan
    return points


@lru_cache(maxsize=16)
def fold(coefficients: tuple[float, ...]) -> float:
    """Return the distance from the axis at which the radial distortion turns back, or infinity."""
    if isinstance(coefficients, Equidistant):
        # The derivative of the shown angle by theta, as a polynomial of theta^2.
        k1, k2, k3, k4 = coefficients
        angle = _first_root([9 * k4, 7 * k3, 5 * k2, 3 * k1, 1.0])
        return float(np.tan(angle)) if angle < np.pi / 2 else np.inf
    k1, k2, _, _, k3 = (*coefficients, 0.0)[:5]
    if len(coefficients) <= 5:
        return _first_root([7 * k3, 5 * k2, 3 * k1, 1.0])
    # r N(s) / D(s) with s = r^2 turns where (N + 2 s N') D = 2 s N D', and has a pole where D = 0.
    above = np.poly1d([k3, k2, k1, 1.0])
    below = np.poly1d([*reversed(coefficients[5:8]), 1.0])
    twice = np.poly1d([2.0, 0.0])
    turns = (above + twice * above.deriv()) * below - twice * above * below.deriv()
    return min(_first_root(turns.coeffs), _first_root(below.coeffs))


def _first_root(polynomial: Sequence[float] | np.ndarray) -> float:
    """Return the root of the smallest positive square at which a polynomial of squares is zero."""
    # What is below 1e-12 moves no pixel, and would spoil the division by it.
    values = np.asarray(polynomial)
    roots = np.roots(np.where(np.abs(values) < 1e-12, 0.0, values))
    real = roots[np.abs(roots.imag) < 1e-12].real
    real = real[real > 0]
    return float(np.sqrt(real.min())) if real.size else float('inf')


def _unlimited(points: np.ndarray, coefficients: tuple[float, ...]) -> np.ndarray:
    """Return `distort` without its limit."""
    if isinstance(coefficients, Equidistant):
        return points * _fisheye_scale(points, coefficients)[0][..., None]
    shown = _thin(points, coefficients)
    if len(coefficients) > 12:
        tilt = _tilt(*coefficients[12:14])
        ahead = shown @ tilt[:, :2].T + tilt[:, 2]
        shown = ahead[..., :2] / ahead[..., 2:]
    return shown


def _thin(points: np.ndarray, coefficients: tuple[float, ...]) -> np.ndarray:
    """Return what a lens shows before its sensor is tilted."""
    k1, k2, p1, p2, k3 = (*coefficients, 0.0)[:5]
    x, y = points[..., 0], points[..., 1]
    square = x * x + y * y
    radial = 1.0 + square * (k1 + square * (k2 + square * k3))
    if len(coefficients) > 5:
        k4, k5, k6 = coefficients[5:8]
        radial = radial / (1.0 + square * (k4 + square * (k5 + square * k6)))
    shown = np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x),
            y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y,
        ],
        axis=-1,
    )
    if len(coefficients) > 8:
        s1, s2, s3, s4 = coefficients[8:12]
        shown = shown + np.stack(
            [square * (s1 + square * s2), square * (s3 + square * s4)], axis=-1
        )
    return shown


@lru_cache(maxsize=16)
def _tilt(tau_x: float, tau_y: float) -> np.ndarray:
    """Return the homography (3, 3) of a sensor that is tilted by two angles [rad]."""
    (cx, cy), (sx, sy) = np.cos([tau_x, tau_y]), np.sin([tau_x, tau_y])
    turn = np.array([[cy, 0.0, -sy], [0.0, 1.0, 0.0], [sy, 0.0, cy]]) @ np.array(
        [[1.0, 0.0, 0.0], [0.0, cx, sx], [0.0, -sx, cx]]
    )
    project = np.array(
        [[turn[2, 2], 0.0, -turn[0, 2]], [0.0, turn[2, 2], -turn[1, 2]], [0.0, 0.0, 1.0]]
    )
    return project @ turn


def _fisheye_scale(points: np.ndarray, lens: Equidistant) -> tuple[np.ndarray, np.ndarray]:
    """Return shown over true distance from the axis, and its derivative over that distance."""
    k1, k2, k3, k4 = lens
    distance = np.linalg.norm(points, axis=-1)
    safe = np.maximum(distance, 1e-4)
    theta = np.arctan(safe)
    square = theta * theta
    shown = theta * (1.0 + square * (k1 + square * (k2 + square * (k3 + square * k4))))
    slope = 1.0 + square * (3 * k1 + square * (5 * k2 + square * (7 * k3 + square * 9 * k4)))
    scale = shown / safe
    growth = (slope / (1.0 + safe * safe) - scale) / (safe * safe)
    # Near the axis both are their limits; the series leaves out terms below 1e-16.
    near = distance < 1e-4
    return np.where(near, 1.0 + (k1 - 1 / 3) * distance**2, scale), np.where(
        near, 2 * (k1 - 1 / 3), growth
    )


def _fisheye_jacobian(points: np.ndarray, lens: Equidistant) -> np.ndarray:
    scale, growth = _fisheye_scale(points, lens)
    outer = points[..., :, None] * points[..., None, :]
    return scale[..., None, None] * np.eye(2) + growth[..., None, None] * outer


def _fisheye_undistort(shown: np.ndarray, lens: Equidistant, rounds: int) -> np.ndarray:
    """Return `undistort` of a fisheye, whose angles are found by Newton's method."""
    k1, k2, k3, k4 = lens
    wanted = np.linalg.norm(shown, axis=-1)
    theta = np.minimum(wanted, np.pi / 2)
    limit = np.arctan(fold(lens))
    with np.errstate(all='ignore'):
        for _ in range(rounds):
            square = theta * theta
            error = theta * (1.0 + square * (k1 + square * (k2 + square * (k3 + square * k4))))
            slope = 1.0 + square * (
                3 * k1 + square * (5 * k2 + square * (7 * k3 + square * 9 * k4))
            )
            step = (error - wanted) / slope
            theta = theta - np.clip(step, -0.3, 0.3)
            if not np.nanmax(np.abs(step), initial=0.0) > 1e-14:
                break
        points = shown * (np.tan(theta) / np.where(wanted > 0, wanted, 1.0))[..., None]
        wrong = ~(np.abs(step) < 1e-9) | ~((theta >= 0) & (theta <= limit) & (theta < np.pi / 2))
    points[wrong] = np.nan
    return points
