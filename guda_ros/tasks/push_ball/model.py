"""
The model of the paper's soccer task: its numbers, dynamics, reward and observation.

Reward and observation are there twice, in NumPy and as compiled loops for many states at a time,
with the same result to the bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guda_ros.augmentation import compiled
from guda_ros.augmentation.transforms import to_columns
from guda_ros.data.contract_base import NumbersContract
from guda_ros.soccer.world import wrap_angle

#: The compiled loops of the task.
LOOPS = 'guda_ros.tasks.push_ball.loops'
STATE = ('robot_x', 'robot_y', 'ball_x', 'ball_y', 'robot_yaw')
ROBOT, BALL, YAW = slice(0, 2), slice(2, 4), 4
ACTION = ('turn', 'forward', 'left')
OBSERVATION = (
    'ball_from_robot_x',
    'ball_from_robot_y',
    'goal_from_ball_x',
    'goal_from_ball_y',
    'ball_bearing_sin',
    'ball_bearing_cos',
    'goal_bearing_sin',
    'goal_bearing_cos',
)


@dataclass(frozen=True)
class PushBallModel(NumbersContract):
    """
    Dynamics, reward and observation; its numbers [m, rad, steps] are the contract of the task.

    By default they are those of the paper.

    step: way at full action; turn: heading at turn 1; contact: distance at which the ball jumps,
    by as much; facing: half the angle in which the robot faces the ball; max_turn: of the action.
    """

    name: str = 'push_ball_to_goal'
    length: float = 9.0
    width: float = 6.0
    goal_width: float = 1.5
    goal_depth: float = 0.3
    step: float = 0.04
    turn: float = 0.2
    max_turn: float = np.pi / 2
    contact: float = 0.15
    facing: float = np.pi / 6
    max_steps: int = 500
    robot_start: tuple[float, float] = (3.5, 2.5)
    ball_start: tuple[float, float] = (2.5, 2.0)

    state_size = len(STATE)
    action_size = len(ACTION)
    observation_names = OBSERVATION

    @property
    def action_limit(self) -> np.ndarray:
        """Largest size (3,) of every part of an action."""
        return np.array([self.max_turn, 1.0, 1.0], dtype=np.float32)

    @property
    def goal(self) -> np.ndarray:
        """Point (2,) in the goal, behind the line."""
        return np.array([self.length / 2 + self.goal_depth, 0.0])

    @property
    def goal_line(self) -> float:
        """X of the attacked goal line [m]."""
        return self.length / 2

    def in_goal(self, states: np.ndarray) -> np.ndarray:
        """Tell (...) of states (..., 5) whether the ball is in the goal."""
        return (states[..., 2] > self.length / 2) & (np.abs(states[..., 3]) < self.goal_width / 2)

    def settled(self, next_states: np.ndarray) -> np.ndarray:
        """Tell (M,) of states (M, 5) where the ball is in the goal, which pays the same on."""
        return self.in_goal(next_states)

    def reset(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return starts (count, 5)."""
        half = np.array([*self.robot_start, *self.ball_start])
        states = np.empty((count, 5))
        states[:, :4] = rng.uniform(-half, half, (count, 4))
        states[:, YAW] = rng.uniform(-np.pi, np.pi, count)
        return states

    def step_states(self, states: np.ndarray, actions: np.ndarray) -> np.ndarray:
        """Return the states (M, 5) after actions (M, 3); the noise-free dynamics."""
        states, actions = np.asarray(states, dtype=float), np.asarray(actions, dtype=float)
        line, side, post = self.length / 2, self.width / 2, self.goal_width / 2
        x, y, ball_x, ball_y, yaw = np.moveaxis(states, -1, 0)
        turn, forward, left = np.moveaxis(actions, -1, 0)
        size = self.step / np.maximum(np.hypot(forward, left), 1.0)
        cos, sin = np.cos(yaw), np.sin(yaw)
        x = x + size * (cos * forward - sin * left)
        y = y + size * (sin * forward + cos * left)
        # The ball is set back, then the robot, which does not walk round a post either.
        ball_y = np.clip(ball_y, -side, side)
        y = np.where(np.abs(x) > line, np.clip(y, -post, post), y)
        x, y = np.clip(x, -line, line), np.clip(y, -side, side)
        dx, dy = ball_x - x, ball_y - y
        distance = np.hypot(dx, dy)
        pushed = distance < self.contact
        with np.errstate(divide='ignore', invalid='ignore'):
            # A robot on the spot of the ball pushes it along x, as arctan2(0, 0) has it.
            ux = np.where(distance > 0, dx / distance, 1.0)
            uy = np.where(distance > 0, dy / distance, 0.0)
        ball_x = np.where(pushed, ball_x + self.contact * ux, ball_x)
        ball_y = np.where(pushed, ball_y + self.contact * uy, ball_y)
        # Into the own goal: only where the line from robot to ball crosses that goal's line.
        over = pushed & (x > -line) & (ball_x < -line)
        if over.any():
            with np.errstate(divide='ignore', invalid='ignore'):
                at = y + (ball_y - y) * (-line - x) / (ball_x - x)
            own = over & (np.abs(at) < post)
            ball_x, ball_y = np.where(own, -line - 0.001, ball_x), np.where(own, 0.0, ball_y)
        yaw = yaw + self.turn * np.clip(turn, -self.max_turn, self.max_turn)
        yaw = wrap_angle(yaw)
        return np.stack([x, y, ball_x, ball_y, yaw], axis=-1)

    def reward(self, next_states: np.ndarray) -> np.ndarray:
        """Return the rewards (...) of steps that end in states (..., 5)."""
        columns = to_columns(np.asarray(next_states))
        loops = compiled.loops(LOOPS)
        if loops and columns.ndim == 2:
            found = np.empty(columns.shape[1:])
            loops.reward(
                *map(compiled.column, columns[:YAW]),
                *cos_sin(columns[YAW]),
                self.length / 2,
                self.goal[0],
                self.goal_width / 2,
                np.float32(np.cos(self.facing)),
                found,
            )
            return found
        robot, ball = columns[ROBOT], columns[BALL]
        # Differences in single precision, in which sine and cosine are ten times as fast.
        offsets = np.empty((2, 2, *columns.shape[1:]), dtype=np.float32)
        np.subtract(ball, robot, out=offsets[:, 0], casting='same_kind')
        np.subtract(_beside(self.goal, ball), ball, out=offsets[:, 1], casting='same_kind')
        far = _length(*offsets)
        (to_x, to_y), distance = offsets[:, 0], far[0]
        cos, sin = cos_sin(columns[YAW])
        facing = to_x * cos + to_y * sin > np.float32(np.cos(self.facing)) * distance
        # The authors compare angles in [0, 2 pi) and do not wrap the difference.
        facing &= ((to_y < 0) == (sin < 0)) | (to_x < 0)
        shaping = np.float32(0.0001) / distance + np.float32(0.0009) / far[1]
        return np.add(facing * shaping, self.in_goal(next_states), dtype=float)

    def observe(self, states: np.ndarray) -> np.ndarray:
        """Return the observations (..., 8), float32, of states (..., 5)."""
        # In single precision from here on, which is what observations have.
        single = np.float32
        columns = to_columns(np.asarray(states)).astype(single, order='C')
        robot, ball = columns[ROBOT], columns[BALL]
        goal = _beside(self.goal.astype(single), ball)
        offsets = np.empty((2, 2, *columns.shape[1:]), dtype=single)
        np.subtract(ball, robot, out=offsets[:, 0])
        np.subtract(goal, robot, out=offsets[:, 1])
        seen = np.empty((*columns.shape[1:], len(OBSERVATION)), dtype=single)
        for part, offset in ((0, offsets[:, 0]), (2, goal - ball)):
            for axis, size in enumerate((self.length, self.width)):
                np.multiply(offset[axis], single(1 / size), out=seen[..., part + axis])
        # Directions of ball and goal, both at once, turned into the robot's frame.
        x, y = offsets / _length(*offsets)
        cos, sin = cos_sin(columns[YAW])
        left, ahead = y * cos - x * sin, x * cos + y * sin
        seen[..., 4], seen[..., 6] = left
        seen[..., 5], seen[..., 7] = ahead
        return seen


def cos_sin(yaw: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return cosine and sine of headings [rad], in single precision."""
    yaw = yaw.astype(np.float32, order='C')
    return np.cos(yaw), np.sin(yaw)


def _beside(point: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return a point (2,) in a shape that goes with columns (2, ...)."""
    return point.reshape(2, *(1,) * (columns.ndim - 1))


def _length(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """
    Return the lengths of vectors, float32, but not 0: it keeps 0 / 0 away.

    np.hypot takes six times as long to avoid overflow.
    """
    return np.maximum(np.sqrt(x * x + y * y), np.float32(1e-12))
