"""One or several robots on the field: physics by control steps, the true state, and pictures."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.sim.physics import state
from guda_ros.sim.physics.mjcf import TIMESTEP
from guda_ros.sim.physics.model import Physics, substeps
from guda_ros.sim.physics.obstacles import Obstacle
from guda_ros.sim.physics.posture import is_on_a_head, Posture
from guda_ros.sim.physics.randomisation import Randomisation
from guda_ros.sim.rendering.renderer import Renderer
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile

_ALL = slice(None)


class SoccerSimulation:
    """
    MuJoCo physics of one robot or several, the ball and obstacles.

    The same start, commands and seed give the same bytes, also in a BatchSimulation. Without slip
    and randomisation the seed does not matter.
    """

    def __init__(
        self,
        contract: Contract,
        robot: RobotProfile,
        visual: bool = True,
        timestep: float = TIMESTEP,
        *,
        kick: bool = False,
        randomisation: Randomisation | None = None,
        obstacles: Sequence[Obstacle] = (),
        seed: int = 0,
        robots: Sequence[RobotProfile] = (),
    ) -> None:
        """
        Build the model with the robot at the centre mark and the ball on the penalty mark.

        :param visual: False leaves out everything that is only drawn; `render` then raises.
        :param kick: give robots a foot that kicks; then commands may have a fourth number.
        :param randomisation: what differs between episodes.
        :param seed: of the episodes whose reset is given none.
        :param robots: all robots of the world by index, the first of which is `robot`; by default
        that one alone.
        """
        self.robots = tuple(robots) or (robot,)
        if self.robots[0] != robot:
            raise ValueError(f'the first of `robots` is to be `robot`, not {self.robots[0].name}')
        self.contract = contract
        self.robot = robot
        self._physics = Physics(
            contract, self.robots, visual, timestep, kick, randomisation, obstacles, seed, 1
        )
        self.model = self._physics.model
        self.data = mujoco.MjData(self.model)
        self._warnings = self.data.warning
        self._scratch = mujoco.MjData(self.model) if randomisation else None
        self._physics.bind(
            lambda name: getattr(self.data, name)[None],
            lambda name: getattr(self.model, name)[None],
        )
        self._layout = self._physics.layouts[0]
        self._visual = visual
        self._substeps = substeps(contract, timestep)
        self._renderers: dict[tuple[int, int, int], Renderer] = {}
        field = contract.field
        self.reset(np.array([0.0, 0.0, 0.0, field.goal_line - field.penalty_mark, 0.0]), seed)

    def reset(self, start: np.ndarray, seed: int | None = None) -> None:
        """
        Go to a start (5,): robot x, y, yaw, ball x, y; ValueError when it is impossible.

        Other robots stand in a row in their own half; `place_robot` puts them elsewhere.

        :param seed: of the episode; by default drawn from the constructor's.
        """
        starts = state.check_starts(start, self.robot, self.contract.field, self.contract.has_ball)
        self.set_world_state(state.states_of_starts(starts)[0], seed=seed)

    def set_world_state(
        self, world_state: np.ndarray, velocity: np.ndarray | None = None, seed: int | None = None
    ) -> None:
        """
        Continue from a world state (10,) at time zero.

        :param velocity: (3,) of the robot in base_link; by default the previous command.
        :param seed: of the episode; by default drawn from the constructor's.
        """
        world_state = np.asarray(world_state, dtype=np.float64)
        if world_state.shape != (world.SIZE,):
            raise ValueError(f'a world state ({world.SIZE},) is expected, not {world_state.shape}')
        state.check_finite(world_state)
        world_state = self.contract.without_absent(world_state)
        previous = world_state[world.PREVIOUS_COMMAND]
        mujoco.mj_resetData(self.model, self.data)
        self._set_constants(
            self._physics.begin(np.arange(1), None if seed is None else np.array([seed]))
        )
        state.write_world_states(
            world_state,
            previous if velocity is None else np.asarray(velocity, dtype=np.float64),
            self.contract.field,
            self._layout,
            self.data.qpos,
            self.data.qvel,
            self.data.act,
            self.data.history,
        )
        self._physics.walks[0].commands[0] = previous
        for index in range(1, len(self.robots)):
            self.place_robot(index, [-1.0, index - len(self.robots) / 2, 0.0])
        self._physics.place_obstacles(_ALL)
        self._after_load()

    def place_robot(self, index: int, pose: np.ndarray) -> None:
        """Put a robot to a pose (3,): x, y [m], yaw [rad] in map, at rest."""
        zero = np.zeros(3)
        state.write_robots(
            np.asarray(pose, dtype=np.float64),
            zero,
            zero,
            self._physics.layouts[index],
            self.data.qpos,
            self.data.qvel,
            self.data.act,
            self.data.history,
        )
        self._physics.walks[index].commands[0] = zero

    def place_obstacles(self, waypoints: np.ndarray, speeds: np.ndarray | None = None) -> None:
        """
        Put obstacles elsewhere than a reset does: to waypoints (k, w, 2) [m].

        :param speeds: (k,) [m/s]; by default those they were made with.
        """
        self._physics.place_obstacles(
            _ALL, np.asarray(waypoints)[None], None if speeds is None else np.asarray(speeds)[None]
        )

    def step(self, command: np.ndarray) -> None:
        """
        Walk one control period with a command (3,) [m/s, m/s, rad/s], clipped to the limits.

        :param command: or, with `kick`, (4,): more than .5 in the last starts a kick. For several
        robots (r, 3) or (r, 4); one that is given none stands.
        :raises ValueError: if the command is not finite.
        :raises SimulationError: if MuJoCo gave a warning.
        """
        command = np.asarray(command, dtype=np.float64)
        rows = command if command.ndim == 2 else command[None]
        if len(rows) > len(self.robots):
            raise ValueError(
                f'commands for {len(self.robots)} robots are expected, not {len(rows)}'
            )
        if not np.isfinite(command).all():
            raise ValueError(f'a command is not finite: {command.tolist()}')
        commands = [self._physics.check_shape(row[None]) for row in rows]
        commands += [np.zeros((1, 3))] * (len(self.robots) - len(rows))
        self._physics.drive(_ALL, commands, self.data.time)
        mujoco.mj_step(self.model, self.data, nstep=self._substeps)
        if self._warnings.number.any():
            raise state.SimulationError(
                f'MuJoCo warned at {self.data.time:.3f} s in world state '
                f'{self.world_state().tolist()}'
            )
        self._physics.finish(_ALL)
        now = self.world_state()
        self._scored |= bool(self.contract.succeeded(now)) and not self._out
        self._out |= bool(self.contract.failed(now)) and not self._scored

    def push(self, velocity: np.ndarray, robot: int = 0) -> None:
        """Change a robot's velocity by (2,) [m/s] in map, as a blow does; it can fell it."""
        self._physics.walks[robot].push(_ALL, np.asarray(velocity, dtype=np.float64)[None])

    def look(self, pan: float, tilt: float, robot: int = 0) -> None:
        """Turn a robot's head toward pan and tilt [rad], within its limits, at its speed."""
        self._physics.walks[robot].look(_ALL, pan, tilt)

    def world_state(self, robot: int = 0) -> np.ndarray:
        """Return the true world state (10,), as it is for the robot of an index."""
        return state.read_world_states(
            self.data.qpos,
            self.data.qvel,
            self._physics.walks[robot].commands[0],
            self._physics.layouts[robot],
        )

    def robot_velocity(self, robot: int = 0) -> np.ndarray:
        """Return a robot's true velocity (3,) in base_link [m/s, m/s, rad/s]."""
        layout = self._physics.layouts[robot]
        velocity = self.data.qvel[layout.robot_qvel]
        yaw = self.data.qpos[layout.robot_qpos][2]
        return np.append(world.rotate(velocity[:2], -yaw), velocity[2])

    def obstacle_states(self) -> np.ndarray:
        """Return the obstacles' true states (k, 4): x, y [m], vx, vy [m/s]."""
        return self._physics.crowd.states()[0]

    def trunk_sway(self, robot: int = 0) -> np.ndarray:
        """Return where the gait takes a robot's trunk, (3,): lateral [m], roll, pitch [rad]."""
        return self._physics.walks[robot].sway(self.data.time)[0]

    def trunk_fall(self, robot: int = 0) -> np.ndarray:
        """
        Return how a fall has turned a robot's trunk, (2,): about base_link's x and y [rad].

        It is one turn about an axis in between, and not roll and then pitch.
        """
        lying, direction, _ = (values[0] for values in self._physics.walks[robot].posture())
        return lying * np.pi / 2 * np.array([-np.sin(direction), np.cos(direction)])

    def head(self, robot: int = 0) -> np.ndarray:
        """Return pan and tilt (2,) of a robot's head [rad]."""
        return self._physics.walks[robot].head[0]

    def physics_state(self) -> np.ndarray:
        """Return all that the physics depends on (mjSTATE_INTEGRATION), for load_physics_state."""
        row = np.empty(mujoco.mj_stateSize(self.model, mujoco.mjtState.mjSTATE_INTEGRATION))
        mujoco.mj_getState(self.model, self.data, row, mujoco.mjtState.mjSTATE_INTEGRATION)
        return row

    def load_physics_state(self, row: np.ndarray) -> None:
        """
        Continue from a physics_state of any simulation or batch made with the same arguments.

        What was randomised there is drawn again from the seed in the state.
        """
        mujoco.mj_resetData(self.model, self.data)
        mujoco.mj_setState(
            self.model,
            self.data,
            np.asarray(row, dtype=np.float64),
            mujoco.mjtState.mjSTATE_INTEGRATION,
        )
        self._set_constants(self._physics.draw(np.arange(1)))
        self._after_load()

    def _set_constants(self, changed: bool) -> None:
        """Let what MuJoCo derives from masses follow them."""
        if changed:
            extent, centre = self.model.stat.extent, self.model.stat.center.copy()
            mujoco.mj_setConst(self.model, self._scratch)
            self.model.stat.extent, self.model.stat.center[:] = extent, centre

    def _after_load(self) -> None:
        self._physics.loaded()
        now = self.world_state()
        self._scored = bool(self.contract.succeeded(now))
        self._out = bool(self.contract.failed(now))

    @property
    def mode(self) -> int:
        """What the robot does: walk.WALKING, KICKING, FALLING or GETTING_UP."""
        return int(self._physics.walks[0].modes[0])

    @property
    def modes(self) -> np.ndarray:
        """What all robots do, (r,)."""
        return np.array([one.modes[0] for one in self._physics.walks])

    @property
    def seed(self) -> int:
        """The episode's seed."""
        return int(self._physics.seeds[0])

    @property
    def parameters(self) -> dict[str, float]:
        """What the randomisation drew for the episode, by name."""
        return {name: float(values[0]) for name, values in self._physics.parameters().items()}

    @property
    def time(self) -> float:
        """Seconds since the reset."""
        return self.data.time

    @property
    def scored(self) -> bool:
        """Whether the goal of the contract was reached, in soccer with the whole ball."""
        return self._scored

    @property
    def out(self) -> bool:
        """Whether all was lost: the whole ball has left the field otherwise."""
        return self._out

    @property
    def done(self) -> bool:
        """Whether the episode is over: scored or out."""
        return self._scored or self._out

    def render(
        self, camera: str = 'head', width: int | None = None, height: int | None = None
    ) -> np.ndarray:
        """
        Return what a camera sees now, RGB uint8 (height, width, 3).

        :param camera: head, which has the profile's size, overview, follow or portrait; those of
        another robot than the first end with its index, as in head_1.
        :raises RenderingUnavailable: if no OpenGL library loads; the message gives the remedy.
        """
        if not self._visual:
            raise ValueError('this simulation was made with visual=False: nothing to draw')
        # The robot's images are made for every step, the others to be looked at.
        key = (
            width or self.robot.camera.width,
            height or self.robot.camera.height,
            0 if is_on_a_head(self.model, camera) else 4,
        )
        if key not in self._renderers:
            self._renderers[key] = Renderer(self.model, *key)
        return self._renderers[key].render(self.data, camera, self._postures())

    def _postures(self) -> list[Posture]:
        postures = []
        for index, (walk, layout) in enumerate(zip(self._physics.walks, self._physics.layouts)):
            lying, direction, side = (float(values[0]) for values in walk.posture())
            foot = 0.0 if layout.foot_qpos is None else float(self.data.qpos[layout.foot_qpos])
            postures.append(
                Posture(index, walk.head[0], self.trunk_sway(index), lying, direction, side, foot)
            )
        return postures

    def close(self) -> None:
        """Free the OpenGL contexts; the physics stays usable."""
        for renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()

    def __enter__(self) -> SoccerSimulation:
        """Return the simulation."""
        return self

    def __exit__(self, *_) -> None:
        """Free the OpenGL contexts."""
        self.close()
