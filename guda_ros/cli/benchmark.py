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

from guda_ros.workflows.terminal.arguments import positive

EXAMPLE = """\
guda benchmark push_ball_to_goal --data data --algorithms bc td3_bc --seeds 10
      # data: the folder with initial_0, initial_1 ... of the task, see docs/benchmarks.md"""


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
    from guda_ros.workflows.benchmark import benchmark

    found = benchmark(
        args.benchmark,
        args.data,
        algorithms=args.algorithms,
        augmentations=args.augmentations,
        seeds=args.seeds,
        updates=args.updates,
        out=args.out,
        results=args.results,
        jobs=args.jobs,
        tables_only=args.tables,
        quality=args.quality,
        say=print,
    )
    print(found.text)
    print('\n'.join(map(str, found.files)))
    return 0
