"""How a robot's walk turns commands into motion: limits, slip, kicks, falls, sway and the head."""

from __future__ import annotations

from dataclasses import dataclass
import math

import numpy as np

from guda_ros.sim.physics import noise
from guda_ros.sim.physics.mjcf import FOOT_BACK, FOOT_REST
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile, VelocityLimits

#: What a robot does; it obeys commands in the first only.
WALKING, KICKING, FALLING, GETTING_UP = 0, 1, 2, 3

# A robot's numbers in `userdata`: the previous command as it was sent, the mode and the control
# steps left in it, which way it fell (in base_link), which foot kicks, and its head.
_COMMAND = slice(0, 3)
_MODE, _LEFT, _FALL, _SIDE = 3, 4, 5, 6
_HEAD, _LOOK = slice(7, 9), slice(9, 11)
USER_SIZE = 11


@dataclass
class Views:
    """Live views of one robot's numbers in the states of `count` simulations, (count, ...)."""

    user: np.ndarray
    seeds: np.ndarray
    qpos: np.ndarray
    qvel: np.ndarray
    act: np.ndarray
    ctrl: np.ndarray
    foot: np.ndarray | None
    foot_ctrl: np.ndarray | None
    ball: np.ndarray


class Walk:
    """
    One robot's walk in `count` simulations at once.

    `drive` sets the controls before the physics of a control period, `finish` looks at what came
    of it. `rows` are a slice or indices (n,) of simulations. Times count in whole control periods.
    """

    def __init__(
        self,
        robot: RobotProfile,
        limits: VelocityLimits,
        period: float,
        views: Views,
        crowded: bool,
        index: int = 0,
        stretch: float = 1.0,
    ) -> None:
        """
        Take a profile, the limits of commands, the control period [s] and the states.

        :param index: of the robot among those of a simulation, for its random numbers.
        :param crowded: whether something that moves can run into the robot.
        :param stretch: the largest `step_length` that is to come.
        """
        self._views = views
        self._low = -np.array([limits.backward, limits.side, limits.turn])
        self._high = np.array([limits.forward, limits.side, limits.turn])
        self._period = period
        walk, kick, fall = robot.walk, robot.kick, robot.fall
        self._frequency, self._sway, self._speed = walk.step_frequency, walk.sway, robot.head.speed
        self._head_limits = np.array([robot.head.pan, robot.head.tilt]).T
        self._slip_channels = np.array(
            [noise.channel(f'slip.{index}.{axis}') for axis in ('forward', 'left', 'turn')]
        )
        count = len(views.user)
        #: Randomised, (count,): of the limits, of the velocity that is walked, and slip.
        self.limits_scale, self.step_length = np.ones(count), np.ones(count)
        self.slip = np.full(count, walk.slip)
        self._plain = walk.slip == 0

        def steps(seconds: float) -> int:
            return max(1, math.ceil(seconds / period - 1e-6))

        stroke = FOOT_BACK + FOOT_REST + kick.reach
        self._kick_speed = kick.speed
        self._recovery = steps(kick.recovery)
        self._strike = self._recovery + steps(stroke / max(kick.speed, 0.01))
        self._kick_steps = self._strike + steps(kick.wind_up)
        self._push_speed = fall.push_speed
        self._fall_steps, self._up_steps = steps(fall.fall_time), steps(fall.get_up_time)
        fastest = stretch * np.hypot(max(limits.forward, limits.backward), limits.side)
        self._fragile = crowded or fastest > fall.push_speed
        self._before: np.ndarray | None = None
        self._all_walk = True
        self._head_moves = False

    @property
    def commands(self) -> np.ndarray:
        """The previous commands (count, 3) as they were sent, a live view."""
        return self._views.user[:, _COMMAND]

    @property
    def modes(self) -> np.ndarray:
        """WALKING, KICKING, FALLING or GETTING_UP, (count,) integers."""
        return self._views.user[:, _MODE].astype(int)

    def loaded(self) -> None:
        """Notice that the states were changed from outside."""
        self._all_walk = not self._views.user[:, _MODE].any()
        self._head_moves = bool((self._views.user[:, _HEAD] != self._views.user[:, _LOOK]).any())
        self._plain = not (
            self.slip.any() or (self.limits_scale != 1).any() or (self.step_length != 1).any()
        )

    def drive(
        self, rows: np.ndarray | slice, commands: np.ndarray, time: np.ndarray | float
    ) -> None:
        """
        Set the controls of a control period that begins at `time` [s], (n,) or a number.

        :param commands: (n, 3) or, with a kick trigger as the last, (n, 4); finite.
        """
        views = self._views
        sent = commands[:, :3].clip(self._low, self._high)
        views.user[rows, _COMMAND] = sent
        velocity = sent if self._plain else self._slipped(rows, sent, time)
        if views.foot is not None:
            if commands.shape[1] == 4:
                self._start_kicks(rows, commands[:, 3] > 0.5)
            self._move_foot(rows)
        if not self._all_walk:
            velocity = np.where(views.user[rows, _MODE, None] == WALKING, velocity, 0.0)
        views.ctrl[rows] = velocity
        if self._fragile:
            self._before = self._unexplained(rows)

    def finish(self, rows: np.ndarray | slice) -> None:
        """Count the modes down after a control period, and fall after a collision."""
        user = self._views.user
        if not self._all_walk:
            mode, left = user[rows, _MODE], user[rows, _LEFT] - 1
            over = (mode != WALKING) & (left <= 0)
            up = over & (mode == FALLING)
            user[rows, _MODE] = np.where(over, np.where(up, GETTING_UP, WALKING), mode)
            user[rows, _LEFT] = np.where(up, self._up_steps, np.maximum(left, 0))
            self._all_walk = not user[:, _MODE].any()
        if self._fragile:
            self._fall(rows, self._unexplained(rows) - self._before)
        if self._head_moves:
            step = self._speed * self._period
            user[rows, _HEAD] += (user[rows, _LOOK] - user[rows, _HEAD]).clip(-step, step)
            self._head_moves = bool((user[:, _HEAD] != user[:, _LOOK]).any())

    def push(self, rows: np.ndarray | slice, velocities: np.ndarray) -> None:
        """Change the velocities of robots by (n, 2) [m/s] in map; too much of it fells them."""
        if (
            velocities.shape != self._views.qvel[rows, :2].shape
            or not np.isfinite(velocities).all()
        ):
            raise ValueError(
                'a push of (x, y) [m/s] for each robot, finite, is expected, not '
                f'{velocities.tolist()}'
            )
        self._views.qvel[rows, :2] += velocities
        self._fall(rows, world.rotate(velocities, -self._views.qpos[rows, 2]))

    def look(self, rows: np.ndarray | slice, pan: np.ndarray, tilt: np.ndarray) -> None:
        """Turn heads toward pan and tilt [rad], within their limits, at the profile's speed."""
        if not (np.isfinite(pan).all() and np.isfinite(tilt).all()):
            raise ValueError(f'pan and tilt are to be finite, not {pan} and {tilt}')
        low, high = self._head_limits
        self._views.user[rows, _LOOK] = np.stack([pan, tilt], axis=-1).clip(low, high)
        self._head_moves = True

    @property
    def head(self) -> np.ndarray:
        """Pan and tilt (count, 2) of the heads now [rad], a copy."""
        return self._views.user[:, _HEAD].copy()

    def sway(self, time: np.ndarray | float) -> np.ndarray:
        """
        Return (count, 3): where the gait at `time` [s] takes the trunk: lateral [m], roll, pitch.

        The trunk goes over the left foot and the right in turn, and leans that way; it nods a
        quarter of a cycle later. Amplitudes grow with the velocity that is walked, up to the
        profile's at the limits.
        """
        amplitude = self.effort()[:, None] * [
            self._sway.lateral,
            -self._sway.roll,
            self._sway.pitch,
        ]
        phase = np.pi * self._frequency * np.asarray(time)
        return amplitude * np.stack([np.sin(phase), np.sin(phase), np.cos(phase)], axis=-1)

    def effort(self) -> np.ndarray:
        """Return how much (count,) of its limits each robot walks with, in [0, 1]."""
        act = self._views.act
        most = np.where(act < 0, self._low, self._high)
        # A base with wheels has no way to a side.
        share = np.divide(act, most, out=np.zeros(act.shape), where=most != 0)
        return share.max(axis=1).clip(0.0, 1.0)

    def posture(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """
        Return how the robots are to be drawn, (count,) each.

        How far they lie [0, 1], the direction in which they fell [rad], in base_link, and which
        foot kicks: 1 left, -1 right, 0 none.
        """
        user = self._views.user
        mode, left = user[:, _MODE], user[:, _LEFT]
        lying = np.where(
            mode == FALLING,
            1 - left / self._fall_steps,
            np.where(mode == GETTING_UP, (2 * left / self._up_steps).clip(0, 1), 0),
        )
        return lying, user[:, _FALL].copy(), np.where(mode == KICKING, user[:, _SIDE], 0.0)

    def _slipped(self, rows, sent: np.ndarray, time: np.ndarray | float) -> np.ndarray:
        """Return the velocities (n, 3) that are walked: within the limits, scaled, with slip."""
        scale = self.limits_scale[rows, None]
        velocity = sent.clip(self._low * scale, self._high * scale)
        velocity = velocity * self.step_length[rows, None]
        slip = self.slip[rows, None]
        if not slip.any():
            return velocity
        # A control period belongs to the step in which it begins.
        step = np.floor(np.asarray(time) * self._frequency + 1e-6)
        error = noise.normal(
            self._views.seeds[rows, None], np.atleast_1d(step)[:, None], self._slip_channels
        )
        return velocity * (1 + slip * error)

    def _start_kicks(self, rows, wanted: np.ndarray) -> None:
        user = self._views.user
        starts = wanted & (user[rows, _MODE] == WALKING)
        if starts.any():
            user[rows, _MODE] = np.where(starts, KICKING, user[rows, _MODE])
            user[rows, _LEFT] = np.where(starts, self._kick_steps, user[rows, _LEFT])
            # The foot that is nearer to the ball is the one that is drawn.
            on_left = world.to_frame(self._views.ball[rows], self._views.qpos[rows])[:, 1] >= 0
            user[rows, _SIDE] = np.where(starts, np.where(on_left, 1.0, -1.0), user[rows, _SIDE])
            self._all_walk = False

    def _move_foot(self, rows) -> None:
        """Set the velocities of the kicking feet: drawn back, struck forward, and home again."""
        views = self._views
        foot = views.foot[rows]
        velocity = foot / -self._period
        if not self._all_walk:
            mode, left = views.user[rows, _MODE], views.user[rows, _LEFT]
            until_strike = np.maximum(left - self._strike, 1)
            kicking = np.where(
                left > self._strike,
                (-FOOT_BACK - foot) / (self._period * until_strike),
                np.where(
                    left > self._recovery,
                    self._kick_speed,
                    foot / (-self._period * np.maximum(left, 1)),
                ),
            )
            velocity = np.where(mode == KICKING, kicking, velocity)
        views.foot_ctrl[rows] = velocity

    def _unexplained(self, rows) -> np.ndarray:
        """Return velocities (n, 2) in base_link less those that the walk makes for."""
        views = self._views
        actual = world.rotate(views.qvel[rows, :2], -views.qpos[rows, 2])
        return actual - views.act[rows, :2]

    def _fall(self, rows, change: np.ndarray) -> None:
        """Fell robots whose velocity was changed by more than they can stand, (n, 2) [m/s]."""
        user = self._views.user
        falls = (change[:, 0] ** 2 + change[:, 1] ** 2 > self._push_speed**2) & (
            user[rows, _MODE] < FALLING
        )
        if falls.any():
            user[rows, _MODE] = np.where(falls, FALLING, user[rows, _MODE])
            user[rows, _LEFT] = np.where(falls, self._fall_steps, user[rows, _LEFT])
            user[rows, _FALL] = np.where(
                falls, np.arctan2(change[:, 1], change[:, 0]), user[rows, _FALL]
            )
            self._all_walk = False
