"""
The environment of the GuDA paper's physical experiment (arXiv 2310.18247), as its authors made it.

A robot without extent walks 12 mm a step; a ball that it comes near to jumps on, in the direction
of the robot's heading and some noise. A state is that of guda_ros.soccer.world, of which ball
velocity and previous command mean nothing here; an action is (turn, forward, left, kick), of which
the kick does nothing. An episode ends when the ball leaves the field. Not taken over is a table by
which the authors bend the ball's way: it depends on directions in the world, not on the robot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from guda_ros.augmentation.segments import run_ends, run_starts
from guda_ros.augmentation.task import contact_phases
from guda_ros.data.contract import NumbersContract
from guda_ros.data.transitions import TransitionSet
from guda_ros.soccer import world
from guda_ros.soccer.field import Field
from guda_ros.tasks.soccer.task import SoccerPush
from guda_ros.tasks.state_task import StateTask

ACTION = ('turn', 'forward', 'left', 'kick')
OBSERVATION = tuple(
    f'{what}_{part}' for what in ('origin', 'goal', 'ball') for part in ('x', 'y', 'sin', 'cos')
)
#: Boxes of robot x, y and ball x, y [m] in which the paper's two scenarios begin.
STARTS = {
    'easy': ((-0.2, 0.0), (-0.5, 0.0), (0.1, 1.0), (-3.0, 3.0)),
    'hard': ((1.8, 2.2), (-2.7, -2.3), (4.3, 4.4), (-2.7, -2.3)),
}
#: Of the real robot and its eyes: distance [m] up to which feet may touch the ball, below which
#: the two cannot be, and way [m] that a resting ball seems to go in a step, by noise.
CONTACT, INSIDE, REST = 0.3, 0.1, 0.08
#: Way [m] by which it has moved for certain, from so many steps before to as many after.
MOVED, AROUND = 0.12, 4


@dataclass(frozen=True)
class PhysicalContract(NumbersContract):
    """
    The numbers of the task [m, rad, steps], by default those of the authors.

    start: easy or hard. length, width: where the ball is in play; reach: half of the area that
    robot and ball do not leave, x and y. goal_line, goal_half: the goal is x above, |y| below;
    goal_point: x of the middle of it. step: way at full action, and its parts back and to a side;
    turn: at full action. contact: distance at which the ball jumps on by `push`; noise: standard
    deviation of its direction, of which two are the most.
    """

    name: str = 'physical_push'
    start: str = 'easy'
    length: float = 9.0
    width: float = 7.0
    reach: tuple[float, float] = (5.2, 3.7)
    goal_line: float = 4.4
    goal_half: float = 0.5
    goal_point: float = 4.8
    step: float = 0.012
    backward: float = 0.3
    sideward: float = 0.5
    turn: float = 0.25
    contact: float = 0.18
    push: float = 0.287
    noise: float = np.pi / 12
    max_steps: int = 1000

    state_size = world.SIZE
    action_size = len(ACTION)
    observation_names = OBSERVATION

    def __post_init__(self) -> None:
        if self.start not in STARTS:
            raise ValueError(f'start: one of {", ".join(STARTS)} is expected, not {self.start!r}')

    @property
    def goal(self) -> np.ndarray:
        """Point (2,) in the goal, behind the line."""
        return np.array([self.goal_point, 0.0])

    @cached_property
    def field(self) -> Field:
        """The field of the SPL with this task's width and goal, for rules that ask for lines."""
        return replace(Field.load('spl'), width=self.width, goal_width=2 * self.goal_half)

    def in_goal(self, states: np.ndarray) -> np.ndarray:
        """Tell (...) of states (..., 10) whether the ball is in the goal."""
        x, y = np.moveaxis(states[..., world.BALL], -1, 0)
        return (x > self.goal_line) & (np.abs(y) < self.goal_half)

    def out(self, states: np.ndarray) -> np.ndarray:
        """Tell (...) of states (..., 10) whether the ball has left the field."""
        x, y = np.moveaxis(states[..., world.BALL], -1, 0)
        inside = (np.abs(x) < self.length / 2) & (np.abs(y) < self.width / 2)
        return ~inside & ~self.in_goal(states)

    def reset(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return starts (count, 10), with any heading."""
        low, high = np.array(STARTS[self.start]).T
        states = np.zeros((count, world.SIZE))
        places = rng.uniform(low, high, (count, 4))
        states[:, world.ROBOT_POSITION], states[:, world.BALL] = places[:, :2], places[:, 2:]
        states[:, world.ROBOT_YAW] = rng.uniform(-np.pi, np.pi, count)
        return states

    def step_states(
        self,
        states: np.ndarray,
        actions: np.ndarray,
        rng: np.random.Generator | None = None,
    ) -> np.ndarray:
        """Return the states (M, 10) after actions (M, 4); without `rng` the ball goes straight."""
        after = np.array(states, dtype=float)
        reach = np.array(self.reach)
        turn, forward, left, _ = np.moveaxis(
            np.clip(np.asarray(actions, dtype=float), -1, 1), -1, 0
        )
        way = self.step * np.stack(
            [np.where(forward < 0, self.backward * forward, forward), self.sideward * left], -1
        )
        yaw = after[..., world.ROBOT_YAW]
        robot = np.clip(after[..., world.ROBOT_POSITION] + world.rotate(way, yaw), -reach, reach)
        yaw = world.wrap_angle(yaw + self.turn * turn)
        ball = np.clip(after[..., world.BALL], -reach, reach)
        after[..., world.ROBOT_POSITION], after[..., world.BALL] = robot, ball
        after[..., world.ROBOT_YAW] = yaw
        pushed = (np.hypot(*np.moveaxis(ball - robot, -1, 0)) < self.contact) & (
            ~self.in_goal(after)
        )
        if rng is not None:
            yaw = yaw + self.noise * np.clip(rng.standard_normal(yaw.shape), -2, 2)
        jump = self.push * np.stack([np.cos(yaw), np.sin(yaw)], axis=-1)
        after[..., world.BALL] = np.where(pushed[..., None], ball + jump, ball)
        return after

    def reward(self, next_states: np.ndarray) -> np.ndarray:
        """Return the rewards (...) of steps that end in states (..., 10)."""
        return 1.0 * self.in_goal(next_states) - 10.0 * self.out(next_states)

    def observe(self, states: np.ndarray) -> np.ndarray:
        """Return the observations (..., 12), float32: points in the robot's frame, / 10 m."""
        states = np.asarray(states, dtype=float)
        seen = np.empty((*states.shape[:-1], 12), dtype=np.float32)
        for column, point in enumerate((np.zeros(2), self.goal, states[..., world.BALL])):
            place = world.to_frame(point, states[..., world.ROBOT])
            far = np.maximum(np.hypot(place[..., 0], place[..., 1]), 1e-12)
            seen[..., 4 * column : 4 * column + 2] = place / 10
            seen[..., 4 * column + 2] = place[..., 1] / far
            seen[..., 4 * column + 3] = place[..., 0] / far
        return seen


class PhysicalPush(StateTask):
    """The paper's physical task for the augmentation engine, with the rules of soccer_push."""

    name = 'physical_push'
    layout = replace(SoccerPush.layout, action_lateral=(0, 2))
    actor = 'robot'
    object = 'ball'
    reasons = ('valid', 'robot_off_field', 'ball_off_field', 'overlap')
    rest = REST
    rules = SoccerPush.rules

    def __init__(self, contract: PhysicalContract | None = None) -> None:
        super().__init__(contract or PhysicalContract())

    @property
    def goal(self) -> np.ndarray:
        """Point (2,) in the goal [m]."""
        return self.contract.goal

    @property
    def bounds(self):
        """Where the ball is in play [m]."""
        half = self.contract.length / 2, self.contract.width / 2
        return tuple((-side, side) for side in half)

    @property
    def mouth(self):
        """Where a pushed ball comes to rest in the goal [m]."""
        contract = self.contract
        half = contract.goal_half - 0.05
        return ((contract.goal_line + 0.01, contract.goal_point), (-half, half))

    def reward(self, states, actions, next_states):
        """Return the true rewards (M,)."""
        return self.contract.reward(next_states)

    def terminated(self, next_states):
        """Tell (M,) whether the ball is out."""
        return self.contract.out(next_states)

    def check(self, states, actions, next_states):
        """
        Return (M,) int8 indices into `reasons`.

        ball_off_field: the episode was over before the step. overlap: the ball inside the robot.
        """
        contract = self.contract
        both = np.stack([states, next_states])
        reason = np.zeros(len(states), dtype=np.int8)
        robot = both[..., world.ROBOT_POSITION]
        apart = np.hypot(*np.moveaxis(both[..., world.BALL] - robot, -1, 0))
        reason[(apart < INSIDE).any(axis=0)] = 3
        reason[contract.out(states)] = 2
        reason[(np.abs(robot) > contract.reach).any(axis=(0, 2))] = 1
        return reason

    def phase(self, recorded):
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

    def start(self, count, rng):
        """Return states (count, 10) in which episodes begin."""
        return self.contract.reset(count, rng)

    def step(self, states, actions, rng=None):
        """Return the states (M, 10) after actions (M, 4): turn, forward, left, kick."""
        return self.contract.step_states(states, actions, rng)

    def succeeded(self, states):
        """Tell (M,) of states whether the ball is in the goal."""
        return self.contract.in_goal(states)

    @classmethod
    def read_contract(cls, text):
        """Return the contract that its `to_json` wrote."""
        return PhysicalContract.from_json(text)

    @classmethod
    def read(cls, path):
        """Read the usable steps of a data set that `guda convert` made, such as of the NAO."""
        from guda_ros.data.sets.minari import read_minari, read_minari_contract
        from guda_ros.data.transitions import transitions

        made = read_minari_contract(Path(path))
        return from_soccer(transitions(read_minari(Path(path), made), made))


def from_soccer(recorded: TransitionSet) -> TransitionSet:
    """Return recorded steps of robots on a soccer field as steps of this task."""
    contract = PhysicalContract()
    forward, left, turn = recorded.actions.T
    return replace(
        recorded,
        contract=contract,
        actions=np.stack([turn, forward, left, np.zeros_like(turn)], axis=1),
        rewards=contract.reward(recorded.next_states),
        terminations=contract.out(recorded.next_states),
    )
