"""Count how often a robot touches the ball, from positions and speeds alone."""

from __future__ import annotations

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile

#: A step in which the ball gains this much velocity [m/s] beyond rolling on was not rolling alone.
IMPULSE = 0.05
#: How far [m] beyond the feet's corner the ball may be at the end of the step that pushed it.
MARGIN = 0.10
#: Seconds without a push after which another one is another touch.
APART = 0.25


class TouchCounter:
    """
    Counts touches of n robots at once, one control step after the other.

    A push is a step after which the ball is within reach of the feet and is faster, or goes
    another way, than rolling on would have made it. Pushes without a pause between them are one
    touch, as when the robot walks on with the ball at its feet. Rebounds from goal posts count
    only when the robot is as near as that.
    """

    def __init__(self, contract: Contract, robot: RobotProfile, states: np.ndarray) -> None:
        """Begin with the world states (n, 10) before the first step."""
        body, ball = robot.body, contract.field.ball
        side = (body.stance_width + body.foot_width) / 2
        self._reach = float(np.hypot(body.foot_front, side)) + ball.radius + MARGIN
        self._slowing = ball.deceleration * contract.period
        self._apart = max(1, round(APART * contract.rate))
        self._velocity = np.array(states[:, world.BALL_VELOCITY])
        self._free = np.full(len(states), self._apart)
        self.touches = np.zeros(len(states), dtype=int)

    def update(self, states: np.ndarray, indices: np.ndarray) -> None:
        """Take the states (m, 10) of robots (m,) one control step later."""
        before, now = self._velocity[indices], states[:, world.BALL_VELOCITY]
        speed = np.linalg.norm(before, axis=1)
        kept = np.maximum(1 - self._slowing / np.maximum(speed, 1e-9), 0.0)
        gained = np.linalg.norm(now - before * kept[:, None], axis=1)
        apart = np.linalg.norm(states[:, world.BALL] - states[:, world.ROBOT_POSITION], axis=1)
        # A ball that only rolls on is nowhere near the threshold, one that has stopped is not.
        pushed = (gained > IMPULSE) & (apart <= self._reach)
        free = self._free[indices]
        self.touches[indices] += pushed & (free >= self._apart)
        self._free[indices] = np.where(pushed, 0, free + 1)
        self._velocity[indices] = now


def count_touches(states: np.ndarray, contract: Contract, robot: RobotProfile) -> int | None:
    """
    Return the touches in the states (N, 10) of one episode.

    None if any of them is unknown, or there is no ball in the task.
    """
    if not contract.has_ball:
        return None
    relevant = states[:, : world.BALL_VELOCITY.stop]
    if len(states) < 2 or not np.isfinite(relevant).all():
        return None
    counter, one = TouchCounter(contract, robot, states[:1]), np.array([0])
    for row in states[1:]:
        counter.update(row[None], one)
    return int(counter.touches[0])
