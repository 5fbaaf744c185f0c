"""Turn scenes until a way in them points at a target."""

from __future__ import annotations

import numpy as np

from guda_ros.augmentation import compiled
from guda_ros.augmentation.rules.source import take_rows
from guda_ros.augmentation.transforms import Move, to_columns, to_rows


def aim(
    points: np.ndarray,
    ways: np.ndarray,
    rows: np.ndarray,
    mirrored: np.ndarray,
    place: np.ndarray,
    target: np.ndarray,
) -> Move:
    """
    Return moves that bring points to places such that ways point at targets, seen from there.

    points, ways (N, 2), laid out by columns, of which rows (K,) are taken; mirrored (K,): which
    are mirrored first; place (K, 2); target (K, 2) or (2,).
    """
    loops = compiled.loops(compiled.ENGINE)
    if loops:
        shape = (2, len(rows))
        at, to = (compiled.column(to_columns(part)) for part in (place, np.atleast_2d(target)))
        turning, offset = np.empty(shape), np.empty(shape)
        loops.aim(
            points.T,
            ways.T,
            rows.astype(np.uint64),
            mirrored,
            at,
            compiled.column(to, shape),
            *turning,
            offset,
        )
        cos, sin = turning
        return Move(mirrored, np.arctan2(sin, cos), to_rows(offset), (cos, sin))
    x, y = to_columns(take_rows(ways, rows))
    y *= 1.0 - 2.0 * mirrored
    to_x, to_y = to_columns(target - place)
    cos, sin = x * to_x + y * to_y, x * to_y - y * to_x
    scale = 1 / np.maximum(np.sqrt(cos * cos + sin * sin), 1e-12)
    cos, sin = cos * scale, sin * scale
    return Move.carry(take_rows(points, rows), place, np.arctan2(sin, cos), mirrored, (cos, sin))
