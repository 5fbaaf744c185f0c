"""
Rules of the paper's soccer task: walk round the ball to a place behind it, then push it on.

The paper's own rules (arXiv 2310.18247) leave robots that begin on the goal's side of the ball
without an example: per transition they walk straight to it, and whole trajectories show the few
ways that were recorded. These here are this project's.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.augmentation.rules.base import parameters_of, Proposal, Rule
from guda_ros.augmentation.rules.sampling import put_near
from guda_ros.augmentation.task import Box, Task
from guda_ros.augmentation.transforms import Change, Move, scene
from guda_ros.augmentation.values.contact import displacement, rests
from guda_ros.augmentation.values.detour import along_direction, detour_direction
from guda_ros.config.files import Section
from guda_ros.soccer.push_target import push_target

if TYPE_CHECKING:
    from guda_ros.tasks.push_ball.task import PushBallToGoal

#: Clearances that a robot is away at most that is put near the ball.
_FARTHEST = 20.0


class _DisplacementRule(Rule):
    """Single steps in which a body went some way, turned to the way that it should go."""

    reasons = ('accepted',)
    task: PushBallToGoal

    def __init__(self, section: Section, task: type[Task]) -> None:
        """Take the keys of the rule; config/guides/push_ball_guided.yaml explains each."""
        self._fastest = section.number('fastest', 0.01, 1)
        self._reflect = section.number('reflect', 0, 1)
        self._beside = section.number('beside_goal', 0, 100)
        self._clear = section.number('post_clearance', 0, 100)

    @property
    @abstractmethod
    def _body(self) -> str:
        """Name of the body whose way counts."""

    @abstractmethod
    def _fitting(self) -> np.ndarray:
        """Tell (M,) which recorded steps can be used, however slow."""

    def _find(self) -> None:
        recorded = self.recorded
        fits = self._fitting() & self.task.movable(recorded)
        moved = displacement(recorded, self.task.layout.bodies[self._body])
        length = np.hypot(moved[:, 0], moved[:, 1])
        rows = np.flatnonzero(fits & (length > 0))
        if len(rows):
            rows = rows[length[rows] >= np.quantile(length[rows], 1 - self._fastest)]
        self._rows, self._direction = rows, np.arctan2(moved[rows, 1], moved[rows, 0])

    @property
    def candidates(self) -> int:
        """Number of recorded steps that the rule can use."""
        return len(self._rows)

    def _taken(self) -> str:
        if self._fastest == 1:
            return 'all steps'
        return f'the fastest {self._fastest:.0%} of the steps'

    def _turned(
        self, count: int, wanted: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rows (count,), whether mirrored, and the turn that sends them `wanted` [rad]."""
        choice = rng.integers(0, len(self._rows), count)
        mirrored = rng.random(count) < self._reflect
        direction = np.where(mirrored, -1.0, 1.0) * self._direction[choice]
        return self._rows[choice], mirrored, wanted - direction

    def _push_direction(self, ball: np.ndarray) -> np.ndarray:
        """Return the ways (count, 2), of length 1, that balls at (count, 2) are to go."""
        moved = push_target(ball, self.task.contract, self._beside, self._clear) - ball
        return moved / np.maximum(np.hypot(moved[:, :1], moved[:, 1:]), 1e-9)

    def _steps(self, change: Change, rows: np.ndarray) -> Proposal:
        both, actions = self.source.changed(rows, change)
        return Proposal(
            both,
            actions,
            rows,
            np.zeros(len(rows), dtype=np.int8),
            parameters_of(change, len(rows)),
        )


class WalkRule(_DisplacementRule):
    """Put robot and ball anywhere; the step leads round the ball, to where to push it from."""

    kind = 'walk'

    def __init__(self, section: Section, task: type[Task]) -> None:
        """Take the keys of the rule."""
        super().__init__(section, task)
        self._clearance = section.number('clearance', 0.01, 10)
        self._aligned = np.radians(section.number('aligned', 0, 90))
        self._near = section.number('near', 0, 1)

    @property
    def _body(self) -> str:
        return self.task.actor

    def _fitting(self) -> np.ndarray:
        return rests(self.task, self.recorded)

    def propose(self, count: int, rng: np.random.Generator) -> Proposal:
        """Propose `count` steps."""
        task = self.task
        (left, right), (low, high) = task.bounds
        ball = rng.uniform((left, low), (right, high), (count, 2))
        robot = rng.uniform((left, low), (right, high), (count, 2))
        robot = put_near(robot, ball, self._near, self._clearance, _FARTHEST, task.bounds, rng)
        push = self._push_direction(ball)
        wanted = np.arctan2(push[:, 1], push[:, 0]) + detour_direction(
            *along_direction(robot - ball, push), self._clearance, self._aligned
        )
        rows, mirrored, turn = self._turned(count, wanted, rng)
        columns = list(task.layout.bodies[task.actor].position)
        move = Move.carry(self.recorded.states[rows][:, columns], robot, turn, mirrored)
        return self._steps(
            Change(task.layout, dict.fromkeys(task.layout.bodies, move), {task.object: ball}), rows
        )

    def explain(self) -> list[str]:
        """Return sentences that say what the rule will do."""
        return [
            f'takes {self._taken()} in which the ball rests',
            'puts robot and ball anywhere on the field, apart'
            + (f', {self._near:.0%} near each other' if self._near else '')
            + (f', {self._reflect:.0%} mirrored' if self._reflect else ''),
            f'turns the step to the shortest way, {self._clearance:g} m round the ball, to behind '
            f'it, and to the ball itself from within {np.degrees(self._aligned):g} degrees',
        ]

    def areas(self, task: Task) -> dict[str, Box]:
        """Return the field."""
        return dict.fromkeys(task.layout.bodies, task.bounds)


class PushOnRule(_DisplacementRule):
    """Put scenes in which the ball moves anywhere, turned so that it moves on to the goal."""

    kind = 'push_on'

    @property
    def _body(self) -> str:
        return self.task.object

    def _fitting(self) -> np.ndarray:
        return ~rests(self.task, self.recorded)

    def propose(self, count: int, rng: np.random.Generator) -> Proposal:
        """Propose `count` steps."""
        task = self.task
        (left, right), (low, high) = task.bounds
        ball = rng.uniform((left, low), (right, high), (count, 2))
        push = self._push_direction(ball)
        rows, mirrored, turn = self._turned(count, np.arctan2(push[:, 1], push[:, 0]), rng)
        columns = list(task.layout.bodies[task.object].position)
        move = Move.carry(self.recorded.states[rows][:, columns], ball, turn, mirrored)
        return self._steps(scene(task.layout, move), rows)

    def explain(self) -> list[str]:
        """Return sentences that say what the rule will do."""
        return [
            f'takes {self._taken()} in which the ball moves',
            'puts the ball anywhere on the field, the scene with it'
            + (f', {self._reflect:.0%} mirrored' if self._reflect else ''),
            'turns it until the ball moves to the goal, or from a corner to before it',
        ]

    def areas(self, task: Task) -> dict[str, Box]:
        """Return the field."""
        return {task.object: task.bounds}
