"""The rule that guides are mostly made of: what is taken where, and what is accepted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guda_ros.augmentation import compiled, segments
from guda_ros.augmentation.rules.aiming import aim
from guda_ros.augmentation.rules.base import parameters_of, Proposal, Rule
from guda_ros.augmentation.rules.sampling import uniform
from guda_ros.augmentation.rules.source import take_rows
from guda_ros.augmentation.task import Task
from guda_ros.augmentation.transforms import Change, Move, wrap
from guda_ros.config.files import Section

_SEGMENTS = ('step', 'fixed', 'phase', 'whole', 'behaviour')


@dataclass(frozen=True)
class Destination:
    """
    Where a point is put: 'box', 'goal' (the mouth), 'field' or 'current' (where it was).

    box: ((x low, x high), (y low, y high)) [m]. bias: with 2 the far end in x is drawn twice as
    often as the middle, and the near end never; 1 is even.
    """

    place: str
    box: tuple[tuple[float, float], tuple[float, float]] | None
    bias: float

    @classmethod
    def read(cls, section: Section) -> 'Destination':
        """Take `place` or `box`, and `bias`."""
        box = None
        if section.has('box'):
            inner = section.section('box')
            box = tuple(_range(inner, axis) for axis in ('x', 'y'))
            inner.close()
            place = 'box'
        else:
            place = section.choice('place', ('goal', 'field', 'current'))
        bias = section.number('bias', 1, 10) if section.has('bias') else 1.0
        section.close()
        return cls(place, box, bias)

    def area(self, task: Task) -> tuple[tuple[float, float], tuple[float, float]] | None:
        """Return the box that places are drawn from; None for 'current'."""
        if self.place == 'current':
            return None
        return {'box': self.box, 'goal': task.mouth, 'field': task.bounds}[self.place]

    def draw(self, count: int, task: Task, rng: np.random.Generator) -> np.ndarray:
        """Return places (count, 2) [m]."""
        (low, high), (right, left) = self.area(task)
        place = uniform(rng, 2, count)
        if self.bias == 2:
            np.sqrt(place[0], out=place[0])
        elif self.bias != 1:
            place[0] **= 1 / self.bias
        place[0] *= high - low
        place[0] += low
        place[1] *= left - right
        place[1] += right
        return place.T

    def words(self) -> str:
        """Say where."""
        if self.place == 'box':
            (a, b), (c, d) = self.box
            words = f'the box x {a:g} to {b:g}, y {c:g} to {d:g} m'
        else:
            words = {
                'goal': 'the goal mouth',
                'field': 'anywhere on the field',
                'current': 'the place where it was',
            }[self.place]
        return words + (f', biased to high x ({self.bias:g})' if self.bias != 1 else '')


class MoveRule(Rule):
    """Take segments of some kind to places where they mean progress."""

    kind = 'move'
    reasons = ('accepted', 'no_progress', 'not_facing', 'too_near')

    def __init__(self, section: Section, task: type[Task]) -> None:
        """Take the keys of the rule; docs/augmentation.md explains each."""
        self._read_segments(section.section('segments'), task)
        bodies = tuple(task.layout.bodies)
        anchor = section.section('anchor')
        self._anchor = (anchor.choice('body', bodies), anchor.choice('step', ('first', 'last')))
        anchor.close()
        self._to = Destination.read(section.section('to'))
        self._put: dict[str, Destination] = {}
        if section.has('put'):
            put = section.section('put')
            for body in put.keys():
                if body not in bodies or body == self._anchor[0]:
                    put.fail(body, f'one of {", ".join(bodies)}, not the anchor, is expected')
                self._put[body] = Destination.read(put.section(body))
                if self._put[body].place == 'current':
                    put.fail(body, 'a body that is put independently needs a box, goal or field')
        self._read_rotation(section, bodies)
        self._reflect = section.number('reflect', 0, 1) if section.has('reflect') else 0.0
        self._accept: dict[str, float] = {}
        if section.has('accept'):
            accept = section.section('accept')
            for key, low, high in (
                ('progress', -100, 100),
                ('facing', 0, 180),
                ('clearance', 0, 100),
            ):
                if accept.has(key):
                    self._accept[key] = accept.number(key, low, high)
            accept.close()

    def _read_segments(self, section, task):
        self._of = section.choice('of', _SEGMENTS)
        self._phases = task.phases
        if section.has('phases'):
            self._phases = section.texts('phases')
            for name in self._phases:
                if name not in task.phases:
                    section.fail('phases', f'{name!r} is unknown; known: {", ".join(task.phases)}')
        self._steps = section.integer('steps', 1, 10**6) if self._of == 'fixed' else 0
        self._shortest, self._longest = 1, 10**6
        if self._of in ('phase', 'whole') and section.has('min_steps'):
            self._shortest = section.integer('min_steps', 1, 10**6)
        if self._of in ('phase', 'whole', 'behaviour') and section.has('max_steps'):
            self._longest = section.integer('max_steps', self._shortest, 10**6)
        self._behaviours = {}
        if self._of == 'behaviour':
            named = section.section('behaviours')
            for name in named.keys():
                self._behaviours[name] = named.ranges(name)
            if not self._behaviours:
                section.fail('behaviours', 'at least one is needed')
        section.close()

    def _read_rotation(self, section, bodies):
        self._turn, self._aim, self._at, self._spread = None, None, None, 0.0
        if not section.has('rotate'):
            return
        rotate = section.section('rotate')
        if rotate.has('aim'):
            self._aim = rotate.choice('aim', bodies)
            self._at = rotate.choice('at', tuple(dict.fromkeys(('goal', *self._put))))
            if rotate.has('spread'):
                self._spread = np.radians(rotate.number('spread', 0, 180))
        else:
            self._turn = tuple(np.radians(_range(rotate, 'degrees', -360, 360)))
        rotate.close()

    def _find(self):
        recorded, task = self.recorded, self.task
        movable = task.movable(recorded)
        if self._to.place == 'current' and self._turn is None and self._aim is None:
            # What stays at its place, or is mirrored there, meets the same lines and walls.
            movable = np.ones_like(movable)
        phase = task.phase(recorded)
        wanted = movable & np.isin(phase, [task.phases.index(name) for name in self._phases])
        if self._of == 'step':
            found = segments.steps(recorded, wanted)
        elif self._of == 'fixed':
            found = segments.fixed(recorded, wanted, self._steps)
        elif self._of == 'behaviour':
            found = segments.behaviours(recorded, wanted, self._behaviours)
            found = segments.chop(found, self._longest)
        else:
            label = np.where(wanted, phase if self._of == 'phase' else 0, -1)
            found = segments.runs(recorded, label)
            found = found.take(found.length >= self._shortest)
            length = np.minimum(found.length, self._longest)
            cut = found.length - length if self._anchor[1] == 'last' else 0
            found = segments.Segments(found.start + cut, length)
        if self._put:
            # What is put apart must not be touched, and what is touched moves.
            x, y = task.layout.bodies[task.object].position
            way = recorded.next_states - recorded.states
            rests = np.hypot(way[:, x], way[:, y]) <= task.rest
            rests = segments.runs(recorded, wanted & rests)
            inside = np.zeros(len(recorded), dtype=int)
            rows, which, _ = rests.expand()
            inside[rows] = rests.last[which] - rows + 1
            found = found.take(inside[found.start] >= found.length)
        body, step = self._anchor
        columns = list(task.layout.bodies[body].position)
        if self._aim is not None:
            aimed = list(task.layout.bodies[self._aim].position)
            way = recorded.next_states[found.last] - recorded.states[found.start]
            way = way[:, aimed]
            known = np.linalg.norm(way, axis=1) > 1e-6
            found, way = found.take(known), way[known]
            self._way = np.asfortranarray(way)
        self._segments = found
        points = (
            recorded.states[found.start] if step == 'first' else recorded.next_states[found.last]
        )
        self._point = np.asfortranarray(points[:, columns])

    @property
    def candidates(self) -> int:
        """Number of recorded steps in segments that the rule can use."""
        return int(self._segments.length.sum())

    def propose(self, count: int, rng: np.random.Generator) -> Proposal:
        """Propose about `count` steps, in whole segments."""
        number = max(int(count / self._segments.mean_length), 1)
        choice = (uniform(rng, number) * len(self._segments)).astype(int)
        change = self._draw(choice, number, rng)
        parameters = parameters_of(change, number)
        if self._of == 'step':
            rows, segment, first, last = self._segments.start[choice], None, None, None
        else:
            chosen = self._segments.take(choice)
            rows, segment, first = chosen.expand()
            last = first + chosen.length - 1
            change = change.take(segment)
        both, actions = self.source.changed(rows, change)
        rejected = self._object(both, first, last)
        return Proposal(
            both,
            actions,
            rows,
            rejected if segment is None else rejected[segment],
            parameters,
            segment,
        )

    def _draw(self, choice, number, rng) -> Change:
        """Return the changes of chosen segments, with parameters of shape (number,)."""
        task = self.task
        mirrored = np.zeros(number, dtype=bool)
        if self._reflect:
            mirrored = uniform(rng, number) < self._reflect
        if self._to.place == 'current':
            place = take_rows(self._point, choice)
            place[mirrored, 1] *= -1.0
        else:
            place = self._to.draw(number, task, rng)
        put = {body: to.draw(number, task, rng) for body, to in self._put.items()}
        if self._aim is not None:
            target = put.get(self._at, task.goal)
            move = aim(self._point, self._way, choice, mirrored, place, target)
            if not self._spread:
                return Change(task.layout, dict.fromkeys(task.layout.bodies, move), put)
            angle = wrap(move.angle + rng.uniform(-self._spread, self._spread, number))
        elif self._turn is not None:
            angle = wrap(rng.uniform(*self._turn, number))
        else:
            angle = np.zeros(number)
        move = Move.carry(take_rows(self._point, choice), place, angle, mirrored)
        return Change(task.layout, dict.fromkeys(task.layout.bodies, move), put)

    def _object(self, both, first, last):
        """Return (K,) why segments are refused, 0 if there is no reason."""
        states, next_states = both
        ends = next_states if last is None else next_states[last]
        begins = states if first is None else states[first]
        objection = np.zeros(len(ends), dtype=np.int8)
        if 'clearance' in self._accept:
            near = self._nearest(both)
            if first is not None:
                near = np.minimum.reduceat(near, first)
            objection[near < self._accept['clearance'] ** 2] = 3
        if 'facing' in self._accept:
            objection[np.abs(self._bearing(ends)) > np.radians(self._accept['facing'])] = 2
        if 'progress' in self._accept:
            gained = self._to_go(begins) - self._to_go(ends)
            objection[gained < self._accept['progress']] = 1
        return objection

    def _place_of(self, states, body):
        x, y = self.task.layout.bodies[body].position
        return states[..., x], states[..., y]

    def _nearest(self, both):
        """Return the squared distance (M,) of actor and object, before or after the step."""
        x, y = self._place_of(both, self.task.actor)
        to_x, to_y = self._place_of(both, self.task.object)
        loops = compiled.loops(compiled.ENGINE)
        if loops:
            found = np.empty(x.shape[1])
            loops.nearest(*(compiled.column(part) for part in (x, y, to_x, to_y)), found)
            return found
        x, y = to_x - x, to_y - y
        return np.minimum(*(x * x + y * y))

    def _to_go(self, states):
        x, y = self._place_of(states, self.task.object)
        x, y = self.task.goal[0] - x, self.task.goal[1] - y
        return np.sqrt(x * x + y * y)

    def _bearing(self, states):
        x, y = self._place_of(states, self.task.actor)
        to_x, to_y = self._place_of(states, self.task.object)
        heading = states[..., self.task.layout.bodies[self.task.actor].heading]
        return wrap(np.arctan2(to_y - y, to_x - x) - heading)

    def explain(self) -> list[str]:
        """Return sentences that say what the rule will do."""
        what = {
            'step': 'every step alone',
            'fixed': f'stretches of {self._steps} steps',
            'phase': 'stretches of one phase',
            'whole': 'whole trajectories',
            'behaviour': 'the behaviours ' + ', '.join(self._behaviours),
        }[self._of]
        body, step = self._anchor
        lines = [
            f'takes {what}, of the phases {", ".join(self._phases)}',
            f'puts the {body} of the {step} step at {self._to.words()}, with the scene',
        ]
        lines += [
            f'puts the {name} apart, at rest, at {to.words()}' for name, to in self._put.items()
        ]
        if self._aim is not None:
            spread = f', give or take {np.degrees(self._spread):g} deg' if self._spread else ''
            lines.append(
                f'turns it until the way of the {self._aim} points at the {self._at}' + spread
            )
        elif self._turn is not None:
            low, high = np.degrees(self._turn)
            lines.append(f'turns it about there by {low:g} to {high:g} deg')
        if self._reflect:
            lines.append(f'mirrors {self._reflect:.0%} at the x axis')
        words = {
            'progress': '{} m or more nearer to the goal at its end',
            'facing': 'facing within {} deg at its end',
            'clearance': '{} m or more between the two all the way',
        }
        lines += [
            'accepts only what is ' + words[key].format(f'{value:g}')
            for key, value in self._accept.items()
        ]
        return lines

    def areas(self, task: Task) -> dict[str, tuple]:
        """Return the boxes ((x low, x high), (y low, y high)) to draw, by what goes there."""
        boxes = {self._anchor[0]: self._to.area(task)}
        boxes.update((name, to.area(task)) for name, to in self._put.items())
        return {name: box for name, box in boxes.items() if box is not None}


def _range(section: Section, key: str, low: float = -1000, high: float = 1000):
    values = section.numbers(key, 2, low, high)
    if values[0] > values[1]:
        section.fail(
            key, f'[{values[0]:g}, {values[1]:g}]: the lower bound is above the upper one'
        )
    return values
