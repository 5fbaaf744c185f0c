"""Images of the simulated robot's camera with the truth about the ball, for perception's tests."""

from __future__ import annotations

import cv2
import numpy as np
from optional import missing
import pytest

from guda_ros.data.contract import Contract
from guda_ros.perception.camera import CameraModel
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile

CONTRACT = Contract.load()
PROFILE = RobotProfile.load('nao_v6')
CAMERA = CameraModel.from_mount(PROFILE.camera)
RADIUS = CONTRACT.field.ball.radius


class Scenes:
    """Renders what the robot sees."""

    def __init__(self) -> None:
        # Here and not above: the camera and the contract serve tests on a robot, too.
        from guda_ros.sim.physics.simulation import SoccerSimulation

        self.simulation = SoccerSimulation(CONTRACT, PROFILE)

    def image(self, robot, ball) -> np.ndarray:
        """Return the image (BGR) of a robot pose (3,) and a ball position (2,) in map."""
        self.simulation.set_world_state(np.concatenate([robot, ball, np.zeros(5)]))
        return cv2.cvtColor(self.simulation.render('head'), cv2.COLOR_RGB2BGR)

    def random_image(self, rng: np.random.Generator, low: float, high: float):
        """Return an image and the ball (2,) in base_link, in full view at a distance in range."""
        while True:
            distance, bearing = rng.uniform(low, high), rng.uniform(-0.85, 0.85)
            place = distance * np.array([np.cos(bearing), np.sin(bearing)])
            outline = CAMERA.sphere_outline(np.append(place, RADIUS), RADIUS)
            reach = outline.half_size + 1
            robot = random_robot(rng)
            ball = world.from_frame(place, robot)
            if (
                (outline.centre > reach).all()
                and (outline.centre < [CAMERA.width, CAMERA.height] - reach - 1).all()
                and abs(ball[0]) < 4.4
                and abs(ball[1]) < 2.9
            ):
                return self.image(robot, ball), place

    def image_without_ball(self, rng: np.random.Generator) -> np.ndarray:
        """Return an image of a robot that has the ball behind it."""
        while True:
            robot = random_robot(rng)
            ball = rng.uniform([-4, -2.5], [4, 2.5])
            if world.to_frame(ball, robot)[0] < -0.4:
                return self.image(robot, ball)


def random_robot(rng: np.random.Generator) -> np.ndarray:
    """Return a pose (3,) in map anywhere in the attacking half."""
    return rng.uniform([-0.5, -2.7, -np.pi], [4.2, 2.7, np.pi])


def open_scenes():
    """Yield scenes for a fixture, or skip visibly where nothing can be drawn."""
    if missing('drawing'):
        pytest.skip(missing('drawing'))
    made = Scenes()
    yield made
    made.simulation.close()
