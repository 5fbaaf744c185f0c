"""
Whether the simulator agrees with augmented transitions: the test that finds a wrong s~'.

Each state is restored, the action taken, and what comes out compared with the successor and the
reward of the transition; beside it the same for the recorded transitions, whose error is that of
the recording and the simulator alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from guda_ros.augmentation.task import Task
from guda_ros.data.transitions import TransitionSet
from guda_ros.soccer.world import wrap_angle_fast


@dataclass(frozen=True)
class Verification:
    """
    Errors of a sample of transitions: median and 99th percentile.

    position [m]: the farthest of all bodies; heading [rad]; reward.
    """

    count: int
    position: tuple[float, float]
    heading: tuple[float, float]
    reward: tuple[float, float]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            'count': self.count,
            **{name: list(getattr(self, name)) for name in ('position', 'heading', 'reward')},
        }


def verify(task: Task, steps: TransitionSet, sample: int, seed: int = 0) -> Verification:
    """Step a sample of transitions in the simulator of their task."""
    rows = np.flatnonzero(~task.terminated(steps.states))
    if len(rows) > sample:
        rows = np.random.default_rng([seed, 12]).choice(rows, sample, replace=False)
    chosen = steps.select(np.sort(rows))
    after = task.simulate(chosen.states, chosen.actions)
    reward = task.reward(chosen.states, chosen.actions, after)
    difference = after - chosen.next_states
    bodies = task.layout.bodies.values()
    position = np.max(
        [np.linalg.norm(difference[:, list(body.position)], axis=1) for body in bodies], axis=0
    )
    headings = [body.heading for body in bodies if body.heading is not None]
    heading = np.abs(wrap_angle_fast(difference[:, headings])).max(axis=1, initial=0.0)
    return Verification(
        len(chosen), _errors(position), _errors(heading), _errors(np.abs(reward - chosen.rewards))
    )


def _errors(values: np.ndarray) -> tuple[float, float]:
    if not len(values):
        return (float('nan'), float('nan'))
    return (float(np.median(values)), float(np.quantile(values, 0.99)))
