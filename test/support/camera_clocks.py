"""Stamps of cameras of many rates, none of which is the contract's."""

from __future__ import annotations

import numpy as np

SECOND = 1_000_000_000
#: Cameras by name: rate [Hz], and how far [s] an image may be from where it should be.
CAMERAS = {
    '15 Hz': (15, 0.0),
    '25 Hz': (25, 0.002),
    '30 Hz': (30, 0.0),
    '60 Hz': (60, 0.001),
    'irregular': (40, 0.02),
}


def image_stamps(camera: str, begin: int, seconds: float) -> list[int]:
    """Return the stamps [ns] of a camera of CAMERAS from `begin` on."""
    rate, jitter = CAMERAS[camera]
    times = np.arange(0, seconds, 1 / rate)
    times = np.sort(times + np.random.default_rng(1).uniform(0, jitter, len(times)))
    return [begin + int(time * SECOND) for time in times]


def check_rate(steps, seconds: float) -> None:
    """Raise AssertionError unless steps [ns] are those of 10 Hz in so many seconds."""
    gaps = np.diff(sorted(steps)) / SECOND
    assert abs(len(steps) - 10 * seconds) <= 1, len(steps)
    assert gaps.min() > 0.05 and gaps.max() < 0.15, gaps
