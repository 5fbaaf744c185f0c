"""What a robot whose camera sits otherwise than its profile says sees of a field, in the twin."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.identification.cameras.mount import Sight
from guda_ros.soccer.robot import LOWER, RobotProfile

PROFILE = RobotProfile.load('nao_v6')
CONTRACT = Contract.load()


def wrong(pitch: float = 0.0, height: float = 0.0, mount=PROFILE.lower_camera):
    """Return a camera that looks farther down [rad] and sits higher [m] than the profile says."""
    x, y, z = mount.position
    return replace(mount, pitch=mount.pitch + pitch, position=(x, y, z + height))


class Twin:
    """
    A NAO in the twin; its lower camera is `mount`.

    :param pan: by how much its head is farther to the left [rad] than its joints say.
    """

    def __init__(self, mount, pan: float = 0.0, ball=None) -> None:
        # Here and not above: profile and field serve tests without the twin, too.
        from guda_ros.sim.physics.simulation import SoccerSimulation
        from guda_ros.sim.rendering.camera import RobotCameras

        robot = replace(PROFILE, other_cameras={LOWER: mount})
        contract = (
            CONTRACT
            if ball is None
            else replace(CONTRACT, field=replace(CONTRACT.field, ball=ball))
        )
        self._pan = pan
        self._simulation = SoccerSimulation(contract, robot)
        self._cameras = RobotCameras(SoccerSimulation(contract, robot), [robot])

    def see(self, pose, pan: float, tilt: float, ball=(-3.0, 2.0), stand: int = 0) -> Sight:
        """Return what it sees from a pose (3,) in map, its joints at pan and tilt [rad]."""
        from guda_ros.sim.rendering.camera import Shot

        simulation = self._simulation
        simulation.set_world_state(np.concatenate([pose, ball, np.zeros(5)]))
        wanted = np.array([pan + self._pan, tilt])
        simulation.look(*wanted)
        for _ in range(50):
            if np.allclose(simulation.head(), wanted):
                break
            simulation.step(np.zeros(3))
        assert np.allclose(simulation.head(), wanted)
        picture = self._cameras.draw(Shot(LOWER, 0, 0, simulation.physics_state()))
        bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
        return Sight(f'{stand}_{pan:+.2f}_{tilt:+.2f}', bgr, pan, tilt, stand)

    def look_around(self, pose, stand: int = 0, **more) -> list[Sight]:
        """Return what it sees as it looks to and fro."""
        return [
            self.see(pose, pan, tilt, stand=stand, **more)
            for tilt in (-0.35, 0.0)
            for pan in (-1.0, -0.5, 0.0, 0.5, 1.0)
        ]

    def close(self) -> None:
        """Free the OpenGL contexts."""
        self._cameras.close()
        self._simulation.close()
