"""
Rates with intervals for policies of several training seeds, tried from the same starts.

Outcomes are matrices (seeds, starts): row i holds the episodes of training seed i, column j those
from start j. Both are samples: other seeds and other starts would have given other numbers, so
both are resampled.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
import math
from statistics import NormalDist

import numpy as np

RESAMPLES = 10_000
_CHUNK = 1000


@dataclass(frozen=True)
class Estimate:
    """A value with its interval [low, high]."""

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """Return the three numbers by name."""
        return asdict(self)


def wilson_interval(successes: int, total: int, confidence: float = 0.95) -> Estimate:
    """
    Return a success rate with Wilson's score interval, for independent trials (Wilson 1927).

    :raises ValueError: if `successes` is not in [0, total]. No trials: the rate is NaN, the
        interval [0, 1].
    """
    if not 0 <= successes <= total:
        raise ValueError(f'{successes} successes of {total} trials: impossible')
    if total == 0:
        return Estimate(math.nan, 0.0, 1.0)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    rate = successes / total
    centre = (rate + z * z / (2 * total)) / (1 + z * z / total)
    half = (
        z
        / (1 + z * z / total)
        * math.sqrt(rate * (1 - rate) / total + z * z / (4 * total * total))
    )
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == total else min(1.0, centre + half)
    return Estimate(rate, low, high)


def bootstrap_means(
    outcomes: np.ndarray, rng: np.random.Generator, resamples: int = RESAMPLES
) -> np.ndarray:
    """
    Return means (resamples,) of outcomes (seeds, starts) under resampled seeds and starts.

    Seeds and starts are drawn with replacement, independently of each other, and every drawn start
    is used for every drawn seed, because all seeds were tried from the same starts (the pigeonhole
    bootstrap, Owen 2007). Intervals from few seeds are too narrow: those of 95 % held the truth in
    91 % of simulated trials with 5 seeds, in 95 % with 10.
    """
    matrix = _matrix(outcomes)
    return np.concatenate(
        [
            _weighted_mean(matrix, *weights)
            for weights in _weights(matrix.shape[0], matrix.shape[1], rng, resamples)
        ]
    )


def success_rate(
    success: np.ndarray,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Estimate:
    """
    Return the success rate of a matrix (seeds, starts) of bool with its bootstrap interval.

    Where all episodes ended alike a bootstrap knows no spread; then the interval is Wilson's for
    as many trials as there are starts, so that 200 goals from 200 starts are not reported as
    certainty.
    """
    matrix = _matrix(success)
    if (matrix == matrix.flat[0]).all():
        starts = matrix.shape[1]
        return wilson_interval(round(starts * float(matrix.flat[0])), starts, confidence)
    return _interval(matrix.mean(), bootstrap_means(matrix, rng, resamples), confidence)


def paired_difference(
    first: np.ndarray,
    second: np.ndarray,
    rng: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = RESAMPLES,
) -> Estimate:
    """
    Return mean(first) - mean(second) with its interval; matrices (seeds, starts).

    A resample uses the same starts for both. With equal numbers of seeds, seed i of both belongs
    together (the same demonstrations) and is resampled together; otherwise the seeds of each are
    resampled on their own.

    :raises ValueError: if the numbers of starts differ.
    """
    first, second = _matrix(first), _matrix(second)
    if first.shape[1] != second.shape[1]:
        raise ValueError(
            f'a paired difference needs the same starts: {first.shape[1]} starts in the first, '
            f'{second.shape[1]} in the second'
        )
    value = first.mean() - second.mean()
    if first.shape == second.shape:
        return _interval(value, bootstrap_means(first - second, rng, resamples), confidence)
    means = []
    for seeds, starts in _weights(first.shape[0], first.shape[1], rng, resamples):
        other = _counts(second.shape[0], len(seeds), rng)
        means.append(_weighted_mean(first, seeds, starts) - _weighted_mean(second, other, starts))
    return _interval(value, np.concatenate(means), confidence)


def median_time_to_score(success: np.ndarray, steps: np.ndarray, period: float) -> float:
    """
    Return the median time [s] of the episodes that scored, NaN if none did.

    :param success: bool, any shape; :param steps: control steps to the goal, same shape; those of
        episodes that
        did not score are not looked at. :param period: control period [s].
    """
    success = np.asarray(success, dtype=bool)
    scored = np.asarray(steps)[success]
    return float(np.median(scored) * period) if scored.size else math.nan


def _matrix(outcomes: np.ndarray) -> np.ndarray:
    matrix = np.asarray(outcomes, dtype=np.float64)
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(
            f'outcomes must be a matrix (seeds, starts) with at least one episode, '
            f'not of shape {matrix.shape}'
        )
    return matrix


def _counts(size: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often (resamples, size) each of `size` things is drawn in a resample."""
    return rng.multinomial(size, np.full(size, 1 / size), size=resamples).astype(np.float64)


def _weights(seeds: int, starts: int, rng: np.random.Generator, resamples: int):
    """Yield counts of seeds (n, seeds) and starts (n, starts), in pieces that bound the memory."""
    for done in range(0, resamples, _CHUNK):
        count = min(_CHUNK, resamples - done)
        yield _counts(seeds, count, rng), _counts(starts, count, rng)


def _weighted_mean(matrix: np.ndarray, seeds: np.ndarray, starts: np.ndarray) -> np.ndarray:
    return np.einsum('rj,rj->r', seeds @ matrix, starts) / matrix.size


def _interval(value: float, means: np.ndarray, confidence: float) -> Estimate:
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Estimate(float(value), float(low), float(high))
