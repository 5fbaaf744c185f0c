"""Compare augmentations, algorithm by algorithm and seed by seed; every training is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import os
from pathlib import Path
import time

from guda_ros.arguments import as_folder, as_path
from guda_ros.errors import naming_extras
from guda_ros.evaluation.benchmark.cells import (
    BenchmarkError,
    Cell,
    finished_cells,
    initial_sets,
    missing_groups,
    run_group,
)
from guda_ros.evaluation.benchmark.charts import draw_charts, draw_quality
from guda_ros.evaluation.benchmark.plan import Plan
from guda_ros.evaluation.benchmark.tables import write_csv, write_tables, write_text
from guda_ros.workflows.parallel.workers import run_jobs
from guda_ros.workflows.progress import Say, silent


@dataclass(frozen=True)
class BenchmarkResults:
    """What a benchmark has found so far."""

    plan: Plan
    #: The finished trainings.
    cells: tuple[Cell, ...]
    #: The tables, as Markdown.
    text: str
    #: The files with tables (.md) and pictures (.png); the CSV files are beside them.
    files: tuple[Path, ...]


@naming_extras()
def benchmark(
    name: str | os.PathLike,
    data: str | os.PathLike,
    *,
    algorithms: Sequence[str] | None = None,
    augmentations: Sequence[str] | None = None,
    seeds: int | None = None,
    updates: int | None = None,
    out: str | os.PathLike = 'runs/benchmark',
    results: str | os.PathLike | None = None,
    jobs: int | None = None,
    tables_only: bool = False,
    quality: bool = False,
    say: Say = silent,
) -> BenchmarkResults:
    """
    Run the trainings of a benchmark that are missing, and write its tables, as `guda benchmark`.

        found = guda_ros.benchmark('push_ball_to_goal', 'data', algorithms=['bc'], seeds=10)
        print(found.text)

    :param name: in config/benchmarks, or a YAML file.
    :param data: folder with initial_0, initial_1 ..., or with the task's folder.
    :param algorithms, augmentations: some of the benchmark's (default: all).
    :param seeds: trainings of each kind (default: the benchmark's).
    :param updates: gradient steps of each training (default: the benchmark's).
    :param out: folder for finished trainings; what is there is not trained again.
    :param results: folder for tables and pictures (default: OUT/results).
    :param jobs: processes at the same time (default: one a core).
    :param tables_only: train nothing.
    :param quality: also draw quality (TQ) and coverage (SACo) of the training data.
    :raises GudaError: if benchmark or data cannot be used, or nothing is finished.
    """
    plan, data, out = Plan.load(name), as_path(data, 'data'), as_folder(out, 'out')
    folder = out / 'results' if results is None else as_folder(results, 'results')
    chosen = plan.choose(algorithms, augmentations, seeds, updates)
    if not tables_only:
        _train(chosen, data, out, jobs, say)
    plan = plan.choose(seeds=max(plan.seeds, seeds or 0))
    cells = list(finished_cells(plan, out))
    if not cells:
        raise BenchmarkError(f'{out}: no training of the benchmark {plan.name} is finished')
    text = write_tables(plan, cells, folder)
    table = folder / f'{plan.name}.md'
    write_text(table, text)
    files = [table, *draw_charts(plan, cells, folder)]
    if quality:
        sets = dict(initial_sets(plan, data).values())
        task = plan.kind()(next(iter(sets.values())).contract)
        picture, rows = draw_quality(plan, sets, task, folder / f'{plan.name}_quality.png')
        write_csv(folder / f'{plan.name}_quality.csv', rows)
        files.append(picture)
    return BenchmarkResults(plan, tuple(cells), text, tuple(files))


def _train(plan: Plan, data: Path, out: Path, jobs: int | None, say: Say) -> None:
    groups = missing_groups(plan, data, out)
    left = sum(group.cells for group in groups)
    say(f'{plan.name}: {left} trainings to do' if left else f'{plan.name}: all done before')
    begin = time.monotonic()
    work = [(plan, str(data), str(out), group) for group in groups]
    for (*_, group), seconds in run_jobs(run_group, work, jobs):
        left -= group.cells
        say(
            f'  {group.augmentation}, {", ".join(group.missing)}: {group.cells} trainings in '
            f'{seconds:.0f} s; {left} to do, {time.monotonic() - begin:.0f} s since the start'
        )
