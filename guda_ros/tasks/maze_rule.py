"""The rule kind of mazes: steps are taken to free places, along the shortest way or anyhow."""

from __future__ import annotations

import numpy as np

from guda_ros.augmentation import segments
from guda_ros.augmentation.move_rule import Destination, MoveRule
from guda_ros.augmentation.transforms import Change, Move, wrap

#: Places are drawn among so many that were found free, spread evenly over the free cells.
_PLACES = 50_000
_QUARTER = np.pi / 2


class MazeRule(MoveRule):
    """Take steps to free places of the maze, where they lead along the shortest way or not."""

    kind = 'maze'
    reasons = ('accepted', 'off_way')

    def __init__(self, section, task) -> None:
        """
        Take the keys of the rule.

        turn: `way`, by the multiple of 90 degrees after which the step leads nearest to the
        shortest way from its place; `any` multiple of 90 degrees; `none`. aim: with `none`, how
        many degrees [0, 180] the step may lead off the shortest way.
        """
        self._rotation = section.choice('turn', ('way', 'any', 'none'))
        self._off = np.pi
        if section.has('aim'):
            self._off = np.radians(section.number('aim', 0, 180))
        self._of, self._phases, self._reflect = 'step', task.phases, 0.0
        self._anchor, self._to = (task.actor, 'first'), Destination('field', None, 1.0)
        self._put, self._accept, self._turn, self._aim = {}, {}, (-np.pi, np.pi), None

    def _find(self):
        recorded, task = self.recorded, self.task
        self._segments = segments.steps(recorded, task.movable(recorded))
        rows = self._segments.start
        self._point = recorded.states[rows, :2]
        way = recorded.next_states[rows, :2] - self._point
        self._direction = np.arctan2(way[:, 1], way[:, 0])
        self._places = free_places(task, _PLACES)
        self._ways = task.map.way[tuple(task.map.cells(self._places).T)]

    def _draw(self, choice, number, rng) -> Change:
        """Return the changes of chosen steps, with parameters of shape (number,)."""
        at = rng.integers(0, len(self._places), number)
        place, (way_x, way_y) = self._places[at], self._ways[at].T
        turn = rng.integers(0, 4, number) * _QUARTER
        # Where the task is done any direction will do.
        done = (way_x == 0) & (way_y == 0)
        if self._rotation == 'way':
            off = np.arctan2(way_y, way_x) - self._direction[choice]
            turn = np.where(done, turn, np.round(off / _QUARTER) * _QUARTER)
        elif self._rotation == 'none':
            turn = np.zeros(number)
        move = Move.carry(self._point[choice], place, wrap(turn), np.zeros(number, dtype=bool))
        return Change(self.task.layout, {self.task.actor: move})

    def _object(self, both, first, last):
        """Return (K,) 1 where a step leads too far off the shortest way."""
        states, next_states = both
        objection = np.zeros(len(states), dtype=np.int8)
        if self._off < np.pi:
            to_x, to_y = self.task.map.way[tuple(self.task.map.cells(states[:, :2]).T)].T
            way = next_states[:, :2] - states[:, :2]
            off = wrap(np.arctan2(way[:, 1], way[:, 0]) - np.arctan2(to_y, to_x))
            objection[(np.abs(off) > self._off) & ((to_x != 0) | (to_y != 0))] = 1
        return objection

    def explain(self) -> list[str]:
        """Return sentences that say what the rule will do."""
        turn = {
            'way': 'turns it by the multiple of 90 deg that leads nearest to the shortest way',
            'any': 'turns it by any multiple of 90 deg',
            'none': 'does not turn it',
        }[self._rotation]
        lines = ['takes every step alone to anywhere free in the maze', turn]
        if self._off < np.pi:
            lines.append('accepts only what leads within '
                         f'{np.degrees(self._off):g} deg of the shortest way')
        return lines

    def areas(self, task) -> dict[str, tuple]:
        """Return the boxes ((x low, x high), (y low, y high)) to draw, by what goes there."""
        return {task.actor: task.bounds}


def free_places(task, count: int) -> np.ndarray:
    """Return about `count` places (K, 2) [m] clear of the walls, the same for each call."""
    rng = np.random.default_rng(0)
    cells = task.map.free[rng.integers(0, len(task.map.free), 2 * count)]
    places = task.map.middles(cells)
    places += (rng.random(places.shape) - 0.5) * task.map.scale
    return places[task.map.clearance(places) >= task.radius][:count]
