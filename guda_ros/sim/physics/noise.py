"""
Random numbers by counter: a number belongs to (seed, step, channel) and to nothing else.

No generator is carried along, so a simulation draws the same whether it runs alone or in any row
of a batch, and continues with the same numbers from a saved state. Everything is integer
arithmetic and correctly rounded products and sums, which give the same bytes for every array
shape.
"""

from __future__ import annotations

from statistics import NormalDist
import zlib

import numpy as np

#: Seeds are below this, so that a float64 holds them.
SEED_LIMIT = 2**53

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = (np.uint64(shift) for shift in (30, 27, 31, 11))

_BINS = 4096
_S52, _LOW_52 = np.uint64(52), np.uint64(2**52 - 1)


def _quantiles() -> np.ndarray:
    """Return the normal distribution's quantiles at the edges of equally likely bins."""
    edges = [NormalDist().inv_cdf(index / _BINS) for index in range(1, _BINS)]
    # Numbers in the outermost bins are uniform between the last finite quantile and an end that
    # gives the whole distribution the variance 1.
    a = np.array(edges)
    inner = np.sum(a[:-1] ** 2 + a[:-1] * a[1:] + a[1:] ** 2) / 3 / _BINS
    last = a[-1]
    # (last^2 + last * end + end^2) / 3 is the second moment of the outermost bin.
    wanted = (1 - inner) * _BINS / 2
    end = (-last + np.sqrt(last**2 - 4 * (last**2 - 3 * wanted))) / 2
    return np.concatenate([[-end], a, [end]])


_QUANTILES = _quantiles()
_SLOPES = np.diff(_QUANTILES) * 2.0**-52


def channel(name: str) -> int:
    """Return the channel of a name, the same in every process."""
    return zlib.crc32(name.encode())


def bits(seed: int | np.ndarray, step: np.ndarray | int, channel: np.ndarray | int) -> np.ndarray:
    """Return 64 random bits, uint64, for non-negative integers that broadcast."""
    seed, step, channel = (
        np.atleast_1d(np.asarray(value)).astype(np.uint64) for value in (seed, step, channel)
    )
    mixed = _mix(seed + _GOLDEN)
    mixed = _mix((mixed ^ step) + _GOLDEN)
    return _mix((mixed ^ channel) + _GOLDEN)


def _mix(value: np.ndarray) -> np.ndarray:
    """Return splitmix64's finaliser: every input bit changes every output bit half of the time."""
    value = (value ^ (value >> _S30)) * _MIX_1
    value = (value ^ (value >> _S27)) * _MIX_2
    return value ^ (value >> _S31)


def uniform(seed: np.ndarray, step: int, channel: int) -> np.ndarray:
    """Return numbers in [0, 1) with 53 bits, float64; the arguments as in `bits`."""
    return (bits(seed, step, channel) >> _S11) * 2.0**-53


def normal(seed: np.ndarray, step: np.ndarray, channel: np.ndarray) -> np.ndarray:
    """
    Return numbers with mean 0 and variance 1, float64; the arguments as in `bits`.

    The normal distribution's inverse, linear between 4096 quantiles: no number is beyond 4.
    """
    drawn = bits(seed, step, channel)
    index = (drawn >> _S52).astype(np.intp)
    return _QUANTILES[index] + _SLOPES[index] * (drawn & _LOW_52)


def episode_seed(seed: int, episode: np.ndarray | int, index: np.ndarray | int) -> np.ndarray:
    """Return the seeds of a simulation's episodes, from that of the whole run, below 2**53."""
    return bits(seed, episode, index) >> _S11
