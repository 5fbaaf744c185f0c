"""
The model of the GuDA paper's physical experiment (arXiv 2310.18247), as its authors made it.

A robot without extent walks 12 mm a step; a ball that it comes near to jumps on, in the direction
of the robot's heading and some noise. A state is that of guda_ros.soccer.world, of which ball
velocity and previous command mean nothing here; an action is (turn, forward, left, kick), of which
the kick does nothing. An episode ends when the ball leaves the field. Not taken over is a table by
which the authors bend the ball's way: it depends on directions in the world, not on the robot.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from guda_ros.data.contract_base import NumbersContract
from guda_ros.soccer import world
from guda_ros.soccer.field import Field

ACTION = ('turn', 'forward', 'left', 'kick')
OBSERVATION = tuple(
    f'{what}_{part}' for what in ('origin', 'goal', 'ball') for part in ('x', 'y', 'sin', 'cos')
)
#: Boxes of robot x, y and ball x, y [m] in which the paper's two scenarios begin.
STARTS = {
    'easy': ((-0.2, 0.0), (-0.5, 0.0), (0.1, 1.0), (-3.0, 3.0)),
    'hard': ((1.8, 2.2), (-2.7, -2.3), (4.3, 4.4), (-2.7, -2.3)),
}


@dataclass(frozen=True)
class PhysicalPushModel(NumbersContract):
    """
    Dynamics, reward and observation; its numbers [m, rad, steps] are the contract of the task.

    By default they are those of the authors.

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
        positions = rng.uniform(low, high, (count, 4))
        states[:, world.ROBOT_POSITION], states[:, world.BALL] = positions[:, :2], positions[:, 2:]
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
        displacement = self.step * np.stack(
            [np.where(forward < 0, self.backward * forward, forward), self.sideward * left], -1
        )
        yaw = after[..., world.ROBOT_YAW]
        robot = np.clip(
            after[..., world.ROBOT_POSITION] + world.rotate(displacement, yaw), -reach, reach
        )
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
            relative = world.to_frame(point, states[..., world.ROBOT])
            far = np.maximum(np.hypot(relative[..., 0], relative[..., 1]), 1e-12)
            seen[..., 4 * column : 4 * column + 2] = relative / 10
            seen[..., 4 * column + 2] = relative[..., 1] / far
            seen[..., 4 * column + 3] = relative[..., 0] / far
        return seen
