"""The paper's physical task for the engine; guda_ros.tasks.physical_push.model has its rules."""

from __future__ import annotations

from dataclasses import replace
import os
from pathlib import Path

import numpy as np

from guda_ros.augmentation.segments import run_ends, run_starts
from guda_ros.augmentation.task import contact_phases
from guda_ros.data.transitions import TransitionSet
from guda_ros.soccer import world
from guda_ros.tasks.physical_push.model import PhysicalPushModel
from guda_ros.tasks.soccer.task import SoccerPush
from guda_ros.tasks.state_task import StateTask

#: Of the real robot and its eyes: distance [m] up to which feet may touch the ball, and way [m]
#: that a resting ball seems to go in a step, by noise.
CONTACT, REST = 0.3, 0.08
#: Way [m] by which it has moved for certain, from so many steps before to as many after.
MOVED, AROUND = 0.12, 4


class PhysicalPush(StateTask):
    """The paper's physical task for the augmentation engine, with the rules of soccer_push."""

    name = 'physical_push'
    layout = replace(SoccerPush.layout, action_lateral=(0, 2))
    actor = 'robot'
    object = 'ball'
    reasons = ('valid', 'robot_off_field', 'ball_off_field', 'overlap')
    rest = REST
    rules = SoccerPush.rules
    contract: PhysicalPushModel

    def __init__(self, contract: PhysicalPushModel | None = None) -> None:
        super().__init__(contract or PhysicalPushModel())

    @property
    def goal(self) -> np.ndarray:
        """Point (2,) in the goal [m]."""
        return self.contract.goal

    @property
    def bounds(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Where the ball is in play [m]."""
        x, y = self.contract.length / 2, self.contract.width / 2
        return ((-x, x), (-y, y))

    @property
    def mouth(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Where a pushed ball comes to rest in the goal [m]."""
        contract = self.contract
        half = contract.goal_half - 0.05
        return ((contract.goal_line + 0.01, contract.goal_point), (-half, half))

    def reward(
        self, states: np.ndarray | None, actions: np.ndarray | None, next_states: np.ndarray
    ) -> np.ndarray:
        """Return the true rewards (M,)."""
        return self.contract.reward(next_states)

    def terminated(self, next_states: np.ndarray) -> np.ndarray:
        """Tell (M,) whether the ball is out."""
        return self.contract.out(next_states)

    def check(
        self, states: np.ndarray, actions: np.ndarray, next_states: np.ndarray
    ) -> np.ndarray:
        """
        Return (M,) int8 indices into `reasons`.

        ball_off_field: the episode was over before the step. overlap: the ball inside the robot.
        """
        contract = self.contract
        both = np.stack([states, next_states])
        reason = np.zeros(len(states), dtype=np.int8)
        robot = both[..., world.ROBOT_POSITION]
        apart = np.hypot(*np.moveaxis(both[..., world.BALL] - robot, -1, 0))
        reason[(apart < world.OVERLAP).any(axis=0)] = 3
        reason[contract.out(states)] = 2
        reason[(np.abs(robot) > contract.reach).any(axis=(0, 2))] = 1
        return reason

    def phase(self, recorded: TransitionSet) -> np.ndarray:
        """
        Return (M,) indices into `phases`.

        A single step of the real ball is no larger than its noise: whether it moves is seen from
        the steps around.
        """
        states, after = recorded.states, recorded.next_states
        row = np.arange(len(recorded))
        first = run_starts(recorded, np.ones(len(recorded), dtype=bool))
        before = states[np.maximum(row - AROUND, first)]
        later = after[np.minimum(row + AROUND, run_ends(recorded))]
        return contact_phases(
            states[:, world.ROBOT_POSITION],
            before[:, world.BALL],
            after[:, world.ROBOT_POSITION],
            later[:, world.BALL],
            self.contract.in_goal(states),
            CONTACT,
            MOVED,
        )

    def start(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return states (count, 10) in which episodes begin."""
        return self.contract.reset(count, rng)

    def step(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return the states (M, 10) after actions (M, 4): turn, forward, left, kick."""
        return self.contract.step_states(states, actions, rng)

    def succeeded(self, states: np.ndarray) -> np.ndarray:
        """Tell (M,) of states whether the ball is in the goal."""
        return self.contract.in_goal(states)

    @classmethod
    def read_contract(cls, text: str) -> PhysicalPushModel:
        """Return the contract that its `to_json` wrote."""
        return PhysicalPushModel.from_json(text)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> TransitionSet:
        """Read the usable steps of a data set that `guda convert` made, such as of the NAO."""
        from guda_ros.data.sets.sources import read_steps

        return from_soccer(read_steps(Path(path)))


def from_soccer(recorded: TransitionSet) -> TransitionSet:
    """Return recorded steps of robots on a soccer field as steps of this task."""
    contract = PhysicalPushModel()
    forward, left, turn = recorded.actions.T
    return replace(
        recorded,
        contract=contract,
        actions=np.stack([turn, forward, left, np.zeros_like(turn)], axis=1),
        rewards=contract.reward(recorded.next_states),
        terminations=contract.out(recorded.next_states),
    )
