"""One robot on the field: physics step by control step, the true state, and pictures."""

from __future__ import annotations

import mujoco
import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.sim import state
from guda_ros.sim.mjcf import BALL_QPOS, build_model, ROBOT_QVEL, TIMESTEP
from guda_ros.sim.rendering import Renderer
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile


def substeps(contract: Contract, timestep: float) -> int:
    """Return the physics steps in a control period; ValueError unless they are a whole number."""
    count = contract.period / timestep
    if abs(count - round(count)) > 1e-6 or round(count) < 1:
        raise ValueError(f'the control period {contract.period} s is no multiple of the physics '
                         f'step {timestep} s')
    return round(count)


class SoccerSimulation:
    """
    MuJoCo physics of one robot and the ball.

    Random numbers play no part: the same start and commands give the same bytes, also in a
    BatchSimulation.
    """

    def __init__(self, contract: Contract, robot: RobotProfile, visual: bool = True,
                 timestep: float = TIMESTEP) -> None:
        """
        Build the model with the robot at the centre mark and the ball on the penalty mark.

        :param visual: False leaves out everything that is only drawn; `render` then raises.
        """
        self.contract = contract
        self.robot = robot
        self.model = build_model(robot, contract.field, visual, timestep)
        self.data = mujoco.MjData(self.model)
        self._visual = visual
        self._substeps = substeps(contract, timestep)
        self._renderers: dict[tuple[int, int, int], Renderer] = {}
        field = contract.field
        self.reset(np.array([0.0, 0.0, 0.0, field.goal_line - field.penalty_mark, 0.0]))

    def reset(self, start: np.ndarray) -> None:
        """Go to a start (5,): robot x, y, yaw, ball x, y; ValueError when it is impossible."""
        starts = state.check_starts(start, self.robot, self.contract.field)
        self.set_world_state(state.states_of_starts(starts)[0])

    def set_world_state(self, world_state: np.ndarray, velocity: np.ndarray | None = None) -> None:
        """
        Continue from a world state (10,) at time zero.

        :param velocity: (3,) of the robot in base_link; by default the previous command.
        """
        world_state = np.asarray(world_state, dtype=np.float64)
        previous = world_state[world.PREVIOUS_COMMAND]
        mujoco.mj_resetData(self.model, self.data)
        state.write_world_states(
            world_state, previous if velocity is None else np.asarray(velocity, dtype=np.float64),
            self.contract.field, self.data.qpos, self.data.qvel, self.data.act)
        self._after_load(previous)

    def step(self, command: np.ndarray) -> None:
        """
        Walk one control period with a command (3,) [m/s, m/s, rad/s], clipped to the limits.

        :raises ValueError: if the command is not finite.
        :raises SimulationError: if MuJoCo gave a warning.
        """
        self._command = self.contract.limits.clip(state.check_commands(command, (3,)))
        self.data.ctrl[:] = self._command
        mujoco.mj_step(self.model, self.data, nstep=self._substeps)
        for warning in self.data.warning:
            if warning.number:
                raise state.SimulationError(
                    f'MuJoCo warned at {self.data.time:.3f} s in world state '
                    f'{self.world_state().tolist()}')
        ball = self.data.qpos[BALL_QPOS][:2]
        self._scored |= bool(self.contract.field.scored(ball)) and not self._out
        self._out |= bool(self.contract.field.out(ball)) and not self._scored

    def world_state(self) -> np.ndarray:
        """Return the true world state (10,)."""
        return state.read_world_states(self.data.qpos, self.data.qvel, self._command)

    def robot_velocity(self) -> np.ndarray:
        """Return the robot's true velocity (3,) in base_link [m/s, m/s, rad/s]."""
        velocity = self.data.qvel[ROBOT_QVEL]
        yaw = self.data.qpos[world.ROBOT_YAW]
        return np.append(world.rotate(velocity[:2], -yaw), velocity[2])

    def physics_state(self) -> np.ndarray:
        """Return all that the physics depends on (mjSTATE_INTEGRATION), for load_physics_state."""
        row = np.empty(mujoco.mj_stateSize(self.model, mujoco.mjtState.mjSTATE_INTEGRATION))
        mujoco.mj_getState(self.model, self.data, row, mujoco.mjtState.mjSTATE_INTEGRATION)
        return row

    def load_physics_state(self, row: np.ndarray) -> None:
        """Continue from a physics_state of any simulation or batch of the same robot and field."""
        mujoco.mj_resetData(self.model, self.data)
        mujoco.mj_setState(self.model, self.data, np.asarray(row, dtype=np.float64),
                           mujoco.mjtState.mjSTATE_INTEGRATION)
        self._after_load(self.data.ctrl.copy())

    def _after_load(self, previous_command: np.ndarray) -> None:
        self._command = np.array(previous_command)
        ball = self.data.qpos[BALL_QPOS][:2]
        self._scored = bool(self.contract.field.scored(ball))
        self._out = bool(self.contract.field.out(ball))

    @property
    def time(self) -> float:
        """Seconds since the reset."""
        return self.data.time

    @property
    def scored(self) -> bool:
        """Whether the whole ball has been over the goal line between the posts."""
        return self._scored

    @property
    def out(self) -> bool:
        """Whether the whole ball has left the field otherwise."""
        return self._out

    @property
    def done(self) -> bool:
        """Whether the episode is over: scored or out."""
        return self._scored or self._out

    def render(self, camera: str = 'head', width: int | None = None,
               height: int | None = None) -> np.ndarray:
        """
        Return what a camera sees now, RGB uint8 (height, width, 3).

        :param camera: head, which has the profile's size, overview, follow or portrait.
        :raises RenderingUnavailable: if no OpenGL library loads; the message gives the remedy.
        """
        if not self._visual:
            raise ValueError('this simulation was made with visual=False: nothing to draw')
        # The robot's images are made for every step, the others to be looked at.
        key = (width or self.robot.camera.width, height or self.robot.camera.height,
               0 if camera == 'head' else 4)
        if key not in self._renderers:
            self._renderers[key] = Renderer(self.model, *key)
        return self._renderers[key].render(self.data, camera)

    def close(self) -> None:
        """Free the OpenGL contexts; the physics stays usable."""
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()

    def __enter__(self) -> 'SoccerSimulation':
        """Return the simulation."""
        return self

    def __exit__(self, *_) -> None:
        """Free the OpenGL contexts."""
        self.close()
