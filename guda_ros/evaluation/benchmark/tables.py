"""What a benchmark found, in numbers: a row a cell, a summary, paired differences, a page."""

from __future__ import annotations

from collections.abc import Sequence
import csv
from dataclasses import dataclass
import io
import os
from pathlib import Path

import numpy as np

from guda_ros.data.files import atomic_target
from guda_ros.evaluation.benchmark.cells import Cell
from guda_ros.evaluation.benchmark.plan import Plan
from guda_ros.evaluation.statistics import (
    Estimate,
    interquartile_mean,
    paired_difference,
    stratified_interval,
    success_rate,
)

#: Augmentations that are compared with the others: those of these names, or with a number or word
#: behind it, such as guided_10k.
OURS = ('guided', 'auto')
_SEED = 56


@dataclass(frozen=True)
class Arm:
    """The finished cells of one algorithm on one augmentation, as matrices (seeds, starts)."""

    algorithm: str
    augmentation: str
    cells: tuple[Cell, ...]
    scores: np.ndarray
    successes: np.ndarray
    steps: np.ndarray

    @property
    def seeds(self) -> list[int]:
        """Seeds of the rows."""
        return [cell.seed for cell in self.cells]


@dataclass(frozen=True)
class Difference:
    """How much more `first` has than `second`, with the same seeds and from the same starts."""

    algorithm: str
    first: str
    second: str
    seeds: int
    score: Estimate
    success: Estimate
    steps: Estimate


def normalised(plan: Plan, returns: np.ndarray) -> np.ndarray:
    """Return 100 (R - random) / (demonstrator - random), or R where these are not known."""
    known = plan.kind().reference_returns
    if known is None:
        return np.asarray(returns, dtype=float)
    low, high = known
    return 100 * (np.asarray(returns, dtype=float) - low) / (high - low)


def arms_of(plan: Plan, cells: Sequence[Cell]) -> list[Arm]:
    """Put cells together by algorithm and augmentation, in the order of the plan."""
    arms = []
    for algorithm in plan.algorithms:
        for augmentation in plan.augmentations:
            own = tuple(
                cell
                for cell in cells
                if (cell.algorithm, cell.augmentation) == (algorithm, augmentation)
            )
            if own:
                arms.append(
                    Arm(
                        algorithm,
                        augmentation,
                        own,
                        normalised(plan, np.stack([cell.outcomes.returns for cell in own])),
                        np.stack([cell.outcomes.successes for cell in own]),
                        np.stack([cell.outcomes.steps for cell in own]),
                    )
                )
    return arms


def iqm(arm: Arm) -> Estimate:
    """Return the interquartile mean of the trainings' mean scores; interval: over trainings."""
    return stratified_interval(
        interquartile_mean,
        arm.scores.mean(axis=1, keepdims=True),
        rng=np.random.default_rng(_SEED),
    )


def differences(arms: Sequence[Arm]) -> list[Difference]:
    """Compare guided and auto with the others of an algorithm, auto with all that is guided."""
    found = []
    for first in arms:
        for second in arms:
            seeds = sorted(set(first.seeds) & set(second.seeds))
            compared = _is(first, OURS) and not _is(second, OURS)
            if first is not second and _is(second, ('guided',)):
                compared |= first.augmentation == 'guided' or _is(first, ('auto',))
            if compared and first.algorithm == second.algorithm and seeds:
                found.append(
                    Difference(
                        first.algorithm,
                        first.augmentation,
                        second.augmentation,
                        len(seeds),
                        *(
                            _difference(first, second, seeds, what)
                            for what in ('scores', 'successes', 'steps')
                        ),
                    )
                )
    return found


def _is(arm: Arm, names: Sequence[str]) -> bool:
    return arm.augmentation.partition('_')[0] in names


def _difference(first: Arm, second: Arm, seeds: list[int], what: str) -> Estimate:
    return paired_difference(
        *(_by_data(arm, getattr(arm, what).astype(float), seeds) for arm in (first, second)),
        np.random.default_rng(_SEED),
    )


def _by_data(arm: Arm, matrix: np.ndarray, seeds: list[int]) -> np.ndarray:
    """Return the mean rows of seeds with the same initial data, which are not independent."""
    data = {seed: arm.cells[arm.seeds.index(seed)].about['data_seed'] for seed in seeds}
    return np.stack(
        [
            np.mean([matrix[arm.seeds.index(seed)] for seed in seeds if data[seed] == one], axis=0)
            for one in sorted(set(data.values()))
        ]
    )


def write_tables(plan: Plan, cells: Sequence[Cell], folder: str | os.PathLike[str]) -> str:
    """Write NAME_cells.csv, _summary, _paired and _curves into a folder; return the page."""
    folder = Path(folder)
    arms = arms_of(plan, cells)
    compared = differences(arms)
    summary = [_summary(plan, arm) for arm in arms]
    paired = [
        {
            'algorithm': row.algorithm,
            'first': row.first,
            'second': row.second,
            'seeds': row.seeds,
            **_columns('score', row.score),
            **_columns('success', row.success),
            **_columns('steps', row.steps),
        }
        for row in compared
    ]
    for name, rows in (
        ('cells', [_cell(plan, cell) for cell in cells]),
        ('summary', summary),
        ('paired', paired),
        ('curves', _curves(plan, cells)),
    ):
        write_csv(folder / f'{plan.name}_{name}.csv', rows)
    return page(plan, summary, compared)


def write_csv(path: Path, rows: Sequence[dict]) -> None:
    """Write rows of the same keys; nothing if there is none."""
    if not rows:
        return
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator='\n')
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_text(path: Path, text: str) -> None:
    """Write a file, which appears when it is complete."""
    with atomic_target(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def _cell(plan: Plan, cell: Cell) -> dict:
    returns = cell.outcomes.returns
    return {
        'task': plan.task,
        'algorithm': cell.algorithm,
        'augmentation': cell.augmentation,
        'seed': cell.seed,
        'data_seed': cell.about['data_seed'],
        'rows': cell.about['rows'],
        'updates': int(cell.updates[-1]),
        'episodes': len(returns),
        'return': round(float(returns.mean()), 3),
        'score': round(float(normalised(plan, returns).mean()), 2),
        'success': round(float(cell.outcomes.successes.mean()), 4),
        'steps_to_score': round(_median_steps(cell.outcomes.successes, cell.outcomes.steps), 1),
        'training_s': cell.about['seconds'],
    }


def _median_steps(successes: np.ndarray, steps: np.ndarray) -> float:
    return float(np.median(steps[successes])) if successes.any() else float('nan')


def _summary(plan: Plan, arm: Arm) -> dict:
    rng = np.random.default_rng(_SEED)
    return {
        'task': plan.task,
        'algorithm': arm.algorithm,
        'augmentation': arm.augmentation,
        'seeds': len(arm.cells),
        'updates': int(arm.cells[0].updates[-1]),
        'episodes': arm.scores.shape[1],
        **_columns('iqm', iqm(arm)),
        'paper': plan.paper.get(arm.algorithm, {}).get(arm.augmentation),
        'return': round(float(np.mean([cell.outcomes.returns for cell in arm.cells])), 2),
        **_columns('success', success_rate(arm.successes, rng)),
        'steps_to_score': round(_median_steps(arm.successes, arm.steps), 1),
    }


def _curves(plan: Plan, cells: Sequence[Cell]) -> list[dict]:
    return [
        {
            'algorithm': cell.algorithm,
            'augmentation': cell.augmentation,
            'seed': cell.seed,
            'update': int(update),
            'score': round(float(normalised(plan, returns).mean()), 2),
            'success': round(float(successes.mean()), 3),
        }
        for cell in cells
        for update, returns, successes in zip(
            cell.updates, cell.curve_returns, cell.curve_successes
        )
    ]


def _columns(name: str, estimate: Estimate) -> dict:
    return {
        name: round(estimate.value, 4),
        f'{name}_low': round(estimate.low, 4),
        f'{name}_high': round(estimate.high, 4),
    }


def page(plan: Plan, summary: Sequence[dict], compared: Sequence[Difference]) -> str:
    """Return summary and differences as two tables in Markdown."""
    unit = 'normalised return' if plan.kind().reference_returns else 'return'
    parts = [
        f'IQM: interquartile mean over trainings of the mean {unit}, with a 95 % bootstrap '
        'interval over trainings. Success and median steps to the goal are of all episodes.',
        _table(
            (
                'algorithm',
                'augmentation',
                'seeds',
                'updates',
                f'{unit}, IQM',
                'paper',
                'return',
                'success [%]',
                'steps to goal',
            ),
            [
                (
                    row['algorithm'],
                    row['augmentation'],
                    row['seeds'],
                    row['updates'],
                    _interval(row, 'iqm', '.0f'),
                    _known(row['paper']),
                    f'{row["return"]:.1f}',
                    _interval(
                        {
                            key: 100 * value
                            for key, value in row.items()
                            if key.startswith('success')
                        },
                        'success',
                        '.1f',
                    ),
                    _known(row['steps_to_score']),
                )
                for row in summary
            ],
        ),
    ]
    if compared:
        parts += [
            'Paired differences, with 95 % intervals over initial data sets and starts; an '
            'episode without a goal counts with all its steps.',
            _table(
                ('algorithm', 'difference', unit, 'success [points]', 'steps'),
                [
                    (
                        row.algorithm,
                        f'{row.first} − {row.second}',
                        _signed(row.score, 1, '+.0f'),
                        _signed(row.success, 100, '+.1f'),
                        _signed(row.steps, 1, '+.0f'),
                    )
                    for row in compared
                ],
            ),
        ]
    return '\n\n'.join(parts) + '\n'


def _table(header: Sequence[str], rows: Sequence[Sequence]) -> str:
    lines = [header, ['---'] * len(header), *rows]
    return '\n'.join('| ' + ' | '.join(map(str, line)) + ' |' for line in lines)


def _known(value: float | None) -> str:
    return '–' if value is None or np.isnan(value) else f'{value:.0f}'


def _interval(row: dict, name: str, form: str) -> str:
    return f'{row[name]:{form}} [{row[f"{name}_low"]:{form}}, {row[f"{name}_high"]:{form}}]'


def _signed(estimate: Estimate, factor: float, form: str) -> str:
    value, low, high = (
        factor * number for number in (estimate.value, estimate.low, estimate.high)
    )
    return f'{value:{form}} [{low:{form}}, {high:{form}}]'
