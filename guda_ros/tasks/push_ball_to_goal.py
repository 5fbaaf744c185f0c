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

from dataclasses import asdict, dataclass
import json
from pathlib import Path

import numpy as np

from guda_ros.augmentation.task import contact_phases, Task
from guda_ros.augmentation.transforms import Body, Layout, to_columns
from guda_ros.data.contract import ContractBase
from guda_ros.data.transitions import DataSetError, TransitionSet
from guda_ros.tasks.model_rule import ModelRule
from guda_ros.tasks.push_ball_rules import PushOnRule, WalkRule

STATE = ('robot_x', 'robot_y', 'ball_x', 'ball_y', 'robot_yaw')
ROBOT, BALL, YAW = slice(0, 2), slice(2, 4), 4
ACTION = ('turn', 'forward', 'left')
OBSERVATION = (
    'ball_from_robot_x', 'ball_from_robot_y', 'goal_from_ball_x', 'goal_from_ball_y',
    'ball_bearing_sin', 'ball_bearing_cos', 'goal_bearing_sin', 'goal_bearing_cos',
)


@dataclass(frozen=True)
class PushContract(ContractBase):
    """
    The numbers of the task [m, rad, steps]: with their paper's values by default.

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

    def to_json(self) -> str:
        """Return the numbers as canonical JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(',', ':'))

    @classmethod
    def from_json(cls, text: str) -> 'PushContract':
        """Read what to_json wrote; ValueError when it cannot be read."""
        try:
            values = json.loads(text)
            for key in ('robot_start', 'ball_start'):
                values[key] = tuple(values[key])
            return cls(**values)
        except (TypeError, KeyError, json.JSONDecodeError) as error:
            raise ValueError(f'not a contract of the task push_ball_to_goal: {error}') from error

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
        return (states[..., 2] > self.length / 2) & (
            np.abs(states[..., 3]) < self.goal_width / 2
        )

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
        yaw = (yaw + np.pi) % (2 * np.pi) - np.pi
        return np.stack([x, y, ball_x, ball_y, yaw], axis=-1)

    def reward(self, next_states: np.ndarray) -> np.ndarray:
        """Return the rewards (...) of steps that end in states (..., 5)."""
        columns = to_columns(np.asarray(next_states))
        robot, ball = columns[ROBOT], columns[BALL]
        # Differences in single precision, in which sine and cosine are ten times as fast.
        ways = np.empty((2, 2, *columns.shape[1:]), dtype=np.float32)
        np.subtract(ball, robot, out=ways[:, 0], casting='same_kind')
        np.subtract(_beside(self.goal, ball), ball, out=ways[:, 1], casting='same_kind')
        far = _length(*ways)
        (to_x, to_y), distance = ways[:, 0], far[0]
        yaw = columns[YAW].astype(np.float32)
        cos, sin = np.cos(yaw), np.sin(yaw)
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
        ways = np.empty((2, 2, *columns.shape[1:]), dtype=single)
        np.subtract(ball, robot, out=ways[:, 0])
        np.subtract(goal, robot, out=ways[:, 1])
        seen = np.empty((*columns.shape[1:], 8), dtype=single)
        for part, way in ((0, ways[:, 0]), (2, goal - ball)):
            for axis, size in enumerate((self.length, self.width)):
                np.multiply(way[axis], single(1 / size), out=seen[..., part + axis])
        # Directions of ball and goal, both at once, turned into the robot's frame.
        x, y = ways / _length(*ways)
        cos, sin = np.cos(columns[YAW]), np.sin(columns[YAW])
        left, ahead = y * cos - x * sin, x * cos + y * sin
        seen[..., 4], seen[..., 6] = left
        seen[..., 5], seen[..., 7] = ahead
        return seen


def _beside(point, columns):
    """Return a point (2,) in a shape that goes with columns (2, ...)."""
    return point.reshape(2, *(1,) * (columns.ndim - 1))


def _length(x, y):
    """
    Return the lengths of vectors, float32, but not 0: it keeps 0 / 0 away.

    np.hypot takes six times as long to avoid overflow.
    """
    return np.maximum(np.sqrt(x * x + y * y), np.float32(1e-12))


class PushBallToGoal(Task):
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

    def __init__(self, contract: PushContract | None = None) -> None:
        super().__init__(contract or PushContract())

    @property
    def goal(self) -> np.ndarray:
        """Point (2,) in the goal [m]."""
        return self.contract.goal

    @property
    def bounds(self):
        """The lines of the field [m]."""
        line, side = self.contract.length / 2, self.contract.width / 2
        return ((-line, line), (-side, side))

    @property
    def mouth(self):
        """Where a pushed ball comes to rest in the goal [m]."""
        line, post = self.contract.length / 2, self.contract.goal_width / 2
        deep = line + self.contract.goal_depth - 0.05
        return ((line + 0.001, deep), (-post + 0.05, post - 0.05))

    def reward(self, states, actions, next_states):
        """Return the true rewards (M,)."""
        return self.contract.reward(next_states)

    def terminated(self, next_states):
        """Tell (M,) that nothing ends an episode but its time."""
        return np.zeros(len(next_states), dtype=bool)

    def check(self, states, actions, next_states):
        """
        Return (M,) int8 indices into `reasons`.

        off_field: where the environment would set robot or ball back, or the ball is beside the
        goal. overlap: the robot stands where it would have pushed the ball away.
        """
        contract = self.contract
        line, side, post = contract.length / 2, contract.width / 2, contract.goal_width / 2
        reason = np.zeros(len(states), dtype=np.int8)
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

    def phase(self, recorded):
        """Return (M,) indices into `phases`."""
        states, after = recorded.states, recorded.next_states
        return contact_phases(
            states[:, ROBOT], states[:, BALL], after[:, ROBOT], after[:, BALL],
            self.contract.in_goal(states), self.contract.contact + self.contract.step, self.rest,
        )

    def movable(self, recorded):
        """Tell (M,) which steps neither the lines nor the own goal changed."""
        free = PushContract(**{**asdict(self.contract), 'length': 1e6, 'width': 1e6})
        error = free.step_states(recorded.states, recorded.actions) - recorded.next_states
        return np.abs(error[:, :4]).max(axis=1, initial=0.0) < 1e-5

    def simulate(self, states, actions):
        """Return the states (M, 5) after one step of the environment."""
        return self.contract.step_states(states, actions)

    def environments(self, count):
        """Return `count` episodes that are stepped together."""
        from guda_ros.tasks.push_ball_env import PushBallToGoalVectorEnv

        return PushBallToGoalVectorEnv(count, self.contract)

    @classmethod
    def read_contract(cls, text):
        """Return the contract that its `to_json` wrote."""
        return PushContract.from_json(text)

    @classmethod
    def read(cls, path):
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
        contract = PushContract()
        names, episode = np.unique(episode, return_inverse=True)
        step = np.concatenate([np.arange(np.sum(episode == index)) for index in range(len(names))])
        scored = [
            bool(contract.in_goal(next_states[episode == index]).any())
            for index in range(len(names))
        ]
        return TransitionSet(
            contract=contract, states=states, actions=actions, next_states=next_states,
            rewards=rewards, terminations=np.zeros(len(states), dtype=bool),
            source_episode=episode, source_step=step, rule=np.zeros(len(states)),
            episode_ids=[f'{path.stem}_{name}' for name in names], episode_success=scored,
        )


def _metres(rows):
    """Return states in metres; headings stay, wrapped."""
    states = np.array(rows, dtype=float)
    states[:, :4] /= 1000.0
    states[:, YAW] = (states[:, YAW] + np.pi) % (2 * np.pi) - np.pi
    return states
