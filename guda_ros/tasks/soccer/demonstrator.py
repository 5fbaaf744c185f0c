"""
The scripted demonstrator of a robot's task: clean, or as imperfect as a person.

It walks round the ball to a place behind it, seen from the goal, and pushes; in a task without a
ball it comes to the goal itself. One object drives any
number of environments, and what it does in one of them does not depend on how many others there
are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.soccer import world
from guda_ros.soccer.field import Field
from guda_ros.soccer.push_target import push_target
from guda_ros.soccer.robot import VelocityLimits

#: Control steps after which the noise of a demonstrator repeats itself.
_NOISE_STEPS = 1000
#: How near [m] to the ball a base with wheels goes round it.
_ROUND = 0.45
#: How near [m] to the goal a base with wheels that goes there itself has come to it.
_THERE = 0.05


@dataclass(frozen=True)
class DemonstratorStyle:
    """
    The character of one episode.

    speed: share of the velocity limits that is used. aim_y: how far beside the goal it aims [m].
    wander: amplitude of the slow wandering of the push direction [rad], with two periods [s] and
    phases [rad]. noise: standard deviation of the command noise in action units, correlated over
    .5 s. stand_off: distance behind the ball from which it pushes [m]. side_bias: shifts the
    choice of the side on which it walks round the ball [m]; positive prefers the left of the push
    direction. detour: how far it swings out on the way to the ball [m], to the left of the
    straight way. pauses: (start, length) [s] of the times at which it stands still.
    """

    speed: float = 1.0
    aim_y: float = 0.0
    wander: float = 0.0
    wander_periods: tuple[float, float] = (7.0, 3.0)
    wander_phases: tuple[float, float] = (0.0, 0.0)
    noise: float = 0.0
    stand_off: float = 0.28
    side_bias: float = 0.0
    detour: float = 0.0
    pauses: tuple[tuple[float, float], ...] = ()
    beside_goal: float = 0.0

    @classmethod
    def clean(cls) -> DemonstratorStyle:
        """Return the style without any imperfection."""
        return cls()

    @classmethod
    def imperfect(cls, seed: int) -> DemonstratorStyle:
        """
        Draw the style of one episode: wandering aim, pauses, noise.

        Every fifth seed aims past the goal. The same seed gives the same style on every machine.
        """
        rng = np.random.default_rng([seed, 7919])
        # By number and not by chance, so that a dozen demonstrations have failures among them.
        wide = seed % 5 == 4
        miss = rng.choice([-1.0, 1.0]) * rng.uniform(1.4, 2.0)
        times = np.cumsum(rng.uniform(4.0, 12.0, 3))
        return cls(
            speed=rng.uniform(0.8, 1.0),
            aim_y=float(miss) if wide else rng.uniform(-0.3, 0.3),
            wander=rng.uniform(0.15, 0.4),
            wander_periods=(rng.uniform(5.0, 9.0), rng.uniform(2.0, 4.0)),
            wander_phases=(rng.uniform(0, 2 * np.pi), rng.uniform(0, 2 * np.pi)),
            noise=rng.uniform(0.1, 0.25),
            stand_off=rng.uniform(0.25, 0.34),
            side_bias=rng.uniform(-0.5, 0.5),
            detour=rng.uniform(-0.4, 0.4),
            pauses=tuple((float(time), rng.uniform(0.4, 1.5)) for time in times),
        )


class Demonstrator:
    """
    Commands for any number of environments, each with its style and its own noise.

    :param rng: source of the noise; one generator an environment is spawned from it.
    :param style: one style, for one environment, or one for each environment.
    :param period: control period [s].
    :param goal: point (2,) [m] to which the ball is to come; by default the field's. It lies
        toward the attacked goal line.
    """

    def __init__(
        self,
        limits: VelocityLimits,
        field: Field,
        rng: np.random.Generator,
        style: DemonstratorStyle | Sequence[DemonstratorStyle],
        period: float = 0.1,
        goal: np.ndarray | None = None,
    ) -> None:
        styles = [style] if isinstance(style, DemonstratorStyle) else list(style)
        if not styles:
            raise ValueError('a demonstrator needs at least one style')
        self._limits, self._field, self._period = limits, field, period
        self._goal = field.goal if goal is None else goal
        self._styles = {
            name: np.array([getattr(one, name) for one in styles], dtype=float)
            for name in (
                'speed',
                'aim_y',
                'wander',
                'wander_periods',
                'wander_phases',
                'noise',
                'stand_off',
                'side_bias',
                'detour',
                'beside_goal',
            )
        }
        longest = max(len(one.pauses) for one in styles)
        self._pauses = np.full((len(styles), longest, 2), -1.0)
        for row, one in zip(self._pauses, styles):
            if one.pauses:
                row[: len(one.pauses)] = one.pauses
        self._noise = np.stack(
            [child.standard_normal((_NOISE_STEPS, 3)) for child in rng.spawn(len(styles))]
        )
        self.reset()

    @property
    def count(self) -> int:
        """Number of environments."""
        return len(self._noise)

    def reset(self) -> None:
        """Begin the episodes of all environments anew, with the same styles and noise."""
        self._step = np.zeros(self.count, dtype=int)
        self._pushing = np.zeros(self.count, dtype=bool)
        self._swinging = np.ones(self.count, dtype=bool)
        self._coloured = np.zeros((self.count, 3))

    def __call__(self, states: np.ndarray, indices: np.ndarray | None = None) -> np.ndarray:
        """
        Return the commands (m, 3) [m/s, m/s, rad/s] for world states (m, 10), a period later each.

        :param indices: (m,) the environments that the states belong to; all of them when left out.
        """
        if indices is None:
            indices = np.arange(self.count)
        states = np.asarray(states, dtype=float)
        if states.shape != (len(indices), world.SIZE):
            raise ValueError(
                f'world states of shape ({len(indices)}, {world.SIZE}) are expected, '
                f'not {states.shape}'
            )
        style = {name: values[indices] for name, values in self._styles.items()}
        time = self._step[indices] * self._period

        command = self._wanted(indices, states, style, time)
        return self._disturb(indices, command, style['noise'], time)

    def _wanted(
        self,
        indices: np.ndarray,
        states: np.ndarray,
        style: dict[str, np.ndarray],
        time: np.ndarray,
    ) -> np.ndarray:
        """Return the commands (m, 3) of a hand that does not shake."""
        direction = self._push_direction(states, style, time)
        position = world.rotate(
            states[:, world.ROBOT_POSITION] - states[:, world.BALL], -direction
        )
        turned = world.wrap_angle(states[:, world.ROBOT_YAW] - direction)
        if self._limits.side == 0:
            return self._drive(position, turned) * style['speed'][:, None]
        pushing = self._decide(indices, position, turned, style['stand_off'])
        velocity, turn = self._approach(indices, position, turned, style)
        push_velocity, push_turn = self._push(position, turned)
        velocity = np.where(pushing[:, None], push_velocity, velocity)
        turn = np.where(pushing, push_turn, turn)

        command = np.concatenate([world.rotate(velocity, -turned), turn[:, None]], axis=1)
        return self._within_limits(command) * style['speed'][:, None]

    def _push_direction(
        self, states: np.ndarray, style: dict[str, np.ndarray], time: np.ndarray
    ) -> np.ndarray:
        """Return the directions (m,) in `map` in which the ball is to go."""
        ball = states[:, world.BALL]
        aim_x = np.maximum(self._goal[0], ball[:, 0] + 0.1)
        for before in np.unique(style['beside_goal'][style['beside_goal'] > 0]):
            target = push_target(ball, self._field, float(before))
            first = (style['beside_goal'] == before) & (target[:, 0] < self._field.goal_line)
            aim_x = np.where(first, target[:, 0], aim_x)
        direction = np.arctan2(self._goal[1] + style['aim_y'] - ball[:, 1], aim_x - ball[:, 0])
        waves = np.sin(
            2 * np.pi * time[:, None] / style['wander_periods'] + style['wander_phases']
        )
        return direction + style['wander'] * (waves @ np.array([0.7, 0.3]))

    def _decide(
        self, indices: np.ndarray, position: np.ndarray, turned: np.ndarray, stand_off: np.ndarray
    ) -> np.ndarray:
        """Decide between walking to the ball and pushing it, with hysteresis."""
        behind, aside = -position[:, 0], np.abs(position[:, 1])
        begin = (
            (behind > 0.1) & (behind < stand_off + 0.1) & (aside < 0.05) & (np.abs(turned) < 0.3)
        )
        stay = (behind > 0.05) & (behind < 0.7) & (aside < 0.12) & (np.abs(turned) < 0.8)
        pushing = begin | (self._pushing[indices] & stay)
        self._pushing[indices] = pushing
        return pushing

    def _push(self, position: np.ndarray, turned: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return velocity (m, 2) in the push frame and turn (m,): straight on, behind the ball."""
        limits = self._limits
        aligned = np.clip(1.3 - np.abs(position[:, 1]) / 0.08 - np.abs(turned) / 0.8, 0.25, 1.0)
        velocity = np.stack([limits.forward * aligned, -2.0 * position[:, 1]], axis=1)
        return velocity, -2.5 * turned

    def _approach(
        self,
        indices: np.ndarray,
        position: np.ndarray,
        turned: np.ndarray,
        style: dict[str, np.ndarray],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return velocity (m, 2) in the push frame and turn (m,): round to the place behind it."""
        target = np.stack([-style['stand_off'], np.zeros(len(position))], axis=1)
        distance = np.linalg.norm(position, axis=1)
        # Before the ball, or beside it: along a circle round the ball, on the side that is chosen
        # here.
        clearance = 0.42
        angle = np.arctan2(position[:, 1], position[:, 0])
        side = np.where(
            position[:, 1] + style['side_bias'] * (position[:, 0] > 0) * (distance > 0.6) >= 0,
            1.0,
            -1.0,
        )
        to_target = target - position
        length = np.maximum(np.linalg.norm(to_target, axis=1), 1e-6)
        along = np.clip(-np.sum(position * to_target, axis=1) / length**2, 0.0, 1.0)
        nearest = np.linalg.norm(position + along[:, None] * to_target, axis=1)
        blocked = (nearest < 0.24) & (position[:, 0] > -0.5 * style['stand_off'])
        ahead = np.where(side * angle >= 0, np.abs(angle), 2 * np.pi - np.abs(angle))
        step = np.clip(np.pi - ahead, 0.0, 0.9)
        round_angle = side * (ahead + step)
        via_point = clearance * np.stack([np.cos(round_angle), np.sin(round_angle)], axis=1)
        # Far away, the tangent to the circle rather than the point that is nearest.
        goal = np.where(blocked[:, None], via_point, target)
        offset = goal - position
        remaining = np.maximum(np.linalg.norm(offset, axis=1), 1e-6)
        # A swing to one side on the way in, until the ball is near.
        self._swinging[indices] &= distance > 1.0
        swing = style['detour'] * np.clip(remaining - 0.8, 0.0, 1.0) * self._swinging[indices]
        offset = (
            offset
            + swing[:, None] * np.stack([-offset[:, 1], offset[:, 0]], axis=1) / remaining[:, None]
        )
        heading = np.arctan2(offset[:, 1], offset[:, 0])
        speed = np.minimum(self._limits.forward, 1.5 * remaining + 0.02)
        velocity = speed[:, None] * np.stack([np.cos(heading), np.sin(heading)], axis=1)
        # On a long way it looks where it goes; near the ball it looks where it will push.
        far = remaining > 0.6
        wanted = np.where(far, heading, 0.0)
        turn = 2.5 * world.wrap_angle(wanted - turned)
        # It turns first when the way on is far off its nose: sideways and back it is slow.
        away = np.abs(world.wrap_angle(heading - turned))
        velocity = velocity * np.where(far & (away > 1.0), 0.3, 1.0)[:, None]
        return velocity, turn

    def _drive(self, position: np.ndarray, turned: np.ndarray) -> np.ndarray:
        """Return commands (m, 3) of a base with wheels: on a bend until the ball lies ahead."""
        bearing = np.arctan2(-position[:, 1], -position[:, 0])
        # Near the ball the bend goes round it and not into it.
        widest = np.where(np.linalg.norm(position, axis=1) < _ROUND, 1.7, 1.1)
        off = world.wrap_angle(bearing + np.clip(3.0 * bearing, -widest, widest) - turned)
        forward = self._limits.forward * np.clip(np.cos(off), 0.0, 1.0)
        return self._limits.clip(np.stack([forward, np.zeros(len(off)), 3.0 * off], axis=1))

    def _within_limits(self, command: np.ndarray) -> np.ndarray:
        """Scale the velocity, direction kept, and clip the turn."""
        limits = self._limits
        bound = np.stack(
            [
                np.where(command[:, 0] >= 0, limits.forward, limits.backward),
                np.full(len(command), limits.side),
            ],
            axis=1,
        )
        excess = np.maximum(np.max(np.abs(command[:, :2]) / bound, axis=1), 1.0)
        command = command.copy()
        command[:, :2] /= excess[:, None]
        return limits.clip(command)

    def _disturb(
        self, indices: np.ndarray, command: np.ndarray, noise: np.ndarray, time: np.ndarray
    ) -> np.ndarray:
        """Add correlated noise, stand still in pauses, clip, and count the step."""
        step = self._step[indices]
        keep = np.exp(-self._period / 0.5)
        fresh = self._noise[indices, step % _NOISE_STEPS]
        self._coloured[indices] = keep * self._coloured[indices] + np.sqrt(1 - keep**2) * fresh
        action = self._limits.to_action(command) + noise[:, None] * self._coloured[indices]
        start, length = self._pauses[indices, :, 0], self._pauses[indices, :, 1]
        paused = np.any((time[:, None] >= start) & (time[:, None] < start + length), axis=1)
        self._step[indices] = step + 1
        return np.where(paused[:, None], 0.0, self._limits.to_command(action))


class PoseDemonstrator(Demonstrator):
    """
    Comes to the goal itself, as the demonstrator of a task without a ball: pauses and noise alike.

    :param goal_yaw: heading [rad] in `map` in which it comes there; None: any.
    """

    def __init__(self, *arguments: Any, goal_yaw: float | None = None, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._goal_yaw = goal_yaw

    def _wanted(
        self,
        indices: np.ndarray,
        states: np.ndarray,
        style: dict[str, np.ndarray],
        time: np.ndarray,
    ) -> np.ndarray:
        limits = self._limits
        offset = world.to_frame(self._goal, states[:, world.ROBOT])
        distance = np.linalg.norm(offset, axis=1)
        bearing = np.arctan2(offset[:, 1], offset[:, 0])
        turn = np.zeros(len(states))
        if self._goal_yaw is not None:
            turn = world.wrap_angle(self._goal_yaw - states[:, world.ROBOT_YAW])
        if limits.side > 0:
            speed = np.minimum(limits.forward, 1.5 * distance)
            velocity = speed[:, None] * offset / np.maximum(distance, 1e-6)[:, None]
            command = np.column_stack([velocity, 2.5 * turn])
            return self._within_limits(command) * style['speed'][:, None]
        # On a bend that ends in the heading: toward a point before the goal, and round to it.
        approach = 0.0 if self._goal_yaw is None else world.wrap_angle(turn - bearing)
        off = world.wrap_angle(bearing - np.clip(0.8 * approach, -1.2, 1.2))
        # At the goal itself no bearing is known: there it turns on the spot.
        off = np.where(distance < _THERE, turn, off)
        speed = np.minimum(limits.forward, 1.5 * distance) * np.clip(np.cos(off), 0.0, 1.0)
        speed = np.where(distance < _THERE, 0.0, speed)
        command = limits.clip(np.stack([speed, np.zeros(len(speed)), 3.0 * off], axis=1))
        return command * style['speed'][:, None]


def demonstrator_of(
    contract: Contract,
    rng: np.random.Generator,
    style: DemonstratorStyle | Sequence[DemonstratorStyle],
) -> Demonstrator:
    """Return who shows the task of a contract: pushes the ball, or comes to the goal itself."""
    arguments = contract.limits, contract.field, rng, style, contract.period, contract.goal
    if contract.has_ball:
        return Demonstrator(*arguments)
    return PoseDemonstrator(*arguments, goal_yaw=contract.goal_yaw)


def scripted(style: str, contract: Contract, count: int, seed: int = 0) -> Demonstrator:
    """
    Return the demonstrator of `count` episodes as it is judged and recorded without ROS.

    :param style: clean, or imperfect as a person; each episode is imperfect in its own way.
    :param seed: of the imperfections.
    """
    styles = [
        DemonstratorStyle.clean()
        if style == 'clean'
        else DemonstratorStyle.imperfect(10_000 * (seed + 1) + index)
        for index in range(count)
    ]
    return demonstrator_of(contract, np.random.default_rng([seed, 17]), styles)
