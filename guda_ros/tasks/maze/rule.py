"""The rule kind of mazes: steps are taken to free places, along the shortest way or anyhow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from guda_ros.augmentation import segments
from guda_ros.augmentation.rules.segment_rule import SegmentChoice, SegmentRule
from guda_ros.augmentation.transforms import Change, Move
from guda_ros.soccer.world import wrap_angle_fast

if TYPE_CHECKING:
    from guda_ros.augmentation.rules.base import Proposal
    from guda_ros.augmentation.task import Box, Task
    from guda_ros.config.files import Section
    from guda_ros.data.transitions import TransitionSet
    from guda_ros.tasks.maze.task import MazeTask

#: Places are drawn among so many that were found free, spread evenly over the free cells.
_POSITIONS = 50_000
_QUARTER = np.pi / 2


class MazeRule(SegmentRule):
    """Take steps to free places of the maze, where they lead along the shortest way or not."""

    kind = 'maze'

    task: MazeTask

    def __init__(self, section: Section, task: Task) -> None:
        """
        Take the keys of the rule.

        turn: `way`, by the multiple of 90 degrees after which the step leads nearest to the
        shortest way from its place; `any` multiple of 90 degrees; `none`. With `way` there may be
        by: `action` when that is to lead there and not the step itself, which also follows from
        the velocity before. With `none` there may be aim: how many degrees [0, 180] the step may
        lead off the shortest way. Unless it is the action's there may be over: of how many steps,
        this one and those that follow, the common direction counts as its own.
        """
        super().__init__(SegmentChoice('step', task.phases))
        self._rotation = section.choice('turn', ('way', 'any', 'none'))
        self._off, self._over, self._by = np.pi, 1, 'step'
        if self._rotation == 'way' and section.has('by'):
            known = ('step', 'action') if task.layout.action_vectors else ('step',)
            self._by = section.choice('by', known)
        if self._rotation == 'none' and section.has('aim'):
            self._off = np.radians(section.number('aim', 0, 180))
        if self._rotation != 'any' and self._by == 'step' and section.has('over'):
            self._over = section.integer('over', 1, 1000)

    def _find(self) -> None:
        recorded, task = self.recorded, self.task
        self._positions = free_positions(task, _POSITIONS)
        unit_vectors = task.map.directions(self._positions)
        # In the order of their ways, so that those near a direction are neighbours.
        angle = np.arctan2(unit_vectors[:, 1], unit_vectors[:, 0])
        order = np.argsort(angle)
        self._positions, self._angle = self._positions[order], angle[order]
        if self._by == 'action':
            x, y = task.layout.action_vectors[0]
            direction = np.arctan2(recorded.actions[:, y], recorded.actions[:, x])
        else:
            direction = directions(recorded, self._over)
        found = segments.steps(recorded, task.movable(recorded))
        direction = direction[found.start]
        fitting = self._fitting(direction)[1] > 0
        self._segments, self._direction = found.take(fitting), direction[fitting]
        self._point = recorded.states[self._segments.start, :2]

    def _fitting(self, direction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return for directions the first of the places that they may be taken to, how many."""
        if self._off >= np.pi:
            return np.zeros(len(direction), dtype=int), np.full(len(direction), len(self._angle))
        turned = np.concatenate([self._angle, self._angle + 2 * np.pi])
        low = np.mod(direction - self._off + np.pi, 2 * np.pi) - np.pi
        first = np.searchsorted(turned, low)
        return first, np.searchsorted(turned, low + 2 * self._off, side='right') - first

    def _draw(self, choice: np.ndarray, number: int, rng: np.random.Generator) -> Change:
        """Return the changes of chosen steps, with parameters of shape (number,)."""
        direction = self._direction[choice]
        first, count = self._fitting(direction)
        at = (first + rng.integers(0, count)) % len(self._positions)
        turn: np.ndarray = np.zeros(number)
        if self._rotation == 'way':
            turn = np.round((self._angle[at] - direction) / _QUARTER) * _QUARTER
        elif self._rotation == 'any':
            turn = rng.integers(0, 4, number) * _QUARTER
        move = Move.carry(
            self._point[choice],
            self._positions[at],
            wrap_angle_fast(turn),
            np.zeros(number, dtype=bool),
        )
        return Change(self.task.layout, {self.task.actor: move})

    def propose(self, count: int, rng: np.random.Generator) -> Proposal:
        """Propose about `count` steps."""
        made = super().propose(count, rng)
        quarters = np.round(made.parameters[:, 1] / _QUARTER).astype(int)
        self.task.turn_body(made.both, made.actions, quarters)
        return made

    def explain(self) -> list[str]:
        """Return sentences that say what the rule will do."""
        what = 'its action' if self._by == 'action' else 'it'
        over = f', over {self._over} steps,' if self._over > 1 else ''
        turn = {
            'way': f'turns it by the multiple of 90 deg after which {what}{over} leads nearest to '
            'the shortest way',
            'any': 'turns it by any multiple of 90 deg',
            'none': 'does not turn it',
        }[self._rotation]
        lines = ['takes every step alone to anywhere free in the maze', turn]
        if self._off < np.pi:
            lines.append(
                f'takes it only where it{over} leads within {np.degrees(self._off):g} '
                'deg of the shortest way'
            )
        if self._rotation == 'way' or self._off < np.pi:
            lines.append(
                'the shortest way leads back to the middle of the aisle, in the goal '
                'cell to its middle'
            )
        return lines

    def areas(self, task: Task) -> dict[str, Box]:
        """Return the boxes ((x low, x high), (y low, y high)) to draw, by what goes there."""
        return {task.actor: task.bounds}


def directions(recorded: TransitionSet, over: int) -> np.ndarray:
    """Return where (M,) [rad] steps lead, with the `over` - 1 that follow if they are there."""
    whole = segments.runs(recorded, np.ones(len(recorded), dtype=bool))
    rows, segment, _ = whole.expand()
    last = np.minimum(rows + over - 1, whole.last[segment])
    displacement = recorded.next_states[last, :2] - recorded.states[rows, :2]
    return np.arctan2(displacement[:, 1], displacement[:, 0])


def free_positions(task: MazeTask, count: int) -> np.ndarray:
    """Return about `count` positions (K, 2) [m] clear of the walls, the same for each call."""
    rng = np.random.default_rng(0)
    cells = task.map.free[rng.integers(0, len(task.map.free), 2 * count)]
    positions = task.map.middles(cells)
    positions += (rng.random(positions.shape) - 0.5) * task.map.scale
    return positions[task.map.clearance(positions) >= task.radius][:count]
