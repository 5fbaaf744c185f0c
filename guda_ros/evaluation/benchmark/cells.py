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
import time
from typing import TYPE_CHECKING
import zipfile

import numpy as np

from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.pipeline import augment
from guda_ros.augmentation.task import Outcomes
from guda_ros.data.files import atomic_target
from guda_ros.data.transitions import TransitionSet
from guda_ros.errors import GudaError
from guda_ros.evaluation.benchmark.plan import identity, Plan
from guda_ros.learning.algorithms import algorithm as find_algorithm
from guda_ros.learning.batches import data_hash

if TYPE_CHECKING:
    from guda_ros.learning.bc import BC

#: Seeds that are trained together in stacked networks. With 64 units five take less than half the
#: time that they take one by one; more keep the augmentation from being made again.
TOGETHER = 10


class BenchmarkError(GudaError):
    """Cells cannot be read or do not belong together; the message says what to do."""


@dataclass(frozen=True)
class Group:
    """
    Cells of one augmentation that are made one after another from the same training sets.

    missing: seeds by algorithm, which are trained together. data_seeds: for every seed the first
    of all seeds that begins with the same initial data, which is also the seed of its
    augmentation.
    """

    augmentation: str
    missing: dict[str, tuple[int, ...]]
    data_seeds: dict[int, int]

    @property
    def cells(self) -> int:
        """How many cells are missing."""
        return sum(map(len, self.missing.values()))


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


def initial_sets(plan: Plan, data: str | os.PathLike[str]) -> dict[int, tuple[int, TransitionSet]]:
    """Return for every seed the first seed that begins with the same data, and that data."""
    kind = plan.kind()
    sets: dict[int, tuple[int, TransitionSet]] = {}
    first: dict[str, tuple[int, TransitionSet]] = {}
    for seed in range(plan.seeds):
        recorded = kind.initial_data(data, seed)
        sets[seed] = first.setdefault(data_hash(recorded), (seed, recorded))
    return sets


def cell_path(
    folder: str | os.PathLike[str], plan: Plan, algorithm: str, augmentation: str, seed: int
) -> Path:
    """Return where a cell is kept."""
    return Path(folder) / plan.name / algorithm / augmentation / f'seed_{seed}.npz'


def missing_groups(
    plan: Plan, data: str | os.PathLike[str], folder: str | os.PathLike[str]
) -> list[Group]:
    """
    Return what is left to do.

    :raises BenchmarkError: if the folder holds cells that were made in another way.
    """
    sets = initial_sets(plan, data)
    left = []
    for augmentation in plan.augmentations:
        missing: dict[str, list[int]] = {}
        for algorithm in plan.algorithms:
            expected = identity(plan, algorithm, augmentation)
            for seed, (first, recorded) in sets.items():
                path = cell_path(folder, plan, algorithm, augmentation, seed)
                if path.exists():
                    _require_same(path, {**expected, **_origin(first, recorded)})
                else:
                    missing.setdefault(algorithm, []).append(seed)
        for begin in range(0, plan.seeds, TOGETHER):
            some = range(begin, min(begin + TOGETHER, plan.seeds))
            parts = {
                name: tuple(seed for seed in seeds if seed in some)
                for name, seeds in missing.items()
            }
            parts = {name: seeds for name, seeds in parts.items() if seeds}
            if parts:
                left.append(Group(augmentation, parts, {seed: sets[seed][0] for seed in some}))
    return left


def run_group(plan: Plan, data: str, folder: str, group: Group) -> float:
    """Train and judge the cells of a group and write their files; return the seconds it took."""
    begin = time.monotonic()
    needed = {seed for seeds in group.missing.values() for seed in seeds}
    recorded = {
        first: plan.kind().initial_data(data, first)
        for first in {group.data_seeds[seed] for seed in needed}
    }
    sets = {
        first: training_set(plan, group.augmentation, steps, first)
        for first, steps in recorded.items()
    }
    for algorithm, seeds in group.missing.items():
        firsts = [group.data_seeds[seed] for seed in seeds]
        cells = _train(plan, algorithm, group.augmentation, seeds, [sets[one] for one in firsts])
        for cell, first in zip(cells, firsts):
            about = {
                **cell.about,
                **identity(plan, algorithm, group.augmentation),
                **_origin(first, recorded[first]),
            }
            path = cell_path(folder, plan, algorithm, group.augmentation, cell.seed)
            save_cell(path, replace(cell, about=about))
    return time.monotonic() - begin


def _train(
    plan: Plan,
    algorithm: str,
    augmentation: str,
    seeds: Sequence[int],
    sets: Sequence[TransitionSet],
) -> list[Cell]:
    """Train seeds together, each with its set, and judge them."""
    config, judging = plan.algorithms[algorithm], plan.judging
    total = config.updates + getattr(config, 'bc_updates', 0)
    config = replace(config, log_every=-(-total // judging.curve_points))
    contract = sets[0].contract
    learner = find_algorithm(algorithm)(sets, contract, config, seeds)
    task = plan.kind()(contract)
    curve: dict[int, list[Outcomes]] = {seed: [] for seed in seeds}

    def judge(_: BC) -> None:
        for seed in seeds:
            curve[seed].append(
                task.evaluate(
                    learner.policy(seed).predict, judging.curve_rollouts, judging.curve_seed
                )
            )

    learner.learn(judge)
    return [
        Cell(
            algorithm,
            augmentation,
            seed,
            task.evaluate(learner.policy(seed).predict, judging.rollouts, judging.starts_seed),
            np.array(learner.history['update']),
            np.stack([point.returns for point in curve[seed]]),
            np.stack([point.successes for point in curve[seed]]),
            {'rows': len(steps), 'seconds': round(learner.seconds / len(seeds), 2)},
        )
        for seed, steps in zip(seeds, sets)
    ]


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
            about=json.dumps(
                {
                    **cell.about,
                    'algorithm': cell.algorithm,
                    'augmentation': cell.augmentation,
                    'seed': cell.seed,
                }
            ),
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
                about.pop('algorithm'),
                about.pop('augmentation'),
                about.pop('seed'),
                Outcomes(file['returns'], file['successes'], file['steps']),
                file['updates'],
                file['curve_returns'],
                file['curve_successes'],
                about,
            )
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BenchmarkError(
            f'{path}: no cell of a benchmark, or damaged ({error}); remove it, and the next run '
            'makes it again'
        ) from error


def finished_cells(plan: Plan, folder: str | os.PathLike[str]) -> Iterator[Cell]:
    """Yield the cells of a plan that are finished, in its order."""
    for algorithm in plan.algorithms:
        for augmentation in plan.augmentations:
            for seed in range(plan.seeds):
                path = cell_path(folder, plan, algorithm, augmentation, seed)
                if path.exists():
                    yield load_cell(path)


def _origin(data_seed: int, recorded: TransitionSet) -> dict:
    return {'data_seed': data_seed, 'data_hash': data_hash(recorded)}


def _require_same(path: Path, expected: dict) -> None:
    found = load_cell(path).about
    differing = [
        f'{key}: {value} now, {found.get(key, "nothing")} there'
        for key, value in expected.items()
        if found.get(key) != value
    ]
    if differing:
        raise BenchmarkError(
            f'{path}: was made in another way:\n  '
            + '\n  '.join(differing)
            + '\nchoose another --out, or remove that folder to make its cells again'
        )
