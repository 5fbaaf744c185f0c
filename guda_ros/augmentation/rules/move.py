"""The rule that guides are mostly made of: what is taken where, and what is accepted."""

from __future__ import annotations

import numpy as np

from guda_ros.augmentation import compiled, segments
from guda_ros.augmentation.rules.aiming import aim
from guda_ros.augmentation.rules.destination import Destination, read_range
from guda_ros.augmentation.rules.sampling import uniform
from guda_ros.augmentation.rules.segment_rule import SegmentChoice, SegmentRule
from guda_ros.augmentation.rules.source import take_rows
from guda_ros.augmentation.task import Box, Task
from guda_ros.augmentation.transforms import Change, Move
from guda_ros.config.files import Section
from guda_ros.soccer.world import wrap_angle_fast


class MoveRule(SegmentRule):
    """Take segments of some kind to places where they mean progress."""

    kind = 'move'
    reasons = ('accepted', 'no_progress', 'not_facing', 'too_near')

    def __init__(self, section: Section, task: type[Task]) -> None:
        """Take the keys of the rule; docs/augmentation.md explains each."""
        super().__init__(SegmentChoice.read(section.section('segments'), task))
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
        self._heading_column = task.layout.bodies[self._anchor[0]].heading
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

    def _read_rotation(self, section: Section, bodies: tuple[str, ...]) -> None:
        self._turn: tuple[float, float] | None = None
        self._heading: tuple[float, float] | None = None
        self._aim: str | None = None
        self._at, self._spread = '', 0.0
        if not section.has('rotate'):
            return
        rotate = section.section('rotate')
        if rotate.has('aim'):
            self._aim = rotate.choice('aim', bodies)
            self._at = rotate.choice('at', tuple(dict.fromkeys(('goal', *self._put))))
            if rotate.has('spread'):
                self._spread = np.radians(rotate.number('spread', 0, 180))
        elif rotate.has('heading'):
            self._heading = _radians(read_range(rotate, 'heading', -360, 360))
            if self._heading_column is None:
                rotate.fail('heading', f'the anchor is the {self._anchor[0]}, which has none')
        else:
            self._turn = _radians(read_range(rotate, 'degrees', -360, 360))
        rotate.close()

    def _find(self) -> None:
        recorded, task = self.recorded, self.task
        movable = task.movable(recorded)
        turned = self._turn or self._aim or self._heading
        if self._to.place == 'current' and turned is None:
            # What stays at its place, or is mirrored there, meets the same lines and walls.
            movable = np.ones_like(movable)
        phase, phases = task.phase(recorded), self._taken.phases
        wanted = movable & np.isin(phase, [task.phases.index(name) for name in phases])
        found = self._taken.find(recorded, phase, wanted, self._anchor[1] == 'last')
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
        if self._heading is not None:
            self._yaw = points[:, self._heading_column]

    def _draw(self, choice: np.ndarray, number: int, rng: np.random.Generator) -> Change:
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
            angle = wrap_angle_fast(move.angle + rng.uniform(-self._spread, self._spread, number))
        elif self._turn is not None:
            angle = wrap_angle_fast(rng.uniform(*self._turn, number))
        elif self._heading is not None:
            yaw = np.where(mirrored, -self._yaw[choice], self._yaw[choice])
            angle = wrap_angle_fast(rng.uniform(*self._heading, number) - yaw)
        else:
            angle = np.zeros(number)
        move = Move.carry(take_rows(self._point, choice), place, angle, mirrored)
        return Change(task.layout, dict.fromkeys(task.layout.bodies, move), put)

    def _object(
        self, both: np.ndarray, first: np.ndarray | None, last: np.ndarray | None
    ) -> np.ndarray:
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

    def _place_of(self, states: np.ndarray, body: str) -> tuple[np.ndarray, np.ndarray]:
        x, y = self.task.layout.bodies[body].position
        return states[..., x], states[..., y]

    def _nearest(self, both: np.ndarray) -> np.ndarray:
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

    def _to_go(self, states: np.ndarray) -> np.ndarray:
        x, y = self._place_of(states, self.task.object)
        x, y = self.task.goal[0] - x, self.task.goal[1] - y
        return np.sqrt(x * x + y * y)

    def _bearing(self, states: np.ndarray) -> np.ndarray:
        x, y = self._place_of(states, self.task.actor)
        to_x, to_y = self._place_of(states, self.task.object)
        heading = states[..., self.task.layout.bodies[self.task.actor].heading]
        return wrap_angle_fast(np.arctan2(to_y - y, to_x - x) - heading)

    def explain(self) -> list[str]:
        """Return sentences that say what the rule will do."""
        body, step = self._anchor
        lines = [
            f'takes {self._taken.words()}',
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
        elif self._heading is not None:
            low, high = np.degrees(self._heading)
            lines.append(f'turns it until the {body} heads for {low:g} to {high:g} deg of the map')
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

    def areas(self, task: Task) -> dict[str, Box]:
        """Return the boxes ((x low, x high), (y low, y high)) to draw, by what goes there."""
        boxes = {self._anchor[0]: self._to.area(task)}
        boxes.update((name, to.area(task)) for name, to in self._put.items())
        return {name: box for name, box in boxes.items() if box is not None}


def _radians(limits: tuple[float, float]) -> tuple[float, float]:
    low, high = np.radians(limits)
    return float(low), float(high)
