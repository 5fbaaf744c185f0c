"""Fit a camera's place on the robot, and the head's zeros, to lines of a field or known places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from guda_ros.identification.cameras.intrinsics import CalibrationError
from guda_ros.identification.least_squares import Fit, minimise
from guda_ros.perception.camera import CameraModel
from guda_ros.perception.line_fit import mirrored, search_poses
from guda_ros.perception.line_points import LineFinder
from guda_ros.soccer import world
from guda_ros.soccer.field_lines import LineMap
from guda_ros.soccer.robot import CameraMount, Head

#: What is looked for: the camera's pitch and height, its roll, and the zero of the head's pan.
PARAMETERS = ('pitch', 'height', 'roll', 'pan')
#: How far they may be off what the profile has [rad], [m].
REACH = (0.2, 0.15, 0.15, 0.35)
#: Largest standard deviations [rad], [m].
LIMITS = (0.009, 0.025, 0.02, 0.02)
#: A roll of more than this [rad] is refused: a profile has none.
ROLL = np.radians(2.0)
#: Standard deviations of a pixel, and of a place that was measured on the ground [m].
PIXEL, PLACE = 1.0, 0.01
#: Places that are farther from where they are seen than so many deviations are refused.
DISAGREES = 4.0
#: Standard deviations of a pose that somebody measured: x, y [m], yaw [rad].
POSE = (0.02, 0.02, np.radians(1.0))
#: How far lines are from where a field's plan has them [m].
ROUGH = 0.004
#: What all middles of lines, or all places, may be wrong by alike: pixels, and of the height.
SHARED, SHARED_HEIGHT = 0.5, 0.004
#: Points of lines farther than this [m] are left out, and so many of a view are used.
FARTHEST, MOST = 4.0, 60
#: Fewest points of lines, and views; fewest known places.
POINTS, VIEWS, PLACES = 120, 4, 4
#: Points farther from all lines [m] than this are on none, from round to round.
GATES = (0.4, 0.2, 0.1)
#: Least share of the points that lie on lines, largest median distance of those [m] and rms
#: [pixels]. In the twin .92 or more lie on the lines of the right field, .79 or less on another's.
SHARE, AWAY, ROUGHEST = 0.85, 0.03, 0.8
#: Two fits of a stand are as good as each other if their losses differ by less, relative.
AS_GOOD = 1.3
#: How many points are enough to search the field with, and how many places are looked at closely.
_SEARCHED, _CLOSE = 250, 3


@dataclass(frozen=True, eq=False)
class Sight:
    """
    A picture from where the head was at pan and tilt [rad] by the profile's zeros.

    stand: which of the robot's places on the field it was taken from. places: (n, 2) in base_link
    [m], of what is known, at heights (n,) [m] over the ground; pixels: (n, 2) of those.
    """

    name: str
    bgr: np.ndarray
    pan: float
    tilt: float
    stand: int = 0
    places: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))
    heights: np.ndarray = field(default_factory=lambda: np.empty(0))
    pixels: np.ndarray = field(default_factory=lambda: np.empty((0, 2)))


@dataclass(frozen=True, eq=False)
class MountFit:
    """
    Where a camera is.

    found: parameter -> value: pitch [rad] and height [m] of the mount, roll [rad], and pan [rad],
    by which the head was farther to the left than the profile has it; only what could be found.
    deviations: of those. mount: the camera with these. poses: (stands, 3) in map, of lines.
    sights; points: for each, pixels (n, 2) and whether they fit (n,). rms [pixels]: of those that
    do, across the line. why: parameter -> why it was left.
    """

    found: dict[str, float]
    deviations: dict[str, float]
    mount: CameraMount
    poses: np.ndarray
    sights: tuple[Sight, ...]
    points: tuple[tuple[np.ndarray, np.ndarray], ...]
    rms: float
    why: dict[str, str]


def camera_of(
    mount: CameraMount, head: Head, sight: Sight, values: Sequence[float] = (0, 0, 0, 0)
) -> CameraModel:
    """
    Return the camera as it looked, if the profile's mount and zeros are off by `values`.

    :param values: of PARAMETERS: added to pitch, height, roll and pan.
    """
    pitch, height, roll, pan = values
    x, y, z = mount.position
    camera = CameraModel.from_mount(
        replace(mount, pitch=mount.pitch + pitch, position=(x, y, z + height))
    )
    cos, sin = np.cos(roll), np.sin(roll)
    rolled = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]]) @ camera.rotation
    return replace(camera, rotation=rolled).turned(head, sight.pan + pan, sight.tilt)


def fit_places(
    sights: Sequence[Sight], mount: CameraMount, head: Head, partial: bool = False
) -> MountFit:
    """
    Find the mount by pixels of known places.

    :param partial: leave what the places do not tell as it was, instead of refusing.
    :raises CalibrationError: saying what they lack.
    """
    sights = [sight for sight in sights if len(sight.pixels)]
    count = sum(len(sight.pixels) for sight in sights)
    if count < PLACES:
        raise CalibrationError(
            f'{count} known places are too few: {PLACES} are needed, some near, some far, some to '
            'the left and some to the right'
        )
    scales = [_place_scale(camera_of(mount, head, sight), sight) for sight in sights]

    def residuals(values: np.ndarray) -> np.ndarray:
        rows = []
        for sight, scale in zip(sights, scales):
            camera = camera_of(mount, head, sight, values)
            points = np.column_stack([sight.places, sight.heights])
            pixels, _ = camera.project(points)
            away = np.nan_to_num(sight.pixels - pixels, nan=1e3)
            rows.append(np.einsum('nij,nj->ni', scale, away).ravel())
        return np.concatenate(rows)

    clusters = np.repeat(np.arange(count), 2)
    rough = _minimise(residuals, clusters, np.zeros(4), [0, 1, 3], 4).parameters
    _require_agreement(residuals(rough), sights)
    fit, free = _fit_free(residuals, clusters, range(4), np.zeros(4), (), mount, partial, True)
    ratios = _require_agreement(residuals(fit.parameters[:4]), sights)
    ends = np.cumsum([len(sight.pixels) for sight in sights])[:-1]
    points = [
        (sight.pixels, good) for sight, good in zip(sights, np.split(ratios < DISAGREES, ends))
    ]
    away = [
        np.linalg.norm(
            sight.pixels
            - camera_of(mount, head, sight, fit.parameters[:4]).project(
                np.column_stack([sight.places, sight.heights])
            )[0],
            axis=1,
        )
        for sight in sights
    ]
    rms = float(np.sqrt((np.concatenate(away) ** 2).mean()))
    return _result(fit, free, mount, np.empty((0, 3)), sights, points, rms, {})


def _require_agreement(residuals: np.ndarray, sights: Sequence[Sight]) -> np.ndarray:
    """
    Return how far each place (n,) is from where it is seen, in deviations.

    :raises CalibrationError: if that is too far.
    """
    ratios = np.linalg.norm(residuals.reshape(-1, 2), axis=1)
    names = [sight.name for sight in sights for _ in sight.pixels]
    wrong = [name for name, ratio in zip(names, ratios) if ratio > DISAGREES]
    if wrong:
        raise CalibrationError(
            f'the known places do not fit each other: up to {ratios.max():.0f} standard '
            f'deviations ({100 * PLACE:.0f} cm on the ground), worst in {", ".join(wrong[:5])}; '
            'measure from between the feet (base_link), x ahead, y to the left'
        )
    return ratios


def _place_scale(camera: CameraModel, sight: Sight) -> np.ndarray:
    """Return (n, 2, 2), which turn errors of pixels into standard deviations."""
    points = np.column_stack([sight.places, sight.heights])
    middle, _ = camera.project(points)
    slopes = [
        (camera.project(points + step)[0] - middle) / 0.01
        for step in (np.array([0.01, 0, 0]), np.array([0, 0.01, 0]))
    ]
    slope = np.nan_to_num(np.stack(slopes, axis=-1))
    covariance = PIXEL**2 * np.eye(2) + PLACE**2 * slope @ slope.swapaxes(1, 2)
    return np.linalg.inv(np.linalg.cholesky(covariance))


def fit_line_views(
    sights: Sequence[Sight],
    mount: CameraMount,
    head: Head,
    lines: LineMap,
    poses: dict[int, Sequence[float]] | None = None,
    partial: bool = False,
) -> MountFit:
    """
    Find the mount by the lines of a field.

    :param poses: stand -> (3,) x, y [m], yaw [rad] in map, where it was measured: tells the pan's
        zero, too. Where it was not, the place is found by the lines.
    :param partial: leave what the lines do not tell as it was, instead of refusing.
    :raises CalibrationError: saying what they lack.
    """
    poses = poses or {}
    scene = _Scene(sights, mount, head, lines, poses)
    total = sum(len(pixels) for pixels in scene.pixels)
    if total < POINTS or len(scene.sights) < VIEWS:
        raise CalibrationError(
            f'{total} points of lines in {len(scene.sights)} of {len(sights)} pictures are too '
            f'few: {POINTS} in {VIEWS} are needed; stand where lines are within '
            f'{FARTHEST:g} m, and turn the head'
        )
    best = scene.search()
    scene.require_lines(best)
    known = set(poses) == set(scene.stands)
    free = range(4) if known else range(3)
    scene.gate(best, GATES[-1])
    prior = [(4 + 3 * scene.stands.index(stand), poses[stand]) for stand in poses]
    fit, free = _fit_free(scene.residuals, scene.clusters, free, best, prior, mount, partial)
    scene.gate(fit.parameters, GATES[-1])
    rms = scene.require_lines(fit.parameters)
    why = (
        {}
        if known
        else {'pan': 'left as it was: where the robot stands was not measured (--pose)'}
    )
    points = [(pixels, good) for pixels, good in zip(scene.pixels, scene.good(fit.parameters))]
    return _result(
        fit, free, mount, fit.parameters[4:].reshape(-1, 3), scene.sights, points, rms, why
    )


class _Scene:
    """Points of lines in sights, and how far they are from the lines for a mount and poses."""

    def __init__(self, sights, mount, head, lines: LineMap, poses) -> None:
        self.mount, self.head, self.lines, self.poses = mount, head, lines, poses
        self.sights, self.pixels, stands = [], [], []
        for sight in sights:
            camera = camera_of(mount, head, sight)
            found = LineFinder(camera, lines.field.line_width).find(sight.bgr)
            near = np.hypot(*(found.places - camera.position[:2]).T) < FARTHEST
            pixels = found.pixels[near]
            if len(pixels) < 8:
                continue
            if len(pixels) > MOST:
                pixels = pixels[np.linspace(0, len(pixels) - 1, MOST).astype(int)]
            self.sights.append(sight)
            self.pixels.append(pixels)
            stands.append(sight.stand)
        self.stands = sorted(set(stands))
        self.rows = [self.stands.index(stand) for stand in stands]
        self._kept = [np.ones(len(pixels), bool) for pixels in self.pixels]

    @property
    def clusters(self) -> np.ndarray:
        """The sight (n,) of each residual; of a pose that was measured, one of its own."""
        own = [np.full(kept.sum(), index) for index, kept in enumerate(self._kept)]
        return np.concatenate(own)

    def distances(self, theta: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return for each sight the distances (n,) from lines [m], and their deviations (n,)."""
        places, seen, deviations, directions, points = [], [], [], [], []
        for sight, pixels, row in zip(self.sights, self.pixels, self.rows):
            camera = camera_of(self.mount, self.head, sight, theta[:4])
            pose = theta[4 + 3 * row : 7 + 3 * row]
            place = camera.ray_to_plane(pixels, 0.0)
            meets = np.isfinite(place).all(axis=1)
            place[~meets] = 0.0
            away = place - camera.position[:2]
            far = np.hypot(*away.T).clip(0.05)
            slant = np.hypot(far, camera.position[2])
            pixel = PIXEL / np.mean(camera.focal)
            deviations.append(pixel * np.stack([slant**2 / camera.position[2], slant]))
            directions.append(world.rotate(away / far[:, None], pose[2]))
            points.append(world.from_frame(place, pose))
            places.append(len(place))
            seen.append(meets)
        distance, normal = self.lines.nearest(np.concatenate(points))
        # A pixel is worth more along the view than across it.
        along = np.einsum('ni,ni->n', np.concatenate(directions), normal) ** 2
        deep, wide = np.concatenate(deviations, axis=1)
        deviation = np.hypot(np.sqrt(along * deep**2 + (1 - along) * wide**2), ROUGH)
        distance = np.where(np.concatenate(seen), distance, 1.0)
        ends = np.cumsum(places)[:-1]
        return list(zip(np.split(distance, ends), np.split(deviation, ends)))

    def residuals(self, theta: np.ndarray) -> np.ndarray:
        """Return distances in deviations of the points that are kept (n,)."""
        return np.concatenate(
            [
                (distance / deviation)[kept]
                for (distance, deviation), kept in zip(self.distances(theta), self._kept)
            ]
        )

    def gate(self, theta: np.ndarray, gate: float) -> None:
        """Keep the points that are on a line, with a margin [m]."""
        self._kept = [
            np.abs(distance) < np.minimum(gate, 0.03 + 4 * deviation)
            if gate < GATES[0]
            else np.abs(distance) < gate
            for distance, deviation in self.distances(theta)
        ]

    def good(self, theta: np.ndarray) -> list[np.ndarray]:
        """Tell for each sight which points (n,) fit."""
        return [
            np.abs(distance) < np.minimum(GATES[-1], 0.01 + 3 * deviation)
            for distance, deviation in self.distances(theta)
        ]

    def quality(self, theta: np.ndarray) -> tuple[float, float, float]:
        """Return the share of points that fit, their median distance [m], and rms [pixels]."""
        distance = np.concatenate([one for one, _ in self.distances(theta)])
        deviation = np.concatenate([one for _, one in self.distances(theta)])
        good = np.concatenate(self.good(theta))
        if not good.any():
            return 0.0, float('inf'), float('inf')
        ratio = distance[good] / deviation[good]
        return (
            float(good.mean()),
            float(np.median(np.abs(distance[good]))),
            float(PIXEL * np.sqrt((ratio**2).mean())),
        )

    def require_lines(self, theta: np.ndarray) -> float:
        """
        Return the rms [pixels] of what lies on lines.

        :raises CalibrationError: if too little does, or badly.
        """
        share, away, rms = self.quality(theta)
        if share < SHARE or away > AWAY or rms > ROUGHEST:
            raise CalibrationError(
                f'what looks like lines does not lie on the lines of {self.lines.field.name}: '
                f'{share:.0%} of the points do ({SHARE:.0%} are needed), with a residual of '
                f'{rms:.2f} pixels (at most {ROUGHEST:g}); is it that field, does the robot stand '
                'where it was told, did it stand still, is the lens calibrated (guda calibrate '
                'camera)?'
            )
        return rms

    def search(self) -> np.ndarray:
        """
        Return mount and poses (4 + 3 stands,) near which everything fits.

        :raises CalibrationError: if two places fit as well and tell another mount.
        """
        found = []
        for row, stand in enumerate(self.stands):
            alone = _Part(self, row)
            if stand in self.poses:
                starts = np.array([self.poses[stand]], dtype=float)
            else:
                starts = alone.starts()
            first = sorted((alone.settle(start, GATES[:1]) for start in starts), key=_loss)
            fits = sorted((alone.settle(theta[4:]) for _, theta in first[:_CLOSE]), key=_loss)
            loss, theta = fits[0]
            for other_loss, other in fits[1:]:
                apart = _apart(theta[4:], other[4:])
                unlike = np.abs(theta[:2] - other[:2]) > (0.015, 0.02)
                if other_loss < AS_GOOD * loss and apart > 0.3 and unlike.any():
                    raise CalibrationError(
                        'the lines fit from two places on the field: measure where the robot '
                        'stands (--pose), or stand where more lines are in view'
                    )
            found.append(theta)
        mounts = np.array([theta[:4] for theta in found])
        theta = np.concatenate([np.median(mounts, axis=0), *(one[4:] for one in found)])
        for gate in GATES[1:]:
            self.gate(theta, gate)
            theta = _minimise(
                self.residuals, self.clusters, theta, [0, 1, 2], len(theta)
            ).parameters
        return theta


def _loss(fit: tuple[float, np.ndarray]) -> float:
    return fit[0]


def _apart(pose: np.ndarray, other: np.ndarray) -> float:
    """Return how far two poses are from each other [m], or mirror images of each other."""
    return float(min(np.hypot(*(pose - one)[:2]) for one in (np.asarray(other), mirrored(other))))


class _Part(_Scene):
    """What was seen from one stand."""

    def __init__(self, scene: _Scene, row: int) -> None:
        self.mount, self.head, self.lines, self.poses = (
            scene.mount,
            scene.head,
            scene.lines,
            scene.poses,
        )
        chosen = [index for index, one in enumerate(scene.rows) if one == row]
        self.sights = [scene.sights[index] for index in chosen]
        step = max(1, sum(len(scene.pixels[index]) for index in chosen) // _SEARCHED)
        self.pixels = [scene.pixels[index][::step] for index in chosen]
        self.stands, self.rows = [scene.stands[row]], [0] * len(chosen)
        self._kept = [np.ones(len(pixels), bool) for pixels in self.pixels]

    def starts(self) -> np.ndarray:
        """Return poses (k, 3) from which the points lie best on lines, for several pitches."""
        found = []
        for pitch in (-0.05, 0.0, 0.05):
            places = np.concatenate(
                [
                    camera_of(self.mount, self.head, sight, (pitch, 0, 0, 0)).ray_to_plane(
                        pixels, 0.0
                    )
                    for sight, pixels in zip(self.sights, self.pixels)
                ]
            )
            places = places[np.isfinite(places).all(axis=1)]
            places = places[np.hypot(*places.T) < FARTHEST]
            if len(places) < 20:
                continue
            places = places[np.linspace(0, len(places) - 1, min(len(places), 150)).astype(int)]
            for pose in search_poses(self.lines, places, 4):
                if all(_apart(pose, other) > 0.25 for other in found):
                    found.append(pose)
        if not found:
            raise CalibrationError(
                'no lines near the robot: stand where lines are within reach of its camera'
            )
        return np.array(found)

    def settle(
        self, start: np.ndarray, gates: Sequence[float] = GATES
    ) -> tuple[float, np.ndarray]:
        """Return the loss of the best fit near a pose, and mount and pose (7,)."""
        theta = np.concatenate([np.zeros(4), start])
        for gate in gates:
            self.gate(theta, gate)
            if sum(kept.sum() for kept in self._kept) < 20:
                return float('inf'), theta
            theta = _minimise(self.residuals, self.clusters, theta, [0, 1, 2], 7, 8).parameters
        self.gate(theta, np.inf)
        distance = np.concatenate([one for one, _ in self.distances(theta)])
        return float(np.minimum(np.abs(distance), GATES[1]).mean()), theta


def _minimise(residuals, clusters, start, free: Sequence[int], size: int, rounds=40) -> Fit:
    """Minimise over the mount's parameters `free` and all poses; the others stay."""
    lower, upper = np.full(size, -50.0), np.full(size, 50.0)
    lower[:4], upper[:4] = -np.array(REACH), REACH
    for index in set(range(4)) - set(free):
        lower[index] = upper[index] = start[index]
    moving = np.flatnonzero(lower < upper)

    def of_moving(values: np.ndarray) -> np.ndarray:
        theta = np.array(start, dtype=float)
        theta[moving] = values
        return residuals(theta)

    fit = minimise(
        of_moving, np.asarray(start)[moving], lower[moving], upper[moving], clusters, rounds
    )
    theta, covariance = np.array(start, dtype=float), np.zeros((size, size))
    theta[moving] = fit.parameters
    covariance[np.ix_(moving, moving)] = fit.covariance
    held = np.zeros(size, bool)
    held[moving] = fit.on_bound
    return Fit(theta, covariance, fit.residuals, held)


def _fit_free(
    residuals,
    clusters: np.ndarray,
    free: Sequence[int],
    start: np.ndarray,
    prior: Sequence[tuple[int, Sequence[float]]],
    mount: CameraMount,
    partial: bool,
    measured: bool = False,
) -> tuple[Fit, list[int]]:
    """
    Return the fit, and which parameters of the mount it tells well enough.

    :param measured: the residuals' deviations are known, and no guess.
    :param start: mount and poses. :param prior: places there, and poses that were measured.
    :raises CalibrationError: if one is not told, unless `partial`.
    """
    free, size = list(free), len(start)
    own = clusters.max(initial=0) + 1 + np.arange(4 + 3 * len(prior))
    clusters = np.concatenate([clusters, own])

    def all_residuals(theta: np.ndarray) -> np.ndarray:
        # Within reach of what the profile has: what nothing tells is known no better.
        rows = [residuals(theta), theta[:4] / REACH]
        for place, pose in prior:
            away = theta[place : place + 3] - pose
            away[2] = world.wrap_angle(away[2])
            rows.append(away / POSE)
        return np.concatenate(rows)

    while True:
        fit = _minimise(all_residuals, clusters, start, free, size)
        if measured:
            # Few places say little of their errors: those that were told count then.
            spread = (fit.residuals**2).sum() / max(len(fit.residuals) - len(free), 1)
            fit = replace(fit, covariance=fit.covariance / max(min(spread, 1.0), 1e-9))
        deviations = _honest(fit, prior, mount)
        loose = [
            index for index in free if fit.on_bound[index] or not deviations[index] < LIMITS[index]
        ]
        if not loose:
            return Fit(fit.parameters, np.diag(deviations**2), fit.residuals, fit.on_bound), free
        if 2 in loose:
            # It serves to tell that there is none.
            free, start = [index for index in free if index != 2], start.copy()
            start[2] = 0.0
            continue
        told = ', '.join(
            f'{PARAMETERS[index]} (off by more than {REACH[index]:g})'
            if fit.on_bound[index]
            else f'{PARAMETERS[index]} (+- {deviations[index]:.2g} {"m" if index == 1 else "rad"})'
            for index in loose
        )
        # A height that is not told spoils the pitch, too.
        left = [1] if 1 in loose else loose
        if not partial or len(left) == len(free):
            raise CalibrationError(
                f'what is seen does not tell {told}: let the head look at what is near and far, '
                'to the left and to the right; --partial leaves what is not told as it was'
            )
        free, start = [index for index in free if index not in left], start.copy()
        start[left] = 0.0


def _honest(fit: Fit, prior, mount: CameraMount) -> np.ndarray:
    """Return deviations that are no smaller than what all that was seen has in common."""
    deviations = np.sqrt(np.maximum(np.diag(fit.covariance), 0.0))
    pixel = SHARED * PIXEL / mount.focal
    floors = [pixel, SHARED_HEIGHT * mount.position[2], pixel, pixel]
    if prior:
        floors[3] = np.hypot(pixel, POSE[2] / np.sqrt(len(prior)))
    deviations[:4] = np.hypot(deviations[:4], floors)
    return deviations


def _result(fit, free, mount, poses, sights, points, rms, why) -> MountFit:
    values, deviations = fit.parameters[:4], np.sqrt(np.diag(fit.covariance))[:4]
    if 2 in free and abs(values[2]) - 2 * deviations[2] > ROLL:
        raise CalibrationError(
            f'the camera is rolled by {np.degrees(values[2]):.1f} +- '
            f'{np.degrees(deviations[2]):.1f} degrees, which a profile does not describe: mount '
            'it straight, or let the robot stand upright'
        )
    x, y, z = mount.position
    pitch, height = (values[index] if index in free else 0.0 for index in (0, 1))
    found = {
        'pitch': mount.pitch + pitch,
        'height': z + height,
        'roll': values[2],
        'pan': values[3],
    }
    kept = [PARAMETERS[index] for index in free]
    why = dict(why)
    for name in PARAMETERS:
        if name not in kept and name not in why:
            why[name] = 'left as it was: too uncertain'
    return MountFit(
        {name: float(found[name]) for name in kept},
        {name: float(deviations[PARAMETERS.index(name)]) for name in kept},
        replace(mount, pitch=float(mount.pitch + pitch), position=(x, y, float(z + height))),
        poses,
        tuple(sights),
        tuple(points),
        rms,
        why,
    )
