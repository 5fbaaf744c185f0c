"""
Values of states: what the task's own reward adds up to from there on, fitted to moved stretches.

Fitted value iteration (Ernst et al., Tree-Based Batch Mode Reinforcement Learning, 2005) with a
small network in NumPy: of the stretches that can follow a state the best one counts, and where
few do, the asymmetric loss of IQL (Kostrikov et al., 2021, arXiv 2110.06169) leans to the better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guda_ros.augmentation.task import Task

#: Distance [m] at which nearness is a half.
_NEAR = 0.3
#: Columns of a description that are the object's own.
OBJECT = 6
_HIDDEN = 96
_BATCH = 512
#: Gradient steps after each look at what follows, and how fast they go: at first, and at the end.
_UPDATES = 150
#: States whose targets are made anew in a look.
_RENEWED = 8000
_RATES = (2e-3, 6e-4)
#: Share of the looks that are taken at the first rate.
_FAST = 0.6
_EXPECTILE = 0.9
#: Largest value as the network gives it.
_BEND = 4.0


@dataclass(frozen=True)
class Outcomes:
    """
    What follows (G, K): of each of G states, K stretches that can begin there.

    begins, ends (G, K, F): the states at either end as `describe` gives them; earned (G, K): the
    discounted rewards between, -inf where the task does not allow it; goes_on (G, K): the discount
    of what comes after, 0 where the task is over.
    """

    begins: np.ndarray
    ends: np.ndarray
    earned: np.ndarray
    goes_on: np.ndarray


def describe(task: Task, states: np.ndarray, heading: bool = True) -> np.ndarray:
    """
    Return what values depend on, (M, F), float32: relations of actor, object and goal.

    Ways to the goal and to each other in units of the field, their directions and nearness, the
    actor's heading relative to its way, if `heading` counts, and velocities [m/s].
    """
    (left, right), (low, high) = task.bounds
    size = np.float32(max(right - left, high - low) / 2)
    actor, thing = (task.layout.bodies[name] for name in (task.actor, task.object))
    seen = []

    def column(index):
        return states[:, index].astype(np.float32)

    def relation(x, y):
        far = np.sqrt(x * x + y * y)
        scale = 1 / np.maximum(far, np.float32(1e-6))
        seen.extend([x / size, y / size, far / size, 1 / (1 + far / np.float32(_NEAR))])
        seen.extend([x * scale, y * scale])
        return x * scale, y * scale

    goal_x, goal_y = task.goal.astype(np.float32)
    x, y = (column(index) for index in thing.position)
    aim = way = relation(goal_x - x, goal_y - y)
    if task.object != task.actor:
        own_x, own_y = (column(index) for index in actor.position)
        way = relation(x - own_x, y - own_y)
        # Behind the object, seen from the goal, and how far beside that line.
        seen += [way[0] * aim[0] + way[1] * aim[1], np.abs(way[0] * aim[1] - way[1] * aim[0])]
    if heading and actor.heading is not None:
        yaw = column(actor.heading)
        cos, sin = np.cos(yaw), np.sin(yaw)
        seen += [way[0] * cos + way[1] * sin, way[1] * cos - way[0] * sin]
    moving = dict.fromkeys(body.velocity for body in (actor, thing) if body.velocity is not None)
    seen += [column(index) for velocity in moving for index in velocity]
    return np.stack(seen, axis=1)


def fit_values(parts: Sequence[Outcomes], looks: int) -> 'ValueNetwork':
    """
    Return values such that each state is worth the best that can follow it.

    :param looks: how often targets are made anew from the values so far.
    """
    value = ValueNetwork(np.concatenate([_rows(part.begins) for part in parts]), _HIDDEN)
    # Nothing is worth more, or less, than the best, or worst, stretch for ever.
    lasting = [
        part.earned[np.isfinite(part.earned)] / (1 - part.goes_on.max(initial=0.0))
        for part in parts
    ]
    lasting = np.concatenate(lasting)
    value.bound(lasting.min(initial=0.0), lasting.max(initial=0.0))
    if not len(lasting):
        return value
    begins = [value.normalised(part.begins) for part in parts]
    ends = [value.normalised(part.ends) for part in parts]
    rng = np.random.default_rng(0)
    share = min(_RENEWED / sum(len(part.earned) for part in parts), 1.0)
    for look in range(looks):
        inputs, targets = [], []
        for part, begin, end in zip(parts, begins, ends):
            count = len(part.earned)
            some = rng.choice(count, max(round(share * count), 1), replace=False)
            worth = value.of_normalised(_rows(end[some])).reshape(len(some), -1)
            worth = part.earned[some] + part.goes_on[some] * worth
            best = worth.argmax(axis=1)
            group = np.arange(len(some))
            known = np.isfinite(worth[group, best])
            inputs.append(begin[some, best][known])
            targets.append(worth[group, best][known])
        inputs, targets = np.concatenate(inputs), np.concatenate(targets)
        if len(inputs):
            value.fit(inputs, targets, _UPDATES, _RATES[look >= _FAST * looks])
    return value


def fit_object_values(parts: Sequence[Outcomes], value: 'ValueNetwork') -> 'ValueNetwork':
    """Return values of the object's place alone, with an actor that is well placed."""
    inputs = np.concatenate([_rows(part.begins) for part in parts])
    of_object = ValueNetwork(inputs[:, :OBJECT], _HIDDEN)
    of_object.bound(*value.bounds)
    inputs, targets = of_object.normalised(inputs[:, :OBJECT]), value(inputs)
    for rate in _RATES:
        of_object.fit(inputs, targets, 2 * _UPDATES, rate)
    return of_object


def _rows(described):
    return described.reshape(-1, described.shape[-1])


class ValueNetwork:
    """
    Two hidden layers of tanh, fitted by Adam to an asymmetric square loss.

    Its random numbers are its own, with a fixed seed: the same input gives the same values.
    """

    def __init__(self, inputs: np.ndarray, hidden: int) -> None:
        """Take mean and deviation of inputs (M, F); values are zero to begin with."""
        self._middle = inputs.mean(axis=0, dtype=float).astype(np.float32)
        spread = inputs.std(axis=0, dtype=float)
        self._scale = (1 / np.where(spread < 1e-6, 1.0, spread)).astype(np.float32)
        self._rng = np.random.default_rng(0)
        sizes = (inputs.shape[1], hidden, hidden, 1)
        self._weights = [
            (self._rng.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32)
            for shape in zip(sizes, sizes[1:])
        ]
        self._weights[-1][:] = 0
        self._weights += [np.zeros(size, dtype=np.float32) for size in sizes[1:]]
        self._moments = [(np.zeros_like(part), np.zeros_like(part)) for part in self._weights]
        self._steps = 0
        self.bound(-1.0, 1.0)

    def bound(self, low: float, high: float) -> None:
        """Keep values within bounds."""
        self.bounds = np.float32(low), np.float32(high)
        # Bent by asinh, values that are small count as much as large ones: far from the goal a
        # step changes little of a value that is little.
        self._unit = np.float32(max(-low, high, 1e-6) / np.sinh(_BEND))

    def normalised(self, inputs: np.ndarray) -> np.ndarray:
        """Return inputs (..., F) as the layers take them."""
        return (inputs - self._middle) * self._scale

    def __call__(self, inputs: np.ndarray) -> np.ndarray:
        """Return the values (M,) of inputs (M, F)."""
        return self.of_normalised(self.normalised(inputs))

    def of_normalised(self, inputs: np.ndarray) -> np.ndarray:
        """Return the values (M,) of inputs that are normalised already."""
        bent = self._layers(inputs)[-1][:, 0]
        return np.clip(np.sinh(np.clip(bent, -_BEND, _BEND)) * self._unit, *self.bounds)

    def _layers(self, inputs):
        one, two, out, bias_one, bias_two, bias = self._weights
        first = np.tanh(inputs @ one + bias_one)
        second = np.tanh(first @ two + bias_two)
        return first, second, second @ out + bias

    def fit(self, inputs: np.ndarray, targets: np.ndarray, updates: int, rate: float) -> None:
        """Take gradient steps toward targets (M,) at normalised inputs (M, F)."""
        targets = np.arcsinh(targets / self._unit).astype(np.float32)
        for rows in self._rng.integers(0, len(inputs), (updates, _BATCH)):
            batch = inputs[rows]
            first, second, out = self._layers(batch)
            short = targets[rows] - out[:, 0]
            lean = np.where(short > 0, np.float32(_EXPECTILE), np.float32(1 - _EXPECTILE))
            slope = (np.float32(-2 / _BATCH) * lean * short)[:, None]
            at_second = slope @ self._weights[2].T * (1 - second * second)
            at_first = at_second @ self._weights[1].T * (1 - first * first)
            self._descend([batch.T @ at_first, first.T @ at_second, second.T @ slope,
                           at_first.sum(0), at_second.sum(0), slope.sum(0)], rate)

    def _descend(self, slopes, rate, decay=0.9, square_decay=0.999):
        """Take one step of Adam (Kingma and Ba, 2014, arXiv 1412.6980)."""
        self._steps += 1
        rate *= np.sqrt(1 - square_decay**self._steps) / (1 - decay**self._steps)
        for weight, slope, (mean, square) in zip(self._weights, slopes, self._moments):
            mean += (1 - decay) * (slope - mean)
            square += (1 - square_decay) * (slope * slope - square)
            weight -= np.float32(rate) * mean / (np.sqrt(square) + np.float32(1e-7))
