"""
How fast a rolling ball slows down, from single sightings of it.

The ball's filtered track is of no use here: the tracker assumes a deceleration. Sightings are cut
into stretches without a touch, in each of which a ball rolls straight and slows down evenly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from guda_ros.identification.drives import Drive
from guda_ros.identification.least_squares import minimise
from guda_ros.identification.walk_fit import displacements

#: A roll that counts: at least so long [s], so fast at first [m/s], seen so often.
_SHORTEST, _SPEED, _SIGHTINGS = 0.8, 0.25, 8
#: No carpet brakes evenly: the least standard deviation, relative.
_MODEL = 0.01
#: Sightings farther apart [s] are of two stretches.
_GAP = 0.5
#: Noise of a sighting [m] nearby, below which errors of the model are seen and not of the eye.
_NOISE = 0.003


@dataclass(frozen=True, eq=False)
class Roll:
    """
    One roll: times (n,) [s], places (n, 2), way (n,) along its line [m], the fitted start and end.

    speed: at the first time [m/s]. deceleration and its standard deviation [m/s^2].
    """

    drive: str
    times: np.ndarray
    places: np.ndarray
    way: np.ndarray
    speed: float
    deceleration: float
    deviation: float

    def fitted(self, times: np.ndarray) -> np.ndarray:
        """Return the way along the line [m] at times."""
        return _way(times - self.times[0], self.speed, self.deceleration)


@dataclass(frozen=True)
class RollFit:
    """Deceleration of all rolls with its standard deviation [m/s^2]."""

    deceleration: float
    deviation: float
    rolls: tuple[Roll, ...]


def fit_rolls(drives: Sequence[Drive], eye_height: float) -> RollFit | None:
    """
    Return the deceleration of the balls that rolled while the robot stood, None if none rolled.

    :param eye_height: of the camera [m]; sightings blur with the square of distance over it.
    """
    rolls = []
    for drive in drives:
        for stretch in _stretches(drive):
            blur = 1.0 + (drive.ball_distance[stretch] / eye_height) ** 2
            rolls += _rolls(drive.name, drive.ball_times[stretch], drive.ball[stretch], blur)
    if not rolls:
        return None
    value = np.array([roll.deceleration for roll in rolls])
    deviation = np.array([roll.deviation for roll in rolls])
    # The middle one decides which are strange; the others are averaged.
    middle = float(np.median(value))
    spread = 1.483 * float(np.median(np.abs(value - middle))) if len(rolls) > 2 else 0.0
    strange = np.abs(value - middle) > 3 * np.sqrt(deviation**2 + spread**2 + 1e-12)
    kept = ~strange if (~strange).any() else np.ones(len(rolls), dtype=bool)
    weight = 1.0 / (deviation[kept] ** 2 + spread**2)
    mean = float(weight @ value[kept] / weight.sum())
    inner = 1.0 / np.sqrt(weight.sum())
    outer = (
        np.sqrt(weight @ (value[kept] - mean) ** 2 / weight.sum() / (kept.sum() - 1))
        if kept.sum() > 1
        else 0.0
    )
    return RollFit(
        mean,
        float(np.hypot(max(inner, outer), _MODEL * mean)),
        tuple(roll for roll, keep in zip(rolls, kept) if keep),
    )


def _stretches(drive: Drive) -> list[np.ndarray]:
    """Return the indices of sightings without a gap, while the robot stands."""
    if not len(drive.ball_times):
        return []
    speed = np.abs(displacements(drive)) / np.diff(drive.odom_times)[:, None]
    moves = (speed[:, :2].max(axis=1) > 0.01) | (speed[:, 2] > 0.05)
    told = np.abs(drive.commands).max(axis=1) > 0
    interval = np.clip(np.searchsorted(drive.odom_times, drive.ball_times) - 1, 0, len(moves) - 1)
    order = np.searchsorted(drive.command_times, drive.ball_times, side='right') - 1
    standing = ~moves[interval] & ~(told[np.maximum(order, 0)] & (order >= 0))
    groups, current = [], []
    for index in range(len(drive.ball_times)):
        if current and (
            not standing[index] or drive.ball_times[index] - drive.ball_times[current[-1]] > _GAP
        ):
            groups.append(np.array(current))
            current = []
        if standing[index]:
            current.append(index)
    if current:
        groups.append(np.array(current))
    return [group for group in groups if len(group) >= _SIGHTINGS]


def _rolls(name: str, times: np.ndarray, places: np.ndarray, blur: np.ndarray) -> list[Roll]:
    kept = _plausible(times, places, blur)
    times, places, blur = times[kept], places[kept], blur[kept]
    if len(times) < _SIGHTINGS:
        return []
    rolls = []
    for piece in _pieces(times, places, blur):
        roll = _fit_roll(name, times[piece], places[piece], blur[piece])
        if roll is not None:
            rolls.append(roll)
    return rolls


def _plausible(times: np.ndarray, places: np.ndarray, blur: np.ndarray) -> np.ndarray:
    """Tell (n,) which sightings are near the middle one of their neighbours; others are false."""
    count = len(times)
    around = np.clip(np.arange(count)[:, None] + np.arange(-3, 4), 0, count - 1)
    middle = np.median(places[around], axis=1)
    # A ball at 4 m/s moves .4 m in the time that its neighbours span on either side.
    reach = 0.15 + 4.0 * np.abs(times[around] - times[:, None]).max(axis=1) / 2
    return np.hypot(*(places - middle).T) < reach + 10 * _NOISE * blur


def _pieces(times: np.ndarray, places: np.ndarray, blur: np.ndarray) -> list[slice]:
    """Cut at touches: where two parabolas explain the sightings much better than one."""
    noise = _sighting_noise(times, places, blur)
    todo, done = [slice(0, len(times))], []
    while todo:
        piece = todo.pop()
        t, p, w = times[piece], places[piece], 1.0 / (noise * blur[piece])
        count = len(t)
        cuts = range(5, count - 4)
        if not cuts:
            done.append(piece)
            continue
        whole = _parabola_cost(t, p, w)
        costs = np.array(
            [
                _parabola_cost(t[:k], p[:k], w[:k]) + _parabola_cost(t[k:], p[k:], w[k:])
                for k in cuts
            ]
        )
        best = int(np.argmin(costs))
        # Six more parameters explain about six more by chance; sightings are not independent.
        if whole - costs[best] < 40.0:
            done.append(piece)
        else:
            middle = piece.start + cuts[best]
            todo += [slice(piece.start, middle), slice(middle, piece.stop)]
    return sorted(done, key=lambda piece: piece.start)


def _parabola_cost(t: np.ndarray, p: np.ndarray, w: np.ndarray) -> float:
    design = np.stack([np.ones_like(t), t - t[0], (t - t[0]) ** 2], axis=1) * w[:, None]
    rest = p * w[:, None]
    solution, *_ = np.linalg.lstsq(design, rest, rcond=None)
    wrong = np.hypot(*(rest - design @ solution).T)
    # Beyond three standard deviations it counts linearly: one bad sighting is no touch.
    return float(np.where(wrong < 3, wrong**2, 6 * wrong - 9).sum())


def _sighting_noise(times: np.ndarray, places: np.ndarray, blur: np.ndarray) -> float:
    """Return the noise of a nearby sighting [m], from second differences over equal times."""
    step = np.diff(times)
    even = np.abs(step[1:] - step[:-1]) < 0.2 * np.median(step)
    bend = (places[2:] - 2 * places[1:-1] + places[:-2]) / blur[1:-1, None]
    bend = bend[even] if even.sum() > 5 else bend
    return max(
        1.483 * float(np.median(np.abs(bend - np.median(bend, axis=0)))) / np.sqrt(6.0), _NOISE / 3
    )


def _way(t: np.ndarray, speed: float, deceleration: float) -> np.ndarray:
    t = np.minimum(t, speed / max(deceleration, 1e-6))
    return speed * t - 0.5 * deceleration * t * t


def _fit_roll(name: str, times: np.ndarray, places: np.ndarray, blur: np.ndarray) -> Roll | None:
    t = times - times[0]
    if t[-1] < _SHORTEST or len(t) < _SIGHTINGS:
        return None
    design = np.stack([np.ones_like(t), t, t * t], axis=1) / blur[:, None]
    (origin, velocity, bend), *_ = np.linalg.lstsq(design, places / blur[:, None], rcond=None)
    speed = float(np.hypot(*velocity))
    if speed < _SPEED:
        return None
    heading = velocity / speed
    guess = np.clip(-2 * bend @ heading, 0.02, 5.0)
    noise = _sighting_noise(times, places, blur)

    def residuals(theta: np.ndarray) -> np.ndarray:
        x, y, angle, v, a = theta
        line = np.array([np.cos(angle), np.sin(angle)])
        model = [x, y] + _way(t, v, a)[:, None] * line
        return ((places - model) / (noise * blur)[:, None]).ravel()

    angle = np.arctan2(heading[1], heading[0])
    fit = minimise(
        residuals,
        [*origin, angle, speed, guess],
        [-np.inf, -np.inf, angle - 0.5, 0.05, 0.0],
        [np.inf, np.inf, angle + 0.5, 10.0, 10.0],
    )
    x, y, angle, speed, deceleration = fit.parameters
    if fit.on_bound[2:].any() or not np.isfinite(fit.deviations[4]):
        return None
    way = (places - [x, y]) @ [np.cos(angle), np.sin(angle)]
    return Roll(
        name, times, places, way, float(speed), float(deceleration), float(fit.deviations[4])
    )
