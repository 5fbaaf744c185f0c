"""
The shortest path round an object, to where it is pushed from.

The object is kept from by a circle about it; pushed it is from the circle's point behind it, seen
along the direction that it is to go. Positions are relative to the object and to that
direction: (ahead, left).
"""

from __future__ import annotations

import numpy as np


def along_direction(positions: np.ndarray, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far ahead and left (M,) of the origin positions (M, 2) are, for unit vectors."""
    (x, y), (cos, sin) = positions.T, direction.T
    return x * cos + y * sin, y * cos - x * sin


def detour_direction(
    ahead: np.ndarray, left: np.ndarray, clearance: float, aligned: float
) -> np.ndarray:
    """
    Return the directions (M,) [rad] to walk in, relative to the push, from positions (M,) [m].

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


def detour_length(
    ahead: np.ndarray, left: np.ndarray, clearance: float, aligned: float, rear: float
) -> np.ndarray:
    """
    Return how long (M,) [m] the path is from positions (M,) [m] to `rear` [m] behind the object.

    It leads round as that of `detour_direction` does.
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
