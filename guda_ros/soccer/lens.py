"""
The plumb_bob distortion of a lens, as in OpenCV and sensor_msgs/CameraInfo, and its inverse.

Points are on the image plane at distance one, (..., 2): x right, y down; coefficients are k1, k2,
p1, p2, k3.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

NONE = (0.0, 0.0, 0.0, 0.0, 0.0)


def distort(points: np.ndarray, coefficients) -> np.ndarray:
    """Return where a lens shows points (..., 2); NaN beyond the radius at which it folds back."""
    points = np.asarray(points, dtype=np.float64)
    shown = _plain(points, coefficients)
    shown[np.linalg.norm(points, axis=-1) > fold(coefficients)] = np.nan
    return shown


def jacobian(points: np.ndarray, coefficients) -> np.ndarray:
    """Return the derivatives (..., 2, 2) of `distort` at points (..., 2)."""
    points = np.asarray(points, dtype=np.float64)
    k1, k2, p1, p2, k3 = coefficients
    x, y = points[..., 0], points[..., 1]
    square = x * x + y * y
    radial = 1.0 + square * (k1 + square * (k2 + square * k3))
    growth = 2.0 * (k1 + square * (2 * k2 + square * 3 * k3))
    across = x * y * growth + 2 * p1 * x + 2 * p2 * y
    matrix = np.empty(points.shape[:-1] + (2, 2))
    matrix[..., 0, 0] = radial + x * x * growth + 2 * p1 * y + 6 * p2 * x
    matrix[..., 1, 1] = radial + y * y * growth + 6 * p1 * y + 2 * p2 * x
    matrix[..., 0, 1] = matrix[..., 1, 0] = across
    return matrix


def undistort(shown: np.ndarray, coefficients, rounds: int = 20) -> np.ndarray:
    """
    Return the points (..., 2) that a lens shows at `shown` (..., 2), by Newton's method.

    NaN where the lens shows nothing.
    """
    shown = np.asarray(shown, dtype=np.float64)
    points = shown.copy()
    limit = fold(coefficients)
    with np.errstate(all='ignore'):
        for _ in range(rounds):
            error = _plain(points, coefficients) - shown
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
        wrong = ~(np.abs(_plain(points, coefficients) - shown).max(axis=-1) < 1e-9) | ~(
            np.linalg.norm(points, axis=-1) <= limit
        )
    points[wrong] = np.nan
    return points


@lru_cache(maxsize=16)
def fold(coefficients: tuple[float, ...]) -> float:
    """Return the distance from the axis at which the radial distortion turns back, or infinity."""
    k1, k2, _, _, k3 = coefficients
    roots = np.roots([7 * k3, 5 * k2, 3 * k1, 1.0])
    real = roots[np.abs(roots.imag) < 1e-12].real
    real = real[real > 0]
    return float(np.sqrt(real.min())) if real.size else np.inf


def _plain(points: np.ndarray, coefficients) -> np.ndarray:
    """Return `distort` without its limit."""
    k1, k2, p1, p2, k3 = coefficients
    x, y = points[..., 0], points[..., 1]
    square = x * x + y * y
    radial = 1.0 + square * (k1 + square * (k2 + square * k3))
    return np.stack(
        [
            x * radial + 2 * p1 * x * y + p2 * (square + 2 * x * x),
            y * radial + p1 * (square + 2 * y * y) + 2 * p2 * x * y,
        ],
        axis=-1,
    )
