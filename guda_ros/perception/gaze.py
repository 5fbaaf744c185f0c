"""Where a head looks by itself: at the ball while it is known, all around while it is not."""

from __future__ import annotations

import numpy as np

from guda_ros.soccer.robot import RobotProfile

#: A ball this far from the middle of a picture, as a share of half of it, is well in view.
_WELL = 0.6
#: What a camera that has the ball less well in view costs, and a radian to turn, to a radian of
#: tilt that the head looks down.
_WORSE, _TURN = 10.0, 0.3


class Gaze:
    """
    Turn the heads of robots that have `head.gaze` in their profile, many at once or one.

    A ball that is known, or was a moment ago, is kept in the middle of a picture: the head pans to
    it and tilts so that one of its cameras looks there: of those that have it well in view the one
    with which the head looks down most, so that the feet stay in view. Later the head sweeps to
    and fro at the tilt of a search. The rule knows nothing of pictures: what it needs is where the
    ball is taken to be.

    :param count: number of robots. :param ball_radius: [m].
    """

    def __init__(self, robot: RobotProfile, ball_radius: float, count: int = 1) -> None:
        rule = robot.head.gaze
        if rule is None:
            raise ValueError(f'{robot.name} has no head.gaze: its head does not look by itself')
        self._rule, self._radius = rule, ball_radius
        self._limits = np.array([robot.head.pan, robot.head.tilt]).T
        self._neck = np.array(robot.head.neck[:2])
        self._speed = min(rule.speed, robot.head.speed)
        mounts = robot.eyes.values()
        self._height = np.array([mount.position[2] for mount in mounts])
        self._ahead = np.array([mount.position[0] for mount in mounts]) - self._neck[0]
        self._pitch = np.array([mount.pitch for mount in mounts])
        self._half = np.array([mount.vertical_fov for mount in mounts]) / 2
        #: Where the heads are told to be, (count, 2): pan and tilt [rad].
        self.angles = np.zeros((count, 2))
        self._searched = np.zeros(count)

    def reset(self) -> None:
        """Look straight ahead."""
        self.angles[:] = 0.0
        self._searched[:] = 0.0

    def turn(
        self,
        ball: np.ndarray,
        unseen: np.ndarray,
        seconds: float,
        indices: np.ndarray | slice = slice(None),
    ) -> np.ndarray:
        """
        Return where heads are to be (m, 2): pan and tilt [rad].

        :param ball: (m, 2), where the ball is taken to be in base_link [m]; NaN: unknown.
        :param unseen: (m,), for how long it was not seen [s]. :param seconds: since the last call.
        :param indices: (m,), which of the robots.
        """
        rule = self._rule
        now = self.angles[indices]
        known = np.isfinite(ball).all(axis=1) & (unseen <= rule.patience)
        self._searched[indices] = np.where(known, 0.0, self._searched[indices] + seconds)
        wanted = np.where(
            known[:, None], self._at(ball, now), self._sweep(self._searched[indices])
        )
        reach = self._speed * seconds
        told = now + np.clip(np.clip(wanted, *self._limits) - now, -reach, reach)
        self.angles[indices] = told
        return told

    def _at(self, ball: np.ndarray, now: np.ndarray) -> np.ndarray:
        """Return the angles (m, 2) that have balls (m, 2) in the middle of a picture."""
        away = np.nan_to_num(ball) - self._neck
        distance = np.linalg.norm(away, axis=1)
        down = np.arctan2(
            self._height - self._radius, np.maximum(distance[:, None] - self._ahead, 0.02)
        )
        tilt = np.clip(down - self._pitch, *self._limits[:, 1])
        off = np.abs(down - self._pitch - tilt) / self._half
        turn = np.abs(tilt - now[:, 1:])
        cost = _WORSE * np.maximum(off - _WELL, 0.0) - tilt + _TURN * turn
        best = np.argmin(cost, axis=1)
        return np.stack(
            [np.arctan2(away[:, 1], away[:, 0]), tilt[np.arange(len(tilt)), best]], axis=1
        )

    def _sweep(self, searched: np.ndarray) -> np.ndarray:
        """Return the angles (m, 2) of heads that have searched for so long (m,) [s]."""
        phase = searched / self._rule.period % 1.0
        # To the left first, where a robot that knows nothing turns.
        to_and_fro = np.interp(phase, [0.0, 0.25, 0.75, 1.0], [0.0, 1.0, -1.0, 0.0])
        return np.stack(
            [self._rule.sweep * to_and_fro, np.full(len(searched), self._rule.tilt)], axis=1
        )
