"""
Fit a robot profile to a recorded drive: walk response, delay, odometry scale and ball friction.

Drive the protocol of docs/identification.md with a gamepad, or `guda record --drive` in the
simulator, and give the recordings. What the drive does not tell is refused, or left as it was with
--partial. The scale of the odometry needs an outside measure: ground truth, where it was recorded,
or the length of the longest walk by tape (--distance).
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import date
import math
from pathlib import Path
import tempfile

import yaml

from guda_ros.cli.common import refuse_existing
from guda_ros.errors import GudaError
from guda_ros.workflows.tables import print_table

HELP = 'fit a robot profile to a recorded drive'
EXAMPLE = (
    'guda identify runs/mine/drive --base nao_v6 --out my_nao.yaml\n'
    '  guda identify runs/mine/drive --distance forward=1.23 --distance turn=360 '
    '--out my_nao.yaml'
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument(
        'recordings',
        nargs='*',
        type=Path,
        metavar='RECORDING',
        help='recordings of a drive, or folders of them',
    )
    parser.add_argument(
        '--base',
        default='nao_v6',
        metavar='NAME',
        help='robot profile to start from, name or YAML file (default: %(default)s)',
    )
    parser.add_argument(
        '--out',
        type=Path,
        metavar='FILE.yaml',
        help='robot profile to write; without it the table is all',
    )
    parser.add_argument(
        '--field-out',
        type=Path,
        metavar='FILE.yaml',
        help="field to write with the ball's deceleration, which belongs to ball "
        'and carpet and not to the robot',
    )
    parser.add_argument(
        '--field', metavar='NAME', help="field to start from (default: the recording's)"
    )
    parser.add_argument(
        '--distance',
        action='append',
        default=[],
        metavar='AXIS=VALUE',
        help='measured length of the longest walk: forward=METRES, left=METRES or turn=DEGREES',
    )
    parser.add_argument(
        '--partial',
        action='store_true',
        help='keep the values of the base for what the drive does not tell',
    )
    parser.add_argument(
        '--plot',
        type=Path,
        metavar='FILE.png',
        help='picture of measured and fitted responses (default: beside --out)',
    )
    parser.add_argument(
        '--nao-logs',
        nargs='+',
        type=Path,
        metavar='FILE',
        help='instead: folders or tar files with logs of the physical NAO '
        'experiment, of which response, steps and noise are estimated',
    )
    parser.add_argument('--overwrite', action='store_true', help='replace existing files')


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    plot = args.plot or (args.out.with_suffix('.png') if args.out else None)
    for path in filter(None, (args.out, args.field_out, plot)):
        refuse_existing(path, args.overwrite)
    if args.nao_logs:
        return _nao_logs(args.nao_logs, args.plot)
    for path in filter(None, (args.out, args.field_out)):
        if path.suffix not in ('.yaml', '.yml'):
            raise GudaError(f'{path}: a profile is a .yaml file')
    if not args.recordings:
        raise GudaError(
            'give the recordings of a drive; `guda record --drive` makes them in the '
            'simulator, docs/identification.md tells what to drive on a robot'
        )
    tape = _tape(args.distance)

    from guda_ros.config.files import find_config
    from guda_ros.identification.drives import read_drive
    from guda_ros.identification.identify import identify
    from guda_ros.soccer.field import Field
    from guda_ros.soccer.robot import RobotProfile

    robot = RobotProfile.load(args.base)
    drives, contract = [], None
    for path in _recordings(args.recordings):
        drive, contract = read_drive(path)
        if contract.limits != robot.limits:
            raise GudaError(
                f'{path}: was recorded with the limits {contract.limits}, the base '
                f'{args.base} has {robot.limits}; give the right profile with --base'
            )
        drives.append(drive)
    field_path = None
    if args.field_out:
        field_path = find_config('fields', args.field or contract.field.name)
    field = Field.load(field_path) if field_path else contract.field
    found = identify(drives, robot, field, tape, args.partial)
    _print(found)
    if args.field_out and 'ball.deceleration' not in found.results:
        raise GudaError(f'{args.field_out} is not written: {found.missing["ball.deceleration"]}')
    names = ', '.join(sorted({Path(drive.name).name for drive in drives}))
    if args.out:
        base = find_config('robots', args.base)
        text = profile_text(
            base.read_text(encoding='utf-8'),
            found,
            args.out.stem,
            f'guda identify, {date.today()}: {names}',
            base,
        )
        _write_checked(args.out, text, RobotProfile)
    if args.field_out:
        text = field_text(
            field_path.read_text(encoding='utf-8'),
            found,
            args.field_out.stem,
            field.ball,
            field_path,
        )
        _write_checked(args.field_out, text, Field)
    if plot:
        from guda_ros.identification.figure import response_png

        _write(plot, response_png(drives, found))
    for path in filter(None, (args.out, args.field_out, plot)):
        print(f'wrote {path}')
    return 0


def profile_text(base: str, found, name: str, source: str, path='profile') -> str:
    """Return the text of a robot profile with what was found in it, and whence it comes."""
    from guda_ros.config.text import with_entry, with_item, with_values
    from guda_ros.identification.walk_fit import AXES

    values = {'name': name}
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


def field_text(base: str, found, name: str, ball, path='field') -> str:
    """Return the text of a field with the deceleration that was found for its ball."""
    from guda_ros.config.text import with_values

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


def _print(found) -> None:
    rows = [
        [
            result.name,
            f'{result.before:.3f}',
            f'{result.value:.3f}',
            f'{result.deviation:.3f}',
            result.unit,
            result.note,
        ]
        for result in found.results.values()
    ]
    print_table(rows, ['property', 'before', 'found', '+-', 'unit', ''])
    for name, why in found.missing.items():
        print(f'{name}: left as it was: {why}')
    gains = [
        (axis, gain)
        for axis, gain in zip(('forward', 'left', 'turn'), found.gains)
        if math.isfinite(gain)
    ]
    if gains:
        print(
            'speed reached, as a share of the command: '
            + ', '.join(f'{axis} {gain:.2f}' for axis, gain in gains)
        )
    if any(abs(gain - 1) > 0.1 for _, gain in gains):
        print(
            'the robot does not walk as fast as it is told: correct its driver, or the limits '
            'of the profile; the twin walks as fast as it is told'
        )


def _write_checked(path: Path, text: str, kind) -> None:
    """Write a YAML file that `kind` can load; one that it cannot is not written."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / path.name
        trial.write_text(text, encoding='utf-8')
        kind.load(trial)
    _write(path, text.encode())


def _write(path: Path, content: bytes) -> None:
    from guda_ros.data.files import atomic_target

    with atomic_target(path) as target:
        target.write_bytes(content)


def _recordings(paths: list[Path]) -> list[Path]:
    from guda_ros.data.recording.reader import list_recordings, METADATA_FILE

    found = []
    for path in paths:
        if path.is_dir() and not (path / METADATA_FILE).is_file():
            inside = list_recordings(path)
            if not inside:
                raise GudaError(f'{path}: holds no finished recording')
            found += inside
        else:
            found.append(path)
    return found


def _tape(texts: list[str]) -> dict[str, float]:
    tape = {}
    for text in texts:
        axis, _, value = text.partition('=')
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if axis not in ('forward', 'left', 'turn') or not 0 < abs(number) < math.inf:
            raise GudaError(
                f'--distance {text}: forward=METRES, left=METRES or turn=DEGREES is expected'
            )
        tape[axis] = abs(math.radians(number) if axis == 'turn' else number)
    return tape


def _nao_logs(paths: list[Path], plot: Path | None) -> int:
    from guda_ros.data.exchange.nao_logs import read_nao_logs
    from guda_ros.identification.nao_findings import find, table

    logs = read_nao_logs(paths)
    found = find(logs)
    print_table(table(found), ['what', 'value', '+-', 'unit', ''])
    if plot:
        from guda_ros.identification.nao_figure import nao_png

        _write(plot, nao_png(found))
        print(f'wrote {plot}')
    return 0
