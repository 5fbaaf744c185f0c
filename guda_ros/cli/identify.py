"""
Fit a robot profile to a recorded drive: walk response, delay, odometry scale and ball friction.

Give the recordings of a drive: --record drives the protocol of docs/identification.md on a robot
while you hold the dead-man, and records it; `guda record --drive` does so in the simulator. What
the drive does not tell is refused, or left as it was with --partial. The scale of the odometry
needs an outside measure: ground truth, where it was recorded, or the length of the longest walk by
tape (--distance).
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from guda_ros.cli.common import (
    add_adapter,
    add_domain,
    add_names,
    add_no_check,
    add_node_settings,
    names_of,
)
from guda_ros.errors import GudaError
from guda_ros.workflows.terminal.arguments import natural
from guda_ros.workflows.terminal.tables import print_table

if TYPE_CHECKING:
    from guda_ros.identification.identify import Identification

#: The key that is held while the robot moves; the session has it, but it takes long to import.
HOLD = 'p'
EXAMPLE = """\
guda record --drive --out runs/mine/drive
  guda identify runs/mine/drive --base nao_v6 --out my_nao.yaml
  guda identify --record runs/robot/drive --base my_robot.yaml --domain 0 --network --out fit.yaml
  guda identify runs/mine/drive --distance forward=1.23 --distance turn=360 --out taped.yaml"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument(
        'recordings',
        nargs='*',
        type=Path,
        metavar='RECORDING',
        help='recordings of a drive, or folders of them; with --record further ones',
    )
    parser.add_argument(
        '--record',
        type=Path,
        metavar='DIR',
        help='drive the robot of --base and record it into this folder first: it moves while you '
        f'hold the key {HOLD} or the dead-man of a gamepad',
    )
    parser.add_argument(
        '--rolls',
        type=natural,
        default=6,
        metavar='N',
        help='with --record: balls that you roll past the robot (default: %(default)s)',
    )
    parser.add_argument(
        '--contract',
        default='soccer_push',
        metavar='NAME',
        help='with --record: task in config/tasks, or a YAML file (default: %(default)s)',
    )
    add_adapter(parser)
    add_domain(parser, domain='$ROS_DOMAIN_ID or 0, where the driver is')
    add_no_check(parser)
    add_node_settings(parser)
    add_names(parser)
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
    from guda_ros.workflows.identify import identify, refuse_files, require_yaml

    refuse_files((args.out, args.field_out, plot), args.overwrite)
    if args.nao_logs:
        return _nao_logs(args)
    require_yaml((args.out, args.field_out))
    tape = _tape(args.distance)
    if args.record:
        args.recordings = [*args.recordings, *_record(args)]
    if not args.recordings:
        raise GudaError(
            'give the recordings of a drive; --record DIR makes them on a robot, '
            '`guda record --drive` in the simulator'
        )
    found = identify(
        args.recordings,
        args.base,
        out=args.out,
        field_out=args.field_out,
        plot=plot,
        field=args.field,
        tape=tape,
        partial=args.partial,
        overwrite=args.overwrite,
    )
    _print(found)
    for path in filter(None, (args.out, args.field_out, plot)):
        print(f'wrote {path}')
    return 0


def _record(args: argparse.Namespace) -> list[Path]:
    from guda_ros.ros.graph.table import GraphOptions
    from guda_ros.workflows.robots.driving import record_drive_on_robot
    from guda_ros.workflows.up import read_overrides

    return record_drive_on_robot(
        args.record,
        contract=args.contract,
        robot=args.base,
        rolls=args.rolls,
        check=not args.no_check,
        options=GraphOptions(
            adapter=args.adapter, overrides=read_overrides(args.set), names=names_of(args)
        ),
        network=args.network,
        domain=args.domain,
        log_dir=args.log_dir,
        say=print,
    )


def _print(found: Identification) -> None:
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


def _nao_logs(args: argparse.Namespace) -> int:
    from guda_ros.identification.nao_findings import table
    from guda_ros.workflows.identify import identify_nao_logs

    found = identify_nao_logs(args.nao_logs, args.plot, overwrite=args.overwrite)
    print_table(table(found), ['what', 'value', '+-', 'unit', ''])
    if args.plot:
        print(f'wrote {args.plot}')
    return 0
