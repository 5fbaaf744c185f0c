"""A simulated robot's cameras: pictures of a state, with lens, exposure and noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import threading

import mujoco
import numpy as np

from guda_ros.sim.physics.mjcf import suffix
from guda_ros.sim.physics.sensors import LensModel
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.soccer import world
from guda_ros.soccer.robot import CameraMount, FIRST, RobotProfile

#: Most pictures that are averaged for one exposure, and pixels of motion for each.
_EXPOSURES, _BLUR = 5, 1.5


@dataclass(frozen=True, eq=False)
class Shot:
    """
    A picture to be taken.

    :param camera: its name.
    :param stamp: when it is taken [ns].
    :param arrival: when it arrives [ns].
    :param state: of SoccerSimulation.physics_state.
    :param robot: index of the robot whose camera it is.
    """

    camera: str
    stamp: int
    arrival: int
    state: np.ndarray
    robot: int = 0


def mounts(robot: RobotProfile) -> dict[str, CameraMount]:
    """Return a robot's cameras by what the simulator calls them: `head`, the others by name."""
    return {FIRST: robot.camera, **robot.other_cameras}


class RobotCameras:
    """
    Draw what robots' cameras see, in a simulation that is used for nothing else.

    :param simulation: only to be drawn; its state is overwritten. `close` closes it.
    :param robots: profiles by index.
    """

    def __init__(self, simulation: SoccerSimulation, robots: Sequence[RobotProfile]) -> None:
        self._simulation = simulation
        self._cameras = {
            (index, name): (mount, LensModel(mount))
            for index, robot in enumerate(robots)
            for name, mount in mounts(robot).items()
        }
        self._seed = 0

    def reset(self, seed: int) -> None:
        """Begin an episode with a seed of the noise."""
        self._seed = seed

    def draw(self, shot: Shot) -> np.ndarray:
        """
        Return a picture, RGB uint8 (height, width, 3), as the camera would send it.

        Everything goes on as it moves in the given state during the exposure, which ends there.
        """
        simulation = self._simulation
        mount, lens = self._cameras[shot.robot, shot.camera]
        model, data = simulation.model, simulation.data
        name = shot.camera + suffix(shot.robot)
        simulation.load_physics_state(shot.state)
        # A randomised field of view changes the focal length, whatever the lens needs around it.
        zoom = np.tan(mount.vertical_fov / 2) / np.tan(
            mount.vertical_fov * simulation.parameters.get('camera.field_of_view', 1.0) / 2
        )
        model.camera(name).fovy = np.degrees(2 * np.arctan(np.tan(lens.vertical_fov / 2) / zoom))
        count = self._exposures(mount, shot.robot)
        if count == 1:
            picture = simulation.render(name, *lens.size)
        else:
            qpos, time = data.qpos.copy(), data.time
            total = np.zeros((lens.size[1], lens.size[0], 3), np.uint16)
            for before in np.linspace(-mount.exposure, 0.0, count):
                data.qpos[:] = qpos
                mujoco.mj_integratePos(model, data.qpos, data.qvel, before)
                data.time = time + before
                total += simulation.render(name, *lens.size)
            picture = ((total + count // 2) // count).astype(np.uint8)
        # By time, so that noise does not depend on which pictures somebody wanted.
        index = list(self._cameras).index((shot.robot, shot.camera))
        return lens.apply(
            picture, np.random.default_rng([self._seed, 11, index, round(1e6 * data.time)])
        )

    def _exposures(self, mount: CameraMount, robot: int) -> int:
        """Return how many pictures an exposure is made of, by how far what is seen moves."""
        if not mount.exposure:
            return 1
        state = self._simulation.world_state(robot)
        velocity = self._simulation.robot_velocity(robot)
        away = np.linalg.norm(state[world.BALL] - state[world.ROBOT_POSITION])
        ball = np.linalg.norm(state[world.BALL_VELOCITY])
        turn = abs(velocity[2]) + (np.linalg.norm(velocity[:2]) + ball) / max(away, 0.3)
        focal = mount.height / 2 / np.tan(mount.vertical_fov / 2)
        return 1 + min(_EXPOSURES - 1, int(np.ceil(focal * mount.exposure * turn / _BLUR)))

    def close(self) -> None:
        """Free the OpenGL contexts."""
        self._simulation.close()


class PatientCameras:
    """Draw pictures at once when they arrive, so that the same shots give the same bytes."""

    def __init__(self, build: Callable[[], RobotCameras]) -> None:
        self._cameras = build()
        self._shots: list[Shot] = []

    def reset(self, seed: int) -> None:
        """Begin an episode: what was to be drawn is forgotten."""
        self._shots.clear()
        self._cameras.reset(seed)

    def take(self, shot: Shot) -> None:
        """Take a picture."""
        self._shots.append(shot)

    def pictures(self, now: int, robot: int) -> list[tuple[Shot, np.ndarray]]:
        """Return a robot's pictures that have arrived by `now` [ns] since the last call."""
        here = [shot for shot in self._shots if shot.arrival <= now and shot.robot == robot]
        self._shots = [shot for shot in self._shots if shot not in here]
        return [(shot, self._cameras.draw(shot)) for shot in here]

    def close(self) -> None:
        """Free the OpenGL contexts."""
        self._cameras.close()


class CameraThread:
    """
    Draw in a thread of its own, with its own copy of the state and its own OpenGL context.

    A shot that waits is replaced by the next one of its camera, so that nobody waits for pictures.

    :param build: makes the cameras, in the thread.
    """

    def __init__(self, build: Callable[[], RobotCameras]) -> None:
        """Start the thread, and return once it can draw; errors of `build` are raised here."""
        self._build = build
        self._changed = threading.Condition()
        self._waiting: dict[tuple[int, str], Shot] = {}
        self._seed: int | None = None
        self._pictures: list[tuple[Shot, np.ndarray]] = []
        self._error: BaseException | None = None
        self._ready = self._closed = False
        self._thread = threading.Thread(target=self._run, name='cameras', daemon=True)
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._error)
        self._raise()

    def reset(self, seed: int) -> None:
        """Begin an episode: what was to be drawn is forgotten."""
        with self._changed:
            self._waiting.clear()
            self._pictures.clear()
            self._seed = seed

    def take(self, shot: Shot) -> None:
        """Take a picture."""
        with self._changed:
            self._waiting[shot.robot, shot.camera] = shot
            self._changed.notify_all()

    def pictures(self, now: int, robot: int) -> list[tuple[Shot, np.ndarray]]:
        """
        Return a robot's pictures that were drawn since the last call and have arrived by now [ns].

        Raises what went wrong in the thread.
        """
        self._raise()
        here, rest = [], []
        with self._changed:
            for shot, picture in self._pictures:
                mine = shot.robot == robot and shot.arrival <= now
                (here if mine else rest).append((shot, picture))
            self._pictures = rest
        return here

    def close(self) -> None:
        """End the thread and free its OpenGL context."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        cameras = None
        try:
            cameras = self._build()
            with self._changed:
                self._ready = True
                self._changed.notify_all()
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._closed or self._waiting)
                    if self._closed:
                        return
                    # The one that has waited longest.
                    shot = self._waiting.pop(next(iter(self._waiting)))
                    seed, self._seed = self._seed, None
                if seed is not None:
                    cameras.reset(seed)
                picture = cameras.draw(shot)
                with self._changed:
                    # One of the episode before is worthless.
                    if self._seed is None:
                        self._pictures.append((shot, picture))
        except BaseException as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()
        finally:
            if cameras is not None:
                cameras.close()
