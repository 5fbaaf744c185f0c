"""
Turn recorded episodes (MCAP) into a Minari data set, through their contract.

With --nao-logs the demonstrations of the physical NAO of the GuDA paper instead: what of their
logs is whole, at the contract's rate (docs/real_demonstrations.md).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.common import add_contract, load_contract, print_table, refuse_existing
from guda_ros.errors import GudaError

HELP = 'recordings to a data set (Minari)'
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
    add_contract(logs)


def convert(paths: list[Path], target: Path, skip_damaged: bool = False, say=print) -> list:
    """
    Write the recordings to a Minari data set and return its episodes.

    :raises GudaError: for a recording that is damaged or of another contract than the first.
    """
    from guda_ros.data.datasets import write_minari
    from guda_ros.data.episodes import read_episode
    from guda_ros.data.recording import RecordingError, RecordingReader

    episodes, contract = [], None
    for path in paths:
        try:
            if contract is None:
                with RecordingReader(path) as reader:
                    contract = reader.contract
            episode = read_episode(path, contract)
        except RecordingError as error:
            if not skip_damaged:
                raise
            say(f'    left out: {error}')
            continue
        usable = int(episode.usable.sum())
        say(
            f'    {episode.id:<22} {episode.verdict:<8} {episode.duration:5.1f} s  '
            f'{usable:4d} of {len(episode):4d} steps usable'
        )
        for problem in episode.problems:
            say(f'        {problem}')
        episodes.append(episode)
    if not episodes:
        raise RecordingError('there is no complete recording; `guda record` makes recordings')
    write_minari(target, episodes, contract)
    return episodes


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    from guda_ros.data.recording import list_recordings, METADATA_FILE

    # Before the recordings are read, which takes a while.
    if args.out.exists():
        raise GudaError(f'{args.out}: exists already and is not overwritten; choose another name')
    if bool(args.recordings) == bool(args.nao_logs):
        raise GudaError('give either recordings, or logs of the physical NAO with --nao-logs')
    if args.nao_logs:
        return _nao_logs(args)
    if args.picture or args.rows_per_second:
        raise GudaError('--picture and --rows-per-second are for --nao-logs')
    paths = []
    for folder in args.recordings:
        paths += [folder] if (folder / METADATA_FILE).is_file() else list_recordings(folder)
    episodes = convert(paths, args.out, args.skip_damaged)
    print(
        f'{args.out}: {len(episodes)} episodes, {sum(e.success for e in episodes)} scored, '
        f'{sum(int(e.usable.sum()) for e in episodes)} usable steps'
    )
    return 0


def _nao_logs(args: argparse.Namespace) -> int:
    from guda_ros.data.datasets import write_minari
    from guda_ros.data.files import atomic_target
    from guda_ros.data.nao_demonstrations import demonstrations
    from guda_ros.data.nao_logs import read_nao_logs, ROWS_PER_SECOND
    from guda_ros.evaluation.nao_import_figure import import_png

    if args.picture:
        refuse_existing(args.picture, overwrite=False)
    contract = load_contract(args)
    rate = args.rows_per_second or ROWS_PER_SECOND
    episodes, report = demonstrations(read_nao_logs(args.nao_logs), contract, rate)
    print(f'{report.files} files, {report.rows} rows, {report.rows / rate:.0f} s at {rate:g} rows '
          'a second')
    for name, count in report.jumps.items():
        print(f'    {count} jumps {name}')
    forward, left, turn = report.clipped
    print(f'    commands beyond the limits, sent as the limit: forward {forward:.1%}, left '
          f'{left:.1%}, turn {turn:.1%} of the rows')
    print(f'    {report.repeated:.1%} of the rows repeat the one before')
    print_table(
        [[name, count, f'{count / report.rows:.1%}'] for name, count in report.cut.items()]
        + [['kept', report.kept, f'{report.kept / report.rows:.1%}']],
        ['cut', 'rows', ''],
    )
    if report.too_short:
        print(f'left out: {report.too_short} steps of attempts that are too short')
    for episode in episodes:
        print(f'    {episode.id:<22} {episode.verdict:<8} {episode.duration:5.1f} s  '
              f'{int(episode.usable.sum()):4d} of {len(episode):4d} steps usable')
    write_minari(args.out, episodes, contract)
    if args.picture:
        with atomic_target(args.picture) as target:
            target.write_bytes(import_png(report, episodes, contract.field))
    print(f'{args.out}: {len(episodes)} attempts, {sum(e.success for e in episodes)} scored, '
          f'{sum(int(e.usable.sum()) for e in episodes)} usable steps')
    return 0


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 10_000:
        raise argparse.ArgumentTypeError(f'rows a second are expected, not {text!r}')
    return value
