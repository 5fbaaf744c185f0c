"""Many simulations of the same robot and field at once, for rollouts and data checks."""

from __future__ import annotations

import mujoco
from mujoco.batch import Batch
import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.sim import state
from guda_ros.sim.mjcf import BALL_QPOS, build_model, TIMESTEP
from guda_ros.sim.simulation import substeps
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile


class BatchSimulation:
    """
    `count` simulations with the physics of SoccerSimulation, to the bit, and nothing to draw.

    A simulation whose ball is in the goal or out of the field is done: it stays as it is until its
    reset, and costs nothing more.
    """

    def __init__(self, contract: Contract, robot: RobotProfile, count: int, threads: int = 1,
                 timestep: float = TIMESTEP) -> None:
        """Build the model and `count` states of it; `reset` them before the first step."""
        if count < 1 or threads < 1:
            raise ValueError(f'count ({count}) and threads ({threads}) must be at least 1')
        self.contract = contract
        self.robot = robot
        self.model = build_model(robot, contract.field, False, timestep)
        self._substeps = substeps(contract, timestep)
        self._batch = Batch(self.model, count, threads)
        self._qpos = self._batch.bind('qpos')
        self._qvel = self._batch.bind('qvel')
        self._act = self._batch.bind('act')
        self._ctrl = self._batch.bind('ctrl')
        self._time = self._batch.bind('time')
        self._commands = np.zeros((count, 3))
        self._scored = np.zeros(count, dtype=bool)
        self._out = np.zeros(count, dtype=bool)

    def __len__(self) -> int:
        """Return the number of simulations."""
        return len(self._scored)

    def reset(self, starts: np.ndarray, indices: np.ndarray | None = None) -> None:
        """
        Put simulations to starts (n, 5): robot x, y, yaw, ball x, y.

        :param indices: (n,) which ones; by default the whole batch.
        :raises ValueError: naming a start that is impossible.
        """
        starts = state.check_starts(starts, self.robot, self.contract.field)
        self.set_world_states(state.states_of_starts(starts), indices=indices)

    def set_world_states(self, states: np.ndarray, velocities: np.ndarray | None = None,
                         indices: np.ndarray | None = None) -> None:
        """
        Continue from world states (n, 10) at time zero.

        :param velocities: (n, 3) with which the robots walk, in base_link; by default the previous
        commands.
        :param indices: (n,) which simulations; by default the whole batch.
        """
        states = np.asarray(states, dtype=np.float64)
        indices = np.arange(len(self)) if indices is None else np.asarray(indices)
        if states.shape != (len(indices), world.SIZE):
            raise ValueError(
                f'{len(indices)} rows of {world.SIZE} are expected, not {states.shape}')
        previous = states[:, world.PREVIOUS_COMMAND]
        self._batch.reset(indices, stage=mujoco.mjtStage.mjSTAGE_NONE.value)
        qpos, qvel, act = self._qpos[indices], self._qvel[indices], self._act[indices]
        if velocities is None:
            velocities = previous
        state.write_world_states(states, np.asarray(velocities, dtype=np.float64),
                                 self.contract.field, qpos, qvel, act)
        self._qpos[indices], self._qvel[indices], self._act[indices] = qpos, qvel, act
        self._commands[indices] = previous
        self._scored[indices] = self.contract.field.scored(states[:, world.BALL])
        self._out[indices] = self.contract.field.out(states[:, world.BALL])

    def step(self, commands: np.ndarray) -> None:
        """
        Walk one control period with commands (count, 3) in base_link, clipped to the limits.

        Rows of simulations that are done are not read.

        :raises ValueError: if a command is not finite.
        :raises SimulationError: if MuJoCo gave a warning.
        """
        commands = np.asarray(commands, dtype=np.float64)
        if commands.shape != self._commands.shape:
            raise ValueError(
                f'commands of shape {self._commands.shape} are expected, not {commands.shape}')
        active = np.flatnonzero(~self.done)
        if not active.size:
            return
        sent = self.contract.limits.clip(
            state.check_commands(commands[active], (active.size, 3)))
        self._commands[active] = sent
        self._ctrl[active] = sent
        self._batch.step(active, nstep=self._substeps)
        if self._batch.warning[active].any():
            index = int(active[np.argmax(self._batch.warning[active].any(axis=1))])
            raise state.SimulationError(
                f'MuJoCo warned in simulation {index} in world state '
                f'{self.world_states()[index].tolist()}')
        ball = self._qpos[active, BALL_QPOS.start:BALL_QPOS.start + 2]
        self._scored[active] = self.contract.field.scored(ball)
        self._out[active] = self.contract.field.out(ball)

    def world_states(self) -> np.ndarray:
        """Return the true world states (count, 10), a copy."""
        return state.read_world_states(self._qpos, self._qvel, self._commands)

    def physics_state(self, index: int) -> np.ndarray:
        """Return the whole state of one simulation, for SoccerSimulation.load_physics_state."""
        return self._batch.state[index].copy()

    @property
    def time(self) -> np.ndarray:
        """Seconds (count,) since each reset."""
        return self._time.copy()

    @property
    def scored(self) -> np.ndarray:
        """Whether (count,) the whole ball went over the goal line between the posts."""
        return self._scored.copy()

    @property
    def out(self) -> np.ndarray:
        """Whether (count,) the whole ball left the field otherwise."""
        return self._out.copy()

    @property
    def done(self) -> np.ndarray:
        """Whether (count,) each simulation is over: scored or out."""
        return self._scored | self._out
