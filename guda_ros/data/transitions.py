"""
Sets of single transitions, as learning takes them, and their HDF5 file.

A transition is one control step: world state, action, next world state, reward and whether the
task ended. Every transition knows the episode and step that it comes from and the rule that made
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
import json
import os
import shutil
from types import TracebackType
from typing import Any, TYPE_CHECKING

import numpy as np

from guda_ros.arguments import as_path
from guda_ros.config.files import shown
from guda_ros.data.contract import Contract
from guda_ros.data.contract import read_contract as read_task_contract
from guda_ros.data.contract_base import ContractBase
from guda_ros.data.episodes import Episode
from guda_ros.data.files import atomic_target
from guda_ros.data.hdf5 import check_claims
from guda_ros.data.messages import FARTHEST
from guda_ros.data.registry import SOCCER, UnknownTask
from guda_ros.errors import GudaError

if TYPE_CHECKING:
    from h5py import File

RAW = 'raw'
_FORMAT = 'guda_ros transitions'
_VERSION = 2
_CHUNK = 16384
#: What h5py, NumPy and json raise where a file is damaged.
_DAMAGE = (
    OSError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
    OverflowError,
    RecursionError,
)


#: Columns of every set, in the order of the file: type, and shape of a row where that is one for
#: all; the sizes of states and actions are those of the contract.
_COLUMNS = {
    'states': (np.float64, 'state_size'),
    'actions': (np.float32, 'action_size'),
    'next_states': (np.float64, 'state_size'),
    'rewards': (np.float32, None),
    'terminations': (np.bool_, None),
    'source_episode': (np.int32, None),
    'source_step': (np.int32, None),
    'rule': (np.uint8, None),
}
#: Those that say what a step is and where it comes from, without how a rule changed it.
STEP_COLUMNS = tuple(_COLUMNS)


def columns_of(contract: ContractBase, parameters: int) -> dict[str, tuple[type, tuple[int, ...]]]:
    """Return type and shape of a row of every column, in a set with so many parameters."""
    return {
        **{
            name: (dtype, (getattr(contract, size),) if size else ())
            for name, (dtype, size) in _COLUMNS.items()
        },
        'parameters': (np.float32, (parameters,)),
        'seed': (np.int64, ()),
    }


class DataSetError(GudaError):
    """A data set cannot be read or written; the message names the file and what to do."""


@dataclass(frozen=True, eq=False)
class TransitionSet:
    """
    M transitions of one contract, with their provenance.

    states, next_states (M, 10) float64: world states (`map`, m, rad); actions (M, 3) float32 in
    [-1, 1]; rewards (M,) float32; terminations (M,) bool: the task ended (goal or ball out), never
    a time-out. source_episode (M,) int32 indexes `episode_ids`; source_step (M,) int32 is the step
    in that episode; rule (M,) uint8 indexes `rule_names`. parameters (M, P) float32 are those of
    the rule's change, named by `parameter_names`; seed (M,) int64 is that of the augmentation.
    Recorded steps have no parameters and seed -1. episode_success tells of every episode whether
    it scored. Arrays are converted on construction, ValueError names one whose shape is wrong.

    The sizes of states and actions, here 10 and 3, are those that the contract gives.
    """

    contract: ContractBase
    states: np.ndarray
    actions: np.ndarray
    next_states: np.ndarray
    rewards: np.ndarray
    terminations: np.ndarray
    source_episode: np.ndarray
    source_step: np.ndarray
    rule: np.ndarray
    parameters: np.ndarray | None = None
    seed: np.ndarray | None = None
    parameter_names: tuple[str, ...] = ()
    rule_names: tuple[str, ...] = (RAW,)
    episode_ids: tuple[str, ...] = ()
    episode_success: tuple[bool, ...] = ()
    info: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(np.atleast_1d(self.rewards))
        object.__setattr__(self, 'parameter_names', tuple(self.parameter_names))
        if self.parameters is None:
            none = np.zeros((count, len(self.parameter_names)))
            object.__setattr__(self, 'parameters', none)
        if self.seed is None:
            object.__setattr__(self, 'seed', np.full(count, -1))
        for name, (dtype, shape) in self._columns().items():
            column = np.ascontiguousarray(getattr(self, name), dtype=dtype)
            if column.shape != (count, *shape):
                raise ValueError(
                    f'{name}: shape {(count, *shape)} is expected, not {column.shape}'
                )
            object.__setattr__(self, name, column)
        object.__setattr__(self, 'rule_names', tuple(self.rule_names))
        object.__setattr__(self, 'episode_ids', tuple(self.episode_ids))
        object.__setattr__(self, 'episode_success', tuple(map(bool, self.episode_success)))
        if len(self.episode_success) != len(self.episode_ids):
            raise ValueError(
                f'episode_success: {len(self.episode_ids)} values are expected, '
                f'not {len(self.episode_success)}'
            )
        for name, names in (('rule', self.rule_names), ('source_episode', self.episode_ids)):
            column = getattr(self, name)
            if count and not (column.min() >= 0 and column.max() < len(names)):
                raise ValueError(f'{name}: an index is outside the list of {len(names)} names')

    def _columns(self) -> dict[str, tuple[type[float], tuple[int, ...]]]:
        return columns_of(self.contract, len(self.parameter_names))

    def __len__(self) -> int:
        return len(self.rewards)

    def _check_numbers(self) -> None:
        """Raise ValueError where a number cannot be: not finite, or of a place too far away."""
        bound = FARTHEST if isinstance(self.contract, Contract) else np.inf
        for name in ('states', 'actions', 'next_states', 'rewards'):
            column = getattr(self, name)
            # The least and the largest are found without a second array of that size.
            if len(column) and not (-bound < column.min() and column.max() < bound):
                rows = ~(np.abs(column.reshape(len(column), -1)) < bound).all(axis=1)
                raise ValueError(
                    f'{name}: {int(rows.sum())} of {len(column)} rows hold what cannot be, the '
                    f'first is row {int(np.argmax(rows))}'
                )

    def observations(self) -> np.ndarray:
        """Return the observations (M, D), float32, of `states` by the contract."""
        return self.contract.observe(self.states)

    def next_observations(self) -> np.ndarray:
        """Return the observations (M, D), float32, of `next_states` by the contract."""
        return self.contract.observe(self.next_states)

    def success(self) -> np.ndarray:
        """Tell (M,) of every transition whether the episode that it comes from scored."""
        return np.asarray(self.episode_success, dtype=bool)[self.source_episode]

    def rule_counts(self) -> dict[str, int]:
        """Return how many transitions each rule made."""
        counts = np.bincount(self.rule, minlength=len(self.rule_names))
        return {name: int(count) for name, count in zip(self.rule_names, counts)}

    def select(self, index: np.ndarray) -> TransitionSet:
        """Return the transitions of a mask, slice or index array; names and contract are kept."""
        return replace(self, **{name: getattr(self, name)[index] for name in self._columns()})

    @classmethod
    def concatenate(cls, sets: Iterable[TransitionSet]) -> TransitionSet:
        """
        Join sets of one contract in order; rules and episodes of the same name become one.

        :raises ContractMismatch: if the contracts differ.
        """
        sets = list(sets)
        if not sets:
            raise ValueError('at least one set of transitions is needed')
        rules: dict[str, int] = {}
        episodes: dict[str, int] = {}
        success: dict[str, bool] = {}
        parameters = tuple(dict.fromkeys(name for part in sets for name in part.parameter_names))
        columns: dict[str, list[np.ndarray]] = {name: [] for name in sets[0]._columns()}
        for part in sets:
            sets[0].contract.require(part.contract, 'a set of transitions')
            rule = np.array(
                [rules.setdefault(name, len(rules)) for name in part.rule_names], dtype=np.uint8
            )
            episode = np.array(
                [episodes.setdefault(name, len(episodes)) for name in part.episode_ids],
                dtype=np.int32,
            )
            success.update(zip(part.episode_ids, part.episode_success))
            for name in columns:
                columns[name].append(getattr(part, name))
            spread = np.zeros((len(part), len(parameters)), dtype=np.float32)
            spread[:, [parameters.index(name) for name in part.parameter_names]] = part.parameters
            columns['parameters'][-1] = spread
            columns['rule'][-1] = rule[part.rule]
            columns['source_episode'][-1] = episode[part.source_episode]
        joined = {name: np.concatenate(parts) for name, parts in columns.items()}
        return cls(
            sets[0].contract,
            **joined,
            rule_names=tuple(rules),
            parameter_names=parameters,
            episode_ids=tuple(episodes),
            episode_success=tuple(success[name] for name in episodes),
            info=dict(sets[0].info),
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """
        Write an HDF5 file; what was at `path` is replaced only when the new file is complete.

        :raises DataSetError: if the file cannot be written.
        """
        try:
            with atomic_target(path) as temporary:
                temporary.write_bytes(self._to_hdf5())
        except OSError as error:
            raise DataSetError(
                f'{path}: cannot be written: {error}; is there room on the disk, '
                'and may you write there?'
            ) from error

    def _to_hdf5(self) -> bytes:
        import h5py

        # Made in memory: on a full disk HDF5 cannot close its file, and ends the process at exit.
        with h5py.File('memory', 'w', driver='core', backing_store=False) as file:
            _describe(file, self.contract)
            _create(
                file,
                self._columns(),
                len(self),
                {name: getattr(self, name) for name in self._columns()},
            )
            _write_names(file, self)
            file.flush()
            return file.id.get_file_image()

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        read_contract: Callable[[str], ContractBase] | None = None,
        rows: slice = slice(None),
    ) -> TransitionSet:
        """
        Read what save or a TransitionWriter wrote.

        :param read_contract: makes the contract of its JSON; by default the task that the file
            names does.
        :param rows: which to read, from files that are larger than the memory.
        :raises UnknownTask: if that task is not installed.
        :raises DataSetError: if the file is missing, damaged or something else; names it and what
            to do.
        """
        import h5py

        path = as_path(path)
        if not path.is_file():
            raise DataSetError(f'{path}: no such file; make it with `guda augment`')
        try:
            with h5py.File(path, 'r') as file:
                check_claims(file)
                if file.attrs.get('format') != _FORMAT:
                    raise DataSetError(
                        f'{path}: not a set of transitions; make one with `guda augment`'
                    )
                version = int(file.attrs['version'])
                if version != _VERSION:
                    raise DataSetError(
                        f'{path}: format version {version}, this guda_ros reads version '
                        f'{_VERSION}; make the file again with `guda augment`'
                    )
                text = file.attrs['contract']
                if read_contract:
                    contract = read_contract(text)
                else:
                    contract = read_task_contract(file.attrs.get('task', SOCCER), text)
                if contract.hash != file.attrs['contract_hash']:
                    raise DataSetError(
                        f'{path}: its contract does not fit its hash; '
                        'make the file again with `guda augment`'
                    )
                names = json.loads(file['names'].asstr()[()])
                expected = columns_of(contract, len(names['parameters']))
                columns = {
                    name: file[name][rows]
                    for name, (_, shape) in expected.items()
                    if 0 not in shape
                }
            _check_names(names)
            for name, column in columns.items():
                if not np.can_cast(column.dtype, expected[name][0], 'same_kind'):
                    raise ValueError(f'{name}: {column.dtype} is no type for it')
            made = cls(
                contract,
                **columns,
                rule_names=names['rules'],
                parameter_names=names['parameters'],
                episode_ids=names['episodes'],
                episode_success=names['episode_success'],
                info=names['info'],
            )
            made._check_numbers()
            return made
        except UnknownTask as error:
            raise UnknownTask(f'{path}: {error}') from error
        except DataSetError:
            raise
        except _DAMAGE as error:
            raise DataSetError(
                f'{path}: damaged or incomplete ({error}); remove it and make it '
                'again with `guda augment`'
            ) from error


class TransitionWriter:
    """
    Write a file of transitions block by block; it appears when it is complete.

    With `with`: a block that raises leaves nothing behind.

    :param like: a set, of which contract and names are taken and no row.
    :param count: rows that will be written, for which there must be room on the disk.
    :raises DataSetError: if there is too little room or the file cannot be written.
    """

    def __init__(self, path: str | os.PathLike[str], like: TransitionSet, count: int) -> None:
        self._path = as_path(path)
        self._like = like
        self._count = count
        self._size = sum(
            np.dtype(dtype).itemsize * int(np.prod(shape))
            for dtype, shape in like._columns().values()
        )

    def __enter__(self) -> TransitionWriter:
        """Create the file."""
        import h5py

        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Asked before: on a full disk HDF5 cannot close its file, and ends the process.
            needed = self._count * self._size + 2**22
            if shutil.disk_usage(self._path.parent).free < needed:
                raise OSError(f'{needed / 1e6:.0f} MB are needed')
            self._target = atomic_target(self._path)
            temporary = self._target.__enter__()
            self._file = h5py.File(temporary, 'w')
        except OSError as error:
            raise self._failed(error) from error
        _describe(self._file, self._like.contract)
        _create(self._file, self._like._columns(), 0)
        return self

    def append(self, block: Mapping[str, np.ndarray]) -> None:
        """Write the rows of a block, which has all columns of a TransitionSet."""
        try:
            for name, (_, shape) in self._like._columns().items():
                if 0 in shape:
                    continue
                column, rows = self._file[name], block[name]
                column.resize(len(column) + len(rows), axis=0)
                column[len(column) - len(rows) :] = rows
        except OSError as error:
            raise self._failed(error) from error

    def finish(self, info: dict[str, Any]) -> None:
        """Write the names and what is to be known of the whole set; call it once, at the end."""
        _write_names(self._file, replace(self._like, info=info))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file and put it in its place."""
        self._file.close()
        self._target.__exit__(kind, value, trace)

    def _failed(self, error: Exception) -> DataSetError:
        return DataSetError(
            f'{self._path}: cannot be written: {error}; is there room on the '
            'disk, and may you write there?'
        )


def _check_names(names: dict[str, Any]) -> None:
    """Raise ValueError unless names are lists of texts, and what else is told is of its kind."""
    for key in ('rules', 'parameters', 'episodes'):
        if not (isinstance(names[key], list) and all(isinstance(n, str) for n in names[key])):
            raise ValueError(f'names: {key}: a list of names is expected, not {shown(names[key])}')
    flags = names['episode_success']
    if not (isinstance(flags, list) and all(isinstance(flag, bool) for flag in flags)):
        raise ValueError(
            f'names: episode_success: a list of flags is expected, not {shown(flags)}'
        )
    if not isinstance(names['info'], dict):
        raise ValueError(f'names: info: a mapping is expected, not {shown(names["info"])}')


def _describe(file: File, contract: ContractBase) -> None:
    file.attrs['format'] = _FORMAT
    file.attrs['version'] = _VERSION
    file.attrs['contract'] = contract.to_json()
    file.attrs['contract_hash'] = contract.hash
    if contract.task != SOCCER:
        file.attrs['task'] = contract.task


def _write_names(file: File, of: TransitionSet) -> None:
    file['names'] = json.dumps(
        {
            'rules': of.rule_names,
            'parameters': of.parameter_names,
            'episodes': of.episode_ids,
            'episode_success': of.episode_success,
            'info': of.info,
        }
    )


def _create(
    file: File,
    columns: dict[str, tuple[type[float], tuple[int, ...]]],
    count: int,
    data: dict[str, np.ndarray] | None = None,
) -> None:
    for name, (dtype, shape) in columns.items():
        if 0 in shape:
            continue
        rows = _CHUNK if data is None else max(1, min(count, _CHUNK))
        # The checksum turns a damaged block into an error instead of wrong numbers.
        file.create_dataset(
            name,
            shape=(count, *shape),
            data=data and data[name],
            dtype=dtype,
            fletcher32=True,
            chunks=(rows, *shape),
            maxshape=(None, *shape),
        )


def transitions(episodes: Iterable[Episode], contract: Contract) -> TransitionSet:
    """
    Return the usable steps of episodes, in order, as transitions of the rule 'raw'.

    A step is usable where the ball was known before and after it and the command was recorded.
    Rewards follow what the robot knew; whether the last step ended in a goal or with the ball out
    is the referee's word (the verdict), because the ball is often out of view in the goal.
    """
    episodes = list(episodes)
    layout = columns_of(contract, 0)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in layout}
    for index, episode in enumerate(episodes):
        usable = np.flatnonzero(episode.usable)
        rewards, terminations = rewards_and_terminations(episode, contract)
        parts['states'].append(episode.world_states[usable])
        parts['actions'].append(contract.to_action(episode.commands[usable]))
        parts['next_states'].append(episode.world_states[usable + 1])
        parts['rewards'].append(rewards[usable])
        parts['terminations'].append(terminations[usable])
        parts['source_episode'].append(np.full(len(usable), index))
        parts['source_step'].append(usable)
        parts['rule'].append(np.zeros(len(usable)))
        parts['parameters'].append(np.zeros((len(usable), 0)))
        parts['seed'].append(np.full(len(usable), -1))
    empty = {name: np.empty((0, *shape)) for name, (_, shape) in layout.items()}
    columns: dict[str, Any] = {
        name: np.concatenate([empty[name], *arrays]) for name, arrays in parts.items()
    }
    return TransitionSet(
        contract,
        **columns,
        episode_ids=tuple(episode.id for episode in episodes),
        episode_success=tuple(episode.success for episode in episodes),
    )


def rewards_and_terminations(
    episode: Episode, contract: Contract
) -> tuple[np.ndarray, np.ndarray]:
    """
    Return rewards (N,), NaN where a state is incomplete, and terminations (N,) of an episode.

    Progress is what the robot saw; the end is the referee's verdict, at the last step.
    """
    before, after = episode.world_states[:-1], episode.world_states[1:]
    rewards = contract.reward(before, after)
    terminations = np.zeros(len(before), dtype=bool)
    # Where the robot saw the ball over a line and the referee did not, or the other way round.
    seen = np.flatnonzero(contract.terminated(after))
    rewards[seen] -= contract.reward(after[seen], after[seen])
    if episode.verdict in ('scored', 'out') and len(before):
        end = contract.ended(episode.verdict == 'scored')
        rewards[-1] += contract.reward(end, end)
        terminations[-1] = True
    return rewards, terminations
