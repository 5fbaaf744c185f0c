"""
Statistics of a LeRobot data set, as its own writer makes them (0.4 to 0.6).

For every feature of an episode min, max, mean, std, count and five quantiles; those of the whole
set are joined episode by episode, its quantiles as weighted means. Quantiles are read off
histograms. Pictures are sampled, made smaller and counted in [0, 1] for each colour. The formulas
are those of lerobot/datasets/compute_stats.py; squares of pictures are not cut off at 8 bits,
which 0.4 does (its `std` of pictures is wrong) and 0.6 does not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Statistic -> value, an array with an axis at least.
Statistics = dict[str, np.ndarray]

_QUANTILES = (0.01, 0.10, 0.50, 0.90, 0.99)
_NAMES = tuple(f'q{int(100 * share):02d}' for share in _QUANTILES)
_BINS = 5000
#: Pictures that are this large are made smaller by leaving out, to this size [pixels].
_LARGE, _SMALL = 300, 150


def column_statistics(column: np.ndarray) -> Statistics:
    """Return the statistics of a feature (N,) or (N, D) of one episode."""
    rows = column.reshape(len(column), -1)
    if len(rows) < 2:
        mean = rows.mean(axis=0)
        basic = {'min': rows.min(axis=0), 'max': rows.max(axis=0), 'mean': mean}
        return {
            **basic,
            'std': rows.std(axis=0),
            'count': np.array([len(rows)]),
            **{name: mean.copy() for name in _NAMES},
        }
    rows = rows.astype(np.result_type(rows.dtype, np.float32), copy=False)
    mean = rows.mean(axis=0)
    variance = (rows**2).mean(axis=0) - mean**2
    counted = [_histogram(values) for values in rows.T]
    return {
        'min': rows.min(axis=0),
        'max': rows.max(axis=0),
        'mean': mean,
        'std': np.sqrt(np.maximum(0, variance)),
        'count': np.array([len(rows)]),
        **_quantiles(counted, len(rows)),
    }


def picture_statistics(pictures: Sequence[np.ndarray]) -> Statistics:
    """
    Return the statistics of pictures (H, W, 3) of one episode, in [0, 1], each (3, 1, 1).

    :param pictures: those that sampled_rows names, made smaller by smaller.
    """
    levels = np.arange(256, dtype=np.float64)
    columns = []
    for colour in range(3):
        counts = np.sum(
            [np.bincount(one[..., colour].ravel(), minlength=256) for one in pictures], axis=0
        )
        present = np.flatnonzero(counts)
        total, values = counts.sum(), levels[present]
        mean = (counts[present] * values).sum() / total
        squares = (counts[present] * values**2).sum() / total
        found = {
            'min': values[0],
            'max': values[-1],
            'mean': mean,
            'std': np.sqrt(np.maximum(0, squares - mean**2)),
        }
        counted = _histogram(values, counts[present].astype(np.float64))
        found.update({name: value[0] for name, value in _quantiles([counted], total).items()})
        columns.append(found)
    statistics = {
        name: np.array([one[name] for one in columns]).reshape(3, 1, 1) / 255.0
        for name in columns[0]
    }
    return {**statistics, 'count': np.array([len(pictures)])}


def sampled_rows(length: int) -> list[int]:
    """Return which pictures of an episode of so many steps its statistics are made of."""
    count = max(min(100, length), min(int(length**0.75), 10_000))
    return np.round(np.linspace(0, length - 1, count)).astype(int).tolist()


def smaller(picture: np.ndarray) -> np.ndarray:
    """Return the pixels of a picture (H, W, 3) of which its statistics are made."""
    height, width = picture.shape[:2]
    if max(width, height) < _LARGE:
        return picture
    every = int(width / _SMALL) if width > height else int(height / _SMALL)
    return picture[::every, ::every]


def joined(first: Statistics, second: Statistics) -> Statistics:
    """Return the statistics of two sets together."""
    both = (first, second)
    mean, variance = (np.stack([choose(one) for one in both]) for choose in (_mean, _variance))
    counts = np.stack([one['count'] for one in both])
    total = counts.sum(axis=0)
    weights = counts.reshape(2, *[1] * (mean.ndim - 1))
    together = (mean * weights).sum(axis=0) / total
    spread = ((variance + (mean - together) ** 2) * weights).sum(axis=0) / total
    return {
        'min': np.minimum(first['min'], second['min']),
        'max': np.maximum(first['max'], second['max']),
        'mean': together,
        'std': np.sqrt(spread),
        'count': total,
        **{
            name: (np.stack([one[name] for one in both]) * weights).sum(axis=0) / total
            for name in _NAMES
        },
    }


def _mean(one: Statistics) -> np.ndarray:
    return one['mean']


def _variance(one: Statistics) -> np.ndarray:
    return one['std'] ** 2


def _histogram(
    values: np.ndarray, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return how many values are in each bin, and the edges of the bins."""
    edges = np.linspace(values.min() - 1e-10, values.max() + 1e-10, _BINS + 1)
    return np.histogram(values, bins=edges, weights=weights)[0], edges


def _quantiles(counted: Sequence[tuple[np.ndarray, np.ndarray]], count: int) -> Statistics:
    return {
        name: np.array([_quantile(*one, share * count) for one in counted])
        for name, share in zip(_NAMES, _QUANTILES)
    }


def _quantile(histogram: np.ndarray, edges: np.ndarray, target: float) -> float:
    """Return below which value there are so many, even within a bin."""
    below = np.cumsum(histogram)
    place = int(np.searchsorted(below, target))
    if place == 0:
        return edges[0]
    if place >= len(below):
        return edges[-1]
    inside = below[place] - below[place - 1]
    if inside == 0:
        return edges[place]
    share = (target - below[place - 1]) / inside
    return edges[place] + share * (edges[place + 1] - edges[place])
