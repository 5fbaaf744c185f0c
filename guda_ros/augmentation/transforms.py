"""
Data augmentation functions (DAFs): changes of a step that its dynamics do not notice.

A `Move` is a mirror, a turn and a shift of the plane; moves compose and have an inverse. A
`Change` gives each body of a task its own move: translating, rotating, reflecting, relabelling the
goal and placing bodies independently are then one thing, and compose freely:

    change = reflect(layout, where).then(rotate(layout, angle, pivot)).then(translate(layout, by))
    change.states(states), change.actions(actions), change.states(next_states)

Parameters have the leading shape (...) of the rows that they are for; those of segments are spread
over their rows with `take`. Inputs are never changed. A state and its successor are to be given
the same change, and the successor of one row is then to the bit the state of the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from guda_ros.soccer.world import wrap_angle_fast


@dataclass(frozen=True)
class Body:
    """State columns of a thing in the plane: position [m], heading [rad], velocity [m/s]."""

    position: tuple[int, int]
    heading: int | None = None
    velocity: tuple[int, int] | None = None


@dataclass(frozen=True)
class Layout:
    """
    What the columns of a task's states and actions mean to a move of the plane.

    size: columns of a state. bodies: by name. frame: the body whose turning the vectors of
    actions in `map` follow. lateral, action_lateral: columns in a body's own frame that change
    sign in a mirror (to the left, turn). action_vectors: pairs of action columns in `map`.
    """

    size: int
    bodies: Mapping[str, Body]
    frame: str
    lateral: tuple[int, ...] = ()
    action_lateral: tuple[int, ...] = ()
    action_vectors: tuple[tuple[int, int], ...] = ()

    @cached_property
    def others(self) -> tuple[int, ...]:
        """State columns that no body has: they are in a frame that moves along, or scalars."""
        taken: set[int | None] = set()
        for body in self.bodies.values():
            taken.update(body.position, body.velocity or ())
            taken.add(body.heading)
        return tuple(column for column in range(self.size) if column not in taken)


#: Two arrays to write components into, if they are given.
_Into = tuple[np.ndarray | None, np.ndarray | None]
#: A method of Move that takes components, and arrays for what becomes of them.
_Moved = Callable[[np.ndarray, np.ndarray, _Into], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Move:
    """
    Points p become turn(mirror(p), angle) + offset.

    mirrored (...): at the x axis of `map`; angle (...) [rad]; offset (..., 2) [m].
    """

    mirrored: np.ndarray
    angle: np.ndarray
    offset: np.ndarray
    #: Cosine and sine of the angle where they are known already.
    _turning: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)

    @classmethod
    def identity(cls) -> Move:
        """Return the move that changes nothing."""
        return cls(np.asarray(False), np.asarray(0.0), np.zeros(2))

    @classmethod
    def carry(
        cls,
        pivot: np.ndarray,
        place: np.ndarray,
        angle: np.ndarray | float = 0.0,
        mirrored: np.ndarray | bool = False,
        turning: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> Move:
        """
        Return the move that mirrors and turns, and brings point `pivot` to `place` (..., 2).

        :param turning: cosine and sine of the angle, where they are known.
        """
        (x, y), (to_x, to_y) = _parts(pivot), _parts(place)
        mirrored, angle = np.asarray(mirrored), np.asarray(angle, dtype=float)
        shape = np.broadcast_shapes(x.shape, to_x.shape, angle.shape, mirrored.shape)
        move = cls(mirrored, angle, _empty_pairs(shape), turning)
        x, y = move.vector(x, y)
        np.subtract(to_x, x, out=move.offset[..., 0])
        np.subtract(to_y, y, out=move.offset[..., 1])
        return move

    @cached_property
    def turning(self) -> tuple[np.ndarray, np.ndarray]:
        """Cosine and sine (...) of the angle."""
        return self._turning or (np.cos(self.angle), np.sin(self.angle))

    @cached_property
    def _matrix(self) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
        """Return the columns of the matrix that mirrors and turns: ((xx, yx), (xy, yy))."""
        cos, sin = self.turning
        return (cos, sin), (-self.sign * sin, self.sign * cos)

    @cached_property
    def sign(self) -> np.ndarray:
        """-1 (...) where mirrored, 1 elsewhere."""
        return 1.0 - 2.0 * self.mirrored

    def vector(
        self, x: np.ndarray, y: np.ndarray, out: _Into = (None, None)
    ) -> tuple[np.ndarray, np.ndarray]:
        """Move the components of vectors; into two arrays `out`, other than x and y, if given."""
        return tuple(
            np.add(np.multiply(of_x, x, out=to), of_y * y, out=to)
            for of_x, of_y, to in zip(*self._matrix, out)
        )

    def point(
        self, x: np.ndarray, y: np.ndarray, out: _Into = (None, None)
    ) -> tuple[np.ndarray, np.ndarray]:
        """Move the coordinates of points; `out` as of `vector`."""
        return tuple(
            np.add(part, self.offset[..., axis], out=to)
            for axis, (part, to) in enumerate(zip(self.vector(x, y, out), out))
        )

    def heading(self, yaw: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Move headings, wrapped to [-pi, pi); into an array `out`, if given."""
        turned = np.add(np.multiply(yaw, self.sign, out=out), self.angle, out=out)
        return wrap_angle_fast(turned, out)

    def then(self, after: Move) -> Move:
        """Return this move followed by another."""
        x, y = after.point(*_parts(self.offset))
        return Move(
            np.logical_xor(self.mirrored, after.mirrored),
            after.sign * self.angle + after.angle,
            _pairs(x, y),
        )

    def inverse(self) -> Move:
        """Return the move that takes this one back."""
        angle = -self.sign * self.angle
        turning = Move(self.mirrored, angle, np.zeros(2))
        x, y = turning.vector(*_parts(self.offset))
        return Move(self.mirrored, angle, np.stack([-x, -y], axis=-1))

    def take(self, index: np.ndarray) -> Move:
        """Return the moves of an index or mask."""
        cos, sin = self._matrix[0]
        turning = cos[index], sin[index]
        return Move(self.mirrored[index], self.angle[index], self.offset[index], turning)


@dataclass(frozen=True, eq=False)
class Change:
    """
    One move for each body; bodies that are not named stay. All moves mirror the same rows.

    put: bodies that are set down at rest at a place (..., 2) [m] instead of moved.
    """

    layout: Layout
    moves: Mapping[str, Move]
    put: Mapping[str, np.ndarray] = field(default_factory=dict)

    def states(self, states: np.ndarray) -> np.ndarray:
        """Return changed states (..., S)."""
        states = np.asarray(states, dtype=float)
        changed = np.empty_like(states)
        for name, body in self.layout.bodies.items():
            move, put = self.move(name), self.put.get(name)
            if body.heading is not None:
                move.heading(states[..., body.heading], changed[..., body.heading])
            parts: list[tuple[tuple[int, int], _Moved, np.ndarray | None]]
            parts = [(body.position, move.point, put)]
            if body.velocity is not None:
                rest = None if put is None else np.zeros(2)
                parts.append((body.velocity, move.vector, rest))
            for (x, y), moved, rest in parts:
                if rest is None:
                    moved(states[..., x], states[..., y], (changed[..., x], changed[..., y]))
                else:
                    changed[..., x], changed[..., y] = rest[..., 0], rest[..., 1]
        sign = self.move(self.layout.frame).sign
        for column in self.layout.others:
            lateral = column in self.layout.lateral
            changed[..., column] = states[..., column] * sign if lateral else states[..., column]
        return changed

    def actions(self, actions: np.ndarray) -> np.ndarray:
        """Return changed actions (..., A)."""
        actions = np.asarray(actions)
        dtype = actions.dtype if actions.dtype.kind == 'f' else float
        changed = np.array(actions, dtype=dtype, order='K')
        move = self.move(self.layout.frame)
        for column in self.layout.action_lateral:
            changed[..., column] *= move.sign
        for x, y in self.layout.action_vectors:
            changed[..., x], changed[..., y] = move.vector(actions[..., x], actions[..., y])
        return changed

    def then(self, after: Change) -> Change:
        """Return this change followed by another."""
        moves = {name: self.move(name).then(after.move(name)) for name in self.layout.bodies}
        put = {
            name: np.stack(after.move(name).point(*_parts(place)), axis=-1)
            for name, place in self.put.items()
        }
        return Change(self.layout, moves, {**put, **after.put})

    def inverse(self) -> Change:
        """Return the change that takes this one back; ValueError if a body was put at rest."""
        if self.put:
            raise ValueError(f'where {", ".join(self.put)} was before is not known any more')
        return Change(self.layout, {name: move.inverse() for name, move in self.moves.items()})

    def take(self, index: np.ndarray) -> Change:
        """Return the changes of an index or mask: of the rows of segments, for example."""
        # One move is often that of several bodies.
        taken = {id(move): move.take(index) for move in self.moves.values()}
        return Change(
            self.layout,
            {name: taken[id(move)] for name, move in self.moves.items()},
            {name: at[index] for name, at in self.put.items()},
        )

    def move(self, name: str) -> Move:
        """Return the move of a body."""
        return self.moves.get(name) or _STAY


_STAY = Move.identity()


def scene(layout: Layout, move: Move) -> Change:
    """Move all bodies alike."""
    return Change(layout, dict.fromkeys(layout.bodies, move))


def translate(layout: Layout, offset: np.ndarray) -> Change:
    """Shift the whole scene by `offset` (..., 2) [m]."""
    offset = np.asarray(offset, dtype=float)
    shape = offset.shape[:-1]
    return scene(layout, Move(np.zeros(shape, dtype=bool), np.zeros(shape), offset))


def rotate(layout: Layout, angle: np.ndarray, pivot: np.ndarray) -> Change:
    """Turn the whole scene by `angle` (...) [rad] about `pivot` (..., 2)."""
    angle, pivot = np.asarray(angle, dtype=float), np.asarray(pivot, dtype=float)
    return scene(layout, Move.carry(pivot, pivot, angle, np.zeros(angle.shape, dtype=bool)))


def reflect(layout: Layout, where: np.ndarray) -> Change:
    """Mirror the whole scene at the x axis of `map` where `where` (...) is true."""
    where = np.asarray(where, dtype=bool)
    return scene(layout, Move(where, np.zeros(where.shape), np.zeros((*where.shape, 2))))


def move_body(layout: Layout, body: str, move: Move) -> Change:
    """Move one body alone: allowed while nothing touches it."""
    if np.any(move.mirrored):
        raise ValueError('a body cannot be mirrored alone; reflect the scene')
    return Change(layout, {body: move})


def place(layout: Layout, body: str, at: np.ndarray) -> Change:
    """Put a body at rest at `at` (..., 2) [m]: allowed while nothing touches it."""
    return Change(layout, {}, {body: np.asarray(at, dtype=float)})


def relabel_goal(layout: Layout, at: np.ndarray, goal: str = 'goal') -> Change:
    """Put the goal, which is a body of such tasks, at `at` (..., 2) [m]."""
    return place(layout, goal, at)


def to_columns(rows: np.ndarray) -> np.ndarray:
    """Return a view (C, ...) of rows (..., C); np.moveaxis takes ten times as long."""
    return rows.transpose(rows.ndim - 1, *range(rows.ndim - 1))


def to_rows(columns: np.ndarray) -> np.ndarray:
    """Return a view (..., C) of columns (C, ...)."""
    return columns.transpose(*range(1, columns.ndim), 0)


def _empty_pairs(shape: tuple[int]) -> np.ndarray:
    """Return points (..., 2) without content; in memory all x come before all y."""
    return to_rows(np.empty((2, *shape)))


def _pairs(x: float | np.ndarray, y: float | np.ndarray) -> np.ndarray:
    """Return points (..., 2), laid out as those of `_empty_pairs`."""
    return to_rows(np.stack(np.broadcast_arrays(x, y)))


def _parts(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    points = np.asarray(points, dtype=float)
    return points[..., 0], points[..., 1]
