"""
The simulated soccer task of the GuDA paper (arXiv 2310.18247), in metres and vectorised.

A robot without extent walks on a field of 9 x 6 m and pushes a ball to the goal at +x. A state
is a row of five: robot x, y, ball x, y [m, `map`], robot heading [rad]; an action is (turn,
forward, left). Nothing but the time limit of 500 steps ends an episode.

What the authors' environment does is kept, oddities too, so that its recorded transitions and
returns hold: headings are compared in [0, 360) degrees without wrapping when it asks whether the
robot faces the ball; a ball over the side line is set back one step later; a ball over the goal
line beside the goal stays there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
import os
from pathlib import Path

import numpy as np

from guda_ros.augmentation import compiled
from guda_ros.augmentation.task import contact_phases
from guda_ros.augmentation.transforms import Body, Layout, to_columns
from guda_ros.data.transitions import DataSetError, TransitionSet
from guda_ros.soccer.world import wrap_angle
from guda_ros.tasks.model_rule import ModelRule
from guda_ros.tasks.push_ball.model import (
    BALL,
    cos_sin,
    LOOPS,
    PushBallModel,
    ROBOT,
    YAW,
)
from guda_ros.tasks.push_ball.rules import PushOnRule, WalkRule
from guda_ros.tasks.state_task import StateTask


class PushBallToGoal(StateTask):
    """The paper's simulated soccer task for the augmentation engine."""

    name = 'push_ball_to_goal'
    layout = Layout(
        size=5,
        bodies={'robot': Body((0, 1), heading=4), 'ball': Body((2, 3))},
        frame='robot',
        action_lateral=(0, 2),
    )
    actor = 'robot'
    object = 'ball'
    reasons = ('valid', 'robot_off_field', 'ball_off_field', 'overlap')
    rest = 1e-4
    #: Measured with the authors' code and their half-successful demonstrator, 1000 episodes.
    reference_returns = (0.02, 114.9)
    rules = {rule.kind: rule for rule in (WalkRule, PushOnRule, ModelRule)}
    loops = (LOOPS,)
    contract: PushBallModel

    def __init__(self, contract: PushBallModel | None = None) -> None:
        super().__init__(contract or PushBallModel())

    @property
    def goal(self) -> np.ndarray:
        """Point (2,) in the goal [m]."""
        return self.contract.goal

    @property
    def bounds(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The lines of the field [m]."""
        line, side = self.contract.length / 2, self.contract.width / 2
        return ((-line, line), (-side, side))

    @property
    def mouth(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Where a pushed ball comes to rest in the goal [m]."""
        line, post = self.contract.length / 2, self.contract.goal_width / 2
        deep = line + self.contract.goal_depth - 0.05
        return ((line + 0.001, deep), (-post + 0.05, post - 0.05))

    def reward(
        self, states: np.ndarray, actions: np.ndarray, next_states: np.ndarray
    ) -> np.ndarray:
        """Return the true rewards (M,)."""
        return self.contract.reward(next_states)

    def observe(self, both: np.ndarray, out: Sequence[np.ndarray]) -> None:
        """Write what the contract observes of states and successors to two arrays."""
        loops = compiled.loops(LOOPS)
        if not loops:
            super().observe(both, out)
            return
        contract, columns, single = self.contract, to_columns(both), np.float32
        turning = zip(*cos_sin(columns[YAW]))
        for part, (turned, rows) in enumerate(zip(turning, out)):
            loops.observe(
                *map(compiled.column, columns[:YAW, part]),
                *turned,
                single(contract.goal[0]),
                single(1 / contract.length),
                single(1 / contract.width),
                rows,
            )

    def terminated(self, next_states: np.ndarray) -> np.ndarray:
        """Tell (M,) that nothing ends an episode but its time."""
        return np.zeros(len(next_states), dtype=bool)

    def check(
        self, states: np.ndarray, actions: np.ndarray, next_states: np.ndarray
    ) -> np.ndarray:
        """
        Return (M,) int8 indices into `reasons`.

        off_field: where the environment would set robot or ball back, or the ball is beside the
        goal. overlap: the robot stands where it would have pushed the ball away.
        """
        contract = self.contract
        line, side, post = contract.length / 2, contract.width / 2, contract.goal_width / 2
        reason = np.zeros(len(states), dtype=np.int8)
        loops = compiled.loops(LOOPS)
        if loops:
            steps = map(compiled.column, (*states.T[:YAW], *next_states.T[:YAW]))
            loops.check(*steps, line, side, post, contract.goal_depth, contract.contact**2, reason)
            return reason
        # What few rows are in for is asked of those rows alone.
        x, y = states.T[BALL] - next_states.T[ROBOT]
        near = np.flatnonzero(x * x + y * y < contract.contact**2)
        before, after = (np.take(part.T[BALL], near, axis=1) for part in (states, next_states))
        rests = (before == after).all(axis=0)
        reason[near[rests]] = 3
        edge = np.array([[line], [side]] * 2)
        beyond = [(part.T[:4] > edge) | (part.T[:4] < -edge) for part in (states, next_states)]
        robot_x, robot_y, ball_x, ball_y = beyond[0] | beyond[1]
        over = np.flatnonzero(ball_x | ball_y)
        for part in (states, next_states):
            x, y = np.take(part.T[BALL], over, axis=1)
            far = np.abs(y)
            inside = (x > line) & (x < line + contract.goal_depth) & (far < post)
            beside = ((np.abs(x) > line) | (far > side)) & ~inside
            reason[over[beside]] = 2
        reason[robot_x | robot_y] = 1
        return reason

    def phase(self, recorded: TransitionSet) -> np.ndarray:
        """Return (M,) indices into `phases`."""
        states, after = recorded.states, recorded.next_states
        return contact_phases(
            states[:, ROBOT],
            states[:, BALL],
            after[:, ROBOT],
            after[:, BALL],
            self.contract.in_goal(states),
            self.contract.contact + self.contract.step,
            self.rest,
        )

    def movable(self, recorded: TransitionSet) -> np.ndarray:
        """Tell (M,) which steps neither the lines nor the own goal changed."""
        free = PushBallModel(**{**asdict(self.contract), 'length': 1e6, 'width': 1e6})
        error = free.step_states(recorded.states, recorded.actions) - recorded.next_states
        return np.abs(error[:, :4]).max(axis=1, initial=0.0) < 1e-5

    def start(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return states (count, 5) in which episodes begin."""
        return self.contract.reset(count, rng)

    def step(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return the states (M, 5) after actions (M, 3): turn, forward, left."""
        return self.contract.step_states(states, actions)

    def succeeded(self, states: np.ndarray) -> np.ndarray:
        """Tell (M,) of states whether the ball is in the goal."""
        return self.contract.in_goal(states)

    @classmethod
    def read_contract(cls, text: str) -> PushBallModel:
        """Return the contract that its `to_json` wrote."""
        return PushBallModel.from_json(text)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> TransitionSet:
        """
        Read recorded transitions (.npz) as the authors' demonstrator made them, in mm.

        :raises DataSetError: if the file is missing or not such a recording.
        """
        path = Path(path)
        try:
            with np.load(path) as file:
                states, next_states = (
                    _metres(file[name]) for name in ('world_states', 'next_world_states')
                )
                actions, rewards = file['actions'], file['rewards']
                episode = file['episode'].astype(int)
        except (OSError, KeyError, ValueError) as error:
            raise DataSetError(
                f'{path}: no recording of the task push_ball_to_goal ({error}); give one of its '
                'initial_*.npz files'
            ) from error
        contract = PushBallModel()
        names, episode = np.unique(episode, return_inverse=True)
        step = np.concatenate([np.arange(np.sum(episode == index)) for index in range(len(names))])
        scored = [
            bool(contract.in_goal(next_states[episode == index]).any())
            for index in range(len(names))
        ]
        return TransitionSet(
            contract=contract,
            states=states,
            actions=actions,
            next_states=next_states,
            rewards=rewards,
            terminations=np.zeros(len(states), dtype=bool),
            source_episode=episode,
            source_step=step,
            rule=np.zeros(len(states)),
            episode_ids=tuple(f'{path.stem}_{name}' for name in names),
            episode_success=tuple(scored),
        )


def _metres(rows: np.ndarray) -> np.ndarray:
    """Return states in metres; headings stay, wrapped."""
    states = np.array(rows, dtype=float)
    states[:, :4] /= 1000.0
    states[:, YAW] = wrap_angle(states[:, YAW])
    return states
