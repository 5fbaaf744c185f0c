"""Say what a guide will do with a recording, and draw it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from guda_ros.workflows.arguments import natural, positive
from guda_ros.workflows.tables import print_table

if TYPE_CHECKING:
    from guda_ros.augmentation.guides import Guide

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
    from guda_ros.augmentation.guides import load_guide
    from guda_ros.data.contract import Contract

    guide = load_guide(args.guide)
    print(f'guide {guide.name} ({guide.hash}), task {guide.task.name}')
    for name, rule in guide.rules.items():
        share = 'by its candidates' if guide.shares is None else f'{guide.shares[name]:.0%}'
        print(f'\n{name} ({rule.kind}, share: {share})')
        for line in rule.explain():
            print(f'  - {line}')
    recorded = made = places = None
    if args.data:
        recorded, made, places = _try(guide, args)
    if args.out:
        from guda_ros.evaluation.pages.guide import draw_guide

        # Without a recording the field is that of the task's own contract.
        default = Contract.load(guide.task.name) if guide.task.name == 'soccer_push' else None
        task = guide.task(recorded.contract if recorded else default)
        draw_guide(args.out, guide, task, recorded, made, places)
        print(f'\n{args.out}: drawn')
    return 0


def _try(guide: Guide, args: argparse.Namespace):
    """Augment the recording, print what came of it and return what there is to draw."""
    from guda_ros.augmentation.pipeline import Augmenter
    from guda_ros.evaluation.set_quality import describe_set

    recorded = guide.task.read(args.data)
    augmenter = Augmenter(recorded, guide, args.seed)
    made, report = augmenter.make(args.count), augmenter.report
    print(f'\n{args.data}: {len(recorded)} steps in {len(recorded.episode_ids)} episodes')
    print_table(
        [
            [
                rule,
                report.accepted[rule],
                report.proposed[rule],
                ', '.join(f'{reason} {n}' for reason, n in report.rejected[rule].items() if n),
            ]
            for rule in report.proposed
        ],
        ['rule', 'accepted', 'proposed', 'rejected'],
    )
    for note in report.notes:
        print(f'note: {note}')
    task = guide.task(recorded.contract)
    rows = []
    for name, steps in (('recorded', recorded), ('augmented', made)):
        found = describe_set(task, steps)
        rows.append([name, found.reward, found.progress, found.cells])
    print()
    print_table(rows, ['', 'reward a step', 'mm nearer a step', 'state-action cells'])
    return recorded, made, augmenter.places
