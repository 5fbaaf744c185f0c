"""What a benchmark compares: its file in config/benchmarks, and the choices of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
import os
from pathlib import Path

from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.registry import load_task
from guda_ros.augmentation.task import Task
from guda_ros.config.files import ConfigError, find_config, load_yaml, Section
from guda_ros.learning.algorithms import ALGORITHMS, parse_config, shortened
from guda_ros.learning.learner import LearnerConfig


@dataclass(frozen=True)
class Augmentation:
    """What recorded transitions are augmented by; no guide, no transitions: not at all."""

    guide: str = ''
    transitions: int = 0


@dataclass(frozen=True)
class Judging:
    """
    How policies are judged.

    rollouts: episodes of the finished policy, from the starts of starts_seed. curve_points: times
    that it is judged while it learns, the last one at the end, in curve_rollouts episodes from the
    starts of curve_seed.
    """

    rollouts: int
    starts_seed: int
    curve_points: int
    curve_rollouts: int
    curve_seed: int


@dataclass(frozen=True)
class Plan:
    """
    A benchmark: cells are all of `algorithms` x `augmentations` x `seeds`.

    paper: published figures by algorithm and augmentation, to be shown beside ours.
    """

    name: str
    task: str
    seeds: int
    judging: Judging
    augmentations: dict[str, Augmentation]
    algorithms: dict[str, LearnerConfig]
    paper: dict[str, dict[str, float]]

    @classmethod
    def load(cls, name: str | os.PathLike[str]) -> Plan:
        """Read a name in config/benchmarks or a YAML file; ConfigError names what is wrong."""
        path = find_config('benchmarks', name)
        root = Section(load_yaml(path), path)
        task = root.text('task')
        load_task(task)
        curve = root.section('curve')
        judging = Judging(
            root.integer('rollouts', 1, 10**5),
            root.integer('starts_seed', 0, 2**32 - 1),
            curve.integer('points', 1, 1000),
            curve.integer('rollouts', 1, 10**5),
            curve.integer('starts_seed', 0, 2**32 - 1),
        )
        curve.close()
        if judging.starts_seed == judging.curve_seed:
            root.fail('starts_seed', 'the starts of the curve must be others than those reported')
        section = root.section('augmentations')
        augmentations = {name: _augmentation(section, name, path) for name in section.keys()}
        section = root.section('algorithms')
        algorithms = {name: _algorithm(section, name, path) for name in section.keys()}
        plan = cls(
            path.stem,
            task,
            root.integer('seeds', 1, 1000),
            judging,
            augmentations,
            algorithms,
            _paper(root),
        )
        root.close()
        return plan

    def choose(
        self,
        algorithms: Sequence[str] | None = None,
        augmentations: Sequence[str] | None = None,
        seeds: int | None = None,
        updates: int | None = None,
    ) -> Plan:
        """
        Return a plan with a part of the cells; None leaves a choice as it is.

        :raises ConfigError: if the plan does not have what is chosen.
        """
        chosen = replace(
            self,
            seeds=seeds or self.seeds,
            algorithms=_part(self.name, 'algorithm', self.algorithms, algorithms),
            augmentations=_part(self.name, 'augmentation', self.augmentations, augmentations),
        )
        if updates:
            chosen = replace(
                chosen,
                algorithms={
                    name: shortened(config, updates) for name, config in chosen.algorithms.items()
                },
            )
        return chosen

    def kind(self) -> type[Task]:
        """Return the class of the task."""
        return load_task(self.task)


def _part(plan: str, what: str, known: dict, names: Sequence[str] | None) -> dict:
    for name in names or ():
        if name not in known:
            raise ConfigError(
                f'benchmark {plan} has no {what} {name!r}; it has {", ".join(known)}'
            )
    return {name: known[name] for name in names or known}


def _augmentation(section: Section, name: str, path: Path) -> Augmentation:
    part = section.section(name)
    if not part.keys():
        return Augmentation()
    guide = part.text('guide')
    if Path(guide).suffix and (path.parent / guide).is_file():
        # A task of one's own has its guides beside its benchmark.
        guide = str(path.parent / guide)
    found = Augmentation(guide, part.integer('transitions', 1, 10**9))
    part.close()
    return found


def _paper(root: Section) -> dict[str, dict[str, float]]:
    if not root.has('paper'):
        return {}
    section = root.section('paper')
    rows = {name: section.section(name) for name in section.keys()}
    return {name: {key: row.number(key) for key in row.keys()} for name, row in rows.items()}


def _algorithm(section: Section, name: str, path: Path) -> LearnerConfig:
    if name not in ALGORITHMS:
        section.fail(name, f'is unknown; known: {", ".join(ALGORITHMS)}')
    return parse_config(name, section.section(name).rest(), path)[1]


def identity(plan: Plan, algorithm: str, augmentation: str) -> dict:
    """Return all that decides about a cell besides its seed and data, as plain values."""
    chosen = plan.augmentations[augmentation]
    guide = load_guide(chosen.guide).hash if chosen.guide else ''
    config = asdict(plan.algorithms[algorithm])
    return {
        'task': plan.task,
        **{f'judging.{key}': value for key, value in asdict(plan.judging).items()},
        'guide': chosen.guide,
        'guide_hash': guide,
        'transitions': chosen.transitions,
        **{
            key: list(value) if isinstance(value, tuple) else value
            for key, value in config.items()
            if key not in ('threads', 'device', 'log_every')
        },
    }
