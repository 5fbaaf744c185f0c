"""Random numbers and places for many proposals at once."""

from __future__ import annotations

import math

import numpy as np

from guda_ros.augmentation import compiled

#: Of SplitMix64 (Steele, Lea and Flood, 2014): how far its states are apart, and its two factors.
_MIX = np.array([0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB], dtype=np.uint64)


def uniform(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """
    Return numbers in [0, 1), of 32 random bits each.

    They are those of a SplitMix64 that begins anywhere: its numbers do not depend on each other,
    so that many are made at once.
    """
    count = math.prod(shape)
    key = np.uint64(rng.bit_generator.random_raw())
    numbers = np.empty((2, -(-count // 2)))
    loops = compiled.loops(compiled.ENGINE)
    if loops:
        loops.uniform(key, _MIX, numbers)
    else:
        step, first, second = _MIX
        bits = np.arange(1, numbers.shape[1] + 1, dtype=np.uint64)
        bits *= step
        bits += key
        bits ^= bits >> np.uint64(30)
        bits *= first
        bits ^= bits >> np.uint64(27)
        bits *= second
        bits ^= bits >> np.uint64(31)
        np.multiply(bits & np.uint64(0xFFFFFFFF), 2.0**-32, out=numbers[0])
        np.multiply(bits >> np.uint64(32), 2.0**-32, out=numbers[1])
    return numbers.reshape(-1)[:count].reshape(shape)


def put_near(
    places: np.ndarray,
    at: np.ndarray,
    share: float,
    nearest: float,
    times: float,
    bounds: tuple[tuple[float, float], tuple[float, float]],
    rng: np.random.Generator,
) -> np.ndarray:
    """
    Return places (K, 2), a share of them near others, where a step more decides.

    These are the denser the nearer: from `nearest` [m] to `times` as far from `at` (K, 2), as far
    as they are within the bounds ((x low, x high), (y low, y high)) [m].
    """
    far = nearest * times ** rng.random(len(at))
    angle = rng.uniform(-np.pi, np.pi, len(at))
    near = at + np.stack([far * np.cos(angle), far * np.sin(angle)], axis=1)
    low, high = np.transpose(bounds)
    beside = (rng.random(len(at)) < share) & ((near > low) & (near < high)).all(axis=1)
    return np.where(beside[:, None], near, places)
