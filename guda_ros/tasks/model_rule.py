"""
The model-based baseline: combine parts of recorded states, and let learnt dynamics go on.

In the manner of MoCoDA (Pitis et al., 2022, arXiv 2210.11287), with the dynamics of
guda_ros.learning.dynamics: it knows which things touch, and nothing of the symmetries of the
field. What it makes is as right as the networks are; `--verify` tells how right that is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from guda_ros.augmentation.rules.base import parameters_of, Proposal, Rule
from guda_ros.augmentation.transforms import Change, Move
from guda_ros.augmentation.values.contact import gap, nearest_apart, rests
from guda_ros.config.files import Section

if TYPE_CHECKING:
    from guda_ros.augmentation.task import Task


class ModelRule(Rule):
    """
    Put together the actor and action of one recorded step and the object of another.

    Places are scattered by `scatter` [m], as if drawn from a density of the recorded ones. Steps
    in which the two touch stay whole. Rewards and ends are those of the task.
    """

    kind = 'model'
    reasons = ('accepted', 'too_near')

    def __init__(self, section: Section, task: Task) -> None:
        """Take the keys of the rule."""
        self._updates = section.integer('updates', 1, 10**6)
        self._scatter = section.number('scatter', 0, 10)

    def _find(self) -> None:
        # Here and not above: what runs on the robot reads guides too, without torch.
        from guda_ros.learning.dynamics import Component, FactoredDynamics

        recorded, task = self.recorded, self.task
        bodies = {name: task.layout.bodies[name] for name in (task.actor, task.object)}
        components = {}
        for name, body in bodies.items():
            heading = () if body.heading is None else (body.heading,)
            # What no body has goes with the one that acts, such as the command before.
            others = task.layout.others if name == task.actor else ()
            columns = (*body.position, *(body.velocity or ()), *heading, *others)
            components[name] = Component(columns, heading)
        self._together = ~rests(task, recorded)
        self._dynamics = None
        if len(recorded):
            self._dynamics = FactoredDynamics(components, task.actor, self._updates).fit(
                recorded.states, recorded.actions, recorded.next_states, self._together
            )
        self._apart = np.flatnonzero(~self._together)
        self._nearest = nearest_apart(task, recorded)

    @property
    def candidates(self) -> int:
        """Number of recorded steps that the rule can use."""
        return len(self.recorded)

    def propose(self, count: int, rng: np.random.Generator) -> Proposal:
        """Propose `count` steps."""
        recorded, task = self.recorded, self.task
        rows = rng.integers(0, len(recorded), count)
        parts = []
        for touch in (False, True):
            chosen = rows[self._together[rows] == touch]
            shift = rng.normal(0, self._scatter, (len(chosen), 2))
            change = self._shift(shift)
            if not touch and task.object != task.actor:
                columns = list(task.layout.bodies[task.object].position)
                other = self._apart[rng.integers(0, max(len(self._apart), 1), len(chosen))]
                put = recorded.states[other][:, columns]
                put = put + rng.normal(0, self._scatter, put.shape)
                change = Change(task.layout, change.moves, {task.object: put})
            parts.append(
                (
                    chosen,
                    change.states(recorded.states[chosen]),
                    parameters_of(change, len(chosen)),
                    np.full(len(chosen), touch),
                )
            )
        rows, states, parameters, together = (np.concatenate(part) for part in zip(*parts))
        order = rng.permutation(count)
        rows, states, parameters, together = (
            part[order] for part in (rows, states, parameters, together)
        )
        actions = recorded.actions[rows]
        near = ~together & (gap(task, states) < self._nearest)
        dynamics = self._dynamics
        assert dynamics is not None, 'without candidates nothing is proposed'
        after = dynamics.predict(states, actions, together)
        return Proposal(np.stack([states, after]), actions, rows, near.astype(np.int8), parameters)

    def _shift(self, shift: np.ndarray) -> Change:
        still = np.zeros(len(shift))
        move = Move(still.astype(bool), still, shift)
        return Change(self.task.layout, dict.fromkeys(self.task.layout.bodies, move))

    def explain(self) -> list[str]:
        """Return sentences that say what the rule will do."""
        return [
            f'learns the dynamics of each thing from the recording ({self._updates} updates)',
            f'combines actor and object of different steps, scattered by {self._scatter:g} m',
            'takes the next state from those dynamics: it is a guess',
        ]
