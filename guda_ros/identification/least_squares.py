"""Robust nonlinear least squares of a few parameters, by damped Gauss-Newton steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

#: Residuals [standard deviations] from which on Huber's loss grows linearly: 95 % efficient.
HUBER = 1.345


@dataclass(frozen=True, eq=False)
class Fit:
    """
    A minimum.

    parameters (p,); covariance (p, p); residuals (n,) in standard deviations; on_bound (p,) bool:
    the parameter is held by a bound and its covariance says nothing.
    """

    parameters: np.ndarray
    covariance: np.ndarray
    residuals: np.ndarray
    on_bound: np.ndarray

    @property
    def deviations(self) -> np.ndarray:
        """Standard deviations (p,)."""
        return np.sqrt(np.diag(self.covariance))


def minimise(
    residuals: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray | Sequence[float],
    lower: np.ndarray | Sequence[float],
    upper: np.ndarray | Sequence[float],
    clusters: np.ndarray | None = None,
    iterations: int = 60,
) -> Fit:
    """
    Minimise Huber's loss of residuals (n,) of parameters (p,) within bounds.

    :param residuals: in standard deviations of the noise, as far as that is known.
    :param clusters: (n,) group of each residual; residuals of a group may depend on each other.
        The covariance is then the larger one of the usual and the cluster-robust one.
    """
    lower, upper = np.asarray(lower, dtype=float), np.asarray(upper, dtype=float)
    theta = np.clip(np.asarray(start, dtype=float), lower, upper)
    r = residuals(theta)
    cost, damping = _loss(r), 1e-3
    for _ in range(iterations):
        jacobian = _jacobian(residuals, theta, r, lower, upper)
        weight = _weight(r)
        normal = jacobian.T @ (weight[:, None] * jacobian)
        gradient = jacobian.T @ (weight * r)
        improved = False
        for _ in range(12):
            scaled = normal + damping * np.diag(np.diag(normal) + 1e-12)
            trial = np.clip(theta - np.linalg.solve(scaled, gradient), lower, upper)
            trial_r = residuals(trial)
            trial_cost = _loss(trial_r)
            if trial_cost < cost:
                improved = True
                break
            damping *= 5.0
        if not improved:
            break
        change = cost - trial_cost
        theta, r, cost, damping = trial, trial_r, trial_cost, max(damping / 5.0, 1e-9)
        if change < 1e-9 * (1.0 + cost):
            break
    jacobian = _jacobian(residuals, theta, r, lower, upper)
    return Fit(theta, _covariance(jacobian, r, clusters), r, (theta <= lower) | (theta >= upper))


def _loss(r: np.ndarray) -> float:
    size = np.abs(r)
    return float(np.where(size <= HUBER, 0.5 * r * r, HUBER * (size - 0.5 * HUBER)).sum())


def _weight(r: np.ndarray) -> np.ndarray:
    return np.minimum(1.0, HUBER / np.maximum(np.abs(r), 1e-12))


def _jacobian(
    residuals,
    theta: np.ndarray,
    r: np.ndarray,
    lower: np.ndarray | Sequence[float],
    upper: np.ndarray | Sequence[float],
) -> np.ndarray:
    columns = np.empty((len(r), len(theta)))
    for index, value in enumerate(theta):
        step = 1e-5 * max(abs(value), 1e-2)
        high, low = theta.copy(), theta.copy()
        high[index], low[index] = min(value + step, upper[index]), max(value - step, lower[index])
        columns[:, index] = (residuals(high) - residuals(low)) / (high[index] - low[index])
    return columns


def _covariance(jacobian: np.ndarray, r: np.ndarray, clusters) -> np.ndarray:
    count, size = jacobian.shape
    weight = _weight(r)
    inverse = np.linalg.pinv(jacobian.T @ (weight[:, None] * jacobian), hermitian=True)
    scale = float((weight * r * r).sum()) / max(count - size, 1)
    covariance = inverse * scale
    if clusters is not None:
        _, group = np.unique(clusters, return_inverse=True)
        groups = group.max() + 1
        if groups > size:
            scores = np.zeros((groups, size))
            np.add.at(scores, group, jacobian * (weight * r)[:, None])
            robust = inverse @ (scores.T @ scores) @ inverse * groups / (groups - size)
            larger = np.sqrt(
                np.maximum(np.diag(robust) / np.maximum(np.diag(covariance), 1e-300), 1.0)
            )
            covariance = covariance * np.outer(larger, larger)
    return covariance
