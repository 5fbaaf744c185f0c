"""
Trials of identification: a robot with properties that nobody was told is driven in simulation.

What comes out is what the robot would have recorded: odometry with its drift at the control rate,
and the ball where a camera with the detector's pixel noise would place it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.identification.drives import Drive, make_drive
from guda_ros.identification.protocol import (
    DRIVE_START,
    DRIVES,
    DURATION,
    ROLL_TIME,
    ROLLS,
    ScriptedDrive,
)
from guda_ros.perception.camera import CameraModel
from guda_ros.sim.physics.odometry import OdometryModel
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.soccer import starts, world
from guda_ros.soccer.robot import RobotProfile

#: Noise of a ball's place in the image [pixels], that of the detector, and share of false balls.
PIXEL_NOISE, FALSE_BALLS = 0.25, 0.01


def perturbed(
    robot: RobotProfile, contract: Contract, rng: np.random.Generator
) -> tuple[RobotProfile, Contract]:
    """Return robot and contract with a walk, an odometry and a carpet drawn at random."""
    walk = replace(
        robot.walk, response_time=tuple(rng.uniform(0.12, 0.55, 3)), delay=rng.uniform(0.08, 0.3)
    )
    odometry = replace(
        robot.odometry, translation_gain=rng.uniform(0.8, 1.2), yaw_gain=rng.uniform(0.8, 1.2)
    )
    ball = replace(contract.field.ball, deceleration=rng.uniform(0.15, 0.6))
    return (
        replace(robot, walk=walk, odometry=odometry),
        replace(contract, field=replace(contract.field, ball=ball)),
    )


def properties(robot: RobotProfile, contract: Contract) -> dict[str, float]:
    """Return what identification is to find, by the names of its results."""
    times = robot.walk.response_time
    return {
        'walk.response_time.forward': times[0],
        'walk.response_time.left': times[1],
        'walk.response_time.turn': times[2],
        'walk.delay': robot.walk.delay,
        'odometry.translation_gain': robot.odometry.translation_gain,
        'odometry.yaw_gain': robot.odometry.yaw_gain,
        'ball.deceleration': contract.field.ball.deceleration,
    }


def record(robot: RobotProfile, contract: Contract, rng: np.random.Generator) -> list[Drive]:
    """Drive the protocol with a robot in simulation and return what it recorded."""
    drives = []
    with SoccerSimulation(contract, robot, visual=False) as simulation:
        odometry = OdometryModel(robot.odometry, rng, contract.period)
        for number in range(DRIVES):
            drives.append(
                _record(
                    f'drive_{number}',
                    simulation,
                    odometry,
                    contract,
                    robot,
                    DRIVE_START,
                    DURATION,
                    rng,
                )
            )
        for number, start in enumerate(ROLLS):
            drives.append(
                _record(
                    f'roll_{number}', simulation, odometry, contract, robot, start, ROLL_TIME, rng
                )
            )
    return drives


def _record(
    name: str,
    simulation: SoccerSimulation,
    odometry: OdometryModel,
    contract: Contract,
    robot: RobotProfile,
    start: tuple[float, ...],
    duration: float,
    rng: np.random.Generator,
) -> Drive:
    start = np.array(start)
    simulation.reset(start[: starts.SIZE])
    state = simulation.world_state()
    if len(start) > starts.SIZE:
        state[world.BALL_VELOCITY] = start[starts.SIZE :]
        simulation.set_world_state(state)
    odometry.reset(start[world.ROBOT])
    operator = ScriptedDrive(contract.limits, contract.period)
    camera = CameraModel.from_mount(robot.camera)
    commands, odom, truth, balls = [], [], [], []
    for step in range(round(duration * contract.rate) + 1):
        now, state = step * contract.period, simulation.world_state()
        if step:
            odometry.update(state[world.ROBOT])
        odom.append((now, *odometry.pose))
        truth.append((now, *state[world.ROBOT]))
        seen = _sighting(camera, contract.field.ball.radius, state, rng)
        if seen is not None:
            balls.append((now, *seen))
        command = operator(state[None])[0]
        commands.append((now, *command))
        simulation.step(command)
    return make_drive(name, commands, odom, truth, balls)


def _sighting(
    camera: CameraModel, radius: float, state: np.ndarray, rng: np.random.Generator
) -> np.ndarray | None:
    """Return the ball's place (2,) in base_link as one image tells it, or None."""
    ball = world.to_frame(state[world.BALL], state[world.ROBOT])
    noise, false = rng.normal(size=2) * PIXEL_NOISE, rng.random() < FALSE_BALLS
    pixel, inside = camera.project(np.append(ball, radius))
    if not inside:
        return None
    if false:
        pixel = rng.uniform(0.5, 1.0, 2) * (camera.width, camera.height)
    place = camera.ray_to_plane((pixel + noise)[None], radius)[0]
    return place if np.isfinite(place).all() and np.hypot(*place) < 8.0 else None
