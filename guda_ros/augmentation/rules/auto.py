"""
The rule that writes itself: of the recorded stretches that could follow a state, the best one.

A state is drawn anywhere on the field. While the object rests, actor and object are independent
and any recorded stretch can begin there, turned until the heading fits: of some of them the one is
kept whose rewards and whose end are worth most, so that every state shows its best action and none
is preferred to another. Long stretches of a walk rarely fit a state; in hindsight each is put
where, of some states, it helped most. Stretches that move the object are taken anywhere as a
whole, and of some directions the best one is kept. The values of states
guda_ros.augmentation.values.states finds in the recording under the task's own reward.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from guda_ros.augmentation.rules.base import parameters_of, Proposal, Rule
from guda_ros.augmentation.rules.sampling import put_near
from guda_ros.augmentation.rules.source import take_rows
from guda_ros.augmentation.segments import fixed
from guda_ros.augmentation.task import Box, Task
from guda_ros.augmentation.transforms import Change, Move
from guda_ros.augmentation.values.contact import gap, nearest_apart, rests
from guda_ros.augmentation.values.map import Grid, Moves, ValueMap
from guda_ros.augmentation.values.states import StateValue
from guda_ros.config.files import Section
from guda_ros.soccer.world import wrap_angle_fast

if TYPE_CHECKING:
    from guda_ros.augmentation.segments import Segments

#: Spacing of the map of values [m], and stretches of every length that are tried at a point of it.
_SPACING, _AT_A_POINT = 0.15, 40
#: Steps of stretches that are moved at once for the map, to bound the memory.
_ROWS = 200_000
#: Share of actors that are put the more densely the nearer to the object.
_BESIDE = 0.5
#: Least share of stretches that move the object, of which recordings have few.
_MOVING = 0.2


class AutoRule(Rule):
    """Show of every state the best of the recorded stretches that could follow it."""

    kind = 'auto'
    reasons = ('accepted', 'too_near')

    def __init__(self, section: Section, task: type[Task]) -> None:
        """Take the keys of the rule; docs/auto_guide.md explains each."""
        self._steps = section.integer('steps', 1, 1000)
        self._tries = section.integer('tries', 1, 1000)
        self._ahead = section.integers('ahead', 1, 1000)
        if not self._ahead:
            section.fail('ahead', 'at least one length is needed')
        self._discount = section.number('discount', 0, 0.9999)
        self._turn = section.choice('turn', ('any', 'none'))
        self._heading = section.choice('heading', ('counts', 'free')) == 'counts'
        self._reflect = section.number('reflect', 0, 1)
        self._hindsight = section.number('hindsight', 0, 1) if section.has('hindsight') else 0.0

    def _find(self) -> None:
        recorded, task = self.recorded, self.task
        self._nearest = nearest_apart(task, recorded)
        self._in_goal = 0.0
        if 'in_goal' in task.phases:
            self._in_goal = np.mean(task.phase(recorded) == task.phases.index('in_goal'))
        self._apart, self._moving = self._sources(self._steps)
        self._value_map = self._state_value = None
        if self.candidates:
            self._value_map = self._map()
            self._state_value = StateValue.find(
                recorded, task, self._value_map, self._discount, self._nearest, self._heading
            )

    @property
    def value_map(self) -> ValueMap | None:
        """Values of the positions of the object."""
        return self._value_map

    def _sources(self, steps: int) -> tuple[Segments, Segments]:
        """Return the stretches in which the object rests, and the others."""
        movable = self.task.movable(self.recorded)
        apart = fixed(self.recorded, movable & rests(self.task, self.recorded), steps)
        every = fixed(self.recorded, movable, steps)
        return apart, every.take(~np.isin(every.start, apart.start))

    def _map(self) -> ValueMap:
        """Return the values of positions of the object, as far as the recording can move it."""
        task = self.task
        rng = np.random.default_rng(0)
        x, y = (
            (min(field[0], goal[0]), max(field[1], goal[1]))
            for field, goal in zip(task.bounds, task.mouth)
        )
        grid = Grid((x, y), _SPACING)
        alone = task.object == task.actor
        parts, moves = [], False
        for length in self._ahead:
            apart, moving = self._sources(length)
            # What acts alone moves itself; what is moved can also be left where it is.
            for sources, whole, tries in (
                (apart if alone else moving, True, _AT_A_POINT),
                (apart, False, 2),
            ):
                if len(sources) and (whole or not alone):
                    parts.append(self._moves(grid, sources, length, tries, whole, rng))
                    moves |= whole
        moving = self._apart if alone else self._moving
        if not moves:
            # All that moves the object is shorter than these lengths; `steps` is what there is.
            whole = len(moving) > 0
            parts.append(
                self._moves(
                    grid, moving if whole else self._apart, self._steps, _AT_A_POINT, whole, rng
                )
            )
        moved = np.hypot(*np.moveaxis(parts[0].ends - grid.points[:, None], -1, 0))
        reach = max(_SPACING, float(np.median(moved)))
        return ValueMap.solve(
            grid,
            Moves(
                *(
                    np.concatenate([getattr(part, name) for part in parts], axis=1)
                    for name in ('ends', 'earned', 'goes_on')
                )
            ),
            reach,
        )

    def _moves(
        self,
        grid: Grid,
        sources: Segments,
        steps: int,
        tries: int,
        whole: bool,
        rng: np.random.Generator,
    ) -> Moves:
        """Return what `tries` stretches of `steps` make of the object at every point of a grid."""
        place = list(self.task.layout.bodies[self.task.object].position)
        parts = []
        at_once = max(_ROWS // (steps * tries), 1)
        for begin in range(0, len(grid.points), at_once):
            at = grid.points[begin : begin + at_once]
            if whole:
                chosen = sources.take(rng.integers(0, len(sources), len(at) * tries))
                change = self._whole_change(chosen, np.repeat(at, tries, axis=0), rng)
            else:
                chosen, change = self._apart_change(sources, at, tries, rng)
            tried = self._tried(chosen, change, steps, tries, apart=not whole)
            ends = tried.both[1][steps - 1 :: steps][:, place]
            parts.append(
                (
                    ends.reshape(len(at), tries, 2),
                    np.where(tried.possible, tried.earned, -np.inf).reshape(len(at), tries),
                    tried.goes_on.reshape(len(at), tries),
                )
            )
        return Moves(*map(np.concatenate, zip(*parts)))

    @property
    def candidates(self) -> int:
        """Number of recorded stretches that the rule can use."""
        return len(self._apart) + len(self._moving)

    def propose(self, count: int, rng: np.random.Generator) -> Proposal:
        """Propose about `count` steps, in whole stretches."""
        number = max(count // self._steps, 1)
        moving = 0
        if len(self._moving):
            share = max(len(self._moving) / self.candidates, _MOVING)
            moving = round(number * share) if len(self._apart) else number
        looking_back = round((number - moving) * self._hindsight)
        tried = []
        for count, states in ((looking_back, True), (number - moving - looking_back, False)):
            if count:
                at = self._draw_positions(count, self._tries if states else 1, rng)
                chosen, change = self._apart_change(self._apart, at, self._tries, rng, states)
                tried.append(
                    self._tried(
                        chosen, change, self._steps, self._tries, apart=True, relative=states
                    )
                )
        if moving:
            chosen = self._moving.take(
                np.repeat(rng.integers(0, len(self._moving), moving), self._tries)
            )
            at = np.repeat(_draw(self.task.bounds, moving, rng), self._tries, axis=0)
            change = self._whole_change(chosen, at, rng)
            tried.append(self._tried(chosen, change, self._steps, self._tries, apart=False))
        value = self._state_value
        assert value is not None, 'without candidates nothing is proposed'
        parts = [one.choose(value) for one in tried]
        both, *others = zip(*parts)
        actions, rows, objection, parameters = (np.concatenate(part) for part in others)
        # In any order: what takes only the first of them takes some of both kinds.
        order = rng.permutation(len(objection))
        shuffled = (order[:, None] * self._steps + np.arange(self._steps)).ravel()
        segment = np.repeat(np.arange(len(order)), self._steps)
        return Proposal(
            take_rows(np.concatenate(both, axis=1), shuffled),
            actions[shuffled],
            rows[shuffled],
            objection[order][segment],
            parameters[order],
            segment,
        )

    def _draw_positions(self, number: int, each: int, rng: np.random.Generator) -> np.ndarray:
        """Draw where (number each, 2) an object rests, in the goal as often as recorded."""
        task, count = self.task, number * each
        # In the goal nothing is lost by any step: of one in and one out of it, in would be chosen.
        inside = np.repeat(rng.random((number, 1)) < self._in_goal, each, axis=0)
        return np.where(inside, _draw(task.mouth, count, rng), _draw(task.bounds, count, rng))

    def _tried(
        self,
        chosen: Segments,
        change: Change,
        steps: int,
        tries: int,
        apart: bool,
        relative: bool = False,
    ) -> _Tried:
        """Put stretches somewhere, `tries` in a row of which one is to be chosen."""
        rows, segment, _ = chosen.expand()
        spread = change.take(segment)
        both, actions = self.source.changed(rows, spread)
        too_near = np.zeros(len(chosen), dtype=bool)
        if apart and self.task.object != self.task.actor:
            near = np.minimum(gap(self.task, both[0]), gap(self.task, both[1]))
            too_near = near.reshape(-1, steps).min(axis=1) < self._nearest
        return _Tried(
            self.task,
            self._discount,
            steps,
            tries,
            rows,
            change,
            both,
            actions,
            too_near,
            relative,
        )

    def _apart_change(
        self,
        sources: Segments,
        at: np.ndarray,
        tries: int,
        rng: np.random.Generator,
        states: bool = False,
    ) -> tuple[Segments, Change]:
        """
        Put the object at rest at positions (K, 2), and the actor anywhere, of any heading.

        Each state is that of `tries` stretches; or, with `states`, each stretch begins in `tries`
        of the states.
        """
        task, count = self.task, len(at)
        body = task.layout.bodies[task.actor]
        if states:
            which = np.repeat(rng.integers(0, len(sources), count // tries), tries)
            tries = 1
        else:
            which = rng.integers(0, len(sources), count * tries)
        chosen = sources.take(which)
        begin = self.recorded.states[chosen.start]
        mirrored = rng.random(len(chosen)) < self._reflect
        angle = self._angles(len(chosen), rng)
        if body.heading is not None and self._turn == 'any':
            heading = np.repeat(self._angles(count, rng), tries)
            angle = wrap_angle_fast(heading - np.where(mirrored, -1, 1) * begin[:, body.heading])
        place, put = _draw(task.bounds, count, rng), {}
        if task.object != task.actor:
            put = {task.object: np.repeat(at, tries, axis=0)}
            nearest = max(self._nearest, 1e-2)
            farthest = max(nearest, *(high - low for low, high in task.bounds))
            place = put_near(place, at, _BESIDE, nearest, farthest / nearest, task.bounds, rng)
        move = Move.carry(
            begin[:, list(body.position)], np.repeat(place, tries, axis=0), angle, mirrored
        )
        return chosen, Change(task.layout, dict.fromkeys(task.layout.bodies, move), put)

    def _whole_change(self, chosen: Segments, at: np.ndarray, rng: np.random.Generator) -> Change:
        """Put the object of whole scenes at positions (K, 2), in any direction."""
        task = self.task
        body = task.layout.bodies[task.object]
        point = self.recorded.states[chosen.start][:, list(body.position)]
        mirrored = rng.random(len(chosen)) < self._reflect
        move = Move.carry(point, at, self._angles(len(chosen), rng), mirrored)
        return Change(task.layout, dict.fromkeys(task.layout.bodies, move))

    def _angles(self, count: int, rng: np.random.Generator) -> np.ndarray:
        return rng.uniform(-np.pi, np.pi, count) if self._turn == 'any' else np.zeros(count)

    def explain(self) -> list[str]:
        """Return sentences that say what the rule will do."""
        return [
            f'draws states anywhere on the field; takes stretches of {self._steps} steps there'
            + (', turned by any angle' if self._turn == 'any' else '')
            + (f', {self._reflect:.0%} mirrored' if self._reflect else ''),
            'puts actor and object apart where the object rests; moves the whole scene otherwise',
            f'keeps of every {self._tries} the one that is worth most under the reward of the '
            f'task (discount {self._discount:g}), by a map of values made from the recording',
        ] + (
            [
                f'of {self._hindsight:.0%} of the stretches that walk, the best of {self._tries} '
                'states to begin in',
            ]
            if self._hindsight
            else []
        )

    def areas(self, task: Task) -> dict[str, Box]:
        """Return the field."""
        return {task.actor: task.bounds}


class _Tried:
    """
    K stretches that were tried, `tries` in a row of which one is to be chosen.

    relative: what they gain is compared as a part of what their states are worth.
    both (2, K steps, S); earned (K,): discounted rewards; goes_on (K,): discount of what comes
    after, 0 where the task is over; possible (K,).
    """

    def __init__(
        self,
        task: Task,
        discount: float,
        steps: int,
        tries: int,
        rows: np.ndarray,
        change: Change,
        both: np.ndarray,
        actions: np.ndarray,
        too_near: np.ndarray,
        relative: bool,
    ) -> None:
        self._steps, self._tries, self._rows, self._change = steps, tries, rows, change
        self._relative = relative
        self._actions, self._too_near, self.both = actions, too_near, both
        states, next_states = both
        rewards = task.reward(states, actions, next_states).reshape(-1, steps)
        over = task.terminated(next_states).reshape(-1, steps)
        # What comes after an end does not count.
        alive = np.cumsum(over, axis=1) - over == 0
        self.earned = (rewards * alive) @ discount ** np.arange(steps)
        self.goes_on = np.where(over.any(axis=1), 0.0, discount**steps)
        wrong = task.check(states, actions, next_states).reshape(-1, steps).any(axis=1)
        self.possible = ~(wrong | too_near)

    def choose(self, value: StateValue) -> tuple[np.ndarray, ...]:
        """Return the columns of the best of every `tries`, as parts of a Proposal."""
        begins, ends = self.both[0][:: self._steps], self.both[1][self._steps - 1 :: self._steps]
        before = value(begins)
        gain = self.earned + self.goes_on * value(ends) - before
        if self._relative:
            # Where there is more to be gained, every step gains more.
            gain /= np.maximum(before - value.least, 1e-9)
        gain[~(self.possible & np.isfinite(gain))] = -np.inf
        best = gain.reshape(-1, self._tries).argmax(axis=1)
        best += np.arange(len(best)) * self._tries
        steps = (best[:, None] * self._steps + np.arange(self._steps)).ravel()
        return (
            take_rows(self.both, steps),
            take_rows(self._actions, steps),
            self._rows[steps],
            self._too_near[best].astype(np.int8),
            parameters_of(self._change.take(best), len(best)),
        )


def _draw(
    box: tuple[tuple[float, float], tuple[float, float]], count: int, rng: np.random.Generator
) -> np.ndarray:
    """Return positions (count, 2) in a box ((x low, x high), (y low, y high)) [m]."""
    return np.stack([rng.uniform(*side, count) for side in box], axis=1)
