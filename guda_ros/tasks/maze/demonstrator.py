"""
Scripted demonstrators of the mazes, and the initial data that they make.

PointMaze: the waypoint controller of D4RL (Fu et al., D4RL: Datasets for Deep Data-Driven
Reinforcement Learning, 2020, arXiv 2004.07219), which goes from cell to cell along the shortest
way, with gains 10 and -1 and normal noise of .5 on its actions, to one random cell after another.
It does not know the goal of the task, which it passes by chance: what it shows is how to move.

AntMaze: the gait of guda_ros.tasks.maze.ant_gait along the same waypoints, with normal noise of
.1 on its torques.
"""

from __future__ import annotations

import numpy as np

from guda_ros.data.transitions import TransitionSet
from guda_ros.tasks.maze.ant_gait import torques
from guda_ros.tasks.maze.task import MazeTask

_GAIN, _DAMPING = 10.0, 1.0


class Waypoints:
    """
    The way of many runs: from cell to cell to a goal, then to the next one.

    goal_cell: of all runs, for ever; None for random cells, one after another.
    """

    def __init__(
        self,
        task: MazeTask,
        count: int,
        rng: np.random.Generator,
        goal_cell: tuple[int, int] | None = None,
    ) -> None:
        self._map, self._rng, self._fixed = task.map, rng, goal_cell is not None
        cells = [tuple(cell) for cell in task.map.free]
        self._next = np.stack([task.map.next_cells(cell) for cell in cells])
        self._goal = (
            np.full(count, cells.index(goal_cell))
            if goal_cell is not None
            else rng.integers(0, len(cells), count)
        )

    def targets(self, positions: np.ndarray, near: float, aside: float) -> np.ndarray:
        """
        Return where (count, 2) [m] runs at `places` are to go.

        They arrive within `near`, and are to return to the middle of a cell from `aside` of it.
        """
        goal = self._map.middles(self._map.free[self._goal])
        if not self._fixed:
            there = np.linalg.norm(positions - goal, axis=1) < near
            self._goal[there] = self._rng.integers(0, len(self._map.free), int(there.sum()))
        row, column = self._map.cells(positions).T
        cell = np.stack([row, column], axis=1)
        following = self._next[self._goal, row, column]
        # A corner is not cut: first to the middle of the cell when the way turns in it.
        middle = self._map.middles(cell)
        straight = self._map.middles(following) - middle
        across = np.stack([-straight[:, 1], straight[:, 0]], axis=1)
        across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
        off = np.abs(np.sum((positions - middle) * across, axis=1))
        return np.where((off > aside)[:, None], middle, self._map.middles(following))


class PointController:
    """Push the ball along a way; noise: deviation of the normal noise on actions."""

    near, aside, noise = 0.1, 0.25, 0.5

    def __init__(self, waypoints: Waypoints, rng: np.random.Generator) -> None:
        self._waypoints, self._rng = waypoints, rng

    def actions(self, states: np.ndarray) -> np.ndarray:
        """Return actions (count, 2) for states (count, 4)."""
        target = self._waypoints.targets(states[:, :2], self.near, self.aside)
        action = _GAIN * (target - states[:, :2]) - _DAMPING * states[:, 2:]
        action += self.noise * self._rng.standard_normal(action.shape)
        return np.clip(action, -1.0, 1.0)


class AntController:
    """Walk the ant along a way; noise: deviation of the normal noise on torques."""

    near, aside, noise = 0.5, 0.6, 0.1

    def __init__(self, waypoints: Waypoints, rng: np.random.Generator) -> None:
        self._waypoints, self._rng = waypoints, rng

    def actions(self, states: np.ndarray) -> np.ndarray:
        """Return actions (count, 8) for states (count, 29)."""
        to_go = self._waypoints.targets(states[:, :2], self.near, self.aside) - states[:, :2]
        action = torques(states, np.arctan2(to_go[:, 1], to_go[:, 0]))
        action += self.noise * self._rng.standard_normal(action.shape)
        return np.clip(action, -1.0, 1.0)


CONTROLLERS: dict[str, type[PointController] | type[AntController]] = {
    'point': PointController,
    'ant': AntController,
}


def record(task: MazeTask, seed: int) -> TransitionSet:
    """Return the initial data of a seed: as many runs as the task is to have."""
    episodes, length = task.initial
    rng = np.random.default_rng([seed, 56])
    controller = CONTROLLERS[task.robot](Waypoints(task, episodes, rng), rng)
    states, steps = task.start(episodes, rng), []
    for _ in range(length):
        # As they are stored, so that the simulator takes the recorded actions.
        actions = controller.actions(states).astype(np.float32)
        after = task.step(states, actions)
        steps.append((states, actions, after))
        states = after
    states, actions, after = (
        np.stack(part, axis=1).reshape(-1, part[0].shape[1]) for part in zip(*steps)
    )
    reached = np.any(task.succeeded(after).reshape(episodes, length), axis=1)
    return TransitionSet(
        contract=task.contract,
        states=states,
        actions=actions,
        next_states=after,
        rewards=task.reward(states, actions, after),
        terminations=task.terminated(after),
        source_episode=np.repeat(np.arange(episodes), length),
        source_step=np.tile(np.arange(length), episodes),
        rule=np.zeros(len(states)),
        episode_ids=tuple(f'{task.name}_{seed}_{index}' for index in range(episodes)),
        episode_success=tuple(map(bool, reached)),
        info={'demonstrator': type(controller).__name__, 'seed': seed},
    )
