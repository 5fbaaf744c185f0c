"""All sensors of one simulated robot: what they measure, and when it arrives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
import math

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.sim.physics import noise
from guda_ros.sim.physics.mjcf import TIMESTEP
from guda_ros.sim.physics.odometry import OdometryModel
from guda_ros.sim.physics.randomisation import Randomisation
from guda_ros.sim.physics.sensors import Courier, ImuModel, Mail
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.sim.rendering.camera import CameraThread, mounts, PatientCameras, RobotCameras, Shot
from guda_ros.soccer import starts, world
from guda_ros.soccer.robot import RobotProfile

#: Channels of random numbers.
_ODOMETRY, _IMU, _ODOMETRY_MAIL, _IMU_MAIL, _CAMERA_MAIL = 7, 8, 9, 10, 12


@dataclass(frozen=True)
class OdometrySample:
    """Pose in `odom` and velocity in base_link, each (3,), at a stamp [ns]."""

    sensor = 'odometry'
    stamp: int
    pose: np.ndarray
    velocity: np.ndarray


@dataclass(frozen=True)
class ImuSample:
    """
    Gyroscope (3,) [rad/s] and accelerometer (3,) [m/s^2] in base_link at a stamp [ns].

    head: pan and tilt (2,) [rad], which the same board measures.
    """

    sensor = 'imu'
    stamp: int
    gyroscope: np.ndarray
    accelerometer: np.ndarray
    head: np.ndarray


@dataclass(frozen=True)
class ImageSample:
    """A camera's image (height, width, 3), RGB, of a stamp [ns]."""

    sensor = 'camera'
    stamp: int
    camera: str
    pixels: np.ndarray


class SensorSuite:
    """
    Odometry, IMU with the head's angles, and cameras, each with its rate and its delivery.

    Times are integers in nanoseconds and never run backwards. A sensor is sampled when `sense` is
    called, so no faster than that.

    :param simulation: the world in which the robot is number `index`.
    :param cameras: what draws the pictures, or None without cameras.
    :param period: seconds between two calls of `sense`.
    """

    def __init__(
        self,
        robot: RobotProfile,
        simulation: SoccerSimulation,
        cameras: PatientCameras | CameraThread | None,
        period: float,
        index: int = 0,
    ) -> None:
        self.mounts = mounts(robot) if cameras is not None else {}
        self._robot = robot
        self._simulation = simulation
        self._cameras = cameras
        self._index = index
        self._odometry = OdometryModel(robot.odometry, np.random.default_rng(0), period)
        self._imu = ImuModel(robot.imu)
        self._odometry_mail = Mail(robot.odometry.delivery)
        self._imu_mail = Mail(robot.imu.delivery)
        self._couriers = {name: Courier(mount.delivery) for name, mount in self.mounts.items()}
        self._began = 0
        self._taken: dict[str, int] = {}

    def reset(self, now: int, start: np.ndarray, seed: Sequence[int]) -> None:
        """Begin an episode at `now`: the robot's pose (3,), and the seed of all errors."""

        def rng(channel):
            return np.random.default_rng([*seed, channel, *([self._index] if self._index else [])])

        self._began, self._taken = now, {}
        self._odometry.reset(
            start, rng(_ODOMETRY), self._simulation.parameters.get('odometry.scale', 1.0)
        )
        self._imu.reset(rng(_IMU))
        self._odometry_mail.reset(rng(_ODOMETRY_MAIL))
        self._imu_mail.reset(rng(_IMU_MAIL))
        for number, courier in enumerate(self._couriers.values()):
            courier.reset(rng(_CAMERA_MAIL + number))

    def sense(
        self, now: int, control: bool, watched: Callable[[str], bool] = lambda camera: True
    ) -> None:
        """
        Measure everything that is due, and send it on its way.

        :param control: whether a control step begins; cameras without a rate go by those.
        :param watched: tells whether somebody wants the images of a camera.
        """
        simulation, index = self._simulation, self._index
        pose = simulation.world_state(index)[world.ROBOT]
        if now > self._began:
            self._odometry.update(pose)
        self._odometry_mail.send(
            now, OdometrySample(now, self._odometry.pose, self._odometry.velocity)
        )
        if self._due('imu', now, self._robot.imu.rate):
            gyroscope, accelerometer = self._imu.sample(
                (now - self._began) / 1e9,
                pose[2],
                simulation.robot_velocity(index),
                simulation.trunk_sway(index),
                simulation.trunk_fall(index),
            )
            self._imu_mail.send(
                now, ImuSample(now, gyroscope, accelerometer, simulation.head(index))
            )
        for name, mount in self.mounts.items():
            due = self._due(name, now, mount.rate) if mount.rate else control
            if due and watched(name):
                arrival = self._couriers[name].arrival(now)
                if arrival is not None:
                    self._cameras.take(Shot(name, now, arrival, simulation.physics_state(), index))

    def _due(self, name: str, now: int, rate: float) -> bool:
        """Tell whether a sensor with a rate [Hz] has not been sampled since it was due."""
        number = int((now - self._began) / 1e9 * rate + 1e-6)
        if number < self._taken.get(name, 0):
            return False
        self._taken[name] = number + 1
        return True

    def arrived(self, now: int) -> list[OdometrySample | ImuSample | ImageSample]:
        """Return what has arrived by `now` since the last call; images come last."""
        images = self._cameras.pictures(now, self._index) if self._cameras is not None else []
        return [
            *self._odometry_mail.arrived(now),
            *self._imu_mail.arrived(now),
            *(ImageSample(shot.stamp, shot.camera, pixels) for shot, pixels in images),
        ]


class World:
    """
    One robot or several on a field with their sensors; a step lasts 1 / rate [s].

    :param robots: profiles, one for each robot.
    :param rate: steps a second, a multiple of the contract's rate; `sense` the sensors after each.
    :param camera: whether pictures can be drawn.
    :param threaded: draw apart from the physics, in a thread; otherwise when a picture arrives.
    :param randomisation: of config/randomisation, name or file; `none` for none.
    :raises RenderingUnavailable: if a camera is wanted and nothing can be drawn.
    """

    def __init__(
        self,
        contract: Contract,
        robots: Sequence[RobotProfile],
        rate: float,
        camera: bool = False,
        threaded: bool = False,
        randomisation: str = 'none',
    ) -> None:
        drawn = None if randomisation == 'none' else Randomisation.load(randomisation)
        timestep = 1.0 / rate / math.ceil(1.0 / rate / TIMESTEP - 1e-9)
        stepped = replace(contract, rate=rate)

        def build() -> SoccerSimulation:
            return SoccerSimulation(
                stepped,
                robots[0],
                visual=camera,
                timestep=timestep,
                kick=True,
                randomisation=drawn,
                robots=robots,
            )

        def cameras() -> RobotCameras:
            pictures = RobotCameras(build(), robots)
            for index, robot in enumerate(robots):
                for name in mounts(robot):
                    # Now: a machine that cannot draw is to be noticed before an episode.
                    pictures.draw(Shot(name, 0, 0, self.simulation.physics_state(), index))
            return pictures

        self.simulation = build()
        self._cameras = None
        if camera:
            self._cameras = (CameraThread if threaded else PatientCameras)(cameras)
        #: Of each robot.
        self.sensors = [
            SensorSuite(robot, self.simulation, self._cameras, 1.0 / rate, index)
            for index, robot in enumerate(robots)
        ]

    def reset(self, now: int, start: np.ndarray, seed: int, index: int = -1) -> None:
        """
        Begin an episode at `now` [ns] from a start (5,), or (7,) with the ball's velocity [m/s].

        :param seed: of all that is drawn, together with the number of the start.
        :param index: the start's number, -1 for none.
        :raises ValueError: when the start is impossible.
        """
        drawn = int(noise.episode_seed(seed, index + 1, 0)[0])
        self.simulation.reset(start[: starts.SIZE], drawn)
        if len(start) > starts.SIZE:
            state = self.simulation.world_state()
            state[world.BALL_VELOCITY] = start[starts.SIZE :]
            self.simulation.set_world_state(state, seed=drawn)
        if self._cameras is not None:
            self._cameras.reset(seed)
        for number, sensors in enumerate(self.sensors):
            sensors.reset(now, self.simulation.world_state(number)[world.ROBOT], [seed, index + 1])

    def close(self) -> None:
        """End the thread, if there is one, and free the OpenGL contexts."""
        if self._cameras is not None:
            self._cameras.close()
            self._cameras = None
