"""The lines of a field as segments, and how far points are from them."""

from __future__ import annotations

import math

import numpy as np

from guda_ros.soccer.field import Field

#: Chords that stand for the centre circle: at most 2 mm off for a radius of .75 m.
CIRCLE_PIECES = 48


def line_segments(field: Field) -> np.ndarray:
    """Return the middles of all lines as segments (n, 2, 2): start and end, x and y in map [m]."""
    paths: list[list[tuple[float, float]]] = []
    half = field.line_width / 2
    x, y = field.length / 2 - half, field.width / 2 - half
    paths.append([(-x, -y), (x, -y), (x, y), (-x, y), (-x, -y)])
    middle = field.halfway_line
    if field.goals == 2:
        paths.append([(middle, -y), (middle, y)])
    for depth, across in (field.penalty_area, field.goal_area):
        for side in field.goal_sides if depth else ():
            inner = side * (field.length / 2 - depth + half)
            wide = across / 2 - half
            paths.append([(side * x, -wide), (inner, -wide), (inner, wide), (side * x, wide)])
    if field.centre_circle_radius:
        # Of a half field there is the half of the circle that lies on it.
        turn = 2 * math.pi if field.goals == 2 else math.pi
        angles = [
            -math.pi / 2 + turn * piece / CIRCLE_PIECES for piece in range(CIRCLE_PIECES + 1)
        ]
        radius = field.centre_circle_radius
        paths.append([(middle + radius * math.cos(a), radius * math.sin(a)) for a in angles])
    return np.array([ends for path in paths for ends in zip(path[:-1], path[1:])])


class LineMap:
    """
    Distances of points in `map` from the nearest line of a field.

    :param cell: of the raster from which many distances at once are read [m].
    :param reach: farther [m] than this all points are equally far.
    """

    #: How far [m] beyond the lines the raster goes.
    MARGIN = 2.0

    def __init__(self, field: Field, cell: float = 0.05, reach: float = 0.5) -> None:
        self.field, self.reach = field, reach
        self.segments = line_segments(field)
        #: Points (n, 2) on all lines, at most a tenth of a metre apart.
        self.points = np.concatenate(
            [
                start + (end - start) * np.linspace(0, 1, 1 + math.ceil(length / 0.1))[:, None]
                for (start, end), length in zip(
                    self.segments, np.hypot(*(self.segments[:, 1] - self.segments[:, 0]).T)
                )
            ]
        )
        self._start = self.segments[:, 0]
        along = self.segments[:, 1] - self._start
        self._length = np.linalg.norm(along, axis=1)
        self._along = along / self._length[:, None]
        self._cell = cell
        self._corner = -np.array([field.length / 2, field.width / 2]) - self.MARGIN
        counts = np.ceil(-2 * self._corner / cell).astype(int)
        grid = np.stack(np.meshgrid(*(np.arange(count) for count in counts), indexing='ij'), -1)
        distance = np.empty(counts)
        for row, cells in enumerate(grid):
            points = self._corner + (cells + 0.5) * cell
            distance[row] = np.abs(self.nearest(points)[0])
        self._raster = np.minimum(distance, reach).astype(np.float32)

    def nearest(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """
        Return how far points (..., 2) are from the nearest line, and the direction of that.

        :return: distances (...) [m], signed, and unit vectors (..., 2) in which they grow: the
            normal of the line, or beyond its end the direction from that.
        """
        points = np.asarray(points, dtype=np.float64)
        from_start = points[..., None, :] - self._start
        along = np.einsum('...si,si->...s', from_start, self._along)
        inside = along.clip(0.0, self._length)
        away = from_start - inside[..., None] * self._along
        squared = np.einsum('...i,...i->...', away, away)
        best = squared.argmin(axis=-1)
        chosen = np.take_along_axis(away, best[..., None, None], axis=-2)[..., 0, :]
        distance = np.sqrt(np.take_along_axis(squared, best[..., None], axis=-1)[..., 0])
        normal = np.stack([-self._along[best, 1], self._along[best, 0]], axis=-1)
        beside = np.take_along_axis(along != inside, best[..., None], axis=-1)[..., 0]
        sign = np.where(np.einsum('...i,...i->...', chosen, normal) < 0, -1.0, 1.0)
        beyond = beside & (distance > 1e-9)
        outward = chosen / np.where(distance > 1e-9, distance, 1.0)[..., None]
        normal = np.where(beyond[..., None], outward, normal)
        return np.where(beyond, distance, sign * distance), normal

    def distances(self, points: np.ndarray) -> np.ndarray:
        """Return how far points (..., 2) are from the nearest line [m], at most `reach`, fast."""
        cells = ((points - self._corner) / self._cell).astype(np.int32)
        inside = ((cells >= 0) & (cells < self._raster.shape)).all(axis=-1)
        cells[~inside] = 0
        return np.where(inside, self._raster[cells[..., 0], cells[..., 1]], self.reach)
