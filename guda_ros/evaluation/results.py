"""
Results of an evaluation: what became of every start, for one policy or many, in one JSON file.

The same file comes from the batched simulator, from the ROS graph and from the robot. It carries
what must agree before two results may be compared: the set of starts and the contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
import json
import math
import os
from pathlib import Path
import re

import numpy as np

from guda_ros.arguments import as_path
from guda_ros.data.contract import Contract, read_contract
from guda_ros.data.contract_base import ContractBase, ContractMismatch
from guda_ros.data.files import atomic_target
from guda_ros.data.registry import SOCCER, UnknownTask
from guda_ros.data.verdicts import JUDGED
from guda_ros.errors import GudaError
from guda_ros.evaluation.start_sets import StartSet
from guda_ros.soccer.starts import SIZE

FORMAT = 'guda_ros evaluation'
VERSION = 1
FILE = 'results.json'
#: Where an episode took place.
MEANS = {
    'batch': 'batched simulator',
    'ros': 'ROS graph, simulated robot',
    'robot': 'robot, an operator judged',
}


class ResultError(GudaError):
    """A result cannot be used; the message names the file, what is wrong and what to do."""


@dataclass(frozen=True)
class Episode:
    """What became of one start."""

    #: Its number in the set.
    start: int
    #: One of JUDGED.
    verdict: str
    #: From the start (on a robot, from the first command) to the verdict [s].
    seconds: float
    #: How often the robot touched the ball, None if that is not known.
    touches: int | None = None
    #: How often it fell, None if that is not known.
    falls: int | None = None
    #: Why it ended so, for a person.
    message: str = ''
    #: Name of its recording, if there is one.
    id: str = ''

    @property
    def scored(self) -> bool:
        """Tell whether it ended with a goal."""
        return self.verdict == 'scored'


@dataclass(frozen=True)
class PolicyResult:
    """The episodes of one policy, at most one for each start, by the number of the start."""

    #: What it is called in tables and pages.
    name: str
    #: Policies of one group differ only in their training seed.
    group: str
    #: Where the episodes took place, one of MEANS.
    means: str
    #: What became of each start.
    episodes: tuple[Episode, ...]
    #: Of the training, None if that is not known.
    seed: int | None = None
    #: The policy file, empty for a demonstrator.
    file: str = ''
    #: That file's SHA-256, empty for a demonstrator.
    sha256: str = ''
    #: What it was trained by.
    algorithm: str = ''

    @property
    def by_start(self) -> dict[int, Episode]:
        """The episodes by the number of their start."""
        return {episode.start: episode for episode in self.episodes}


@dataclass(frozen=True)
class Evaluation:
    """Policies judged from the same starts."""

    #: What they were judged by.
    contract: ContractBase
    #: Name of the robot profile, empty where a task has none.
    robot: str
    #: Those that were tried, the first of their set.
    starts: StartSet
    #: Who was judged, with the episodes.
    policies: tuple[PolicyResult, ...]
    #: When, as text in UTC.
    made_at: str = ''
    #: On what.
    machine: str = ''
    #: Of the software, by package.
    versions: Mapping[str, str] = field(default_factory=dict)
    #: Command lines that were run.
    commands: Sequence[str] = ()
    #: What a reader of the numbers must know.
    notes: Sequence[str] = ()

    @property
    def groups(self) -> dict[str, list[PolicyResult]]:
        """The policies by group, in the order in which groups first appear."""
        groups: dict[str, list[PolicyResult]] = {}
        for policy in self.policies:
            groups.setdefault(policy.group, []).append(policy)
        return groups

    @property
    def success_rates(self) -> dict[str, float]:
        """The share of its starts from which each policy scored, by its name."""
        return {
            policy.name: sum(episode.scored for episode in policy.episodes) / len(policy.episodes)
            for policy in self.policies
            if policy.episodes
        }

    def as_dict(self) -> dict:
        """Return plain values for JSON."""
        task = self.contract.task
        return {
            'format': FORMAT,
            'version': VERSION,
            'made_at': self.made_at,
            'machine': self.machine,
            'versions': dict(self.versions),
            'commands': list(self.commands),
            'notes': list(self.notes),
            **({} if task == SOCCER else {'task': task}),
            'contract': json.loads(self.contract.to_json()),
            'contract_hash': self.contract.hash,
            'robot': self.robot,
            'start_set': {
                'name': self.starts.name,
                'hash': self.starts.hash,
                'count': len(self.starts),
                'scenarios': list(self.starts.scenarios),
                'starts': self.starts.starts.tolist(),
            },
            'policies': [asdict(policy) for policy in self.policies],
        }

    @classmethod
    def from_dict(cls, content: Mapping, where: str) -> Evaluation:
        """
        Check and take plain values.

        :param where: named in errors.
        :raises ResultError: saying what is wrong.
        """
        if not isinstance(content, Mapping) or content.get('format') != FORMAT:
            raise ResultError(f'{where}: no result of `guda evaluate`')
        if content.get('version') != VERSION:
            raise ResultError(
                f'{where}: is of version {content.get("version")!r} of the format, this program '
                f'reads {VERSION}; evaluate again'
            )
        try:
            evaluation = cls(
                contract=read_contract(
                    content.get('task', SOCCER),
                    json.dumps(content['contract'], sort_keys=True, separators=(',', ':')),
                ),
                robot=str(content['robot']),
                starts=_read_starts(content['start_set']),
                policies=tuple(_read_policy(entry) for entry in content['policies']),
                made_at=str(content['made_at']),
                machine=str(content['machine']),
                versions=dict(content['versions']),
                commands=tuple(map(str, content['commands'])),
                notes=tuple(map(str, content['notes'])),
            )
            evaluation.check()
        except UnknownTask as error:
            raise ResultError(f'{where}: {error}') from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            told = f'lacks {error}' if isinstance(error, KeyError) else str(error)
            raise ResultError(f'{where}: is damaged ({told}); evaluate again') from error
        if evaluation.contract.hash != content.get('contract_hash'):
            raise ResultError(f'{where}: its contract was altered; evaluate again')
        return evaluation

    def check(self) -> None:
        """Raise ValueError naming what cannot be."""
        names = [policy.name for policy in self.policies]
        if not names:
            raise ValueError('there is no policy in it')
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f'{", ".join(doubled)}: given twice')
        if isinstance(self.contract, Contract) and self.starts.starts.shape[1] != SIZE:
            raise ValueError(f'start_set: a start has {SIZE} numbers')
        for policy in self.policies:
            numbers = [episode.start for episode in policy.episodes]
            if len(set(numbers)) != len(numbers):
                raise ValueError(f'{policy.name}: a start was counted twice')
            if any(not 0 <= number < len(self.starts) for number in numbers):
                raise ValueError(f'{policy.name}: an episode of a start that is not in the set')

    def save(self, folder: str | os.PathLike[str], summary: Mapping | None = None) -> Path:
        """
        Write FILE to a folder in one step and return its path.

        :param summary: what follows from the episodes, for readers that do no statistics.
        """
        path = as_path(folder, 'out') / FILE
        content = self.as_dict() | ({'summary': summary} if summary else {})
        with atomic_target(path) as temporary:
            temporary.write_text(
                json.dumps(content, indent=1, allow_nan=False) + '\n', encoding='utf-8'
            )
        return path


def load_results(path: str | os.PathLike[str]) -> Evaluation:
    """
    Read a result file, or that in a folder.

    :raises ResultError: saying what is wrong with it.
    """
    path = as_path(path, 'results')
    if path.is_dir():
        path = path / FILE
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise ResultError(f'{path}: cannot be read: {error.strerror}') from error
    except ValueError as error:
        raise ResultError(f'{path}: is no JSON ({error}); evaluate again') from error
    return Evaluation.from_dict(content, str(path))


def combine(results: Sequence[tuple[str, Evaluation]]) -> Evaluation:
    """
    Put policies of several results into one; those of a name that occurs twice get longer ones.

    :param results: (name of the result, result).
    :raises ResultError: if they are not of the same starts and contract.
    """
    (first_name, first), *others = results
    for name, other in others:
        require_comparable(first_name, first, name, other)
    longest = max((evaluation for _, evaluation in results), key=lambda e: len(e.starts))
    names = [policy.name for _, evaluation in results for policy in evaluation.policies]
    groups: dict[str, set[int]] = {}
    for number, (_, evaluation) in enumerate(results):
        for group in evaluation.groups:
            groups.setdefault(group, set()).add(number)
    policies = []
    for label, (_, evaluation) in zip(_labels([name for name, _ in results]), results):
        for policy in evaluation.policies:
            policies.append(
                replace(
                    policy,
                    name=f'{label}: {policy.name}'
                    if names.count(policy.name) > 1
                    else policy.name,
                    group=f'{label}: {policy.group}'
                    if len(groups[policy.group]) > 1
                    else policy.group,
                )
            )
    return replace(
        first,
        starts=longest.starts,
        policies=tuple(policies),
        notes=tuple(dict.fromkeys(note for _, e in results for note in e.notes)),
    )


def require_comparable(
    first_name: str, first: Evaluation, second_name: str, second: Evaluation
) -> None:
    """Raise ResultError, saying what differs, unless outcomes can be paired start by start."""
    if (first.starts.name, first.starts.hash) != (second.starts.name, second.starts.hash):
        raise ResultError(
            f'{first_name} is of the starts {first.starts.name} ({first.starts.hash}), '
            f'{second_name} of {second.starts.name} ({second.starts.hash}): they cannot be '
            'compared; evaluate both from the same set'
        )
    tried = min(len(first.starts), len(second.starts))
    if not np.array_equal(first.starts.starts[:tried], second.starts.starts[:tried]):
        raise ResultError(
            f'{first_name} and {second_name} tell the same hash of their starts, but their starts '
            'differ: one of the files was altered'
        )
    try:
        first.contract.require(second.contract, second_name)
    except ContractMismatch as error:
        raise ResultError(
            f'{error}\nResults of different contracts cannot be compared.'
        ) from error
    if first.robot != second.robot:
        raise ResultError(
            f'{first_name} is of the robot {first.robot}, {second_name} of {second.robot}: they '
            'cannot be compared'
        )


def common_starts(policies: Iterable[PolicyResult]) -> list[int]:
    """Return the numbers of the starts that all policies have tried, in order."""
    tried = [set(policy.by_start) for policy in policies]
    return sorted(set.intersection(*tried)) if tried else []


def success_matrix(policies: Sequence[PolicyResult], starts: Sequence[int]) -> np.ndarray:
    """Return (policies, starts) whether each policy scored from each start."""
    tables = [policy.by_start for policy in policies]
    return np.array([[table[s].scored for s in starts] for table in tables], dtype=bool).reshape(
        len(policies), len(starts)
    )


def group_names(paths: Sequence[Path]) -> list[tuple[str, str, int | None]]:
    """
    Return name, group and seed of each policy file: `guided_0.onnx` is seed 0 of `guided`.

    Files of one name in different folders are told apart by the folder.
    """
    found = []
    for label in _labels([str(path.absolute().with_suffix('')) for path in paths]):
        match = re.fullmatch(r'(.+?)_(\d+)', label)
        found.append((label, match[1], int(match[2])) if match else (label, label, None))
    return found


def _labels(names: Sequence[str]) -> list[str]:
    """Return the last part of each path, with as many parts before it as tell them apart."""
    parts = [[part for part in Path(name).parts if part not in ('/', '.')] for name in names]
    parts = [p[:-1] if p and p[-1] == FILE and len(p) > 1 else p for p in parts]
    depth = 1
    while depth < max(map(len, parts), default=1):
        labels = ['/'.join(part[-depth:]) for part in parts]
        if len(set(labels)) == len(labels):
            return labels
        depth += 1
    return ['/'.join(part[-depth:]) for part in parts]


def _read_starts(content: Mapping) -> StartSet:
    starts = np.array(content['starts'], dtype=float)
    if starts.ndim != 2:
        raise ValueError('start_set: starts of different sizes')
    scenarios = tuple(map(str, content['scenarios']))
    if len(starts) != content['count'] or len(scenarios) != len(starts):
        raise ValueError('start_set: the number of starts is not that which it tells')
    if not np.isfinite(starts).all():
        raise ValueError('start_set: a start is not finite')
    return StartSet(str(content['name']), starts, scenarios, str(content['hash']))


def _read_policy(content: Mapping) -> PolicyResult:
    values = dict(content)
    episodes = tuple(_read_episode(entry) for entry in values.pop('episodes'))
    policy = PolicyResult(episodes=episodes, **values)
    if policy.means not in MEANS:
        raise ValueError(f'{policy.name}: means: {policy.means!r} is not known')
    return policy


def _read_episode(content: Mapping) -> Episode:
    episode = Episode(**content)
    if episode.verdict not in JUDGED:
        raise ValueError(f'start {episode.start}: verdict: {episode.verdict!r} is not known')
    if not isinstance(episode.start, int) or isinstance(episode.start, bool):
        raise ValueError(f'start: {episode.start!r} is no number of a start')
    for name in ('seconds', 'touches', 'falls'):
        value = getattr(episode, name)
        if value is None and name != 'seconds':
            continue
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float))
            or not (math.isfinite(value) and value >= 0)
        ):
            raise ValueError(f'start {episode.start}: {name}: {value!r} is impossible')
    return episode
