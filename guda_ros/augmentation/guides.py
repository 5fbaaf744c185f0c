"""
Guides: a few rules that choose, among all moves that the dynamics allow, those that mean progress.

A rule looks at recorded steps once (`prepare`) and then proposes any number of new ones
(`propose`). What the rules do is described in Corrado et al., Guided Data Augmentation for Offline
Reinforcement Learning and Imitation Learning, 2023 (arXiv 2310.18247); the local push direction
and the hindsight approach are this project's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guda_ros.augmentation.transforms import (
    mirror,
    mirror_action,
    mirror_point,
    place_ball,
    rigid_move,
)
from guda_ros.data.datasets import TransitionSet
from guda_ros.soccer import world
from guda_ros.soccer.resources import ConfigError, find_config, load_yaml, Section


@dataclass(frozen=True)
class Proposal:
    """
    Proposed steps.

    states, next_states (M, 10), actions (M, 3); source (M,): the rows of the recorded set.
    rejected (M,) indexes `reasons` of the rule that proposes, 0 where it has no objection. segment
    (M,) numbers the stretches of steps that are accepted or rejected as a whole; None where every
    step stands alone.
    """

    states: np.ndarray
    actions: np.ndarray
    next_states: np.ndarray
    source: np.ndarray
    rejected: np.ndarray
    segment: np.ndarray | None = None


@dataclass(frozen=True)
class _Placement:
    """Where the ball is put in `map`, and how often the scene is mirrored."""

    ball_x: tuple[float, float]
    ball_y: tuple[float, float]
    mirror: float

    @classmethod
    def read(cls, section: Section) -> '_Placement':
        placement = cls(
            section.numbers('ball_x', 2, -100, 100),
            section.numbers('ball_y', 2, -100, 100),
            section.number('mirror', 0, 1),
        )
        for name in ('ball_x', 'ball_y'):
            low, high = getattr(placement, name)
            if low > high:
                raise ConfigError(
                    f'{name}: [{low:g}, {high:g}]: the lower bound is above the upper one'
                )
        return placement

    def draw(self, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return places (count, 2) and whether to mirror (count,)."""
        place = np.stack(
            [rng.uniform(*self.ball_x, count), rng.uniform(*self.ball_y, count)], axis=1
        )
        return place, rng.random(count) < self.mirror


class PushRule:
    """
    Turn whole scenes so that the way the ball went from a step on points at the goal.

    The way is *local*: the ball's displacement until it has moved `distance`. Steps that do not
    lead to a push within `max_steps`, or in which the robot stands idle, are left out, and so are
    those that end beside the goal.
    """

    kind = 'push'
    reasons = ('accepted', 'ball_out')

    def __init__(self, section: Section) -> None:
        self._placement = _Placement.read(section)
        self._window = _PushWindow.read(section)
        self._min_action = section.number('min_action', 0, 1)

    def prepare(self, recorded: TransitionSet) -> 'PushRule':
        """Find the push direction of every recorded step."""
        self._recorded = recorded
        direction, known, _ = push_directions(recorded, self._window)
        self._rows = np.flatnonzero(known & ~idle(recorded, self._min_action))
        self._direction = direction[self._rows]
        return self

    @property
    def candidates(self) -> int:
        """Number of recorded steps that the rule can use."""
        return len(self._rows)

    def propose(self, count: int, rng: np.random.Generator) -> Proposal:
        """Propose `count` steps."""
        choice = rng.integers(0, len(self._rows), count)
        rows, direction = self._rows[choice], self._direction[choice]
        place, mirrored = self._placement.draw(count, rng)
        # Mirroring first: it turns the way of the ball over, too.
        direction = np.where(mirrored, -direction, direction)
        goal = self._recorded.contract.field.goal - place
        angle = np.arctan2(goal[:, 1], goal[:, 0]) - direction
        moved = _move_scenes(self._recorded, rows, mirrored, angle, place)
        return replace(
            moved,
            rejected=self._recorded.contract.field.out(moved.next_states[:, world.BALL]).astype(
                np.int8
            ),
        )


class RandomRule:
    """Move whole scenes anywhere, in any direction: the baseline without guidance."""

    kind = 'random'
    reasons = ('accepted',)

    def __init__(self, section: Section) -> None:
        self._placement = _Placement.read(section)

    def prepare(self, recorded: TransitionSet) -> 'RandomRule':
        """Keep the recorded steps."""
        self._recorded = recorded
        return self

    @property
    def candidates(self) -> int:
        """Number of recorded steps that the rule can use."""
        return len(self._recorded)

    def propose(self, count: int, rng: np.random.Generator) -> Proposal:
        """Propose `count` steps."""
        rows = rng.integers(0, len(self._recorded), count)
        place, mirrored = self._placement.draw(count, rng)
        return _move_scenes(
            self._recorded, rows, mirrored, rng.uniform(-np.pi, np.pi, count), place
        )


class ApproachRule:
    """
    Put the ball where the robot was going, in hindsight.

    Robot and ball are independent while they do not touch. A stretch of walking free of contact
    gets a ball at rest and a goal such that its last pose is one from which the demonstrations
    push. Refused where the robot would have walked into the ball, or made a detour.
    """

    kind = 'approach'
    reasons = ('accepted', 'ball_on_path', 'detour')

    def __init__(self, section: Section) -> None:
        self._placement = _Placement.read(section)
        self._min_steps = section.integer('min_steps', 1, 10000)
        self._max_steps = section.integer('max_steps', self._min_steps, 10000)
        self._contact = section.number('contact', 0, 10)
        self._clearance = section.number('clearance', 0, 10)
        self._max_detour = section.number('max_detour', 1, 100)
        self._onset = section.integer('onset', 0, 100)
        self._window = _PushWindow.read(section, 'max_steps_to_push')
        self._min_action = section.number('min_action', 0, 1)

    def prepare(self, recorded: TransitionSet) -> 'ApproachRule':
        """Find the stretches free of contact and the poses from which the demonstrations push."""
        self._recorded = recorded
        self._poses = push_poses(recorded, self._window, self._onset)
        distance = np.linalg.norm(
            recorded.states[:, world.BALL] - recorded.states[:, world.ROBOT_POSITION], axis=1
        )
        after = np.linalg.norm(
            recorded.next_states[:, world.BALL] - recorded.next_states[:, world.ROBOT_POSITION],
            axis=1,
        )
        free = (distance > self._contact) & (after > self._contact)
        self._run_start = _run_starts(recorded, free)
        length = np.arange(len(recorded)) - self._run_start + 1
        self._ends = np.flatnonzero(
            free & (length >= self._min_steps) & ~idle(recorded, self._min_action)
        )
        return self

    @property
    def candidates(self) -> int:
        """Number of recorded steps at which a stretch can end; 0 if no push was seen."""
        return len(self._ends) if len(self._poses) else 0

    def propose(self, count: int, rng: np.random.Generator) -> Proposal:
        """Propose about `count` steps, in whole stretches."""
        recorded, field = self._recorded, self._recorded.contract.field
        mean = (self._min_steps + min(self._max_steps, 60)) / 2
        stretches = max(int(count / mean), 1)
        end = self._ends[rng.integers(0, len(self._ends), stretches)]
        longest = np.minimum(end - self._run_start[end] + 1, self._max_steps)
        length = rng.integers(self._min_steps, longest + 1)
        pose = self._poses[rng.integers(0, len(self._poses), stretches)]
        place, mirrored = self._placement.draw(stretches, rng)

        # The ball and the way to push it, relative to the last pose; then everything about that
        # ball.
        last = recorded.next_states[end][:, world.ROBOT]
        direction = last[:, 2] - pose[:, 2]
        ball = last[:, :2] - world.rotate(pose[:, :2], direction)
        objection = self._object(end, length, ball)

        segment = np.repeat(np.arange(stretches), length)
        offset = np.arange(len(segment)) - np.repeat(np.cumsum(length) - length, length)
        rows = (end - length + 1)[segment] + offset
        goal = field.goal - place
        flip = np.where(mirrored, -1.0, 1.0)
        angle = (np.arctan2(goal[:, 1], goal[:, 0]) - flip * direction)[segment]
        pivot = mirror_point(ball, mirrored)[segment]
        flipped = mirrored[segment]

        def move(states):
            return rigid_move(
                mirror(place_ball(states, ball[segment]), flipped), angle, pivot, place[segment]
            )

        return Proposal(
            move(recorded.states[rows]),
            mirror_action(recorded.actions[rows], flipped),
            move(recorded.next_states[rows]),
            rows,
            objection[segment],
            segment,
        )

    def _object(self, end, length, ball):
        """Return (n,) the reason for which a stretch is refused, 0 if there is none."""
        recorded = self._recorded
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


RULES = {rule.kind: rule for rule in (PushRule, ApproachRule, RandomRule)}


@dataclass(frozen=True)
class Guide:
    """Named rules and the share of the transitions that each is to make (they add up to one)."""

    name: str
    rules: dict
    shares: dict[str, float]

    @classmethod
    def load(cls, name) -> 'Guide':
        """
        Read a guide by name (config/guides) or path.

        :raises ConfigError: naming file and key of what is wrong.
        """
        path = find_config('guides', name)
        root = Section(load_yaml(path), path)
        title, listed = root.text('name'), root.section('rules')
        rules, shares = {}, {}
        for key, content in listed.rest().items():
            if not isinstance(content, dict):
                raise ConfigError(f'{path}: rules.{key}: a mapping of keys to values is expected')
            section = Section(content, path, f'rules.{key}.')
            kind = section.text('kind')
            if kind not in RULES:
                raise ConfigError(
                    f'{path}: rules.{key}.kind: {kind!r} is unknown; known: {", ".join(RULES)}'
                )
            shares[str(key)] = section.number('share', 0, 1)
            try:
                rules[str(key)] = RULES[kind](section)
            except ConfigError as error:
                if str(path) in str(error):
                    raise
                raise ConfigError(f'{path}: rules.{key}.{error}') from error
            section.close()
        root.close()
        if not rules:
            raise ConfigError(f'{path}: rules: at least one rule is needed')
        if abs(sum(shares.values()) - 1.0) > 1e-6:
            raise ConfigError(
                f'{path}: rules: the shares add up to {sum(shares.values()):g}, not to 1'
            )
        return cls(title, rules, shares)


@dataclass(frozen=True)
class _PushWindow:
    """How far the ball must move, and how soon, for a push direction to be known."""

    distance: float
    min_distance: float
    max_steps: int

    @classmethod
    def read(cls, section: Section, steps_key: str = 'max_steps') -> '_PushWindow':
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
    last = _run_ends(recorded)
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
    start, last = _run_starts(recorded, np.ones(len(recorded), dtype=bool)), _run_ends(recorded)
    row = np.arange(len(recorded))
    # At rest over the half second before; clearly on its way in the half second after. Noise of
    # perception stays below these distances.
    rested = np.linalg.norm(ball[np.maximum(row - 5, start)] - ball, axis=1) < 0.03
    moves = np.linalg.norm(after[np.minimum(row + 5, last)] - ball, axis=1) > 0.05
    begins = rested & moves & (row - start >= 5)
    first = begins & ~np.concatenate([[False], begins[:-1]])
    pose_row = np.maximum(row - onset, start)
    pose = recorded.states[pose_row][:, world.ROBOT]
    place = world.rotate(pose[:, :2] - ball, -direction)
    near = (np.linalg.norm(place, axis=1) < 0.5) & (place[:, 0] < -0.1)
    chosen = first & known & near
    turned = world.wrap_angle(pose[:, 2] - direction)
    return np.concatenate([place, turned[:, None]], axis=1)[chosen]


def idle(recorded: TransitionSet, min_action: float) -> np.ndarray:
    """Tell (M,) in which steps no part of the action reaches `min_action`."""
    return np.abs(recorded.actions).max(axis=1, initial=0.0) < min_action


def _breaks(recorded):
    """Tell (M,) which steps do not continue the one before."""
    follows = (np.diff(recorded.source_episode) == 0) & (np.diff(recorded.source_step) == 1)
    return np.concatenate([[True], ~follows])[: len(recorded)]


def _run_starts(recorded, member):
    """Return (M,) the first row of the run of consecutive steps in `member` of every row."""
    begins = _breaks(recorded) | ~np.concatenate([[False], member[:-1]])[: len(member)]
    return np.maximum.accumulate(np.where(begins, np.arange(len(member)), 0))


def _run_ends(recorded):
    """Return (M,) the last row of the run of consecutive steps that a row belongs to."""
    count = len(recorded)
    ends = np.concatenate([_breaks(recorded)[1:], [True]])[:count]
    return np.minimum.accumulate(np.where(ends, np.arange(count), count)[::-1])[::-1]


def _move_scenes(recorded, rows, mirrored, angle, place):
    states, next_states = (
        mirror(recorded.states[rows], mirrored),
        mirror(recorded.next_states[rows], mirrored),
    )
    pivot = states[:, world.BALL]
    return Proposal(
        rigid_move(states, angle, pivot, place),
        mirror_action(recorded.actions[rows], mirrored),
        rigid_move(next_states, angle, pivot, place),
        rows,
        np.zeros(len(rows), dtype=np.int8),
    )
