"""World states and MuJoCo states: the same functions for one simulation and for many."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

from guda_ros.sim.physics.mjcf import suffix
from guda_ros.soccer import world
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import RobotProfile
from guda_ros.soccer.starts import SIZE as START_SIZE


class SimulationError(RuntimeError):
    """The physics left its valid range; the message says where."""


@dataclass(frozen=True)
class Layout:
    """Where in a model's state one robot and the ball are: slices, and indices of its foot."""

    robot_qpos: slice
    robot_qvel: slice
    act: slice
    ctrl: slice
    history: tuple[slice, ...]
    foot_qpos: int | None
    foot_ctrl: int | None
    ball_qpos: slice
    ball_qvel: slice

    @classmethod
    def of(cls, model: mujoco.MjModel, index: int = 0) -> Layout:
        """Find the robot with an index, and the ball."""
        end = suffix(index)
        robot, ball = model.joint(f'robot_x{end}'), model.joint('ball')
        walk = model.actuator(f'forward{end}').id
        qpos, qvel, act = robot.qposadr[0], robot.dofadr[0], model.actuator_actadr[walk]
        ball_qpos, ball_qvel = ball.qposadr[0], ball.dofadr[0]
        kick = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_ACTUATOR, f'kick{end}')
        history = []
        for axis in range(walk, walk + 3):
            samples, address = model.actuator_history[axis, 0], model.actuator_historyadr[axis]
            if samples:
                # A cursor of two numbers and the times come before the values.
                history.append(slice(address + 2 + samples, address + 2 + 2 * samples))
        return cls(
            slice(qpos, qpos + 3),
            slice(qvel, qvel + 3),
            slice(act, act + 3),
            slice(walk, walk + 3),
            tuple(history),
            None if kick < 0 else model.joint(f'foot{end}').qposadr[0],
            None if kick < 0 else kick,
            slice(ball_qpos, ball_qpos + 7),
            slice(ball_qvel, ball_qvel + 6),
        )


def check_starts(
    starts: np.ndarray, robot: RobotProfile, field: Field, ball: bool = True
) -> np.ndarray:
    """
    Return starts (n, 5) as float64.

    :param ball: whether there is one; if not, where the starts put it does not matter.
    :raises ValueError: naming the first that is not finite, off the carpet, or ball in robot.
    """
    starts = np.array(starts, dtype=np.float64, ndmin=2)
    if starts.ndim != 2 or starts.shape[1] != START_SIZE:
        raise ValueError(
            f'starts of shape (n, {START_SIZE}) are expected, not {starts.shape}: '
            'robot x, y, yaw, ball x, y'
        )
    half = np.array([field.length, field.width]) / 2 + field.border
    radius = field.ball.radius
    body = robot.body
    in_robot = world.to_frame(starts[:, 3:5], starts[:, :3])
    centre = body.foot_front - body.foot_length / 2
    gap = np.maximum(
        np.abs(in_robot - [centre, 0.0])
        - [body.foot_length / 2, (body.stance_width + body.foot_width) / 2],
        0.0,
    )
    for problem, wrong in (
        ('is not finite', ~np.isfinite(starts).all(axis=1)),
        (
            'is off the carpet',
            (np.abs(starts[:, 0:2]) > half - body.foot_front).any(axis=1)
            | (ball & (np.abs(starts[:, 3:5]) > half - radius).any(axis=1)),
        ),
        ('has the ball inside the robot', ball & (np.linalg.norm(gap, axis=1) < radius)),
    ):
        if wrong.any():
            index = int(np.argmax(wrong))
            raise ValueError(
                f'start {starts[index].tolist()} {problem}: '
                'robot x, y [m], yaw [rad], ball x, y [m] in map'
            )
    return starts


def check_finite(states: np.ndarray) -> None:
    """Raise ValueError, naming the first, if one of world states (..., 10) is not finite."""
    wrong = ~np.isfinite(states).all(axis=-1)
    if wrong.any():
        raise ValueError(f'a world state is not finite: {states[wrong][0].tolist()}')


def write_world_states(
    states: np.ndarray,
    velocities: np.ndarray,
    field: Field,
    layout: Layout,
    qpos: np.ndarray,
    qvel: np.ndarray,
    act: np.ndarray,
    history: np.ndarray,
) -> None:
    """
    Write world states (..., 10) into qpos, qvel, act and history (..., n) of reset simulations.

    A moving ball rolls without slipping. The command before was sent for as long as a delay is.

    :param velocities: what the robot walks with (..., 3), in base_link [m/s, m/s, rad/s].
    """
    radius = field.ball.radius
    write_robots(
        states[..., world.ROBOT],
        velocities,
        states[..., world.PREVIOUS_COMMAND],
        layout,
        qpos,
        qvel,
        act,
        history,
    )
    ball = layout.ball_qpos.start
    qpos[..., layout.ball_qpos] = (0.0, 0.0, radius, 1.0, 0.0, 0.0, 0.0)
    qpos[..., ball : ball + 2] = states[..., world.BALL]
    ball = layout.ball_qvel.start
    qvel[..., ball : ball + 2] = states[..., world.BALL_VELOCITY]
    qvel[..., ball + 3] = -states[..., world.BALL_VELOCITY.start + 1] / radius
    qvel[..., ball + 4] = states[..., world.BALL_VELOCITY.start] / radius


def write_robots(
    poses: np.ndarray,
    velocities: np.ndarray,
    commands: np.ndarray,
    layout: Layout,
    qpos: np.ndarray,
    qvel: np.ndarray,
    act: np.ndarray,
    history: np.ndarray,
) -> None:
    """Write one robot's poses, velocities and previous commands (..., 3) as in a world state."""
    qpos[..., layout.robot_qpos] = poses
    start = layout.robot_qvel.start
    qvel[..., start : start + 2] = world.rotate(velocities[..., :2], poses[..., 2])
    qvel[..., start + 2] = velocities[..., 2]
    act[..., layout.act] = velocities
    for axis, values in enumerate(layout.history):
        history[..., values] = commands[..., axis, None]


def read_world_states(
    qpos: np.ndarray, qvel: np.ndarray, commands: np.ndarray, layout: Layout
) -> np.ndarray:
    """Return world states (..., 10) of qpos, qvel (..., n) and commands (..., 3)."""
    states = np.empty(qpos.shape[:-1] + (world.SIZE,))
    states[..., world.ROBOT] = qpos[..., layout.robot_qpos]
    states[..., world.ROBOT_YAW] = world.wrap_angle(qpos[..., layout.robot_qpos.stop - 1])
    ball = layout.ball_qpos.start
    states[..., world.BALL] = qpos[..., ball : ball + 2]
    ball = layout.ball_qvel.start
    states[..., world.BALL_VELOCITY] = qvel[..., ball : ball + 2]
    states[..., world.PREVIOUS_COMMAND] = commands
    return states


def states_of_starts(starts: np.ndarray) -> np.ndarray:
    """Return the world states (n, 10) in which starts (n, 5) begin, everything at rest."""
    states = np.zeros((len(starts), world.SIZE))
    states[:, :START_SIZE] = starts
    return states
