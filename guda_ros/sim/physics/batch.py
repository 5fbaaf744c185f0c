"""Many simulations of the same robot and field at once, for rollouts and data checks."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
from mujoco.batch import Batch
import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.sim.physics import state
from guda_ros.sim.physics.mjcf import TIMESTEP
from guda_ros.sim.physics.model import Physics, substeps
from guda_ros.sim.physics.obstacles import Obstacle
from guda_ros.sim.physics.randomisation import Randomisation
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile

_ALL = slice(None)


class BatchSimulation:
    """
    `count` simulations with the physics of SoccerSimulation, to the bit, and nothing to draw.

    A simulation whose ball is in the goal or out of the field is done: it stays as it is until its
    reset, and costs nothing more.
    """

    def __init__(
        self,
        contract: Contract,
        robot: RobotProfile,
        count: int,
        threads: int = 1,
        timestep: float = TIMESTEP,
        *,
        kick: bool = False,
        randomisation: Randomisation | None = None,
        obstacles: Sequence[Obstacle] = (),
        seed: int = 0,
    ) -> None:
        """
        Build the model and `count` states of it; `reset` them before the first step.

        :param kick: give the robot a foot that kicks; then commands may have a fourth number.
        :param randomisation: what differs between episodes.
        :param obstacles: in each simulation.
        :param seed: of the episodes whose reset is given none.
        """
        if count < 1 or threads < 1:
            raise ValueError(f'count ({count}) and threads ({threads}) must be at least 1')
        self.contract = contract
        self.robot = robot
        self._physics = Physics(
            contract, (robot,), False, timestep, kick, randomisation, obstacles, seed, count
        )
        self.model = self._physics.model
        self._substeps = substeps(contract, timestep)
        self._batch = Batch(self.model, count, threads)
        self._qpos = self._batch.bind('qpos')
        self._qvel = self._batch.bind('qvel')
        self._act = self._batch.bind('act')
        self._history = self._batch.bind('history')
        self._time = self._batch.bind('time')
        # Of each kind of warning: what it was about, and how often there was one.
        self._warnings = self._batch.warning[..., 1]
        self._physics.bind(self._batch.bind, self._batch.expand)
        self._layout = self._physics.layouts[0]
        self._walk = self._physics.walks[0]
        self._scored = np.zeros(count, dtype=bool)
        self._out = np.zeros(count, dtype=bool)
        self._retired = np.zeros(count, dtype=bool)

    def __len__(self) -> int:
        """Return the number of simulations."""
        return len(self._scored)

    def reset(
        self,
        starts: np.ndarray,
        indices: np.ndarray | None = None,
        seeds: np.ndarray | None = None,
    ) -> None:
        """
        Put simulations to starts (n, 5): robot x, y, yaw, ball x, y.

        :param indices: (n,) which ones; by default the whole batch.
        :param seeds: (n,) of the episodes; by default drawn from the constructor's.
        :raises ValueError: naming a start that is impossible.
        """
        starts = state.check_starts(
            starts, self.robot, self.contract.field, self.contract.has_ball
        )
        self.set_world_states(state.states_of_starts(starts), indices=indices, seeds=seeds)

    def set_world_states(
        self,
        states: np.ndarray,
        velocities: np.ndarray | None = None,
        indices: np.ndarray | None = None,
        seeds: np.ndarray | None = None,
    ) -> None:
        """
        Continue from world states (n, 10) at time zero.

        :param velocities: (n, 3) with which the robots walk, in base_link; by default the previous
        commands.
        :param indices: (n,) which simulations; by default the whole batch.
        :param seeds: (n,) of the episodes; by default drawn from the constructor's.
        """
        states = np.asarray(states, dtype=np.float64)
        indices = np.arange(len(self)) if indices is None else np.asarray(indices)
        if states.shape != (len(indices), world.SIZE):
            raise ValueError(
                f'{len(indices)} rows of {world.SIZE} are expected, not {states.shape}'
            )
        state.check_finite(states)
        states = self.contract.without_absent(states)
        previous = states[:, world.PREVIOUS_COMMAND]
        self._batch.reset(indices, stage=mujoco.mjtStage.mjSTAGE_NONE.value)
        if self._physics.begin(indices, seeds):
            self._batch.set_const(indices)
        qpos, qvel, act, history = (
            values[indices] for values in (self._qpos, self._qvel, self._act, self._history)
        )
        if velocities is None:
            velocities = previous
        state.write_world_states(
            states,
            np.asarray(velocities, dtype=np.float64),
            self.contract.field,
            self._layout,
            qpos,
            qvel,
            act,
            history,
        )
        self._qpos[indices], self._qvel[indices] = qpos, qvel
        self._act[indices], self._history[indices] = act, history
        self._walk.commands[indices] = previous
        self._physics.place_obstacles(indices)
        self._physics.loaded()
        self._scored[indices] = self.contract.succeeded(states)
        self._out[indices] = self.contract.failed(states)
        self._retired[indices] = False

    def retire(self, indices: np.ndarray) -> None:
        """Leave simulations (n,) as they are until their reset: they cost nothing more."""
        self._retired[indices] = True

    def place_obstacles(
        self,
        waypoints: np.ndarray,
        speeds: np.ndarray | None = None,
        indices: np.ndarray | None = None,
    ) -> None:
        """
        Put obstacles elsewhere than a reset does: to waypoints (n, k, w, 2) [m].

        :param speeds: (n, k) [m/s]; by default those they were made with.
        :param indices: (n,) which simulations; by default the whole batch.
        """
        self._physics.place_obstacles(
            _ALL if indices is None else np.asarray(indices), waypoints, speeds
        )

    def step(self, commands: np.ndarray) -> None:
        """
        Walk one control period with commands (count, 3) in base_link, clipped to the limits.

        Rows of simulations that are done are not read.

        :param commands: or, with `kick`, (count, 4): more than .5 in the last starts a kick.
        :raises ValueError: if a command is not finite.
        :raises SimulationError: if MuJoCo gave a warning.
        """
        commands = self._physics.check_shape(commands)
        done = self._scored | self._out | self._retired
        rows, ids = _ALL, None
        if done.any():
            rows = ids = np.flatnonzero(~done)
            if not ids.size:
                return
            commands = commands[rows]
        if not np.isfinite(commands).all():
            raise ValueError(f'a command is not finite: {commands.tolist()}')
        self._physics.drive(rows, (commands,), self._time[rows])
        self._batch.step(ids, nstep=self._substeps)
        if self._warnings[rows].any():
            index = int(np.argmax(self._warnings.any(axis=1)))
            raise state.SimulationError(
                f'MuJoCo warned in simulation {index} in world state '
                f'{self.world_states()[index].tolist()}'
            )
        self._physics.finish(rows)
        states = self._states(rows)
        self._scored[rows] = self.contract.succeeded(states)
        self._out[rows] = self.contract.failed(states)

    def push(self, velocities: np.ndarray, indices: np.ndarray | None = None) -> None:
        """Change the robots' velocities by (n, 2) [m/s] in map, as a blow does; it can fell."""
        velocities = np.asarray(velocities, dtype=np.float64)
        self._walk.push(_ALL if indices is None else np.asarray(indices), velocities)

    def world_states(self) -> np.ndarray:
        """Return the true world states (count, 10), a copy."""
        return self._states(_ALL)

    def _states(self, rows: np.ndarray | slice) -> np.ndarray:
        return state.read_world_states(
            self._qpos[rows], self._qvel[rows], self._walk.commands[rows], self._layout
        )

    def obstacle_states(self) -> np.ndarray:
        """Return the obstacles' true states (count, k, 4): x, y [m], vx, vy [m/s]."""
        return self._physics.crowd.states()

    def trunk_sway(self) -> np.ndarray:
        """Return where the gaits take the trunks, (count, 3): lateral [m], roll, pitch [rad]."""
        return self._walk.sway(self._time)

    def physics_state(self, index: int) -> np.ndarray:
        """Return the whole state of one simulation, for SoccerSimulation.load_physics_state."""
        return self._batch.state[index].copy()

    @property
    def modes(self) -> np.ndarray:
        """What the robots do (count,): walk.WALKING, KICKING, FALLING or GETTING_UP."""
        return self._walk.modes

    @property
    def seeds(self) -> np.ndarray:
        """Seeds of the episodes (count,)."""
        return self._physics.seeds.astype(np.int64)

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """What the randomisation drew for the episodes, (count,) by name, copies."""
        return self._physics.parameters()

    @property
    def time(self) -> np.ndarray:
        """Seconds (count,) since each reset."""
        return self._time.copy()

    @property
    def scored(self) -> np.ndarray:
        """Whether (count,) the goal of the contract was reached, in soccer with the whole ball."""
        return self._scored.copy()

    @property
    def out(self) -> np.ndarray:
        """Whether (count,) all was lost: the whole ball has left the field otherwise."""
        return self._out.copy()

    @property
    def done(self) -> np.ndarray:
        """Whether (count,) each simulation is over: scored or out."""
        return self._scored | self._out
