"""Where actor and object of a task may have touched, found in a recording."""

from __future__ import annotations

import numpy as np

from guda_ros.augmentation.task import Task
from guda_ros.augmentation.transforms import Body
from guda_ros.data.transitions import TransitionSet


def displacement(recorded: TransitionSet, body: Body) -> np.ndarray:
    """Return the displacement (M, 2) [m] of a body in every recorded step."""
    position = list(body.position)
    return recorded.next_states[:, position] - recorded.states[:, position]


def rests(task: Task, recorded: TransitionSet) -> np.ndarray:
    """Tell (M,) in which recorded steps the object rests; always, if it is the actor itself."""
    if task.object == task.actor:
        return np.ones(len(recorded), dtype=bool)
    return np.hypot(*displacement(recorded, task.layout.bodies[task.object]).T) <= task.rest


def gap(task: Task, states: np.ndarray) -> np.ndarray:
    """Return the distance [m] (M,) of actor and object."""
    actor, thing = (task.layout.bodies[name].position for name in (task.actor, task.object))
    return np.hypot(
        states[:, actor[0]] - states[:, thing[0]], states[:, actor[1]] - states[:, thing[1]]
    )


def nearest_apart(task: Task, recorded: TransitionSet, share: float = 0.01) -> float:
    """
    Return the distance [m] down to which actor and object were seen not to touch.

    :param share: of the steps with a resting object, the nearest, that are not trusted.
    """
    apart = rests(task, recorded)
    if task.object == task.actor or not apart.any():
        return 0.0
    return float(np.quantile(gap(task, recorded.states[apart]), share))
