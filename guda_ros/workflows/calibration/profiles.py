"""Which camera of a robot profile is calibrated, and the profile with what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
import os
from pathlib import Path
import tempfile

import cv2
import numpy as np

from guda_ros.config.files import find_config
from guda_ros.config.text import with_entry, with_item, with_values
from guda_ros.data.files import atomic_target, refuse_existing
from guda_ros.errors import GudaError
from guda_ros.identification.identify import Result
from guda_ros.soccer.robot import CameraMount, LOWER, RobotProfile
from guda_ros.soccer.wheels import spelled_out


@dataclass(frozen=True, eq=False)
class Calibration:
    """
    What a calibration found.

    results: by name, with standard deviations. missing: name -> why it is left as it was. rms:
    root mean square of the residuals [pixels]. notes: sentences. mount: the camera as it is now.
    """

    results: dict[str, Result]
    missing: dict[str, str]
    rms: float
    mount: CameraMount
    notes: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Change:
    """A value for a key of the profile, which is a list's place if it ends in a number."""

    key: str
    value: object


def camera_of(robot: RobotProfile, name: str) -> tuple[str, CameraMount]:
    """
    Return the key of a profile under which a camera stands, and the camera.

    :param name: `camera` for the first, `lower_camera`, or a name of `cameras`.
    :raises GudaError: if there is none of that name.
    """
    sections = robot.camera_sections()
    if name == 'camera':
        return sections[0]
    for key, mount in sections:
        if name in (key, key.removeprefix('cameras.')) or (name, key) == (LOWER, 'lower_camera'):
            return key, mount
    known = ', '.join(key.removeprefix('cameras.') for key, _ in sections)
    raise GudaError(f'{robot.name} has no camera {name!r}; there is {known}')


def write_profile(
    out: Path,
    base: str | os.PathLike[str],
    changes: Sequence[Change],
    found: Calibration,
    source: str,
) -> None:
    """
    Write a profile: the base's text with other values, their deviations and whence they come.

    :raises GudaError: if the profile could not be read with these values.
    """
    path = find_config('robots', base)
    text = spelled_out(path.read_text(encoding='utf-8'), path)
    values = {'name': out.stem, **{change.key: change.value for change in changes}}
    text = with_values(text, values, str(path))
    text = with_item(text, 'sources', f'{source}, {date.today()}', str(path))
    for result in found.results.values():
        if result.key:
            text = with_entry(
                text,
                'uncertainty',
                result.name,
                result.deviation,
                'standard deviations, found by calibration',
                str(path),
            )
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / out.name
        trial.write_text(text, encoding='utf-8')
        RobotProfile.load(trial)
    write_bytes(out, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, all of it or nothing."""
    with atomic_target(path) as target:
        target.write_bytes(content)


def write_picture(path: Path, bgr: np.ndarray) -> None:
    """Write a picture in the form that its name says; GudaError if OpenCV knows none."""
    try:
        _, content = cv2.imencode(path.suffix or '.png', bgr)
    except cv2.error as error:
        raise GudaError(f'{path}: OpenCV writes no such pictures; .png or .jpg is expected') from (
            error
        )
    write_bytes(path, content.tobytes())


def refuse_files(paths: Sequence[Path | None], overwrite: bool) -> None:
    """Raise GudaError if one of those that are given is there and may not be replaced."""
    for path in filter(None, paths):
        refuse_existing(path, overwrite)


def require_suffix(path: Path | None, suffixes: Sequence[str], what: str) -> None:
    """Raise GudaError unless a path that is given ends in one of the suffixes."""
    if path is not None and path.suffix.lower() not in suffixes:
        raise GudaError(f'{path}: {what} ends in {" or ".join(suffixes)}')


def told(results: dict[str, Result]) -> list[str]:
    """Return lines of text: each value before and after, and its deviation."""
    return [
        f'{one.name}: {one.before:.5g} -> {one.value:.5g} +- {one.deviation:.2g} {one.unit}'
        for one in results.values()
    ]
