"""
Compare augmentations, algorithm by algorithm and seed by seed, beside the paper's figures.

A benchmark (config/benchmarks) names the task, augmentations, algorithms with their arguments, and
how policies are judged. Every training is kept in --out as soon as it is finished; the same
command goes on with what is missing, also after a kill. Tables (CSV, Markdown) and pictures (PNG)
of all that is finished there are made at the end, or at once with --tables.
"""

from __future__ import annotations

import argparse
from pathlib import Path
import time

from guda_ros.cli.common import positive

HELP = 'compare augmentations and algorithms over many trainings'
EXAMPLE = 'guda benchmark push_ball_to_goal --data data --algorithms bc td3_bc --seeds 10'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    parser.add_argument('benchmark', metavar='NAME', help='in config/benchmarks, or a YAML file')
    parser.add_argument(
        '--data',
        type=Path,
        required=True,
        metavar='FOLDER',
        help="initial data: a folder with initial_0, initial_1 ..., or with the task's folder",
    )
    parser.add_argument(
        '--algorithms', nargs='+', metavar='NAME', help="some of the benchmark's (default: all)"
    )
    parser.add_argument(
        '--augmentations', nargs='+', metavar='NAME', help="some of the benchmark's (default: all)"
    )
    parser.add_argument(
        '--seeds',
        type=positive,
        metavar='N',
        help="trainings of each kind, seeds 0 to N - 1 (default: the benchmark's)",
    )
    parser.add_argument(
        '--updates',
        type=positive,
        metavar='N',
        help="gradient steps of each training (default: the benchmark's)",
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('runs/benchmark'),
        metavar='FOLDER',
        help='for finished trainings (default: %(default)s)',
    )
    parser.add_argument(
        '--results',
        type=Path,
        metavar='FOLDER',
        help='for tables and pictures (default: results in --out)',
    )
    parser.add_argument(
        '--jobs',
        type=positive,
        metavar='N',
        help='trainings at the same time (default: one a core)',
    )
    parser.add_argument(
        '--tables',
        action='store_true',
        help='train nothing; make tables and pictures of what is finished',
    )
    parser.add_argument(
        '--quality',
        action='store_true',
        help='also draw quality (TQ) and coverage (SACo) of the training data',
    )


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    from guda_ros.evaluation.benchmark.plan import Plan

    plan = Plan.load(args.benchmark)
    chosen = plan.choose(args.algorithms, args.augmentations, args.seeds, args.updates)
    if not args.tables:
        _train(chosen, args)
    return _report(plan.choose(seeds=max(plan.seeds, args.seeds or 0)), args)


def _train(plan, args) -> None:
    from guda_ros.evaluation.benchmark.cells import missing_groups, run_group
    from guda_ros.workflows.workers import run_jobs

    groups = missing_groups(plan, args.data, args.out)
    left = sum(group.cells for group in groups)
    print(f'{plan.name}: {left} trainings to do' if left else f'{plan.name}: all done before')
    begin = time.monotonic()
    jobs = [(plan, str(args.data), str(args.out), group) for group in groups]
    for (*_, group), seconds in run_jobs(run_group, jobs, args.jobs):
        left -= group.cells
        print(
            f'  {group.augmentation}, {", ".join(group.missing)}: {group.cells} trainings in '
            f'{seconds:.0f} s; {left} to do, {time.monotonic() - begin:.0f} s since the start'
        )


def _report(plan, args) -> int:
    from guda_ros.evaluation.benchmark.cells import BenchmarkError, finished_cells, initial_sets
    from guda_ros.evaluation.benchmark.charts import draw_charts, draw_quality
    from guda_ros.evaluation.benchmark.tables import write_csv, write_tables, write_text

    results = args.results or args.out / 'results'
    cells = list(finished_cells(plan, args.out))
    if not cells:
        raise BenchmarkError(f'{args.out}: no training of the benchmark {plan.name} is finished')
    text = write_tables(plan, cells, results)
    write_text(results / f'{plan.name}.md', text)
    print(text)
    written = draw_charts(plan, cells, results)
    if args.quality:
        sets = dict(initial_sets(plan, args.data).values())
        task = plan.kind()(next(iter(sets.values())).contract)
        picture, rows = draw_quality(plan, sets, task, results / f'{plan.name}_quality.png')
        write_csv(results / f'{plan.name}_quality.csv', rows)
        written.append(picture)
    print('\n'.join(map(str, [results / f'{plan.name}.md', *written])))
    return 0
