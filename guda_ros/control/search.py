"""Where to turn when the ball is out of view."""

from __future__ import annotations

import numpy as np

#: Turning speed of a search [rad/s] unless the robot is slower.
SEARCH_SPEED = 1.0


def search_side(position: np.ndarray) -> np.ndarray:
    """
    Return the side (...) to turn to, 1 left or -1 right.

    :param position: last known positions (..., 2) of the ball in base_link [m]; NaN, never seen,
        means left.
    """
    return np.where(np.asarray(position)[..., 1] < 0, -1.0, 1.0)


class BallSearch:
    """
    Turn on the spot toward the side where the ball was last seen, to the left if it never was.

    The side is chosen when a search begins and kept until the ball has been seen again: a robot
    that turns sees the remembered position pass from one side to the other and would swing to and
    fro about it.

    :param turn_speed: [rad/s], positive.
    """

    def __init__(self, turn_speed: float) -> None:
        if not 0 < turn_speed < float('inf'):
            raise ValueError(f'turn_speed must be a positive number, not {turn_speed}')
        self._turn_speed = float(turn_speed)
        self.reset()

    def reset(self) -> None:
        """Forget the search; call it when the ball is seen."""
        self._side = 0.0
        self._unseen = 0.0

    def command(self, time_since_seen: float | None, bearing: float | None) -> np.ndarray:
        """
        Return the command (3,): forward, left [m/s], turn [rad/s] in base_link.

        :param time_since_seen: [s], None if the ball was never seen; when it falls, the ball was
            seen in between and a new search begins.
        :param bearing: of the last known position of the ball, [rad] in base_link, left positive;
            None if unknown.
        """
        unseen = float('inf') if time_since_seen is None else float(time_since_seen)
        if unseen < self._unseen:
            self.reset()
        self._unseen = unseen
        if not self._side:
            angle = np.nan if bearing is None else bearing
            self._side = float(search_side(np.array([np.cos(angle), np.sin(angle)])))
        return np.array([0.0, 0.0, self._side * self._turn_speed])
