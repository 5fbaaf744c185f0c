"""World states and MuJoCo states: the same functions for one simulation and for many."""

from __future__ import annotations

import numpy as np

from guda_ros.sim.mjcf import BALL_QPOS, BALL_QVEL, ROBOT_QPOS, ROBOT_QVEL
from guda_ros.soccer import world
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import RobotProfile
from guda_ros.soccer.starts import SIZE as START_SIZE


class SimulationError(RuntimeError):
    """The physics left its valid range; the message says where."""


def check_starts(starts: np.ndarray, robot: RobotProfile, field: Field) -> np.ndarray:
    """
    Return starts (n, 5) as float64.

    :raises ValueError: naming the first that is not finite, off the carpet, or ball in robot.
    """
    starts = np.array(starts, dtype=np.float64, ndmin=2)
    if starts.ndim != 2 or starts.shape[1] != START_SIZE:
        raise ValueError(f'starts of shape (n, {START_SIZE}) are expected, not {starts.shape}: '
                         'robot x, y, yaw, ball x, y')
    half = np.array([field.length, field.width]) / 2 + field.border
    radius = field.ball.radius
    body = robot.body
    in_robot = world.to_frame(starts[:, 3:5], starts[:, :3])
    centre = body.foot_front - body.foot_length / 2
    gap = np.maximum(np.abs(in_robot - [centre, 0.0])
                     - [body.foot_length / 2, (body.stance_width + body.foot_width) / 2], 0.0)
    for problem, wrong in (
            ('is not finite', ~np.isfinite(starts).all(axis=1)),
            ('is off the carpet', (np.abs(starts[:, 0:2]) > half - body.foot_front).any(axis=1)
             | (np.abs(starts[:, 3:5]) > half - radius).any(axis=1)),
            ('has the ball inside the robot', np.linalg.norm(gap, axis=1) < radius)):
        if wrong.any():
            index = int(np.argmax(wrong))
            raise ValueError(f'start {starts[index].tolist()} {problem}: '
                             'robot x, y [m], yaw [rad], ball x, y [m] in map')
    return starts


def check_commands(commands: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return commands as float64; ValueError for another shape or a number not finite."""
    commands = np.asarray(commands, dtype=np.float64)
    if commands.shape != shape:
        raise ValueError(f'commands of shape {shape} are expected, not {commands.shape}')
    if not np.isfinite(commands).all():
        raise ValueError(f'a command is not finite: {commands.tolist()}')
    return commands


def write_world_states(states: np.ndarray, velocities: np.ndarray, field: Field, qpos: np.ndarray,
                       qvel: np.ndarray, act: np.ndarray) -> None:
    """
    Write world states (..., 10) into qpos (..., 10), qvel (..., 9) and act (..., 3).

    A moving ball rolls without slipping.

    :param velocities: what the robot walks with (..., 3), in base_link [m/s, m/s, rad/s].
    """
    radius = field.ball.radius
    qpos[..., ROBOT_QPOS] = states[..., world.ROBOT]
    qpos[..., BALL_QPOS] = (0.0, 0.0, radius, 1.0, 0.0, 0.0, 0.0)
    qpos[..., BALL_QPOS.start:BALL_QPOS.start + 2] = states[..., world.BALL]
    qvel[..., :] = 0.0
    qvel[..., ROBOT_QVEL.start:ROBOT_QVEL.start + 2] = world.rotate(
        velocities[..., :2], states[..., world.ROBOT_YAW])
    qvel[..., ROBOT_QVEL.start + 2] = velocities[..., 2]
    ball = BALL_QVEL.start
    qvel[..., ball:ball + 2] = states[..., world.BALL_VELOCITY]
    qvel[..., ball + 3] = -states[..., world.BALL_VELOCITY.start + 1] / radius
    qvel[..., ball + 4] = states[..., world.BALL_VELOCITY.start] / radius
    act[..., :] = velocities


def read_world_states(qpos: np.ndarray, qvel: np.ndarray, commands: np.ndarray) -> np.ndarray:
    """Return world states (..., 10) of qpos (..., 10), qvel (..., 9) and commands (..., 3)."""
    states = np.empty(qpos.shape[:-1] + (world.SIZE,))
    states[..., world.ROBOT] = qpos[..., ROBOT_QPOS]
    states[..., world.ROBOT_YAW] = world.wrap_angle(qpos[..., ROBOT_QPOS.stop - 1])
    states[..., world.BALL] = qpos[..., BALL_QPOS.start:BALL_QPOS.start + 2]
    states[..., world.BALL_VELOCITY] = qvel[..., BALL_QVEL.start:BALL_QVEL.start + 2]
    states[..., world.PREVIOUS_COMMAND] = commands
    return states


def states_of_starts(starts: np.ndarray) -> np.ndarray:
    """Return the world states (n, 10) in which starts (n, 5) begin, everything at rest."""
    states = np.zeros((len(starts), world.SIZE))
    states[:, :START_SIZE] = starts
    return states
