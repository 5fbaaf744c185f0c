"""
Rules of guides for soccer with a walking robot: pushes, approaches in hindsight, and anything.

The local push direction and the hindsight approach are this project's own; they cover what moves
of whole scenes cannot: an approach from a side that nobody showed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.augmentation.rules.base import parameters_of, Proposal, Rule
from guda_ros.augmentation.rules.destination import read_box
from guda_ros.augmentation.segments import run_ends, run_starts
from guda_ros.augmentation.transforms import Change, Move, scene
from guda_ros.config.files import Section
from guda_ros.data.contract import Contract
from guda_ros.data.transitions import TransitionSet
from guda_ros.soccer import world
from guda_ros.soccer.push_target import push_target

if TYPE_CHECKING:
    from guda_ros.augmentation.task import Box, Task
    from guda_ros.data.contract_base import ContractBase
    from guda_ros.soccer.field import Field
    from guda_ros.soccer.rewards import Game


@dataclass(frozen=True)
class _Placement:
    """
    Where the ball is put in `map`, and how often the scene is mirrored.

    box: of the ball's places. reflect: probability of a mirror. beside_goal: how far [m] before
    the goal a ball is sent first that lies in a corner; 0: all balls go to the goal.
    post_clearance: that straight ways to the goal keep from its posts [m].
    """

    box: Box
    reflect: float
    beside_goal: float
    post_clearance: float | None

    @classmethod
    def read(cls, section: Section) -> _Placement:
        section.refuse('mirror', 'it is called `reflect` now')
        for key, axis in (('ball_x', 'x'), ('ball_y', 'y')):
            section.refuse(key, f'write `to: {{box: {{x: ..., y: ...}}}}` with it as {axis}')
        to = section.section('to')
        box = read_box(to.section('box'))
        to.close()
        placement = cls(
            box,
            section.number('reflect', 0, 1),
            section.number('beside_goal', 0, 100) if section.has('beside_goal') else 0.0,
            section.number('post_clearance', 0, 0.5) if section.has('post_clearance') else None,
        )
        if placement.post_clearance is not None and not placement.beside_goal:
            section.fail('post_clearance', 'means nothing without beside_goal')
        return placement

    def words(self) -> str:
        """Say where."""
        mirrored = f', {self.reflect:.0%} mirrored' if self.reflect else ''
        (a, b), (c, d) = self.box
        return f'x {a:g} to {b:g}, y {c:g} to {d:g} m{mirrored}'

    def draw(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return positions (count, 2) and whether to mirror (count,)."""
        position = np.stack([rng.uniform(*side, count) for side in self.box], axis=1)
        return position, rng.random(count) < self.reflect

    def to_goal(self, position: np.ndarray, contract: ContractBase) -> np.ndarray:
        """Return the directions (count,) [rad] in which balls at (count, 2) are to go."""
        target = _game(contract).goal
        if self.beside_goal:
            field = _field(contract)
            target = push_target(position, field, self.beside_goal, self.post_clearance)
        to_target = target - position
        return np.arctan2(to_target[:, 1], to_target[:, 0])


def _game(contract: ContractBase) -> Game:
    """Return what tells goal and out: a robot's contract, else the field that a contract has."""
    return contract if isinstance(contract, Contract) else _field(contract)


def _field(contract: ContractBase) -> Field:
    # Contracts of all tasks with these rules have one.
    field: Field = contract.field  # type: ignore[attr-defined]
    return field


class PushRule(Rule):
    """
    Turn whole scenes so that the way the ball went from a step on points at the goal.

    The way is *local*: the ball's displacement until it has moved `distance`. Steps that do not
    lead to a push within `max_steps`, or in which the robot stands idle, are left out, and so are
    those that end beside the goal.

    With `intended`, for demonstrators that knew where the goal is and balls that bounce off their
    feet, it is the direction in which the goal lay, of steps whose ball then went there within so
    many degrees.
    """

    kind = 'push'
    reasons = ('accepted', 'ball_out')

    def __init__(self, section: Section, task: Task) -> None:
        """Take the keys of the rule."""
        self._placement = _Placement.read(section)
        self._window = _PushWindow.read(section)
        self._min_action = section.number('min_action', 0, 1)
        self._intended = None
        if section.has('intended'):
            self._intended = np.radians(section.number('intended', 0, 180))

    def _find(self) -> None:
        direction, known, _ = push_directions(self.recorded, self._window)
        if self._intended is not None:
            to_goal = _game(self.recorded.contract).goal - self.recorded.states[:, world.BALL]
            wanted = np.arctan2(to_goal[:, 1], to_goal[:, 0])
            known &= np.abs(world.wrap_angle(direction - wanted)) <= self._intended
            direction = wanted
        self._rows = np.flatnonzero(known & ~idle(self.recorded, self._min_action))
        self._direction = direction[self._rows]

    @property
    def candidates(self) -> int:
        """Number of recorded steps that the rule can use."""
        return len(self._rows)

    def propose(self, count: int, rng: np.random.Generator) -> Proposal:
        """Propose `count` steps."""
        choice = rng.integers(0, len(self._rows), count)
        rows, direction = self._rows[choice], self._direction[choice]
        position, mirrored = self._placement.draw(count, rng)
        # Mirroring first: it turns the way of the ball over, too.
        direction = np.where(mirrored, -direction, direction)
        contract = self.recorded.contract
        angle = self._placement.to_goal(position, contract) - direction
        moved = _move_scenes(self, rows, mirrored, angle, position)
        out = _game(contract).out(moved.both[1][:, world.BALL])
        return replace(moved, rejected=out.astype(np.int8))

    def explain(self) -> list[str]:
        """Return sentences that say what the rule will do."""
        window = self._window
        return [
            f'takes every step from which the ball goes on {window.distance:g} m within '
            f'{window.max_steps} steps',
            f'puts the ball at {self._placement.words()}, the scene with it',
            'turns it until the way of the ball points at the goal'
            if self._intended is None
            else 'turns it until the goal lies where it lay, if the ball went there within '
            f'{np.degrees(self._intended):g} deg',
            'refuses what sends the ball out',
        ]

    def areas(self, task: Task) -> dict[str, Box]:
        """Return the box in which the ball is put."""
        return {'ball': self._placement.box}


class RandomRule(Rule):
    """Move whole scenes anywhere, in any direction: the baseline without guidance."""

    kind = 'random'
    reasons = ('accepted',)

    def __init__(self, section: Section, task: Task) -> None:
        """Take the keys of the rule."""
        self._placement = _Placement.read(section)

    def _find(self) -> None:
        """Every recorded step will do."""

    @property
    def candidates(self) -> int:
        """Number of recorded steps that the rule can use."""
        return len(self.recorded)

    def propose(self, count: int, rng: np.random.Generator) -> Proposal:
        """Propose `count` steps."""
        rows = rng.integers(0, len(self.recorded), count)
        position, mirrored = self._placement.draw(count, rng)
        return _move_scenes(self, rows, mirrored, rng.uniform(-np.pi, np.pi, count), position)

    def explain(self) -> list[str]:
        """Return sentences that say what the rule will do."""
        return [
            'takes every step',
            f'puts the ball at {self._placement.words()}, the scene with it',
            'turns it by any angle',
        ]

    def areas(self, task: Task) -> dict[str, Box]:
        """Return the box in which the ball is put."""
        return {'ball': self._placement.box}


class ApproachRule(Rule):
    """
    Put the ball where the robot was going, in hindsight.

    Robot and ball are independent while they do not touch. A stretch of walking free of contact
    gets a ball at rest and a goal such that its last pose is one from which the demonstrations
    push. Refused where the robot would have walked into the ball, or made a detour.
    """

    kind = 'approach'
    reasons = ('accepted', 'ball_on_path', 'detour')

    def __init__(self, section: Section, task: Task) -> None:
        """Take the keys of the rule."""
        self._placement = _Placement.read(section)
        self._min_steps = section.integer('min_steps', 1, 10000)
        self._max_steps = section.integer('max_steps', self._min_steps, 10000)
        self._contact = section.number('contact', 0, 10)
        self._clearance = section.number('clearance', 0, 10)
        self._max_detour = section.number('max_detour', 1, 100)
        self._onset = section.integer('onset', 0, 100)
        self._window = _PushWindow.read(section, 'max_steps_to_push')
        self._min_action = section.number('min_action', 0, 1)

    def _find(self) -> None:
        recorded = self.recorded
        self._poses = push_poses(recorded, self._window, self._onset)
        distance = np.linalg.norm(
            recorded.states[:, world.BALL] - recorded.states[:, world.ROBOT_POSITION], axis=1
        )
        after = np.linalg.norm(
            recorded.next_states[:, world.BALL] - recorded.next_states[:, world.ROBOT_POSITION],
            axis=1,
        )
        free = (distance > self._contact) & (after > self._contact)
        self._run_start = run_starts(recorded, free)
        length = np.arange(len(recorded)) - self._run_start + 1
        self._ends = np.flatnonzero(
            free & (length >= self._min_steps) & ~idle(recorded, self._min_action)
        )

    @property
    def candidates(self) -> int:
        """Number of recorded steps at which a stretch can end; 0 if no push was seen."""
        return len(self._ends) if len(self._poses) else 0

    def propose(self, count: int, rng: np.random.Generator) -> Proposal:
        """Propose about `count` steps, in whole stretches."""
        recorded = self.recorded
        mean = (self._min_steps + min(self._max_steps, 60)) / 2
        stretches = max(int(count / mean), 1)
        end = self._ends[rng.integers(0, len(self._ends), stretches)]
        longest = np.minimum(end - self._run_start[end] + 1, self._max_steps)
        length = rng.integers(self._min_steps, longest + 1)
        pose = self._poses[rng.integers(0, len(self._poses), stretches)]
        position, mirrored = self._placement.draw(stretches, rng)

        # The ball and the way to push it, relative to the last pose; then everything about that
        # ball.
        last = recorded.next_states[end][:, world.ROBOT]
        direction = last[:, 2] - pose[:, 2]
        ball = last[:, :2] - world.rotate(pose[:, :2], direction)
        objection = self._object(end, length, ball)

        segment = np.repeat(np.arange(stretches), length)
        offset = np.arange(len(segment)) - np.repeat(np.cumsum(length) - length, length)
        rows = (end - length + 1)[segment] + offset
        flip = np.where(mirrored, -1.0, 1.0)
        angle = self._placement.to_goal(position, recorded.contract) - flip * direction
        change = scene(self.task.layout, Move.carry(ball, position, angle, mirrored))
        change = Change(change.layout, change.moves, {'ball': position})
        parameters = parameters_of(change, stretches)
        change = change.take(segment)
        both, actions = self.source.changed(rows, change)
        return Proposal(both, actions, rows, objection[segment], parameters, segment)

    def explain(self) -> list[str]:
        """Return sentences that say what the rule will do."""
        return [
            f'takes stretches of {self._min_steps} to {self._max_steps} steps in which the robot '
            f'is {self._contact:g} m or more from the ball',
            'puts a ball at rest where the last pose is one from which the demonstrations push',
            f'puts that ball at {self._placement.words()}, the scene with it, turned until the '
            'push would go to the goal',
            f'refuses ways nearer than {self._clearance:g} m to the ball, and those longer than '
            f'{self._max_detour:g} times the straight one',
        ]

    def areas(self, task: Task) -> dict[str, Box]:
        """Return the box in which the ball is put."""
        return {'ball': self._placement.box}

    def _object(self, end: np.ndarray, length: np.ndarray, ball: np.ndarray) -> np.ndarray:
        """Return (n,) the reason for which a stretch is refused, 0 if there is none."""
        recorded = self.recorded
        segment = np.repeat(np.arange(len(end)), length)
        offset = np.arange(len(segment)) - np.repeat(np.cumsum(length) - length, length)
        rows = (end - length + 1)[segment] + offset
        before = recorded.states[rows][:, world.ROBOT_POSITION]
        after = recorded.next_states[rows][:, world.ROBOT_POSITION]
        first = np.cumsum(length) - length
        nearest = np.minimum.reduceat(
            np.minimum(
                np.linalg.norm(before - ball[segment], axis=1),
                np.linalg.norm(after - ball[segment], axis=1),
            ),
            first,
        )
        walked = np.add.reduceat(np.linalg.norm(after - before, axis=1), first)
        straight = np.linalg.norm(after[first + length - 1] - before[first], axis=1)
        objection = np.zeros(len(end), dtype=np.int8)
        objection[walked > self._max_detour * straight + 0.1] = 2
        objection[nearest < self._clearance] = 1
        return objection


@dataclass(frozen=True)
class _PushWindow:
    """How far the ball must move, and how soon, for a push direction to be known."""

    distance: float
    min_distance: float
    max_steps: int

    @classmethod
    def read(cls, section: Section, steps_key: str = 'max_steps') -> _PushWindow:
        distance = section.number('distance', 0.01, 100)
        return cls(
            distance,
            section.number('min_distance', 0, distance),
            section.integer(steps_key, 1, 10000),
        )


def push_directions(
    recorded: TransitionSet, window: _PushWindow
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """
    Return the local push direction of recorded steps.

    The direction (M,) [rad, `map`] is that of the ball's displacement from a step until it has
    moved `window.distance`; known (M,) tells where it moved that far, or `min_distance` before the
    recording breaks off, in fewer than `max_steps`; steps (M,) is how long it took.
    """
    count = len(recorded)
    last = run_ends(recorded)
    ahead = np.minimum(np.arange(count)[:, None] + np.arange(window.max_steps), last[:, None])
    # Row k of the ball after step k; displacements are taken from the ball before it.
    after = recorded.next_states[:, world.BALL]
    displacement = after[ahead] - recorded.states[:, None, world.BALL]
    length = np.linalg.norm(displacement, axis=2)
    reached = length >= window.distance
    first = np.where(reached.any(axis=1), reached.argmax(axis=1), window.max_steps - 1)
    row = np.arange(count)
    chosen = displacement[row, first]
    broken_off = last - row < window.max_steps - 1
    known = reached.any(axis=1) | (broken_off & (length[row, first] >= window.min_distance))
    steps = np.minimum(first, last - row) + 1
    return np.arctan2(chosen[:, 1], chosen[:, 0]), known, steps


def push_poses(recorded: TransitionSet, window: _PushWindow, onset: int) -> np.ndarray:
    """
    Return (K, 3) poses of the robot from which it began a push, in the push frame.

    The push frame has its origin at the ball and its x axis along the way that the ball went. A
    pose is taken `onset` steps before a ball at rest begins to move.
    """
    direction, known, _ = push_directions(recorded, window)
    ball, after = recorded.states[:, world.BALL], recorded.next_states[:, world.BALL]
    start, last = run_starts(recorded, np.ones(len(recorded), dtype=bool)), run_ends(recorded)
    row = np.arange(len(recorded))
    # At rest over the half second before; clearly on its way in the half second after. Noise of
    # perception stays below these distances.
    rested = np.linalg.norm(ball[np.maximum(row - 5, start)] - ball, axis=1) < 0.03
    moves = np.linalg.norm(after[np.minimum(row + 5, last)] - ball, axis=1) > 0.05
    begins = rested & moves & (row - start >= 5)
    first = begins & ~np.concatenate([[False], begins[:-1]])
    pose_row = np.maximum(row - onset, start)
    pose = recorded.states[pose_row][:, world.ROBOT]
    position = world.rotate(pose[:, :2] - ball, -direction)
    near = (np.linalg.norm(position, axis=1) < 0.5) & (position[:, 0] < -0.1)
    chosen = first & known & near
    turned = world.wrap_angle(pose[:, 2] - direction)
    return np.concatenate([position, turned[:, None]], axis=1)[chosen]


def idle(recorded: TransitionSet, min_action: float) -> np.ndarray:
    """Tell (M,) in which steps no part of the action reaches `min_action`."""
    return np.abs(recorded.actions).max(axis=1, initial=0.0) < min_action


def _move_scenes(
    rule: Rule, rows: np.ndarray, mirrored: np.ndarray, angle: np.ndarray, position: np.ndarray
) -> Proposal:
    move = Move.carry(rule.recorded.states[rows][:, world.BALL], position, angle, mirrored)
    change = scene(rule.task.layout, move)
    both, actions = rule.source.changed(rows, change)
    return Proposal(
        both, actions, rows, np.zeros(len(rows), dtype=np.int8), parameters_of(change, len(rows))
    )
