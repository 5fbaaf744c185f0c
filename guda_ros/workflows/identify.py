"""Fit a robot profile, and the ball of a field, to a recorded drive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
import os
from pathlib import Path
import tempfile
from typing import TYPE_CHECKING

import yaml

from guda_ros.arguments import as_path, as_paths, if_given
from guda_ros.config.files import find_config
from guda_ros.config.text import with_entry, with_item, with_values
from guda_ros.data.contract import require_limits
from guda_ros.data.exchange.nao_logs import read_nao_logs
from guda_ros.data.files import atomic_target, refuse_existing
from guda_ros.data.recording.reader import list_recordings, METADATA_FILE
from guda_ros.errors import GudaError, naming_extras
from guda_ros.identification.drives import read_drive
from guda_ros.identification.identify import Identification
from guda_ros.identification.identify import identify as find_all
from guda_ros.identification.nao_findings import find as find_in_logs
from guda_ros.identification.walk_fit import AXES
from guda_ros.soccer.field import Ball, Field
from guda_ros.soccer.robot import RobotProfile
from guda_ros.soccer.wheels import spelled_out

if TYPE_CHECKING:
    from guda_ros.identification.nao_findings import NaoFindings


@naming_extras()
def identify(
    recordings: str | os.PathLike | Iterable[str | os.PathLike],
    base: str | os.PathLike = 'nao_v6',
    *,
    out: str | os.PathLike | None = None,
    field_out: str | os.PathLike | None = None,
    plot: str | os.PathLike | None = None,
    field: str | os.PathLike | None = None,
    tape: Mapping[str, float] | None = None,
    partial: bool = False,
    overwrite: bool = False,
) -> Identification:
    """
    Find walk response, delay, odometry scale and ball friction, as `guda identify` does.

        found = guda_ros.identify('runs/mine/drive', 'nao_v6', out='my_nao.yaml')
        print({name: (one.value, one.deviation, one.unit) for name, one in found.results.items()})

    :param recordings: of a drive (docs/identification.md), or folders of them, one or several.
    :param base: profile to start from: name in config/robots, or a YAML file.
    :param out: profile to write (.yaml). :param plot: picture of the responses to write.
    :param field_out: field to write (.yaml) with the ball's deceleration, which belongs to ball
        and carpet.
    :param field: to start from, by default the recordings'.
    :param tape: measured length of the longest walks: forward, left [m], turn [rad].
    :param partial: keep the values of the base for what the drive does not tell.
    :raises GudaError: if the drive does not tell something, was made with other limits than those
        of the base, or a file is there and not `overwrite`.
    """
    out, field_out, plot = (
        if_given(as_path, path, name)
        for path, name in ((out, 'out'), (field_out, 'field_out'), (plot, 'plot'))
    )
    field_path = None if field is None else find_config('fields', field)
    start = None if field_path is None else Field.load(field_path)
    refuse_files((out, field_out, plot), overwrite)
    require_yaml((out, field_out))
    robot = RobotProfile.load(base)
    drives, contract = [], None
    for path in _recordings(recordings):
        drive, contract = read_drive(path)
        require_limits(contract, robot, str(base), f'the recording {path}', '--base')
        drives.append(drive)
    if field_out and field_path is None:
        field_path = find_config('fields', contract.field.name)
        start = Field.load(field_path)
    start = start or contract.field
    found = find_all(drives, robot, start, tape, partial)
    if field_out and 'ball.deceleration' not in found.results:
        raise GudaError(f'{field_out} is not written: {found.missing["ball.deceleration"]}')
    if out:
        path = find_config('robots', base)
        names = ', '.join(sorted({Path(drive.name).name for drive in drives}))
        text = profile_text(
            path.read_text(encoding='utf-8'),
            found,
            out.stem,
            f'guda identify, {date.today()}: {names}',
            path,
        )
        _write_checked(out, text, RobotProfile)
    if field_out:
        text = field_text(
            field_path.read_text(encoding='utf-8'),
            found,
            field_out.stem,
            start.ball,
            field_path,
        )
        _write_checked(field_out, text, Field)
    if plot:
        from guda_ros.identification.figure import response_png

        _write(plot, response_png(drives, found))
    return found


@naming_extras()
def identify_nao_logs(
    logs: Iterable[str | os.PathLike],
    plot: str | os.PathLike | None = None,
    *,
    overwrite: bool = False,
) -> NaoFindings:
    """
    Estimate response, steps and noise from logs of the physical NAO of the GuDA paper.

    :param logs: folders or tar files with such logs. :param plot: picture to write.
    :return: NaoFindings, see guda_ros.identification.nao_findings.
    """
    plot = if_given(as_path, plot, 'plot')
    refuse_files((plot,), overwrite)
    found = find_in_logs(read_nao_logs(as_paths(logs, 'logs')))
    if plot:
        from guda_ros.identification.nao_figure import nao_png

        _write(plot, nao_png(found))
    return found


def refuse_files(paths: Iterable[str | os.PathLike | None], overwrite: bool) -> None:
    """Raise GudaError if one of those that are given is there and may not be replaced."""
    for path in filter(None, paths):
        refuse_existing(path, overwrite)


def require_yaml(paths: Iterable[str | os.PathLike | None]) -> None:
    """Raise GudaError if one of those that are given is no name of a YAML file."""
    for path in filter(None, paths):
        if Path(path).suffix not in ('.yaml', '.yml'):
            raise GudaError(f'{path}: a profile is a .yaml file')


def profile_text(
    base: str,
    found: Identification,
    name: str,
    source: str,
    path: str | os.PathLike = 'profile',
) -> str:
    """Return the text of a robot profile with what was found in it, and whence it comes."""
    base, values = spelled_out(base, path), {'name': name}
    for result in found.results.values():
        if result.key:
            key, _, last = result.key.rpartition('.')
            place = f'{key}.{AXES.index(last)}' if last in AXES else result.key
            values[place] = result.value
    text = with_item(with_values(base, values, path), 'sources', source, path)
    for result in found.results.values():
        text = with_entry(
            text,
            'uncertainty',
            result.name,
            result.deviation,
            'standard deviations, found by identification',
            path,
        )
    return text


def field_text(
    base: str, found: Identification, name: str, ball: Ball, path: str | os.PathLike = 'field'
) -> str:
    """Return the text of a field with the deceleration that was found for its ball."""
    result = found.results['ball.deceleration']
    values = {'name': name, 'ball.deceleration': result.value}
    if isinstance(yaml.safe_load(base).get('ball'), str):
        # A ball of a file of its own: how it rolls is a property of this carpet, too.
        values = {
            'name': name,
            'ball': {
                **{key: value for key, value in asdict(ball).items() if value is not None},
                'deceleration': result.value,
            },
        }
    head = (
        f'# ball.deceleration {result.value:.3f} +- {result.deviation:.3f} m/s^2 by guda '
        f'identify, {date.today()}, from {result.note}.\n'
    )
    return head + with_values(base, values, path)


def _write_checked(path: Path, text: str, kind) -> None:
    """Write a YAML file that `kind` can load; one that it cannot is not written."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / path.name
        trial.write_text(text, encoding='utf-8')
        kind.load(trial)
    _write(path, text.encode())


def _write(path: str | os.PathLike, content: bytes) -> None:
    with atomic_target(path) as target:
        target.write_bytes(content)


def _recordings(recordings) -> list[Path]:
    found = []
    for path in as_paths(recordings, 'recordings'):
        if path.is_dir() and not (path / METADATA_FILE).is_file():
            inside = list_recordings(path)
            if not inside:
                raise GudaError(f'{path}: holds no finished recording')
            found += inside
        else:
            found.append(path)
    if not found:
        raise GudaError('there is no recording to find anything in')
    return found
