"""Keep a robot on the carpet."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from guda_ros.control.arbiter import Instant
from guda_ros.soccer.field import Field
from guda_ros.soccer.walk_response import WalkResponse

#: A robot may go no faster toward the edge than it would need this time [s] to reach it.
REACTION_TIME = 1.0
#: A pose that is older than this [s] says nothing any more.
POSE_LIFE = 1.0
#: So many standard deviations to one side hold 95 % of the places where a robot may be.
ONE_SIDED = 1.645
#: Slower than this [m/s] is along the edge, not over it: rounding.
_ALONG = 1e-6
#: Halvings in the search for how fast a robot may go.
_SEARCH = 6


class FieldLimit:
    """
    Slow a robot down where its velocity would lead it over the edge, and stop it there.

    Only what leads outward is held back: a robot beyond the edge may walk inward, and turn. Where
    the pose is not known there is no limit. With a response, the way to where the robot stands is
    predicted from the commands that were sent: it is to end inside although the pose is as old as
    its stamp, and although nobody is there to stop the robot at once; and the pose's deviation
    counts, as the 95 % that lie farther inside.

    :param margin: how far [m] beyond the lines the middle of the robot may be.
    :param response: of the robot's walk; None leaves prediction and deviation out.
    :param hold: how long [s] a robot may follow a command until it is told to stop.
    :param moves: what the robot does of a command (3,), where it does not follow slow ones.
    """

    def __init__(
        self,
        field: Field,
        margin: float,
        response: WalkResponse | None = None,
        hold: float = 0.3,
        moves: Callable[[np.ndarray], np.ndarray] = lambda command: command,
    ) -> None:
        self._edge = np.array([field.length / 2, field.width / 2]) + margin
        self._response, self._hold, self._moves = response, hold, moves
        self._pose: np.ndarray | None = None
        self._seen: Instant | None = None
        self._since = 0.0
        self._inside = self._edge

    def see(
        self,
        pose: np.ndarray | None,
        now: Instant,
        deviation: tuple[float, float] = (0.0, 0.0),
        age: float = 0.0,
    ) -> None:
        """
        Note the robot's pose (x, y [m], yaw [rad]) in `map`, None if it is not known.

        :param deviation: standard deviations of x and y [m].
        :param age: of the pose [s]: how long ago the robot was there.
        """
        known = pose is not None and np.isfinite(pose).all()
        self._pose, self._seen = (np.array(pose, dtype=np.float64), now) if known else (None, None)
        self._since = now.steady - min(max(age, 0.0), POSE_LIFE)
        if self._response is not None and np.isfinite(deviation).all():
            # Whoever hardly knows where he is may still walk in the middle.
            self._inside = np.maximum(
                self._edge - ONE_SIDED * np.array(deviation), 0.5 * self._edge
            )

    def knows(self, now: Instant) -> bool:
        """Tell whether the pose is known."""
        # A clock that was set back says nothing about age.
        return self._seen is not None and 0 <= now.since(self._seen) <= POSE_LIFE

    def sent(self, command: np.ndarray, now: Instant) -> None:
        """Note what the robot was told."""
        if self._response is not None:
            self._response.sent(self._moves(command), now.steady)

    def limit(self, command: np.ndarray, now: Instant) -> np.ndarray:
        """
        Return the command (3,) (forward, left [m/s], turn [rad/s]), slower where it leads off.

        Its direction is kept, so that no other limit is exceeded.
        """
        if self._pose is None or not self.knows(now):
            return command
        x, y, yaw = self._pose
        cosine, sine = np.cos(yaw), np.sin(yaw)
        velocity = np.array(
            [cosine * command[0] - sine * command[1], sine * command[0] + cosine * command[1]]
        )
        room = np.maximum(self._inside - np.sign(velocity) * (x, y), 0.0) / REACTION_TIME
        speed = np.abs(velocity)
        scale = np.divide(room, speed, out=np.ones(2), where=speed > room + _ALONG).min()
        slower = command if scale == 1.0 else command * (scale, scale, 1.0)
        return slower if self._response is None else self._stopping(slower, now, self._response)

    def _stopping(self, command: np.ndarray, now: Instant, response: WalkResponse) -> np.ndarray:
        """Return the command, as much slower as needed to come to a stand inside."""
        assert self._pose is not None
        pose, since, steady = self._pose, self._since, now.steady
        reach = response.reach(self._moves(command), since, steady, self._hold)
        if np.all(self._inside - np.abs(pose[:2]) > reach) or not np.any(command[:2]):
            return command

        def beyond(scale: float) -> np.ndarray:
            told = self._moves(command * (scale, scale, 1.0))
            places = response.path(pose, told, since, steady, self._hold)
            return np.maximum(np.abs(places) - self._inside, 0.0).max(axis=0)

        # What the robot does anyway is no reason to keep it from walking inward.
        anyway = beyond(0.0) + _ALONG
        if np.all(beyond(1.0) <= anyway):
            return command
        low, high = 0.0, 1.0
        for _ in range(_SEARCH):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if np.all(beyond(middle) <= anyway) else (low, middle)
        return command * (low, low, 1.0)
