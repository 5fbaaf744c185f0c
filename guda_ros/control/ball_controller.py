"""What a robot with a policy does at each step: act, search a lost ball, or stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from guda_ros.control.search import BallSearch
from guda_ros.data.contract import Contract
from guda_ros.data.world_states import assemble, without_ball
from guda_ros.soccer import world

#: States in which a command is given.
ACTING, SEARCHING, LOST = 'policy', 'search', 'pose unknown'


class Observed(NamedTuple):
    """
    What is known at one stamp.

    pose: (3,) in `map`, None if it is unknown. odom: (3,) in `odom`. ball, velocity: (2,), (2,) in
    `odom`, which count if ball_known; left out where the task has no ball.
    """

    pose: np.ndarray | None
    odom: np.ndarray
    ball: np.ndarray = np.zeros(2)
    velocity: np.ndarray = np.zeros(2)
    ball_known: bool = False


class BallController:
    """
    Choose a command for each observation.

    While the ball is lost the robot turns toward the side where it was last seen; while its pose
    in `map` is unknown it stands. In a task without a ball it acts whenever its pose is known.

    :param search: how the robot turns to find the ball.
    """

    def __init__(self, contract: Contract, search: BallSearch) -> None:
        self._contract, self._search = contract, search
        #: The command (3,) that was sent last, part of what a policy may observe.
        self.previous = np.zeros(3)
        self.reset()

    def reset(self) -> None:
        """Know nothing of the ball, as at the start of an episode."""
        self._last_ball: np.ndarray | None = None
        self._last_known = 0
        self.previous = np.zeros(3)
        self._search.reset()

    def command(
        self, seen: Observed, stamp: int, predict: Callable[[np.ndarray], np.ndarray]
    ) -> tuple[np.ndarray, str]:
        """
        Return a command (3,) in base_link and the state in which it is given.

        :param stamp: of the observation [ns]. :param predict: observation (D,) -> action (3,).
        """
        if seen.pose is None or not np.isfinite(seen.odom).all():
            return np.zeros(3), LOST
        if not self._contract.has_ball:
            return self._act(without_ball(seen.pose, self.previous), predict)
        if seen.ball_known:
            self._last_ball, self._last_known = seen.ball, stamp
            self._search.reset()
            state = assemble(seen.pose, seen.odom, seen.ball, seen.velocity, self.previous)
            return self._act(state, predict)
        if self._last_ball is None:
            return self._search.command(None, None), SEARCHING
        x, y = world.to_frame(self._last_ball, seen.odom)
        age = (stamp - self._last_known) / 1e9
        return self._search.command(age, float(np.arctan2(y, x))), SEARCHING

    def _act(
        self, state: np.ndarray, predict: Callable[[np.ndarray], np.ndarray]
    ) -> tuple[np.ndarray, str]:
        return self._contract.to_command(predict(self._contract.observe(state))), ACTING
