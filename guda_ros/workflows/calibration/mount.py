"""Find where a camera sits on a robot, and the zeros of its head."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
import os
from pathlib import Path

import numpy as np

from guda_ros.arguments import as_path, as_paths, if_given
from guda_ros.config.files import find_config, load_yaml
from guda_ros.errors import GudaError, naming_extras
from guda_ros.identification.cameras.mount import (
    camera_of,
    fit_line_views,
    fit_places,
    MountFit,
    Sight,
)
from guda_ros.identification.cameras.pictures import mount_picture
from guda_ros.identification.identify import Result
from guda_ros.perception.ball_detector import BallDetector
from guda_ros.perception.ball_detectors import kind_of
from guda_ros.perception.ball_network import BallNetwork
from guda_ros.perception.camera import CameraModel
from guda_ros.soccer.field import Ball, Field
from guda_ros.soccer.field_lines import LineMap
from guda_ros.soccer.robot import CameraMount, RobotProfile
from guda_ros.workflows.calibration.profiles import (
    Calibration,
    Change,
    refuse_files,
    require_suffix,
    told,
    write_picture,
    write_profile,
)
from guda_ros.workflows.calibration.profiles import (
    camera_of as chosen_camera,
)
from guda_ros.workflows.calibration.sights import read_sights
from guda_ros.workflows.progress import Say, silent

#: Where a wrong tilt goes: into the camera's pitch, or into the zero of the head's joint.
TILT_INTO = ('camera', 'head')
#: A ball's radius is at most this many times larger or smaller than where it is told to lie.
_SIZES, _SCORE = 1.6, 0.5


@naming_extras()
def calibrate_mount(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    base: str | os.PathLike[str] = 'nao_v6',
    *,
    camera: str = 'camera',
    field: str | os.PathLike[str] = 'spl',
    poses: Sequence[Sequence[float]] | None = None,
    balls: Sequence[Sequence[float]] | None = None,
    ball: str | os.PathLike[str] | None = None,
    topic: str = '',
    joints: str = '',
    tilt_into: str = 'camera',
    partial: bool = False,
    out: str | os.PathLike[str] | None = None,
    plot: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    say: Say = silent,
) -> Calibration:
    """
    Find a camera's pitch and height and the head's zero, as `guda calibrate mount` does.

        found = guda_ros.calibrate_mount('bags/head_turns', 'calibrated.yaml', out='mounted.yaml')

    The robot stands, and its head looks at the lines of a field, or at a ball or points at known
    places; a bag tells images and joint states, a folder has `views.yaml` (docs/calibration.md).

    :param paths: bags or folders, one for each place where the robot stood.
    :param base: robot profile. :param camera: `camera` for its first, or a camera's name.
    :param field: whose lines are seen.
    :param poses: x, y [m], yaw [rad] in map for each path, where the robot was put; tells the zero
        of the pan, too.
    :param balls: x, y [m] in base_link for each path, where a ball lies; lines are not used then.
    :param ball: profile of the ball, by default the field's.
    :param topic: of a bag's images. :param joints: topic of its joint states.
    :param tilt_into: camera or head: what a wrong tilt is put down to.
    :param partial: leave what is not told as it was, instead of refusing.
    :param out: profile to write (.yaml). :param plot: picture to write.
    :raises GudaError: if the pictures do not tell the mount, saying why, or a file is there.
    """
    out, plot = (if_given(as_path, path, name) for path, name in ((out, 'out'), (plot, 'plot')))
    require_suffix(out, ('.yaml', '.yml'), 'a profile')
    refuse_files((out, plot), overwrite)
    if tilt_into not in TILT_INTO:
        raise GudaError(f'a tilt goes into {" or ".join(TILT_INTO)}, not {tilt_into!r}')
    robot, ground = RobotProfile.load(base), Field.load(field)
    kind = ground.ball if ball is None else Ball.load(ball)
    sources = as_paths(paths, 'paths')
    known_poses = _for_each(poses, sources, 3, 'pose')
    known_balls = _for_each(balls, sources, 2, 'ball')
    key, mount = chosen_camera(robot, camera)
    sights = read_sights(sources, robot, topic, joints)
    for sight in sights:
        _require_size(sight, mount)
    if known_balls:
        sights = [_with_ball(sight, known_balls[sight.stand]) for sight in sights]
    say(f'{len(sights)} pictures from {len(sources)} places')
    lines = None
    if any(len(sight.places) for sight in sights):
        found = [_placed(sight, mount, robot, kind, say) for sight in sights]
        fit = fit_places(found, mount, robot.head, partial)
    else:
        lines = LineMap(ground)
        fit = fit_line_views(
            sights, mount, robot.head, lines, dict(enumerate(known_poses or ())), partial
        )
    calibration, changes = _calibration(fit, key, mount, robot, tilt_into, base)
    if plot:
        notes = [
            f'{base}, {key}: residual {fit.rms:.2f} pixels (rms)',
            *told(calibration.results),
        ]
        write_picture(plot, mount_picture(fit, mount, robot.head, notes, lines))
    if out:
        by = f'lines of {ground.name}' if lines else 'known places'
        source = (
            f'guda calibrate mount: {key}, {by} in {len(fit.sights)} pictures, residual '
            f'{fit.rms:.2f} pixels'
        )
        write_profile(out, base, changes, calibration, source)
    return calibration


def _for_each(
    values: Sequence[Sequence[float]] | None, paths: Sequence[Path], size: int, what: str
) -> list[np.ndarray]:
    """Return what was told for each path; GudaError if it does not fit."""
    if not values:
        return []
    if len(values) != len(paths):
        raise GudaError(
            f'a {what} for each place is expected: {len(paths)}, not {len(values)} of them'
        )
    rows = [np.asarray(value, dtype=np.float64) for value in values]
    if any(row.shape != (size,) or not np.isfinite(row).all() for row in rows):
        raise GudaError(f'a {what} has {size} numbers')
    return rows


def _require_size(sight: Sight, mount: CameraMount) -> None:
    size = (sight.bgr.shape[1], sight.bgr.shape[0])
    if size != (mount.width, mount.height):
        raise GudaError(
            f'{sight.name}: pictures of {size[0]}x{size[1]} are not those of a camera of '
            f'{mount.width}x{mount.height}: another --base or --camera'
        )


def _with_ball(sight: Sight, place: np.ndarray) -> Sight:
    return replace(
        sight,
        places=np.vstack([sight.places, place]),
        heights=np.append(sight.heights, 0.0),
    )


def _placed(sight: Sight, mount: CameraMount, robot: RobotProfile, ball: Ball, say: Say) -> Sight:
    """Return a sight in which the pixel of its ball was found; without it if it was not."""
    if len(sight.places) == len(sight.pixels):
        return sight
    place = sight.places[-1]
    camera = camera_of(mount, robot.head, sight)
    pixel = find_ball(sight.bgr, camera, ball, place)
    if pixel is None:
        say(f'{sight.name}: no ball seen where one of radius {ball.radius:g} m is told to lie')
        return replace(sight, places=sight.places[:-1], heights=sight.heights[:-1])
    return replace(
        sight,
        pixels=np.vstack([sight.pixels, pixel]),
        heights=np.append(sight.heights[:-1], ball.radius),
    )


def find_ball(
    bgr: np.ndarray, camera: CameraModel, ball: Ball, place: np.ndarray
) -> np.ndarray | None:
    """
    Return where the centre (2,) of a ball is in a picture [pixels], None if it is not seen whole.

    :param place: (2,) in base_link [m]; only how large it is there counts.
    """
    centre = np.append(place, ball.radius)
    outline = camera.sphere_outline(centre, ball.radius)
    if kind_of(ball) == 'colour':
        seen = BallDetector(camera, ball).detect(bgr)
        found = [] if seen is None or seen.cut else [(seen.pixel, seen.radius)]
    else:
        found = [
            (find.centre, find.radius)
            for find in BallNetwork().find(bgr)
            if find.score >= _SCORE
            and (find.box[:2] > 1).all()
            and (find.box[2:] < [camera.width - 2, camera.height - 2]).all()
        ]
    expected = float(outline.half_size.mean())
    for pixel, radius in found:
        if expected / _SIZES < radius < expected * _SIZES:
            # The outline's centre is not the image of the ball's.
            return np.asarray(pixel) + camera.project(centre)[0] - outline.centre
    return None


def _calibration(
    fit: MountFit,
    key: str,
    mount: CameraMount,
    robot: RobotProfile,
    tilt_into: str,
    base: str | os.PathLike[str],
) -> tuple[Calibration, list[Change]]:
    """Return what was found, and what becomes of the profile."""
    joints = robot.head.joints
    results: dict[str, Result] = {}
    changes: list[Change] = []
    missing = dict(fit.why)
    note = f'{len(fit.sights)} pictures'
    offsets = list(joints.offsets)
    fitted = fit.mount

    def take(name: str, unit: str, before: float, value: float, which: str) -> None:
        results[name] = Result(name, unit, before, value, fit.deviations[which], name, note)

    if 'pitch' in fit.found and tilt_into == 'camera':
        take(f'{key}.pitch', 'rad', mount.pitch, fit.found['pitch'], 'pitch')
        changes.append(Change(f'{key}.pitch', fit.found['pitch']))
    elif 'pitch' in fit.found:
        # The angle is sign * (position - offset): the head tilts farther than it says.
        offsets[1] -= joints.signs[1] * (fit.found['pitch'] - mount.pitch)
        take('head.joints.offsets.tilt', 'rad', joints.offsets[1], offsets[1], 'pitch')
        fitted = replace(fitted, pitch=mount.pitch)
    if 'height' in fit.found:
        take(f'{key}.position.z', 'm', mount.position[2], fit.found['height'], 'height')
        changes.append(Change(f'{key}.position.2', fit.found['height']))
    if 'pan' in fit.found:
        offsets[0] -= joints.signs[0] * fit.found['pan']
        take('head.joints.offsets.pan', 'rad', joints.offsets[0], offsets[0], 'pan')
    if tuple(offsets) != joints.offsets:
        values = load_yaml(find_config('robots', base))
        if 'head' not in values:
            raise GudaError(f'{base} has no head whose zero could be another: --tilt-into camera')
        if 'joints' in values['head']:
            changes.append(Change('head.joints.offsets', offsets))
        else:
            changes.append(Change('head.joints', {'offsets': offsets}))
    notes = []
    if 'roll' in fit.found:
        roll, deviation = np.degrees([fit.found['roll'], fit.deviations['roll']])
        notes.append(f'roll {roll:+.2f} +- {deviation:.2f} degrees, which a profile does not have')
    if 'pitch' in fit.found:
        change = np.degrees(fit.found['pitch'] - mount.pitch)
        notes.append(
            f'the camera looks {abs(change):.2f} degrees farther {"down" if change > 0 else "up"}'
        )
    return Calibration(results, missing, fit.rms, fitted, tuple(notes)), changes
