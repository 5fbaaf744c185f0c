"""How good and how wide a set of transitions is: TQ and SACo, made for single steps."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from guda_ros.augmentation.task import Task
from guda_ros.data.transitions import RAW, TransitionSet

#: Edges of a cell: places [m], headings [rad] and actions,
_CELL = (0.5, np.pi / 4, 0.5)
#: and of the wide ones of SACo, which 10^6 uniformly drawn steps nearly fill.
_WIDE_CELL = (1.0, np.pi / 4, 1.0)
_UNIFORM = 10**6


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
    cells = _cells(task, steps.states[:sample], steps.actions[:sample], _CELL)
    columns = list(task.layout.bodies[task.object].position)
    before = np.linalg.norm(steps.states[:sample, columns] - task.goal, axis=1)
    after = np.linalg.norm(steps.next_states[:sample, columns] - task.goal, axis=1)
    return SetDescription(
        float(steps.rewards[:sample].mean()), float((before - after).mean() * 1000), cells
    )


@dataclass(frozen=True)
class Quality:
    """
    TQ and SACo of a set with recorded steps (Schweighofer et al. 2021, arXiv 2111.04714).

    tq: mean return, 0 that of random actions and 1 the demonstrator's; of augmented steps the mean
    reward of as many steps as a recorded episode has. saco: how many cells of state and action
    hold a step, as a share of the cells that 10^6 uniformly drawn states and actions fill.
    """

    tq: float
    saco: float


def quality(task: Task, steps: TransitionSet) -> Quality:
    """Return TQ and SACo of a set; without reference returns TQ is the mean return itself."""
    recorded = steps.rule == steps.rule_names.index(RAW)
    length = recorded.sum() / len(np.unique(steps.source_episode[recorded]))
    low, high = task.reference_returns or (0.0, 1.0)
    return Quality(
        float((steps.rewards.mean(dtype=float) * length - low) / (high - low)),
        _cells(task, steps.states, steps.actions, _WIDE_CELL) / _uniform_cells(task),
    )


def _cells(
    task: Task, states: np.ndarray, actions: np.ndarray, edges: tuple[float, float, float]
) -> int:
    """Return how many cells of the bodies' places, their headings and actions hold a step."""
    side, heading, action = edges
    columns = [np.floor(actions / action)]
    for body in task.layout.bodies.values():
        columns.append(np.floor(states[:, list(body.position)] / side))
        if body.heading is not None:
            columns.append(np.floor(states[:, [body.heading]] / heading))
    cells = np.concatenate(columns, axis=1).astype(np.int64)
    cells -= cells.min(axis=0)
    # One number a cell: sorting rows takes ten times as long.
    return len(np.unique(np.ravel_multi_index(tuple(cells.T), tuple(cells.max(axis=0) + 1))))


@lru_cache(maxsize=1)
def _uniform_cells(task: Task) -> int:
    """Return how many wide cells uniformly drawn places, headings and actions fill."""
    rng = np.random.default_rng(0)
    low, high = np.transpose(task.bounds)
    states = np.zeros((_UNIFORM, task.layout.size))
    for body in task.layout.bodies.values():
        states[:, list(body.position)] = rng.uniform(low, high, (_UNIFORM, 2))
        if body.heading is not None:
            states[:, body.heading] = rng.uniform(-np.pi, np.pi, _UNIFORM)
    limit = task.contract.action_limit
    return _cells(task, states, rng.uniform(-limit, limit, (_UNIFORM, len(limit))), _WIDE_CELL)
