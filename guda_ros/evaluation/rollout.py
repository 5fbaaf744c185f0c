"""Rollouts of a controller from fixed starts in the batched simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.evaluation.touches import TouchCounter
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile

if TYPE_CHECKING:
    from guda_ros.sim.physics.batch import BatchSimulation

#: A controller: world states (m, 10) and the indices (m,) of their environments to commands (m,
#: 3).
Controller = Callable[[np.ndarray, np.ndarray], np.ndarray]

#: How still [m, rad] a scene must be, and how much longer [s] than the ball is held in memory,
#: for a policy never to leave it.
_STILL = (1e-3, 2e-3)
_STILL_TIME = 1.0


@dataclass(frozen=True)
class RolloutResult:
    """What became of n episodes."""

    #: (n,) bool: the goal was reached, in soccer with the ball.
    success: np.ndarray
    #: (n,) control steps until the end, the limit where there was none.
    steps: np.ndarray
    #: (n,) bool: the ball left the field.
    out: np.ndarray
    #: (n,) bool: the robot had come to rest for good, and the rest was not simulated (a failure).
    settled: np.ndarray
    #: Length of a control step [s].
    period: float
    #: (n,) how often the robot touched the ball, None where there is none.
    touches: np.ndarray | None
    #: (n,) how often it fell, None where the simulated robot cannot fall.
    falls: np.ndarray | None = None
    #: (T + 1, n, 10) world states of every step if asked for, NaN after the end of an episode.
    states: np.ndarray | None = None

    @property
    def rate(self) -> float:
        """Share of the episodes in which the goal was reached."""
        return float(np.mean(self.success))

    @property
    def seconds_to_goal(self) -> np.ndarray:
        """Simulated seconds to the goal of the episodes that scored."""
        return self.steps[self.success] * self.period


def evaluate_policy(
    act: Controller,
    contract: Contract,
    robot: RobotProfile,
    starts: np.ndarray,
    threads: int = 1,
    max_steps: int | None = None,
    memoryless: bool = True,
    record: bool = False,
    progress: Callable[[int, int], None] | None = None,
    obstacles: Sequence = (),
    layouts: np.ndarray | None = None,
) -> RolloutResult:
    """
    Run one episode from every start (n, 5), at most to the contract's time limit.

    :param act: the controller, called with the episodes that still run.
    :param memoryless: whether `act` depends on the state alone, but for the ball that it holds in
        memory for the contract's `ball_hold`. Then an episode in which nothing has moved for 1 s
        longer than that is over, because nothing will ever move again.
    :param progress: called with the step and the number of episodes that still run.
    :param obstacles: of guda_ros.sim.physics.obstacles, in every episode. Then `act` gets their
        states (m, k, 4) as its third argument, and nothing is over because it rests.
    :param layouts: (n, k, w, 2), waypoints of the obstacles of each episode [m].
    :raises ValueError: if a command is not finite, or a start is not possible.
    """
    from guda_ros.sim.physics.batch import BatchSimulation

    starts = np.asarray(starts, dtype=float)
    if starts.ndim != 2 or not len(starts):
        raise ValueError(f'starts of shape (n, 5) are expected, not {starts.shape}')
    limit = contract.max_steps if max_steps is None else max_steps
    count = len(starts)
    simulation = BatchSimulation(contract, robot, count, threads, obstacles=obstacles)
    simulation.reset(starts)
    if layouts is not None:
        simulation.place_obstacles(layouts)
    memoryless = memoryless and not obstacles
    steps = np.full(count, limit)
    success, out, settled = (np.zeros(count, dtype=bool) for _ in range(3))
    running = np.arange(count)
    commands = np.zeros((count, 3))
    states = simulation.world_states()
    history = [states]
    touches = TouchCounter(contract, robot, states) if contract.has_ball else None
    falls = _Falls(simulation)
    rest, still = states.copy(), np.zeros(count, dtype=int)
    patience = (contract.ball_hold + _STILL_TIME) * contract.rate
    for step in range(1, limit + 1):
        seen = (simulation.obstacle_states()[running],) if obstacles else ()
        commands[running] = act(states[running], running, *seen)
        simulation.step(commands)
        states = simulation.world_states()
        scored, left = simulation.scored, simulation.out
        if touches is not None:
            touches.update(states[running], running)
        falls.update(running)
        if record:
            row = np.full_like(states, np.nan)
            row[running] = states[running]
            history.append(row)
        ended = scored[running] | left[running]
        over = running[ended]
        success[over], out[over], steps[over] = scored[over], left[over], step
        running = running[~ended]
        if memoryless and running.size:
            moved = _moved(states[running], rest[running])
            rest[running[moved]] = states[running[moved]]
            still[running] = np.where(moved, 0, still[running] + 1)
            stuck = still[running] >= patience
            if stuck.any():
                settled[running[stuck]] = True
                simulation.retire(running[stuck])
                running = running[~stuck]
        if progress:
            progress(step, len(running))
        if not running.size:
            break
    return RolloutResult(
        success,
        steps,
        out,
        settled,
        contract.period,
        None if touches is None else touches.touches,
        falls.count,
        np.stack(history) if record else None,
    )


class _Falls:
    """Counts how often each robot of a batch began to fall; `count` is None where none can."""

    #: The mode of a robot that falls or lies.
    _DOWN = 2

    def __init__(self, simulation: BatchSimulation) -> None:
        self._simulation = simulation
        modes = getattr(simulation, 'modes', None)
        self.count = None if modes is None else np.zeros(len(modes), dtype=int)
        self._down = None if modes is None else np.asarray(modes) == self._DOWN

    def update(self, running: np.ndarray) -> None:
        if self.count is None:
            return
        down = np.asarray(self._simulation.modes)[running] == self._DOWN
        self.count[running] += down & ~self._down[running]
        self._down[running] = down


def _moved(states: np.ndarray, rest: np.ndarray) -> np.ndarray:
    distance = np.abs(states[:, [0, 1, 3, 4]] - rest[:, [0, 1, 3, 4]]).max(axis=1)
    turned = np.abs(world.wrap_angle(states[:, world.ROBOT_YAW] - rest[:, world.ROBOT_YAW]))
    return (distance > _STILL[0]) | (turned > _STILL[1])
