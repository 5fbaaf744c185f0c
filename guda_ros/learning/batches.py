"""Transitions as tensors that stay in memory, and the samplers that draw batches of them."""

from __future__ import annotations

from collections.abc import Sequence
import hashlib
from types import SimpleNamespace

import numpy as np
import torch

from guda_ros.data.contract_base import ContractBase
from guda_ros.data.transitions import RAW, STEP_COLUMNS, TransitionSet
from guda_ros.learning.networks import TrainingError

#: How rows of a batch are drawn.
SAMPLERS = ('uniform', 'balanced', 'return')
#: Rules of augmentation without a guide; what a rule besides them and RAW made is guided.
UNGUIDED = ('random',)
#: Updates whose random numbers are drawn in one go.
BLOCK = 32


class Table:
    """
    Named columns (M, width), float32, in one matrix: a batch is one index operation.

    :param sets: columns of one or more sets of rows, which follow one another.
    """

    def __init__(self, device: str, sets: Sequence[dict[str, torch.Tensor]]) -> None:
        columns = sets[0]
        self._data = torch.cat([_joined(one) for one in sets]).to(device)
        widths = [column.shape[1] if column.ndim > 1 else 1 for column in columns.values()]
        self._slices = {
            name: slice(end - width, end) if column.ndim > 1 else end - 1
            for (name, column), width, end in zip(
                columns.items(), widths, np.cumsum(widths).tolist()
            )
        }
        if 'observations' in columns and 'actions' in columns:
            # Side by side in memory, they are the critics' input without a copy.
            first, second = self._slices['observations'], self._slices['actions']
            if first.stop == second.start:
                self._slices['state_actions'] = slice(first.start, second.stop)

    def __len__(self) -> int:
        return len(self._data)

    def rows(self, index: torch.Tensor) -> SimpleNamespace:
        """Return the columns' values (S, B, width), or (S, B), at rows (S, B)."""
        values = self._data.index_select(0, index.reshape(-1)).view(*index.shape, -1)
        return SimpleNamespace(**{name: values[..., s] for name, s in self._slices.items()})


def _joined(columns: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return columns side by side (M, widths)."""
    return torch.cat(
        [
            column.float() if column.ndim > 1 else column.float()[:, None]
            for column in columns.values()
        ],
        dim=1,
    )


class Sampler:
    """
    Draws the rows of batches.

    uniform: every transition is as likely as another. balanced: original, guided and random
    transitions fill equal parts of each batch. return: a transition is drawn with the weight of
    its trajectory, exp((G - max G) / (temperature * (max G - min G))), G its return (Hong et al.
    2023, Harnessing Mixed Offline RL Datasets via Trajectory Weighting, arXiv 2306.13085).
    `original_share`, if above zero, is the part of each batch that is original; the sampler fills
    the rest.

    :raises TrainingError: if the data does not have what the sampler asks for.
    """

    def __init__(
        self,
        data: TransitionSet,
        kind: str = 'uniform',
        original_share: float = 0.0,
        temperature: float = 0.1,
    ) -> None:
        groups = sources(data)
        #: (part of the batch, rows, cumulative weights or None) of each segment of a batch.
        self._segments: list[tuple[float, np.ndarray, np.ndarray | None]] = []
        rest, left = np.arange(len(data)), 1.0
        if original_share > 0:
            original = groups.pop('original', np.empty(0, dtype=int))
            if not len(original) or (not groups and original_share < 1):
                raise TrainingError(
                    f'original_share {original_share:g}: the data needs original and augmented '
                    'transitions for it; give both with --data or set it to 0'
                )
            self._segments.append((original_share, original, None))
            left = 1.0 - original_share
            rest = np.sort(np.concatenate([*groups.values(), np.empty(0, dtype=int)]))
        if left <= 0:
            return
        if kind == 'balanced':
            self._segments += [(left / len(groups), rows, None) for rows in groups.values()]
        elif kind == 'return':
            weights = return_weights(data.select(rest), temperature)
            self._segments.append((left, rest, np.cumsum(weights) / weights.sum()))
        else:
            self._segments.append((left, rest, None))

    def draw(self, rng: np.random.Generator, batches: int, size: int) -> np.ndarray:
        """Return the rows (batches, size) of batches."""
        ends = np.rint(np.cumsum([part for part, *_ in self._segments]) * size).astype(int)
        columns = []
        for count, (_, rows, cumulative) in zip(np.diff(ends, prepend=0), self._segments):
            shape = (batches, count)
            if cumulative is None:
                index = rng.integers(0, len(rows), shape)
            else:
                index = np.searchsorted(cumulative, rng.random(shape), side='right')
                index = np.minimum(index, len(rows) - 1)
            columns.append(rows[index])
        return np.concatenate(columns, axis=1)


def sources(data: TransitionSet) -> dict[str, np.ndarray]:
    """Return the rows of every source that there is: original, guided, random."""
    kinds = np.array(
        [
            'original' if name == RAW else 'random' if name in UNGUIDED else 'guided'
            for name in data.rule_names
        ]
    )[data.rule]
    found = {name: np.flatnonzero(kinds == name) for name in ('original', 'guided', 'random')}
    return {name: rows for name, rows in found.items() if len(rows)}


def continues_next(data: TransitionSet) -> np.ndarray:
    """
    Tell (M,) of every transition whether the next row goes on from where it ends.

    That is so within a recording, and within what was augmented as a whole; rules that move every
    step by itself make rows without a successor.
    """
    follows = np.zeros(len(data), dtype=bool)
    follows[:-1] = (
        (data.source_episode[1:] == data.source_episode[:-1])
        & (data.rule[1:] == data.rule[:-1])
        & (data.source_step[1:] == data.source_step[:-1] + 1)
        & ~data.terminations[:-1]
        & (np.abs(data.next_states[:-1] - data.states[1:]).max(axis=1) < 1e-6)
    )
    return follows


def return_weights(data: TransitionSet, temperature: float) -> np.ndarray:
    """Return the weights (M,) of transitions by the returns of their trajectories."""
    trajectory = np.cumsum(np.r_[True, ~continues_next(data)[:-1]]) - 1
    returns = np.bincount(trajectory, weights=data.rewards)
    spread = returns.max() - returns.min()
    if spread == 0:
        return np.ones(len(data))
    return np.exp((returns - returns.max()) / (temperature * spread))[trajectory]


def chunks(data: TransitionSet, length: int) -> tuple[np.ndarray, np.ndarray]:
    """
    Return the actions (M, length, 3) from every transition on, and which of them (M, length) are.

    Beyond the end of a trajectory there are none: the last one is repeated and marked.
    """
    follows = continues_next(data)
    row, known = np.arange(len(data)), np.ones(len(data), dtype=bool)
    rows, masks = [row], [known]
    for _ in range(length - 1):
        known = known & follows[row]
        row = row + known
        rows.append(row)
        masks.append(known)
    return data.actions[np.stack(rows, axis=1)], np.stack(masks, axis=1)


def check_transitions(data: TransitionSet, contract: ContractBase) -> None:
    """
    Refuse what cannot be learnt from, before anything is trained.

    :raises ContractMismatch: if the transitions were made for another contract.
    :raises TrainingError: if there are too few, or a number is not finite.
    """
    contract.require(data.contract, 'the set of transitions')
    if len(data) < 2:
        raise TrainingError(
            f'{len(data)} transitions are too few to learn from; record demonstrations '
            'in which the ball is seen, and convert them'
        )
    with np.errstate(invalid='ignore'):
        check_finite('observations', data.observations())
        check_finite('next observations', data.next_observations())
    check_finite('actions', data.actions)
    check_finite('rewards', data.rewards)


def check_finite(name: str, values: np.ndarray) -> None:
    """Raise TrainingError that names the first row with a number that is not finite."""
    wrong = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if wrong.any():
        raise TrainingError(
            f'{name}: {int(wrong.sum())} of {len(values)} rows are not finite, the first is row '
            f'{int(np.argmax(wrong))}; make the data set again from the recordings'
        )


def data_problems(data: TransitionSet) -> list[str]:
    """Return what a person should know about the data before training: one line each."""
    problems = []
    used = np.unique(data.source_episode)
    if len(data.episode_success) and not np.asarray(data.episode_success)[used].any():
        problems.append(
            f'none of the {len(used)} episodes scored: a clone of them will not score either; '
            'record successes, or augment with guidance'
        )
    names = np.array(data.contract.observation_names)
    constant = np.ptp(data.observations(), axis=0) < 1e-6
    if constant.any():
        problems.append(
            f'constant in all of the data, so that the policy will ignore it: '
            f'{", ".join(names[constant])}'
        )
    still = np.ptp(data.actions, axis=0) < 1e-6
    if still.any():
        problems.append(
            'the command never changes: ' + ', '.join(np.array(data.contract.action_names)[still])
        )
    return problems


def data_hash(data: TransitionSet) -> str:
    """Return 16 hexadecimal digits that change with any transition."""
    digest = hashlib.sha256(data.contract.hash.encode())
    for name in STEP_COLUMNS:
        digest.update(np.ascontiguousarray(getattr(data, name)).data)
    digest.update(repr((data.rule_names, data.episode_ids)).encode())
    return digest.hexdigest()[:16]


def joint_hash(hashes: Sequence[str], numbers: Sequence[int]) -> str:
    """Return 16 hexadecimal digits of several sets and which of them each seed has."""
    return hashlib.sha256(repr((list(hashes), list(numbers))).encode()).hexdigest()[:16]


class Draws:
    """
    All random numbers of a training, as functions of the seed and the update.

    Nothing of it is state: a training that goes on draws what it would have drawn, and a seed
    draws the same alone and among others.

    :param samplers: one for every seed. :param begins: for every seed the row that its sampler
        calls 0.
    :param noise: for every name the kind, 'normal' or 'uniform' (in [-1, 1]), and the shape for
        one update of one seed.
    """

    def __init__(
        self,
        samplers: Sequence[Sampler],
        seeds: Sequence[int],
        batch_size: int,
        noise: dict[str, tuple[str, tuple[int, ...]]],
        device: str,
        begins: Sequence[int],
    ) -> None:
        self._samplers = samplers
        self._begins = begins
        self._seeds = seeds
        self._size = batch_size
        self._noise = noise
        self._device = device
        self._number = -1

    def at(self, update: int) -> tuple[torch.Tensor, SimpleNamespace]:
        """Return the rows (S, B) of the batch of an update (from 1 on) and the noise (S, ...)."""
        number, index = divmod(update - 1, BLOCK)
        if number != self._number:
            self._draw(number)
        noise = {name: values[index] for name, values in self._values.items()}
        return self._rows[index], SimpleNamespace(**noise)

    def _draw(self, number: int) -> None:
        rows, values = [], {name: [] for name in self._noise}
        for seed, sampler, begin in zip(self._seeds, self._samplers, self._begins):
            rng = np.random.Generator(np.random.Philox(key=[seed, number]))
            rows.append(sampler.draw(rng, BLOCK, self._size) + begin)
            for name, (kind, shape) in self._noise.items():
                shape = (BLOCK, *shape)
                values[name].append(
                    rng.standard_normal(shape, dtype=np.float32)
                    if kind == 'normal'
                    else 2 * rng.random(shape, dtype=np.float32) - 1
                )
        self._rows = torch.from_numpy(np.stack(rows, axis=1)).to(self._device)
        self._values = {
            name: torch.from_numpy(np.stack(parts, axis=1)).to(self._device)
            for name, parts in values.items()
        }
        self._number = number
