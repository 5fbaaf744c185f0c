"""
Values of states: that of the object's position, less for the time until it can be moved on.

Both are found in the recording: the values of positions as a map under the task's own
reward, how near the actor comes to a resting object, where it stands when the object begins to
move, and how fast it walks and turns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guda_ros.augmentation.task import Task
from guda_ros.augmentation.values.contact import displacement, gap, rests
from guda_ros.augmentation.values.detour import along_direction, detour_length
from guda_ros.augmentation.values.map import ValueMap
from guda_ros.data.transitions import TransitionSet
from guda_ros.soccer.world import wrap_angle_fast

#: The actor walks that much farther round the object than it ever was near it without touching.
_MARGIN = 1.25
#: Angle [rad] off the line behind the object from which the actor goes straight on.
_ALIGNED = np.radians(15)
#: Shares of the recorded steps that are slower than what counts as the actor's speed.
_WALK, _TURN = 0.8, 0.9


@dataclass(frozen=True)
class Approach:
    """
    How an actor gets to an object.

    clearance [m]: on the path round; rear [m]: behind the object, where it begins to move; speed
    [m/step]; turning [rad/step] and heading [rad], relative to the direction of the object:
    None where headings do not count.
    """

    clearance: float
    rear: float
    speed: float
    turning: float | None
    heading: float | None

    @classmethod
    def find(
        cls, recorded: TransitionSet, task: Task, nearest: float, heading: bool
    ) -> Approach | None:
        """Return what a recording shows; None if its actor does not move."""
        actor, thing = (task.layout.bodies[name] for name in (task.actor, task.object))
        moves = displacement(recorded, actor)
        speed = float(np.quantile(np.hypot(*moves.T), _WALK))
        if speed <= 0:
            return None
        moved = ~rests(task, recorded) & task.movable(recorded)
        rear = float(np.median(gap(task, recorded.states)[moved])) if moved.any() else nearest
        turning = facing = None
        if heading and actor.heading is not None and moved.any():
            yaw, after = recorded.states[:, actor.heading], recorded.next_states[:, actor.heading]
            turning = float(np.quantile(np.abs(wrap_angle_fast(after - yaw)), _TURN)) or None
            x, y = displacement(recorded, thing)[moved].T
            facing = float(np.angle(np.exp(1j * (yaw[moved] - np.arctan2(y, x))).mean()))
        return cls(max(_MARGIN * nearest, rear), rear, speed, turning, facing)

    def steps(self, task: Task, states: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Return how many steps (M,) it takes to where the object is moved along unit vectors."""
        actor, thing = (task.layout.bodies[name] for name in (task.actor, task.object))
        position = states[:, list(actor.position)] - states[:, list(thing.position)]
        steps = (
            detour_length(
                *along_direction(position, direction), self.clearance, _ALIGNED, self.rear
            )
            / self.speed
        )
        if self.turning:
            wanted = np.arctan2(direction[:, 1], direction[:, 0]) + self.heading
            steps = (
                steps + np.abs(wrap_angle_fast(states[:, actor.heading] - wanted)) / self.turning
            )
        return steps


class StateValue:
    """Values of states: as much of the map's as is left when the actor is there."""

    def __init__(
        self, task: Task, positions: ValueMap, discount: float, approach: Approach | None
    ) -> None:
        """Take a map of values, and the discount of the steps that an approach takes."""
        self._task, self._positions = task, positions
        self._discount, self._approach = discount, approach

    @classmethod
    def find(
        cls,
        recorded: TransitionSet,
        task: Task,
        positions: ValueMap,
        discount: float,
        nearest: float,
        heading: bool,
    ) -> StateValue:
        """Find in a recording what a map of values leaves open."""
        approach = None
        if task.object != task.actor:
            approach = Approach.find(recorded, task, nearest, heading)
        return cls(task, positions, discount, approach)

    @property
    def least(self) -> float:
        """Least value that a state can have."""
        return self._positions.least

    def __call__(self, states: np.ndarray) -> np.ndarray:
        """Return the values (M,) of states (M, S)."""
        position = states[:, list(self._task.layout.bodies[self._task.object].position)]
        value = self._positions(position)
        if self._approach is None:
            return value
        # Late counts less than soon, also where rewards are negative.
        steps = self._approach.steps(self._task, states, self._positions.best_direction(position))
        return self.least + (value - self.least) * self._discount**steps
