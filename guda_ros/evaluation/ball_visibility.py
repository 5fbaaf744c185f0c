"""A policy in the batched simulator that knows the ball only while its camera sees it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from guda_ros.control.search import search_side, SEARCH_SPEED
from guda_ros.data.contract import Contract
from guda_ros.perception.camera import CameraModel
from guda_ros.perception.field_of_view import in_view
from guda_ros.perception.gaze import Gaze
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile


def seeing_controller(
    predict: Callable[[np.ndarray], np.ndarray],
    contract: Contract,
    robot: RobotProfile,
    count: int,
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """
    Return the controller of a policy that sees no more than on a robot; see SightedPolicy.

    Without a ball in the task that is the true pose.
    """
    if contract.has_ball:
        return SightedPolicy(predict, contract, robot, count)
    return lambda states, indices: contract.to_command(predict(contract.observe(states)))


class SightedPolicy:
    """
    A controller for rollouts that knows the ball while it is in a camera's view, and no longer.

    Out of view the ball is remembered, rolling on and slowing down, for the `ball_hold` of the
    contract; after that, and before it was ever seen, the robot turns on the spot to search, as
    the policy node does. The cameras are all that perception uses, and a head with `head.gaze` in
    the profile turns them as on the robot. What is seen is seen exactly, whatever the distance.

    :param predict: observations (m, D) to actions (m, 3) in [-1, 1].
    :param count: number of environments.
    """

    def __init__(
        self,
        predict: Callable[[np.ndarray], np.ndarray],
        contract: Contract,
        robot: RobotProfile,
        count: int,
    ) -> None:
        self._predict, self._contract = predict, contract
        self._cameras = [CameraModel.from_mount(mount) for mount in robot.eyes.values()]
        self._head, self._gaze = robot.head, None
        if robot.head.gaze is not None:
            self._gaze = Gaze(robot, contract.field.ball.radius, count)
        self._turn_speed = min(SEARCH_SPEED, contract.limits.turn)
        self._hold = round(contract.ball_hold * contract.rate)
        self._unseen = np.full(count, self._hold + 1)
        self._ball = np.full((count, 2), np.nan)
        self._velocity = np.zeros((count, 2))
        self._side = np.zeros(count)

    def __call__(self, states: np.ndarray, indices: np.ndarray) -> np.ndarray:
        """Return the commands (m, 3) for true states (m, 10) of environments (m,)."""
        known, unseen = self._look(states, indices)
        lost = unseen > self._hold
        commands = np.zeros((len(indices), 3))
        if not lost.all():
            actions = self._predict(self._contract.observe(known[~lost]))
            commands[~lost] = self._contract.to_command(actions)
        position = world.to_frame(known[:, world.BALL], known[:, world.ROBOT])
        side = np.where(self._side[indices] == 0, search_side(position), self._side[indices])
        self._side[indices] = np.where(lost, side, 0.0)
        commands[lost, 2] = side[lost] * self._turn_speed
        return commands

    def _look(self, states: np.ndarray, indices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what the robot knows of the states, and the steps since it saw the ball."""
        field, period = self._contract.field, self._contract.period
        position = world.to_frame(states[:, world.BALL], states[:, world.ROBOT])
        centre = np.concatenate([position, np.full((len(position), 1), field.ball.radius)], axis=1)
        angles = np.zeros((len(indices), 2)) if self._gaze is None else self._gaze.angles[indices]
        seen = in_view(self._cameras, self._head, centre, angles)
        velocity = self._velocity[indices]
        speed = np.maximum(np.linalg.norm(velocity, axis=1), 1e-9)
        kept = np.maximum(1 - field.ball.deceleration * period / speed, 0.0)
        ball = self._ball[indices] + velocity * period
        known = states.copy()
        known[~seen, world.BALL] = ball[~seen]
        known[~seen, world.BALL_VELOCITY] = (velocity * kept[:, None])[~seen]
        self._ball[indices] = known[:, world.BALL]
        self._velocity[indices] = known[:, world.BALL_VELOCITY]
        self._unseen[indices] = unseen = np.where(seen, 0, self._unseen[indices] + 1)
        if self._gaze is not None:
            lost = (unseen > self._hold)[:, None]
            believed = world.to_frame(known[:, world.BALL], known[:, world.ROBOT])
            self._gaze.turn(np.where(lost, np.nan, believed), unseen * period, period, indices)
        return known, unseen
