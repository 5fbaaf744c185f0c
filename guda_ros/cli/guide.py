"""Say what a guide will do with a recording, and draw it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from guda_ros.workflows.terminal.arguments import natural, positive
from guda_ros.workflows.terminal.tables import print_report, print_table

if TYPE_CHECKING:
    from guda_ros.workflows.check_guide import GuideTrial

EXAMPLE = 'guda guide check guided --data runs/mine/dataset --out runs/mine/guide.svg'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument('action', choices=('check',), help='what to do')
    parser.add_argument('guide', metavar='FILE', help='YAML file, or a name in config/guides')
    parser.add_argument(
        '--data', type=Path, metavar='PATH', help='recording to try it with, as `guda augment`'
    )
    parser.add_argument(
        '--count',
        type=positive,
        default=20_000,
        metavar='N',
        help='transitions to try with (default: %(default)s)',
    )
    parser.add_argument(
        '--seed',
        type=natural,
        default=0,
        metavar='N',
        help='of all that is drawn (default: %(default)s)',
    )
    parser.add_argument(
        '--out', type=Path, metavar='FILE', help='picture to draw (.svg, .png or .pdf)'
    )


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    from guda_ros.workflows.check_guide import check_guide

    found = check_guide(args.guide)
    guide = found.guide
    print(f'guide {guide.name} ({guide.hash}), task {guide.task.name}')
    for name, sentences in found.sentences.items():
        share = 'by its candidates' if guide.shares is None else f'{guide.shares[name]:.0%}'
        print(f'\n{name} ({guide.rules[name].kind}, share: {share})')
        for line in sentences:
            print(f'  - {line}')
    if args.data or args.out:
        found = check_guide(guide, args.data, count=args.count, seed=args.seed, out=args.out)
    if found.trial:
        _print_trial(found.trial, args.data)
    if args.out:
        print(f'\n{args.out}: drawn')
    return 0


def _print_trial(trial: GuideTrial, path: Path) -> None:
    recorded = trial.recorded
    print(f'\n{path}: {len(recorded)} steps in {len(recorded.episode_ids)} episodes')
    print_report(trial.report)
    rows = [
        [name, found.reward, found.progress, found.cells] for name, found in trial.quality.items()
    ]
    print()
    print_table(rows, ['', 'reward a step', 'mm nearer a step', 'state-action cells'])
