"""The mazes of gymnasium-robotics: cells, walls, and the shortest way to the goal."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cached_property

import numpy as np

#: `#` is a wall, `G` the goal and `R` where a run begins when it always begins at the same cell.
#: The goals are those of D4RL's maze2d, or of its antmaze where it has another.
MAPS = {
    'umaze': ('#####', '#G..#', '###.#', '#...#', '#####'),
    'medium': (
        '########',
        '#R.##..#',
        '#..#...#',
        '##...###',
        '#..#...#',
        '#.#..#.#',
        '#...#.G#',
        '########',
    ),
    'large': (
        '############',
        '#R...#.....#',
        '#.##.#.#.#.#',
        '#......#...#',
        '#.####.###.#',
        '#..#.#.....#',
        '##.#.#.#.###',
        '#..#...#.G.#',
        '############',
    ),
    'ant_umaze': ('#####', '#R..#', '###.#', '#G..#', '#####'),
}
#: Part of a cell off the middle of the aisle at which ways lead back by 45 degrees.
_ASIDE = 0.25
#: Directions of the neighbours of a cell: row, column.
_SIDES = ((0, 1), (-1, 0), (0, -1), (1, 0))


@dataclass(frozen=True)
class MazeMap:
    """
    A maze whose cells are squares of side `scale` [m], with its middle at the origin.

    Columns of cells go along x, rows against y, as in gymnasium-robotics.
    """

    name: str
    scale: float

    @cached_property
    def walls(self) -> np.ndarray:
        """Tell (rows, columns) of cells whether they are walls."""
        return np.array([[cell == '#' for cell in row] for row in MAPS[self.name]])

    @cached_property
    def free(self) -> np.ndarray:
        """Row and column (K, 2) of the cells that are no walls."""
        return np.argwhere(~self.walls)

    def cell_of_mark(self, mark: str) -> tuple[int, int]:
        """Return row and column of the cell that is marked `G` or `R`."""
        return next(
            (row, line.index(mark)) for row, line in enumerate(MAPS[self.name]) if mark in line
        )

    @property
    def size(self) -> np.ndarray:
        """Half the extent (2,) [m] in x and y, the outer walls included."""
        return np.array(self.walls.shape[::-1]) * self.scale / 2

    def middles(self, cells: np.ndarray) -> np.ndarray:
        """Return the middles (..., 2) [m] of cells (..., 2)."""
        cells = np.asarray(cells)
        across = (cells[..., 1] + 0.5) * self.scale - self.size[0]
        return np.stack([across, self.size[1] - (cells[..., 0] + 0.5) * self.scale], axis=-1)

    def cells(self, positions: np.ndarray) -> np.ndarray:
        """Return the cells (..., 2), clipped to the maze, of positions (..., 2) [m]."""
        row = np.floor((self.size[1] - positions[..., 1]) / self.scale)
        column = np.floor((positions[..., 0] + self.size[0]) / self.scale)
        limits = np.array(self.walls.shape) - 1
        return np.clip(np.stack([row, column], axis=-1).astype(int), 0, limits)

    def clearance(self, positions: np.ndarray) -> np.ndarray:
        """Return how far (...) [m] places are from the nearest wall, up to half a cell or more."""
        cells = self.cells(positions)
        padded = np.pad(self.walls, 1, constant_values=True)
        nearest = np.full(cells.shape[:-1], np.inf)
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                other = cells + (down, right)
                wall = padded[other[..., 0] + 1, other[..., 1] + 1]
                off = np.abs(positions - self.middles(other)) - self.scale / 2
                distance = np.linalg.norm(np.maximum(off, 0.0), axis=-1)
                nearest = np.minimum(nearest, np.where(wall, distance, np.inf))
        return nearest

    def distances(self, cell: tuple[int, int]) -> np.ndarray:
        """Return how many cells (rows, columns) it is to a cell; -1 in walls."""
        steps = np.full(self.walls.shape, -1)
        steps[tuple(cell)] = 0
        queue = deque([tuple(cell)])
        while queue:
            row, column = queue.popleft()
            for down, right in _SIDES:
                other = row + down, column + right
                if steps[other] < 0 and not self.walls[other]:
                    steps[other] = steps[row, column] + 1
                    queue.append(other)
        return steps

    def next_cells(self, cell: tuple[int, int]) -> np.ndarray:
        """Return for every cell (rows, columns, 2) the next one on the way to a cell."""
        steps = self.distances(cell)
        following = np.stack([*np.indices(steps.shape)], axis=-1)
        for row, column in self.free:
            for down, right in _SIDES:
                other = row + down, column + right
                if not self.walls[other] and steps[other] == steps[row, column] - 1:
                    following[row, column] = other
        return following

    @cached_property
    def cell_directions(self) -> np.ndarray:
        """Unit vectors (rows, columns, 2) along the shortest way to the goal; 0 at the goal."""
        following = self.next_cells(self.cell_of_mark('G'))
        return (
            self.middles(following)
            - self.middles(np.stack([*np.indices(self.walls.shape)], axis=-1))
        ) / self.scale

    def directions(self, positions: np.ndarray) -> np.ndarray:
        """
        Return unit vectors (M, 2) from positions (M, 2) along the shortest way.

        They lead back to the middle of the aisle, by 45 degrees a quarter of a cell off it, and in
        the goal cell to its middle.
        """
        cells, goal = self.cells(positions), np.array(self.cell_of_mark('G'))
        along, off = self.cell_directions[tuple(cells.T)], self.middles(cells) - positions
        across = off - np.sum(off * along, axis=1, keepdims=True) * along
        directions = np.where(
            np.all(cells == goal, axis=1)[:, None], off, along + across / (_ASIDE * self.scale)
        )
        return directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-9)
