"""Put together what recordings of a drive tell of a robot, and judge what they do not tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from guda_ros.errors import GudaError
from guda_ros.identification.drives import Drive
from guda_ros.identification.roll_fit import fit_rolls, RollFit
from guda_ros.identification.walk_fit import (
    AXES,
    fit_scale,
    fit_walk,
    ScaleFit,
    Walk,
    WalkFit,
    walks_between_stands,
    with_tape,
)
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import RobotProfile

#: Largest standard deviation of a result: relative, or in its unit where that is written.
RESPONSE_LIMIT, DELAY_LIMIT, SCALE_LIMIT, BALL_LIMIT = 0.2, 0.04, 0.05, 0.15
#: Shortest walks that count for the odometry's scale [m] and [rad].
_LEAST_WAY, _LEAST_TURN = 0.3, 0.5
#: Accuracy of a tape [m] and of an angle between two lines [rad].
_TAPE, _ANGLE = 0.01, np.radians(2.0)


class IdentificationError(GudaError):
    """The recordings do not tell what is asked; the message says what to drive."""


@dataclass(frozen=True)
class Result:
    """
    One property: name, unit, value before, the one found and its standard deviation.

    `key`: where it is in the robot's profile, '' if elsewhere; `note` says what it rests on.
    """

    name: str
    unit: str
    before: float
    value: float
    deviation: float
    key: str = ''
    note: str = ''


@dataclass(frozen=True, eq=False)
class Identification:
    """
    What was found.

    results: by name. missing: name -> why it is left as it was. walk, rolls: the fits, for
    pictures. gains (3,): true speed over command for the axes, NaN unknown; no part of a profile.
    """

    results: dict[str, Result]
    missing: dict[str, str]
    walk: WalkFit
    rolls: RollFit | None
    gains: np.ndarray


def identify(
    drives: Sequence[Drive],
    robot: RobotProfile,
    field: Field,
    tape: Mapping[str, float] | None = None,
    partial: bool = False,
) -> Identification:
    """
    Find response times, delay, odometry scales and the ball's deceleration.

    :param tape: distances that were measured on the ground: `forward`, `left` [m], `turn` [rad],
        of the longest such walk. Without one, ground truth serves where it was recorded.
    :param partial: leave what the drive does not tell as it was, instead of refusing.
    :raises IdentificationError: naming what the drive does not tell, and what to drive.
    """
    limits = np.array([robot.limits.forward, robot.limits.side, robot.limits.turn])
    walk = fit_walk(drives, limits)
    results: dict[str, Result] = {}
    missing: dict[str, str] = {}
    refused: dict[str, str] = {}
    _judge_walk(walk, robot, limits, results, refused)
    scales = _scales(walks_between_stands(drives), tape or {}, robot, missing)
    for name, scale in scales.items():
        before = getattr(robot.odometry, name)
        _take(
            Result(
                f'odometry.{name}',
                '',
                before,
                scale.value,
                scale.deviation,
                f'odometry.{name}',
                f'{scale.walks} walks',
            ),
            scale.deviation / scale.value > SCALE_LIMIT,
            'walk longer straight ways between stands',
            results,
            refused,
        )
    rolls = fit_rolls(drives, robot.camera.position[2])
    if rolls is None:
        missing['ball.deceleration'] = 'no ball rolled in view while the robot stood'
    else:
        _take(
            Result(
                'ball.deceleration',
                'm/s^2',
                field.ball.deceleration,
                rolls.deceleration,
                rolls.deviation,
                '',
                f'{len(rolls.rolls)} rolls',
            ),
            rolls.deviation > BALL_LIMIT * rolls.deceleration,
            'roll the ball more often, slowly, and in view until it lies',
            results,
            refused,
        )
    if refused and not partial:
        raise IdentificationError(
            'the drive does not tell '
            + '; '.join(f'{name} ({why})' for name, why in refused.items())
            + '. Drive the protocol (docs/identification.md), or keep the values of the base '
            'for these with --partial'
        )
    missing.update(refused)
    if not results:
        raise IdentificationError(
            'nothing was found out: '
            + '; '.join(f'{name}: {why}' for name, why in missing.items())
        )
    scale = np.array(
        [
            scales[name].value if name in scales else np.nan
            for name in ('translation_gain', 'translation_gain', 'yaw_gain')
        ]
    )
    return Identification(results, missing, walk, rolls, walk.gain / scale)


def _judge_walk(
    walk: WalkFit, robot: RobotProfile, limits: np.ndarray, results: dict, refused: dict
) -> None:
    for axis, name in enumerate(AXES):
        if not limits[axis]:
            continue
        key, value = f'walk.response_time.{name}', walk.response_time[axis]
        deviation = walk.response_time_deviation[axis]
        if np.isnan(value):
            refused[key] = f'no step of {name} was driven'
            continue
        _take(
            Result(key, 's', robot.walk.response_time[axis], float(value), float(deviation), key),
            not deviation < RESPONSE_LIMIT * value,
            f'drive more steps of {name}, and stand between them',
            results,
            refused,
        )
    if np.isnan(walk.delay):
        refused['walk.delay'] = 'no step was driven'
    else:
        _take(
            Result(
                'walk.delay', 's', robot.walk.delay, walk.delay, walk.delay_deviation, 'walk.delay'
            ),
            not walk.delay_deviation < DELAY_LIMIT,
            'drive more steps, and stand between them',
            results,
            refused,
        )


def _take(
    result: Result,
    uncertain: bool,
    remedy: str,
    results: dict[str, Result],
    refused: dict,
) -> None:
    if uncertain:
        unit = f' {result.unit}' if result.unit else ''
        refused[result.name] = (
            f'{result.value:.3g} +- {result.deviation:.2g}{unit} is too uncertain: {remedy}'
        )
    else:
        results[result.name] = result


def _scales(
    walks: Sequence[Walk], tape: Mapping[str, float], robot: RobotProfile, missing: dict
) -> dict[str, ScaleFit]:
    scales = {}
    for name, axes, least in (
        ('translation_gain', ('forward', 'left'), _LEAST_WAY),
        ('yaw_gain', ('turn',), _LEAST_TURN),
    ):
        turn = name == 'yaw_gain'
        scatter = robot.odometry.yaw_scale if turn else robot.odometry.translation_scale
        measured = {axis: tape[axis] for axis in axes if axis in tape}
        if measured:
            try:
                taped = [
                    with_tape(walks, AXES.index(axis), abs(distance))
                    for axis, distance in measured.items()
                ]
            except ValueError as error:
                raise IdentificationError(
                    f'--distance: {error}; stand still for two seconds before and after the '
                    'walk that is measured'
                ) from error
            fit = fit_scale(taped, turn, 0.0, scatter)
            error = (_ANGLE if turn else _TAPE) / sum(measured.values())
            scales[name] = ScaleFit(
                fit.value, float(np.hypot(fit.deviation, error * fit.value)), fit.walks
            )
            continue
        fit = fit_scale(walks, turn, least, scatter)
        if fit is None:
            missing[f'odometry.{name}'] = (
                'no ground truth and no --distance ' + '|'.join(axes) + ' was given'
            )
        else:
            scales[name] = fit
    return scales
