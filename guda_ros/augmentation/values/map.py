"""
Values of the positions of an object: the task's own reward from there on, over a map of the field.

Value iteration over a grid (Bellman, 1957), with values between its points interpolated, which
keeps it a contraction (Gordon, Stable Function Approximation in Dynamic Programming, 1995). The
moves are recorded stretches, put at every point and turned.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

#: Change by which values have settled, as a part of their range, and sweeps that are made at most.
_SETTLED, _SWEEPS = 1e-4, 2000
#: Directions that are compared to find the best one.
_DIRECTIONS = 72


@dataclass(frozen=True)
class Moves:
    """
    What can become of an object at each of G points, by K moves.

    ends (G, K, 2): where it is afterwards [m]; earned (G, K): discounted rewards until then, -inf
    where the task does not allow it; goes_on (G, K): discount of what comes after, 0 at an end.
    """

    ends: np.ndarray
    earned: np.ndarray
    goes_on: np.ndarray


class Grid:
    """Points `spacing` [m] or less apart in a box ((x low, x high), (y low, y high)) [m]."""

    def __init__(
        self, box: tuple[tuple[float, float], tuple[float, float]], spacing: float
    ) -> None:
        self.axes = tuple(
            np.linspace(low, high, max(int(np.ceil((high - low) / spacing)), 1) + 1)
            for low, high in box
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Number of points along x and y."""
        x, y = self.axes
        return len(x), len(y)

    @cached_property
    def points(self) -> np.ndarray:
        """All points (G, 2) [m]."""
        return np.stack(np.meshgrid(*self.axes, indexing='ij'), axis=-1).reshape(-1, 2)

    def corners(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return indices (4, M) of the points about positions (M, 2), and their weights (4, M)."""
        low, part = [], []
        for axis, along in zip(self.axes, positions.T):
            at = (along - axis[0]) / (axis[1] - axis[0])
            at = np.clip(np.nan_to_num(at), 0, len(axis) - 1)
            index = np.minimum(at.astype(np.int32), len(axis) - 2)
            low.append(index)
            part.append((at - index).astype(np.float32))
        first = low[0] * len(self.axes[1]) + low[1]
        (x, y), step = part, len(self.axes[1])
        return (
            np.stack([first, first + 1, first + step, first + step + 1]),
            np.stack([(1 - x) * (1 - y), (1 - x) * y, x * (1 - y), x * y]),
        )


class ValueMap:
    """Values at the points of a grid, and between them."""

    def __init__(self, grid: Grid, values: np.ndarray, reach: float) -> None:
        """
        Take values (G,) of the points of a grid.

        :param reach: distance [m] at which positions are compared to find the best direction.
        """
        self.grid, self.values = grid, np.asarray(values, dtype=np.float32)
        self._reach = reach

    @classmethod
    def solve(cls, grid: Grid, moves: Moves, reach: float) -> ValueMap:
        """Return the map on which the value of every point is that of the best of its moves."""
        possible = np.isfinite(moves.earned)
        earned = np.where(possible, moves.earned, -np.inf)
        corner, weight = grid.corners(moves.ends.reshape(-1, 2))
        weight = weight * moves.goes_on.ravel()
        # A point that allows nothing has the least value of all.
        stuck = ~possible.any(axis=1)
        values = np.zeros(len(earned), dtype=np.float32)
        for _ in range(_SWEEPS):
            after = np.einsum('cm,cm->m', values[corner], weight).reshape(earned.shape)
            better = (earned + after).max(axis=1)
            better[stuck] = better[~stuck].min(initial=np.inf) if not stuck.all() else 0.0
            change = np.abs(better - values).max(initial=0.0)
            values = better.astype(np.float32)
            if change <= _SETTLED * max(np.ptp(values), 1e-9):
                break
        return cls(grid, values, reach)

    @property
    def least(self) -> float:
        """Least value on the map."""
        return float(self.values.min())

    def __call__(self, positions: np.ndarray) -> np.ndarray:
        """Return the values (M,) of positions (M, 2) [m]; beyond the map, those of its edge."""
        corner, weight = self.grid.corners(positions)
        return np.einsum('cm,cm->m', self.values[corner], weight)

    def best_direction(self, positions: np.ndarray) -> np.ndarray:
        """Return the best directions, unit vectors (M, 2), at the points nearest to positions."""
        corner, weight = self.grid.corners(positions)
        nearest = np.take_along_axis(corner, weight.argmax(axis=0)[None], axis=0)[0]
        return self._best_directions[nearest]

    @cached_property
    def _best_directions(self) -> np.ndarray:
        angle = np.linspace(-np.pi, np.pi, _DIRECTIONS, endpoint=False)
        directions = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        values = [self(self.grid.points + self._reach * one) for one in directions]
        return directions[np.argmax(values, axis=0)]
