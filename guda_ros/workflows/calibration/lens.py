"""Calibrate the lens of a robot's camera by a board."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
import os
from pathlib import Path

import numpy as np
import yaml

from guda_ros.arguments import as_folder, as_path, if_given
from guda_ros.errors import GudaError, naming_extras
from guda_ros.identification.cameras.boards import Board
from guda_ros.identification.cameras.intrinsics import (
    COEFFICIENTS,
    COVERAGE,
    coverage,
    fit_lens,
    LensFit,
    VIEWS,
)
from guda_ros.identification.cameras.pictures import lens_picture
from guda_ros.identification.cameras.views import Collection
from guda_ros.identification.identify import Result
from guda_ros.soccer.robot import CameraMount, RobotProfile
from guda_ros.workflows.calibration.profiles import (
    Calibration,
    camera_of,
    Change,
    refuse_files,
    require_suffix,
    told,
    write_bytes,
    write_picture,
    write_profile,
)
from guda_ros.workflows.perception.pictures import is_film, read_pictures
from guda_ros.workflows.progress import Say, silent

#: Lenses that can be fitted: with k3 if it is there, without it, with it.
LENSES = {'wide': True, 'usual': False}
#: Of pictures that follow each other in time one of so many is looked at.
_STRIDE = 4
#: Live, so many views are enough.
ENOUGH = 25


@naming_extras()
def calibrate_camera(
    path: str | os.PathLike[str] | None = None,
    base: str | os.PathLike[str] = 'nao_v6',
    *,
    camera: str = 'camera',
    board: Board | None = None,
    lens: str = 'wide',
    topic: str = '',
    live: str = '',
    domain: int | None = None,
    network: bool = False,
    seconds: float = 180.0,
    enough: int = ENOUGH,
    keep: str | os.PathLike[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    camera_info: str | os.PathLike[str] | None = None,
    plot: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    say: Say = silent,
) -> Calibration:
    """
    Find focal length, principal point and distortion, as `guda calibrate camera` does.

        found = guda_ros.calibrate_camera('pictures/board', 'my_robot.yaml', out='calibrated.yaml')
        print({name: (one.value, one.deviation) for name, one in found.results.items()})

    :param path: a folder of pictures, a video or a bag in which a board is held before the camera.
    :param base: robot profile. :param camera: `camera` for its first, or a camera's name.
    :param board: as it was printed; by default that of calibrate_board.
    :param lens: wide (all five coefficients) or usual (k3 is taken for 0).
    :param topic: of a bag's images. :param live: instead of `path` a topic to hear, in `domain`
        (by default ROS_DOMAIN_ID or 0), for at most `seconds` or until there are `enough` views;
        network: on other computers, too.
    :param keep: folder for the pictures that were taken live.
    :param out: profile to write (.yaml). :param plot: picture to write.
    :param camera_info: file to write for the camera's driver (camera_info_manager).
    :raises GudaError: if the pictures do not tell the lens, saying why, or a file is there.
    """
    out, info, plot = (
        if_given(as_path, value, name)
        for value, name in ((out, 'out'), (camera_info, 'camera_info'), (plot, 'plot'))
    )
    keep = if_given(as_folder, keep, 'keep')
    require_suffix(out, ('.yaml', '.yml'), 'a profile')
    require_suffix(info, ('.yaml', '.yml'), 'a camera_info file')
    refuse_files((out, info, plot), overwrite)
    if lens not in LENSES:
        raise GudaError(f'no lens is called {lens!r}; there are {", ".join(LENSES)}')
    robot = RobotProfile.load(base)
    if bool(live) == (path is not None):
        raise GudaError('give pictures, a video or a bag of a board, or a topic to hear live')
    key, mount = camera_of(robot, camera)
    collection = Collection(board or Board())
    if live:
        _hear(live, collection, mount, domain, network, seconds, enough, keep, say)
    else:
        _read(as_path(path), topic, collection, mount, say)
    say(collection.told())
    fit = fit_lens(collection, LENSES[lens])
    found = _calibration(fit, key, mount)
    if plot:
        notes = [
            f'{base}, {key}: {len(fit.views)} views, residual {fit.rms:.2f} pixels (rms)',
            *told(found.results),
        ]
        write_picture(plot, lens_picture(fit, notes))
    if info:
        write_bytes(info, camera_info_text(fit, key).encode())
    if out:
        changes = [
            Change(f'{key}.vertical_fov', fit.vertical_fov),
            Change(f'{key}.principal_point', [float(value) for value in fit.centre]),
            Change(f'{key}.distortion', [float(value) for value in fit.distortion]),
        ]
        source = f'guda calibrate camera: {key}, {collection.board}, {len(fit.views)} views'
        write_profile(out, base, changes, found, f'{source}, residual {fit.rms:.2f} pixels')
    return found


def _read(path: Path, topic: str, collection: Collection, mount: CameraMount, say: Say) -> None:
    stride = _STRIDE if is_film(path) else 1
    for number, (name, bgr) in enumerate(read_pictures(path, topic)):
        if number % stride:
            continue
        _require_size(bgr, mount, str(path))
        why = collection.add(name, bgr)
        if stride == 1:
            say(f'{name}: {why or "taken"}')
        elif not why:
            say(f'{name}: view {len(collection.views)}')


def _require_size(bgr: np.ndarray, mount: CameraMount, source: str) -> None:
    size = (bgr.shape[1], bgr.shape[0])
    if size != (mount.width, mount.height):
        raise GudaError(
            f'{source}: pictures of {size[0]}x{size[1]} are not those of a camera of '
            f'{mount.width}x{mount.height}: calibrate at the resolution that is used, or put '
            'width and height of the pictures into the profile'
        )


def _hear(
    topic: str,
    collection: Collection,
    mount: CameraMount,
    domain: int | None,
    network: bool,
    seconds: float,
    enough: int,
    keep: Path | None,
    say: Say,
) -> None:
    """Take views of what a camera sends now, until there are enough, or Ctrl-C."""
    from guda_ros.ros.image_stream import hear_images

    images = hear_images(topic, domain, local=not network, seconds=seconds)
    say(f'hold the board before the camera, still for a moment, {enough} times: near and far,')
    say('in the middle and in all corners, tilted to all sides; Ctrl-C when it is enough')
    try:
        for name, bgr in _named(images):
            _require_size(bgr, mount, topic)
            if collection.add(name, bgr):
                continue
            if keep:
                keep.mkdir(parents=True, exist_ok=True)
                write_picture(keep / f'{name}.png', bgr)
            cells = coverage(collection.size, collection.views)
            say(f'view {len(collection.views)}, corners in {cells.mean():.0%} of the picture')
            if len(collection.views) >= enough and cells.mean() > COVERAGE:
                break
    except KeyboardInterrupt:
        if len(collection.views) < VIEWS:
            raise
    finally:
        images.close()


def _named(images: Iterator[np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    for number, bgr in enumerate(images):
        yield f'view_{number:05}', bgr


def _calibration(fit: LensFit, key: str, mount: CameraMount) -> Calibration:
    deviations = fit.deviations
    rows = [
        ('vertical_fov', 'rad', mount.vertical_fov, fit.vertical_fov, fit.fov_deviation),
        *(
            (f'principal_point.{axis}', 'pixels', before, value, deviation)
            for axis, before, value, deviation in zip(
                ('column', 'row'), mount.centre, fit.centre, deviations[1:3]
            )
        ),
        *(
            (f'distortion.{name}', '', before, value, deviation)
            for name, before, value, deviation in zip(
                COEFFICIENTS, mount.distortion, fit.distortion, deviations[3:]
            )
        ),
    ]
    note = f'{len(fit.views)} views'
    results = {
        f'{key}.{name}': Result(
            f'{key}.{name}', unit, before, float(value), float(deviation), f'{key}.{name}', note
        )
        for name, unit, before, value, deviation in rows
        if fit.wide or not name.endswith('k3')
    }
    missing = {} if fit.wide else {f'{key}.distortion.k3': 'taken for 0'}
    notes = [f'focal length {fit.focal:.2f} +- {deviations[0]:.2f} pixels']
    if fit.left_out:
        notes.append(f'did not fit, and left out: {", ".join(fit.left_out)}')
    bulge, deviation = fit.bulge
    notes.append(
        f'the board is flat to {1000 * abs(bulge):.2f} +- {1000 * deviation:.2f} mm in its middle'
    )
    mount = replace(
        mount,
        vertical_fov=fit.vertical_fov,
        principal_point=tuple(float(value) for value in fit.centre),
        distortion=tuple(float(value) for value in fit.distortion),
    )
    return Calibration(results, missing, fit.rms, mount, tuple(notes))


def camera_info_text(fit: LensFit, name: str) -> str:
    """Return the calibration as camera_info_manager reads it (camera_calibration_parsers)."""
    matrix = fit.matrix
    projection = np.column_stack([matrix, np.zeros(3)])

    def array(values: np.ndarray) -> dict:
        rows, columns = values.shape
        return {'rows': rows, 'cols': columns, 'data': [float(v) for v in values.ravel()]}

    return yaml.safe_dump(
        {
            'image_width': fit.size[0],
            'image_height': fit.size[1],
            'camera_name': name,
            'camera_matrix': array(matrix),
            'distortion_model': 'plumb_bob',
            'distortion_coefficients': array(fit.distortion[None]),
            'rectification_matrix': array(np.eye(3)),
            'projection_matrix': array(projection),
        },
        sort_keys=False,
        default_flow_style=None,
    )
