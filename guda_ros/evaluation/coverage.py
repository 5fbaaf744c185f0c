"""How good and how wide a set of transitions is: TQ and SACo, made for single steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guda_ros.augmentation.task import Task
from guda_ros.data.transitions import TransitionSet

#: Edges of a cell: places [m], headings [rad] and actions.
_PLACE, _HEADING, _ACTION = 0.5, np.pi / 4, 0.5


@dataclass(frozen=True)
class SetDescription:
    """
    What a set is like.

    reward: mean of a step (TQ is the mean return; augmented steps have none). progress: mean way
    [mm] of the object to the goal in a step. cells: how many cells of state and action hold a step
    (SACo is their share).
    """

    reward: float
    progress: float
    cells: int


def describe_set(task: Task, steps: TransitionSet, sample: int = 100_000) -> SetDescription:
    """Describe a set, of its first `sample` steps."""
    states, actions = steps.states[:sample], steps.actions[:sample]
    columns = [np.floor(actions / _ACTION)]
    for body in task.layout.bodies.values():
        columns.append(np.floor(states[:, list(body.position)] / _PLACE))
        if body.heading is not None:
            columns.append(np.floor(states[:, [body.heading]] / _HEADING))
    cells = np.unique(np.concatenate(columns, axis=1).astype(np.int16), axis=0)
    place = list(task.layout.bodies[task.object].position)
    before = np.linalg.norm(states[:, place] - task.goal, axis=1)
    after = np.linalg.norm(steps.next_states[:sample, place] - task.goal, axis=1)
    return SetDescription(
        float(steps.rewards[:sample].mean()), float((before - after).mean() * 1000), len(cells)
    )
