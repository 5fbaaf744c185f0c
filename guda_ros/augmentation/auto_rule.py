"""
The rule that writes itself: of the recorded stretches that could follow a state, the best one.

A state is drawn anywhere on the field. While the object rests, actor and object are independent
and any recorded stretch can begin there, turned until the heading fits: of some of them the one is
kept whose rewards and whose end are worth most, so that every state shows its best action and none
is preferred to another. Stretches that move the object are taken anywhere as a whole, and of some
directions the one is kept with most progress: worth of its end above that of its beginning. What
states are worth is fitted beforehand to the same moves, without choosing, under the task's own
reward.
"""

from __future__ import annotations

import numpy as np

from guda_ros.augmentation.contact import gap, nearest_apart, rests
from guda_ros.augmentation.rules import parameters_of, Proposal, Rule, take_rows
from guda_ros.augmentation.segments import fixed
from guda_ros.augmentation.task import Task
from guda_ros.augmentation.transforms import Change, Move, wrap
from guda_ros.augmentation.values import describe, fit_object_values, fit_values, OBJECT, Outcomes
from guda_ros.soccer.resources import Section

#: Stretches that can follow a state, in fitting values, and share of objects put in the goal.
_FOLLOWING = 6
_IN_GOAL = 0.1
#: Share of actors that are put the more densely the nearer to the object.
_BESIDE = 0.5
#: States with a moving object for every state with a resting one.
_MOVING = 0.3


class AutoRule(Rule):
    """Show of every state the best of the recorded stretches that could follow it."""

    kind = 'auto'
    reasons = ('accepted', 'too_near', 'no_progress')

    def __init__(self, section: Section, task: type[Task]) -> None:
        """Take the keys of the rule; docs/auto_guide.md explains each."""
        self._steps = section.integer('steps', 1, 1000)
        self._tries = section.integer('tries', 1, 1000)
        self._ahead = section.integers('ahead', 1, 1000)
        if not self._ahead:
            section.fail('ahead', 'at least one length is needed')
        self._discount = section.number('discount', 0, 0.9999)
        self._states = section.integer('states', 100, 10**6)
        self._looks = section.integer('looks', 1, 10000)
        self._turn = section.choice('turn', ('any', 'none'))
        self._heading = section.choice('heading', ('counts', 'free')) == 'counts'
        self._reflect = section.number('reflect', 0, 1)
        self._progress = section.number('progress') if section.has('progress') else -np.inf

    def _find(self):
        recorded, task = self.recorded, self.task
        self._nearest = nearest_apart(task, recorded)
        self._in_goal = 0.0
        if 'in_goal' in task.phases:
            self._in_goal = np.mean(task.phase(recorded) == task.phases.index('in_goal'))
        self._apart, self._moving = self._sources(self._steps)
        self._values = self._learn() if self.candidates else None

    def _sources(self, steps):
        """Return the stretches in which the object rests, and the others."""
        movable = self.task.movable(self.recorded)
        apart = fixed(self.recorded, movable & rests(self.task, self.recorded), steps)
        every = fixed(self.recorded, movable, steps)
        return apart, every.take(~np.isin(every.start, apart.start))

    def _learn(self):
        rng = np.random.default_rng(0)
        lengths = [
            length for length in self._ahead if any(len(part) for part in self._sources(length))
        ] or [self._steps]
        states = max(self._states // len(lengths), 1)
        parts = []
        for ahead in lengths:
            apart, moving = self._sources(ahead)
            if len(apart):
                in_goal = max(self._in_goal, _IN_GOAL)
                tried = self._try(apart, ahead, states, _FOLLOWING, in_goal, rng)
                parts.append(tried.outcomes())
            if len(moving):
                count = round(states * _MOVING) + 1 if len(apart) else states
                parts.append(self._try(moving, ahead, count, 1, None, rng).outcomes())
        value = fit_values(parts, self._looks)
        return value, fit_object_values(parts, value)

    @property
    def candidates(self) -> int:
        """Number of recorded stretches that the rule can use."""
        return len(self._apart) + len(self._moving)

    def propose(self, count: int, rng: np.random.Generator) -> Proposal:
        """Propose about `count` steps, in whole stretches."""
        number = max(count // self._steps, 1)
        moving = round(number * len(self._moving) / self.candidates)
        tried = []
        if number > moving:
            tried.append(self._try(
                self._apart, self._steps, number - moving, self._tries, self._in_goal, rng
            ))
        if moving:
            tried.append(self._try(self._moving, self._steps, moving, self._tries, None, rng))
        parts = [one.choose(*self._values, self._progress) for one in tried]
        both, *others = zip(*parts)
        actions, rows, objection, parameters = (np.concatenate(part) for part in others)
        # In any order: what takes only the first of them takes some of both kinds.
        order = rng.permutation(len(objection))
        shuffled = (order[:, None] * self._steps + np.arange(self._steps)).ravel()
        segment = np.repeat(np.arange(len(order)), self._steps)
        return Proposal(
            take_rows(np.concatenate(both, axis=1), shuffled), actions[shuffled], rows[shuffled],
            objection[order][segment], parameters[order], segment,
        )

    def _try(self, sources, steps, count, tries, in_goal, rng):
        """Draw `count` states and for each `tries` stretches of `steps` that begin there."""
        if in_goal is None:
            chosen, change = self._draw_whole(sources, count, tries, rng)
        else:
            chosen, change = self._draw_apart(sources, count, tries, in_goal, rng)
        rows, segment, _ = chosen.expand()
        spread = change.take(segment)
        both, actions = self.source.take(rows)
        both, actions = spread.states(both), spread.actions(actions)
        too_near = np.zeros(len(chosen), dtype=bool)
        if in_goal is not None and self.task.object != self.task.actor:
            near = np.minimum(gap(self.task, both[0]), gap(self.task, both[1]))
            too_near = near.reshape(-1, steps).min(axis=1) < self._nearest
        return _Tried(
            self.task, self._discount, self._heading, steps, tries, rows, change, both, actions,
            too_near, whole=in_goal is None,
        )

    def _draw_apart(self, sources, count, tries, in_goal, rng):
        """Draw states with a resting object: place and heading of the actor, and the object's."""
        task = self.task
        body = task.layout.bodies[task.actor]
        chosen = sources.take(rng.integers(0, len(sources), count * tries))
        begin = self.recorded.states[chosen.start]
        mirrored = rng.random(len(chosen)) < self._reflect
        angle = self._angles(len(chosen), rng)
        if body.heading is not None and self._turn == 'any':
            heading = np.repeat(self._angles(count, rng), tries)
            angle = wrap(heading - np.where(mirrored, -1, 1) * begin[:, body.heading])
        place, put = _draw(task.bounds, count, rng), {}
        if task.object != task.actor:
            inside = rng.random((count, 1)) < in_goal
            at = np.where(inside, _draw(task.mouth, count, rng), _draw(task.bounds, count, rng))
            put = {task.object: np.repeat(at, tries, axis=0)}
            near = at + self._around(count, rng)
            low, high = np.transpose(task.bounds)
            beside = (rng.random(count) < _BESIDE) & ((near > low) & (near < high)).all(axis=1)
            place = np.where(beside[:, None], near, place)
        move = Move.carry(
            begin[:, list(body.position)], np.repeat(place, tries, axis=0), angle, mirrored
        )
        return chosen, Change(task.layout, dict.fromkeys(task.layout.bodies, move), put)

    def _draw_whole(self, sources, count, tries, rng):
        """Draw places of the object and stretches that move it, in several directions each."""
        task = self.task
        body = task.layout.bodies[task.object]
        chosen = sources.take(np.repeat(rng.integers(0, len(sources), count), tries))
        point = self.recorded.states[chosen.start][:, list(body.position)]
        mirrored = rng.random(len(chosen)) < self._reflect
        place = np.repeat(_draw(task.bounds, count, rng), tries, axis=0)
        move = Move.carry(point, place, self._angles(len(chosen), rng), mirrored)
        return chosen, Change(task.layout, dict.fromkeys(task.layout.bodies, move))

    def _around(self, count, rng):
        """Return ways (count, 2) [m] of any direction, the shorter the more of them."""
        nearest = max(self._nearest, 1e-2)
        farthest = max(nearest, *(high - low for low, high in self.task.bounds))
        far = nearest * (farthest / nearest) ** rng.random(count)
        angle = rng.uniform(-np.pi, np.pi, count)
        return np.stack([far * np.cos(angle), far * np.sin(angle)], axis=1)

    def _angles(self, count, rng):
        return rng.uniform(-np.pi, np.pi, count) if self._turn == 'any' else np.zeros(count)

    def explain(self) -> list[str]:
        """Return sentences that say what the rule will do."""
        return [
            f'draws states anywhere on the field; takes stretches of {self._steps} steps there'
            + (', turned by any angle' if self._turn == 'any' else '')
            + (f', {self._reflect:.0%} mirrored' if self._reflect else ''),
            'puts actor and object apart where the object rests; moves the whole scene otherwise',
            f'keeps of every {self._tries} the one that is worth most under the reward of the '
            f'task (discount {self._discount:g}), by values fitted to {self._states} states',
        ]

    def areas(self, task: Task) -> dict[str, tuple]:
        """Return the field."""
        return {task.actor: task.bounds}


class _Tried:
    """Stretches that were tried, `tries` in a row for the same state or the same scene."""

    def __init__(
        self, task, discount, heading, steps, tries, rows, change, both, actions, too_near, whole
    ) -> None:
        self._whole = whole
        self._task, self._heading, self._steps, self._tries = task, heading, steps, tries
        self._rows, self._change, self._too_near = rows, change, too_near
        self._both, self._actions = both, actions
        states, next_states = both
        rewards = task.reward(states, actions, next_states).reshape(-1, steps)
        over = task.terminated(next_states).reshape(-1, steps)
        # What comes after an end does not count.
        alive = np.cumsum(over, axis=1) - over == 0
        self._earned = (rewards * alive) @ discount ** np.arange(steps)
        self._goes_on = np.where(over.any(axis=1), 0.0, discount**steps)
        wrong = task.check(states, actions, next_states).reshape(-1, steps).any(axis=1)
        self._possible = ~(wrong | too_near)

    def outcomes(self) -> Outcomes:
        """Return what follows the states, for fitting values."""
        shape = (-1, self._tries)
        begins, ends = self._described()
        return Outcomes(
            begins.reshape(*shape, begins.shape[1]), ends.reshape(*shape, ends.shape[1]),
            np.where(self._possible, self._earned, -np.inf).reshape(shape),
            self._goes_on.reshape(shape),
        )

    def _described(self):
        states, next_states = self._both
        ends = next_states[self._steps - 1 :: self._steps]
        return tuple(
            describe(self._task, part, self._heading) for part in (states[:: self._steps], ends)
        )

    def choose(self, value, of_object, progress):
        """Return the columns of the best of every `tries`, as parts of a Proposal."""
        begins, ends = self._described()
        if self._whole:
            # These begin in different states: what counts is what becomes of the object.
            value, begins, ends = of_object, begins[:, :OBJECT], ends[:, :OBJECT]
        gain = self._earned + self._goes_on * value(ends) - value(begins)
        gain[~self._possible] = -np.inf
        best = gain.reshape(-1, self._tries).argmax(axis=1)
        best += np.arange(len(best)) * self._tries
        steps = (best[:, None] * self._steps + np.arange(self._steps)).ravel()
        # Where a step more would touch the object, what is best may be just that.
        near = self._too_near.reshape(-1, self._tries).any(axis=1)
        objection = np.where(near, 1, 2 * (self._possible[best] & (gain[best] < progress)))
        return (
            take_rows(self._both, steps), take_rows(self._actions, steps), self._rows[steps],
            objection.astype(np.int8), parameters_of(self._change.take(best), len(best)),
        )


def _draw(box, count, rng):
    """Return places (count, 2) in a box ((x low, x high), (y low, y high)) [m]."""
    return np.stack([rng.uniform(*side, count) for side in box], axis=1)
