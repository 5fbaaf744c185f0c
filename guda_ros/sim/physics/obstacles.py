"""
Obstacles on the field: standing, walking along waypoints, or keeping the goal.

Each is an upright cylinder that robot and ball run into. One that moves is a body with a mass that
a limited force drives, so it can be stopped; one that stands is fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guda_ros.soccer.field import Field
from guda_ros.soccer.starts import OBSTACLES

KINDS = ('static', 'walking', 'goalkeeper')

_MASS = 5.0
#: Time [s] in which an obstacle reaches its velocity, and its largest acceleration [m/s^2].
_SETTLE, _ACCELERATION = 0.02, 2.0
#: An obstacle this close [m] to a waypoint goes on to the next.
_ARRIVED = 0.05


@dataclass(frozen=True)
class Obstacle:
    """
    A cylinder with radius and height [m].

    kind: `static` stands at its first waypoint; `walking` starts there and goes through them for
    ever; `goalkeeper` starts there, keeps its x and follows the ball's y between the posts.
    waypoints: ((x, y), ...) [m]. speed [m/s].
    """

    kind: str = 'static'
    waypoints: tuple[tuple[float, float], ...] = ((0.0, 0.0),)
    speed: float = 0.2
    radius: float = 0.15
    height: float = 0.5

    def __post_init__(self) -> None:
        """Check the values; ValueError says what is wrong."""
        if self.kind not in KINDS:
            raise ValueError(f'obstacle kind {self.kind!r} is not one of {", ".join(KINDS)}')
        points = np.array(self.waypoints, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
            raise ValueError(
                f'obstacle waypoints ((x, y), ...) are expected, not {self.waypoints!r}'
            )
        if not (0 <= self.speed <= 5 and 0.01 <= self.radius <= 2 and 0.02 <= self.height <= 3):
            raise ValueError(
                'an obstacle has a speed in [0, 5] m/s, a radius in [0.01, 2] m and '
                f'a height in [0.02, 3] m, not {self}'
            )

    @classmethod
    def goalkeeper(cls, field: Field, speed: float = 0.25) -> Obstacle:
        """Return a goalkeeper on the line of the attacked goal."""
        return cls('goalkeeper', ((field.goal_line - 0.15, 0.0),), speed)

    @classmethod
    def of_scenario(cls, scenario: str) -> tuple[Obstacle, ...]:
        """Return the obstacles of a scenario, two waypoints each, which layouts put elsewhere."""
        return tuple(cls(kind, ((0.0, 0.0),) * 2) for kind in OBSTACLES.get(scenario, ()))

    @property
    def moves(self) -> bool:
        """Whether it can move."""
        return self.kind != 'static'


def bodies(obstacles: Sequence[Obstacle], wall: int, visual: bool) -> str:
    """Return the MJCF bodies, which have the collision bit `wall`."""
    parts = []
    for index, obstacle in enumerate(obstacles):
        radius, height = obstacle.radius, obstacle.height
        # A capsule from the ground up is a cylinder as far as robot and ball reach, and collides
        # with a box much faster.
        top = max(height - radius, 0.01)
        geom = (
            f'<geom name="obstacle_{index}" type="capsule" size="{radius}" '
            f'fromto="0 0 0 0 0 {top}" contype="{wall}" conaffinity="0" group="4" '
            f'mass="{_MASS}"/>'
        )
        drawn = _drawn(obstacle) if visual else ''
        if obstacle.moves:
            parts.append(
                f'<body name="obstacle_{index}">'
                f'<joint name="obstacle_{index}_x" type="slide" axis="1 0 0"/>'
                f'<joint name="obstacle_{index}_y" type="slide" axis="0 1 0"/>{geom}{drawn}'
                '</body>'
            )
        else:
            parts.append(f'<body name="obstacle_{index}" mocap="true">{geom}{drawn}</body>')
    return '\n    '.join(parts)


def actuators(obstacles: Sequence[Obstacle]) -> str:
    """Return the MJCF servos that let obstacles move with the velocities in their controls."""
    gain, force = _MASS / _SETTLE, _MASS * _ACCELERATION
    return '\n    '.join(
        f'<general joint="obstacle_{index}_{axis}" gainprm="{gain}" biastype="affine" '
        f'biasprm="0 0 {-gain}" forcerange="{-force} {force}"/>'
        for index, obstacle in enumerate(obstacles)
        if obstacle.moves
        for axis in 'xy'
    )


def _drawn(obstacle: Obstacle) -> str:
    """A pole with bands where it stands; one that moves has legs, a shirt, arms and a head."""
    radius, height = obstacle.radius, obstacle.height
    drawn = 'contype="0" conaffinity="0" mass="0" group="1"'
    if not obstacle.moves:
        bands = 5
        half = height / (2 * bands)
        return ''.join(
            f'<geom {drawn} type="cylinder" size="{radius} {half}" '
            f'pos="0 0 {(2 * band + 1) * half}" '
            f'rgba="{".95 .95 .95 1" if band % 2 else ".85 .12 .10 1"}"/>'
            for band in range(bands)
        )
    shirt = '.95 .80 .10 1' if obstacle.kind == 'goalkeeper' else '.75 .12 .14 1'
    limb = 0.22 * radius
    side = radius - limb
    arms = ''.join(
        f'<geom {drawn} type="capsule" size="{limb}" rgba="{shirt}" '
        f'fromto="0 {sign * 0.6 * side} {0.72 * height} 0 {sign * side} '
        f'{(0.95 if obstacle.kind == "goalkeeper" else 0.42) * height}"/>'
        f'<geom {drawn} type="capsule" size="{1.3 * limb}" rgba=".20 .22 .26 1" '
        f'fromto="0 {sign * 0.4 * side} {1.3 * limb} 0 {sign * 0.4 * side} {0.40 * height}"/>'
        for sign in (-1, 1)
    )
    return (
        f'{arms}<geom {drawn} type="ellipsoid" rgba="{shirt}" pos="0 0 {0.58 * height}" '
        f'size="{0.5 * radius} {0.72 * radius} {0.22 * height}"/>'
        f'<geom {drawn} type="sphere" rgba=".92 .92 .93 1" size="{0.11 * height}" '
        f'pos="0 0 {0.87 * height}"/>'
    )


class Crowd:
    """
    The obstacles of `count` simulations, which share kinds and sizes but not their places.

    What they need to go on is in each simulation's `user` numbers: the place, the next waypoint
    and the speed.
    """

    def __init__(
        self,
        obstacles: Sequence[Obstacle],
        field: Field,
        period: float,
        user: np.ndarray,
        qpos: np.ndarray,
        qvel: np.ndarray,
        ctrl: np.ndarray,
        mocap: np.ndarray,
    ) -> None:
        """
        Take views of the states of all simulations.

        :param period: control period [s].
        :param user: (count, user_size(obstacles)).
        :param qpos: (count, 2 m) of the m obstacles that move; so are qvel and ctrl.
        :param mocap: (count, k - m, 3) places of those that stand.
        """
        self._obstacles = tuple(obstacles)
        size, most = len(self._obstacles), _most(self._obstacles)
        self._period = period
        self._half_goal = field.goal_width / 2
        self._moving = np.array(
            [index for index, one in enumerate(self._obstacles) if one.moves], dtype=int
        )
        self._standing = np.array(
            [index for index, one in enumerate(self._obstacles) if not one.moves], dtype=int
        )
        self._supervisor = np.array(
            [self._obstacles[index].kind == 'goalkeeper' for index in self._moving]
        )
        count = len(user)
        self._target = user[:, :size]
        self._speed = user[:, size : 2 * size]
        self._points = user[:, 2 * size :].reshape(count, size, most, 2)
        moving = len(self._moving)
        self._qpos, self._qvel, self._ctrl = (
            values.reshape(count, moving, 2) for values in (qpos, qvel, ctrl)
        )
        self._mocap = mocap
        self._default = np.array(
            [
                one.waypoints + one.waypoints[-1:] * (most - len(one.waypoints))
                for one in self._obstacles
            ]
        )
        self._default_speed = np.array([one.speed for one in self._obstacles])

    def __len__(self) -> int:
        """Return the number of obstacles."""
        return len(self._obstacles)

    @property
    def walks(self) -> bool:
        """Whether one of them moves."""
        return bool(self._moving.size)

    def place(
        self,
        rows: np.ndarray | slice,
        waypoints: np.ndarray | None = None,
        speeds: np.ndarray | None = None,
    ) -> None:
        """
        Put the obstacles of simulations to their first waypoints, at rest.

        :param rows: which simulations, a slice or indices (n,).
        :param waypoints: (n, k, w, 2) [m], at most as many as an obstacle was made with; by
        default those it was made with.
        :param speeds: (n, k) [m/s].
        """
        points = self._default if waypoints is None else np.asarray(waypoints, dtype=np.float64)
        most = self._default.shape[1]
        if (
            points.ndim < 3
            or points.shape[-3::2] != (len(self), 2)
            or not 1 <= points.shape[-2] <= most
            or not np.isfinite(points).all()
        ):
            raise ValueError(
                f'obstacle waypoints of shape (n, {len(self)}, 1 to {most}, 2) and finite are '
                f'expected, not {points.shape}'
            )
        missing = most - points.shape[-2]
        points = np.concatenate([points, np.repeat(points[..., -1:, :], missing, axis=-2)], -2)
        self._points[rows] = points
        self._speed[rows] = self._default_speed if speeds is None else speeds
        self._target[rows] = min(1, most - 1)
        self._qpos[rows] = points[..., self._moving, 0, :]
        self._qvel[rows] = 0.0
        self._ctrl[rows] = 0.0
        if self._standing.size:
            self._mocap[rows, :, :2] = points[..., self._standing, 0, :]

    def drive(self, rows: np.ndarray | slice, ball: np.ndarray) -> None:
        """Set the velocities of a control period; ball (n, 2) are the balls of `rows` [m]."""
        place = self._qpos[rows]
        targets = self._target[rows][:, self._moving].astype(int)
        points = self._points[rows][:, self._moving]
        goal = np.take_along_axis(points, targets[..., None, None], axis=2)[:, :, 0]
        if self._supervisor.any():
            follow = np.clip(ball[:, None, 1], -self._half_goal, self._half_goal)
            goal[..., 0] = np.where(self._supervisor, points[:, :, 0, 0], goal[..., 0])
            goal[..., 1] = np.where(self._supervisor, follow, goal[..., 1])
        way = goal - place
        distance = np.sqrt(way[..., 0] ** 2 + way[..., 1] ** 2)
        speed = self._speed[rows][:, self._moving]
        share = np.minimum(1 / self._period, speed / np.maximum(distance, 1e-9))
        self._ctrl[rows] = way * share[..., None]
        following = (targets + 1) % points.shape[2]
        self._target[_columns(rows, self._moving)] = np.where(
            distance < _ARRIVED, following, targets
        )

    def states(self) -> np.ndarray:
        """Return (count, k, 4): x, y [m], vx, vy [m/s] of all obstacles."""
        states = np.zeros((len(self._target), len(self), 4))
        states[:, self._moving, :2], states[:, self._moving, 2:] = self._qpos, self._qvel
        if self._standing.size:
            states[:, self._standing, :2] = self._mocap[..., :2]
        return states


def user_size(obstacles: Sequence[Obstacle]) -> int:
    """Return how many numbers a simulation keeps for its obstacles."""
    return len(obstacles) * (2 + 2 * _most(obstacles))


def _most(obstacles: Sequence[Obstacle]) -> int:
    return max((len(one.waypoints) for one in obstacles), default=0)


def _columns(rows, columns: np.ndarray):
    """Return an index of columns of rows that are a slice or indices."""
    return (rows, columns) if isinstance(rows, slice) else (rows[:, None], columns)
