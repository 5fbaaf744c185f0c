"""
Cells of a benchmark: train, judge while it learns and at the end, keep what came out in a file.

A cell is one algorithm on one kind of augmentation with one seed. Its file appears when the cell
is finished, in one step, so that a run that was killed goes on with the cells that are missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
import json
import os
from pathlib import Path
import zipfile

import numpy as np

from guda_ros.augmentation.pipeline import augment
from guda_ros.augmentation.task import Outcomes
from guda_ros.data.files import atomic_target
from guda_ros.data.transitions import TransitionSet
from guda_ros.errors import GudaError
from guda_ros.evaluation.benchmark_plan import identity, Plan
from guda_ros.learning.algorithms import algorithm as find_algorithm
from guda_ros.learning.batches import data_hash
from guda_ros.tasks.registry import load_guide

#: Seeds that are trained together in stacked networks: of networks of 64 units five take less
#: than half the time that they take one by one, more gain little.
TOGETHER = 5


class BenchmarkError(GudaError):
    """Cells cannot be read or do not belong together; the message says what to do."""


@dataclass(frozen=True)
class Group:
    """
    Cells that are trained together: seeds of one algorithm on one augmentation.

    data_seeds: for every seed the first of all seeds that begins with the same initial data, which
    is also the seed of its augmentation.
    """

    algorithm: str
    augmentation: str
    seeds: tuple[int, ...]
    data_seeds: tuple[int, ...]


@dataclass(frozen=True)
class Cell:
    """
    What came out of one training.

    outcomes: of the finished policy. updates (K,), curve_returns and curve_successes (K, C): of
    the episodes that it was judged in while it learned. about: identity, data and time.
    """

    algorithm: str
    augmentation: str
    seed: int
    outcomes: Outcomes
    updates: np.ndarray
    curve_returns: np.ndarray
    curve_successes: np.ndarray
    about: dict


def initial_sets(plan: Plan, data: str | os.PathLike) -> dict[int, tuple[int, TransitionSet]]:
    """Return for every seed the first seed that begins with the same data, and that data."""
    kind = plan.kind()
    sets: dict[int, tuple[int, TransitionSet]] = {}
    first: dict[str, tuple[int, TransitionSet]] = {}
    for seed in range(plan.seeds):
        recorded = kind.initial_data(data, seed)
        sets[seed] = first.setdefault(data_hash(recorded), (seed, recorded))
    return sets


def cell_path(
    folder: str | os.PathLike, plan: Plan, algorithm: str, augmentation: str, seed: int
) -> Path:
    """Return where a cell is kept."""
    return Path(folder) / plan.name / algorithm / augmentation / f'seed_{seed}.npz'


def missing_groups(
    plan: Plan, data: str | os.PathLike, folder: str | os.PathLike
) -> list[Group]:
    """
    Return what is left to do, algorithm after algorithm.

    :raises BenchmarkError: if the folder holds cells that were made in another way.
    """
    sets = initial_sets(plan, data)
    left = []
    for algorithm in plan.algorithms:
        for augmentation in plan.augmentations:
            expected = identity(plan, algorithm, augmentation)
            seeds = []
            for seed, (first, recorded) in sets.items():
                path = cell_path(folder, plan, algorithm, augmentation, seed)
                if path.exists():
                    _require_same(path, {**expected, **_origin(first, recorded)})
                else:
                    seeds.append(seed)
            for begin in range(0, len(seeds), TOGETHER):
                some = tuple(seeds[begin : begin + TOGETHER])
                left.append(Group(algorithm, augmentation, some,
                                  tuple(sets[seed][0] for seed in some)))
    return left


def run_group(plan: Plan, data: str, folder: str, group: Group) -> float:
    """Train and judge the cells of a group and write their files; return the seconds it took."""
    kind = plan.kind()
    recorded = {seed: kind.initial_data(data, seed) for seed in set(group.data_seeds)}
    sets = {seed: training_set(plan, group.augmentation, steps, seed)
            for seed, steps in recorded.items()}
    config, judging = plan.algorithms[group.algorithm], plan.judging
    total = config.updates + getattr(config, 'bc_updates', 0)
    contract = recorded[group.data_seeds[0]].contract
    learner = find_algorithm(group.algorithm)(
        [sets[seed] for seed in group.data_seeds], contract,
        replace(config, log_every=-(-total // judging.curve_points)), group.seeds,
    )
    task = kind(contract)
    curve: dict[int, list[Outcomes]] = {seed: [] for seed in group.seeds}

    def judge(_) -> None:
        for seed in group.seeds:
            curve[seed].append(task.evaluate(
                learner.policy(seed).predict, judging.curve_rollouts, judging.curve_seed
            ))

    learner.learn(judge)
    for seed, data_seed in zip(group.seeds, group.data_seeds):
        outcomes = task.evaluate(
            learner.policy(seed).predict, judging.rollouts, judging.starts_seed
        )
        about = {
            **identity(plan, group.algorithm, group.augmentation),
            **_origin(data_seed, recorded[data_seed]),
            'rows': len(sets[data_seed]),
            'seconds': round(learner.seconds / len(group.seeds), 2),
        }
        save_cell(
            cell_path(folder, plan, group.algorithm, group.augmentation, seed),
            Cell(
                group.algorithm, group.augmentation, seed, outcomes,
                np.array(learner.history['update']),
                np.stack([point.returns for point in curve[seed]]),
                np.stack([point.successes for point in curve[seed]]),
                about,
            ),
        )
    return learner.seconds


def training_set(
    plan: Plan, augmentation: str, recorded: TransitionSet, seed: int
) -> TransitionSet:
    """Return the recorded transitions and, unless there is no guide, the augmented ones."""
    chosen = plan.augmentations[augmentation]
    if not chosen.guide:
        return recorded
    made, _ = augment(recorded, load_guide(chosen.guide), chosen.transitions, seed)
    return TransitionSet.concatenate([recorded, made])


def save_cell(path: Path, cell: Cell) -> None:
    """Write a cell; the file appears when it is complete."""
    with atomic_target(path) as temporary, open(temporary, 'wb') as file:
        np.savez_compressed(
            file,
            about=json.dumps({
                **cell.about, 'algorithm': cell.algorithm, 'augmentation': cell.augmentation,
                'seed': cell.seed,
            }),
            returns=cell.outcomes.returns,
            successes=cell.outcomes.successes,
            steps=cell.outcomes.steps,
            updates=cell.updates,
            curve_returns=cell.curve_returns.astype(np.float32),
            curve_successes=cell.curve_successes,
        )


def load_cell(path: Path) -> Cell:
    """Read a cell; BenchmarkError if it is damaged."""
    try:
        with np.load(path) as file:
            about = json.loads(str(file['about']))
            return Cell(
                about.pop('algorithm'), about.pop('augmentation'), about.pop('seed'),
                Outcomes(file['returns'], file['successes'], file['steps']),
                file['updates'], file['curve_returns'], file['curve_successes'], about,
            )
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BenchmarkError(
            f'{path}: no cell of a benchmark, or damaged ({error}); remove it, and the next run '
            'makes it again'
        ) from error


def finished_cells(plan: Plan, folder: str | os.PathLike) -> Iterator[Cell]:
    """Yield the cells of a plan that are finished, in its order."""
    for algorithm in plan.algorithms:
        for augmentation in plan.augmentations:
            for seed in range(plan.seeds):
                path = cell_path(folder, plan, algorithm, augmentation, seed)
                if path.exists():
                    yield load_cell(path)


def labels(groups: Sequence[Group]) -> str:
    """Return how many trainings are in groups, in words."""
    return f'{sum(len(group.seeds) for group in groups)} trainings in {len(groups)} groups'


def _origin(data_seed: int, recorded: TransitionSet) -> dict:
    return {'data_seed': data_seed, 'data_hash': data_hash(recorded)}


def _require_same(path: Path, expected: dict) -> None:
    found = load_cell(path).about
    differing = [
        f'{key}: {value} now, {found.get(key, "nothing")} there'
        for key, value in expected.items() if found.get(key) != value
    ]
    if differing:
        raise BenchmarkError(
            f'{path}: was made in another way:\n  ' + '\n  '.join(differing)
            + '\nchoose another --out, or remove that folder to make its cells again'
        )
