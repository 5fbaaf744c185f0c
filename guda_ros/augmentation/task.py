"""
What the engine asks of a task; a new one is a subclass, named in the entry points guda_ros.tasks.

The engine knows columns only through the `Layout`, rewards and ends only through the task's own
functions, and rules beyond `move` and `auto` only through `rules`. examples/new_task is a
task of eighty lines.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
import os
from pathlib import Path
import re
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.augmentation.transforms import Layout
from guda_ros.data.contract import Contract
from guda_ros.data.contract_base import ContractBase
from guda_ros.data.transitions import DataSetError, TransitionSet

if TYPE_CHECKING:
    from gymnasium.vector import VectorEnv

#: Phases that `contact_phases` finds.
PHASES = ('approach', 'push', 'kick', 'in_goal')
#: Actions (N, A) for observations (N, D) of N episodes.
Policy = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Outcomes:
    """How N episodes of a policy ended."""

    #: Sums of rewards, not discounted (N,).
    returns: np.ndarray
    #: Whether the goal was reached at any step (N,) bool.
    successes: np.ndarray
    #: Steps until then (N,); those of the whole episode where it was not reached.
    steps: np.ndarray


#: ((x low, x high), (y low, y high)) [m].
Box = tuple[tuple[float, float], tuple[float, float]]


class Task(ABC):
    """One task under one contract."""

    #: By which guides, data and contracts name the task.
    name: str
    #: The columns of a state.
    layout: Layout
    #: Bodies of the layout that act and that are acted on; they may be the same.
    actor: str
    object: str
    #: Why `check` refuses steps; index 0 stands for those that it accepts.
    reasons: tuple[str, ...] = ('valid',)
    #: Names of the parts that `phase` tells apart.
    phases: tuple[str, ...] = PHASES
    #: Displacement [m] of the object in a step up to which it rests.
    rest: float = 1e-6
    #: Kinds of rules, beyond those of the engine, that guides of this task may use.
    rules: Mapping[str, type] = {}
    #: Mean returns of random actions and of the demonstrator, which are 0 and 100 of normalised
    #: returns; None: not measured.
    reference_returns: tuple[float, float] | None = None
    #: Modules with compiled loops that the task uses, see guda_ros.augmentation.compiled.
    loops: tuple[str, ...] = ()

    def __init__(self, contract: ContractBase) -> None:
        self.contract = contract

    @property
    @abstractmethod
    def goal(self) -> np.ndarray:
        """Point (2,) [m] to which the object is to come."""

    @property
    @abstractmethod
    def bounds(self) -> Box:
        """The field as ((x low, x high), (y low, y high)) [m]: where things are put at random."""

    @property
    @abstractmethod
    def mouth(self) -> Box:
        """Positions in the goal, as ((x low, x high), (y low, y high)) [m]."""

    @property
    def walls(self) -> tuple[Box, ...]:
        """Walls to draw, each as ((x low, x high), (y low, y high)) [m]."""
        return ()

    @abstractmethod
    def reward(
        self, states: np.ndarray, actions: np.ndarray, next_states: np.ndarray
    ) -> np.ndarray:
        """Return the true rewards (M,) of steps."""

    @abstractmethod
    def terminated(self, next_states: np.ndarray) -> np.ndarray:
        """Tell (M,) of states whether the task ends in them."""

    @abstractmethod
    def check(
        self, states: np.ndarray, actions: np.ndarray, next_states: np.ndarray
    ) -> np.ndarray:
        """Return (M,) int8 indices into `reasons` of changed steps; 0: the world allows them."""

    def observe(self, both: np.ndarray, out: Sequence[np.ndarray]) -> None:
        """Write what the contract observes of states and successors (2, M, S) to two arrays."""
        for seen, rows in zip(self.contract.observe(both), out):
            rows[:] = seen

    @abstractmethod
    def phase(self, recorded: TransitionSet) -> np.ndarray:
        """Return (M,) indices into `phases` of recorded steps, -1 for none of them."""

    def movable(self, recorded: TransitionSet) -> np.ndarray:
        """Tell (M,) which recorded steps do not depend on where in the world they happened."""
        return np.ones(len(recorded), dtype=bool)

    def simulate(self, states: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Return the states (M, S) after one step of the simulator, for `--verify`."""
        raise NotImplementedError(f'task {self.name} has no simulator to verify with')

    def environments(self, count: int) -> VectorEnv:
        """
        Return `count` episodes as a gymnasium.vector.VectorEnv with next-step autoreset.

        Observations are those of the contract; infos have is_success (count,).
        """
        raise NotImplementedError(f'task {self.name} has no environment to evaluate in')

    def evaluate(self, policy: Policy, count: int, seed: int) -> Outcomes:
        """
        Play `count` episodes with a policy; a seed stands for the same starts whatever the policy.

        :param policy: returns actions (count, A) for observations (count, D).
        """
        environments = self.environments(count)
        try:
            return _play(environments, policy, count, seed)
        finally:
            environments.close()

    @classmethod
    def initial_data(cls, folder: str | os.PathLike[str], seed: int) -> TransitionSet:
        """
        Return the recorded steps that a training with this seed begins with.

        Of the K files initial_* in the folder, or in its sub-folder of the task's name, it is
        number `seed` modulo K.

        :raises DataSetError: if there is none, or it cannot be read.
        """
        files = initial_files(folder, cls.name)
        return cls.read(files[seed % len(files)])

    @classmethod
    def read_contract(cls, text: str) -> ContractBase:
        """Return the contract that its `to_json` wrote; ValueError when it cannot be read."""
        return Contract.from_json(text)

    @classmethod
    @abstractmethod
    def read(cls, path: str | os.PathLike[str]) -> TransitionSet:
        """Read recorded steps of this task; GudaError when it cannot be done."""


def initial_files(folder: str | os.PathLike[str], task: str) -> list[Path]:
    """Return the recordings initial_* of a task, by number; DataSetError if there are none."""
    folder = Path(folder)
    # A folder of the task's name may be something else, such as its Python package.
    inner = list((folder / task).glob('initial_*'))
    found = sorted(
        inner or folder.glob('initial_*'),
        key=lambda path: [int(part) for part in re.findall(r'\d+', path.stem)],
    )
    if not found:
        raise DataSetError(
            f'{folder}: has no initial data of the task {task}; give the folder that holds '
            f'initial_0, initial_1 ... of it, or {task}/ with them'
        )
    return found


def _play(environments: VectorEnv, policy: Policy, count: int, seed: int) -> Outcomes:
    """Step environments until every one has ended once; what follows an end does not count."""
    observations, _ = environments.reset(seed=seed)
    returns, steps = np.zeros(count), np.zeros(count, dtype=int)
    successes, running = np.zeros(count, dtype=bool), np.ones(count, dtype=bool)
    while running.any():
        observations, rewards, terminated, truncated, info = environments.step(
            policy(observations)
        )
        returns += np.where(running, rewards, 0.0)
        steps += running & ~successes
        successes |= running & np.asarray(info['is_success'], dtype=bool)
        running &= ~(terminated | truncated)
    return Outcomes(returns, successes, steps)


def contact_phases(
    robot: np.ndarray,
    ball: np.ndarray,
    next_robot: np.ndarray,
    next_ball: np.ndarray,
    in_goal: np.ndarray,
    contact: float,
    rest: float,
) -> np.ndarray:
    """
    Return (M,) indices into PHASES, found from positions (M, 2) before and after each step.

    approach: the ball rests; push: it moves and the robot is near; kick: it moves, the robot is
    not near; in_goal: it is in the goal before the step.

    :param contact: distance [m] from the robot's middle up to which it may touch the ball.
    :param rest: displacement [m] of the ball in a step up to which it rests.
    """
    moves = np.linalg.norm(next_ball - ball, axis=-1) > rest
    distance = np.minimum(
        np.linalg.norm(ball - robot, axis=-1), np.linalg.norm(ball - next_robot, axis=-1)
    )
    phase = np.where(moves, np.where(distance <= contact, 1, 2), 0)
    return np.where(in_goal, 3, phase).astype(np.int8)
