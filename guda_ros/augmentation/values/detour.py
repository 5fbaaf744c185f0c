"""
The shortest way round an object, to where it is pushed from.

The object is kept from by a circle about it; pushed it is from the circle's point behind it, seen
along the way that it is to go. Places are relative to the object and to that way: (ahead, left).
"""

from __future__ import annotations

import numpy as np


def seen_along(places: np.ndarray, way: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far ahead and left (M,) places (M, 2) are of the origin, along unit vectors."""
    (x, y), (cos, sin) = places.T, way.T
    return x * cos + y * sin, y * cos - x * sin


def way_round(ahead: np.ndarray, left: np.ndarray, clearance: float, aligned: float) -> np.ndarray:
    """
    Return the directions (M,) [rad], relative to the push, in which to walk from places (M,) [m].

    They lead round the circle of radius `clearance` [m] to its point behind the object; from
    within `aligned` [rad] of the line behind it straight on, to half as far from the object.
    """
    far, off = _from_behind(ahead, left)
    straight_on = off <= aligned
    rear = np.where(straight_on, -clearance / 2, -clearance)
    # From the left the circle is passed on that side.
    side = np.where(left < 0, -1.0, 1.0)
    past = side * np.arcsin(np.minimum(clearance / np.maximum(far, clearance), 1.0))
    tangent = np.arctan2(-left, -ahead) - past
    return np.where(straight_on | (-ahead >= clearance), np.arctan2(-left, rear - ahead), tangent)


def length_of_way(
    ahead: np.ndarray, left: np.ndarray, clearance: float, aligned: float, rear: float
) -> np.ndarray:
    """
    Return how long (M,) [m] the way is from places (M,) [m] to `rear` [m] behind the object.

    It leads round as that of `way_round` does.
    """
    far, off = _from_behind(ahead, left)
    outside = np.maximum(far, clearance)
    to_circle = np.sqrt(outside**2 - clearance**2) + (outside - far)
    arc = np.maximum(off - np.arccos(np.minimum(clearance / outside, 1.0)), 0.0) * clearance
    straight = (off <= aligned) | (-ahead >= clearance)
    return np.where(
        straight, np.hypot(ahead + rear, left), to_circle + arc + abs(clearance - rear)
    )


def _from_behind(ahead: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance from the object and the angle [rad] off the line behind it."""
    return np.hypot(ahead, left), np.arctan2(np.abs(left), -ahead)
