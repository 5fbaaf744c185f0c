"""The push-to-goal task of the robots and the MuJoCo twin, for the augmentation engine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.augmentation.task import contact_phases, Task
from guda_ros.augmentation.transforms import Body, Layout
from guda_ros.data.contract import Contract, robot_of
from guda_ros.soccer import world
from guda_ros.tasks.model_rule import ModelRule
from guda_ros.tasks.soccer.rules import ApproachRule, PushRule, RandomRule
from guda_ros.tasks.soccer.validity import check_steps, REASONS

if TYPE_CHECKING:
    from guda_ros.data.transitions import TransitionSet

#: Distance [m] of robot and ball up to which they may touch; way of the ball in a step [m] up to
#: which what perception reports of it is noise.
CONTACT = 0.25
REST = 0.01


class SoccerPush(Task):
    """World states of guda_ros.soccer.world, under the contract of a robot."""

    name = 'soccer_push'
    contract_class = Contract
    layout = Layout(
        size=world.SIZE,
        bodies={
            'robot': Body((0, 1), heading=2),
            'ball': Body((3, 4), velocity=(5, 6)),
        },
        frame='robot',
        lateral=(8, 9),
        action_lateral=(1, 2),
    )
    actor = 'robot'
    object = 'ball'
    reasons: tuple[str, ...] = REASONS
    contract: Contract
    rest = REST
    rules = {rule.kind: rule for rule in (PushRule, ApproachRule, RandomRule, ModelRule)}

    @property
    def goal(self) -> np.ndarray:
        """Point (2,) of the contract, just behind the goal line [m]."""
        return self.contract.goal

    @property
    def bounds(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The lines of the field [m]."""
        field = self.contract.field
        return ((-field.length / 2, field.length / 2), (-field.width / 2, field.width / 2))

    @property
    def mouth(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Where the whole ball is in the goal [m]."""
        field = self.contract.field
        half = field.goal_width / 2 - field.ball.radius
        line = field.goal_line + field.ball.radius
        return ((line, line + field.goal_depth / 2), (-half, half))

    def reward(
        self, states: np.ndarray, actions: np.ndarray, next_states: np.ndarray
    ) -> np.ndarray:
        """Return the true rewards (M,)."""
        return self.contract.reward(states, next_states)

    def terminated(self, next_states: np.ndarray) -> np.ndarray:
        """Tell (M,) whether the ball is in the goal or out."""
        return self.contract.terminated(next_states)

    def check(
        self, states: np.ndarray, actions: np.ndarray, next_states: np.ndarray
    ) -> np.ndarray:
        """Return (M,) int8 indices into `reasons`."""
        return check_steps(states, next_states, self.contract)

    def phase(self, recorded: TransitionSet) -> np.ndarray:
        """Return (M,) indices into `phases`."""
        states, after = recorded.states, recorded.next_states
        return contact_phases(
            states[:, world.ROBOT_POSITION],
            states[:, world.BALL],
            after[:, world.ROBOT_POSITION],
            after[:, world.BALL],
            self.contract.scored(states[:, world.BALL]),
            CONTACT,
            REST,
        )

    def simulate(self, states: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Return the states (M, 10) after one step of the batched physics."""
        from guda_ros.sim.physics.batch import BatchSimulation

        simulation = BatchSimulation(self.contract, robot_of(self.contract), len(states))
        simulation.set_world_states(states)
        simulation.step(self.contract.to_command(np.asarray(actions, dtype=float)))
        return simulation.world_states()

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> TransitionSet:
        """Read the usable steps of a data set that `guda convert` made."""
        from guda_ros.data.sets.sources import read_steps

        return read_steps(Path(path))
