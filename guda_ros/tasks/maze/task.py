"""
The mazes of the GuDA paper (arXiv 2310.18247), those of gymnasium-robotics, for the engine.

PointMaze: a ball that is pushed; its state is x, y [m] and velocity [m/s], which is also what it
observes, and actions are forces along x and y in [-1, 1]. AntMaze: a four-legged robot; its state
is MuJoCo's position and velocity, which it observes, and actions are torques of its eight joints.
As in D4RL the goal of each maze is fixed, and reached within .45 m. A run in PointMaze goes on at
the goal and earns 1 a step there; one in AntMaze ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
import json
import os
from pathlib import Path
from typing import Any, TYPE_CHECKING

import numpy as np

from guda_ros.augmentation.transforms import Body, Layout
from guda_ros.data.contract_base import check_numbers, NumbersContract
from guda_ros.data.transitions import DataSetError, TransitionSet
from guda_ros.tasks.maze.ant_body import turn_ants
from guda_ros.tasks.maze.map import MAPS, MazeMap
from guda_ros.tasks.maze.rule import MazeRule
from guda_ros.tasks.state_task import StateTask

if TYPE_CHECKING:
    from guda_ros.sim.maze_batch import MazeBatch

#: Starts are this part of a cell around its middle.
_START_NOISE = 0.25


@dataclass(frozen=True)
class MazeContract(NumbersContract):
    """
    The numbers of a maze: its map, the side of its cells [m] and when the goal is reached [m].

    robot: `point` or `ant`. max_steps: of an episode.
    """

    name: str
    robot: str
    maze: str
    scale: float
    max_steps: int
    reach: float = 0.45

    # Nobody sets the three, so that they may be computed.
    @property
    def state_size(self) -> int:  # type: ignore[override]
        """Columns of a state."""
        return 4 if self.robot == 'point' else 29

    @property
    def action_size(self) -> int:  # type: ignore[override]
        """Columns of an action."""
        return 2 if self.robot == 'point' else 8

    @property
    def observation_names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the numbers of an observation."""
        if self.robot == 'point':
            return ('x', 'y', 'vx', 'vy')
        positions = ('x', 'y', 'z', 'qw', 'qx', 'qy', 'qz', *(f'joint_{i}' for i in range(8)))
        return (*positions, *(f'velocity_{i}' for i in range(14)))

    @classmethod
    def from_json(cls, text: str) -> MazeContract:
        """Read what to_json wrote; ValueError when it cannot be read."""
        try:
            contract = cls(**json.loads(text))
            check_numbers(contract)
        except (TypeError, RecursionError, ValueError) as error:
            raise ValueError(f'not a contract of a maze: {error}') from error
        if contract.maze not in MAPS or contract.robot not in ('point', 'ant'):
            raise ValueError(f'not a contract of a maze of this version: {text}')
        return contract

    def observe(self, states: np.ndarray) -> np.ndarray:
        """Return the observations (..., S), float32: the states."""
        return np.asarray(states, dtype=np.float32)


class MazeTask(StateTask):
    """What the mazes share; a subclass sets `robot`, `maze`, `radius`, `model` and `speed`."""

    phases = ('free',)
    reasons = ('valid', 'at_wall', 'in_wall')
    rules = {MazeRule.kind: MazeRule}
    #: `point` or `ant`; the map; the environment of gymnasium-robotics with the model.
    robot: str
    maze: str
    model: str
    #: Side of a cell [m], steps of an episode, limit of joint velocities, and MuJoCo's steps.
    scale: float
    max_steps: int
    speed: float | None = None
    frames: int
    #: Episodes and steps of each in a set of initial data: those of the paper.
    initial: tuple[int, int]
    #: Distance [m] of the robot's middle from walls at which it does not touch them.
    radius: float
    contract: MazeContract

    def __init__(self, contract: MazeContract | None = None) -> None:
        super().__init__(
            contract or MazeContract(self.name, self.robot, self.maze, self.scale, self.max_steps)
        )
        self.map = MazeMap(self.contract.maze, self.contract.scale)

    @property
    def goal(self) -> np.ndarray:
        """Middle of the goal cell [m]."""
        return self.map.middles(np.array(self.map.cell_of_mark('G')))

    @property
    def bounds(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The outer walls [m]."""
        x, y = self.map.size
        return ((-x, x), (-y, y))

    @property
    def mouth(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """The box [m] around the circle in which the goal is reached."""
        (x, y), reach = self.goal, self.contract.reach
        return ((x - reach, x + reach), (y - reach, y + reach))

    @property
    def walls(self) -> tuple[tuple[tuple[float, float], tuple[float, float]], ...]:
        """The cells that are walls [m]."""
        half = self.contract.scale / 2
        return tuple(
            ((x - half, x + half), (y - half, y + half))
            for x, y in self.map.middles(np.argwhere(self.map.walls))
        )

    def succeeded(self, states: np.ndarray) -> np.ndarray:
        """Tell (M,) of states whether the goal is reached in them."""
        return np.linalg.norm(states[:, :2] - self.goal, axis=1) <= self.contract.reach

    def reward(
        self, states: np.ndarray | None, actions: np.ndarray | None, next_states: np.ndarray
    ) -> np.ndarray:
        """Return 1 where a step ends at the goal, 0 elsewhere, (M,)."""
        return self.succeeded(next_states).astype(float)

    def terminated(self, next_states: np.ndarray) -> np.ndarray:
        """Tell (M,) of states whether the task ends in them."""
        if self.robot == 'point':
            return np.zeros(len(next_states), dtype=bool)
        return self.succeeded(next_states)

    def check(
        self, states: np.ndarray, actions: np.ndarray, next_states: np.ndarray
    ) -> np.ndarray:
        """
        Return (M,) int8 indices into `reasons`.

        at_wall: a wall is near enough at the begin of the step to have a part in it. in_wall: the
        middle of the robot would end inside one.
        """
        reason = np.zeros(len(states), dtype=np.int8)
        reason[self.map.clearance(next_states[:, :2]) <= 0] = 2
        reason[self.map.clearance(states[:, :2]) < self.radius] = 1
        return reason

    def phase(self, recorded: TransitionSet) -> np.ndarray:
        """Return (M,) zeros: there is one phase."""
        return np.zeros(len(recorded), dtype=np.int8)

    def movable(self, recorded: TransitionSet) -> np.ndarray:
        """Tell (M,) which steps no wall had a part in."""
        return self.map.clearance(recorded.states[:, :2]) >= self.radius

    def turn_body(self, states: np.ndarray, actions: np.ndarray, quarters: np.ndarray) -> None:
        """
        Turn bodies by quarters (M,) against the clock, in place; x and y are turned already.

        :param states: (..., M, S), :param actions: (M, A).
        """

    def start(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return states (count, S) at rest, in the start cell or in any but the goal's."""
        goal = self.map.cell_of_mark('G')
        if self.robot == 'point':
            cells = self.map.free[np.any(self.map.free != goal, axis=1)]
        else:
            cells = np.array([self.map.cell_of_mark('R')])
        states = np.tile(self._rest(), (count, 1))
        middle = self.map.middles(cells[rng.integers(0, len(cells), count)])
        noise = rng.uniform(-_START_NOISE, _START_NOISE, (count, 2)) * self.contract.scale
        states[:, :2] = middle + noise
        return states

    def _rest(self) -> np.ndarray:
        world = _model(self.model)
        return np.concatenate([world.qpos0, np.zeros(world.nv)])

    def step(
        self, states: np.ndarray, actions: np.ndarray, rng: np.random.Generator | None = None
    ) -> np.ndarray:
        """Return the states (M, S) after one action in MuJoCo."""
        return _batch(self.model, self.frames, self.speed).step(states, actions)

    @classmethod
    def read_contract(cls, text: str) -> MazeContract:
        """Return the contract that its `to_json` wrote."""
        return MazeContract.from_json(text)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> TransitionSet:
        """
        Read what experiments/collect_maze.py recorded.

        :raises DataSetError: if the file is missing, or not a recording of this maze.
        """
        if Path(path).suffix != '.h5':
            raise DataSetError(
                f'{path}: no recording of {cls.name}; make one with '
                f'`python experiments/collect_maze.py {cls.name}`'
            )
        recorded = TransitionSet.load(path, MazeContract.from_json)
        cls().contract.require(recorded.contract, str(path))
        return recorded


class PointMaze(MazeTask):
    """
    A ball of .1 m that forces push; its speed along x and y is clipped to 5 m/s.

    The reference returns are those of 200 episodes of uniform random actions, and of the noisy
    waypoint controller of maze_demonstrator that goes to the goal.
    """

    robot, scale, frames, speed, radius = 'point', 1.0, 1, 5.0, 0.105
    layout = Layout(
        size=4,
        bodies={'point': Body((0, 1), velocity=(2, 3))},
        frame='point',
        action_vectors=((0, 1),),
    )
    actor = object = 'point'


class PointMazeUmaze(PointMaze):
    """PointMaze_UMaze."""

    name, maze, model, max_steps = 'pointmaze_umaze', 'umaze', 'PointMaze_UMaze-v3', 300
    initial = (5, 300)
    reference_returns = (11.9, 223.0)


class PointMazeMedium(PointMaze):
    """PointMaze_Medium."""

    name, maze, model, max_steps = 'pointmaze_medium', 'medium', 'PointMaze_Medium-v3', 600
    initial = (5, 600)
    reference_returns = (12.2, 454.2)


class PointMazeLarge(PointMaze):
    """PointMaze_Large."""

    name, maze, model, max_steps = 'pointmaze_large', 'large', 'PointMaze_Large-v3', 800
    initial = (5, 800)
    reference_returns = (6.3, 594.6)


class AntMaze(MazeTask):
    """
    The ant of gymnasium-robotics' version 4, whose legs reach 1.2 m; it starts at one cell.

    A normalised return is the share of episodes that reach the goal in percent, as in D4RL.
    """

    reference_returns = (0.0, 1.0)
    robot, scale, frames, radius = 'ant', 4.0, 5, 1.25
    layout = Layout(size=29, bodies={'ant': Body((0, 1))}, frame='ant')
    actor = object = 'ant'

    def turn_body(self, states: np.ndarray, actions: np.ndarray, quarters: np.ndarray) -> None:
        """Turn ants by quarters (M,), in place; their heading stays what it was."""
        turn_ants(states, actions, quarters)


class AntMazeUmaze(AntMaze):
    """AntMaze_UMaze."""

    name, maze, model, max_steps = 'antmaze_umaze', 'ant_umaze', 'AntMaze_UMaze-v4', 700
    initial = (1, 818)


class AntMazeMedium(AntMaze):
    """AntMaze_Medium."""

    name, maze, model, max_steps = 'antmaze_medium', 'medium', 'AntMaze_Medium-v4', 1000
    initial = (2, 1377)


class AntMazeLarge(AntMaze):
    """AntMaze_Large."""

    name, maze, model, max_steps = 'antmaze_large', 'large', 'AntMaze_Large-v4', 1000
    initial = (5, 937)


@lru_cache
def _model(name: str) -> Any:
    """Return a mujoco.MjModel, which nothing here may import."""
    import gymnasium
    import gymnasium_robotics

    gymnasium.register_envs(gymnasium_robotics)
    env = gymnasium.make(name)
    model = env.unwrapped.model
    env.close()
    return model


@lru_cache
def _batch(name: str, frames: int, speed: float | None) -> MazeBatch:
    from guda_ros.sim.maze_batch import MazeBatch

    return MazeBatch(_model(name), frames, speed)
