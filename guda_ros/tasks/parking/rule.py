"""The rule kind of parking: whole drives that end at a spot, or anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from guda_ros.augmentation.rules.destination import Destination
from guda_ros.augmentation.rules.segment_rule import SegmentChoice, SegmentRule
from guda_ros.augmentation.transforms import Change, Move
from guda_ros.soccer.world import wrap_angle_fast
from guda_ros.tasks.parking import world

if TYPE_CHECKING:
    from guda_ros.augmentation.task import Box, Task
    from guda_ros.config.files import Section

_ANYWHERE = Destination('field', None, 1.0)


class ParkRule(SegmentRule):
    """Relabel the goal as a random spot and take the drive there, or anywhere."""

    kind = 'park'

    def __init__(self, section: Section, task: type[Task]) -> None:
        """
        Take the keys of the rule.

        segments: as of the rule `move`. end: `spot`, where the last pose is put at the goal, give
        or take `spread` degrees of heading; or `anywhere`, at any place and heading. reflect:
        probability of a mirror.
        """
        super().__init__(SegmentChoice.read(section.section('segments'), task))
        self._at_spot = section.choice('end', ('spot', 'anywhere')) == 'spot'
        self._spread = np.radians(section.number('spread', 0, 180)) if self._at_spot else np.pi
        self._reflect = section.number('reflect', 0, 1) if section.has('reflect') else 0.0

    def _find(self) -> None:
        recorded, task = self.recorded, self.task
        phase, phases = task.phase(recorded), self._taken.phases
        wanted = np.isin(phase, [task.phases.index(name) for name in phases])
        wanted &= task.movable(recorded)
        self._segments = self._taken.find(recorded, phase, wanted, keep_last=True)

    def _draw(self, choice: np.ndarray, number: int, rng: np.random.Generator) -> Change:
        """Return the changes of chosen segments, with parameters of shape (number,)."""
        ends = self.recorded.next_states[self._segments.last[choice]]
        mirrored = rng.random(number) < self._reflect
        sign = 1.0 - 2.0 * mirrored
        spot = world.spots()[rng.integers(0, len(world.spots()), number)]
        position = spot[:, :2] if self._at_spot else _ANYWHERE.draw(number, self.task, rng)
        heading = spot[:, 2] if self._at_spot else 0.0
        heading = heading + rng.uniform(-self._spread, self._spread, number)
        turn = wrap_angle_fast(heading - sign * ends[:, world.YAW])
        goal_turn = wrap_angle_fast(spot[:, 2] - sign * ends[:, world.GOAL_YAW])
        return Change(
            self.task.layout,
            {
                'car': Move.carry(ends[:, world.CAR], position, turn, mirrored),
                'goal': Move.carry(ends[:, world.GOAL], spot[:, :2], goal_turn, mirrored),
            },
        )

    def explain(self) -> list[str]:
        """Return sentences that say what the rule will do."""
        lines = [
            f'takes {self._taken.words()}',
            'relabels the goal as a spot drawn at random',
        ]
        if self._at_spot:
            lines.append(
                'puts the last pose of the car there, give or take '
                f'{np.degrees(self._spread):g} deg'
            )
        else:
            lines.append('puts the last pose of the car anywhere, at any heading')
        if self._reflect:
            lines.append(f'mirrors {self._reflect:.0%}')
        return lines

    def areas(self, task: Task) -> dict[str, Box]:
        """Return the boxes ((x low, x high), (y low, y high)) to draw, by what goes there."""
        return {'goal': task.mouth, 'car': task.mouth if self._at_spot else task.bounds}
