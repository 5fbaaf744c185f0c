"""
How a walk answers velocity commands: response times, delay and steady speed, from a drive.

The model is that of the simulator: after a dead time the velocity of each axis follows its command
with a first-order lag. What is compared is the displacement from one odometry to the next, so
nothing is differentiated and odometry and commands need not be in step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from guda_ros.identification.drives import Drive
from guda_ros.identification.least_squares import minimise
from guda_ros.soccer import world

AXES = ('forward', 'left', 'turn')
#: Bounds of response time and delay [s] and of the ratio of odometry and command.
_RESPONSE, _DELAY, _GAIN = (0.01, 3.0), (0.0, 1.0), (0.1, 3.0)
#: No walk is a first-order lag exactly: the least standard deviations of a response time,
#: relative, and of the delay [s].
_MODEL = (0.025, 0.005)
#: Length [s] of the stretches whose errors may depend on each other.
_BLOCK = 2.0
#: A pause without a command that is so long [s] is a stand.
_STAND = 1.0


@dataclass(frozen=True, eq=False)
class WalkFit:
    """
    How a walk answers; an axis that was not driven is NaN, and so is what was not determined.

    response_time (3,) and delay [s]; gain (3,): steady velocity by odometry over the command; each
    with its standard deviation. residual (3,): rms of the displacements not explained, relative to
    those at full command.
    """

    response_time: np.ndarray
    response_time_deviation: np.ndarray
    delay: float
    delay_deviation: float
    gain: np.ndarray
    gain_deviation: np.ndarray
    residual: np.ndarray


def travelled(
    times: np.ndarray, when: np.ndarray, command: np.ndarray, response_time: float, delay: float
) -> np.ndarray:
    """
    Return how far (n,) an axis has come at times (n,), from rest, for commands (m,) held since.

    :param when: (m,) ascending times [s] of the commands.
    """
    change = np.diff(command, prepend=0.0)
    switched = change != 0
    if not switched.any():
        return np.zeros(len(times))
    change, start = change[switched], when[switched] + delay
    # Each change of the command is a step response of its own; their tails are summed up from one
    # change to the next, so that the work grows with samples plus changes.
    decay = np.exp(-np.diff(start, prepend=start[0]) / response_time)
    tail = np.empty(len(change))
    left = 0.0
    for index, (keep, more) in enumerate(zip(decay, change)):
        left = tail[index] = left * keep + more
    level, moment = np.cumsum(change), np.cumsum(change * start)
    last = np.searchsorted(start, times, side='right') - 1
    known = last >= 0
    j, t = np.maximum(last, 0), times
    ramp = level[j] * t - moment[j] - response_time * level[j]
    fading = response_time * tail[j] * np.exp(-np.maximum(t - start[j], 0.0) / response_time)
    return np.where(known, ramp + fading, 0.0)


def displacements(drive: Drive) -> np.ndarray:
    """Return what odometry says of each interval (N - 1, 3), along base_link's axes."""
    step = world.relative_pose(drive.odom[1:], drive.odom[:-1])
    step[:, 2] = np.diff(drive.odom[:, 2])
    # The way walked is a chord of the arc, half the turn away from where the robot looked before.
    step[:, :2] = world.rotate(step[:, :2], -step[:, 2] / 2)
    return step


def predicted(drive: Drive, axis: int, response_time: float, delay: float) -> np.ndarray:
    """Return the displacement (N - 1,) of an axis in each interval at a gain of one."""
    return np.diff(
        travelled(
            drive.odom_times, drive.command_times, drive.commands[:, axis], response_time, delay
        )
    )


def driven_axes(drives: Sequence[Drive], limits: np.ndarray) -> list[int]:
    """Return the axes that were given and denied at least a tenth of their limits (3,)."""
    driven = []
    for axis in range(3):
        values = np.concatenate([drive.commands[:, axis] for drive in drives])
        # A base with wheels is driven nowhere sideways.
        if limits[axis] > 0 and np.ptp(values) >= 0.1 * limits[axis]:
            driven.append(axis)
    return driven


def fit_walk(drives: Sequence[Drive], limits: np.ndarray) -> WalkFit:
    """
    Fit response times, gains and one delay to drives.

    :param limits: (3,) largest commands, which tell whether an axis was driven.
    """
    axes = driven_axes(drives, limits)
    nan = np.full(3, np.nan)
    if not axes:
        return WalkFit(nan, nan, np.nan, np.nan, nan, nan, nan)
    measured = [displacements(drive) for drive in drives]
    spans = [np.diff(drive.odom_times) for drive in drives]
    clusters = np.concatenate(
        [
            np.tile((drive.odom_times[1:] // _BLOCK).astype(int) + 1_000_000 * number, len(axes))
            for number, drive in enumerate(drives)
        ]
    )
    theta = _coarse(drives, measured, axes)
    # The noise of odometry grows with the way walked: it is found in turn with the parameters.

    def model(theta: np.ndarray) -> list[list[np.ndarray]]:
        return [
            [
                theta[2 * i] * predicted(drive, axis, np.exp(theta[2 * i + 1]), theta[-1])
                for i, axis in enumerate(axes)
            ]
            for drive in drives
        ]

    def residuals(theta: np.ndarray) -> np.ndarray:
        return np.concatenate(
            [
                (step[:, axis] - way) / spread
                for step, ways, spreads in zip(measured, model(theta), deviations)
                for axis, way, spread in zip(axes, ways, spreads)
            ]
        )

    low = [bound for _ in axes for bound in (_GAIN[0], np.log(_RESPONSE[0]))] + [_DELAY[0]]
    high = [bound for _ in axes for bound in (_GAIN[1], np.log(_RESPONSE[1]))] + [_DELAY[1]]
    for _ in range(4):
        current = model(theta)
        noise = [
            _noise(
                np.concatenate([step[:, axis] for step in measured]),
                np.concatenate([ways[i] for ways in current]),
            )
            for i, axis in enumerate(axes)
        ]
        deviations = [
            [
                np.sqrt(floor**2 + walking**2 * np.abs(way))
                for way, (floor, walking) in zip(ways, noise)
            ]
            for ways in current
        ]
        fit = minimise(residuals, theta, low, high, clusters)
        theta = fit.parameters
    spread = fit.deviations
    result = {
        name: nan.copy()
        for name in ('time', 'time_deviation', 'gain', 'gain_deviation', 'residual')
    }
    current = model(theta)
    for i, axis in enumerate(axes):
        result['gain'][axis], result['gain_deviation'][axis] = theta[2 * i], spread[2 * i]
        result['time'][axis] = np.exp(theta[2 * i + 1])
        result['time_deviation'][axis] = result['time'][axis] * (
            np.inf if fit.on_bound[2 * i + 1] else np.hypot(spread[2 * i + 1], _MODEL[0])
        )
        wrong = np.concatenate([m[:, axis] - c[i] for m, c in zip(measured, current)])
        full = abs(theta[2 * i]) * limits[axis] * np.median(np.concatenate(spans))
        result['residual'][axis] = np.sqrt(np.mean(wrong**2)) / full
    return WalkFit(
        result['time'],
        result['time_deviation'],
        float(theta[-1]),
        float(np.hypot(spread[-1], _MODEL[1])),
        result['gain'],
        result['gain_deviation'],
        result['residual'],
    )


def _coarse(drives: Sequence[Drive], measured: list[np.ndarray], axes: list[int]) -> np.ndarray:
    """Return where to start: the best of a grid of delays and response times."""
    times, delays = np.geomspace(0.06, 1.2, 7), np.arange(0.0, 0.55, 0.05)
    best, theta = np.inf, None
    for delay in delays:
        total, row = 0.0, []
        for axis in axes:
            y = np.concatenate([m[:, axis] for m in measured])
            x = np.stack(
                [
                    np.concatenate([predicted(drive, axis, time, delay) for drive in drives])
                    for time in times
                ]
            )
            gain = np.clip((x @ y) / np.maximum((x * x).sum(axis=1), 1e-12), *_GAIN)
            # Absolute errors: a jump of the odometry must not decide.
            cost = np.abs(y - gain[:, None] * x).sum(axis=1) / max(np.abs(y).sum(), 1e-12)
            index = int(np.argmin(cost))
            total += cost[index]
            row += [gain[index], np.log(times[index])]
        if total < best:
            best, theta = total, np.array([*row, delay])
    return theta


def _noise(measured: np.ndarray, model: np.ndarray) -> tuple[float, float]:
    """Return the noise of standing [m] and that of walking [m per square root of m], robustly."""
    wrong, way = measured - model, np.abs(model)
    top = max(float(np.quantile(way, 0.98)), 1e-9)
    still, moving = way < 0.02 * top, way > 0.5 * top
    floor = 1.483 * float(np.median(np.abs(wrong[still]))) if still.sum() > 5 else 0.0
    walking = (
        1.483 * float(np.median(np.abs(wrong[moving]) / np.sqrt(way[moving])))
        if moving.sum() > 5
        else 0.0
    )
    # No model is exact to more than this; without a floor, simulated stands would rule the fit.
    return max(floor, 0.01 * top), walking


@dataclass(frozen=True)
class ScaleFit:
    """Odometry over truth, with its standard deviation, and over how many walks."""

    value: float
    deviation: float
    walks: int


@dataclass(frozen=True, eq=False)
class Walk:
    """One walk from stand to stand: displacement by odometry and by an outside measure, or NaN."""

    drive: int
    odom: np.ndarray
    truth: np.ndarray


def walks_between_stands(drives: Sequence[Drive]) -> list[Walk]:
    """Return the walks from one stand of the robot to the next."""
    walks = []
    for number, drive in enumerate(drives):
        moments = _stands(drive)
        for begin, end in zip(moments[:-1], moments[1:]):
            walks.append(
                Walk(
                    number,
                    _between(drive.odom_times, drive.odom, begin, end),
                    _between(drive.truth_times, drive.truth, begin, end),
                )
            )
    return walks


def _stands(drive: Drive) -> list[float]:
    """Return a time in every stand: its end, for no robot moves before the next command."""
    moving = np.abs(drive.commands).max(axis=1) > 0
    begin, moments = 0.0, []
    for time, moves in zip(drive.command_times, moving):
        if moves and begin is not None:
            # Before its first command a robot has stood for long.
            if time - begin >= _STAND or begin <= 0:
                moments.append(max(time, 0.0))
            begin = None
        elif not moves and begin is None:
            begin = time
    if begin is not None and drive.odom_times[-1] - begin >= _STAND:
        moments.append(float(drive.odom_times[-1]))
    return moments


def _between(times: np.ndarray, poses: np.ndarray, begin: float, end: float) -> np.ndarray:
    """Return the displacement (3,): forward, left as seen at the begin, and the turn unwrapped."""
    if len(times) < 2 or begin < times[0] - 0.2 or end > times[-1] + 0.2:
        return np.full(3, np.nan)
    first, last = (
        np.array([np.interp(t, times, poses[:, column]) for column in range(3)])
        for t in (begin, end)
    )
    return np.append(world.rotate(last[:2] - first[:2], -first[2]), last[2] - first[2])


def fit_scale(walks: Sequence[Walk], turn: bool, least: float, scatter: float) -> ScaleFit | None:
    """
    Return the ratio of odometry and truth over all walks, or None if no walk has a truth.

    :param turn: of turns instead of distances. :param least: shortest walk that counts [m, rad].
    :param scatter: standard deviation from one drive to the next that is to be expected, relative.
    """

    def size(displacement: np.ndarray) -> float:
        return displacement[2] if turn else np.hypot(displacement[0], displacement[1])

    used = [
        (walk.drive, size(walk.odom), size(walk.truth))
        for walk in walks
        if np.isfinite(walk.truth).all() and abs(size(walk.truth)) >= least
    ]
    if not used:
        return None
    drives, odom, truth = (np.array(column) for column in zip(*used))
    value = float(odom @ truth / (truth @ truth))
    wrong = odom - value * truth
    # A walk's error grows with the square root of its length; drives have errors of their own,
    # which a few of them do not show.
    within = (
        np.sqrt((wrong**2 / np.abs(truth)).sum() / (len(used) - 1) / np.abs(truth).sum())
        if len(used) > 1
        else 0.0
    )
    numbers = np.unique(drives)
    means = [
        odom[drives == n] @ truth[drives == n] / (truth[drives == n] @ truth[drives == n])
        for n in numbers
    ]
    between = max(scatter * value, np.std(means, ddof=1) if len(means) > 1 else 0.0)
    return ScaleFit(value, float(np.hypot(within, between / np.sqrt(len(numbers)))), len(used))


def with_tape(walks: Sequence[Walk], axis: int, distance: float) -> Walk:
    """Return the longest walk along an axis, with a distance that was measured by tape."""

    def along(walk: Walk) -> float:
        others = [abs(value) for index, value in enumerate(walk.odom[:2]) if index != axis]
        straight = abs(walk.odom[2]) < 0.35 if axis < 2 else True
        return (
            abs(walk.odom[axis])
            if straight and (axis == 2 or abs(walk.odom[axis]) > 2 * others[0])
            else 0.0
        )

    longest = max(walks, key=along, default=None)
    if longest is None or along(longest) == 0:
        raise ValueError(f'no walk {AXES[axis]} between two stands')
    truth = np.zeros(3)
    truth[axis] = distance
    # Only the measured axis is compared.
    odom = np.zeros(3)
    odom[axis] = abs(longest.odom[axis])
    return replace(longest, odom=odom, truth=truth)
