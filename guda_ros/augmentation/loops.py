"""
The loops of the engine itself: they draw, aim, change and compare; see `compiled`.

K moves have sign, cosine and sine, angle (K,) and offset (2, K). Columns of N recorded steps are
(S, 2, N), states and successors, and (A, N), actions; those of K steps of them alike. Rows are
unsigned, which saves looking for negative ones.
"""

from __future__ import annotations

import numpy as np

from guda_ros.augmentation.compiled import loop

_TURN = 2 * np.pi
_PER_TURN = 0.5 / np.pi
#: Rows of a block that are written at a time, for the nearest cache.
_TILE = 64


@loop('void(u8, u8[::1], f8[:,::1])')
def uniform(key: np.uint64, mix: np.ndarray, out: np.ndarray) -> None:
    """Do what `draws.uniform` does, into (2, K) numbers."""
    step, first, second = mix
    for k in range(out.shape[1]):
        bits = key + np.uint64(k + 1) * step
        bits = (bits ^ (bits >> np.uint64(30))) * first
        bits = (bits ^ (bits >> np.uint64(27))) * second
        bits ^= bits >> np.uint64(31)
        out[0, k] = np.float64(np.uint32(bits)) * 2.0**-32
        out[1, k] = np.float64(np.uint32(bits >> np.uint64(32))) * 2.0**-32


@loop(
    'void(f8[:,::1], f8[:,::1], u8[::1], b1[::1], f8[:,::1], f8[:,::1], f8[::1], f8[::1],'
    ' f8[:,::1])'
)
def aim(
    points: np.ndarray,
    ways: np.ndarray,
    rows: np.ndarray,
    mirrored: np.ndarray,
    place: np.ndarray,
    target: np.ndarray,
    cos: np.ndarray,
    sin: np.ndarray,
    offset: np.ndarray,
) -> None:
    """Find what `aiming.aim` returns; points, ways (2, N), place, target (2, K)."""
    for k in range(len(rows)):
        at, sign = rows[k], 1.0 - 2.0 * mirrored[k]
        x, y = ways[0, at], ways[1, at] * sign
        to_x, to_y = target[0, k] - place[0, k], target[1, k] - place[1, k]
        c, s = x * to_x + y * to_y, x * to_y - y * to_x
        scale = 1 / max(np.sqrt(c * c + s * s), 1e-12)
        c, s = c * scale, s * scale
        cos[k], sin[k] = c, s
        x, y = points[0, at], points[1, at]
        offset[0, k] = place[0, k] - (c * x + -sign * s * y)
        offset[1, k] = place[1, k] - (s * x + sign * c * y)


@loop(
    'void(f8[:,:,::1], u8[::1], i8[:,::1], i8[:,::1], i8[::1], f8[::1], f8[::1], f8[::1],'
    ' f8[::1], f8[:,::1], f8[:,:,::1])'
)
def move(
    source: np.ndarray,
    rows: np.ndarray,
    points: np.ndarray,
    vectors: np.ndarray,
    headings: np.ndarray,
    sign: np.ndarray,
    cos: np.ndarray,
    sin: np.ndarray,
    angle: np.ndarray,
    offset: np.ndarray,
    out: np.ndarray,
) -> None:
    """Move points and vectors (P, 2), pairs of columns, and headings (H,) of recorded rows."""
    for part in range(2):
        for x, y in points:
            from_x, from_y = source[x, part], source[y, part]
            to_x, to_y = out[x, part], out[y, part]
            for k in range(len(rows)):
                px, py = from_x[rows[k]], from_y[rows[k]]
                to_x[k] = cos[k] * px + -sign[k] * sin[k] * py + offset[0, k]
                to_y[k] = sin[k] * px + sign[k] * cos[k] * py + offset[1, k]
        for x, y in vectors:
            from_x, from_y = source[x, part], source[y, part]
            to_x, to_y = out[x, part], out[y, part]
            for k in range(len(rows)):
                px, py = from_x[rows[k]], from_y[rows[k]]
                to_x[k] = cos[k] * px + -sign[k] * sin[k] * py
                to_y[k] = sin[k] * px + sign[k] * cos[k] * py
        for column in headings:
            from_yaw, to_yaw = source[column, part], out[column, part]
            for k in range(len(rows)):
                yaw = from_yaw[rows[k]] * sign[k] + angle[k]
                to_yaw[k] = yaw - _TURN * np.floor((yaw + np.pi) * _PER_TURN)


@loop(
    'void(f8[:,:,::1], f4[:,::1], u8[::1], i8[::1], i8[::1], i8[::1], i8[::1], i8[:,::1],'
    ' f8[::1], f8[::1], f8[::1], f8[:,:,::1], f4[:,::1])'
)
def follow(
    source: np.ndarray,
    actions: np.ndarray,
    rows: np.ndarray,
    kept: np.ndarray,
    lateral: np.ndarray,
    actions_kept: np.ndarray,
    actions_lateral: np.ndarray,
    vectors: np.ndarray,
    sign: np.ndarray,
    cos: np.ndarray,
    sin: np.ndarray,
    out: np.ndarray,
    out_actions: np.ndarray,
) -> None:
    """Take what follows the frame: columns that no body has, and actions; vectors: of actions."""
    for part in range(2):
        for column in kept:
            for k in range(len(rows)):
                out[column, part, k] = source[column, part, rows[k]]
        for column in lateral:
            for k in range(len(rows)):
                out[column, part, k] = source[column, part, rows[k]] * sign[k]
    for column in actions_kept:
        for k in range(len(rows)):
            out_actions[column, k] = actions[column, rows[k]]
    for column in actions_lateral:
        for k in range(len(rows)):
            out_actions[column, k] = actions[column, rows[k]] * sign[k]
    for x, y in vectors:
        for k in range(len(rows)):
            px, py = actions[x, rows[k]], actions[y, rows[k]]
            out_actions[x, k] = cos[k] * px + -sign[k] * sin[k] * py
            out_actions[y, k] = sin[k] * px + sign[k] * cos[k] * py


@loop('void(f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1], f8[::1])')
def nearest(
    x: np.ndarray, y: np.ndarray, to_x: np.ndarray, to_y: np.ndarray, out: np.ndarray
) -> None:
    """Find the smaller squared distance (K,) of two points, before and after steps (2, K)."""
    for k in range(len(out)):
        before_x, before_y = to_x[0, k] - x[0, k], to_y[0, k] - y[0, k]
        after_x, after_y = to_x[1, k] - x[1, k], to_y[1, k] - y[1, k]
        out[k] = min(
            before_x * before_x + before_y * before_y, after_x * after_x + after_y * after_y
        )


@loop(['void(f8[:,:,::1], i8, i8, f8[:,::1])', 'void(f4[:,:,::1], i8, i8, f4[:,::1])'])
def write(columns: np.ndarray, part: np.ndarray, start: np.ndarray, out: np.ndarray) -> None:
    """Write part of columns (C, parts, N) from `start` on as rows (M, C), a tile at a time."""
    for begin in range(0, len(out), _TILE):
        tile = out[begin : begin + _TILE]
        for index in range(out.shape[1]):
            column = columns[index, part, start + begin :]
            for row in range(len(tile)):
                tile[row, index] = column[row]
