"""Run the trials of a comparison of arms that are missing, and write its table and picture."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from guda_ros.evaluation.benchmark.variants import (
    arms_png,
    HEADER,
    markdown,
    PolicyTrial,
    read_trials,
    summaries,
    table_of,
    write_trials,
)
from guda_ros.workflows.parallel.workers import run_jobs
from guda_ros.workflows.progress import Say
from guda_ros.workflows.terminal.arguments import positive
from guda_ros.workflows.terminal.tables import print_table


def add_trial_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how many trials of what size a comparison makes, and with how many processes."""
    parser.add_argument('--seeds', type=positive, default=5)
    parser.add_argument('--starts', type=positive, default=100, help='rollouts of a policy')
    parser.add_argument(
        '--count',
        type=positive,
        default=100_000,
        help='transitions that a guide makes (default: %(default)s)',
    )
    parser.add_argument(
        '--updates', type=positive, default=None, help="default: the algorithm's own"
    )
    parser.add_argument(
        '--validation',
        action='store_true',
        help='play from validation starts: for choosing anything',
    )
    parser.add_argument('--processes', type=positive, default=None, help='default: one a core')


def complete(
    trial: Callable[..., Sequence[PolicyTrial]],
    jobs: Mapping[tuple, Sequence[tuple]],
    results: Path,
    order: Callable[[PolicyTrial], tuple],
    processes: int | None = None,
    say: Say = print,
) -> list[PolicyTrial]:
    """
    Return all trials of a results file (.jsonl), after those that are missing were made.

    The file is written after every job, so that an interrupted run loses no more than one; table
    (.md) and picture (.png) are written beside it.

    :param trial: importable by name; called with the arguments of a job.
    :param jobs: arguments -> keys of the trials that the job makes.
    :param order: in which trials are shown.
    """
    results.parent.mkdir(parents=True, exist_ok=True)
    trials = read_trials(results)
    done = {one.key for one in trials}
    missing = [job for job, keys in jobs.items() if not done.issuperset(keys)]
    for _, found in run_jobs(trial, missing, processes):
        fresh = {one.key for one in found}
        trials = [one for one in trials if one.key not in fresh] + list(found)
        write_trials(results, trials)
        for one in found:
            say(
                f'{one.place}, {one.scenario}: {one.arm} {one.algorithm} seed {one.seed}: '
                f'{one.success.mean():.2f}'
            )
    trials.sort(key=order)
    found = summaries(trials)
    print_table(table_of(found), HEADER)
    results.with_suffix('.md').write_text(markdown(found), encoding='utf-8')
    if found:
        results.with_suffix('.png').write_bytes(arms_png(found))
    return trials
