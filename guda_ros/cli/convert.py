"""
Turn recorded episodes (MCAP) into a Minari data set, through their contract.

With --nao-logs the demonstrations of the physical NAO of the GuDA paper instead: what of their
logs is whole, at the contract's rate (docs/real_demonstrations.md).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from guda_ros.data.files import refuse_target
from guda_ros.errors import GudaError
from guda_ros.workflows.terminal.tables import print_table

if TYPE_CHECKING:
    from guda_ros.data.contract import Contract
    from guda_ros.data.episodes import Episode

EXAMPLE = 'guda convert runs/mine/recordings --out runs/mine/dataset'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument(
        'recordings', type=Path, nargs='*', help='folders of recordings, or single recordings'
    )
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='data set to make')
    parser.add_argument(
        '--skip-damaged',
        action='store_true',
        help='leave damaged recordings out instead of stopping at the first',
    )
    parser.add_argument(
        '--contract',
        metavar='NAME',
        help='task in config/tasks, or a YAML file, to make the set for; of recordings only the '
        "observation, the time limit and names may change (default: the recordings' own, "
        'soccer_push for logs)',
    )
    parser.add_argument(
        '--robot',
        metavar='NAME',
        help="robot profile in config/robots, or a YAML file (default: the contract's)",
    )
    logs = parser.add_argument_group('logs of the physical NAO of the GuDA paper')
    logs.add_argument(
        '--nao-logs',
        type=Path,
        nargs='+',
        metavar='FILE',
        help='folders or tar files with such logs, instead of recordings',
    )
    logs.add_argument(
        '--rows-per-second',
        type=_rate,
        default=None,
        metavar='N',
        help='of the logs, which have no time stamps (default: 60)',
    )
    logs.add_argument(
        '--picture', type=Path, metavar='FILE.png', help='what was kept and what was cut'
    )


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    # Before the recordings are read, which takes a while.
    refuse_target(args.out)
    if bool(args.recordings) == bool(args.nao_logs):
        raise GudaError('give either recordings, or logs of the physical NAO with --nao-logs')
    if args.nao_logs:
        return _nao_logs(args)
    if args.picture or args.rows_per_second:
        raise GudaError('--picture and --rows-per-second are for --nao-logs')
    from guda_ros.workflows.convert import convert

    made = convert(
        args.recordings,
        args.out,
        contract=args.contract,
        robot=args.robot,
        skip_damaged=args.skip_damaged,
        say=print,
    )
    print(told(args.out, made.episodes, succeeded=made.contract.words.past))
    return 0


def told(
    path: Path, episodes: Sequence[Episode], what: str = 'episodes', succeeded: str = 'scored'
) -> str:
    """Return a line that says what a data set holds."""
    return (
        f'{path}: {len(episodes)} {what}, {sum(e.success for e in episodes)} {succeeded}, '
        f'{sum(int(e.usable.sum()) for e in episodes)} usable steps'
    )


def _contract(args: argparse.Namespace) -> Contract:
    from guda_ros.data.contract import Contract

    return Contract.load(args.contract or 'soccer_push', args.robot)


def _nao_logs(args: argparse.Namespace) -> int:
    from guda_ros.data.exchange.nao_demonstrations import demonstrations
    from guda_ros.data.exchange.nao_logs import read_nao_logs, ROWS_PER_SECOND
    from guda_ros.data.files import atomic_target
    from guda_ros.data.sets.minari import write_minari
    from guda_ros.evaluation.pages.nao_import import import_png

    if args.picture:
        refuse_target(args.picture)
    contract = _contract(args)
    rate = args.rows_per_second or ROWS_PER_SECOND
    episodes, report = demonstrations(read_nao_logs(args.nao_logs), contract, rate)
    print(
        f'{report.files} files, {report.rows} rows, {report.rows / rate:.0f} s at {rate:g} rows '
        'a second'
    )
    for name, count in report.jumps.items():
        print(f'    {count} jumps {name}')
    forward, left, turn = report.clipped
    print(
        f'    commands beyond the limits, sent as the limit: forward {forward:.1%}, left '
        f'{left:.1%}, turn {turn:.1%} of the rows'
    )
    print(f'    {report.repeated:.1%} of the rows repeat the one before')
    print_table(
        [[name, count, f'{count / report.rows:.1%}'] for name, count in report.cut.items()]
        + [['kept', report.kept, f'{report.kept / report.rows:.1%}']],
        ['cut', 'rows', ''],
    )
    if report.too_short:
        print(f'left out: {report.too_short} steps of attempts that are too short')
    for episode in episodes:
        print(
            f'    {episode.id:<22} {episode.verdict:<8} {episode.duration:5.1f} s  '
            f'{int(episode.usable.sum()):4d} of {len(episode):4d} steps usable'
        )
    write_minari(args.out, episodes, contract)
    if args.picture:
        with atomic_target(args.picture) as target:
            target.write_bytes(import_png(report, episodes, contract.field))
    print(
        f'{args.out}: {len(episodes)} attempts, {sum(e.success for e in episodes)} scored, '
        f'{sum(int(e.usable.sum()) for e in episodes)} usable steps'
    )
    return 0


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 10_000:
        raise argparse.ArgumentTypeError(f'rows a second are expected, not {text!r}')
    return value
