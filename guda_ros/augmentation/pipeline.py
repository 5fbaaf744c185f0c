"""
From a few recorded transitions to many: propose by a guide, check, recompute the rewards.

Rules propose in batches, each with random numbers of its own that depend on seed, rule and number
of the batch only, so that threads, blocks and streaming to disk change nothing in the bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
import os
import time

import numpy as np

from guda_ros.augmentation.guides import Guide
from guda_ros.augmentation.rules import parameter_names, Rule, take_rows
from guda_ros.augmentation.task import Task
from guda_ros.data.transitions import columns_of, TransitionSet, TransitionWriter
from guda_ros.errors import GudaError

#: A rule of which a smaller share is accepted than this is given up,
_MIN_ACCEPTANCE = 1e-3
#: after so many proposals.
_TRIED = 100_000
#: Proposals in a batch: few enough for the caches, enough for NumPy.
_BATCH = 16384
#: Transitions in a block, in which every rule has its share.
BLOCK = 65_536


class AugmentationError(GudaError, ValueError):
    """Recorded transitions cannot be augmented; the message says why and what to do."""


@dataclass
class AcceptanceReport:
    """
    What became of the proposals: proposed and accepted by rule, rejected by rule and reason.

    notes: what a user should know, such as a rule that found nothing to work on. seconds: wall
    time.
    """

    proposed: dict[str, int] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, dict[str, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def acceptance(self) -> float:
        """Share of all proposals that was accepted."""
        return sum(self.accepted.values()) / max(sum(self.proposed.values()), 1)

    def as_dict(self) -> dict:
        """Return the report as plain values."""
        return {
            'proposed': dict(self.proposed),
            'accepted': dict(self.accepted),
            'rejected': {rule: dict(reasons) for rule, reasons in self.rejected.items()},
            'acceptance': self.acceptance,
            'notes': list(self.notes),
            'seconds': self.seconds,
        }


class Augmenter:
    """
    Make transitions from recorded ones by a guide, in blocks.

    A step and its successor get the same change, rewards and terminations are computed anew by the
    task's own functions, and every transition keeps episode and step of its source, the name and
    the parameters of its rule, and the seed. The recorded transitions are not changed and are not
    among the result. The same recording, guide, seed and count give the same bytes.

    :param threads: that make batches at the same time.
    :raises AugmentationError: if no rule of the guide can use the recorded transitions.
    """

    def __init__(
        self, recorded: TransitionSet, guide: Guide, seed: int, threads: int = 1
    ) -> None:
        if not len(recorded):
            raise AugmentationError(
                'there are no recorded transitions to augment; record demonstrations first'
            )
        self.recorded, self.guide, self.seed, self.threads = recorded, guide, seed, threads
        self.task = guide.task(recorded.contract)
        self.report = AcceptanceReport()
        self._rules: dict[str, Rule] = {}
        for name, rule in guide.rules.items():
            prepared = rule.prepare(recorded, self.task)
            if prepared.candidates:
                self._rules[name] = prepared
            elif guide.shares is None or guide.shares[name] > 0:
                self.report.notes.append(f'rule {name}: no recorded step fits it')
            self.report.proposed[name] = self.report.accepted[name] = 0
            self.report.rejected[name] = {}
        self._weights = {
            name: rule.candidates if guide.shares is None else max(guide.shares[name], 1e-9)
            for name, rule in self._rules.items()
        }
        self.parameter_names = parameter_names(self.task.layout)

    def blocks(
        self, count: int, observe: bool = False, block: int = BLOCK
    ) -> Iterator[dict[str, np.ndarray]]:
        """
        Yield the columns of `count` transitions, `block` of them at a time.

        :param observe: add the columns observations and next_observations (M, D), float32.
        """
        if count < 1:
            raise AugmentationError(
                f'{count} transitions were asked for; ask for at least one'
            )
        begin = time.perf_counter()
        total = sum(self._weights.values())
        with ThreadPoolExecutor(self.threads) as pool:
            streams = {
                name: _Stream(self, name, rule, self._weights[name] / total * count, observe,
                              pool if self.threads > 1 else None)
                for name, rule in self._rules.items()
            }
            made = 0
            try:
                while made < count:
                    size = min(block, count - made)
                    columns = self._block(streams, made, size)
                    made += size
                    self.report.seconds = time.perf_counter() - begin
                    yield columns
            finally:
                for stream in streams.values():
                    stream.close()

    def _block(self, streams, made, size):
        """Return the columns of the next `size` transitions, every rule with its share."""
        columns: dict[str, np.ndarray] = {}
        filled = 0
        # Shares hold for all that was made so far, so that no rounding adds up.
        wanted = {
            name: target - streams[name].taken
            for name, target in self._quotas(streams, made + size).items()
        }
        while filled < size:
            if not streams:
                raise AugmentationError(
                    f'guide {self.guide.name}: no rule can use the {len(self.recorded)} recorded '
                    'transitions: '
                    + '; '.join(self.report.notes or ['every proposal was rejected'])
                    + '. Record demonstrations of the task, or choose another guide'
                )
            for name in list(streams):
                number = min(wanted.get(name, 0), size - filled)
                if number <= 0:
                    continue
                got = 0
                for part in streams[name].take(number):
                    rows = len(part['rewards'])
                    if not columns:
                        columns = {
                            key: np.empty((size, *value.shape[1:]), dtype=value.dtype)
                            for key, value in part.items()
                        }
                    for key, value in part.items():
                        _fill(columns[key][filled : filled + rows], value)
                    filled += rows
                    got += rows
                if got < number:
                    self._give_up(streams, name)
            # What rules that were given up leave goes to the others.
            left = self._quotas(streams, size - filled, anew=True) if streams else {}
            wanted = left
        return columns

    def _quotas(self, streams, count, anew=False):
        """Return how many of `count` transitions each rule is to have made."""
        names = list(streams)
        total = sum(self._weights[name] for name in names)
        if not names:
            return {}
        if not anew:
            # Shares of what rules made that are gone by now are not made again.
            count -= sum(self.report.accepted.values()) - sum(s.taken for s in streams.values())
        bounds = np.cumsum([self._weights[name] for name in names]) / total
        ends = [round(count * bound) for bound in bounds]
        return dict(zip(names, np.diff([0, *ends]).tolist()))

    def _give_up(self, streams, name):
        self.report.notes.append(
            f'rule {name}: given up, {self.report.accepted[name]} of '
            f'{self.report.proposed[name]} proposals were accepted'
        )
        streams.pop(name).close()

    def empty(self) -> TransitionSet:
        """Return the set that blocks belong to, with its names and no row."""
        columns = {
            name: np.empty((0, *shape), dtype=dtype)
            for name, (dtype, shape) in columns_of(
                self.recorded.contract, len(self.parameter_names)
            ).items()
        }
        return replace(
            self.recorded, **columns, parameter_names=self.parameter_names,
            rule_names=tuple(self.guide.rules), info={},
        )

    def info(self) -> dict:
        """Return what is to be known of the whole set; nothing in it depends on the clock."""
        acceptance = self.report.as_dict()
        del acceptance['seconds']
        return {
            'guide': self.guide.name,
            'guide_hash': self.guide.hash,
            'guide_text': self.guide.text,
            'seed': self.seed,
            'acceptance': acceptance,
        }


class _Stream:
    """The accepted steps of one rule, batch after batch."""

    def __init__(self, of, name, rule, share, observe, pool) -> None:
        self._of, self._name, self._rule, self._observe, self._pool = of, name, rule, observe, pool
        self._number = list(of.guide.rules).index(name)
        # A small set needs a small batch; which one depends on the counts asked for only.
        self._size = min(_BATCH, int(share * 1.25) + 64)
        self._next = 0
        self._ahead: deque = deque()
        self._batch = None
        self.taken = 0

    def take(self, count: int) -> Iterator[dict[str, np.ndarray]]:
        """Yield parts that make `count` rows; fewer if the rule is to be given up."""
        report = self._of.report
        while count:
            if self._batch is None:
                proposed, accepted = report.proposed[self._name], report.accepted[self._name]
                if proposed > _TRIED and accepted < _MIN_ACCEPTANCE * proposed:
                    return
                self._batch = self._fetch()
            part = self._batch.take(count)
            self._count(part)
            if self._batch.empty:
                self._batch = None
            rows = len(part.columns['rewards'])
            if rows:
                self.taken += rows
                count -= rows
                yield part.columns

    def _count(self, part):
        report, own = self._of.report, self._rule.reasons
        report.proposed[self._name] += len(part.codes)
        report.accepted[self._name] += len(part.columns['rewards'])
        names = (*own, *self._of.task.reasons[1:])
        counts = report.rejected[self._name]
        for code, number in enumerate(np.bincount(part.codes, minlength=len(names))):
            if code and number:
                counts[names[code]] = counts.get(names[code], 0) + int(number)

    def _fetch(self):
        if self._pool is None:
            batch = self._make(self._next)
            self._next += 1
            return batch
        while len(self._ahead) < self._of.threads + 1:
            self._ahead.append(self._pool.submit(self._make, self._next))
            self._next += 1
        return self._ahead.popleft().result()

    def close(self) -> None:
        """Forget what was made ahead."""
        for future in self._ahead:
            future.cancel()
        self._ahead.clear()

    def _make(self, number):
        of = self._of
        rng = np.random.Generator(np.random.SFC64([of.seed, 11, self._number, number]))
        return make_batch(self._rule, of.task, self._size, rng, self._number, of.seed,
                          self._observe)


@dataclass
class _Part:
    columns: dict[str, np.ndarray]
    codes: np.ndarray


@dataclass
class _Batch:
    """
    What became of one batch of proposals.

    columns: of the accepted steps; codes (M,): of every proposal, 0 accepted, then the rule's own
    reasons, then the task's; chosen: the proposals that were accepted.
    """

    columns: dict[str, np.ndarray]
    codes: np.ndarray
    chosen: np.ndarray
    taken: int = 0
    seen: int = 0

    @property
    def empty(self) -> bool:
        return self.taken == len(self.chosen)

    def take(self, count: int) -> _Part:
        """Return at most `count` of the rows that are left."""
        stop = min(self.taken + count, len(self.chosen))
        # Proposals beyond the last one taken were neither accepted nor rejected.
        seen = len(self.codes) if stop == len(self.chosen) else self.chosen[stop - 1] + 1
        part = _Part(
            {name: column[self.taken : stop] for name, column in self.columns.items()},
            self.codes[self.seen : seen],
        )
        self.taken, self.seen = stop, seen
        return part


def make_batch(
    rule: Rule, task: Task, count: int, rng: np.random.Generator, number: int, seed: int,
    observe: bool,
) -> _Batch:
    """Let a prepared rule propose once, check the steps and complete those that are accepted."""
    proposal = rule.propose(count, rng)
    recorded = rule.recorded
    states, actions, next_states = proposal.states, proposal.actions, proposal.next_states
    reason = task.check(states, actions, next_states)
    segment = proposal.segment
    if segment is not None:
        # A segment stands or falls as a whole; its steps are counted under the reason of the step
        # at fault.
        spoiled = np.zeros(segment[-1] + 1 if len(segment) else 0, dtype=np.int8)
        np.maximum.at(spoiled, segment, reason)
        reason = spoiled[segment]
    own = proposal.rejected
    shift = len(rule.reasons) - 1
    codes = own.astype(np.int8)
    if reason.any():
        codes[(own == 0) & (reason > 0)] = reason[(own == 0) & (reason > 0)] + shift
    chosen = np.flatnonzero(codes == 0)
    rows = proposal.source
    parameters = proposal.parameters
    if len(chosen) < len(codes):
        states, actions, next_states = (
            take_rows(part, chosen) for part in (states, actions, next_states)
        )
        rows = rows[chosen]
        if segment is None:
            parameters = take_rows(parameters, chosen)
    if segment is not None:
        parameters = parameters[segment[chosen]]
    columns = {
        'states': states,
        'actions': actions.astype(np.float32, copy=False),
        'next_states': next_states,
        'rewards': task.reward(states, actions, next_states).astype(np.float32),
        'terminations': task.terminated(next_states),
        'source_episode': recorded.source_episode[rows],
        'source_step': recorded.source_step[rows],
        'rule': np.full(len(chosen), number, dtype=np.uint8),
        'parameters': parameters,
        'seed': np.full(len(chosen), seed, dtype=np.int64),
    }
    if observe:
        columns['observations'] = task.contract.observe(states)
        columns['next_observations'] = task.contract.observe(next_states)
    return _Batch(columns, codes, chosen)


def _fill(rows, columns):
    """Copy an array; one that lies by columns column by column, as NumPy is far slower there."""
    if columns.ndim == 1 or columns.flags.c_contiguous:
        rows[:] = columns
        return
    for index in range(columns.shape[1]):
        rows[:, index] = columns[:, index]


def augment(
    recorded: TransitionSet,
    guide: Guide,
    count: int,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
    threads: int = 1,
) -> tuple[TransitionSet, AcceptanceReport]:
    """
    Make `count` transitions from recorded ones, in memory; see Augmenter.

    :param progress: called with the number of transitions made and wanted.
    """
    augmenter = Augmenter(recorded, guide, seed, threads)
    columns: dict[str, np.ndarray] = {}
    made = 0
    for block in augmenter.blocks(count):
        if not columns:
            columns = {
                name: np.empty((count, *column.shape[1:]), dtype=column.dtype)
                for name, column in block.items()
            }
        rows = len(block['rewards'])
        for name, column in block.items():
            columns[name][made : made + rows] = column
        made += rows
        if progress:
            progress(made, count)
    return replace(augmenter.empty(), **columns, info=augmenter.info()), augmenter.report


def augment_to_file(
    recorded: TransitionSet,
    guide: Guide,
    count: int,
    seed: int,
    path: str | os.PathLike,
    progress: Callable[[int, int], None] | None = None,
    threads: int = 1,
) -> AcceptanceReport:
    """
    Make `count` transitions on disk, with the memory of one block; the same as `augment` does.

    :raises DataSetError: if the file cannot be written.
    """
    augmenter = Augmenter(recorded, guide, seed, threads)
    made = 0
    with TransitionWriter(path, augmenter.empty(), count) as writer:
        for block in augmenter.blocks(count):
            writer.append(block)
            made += len(block['rewards'])
            if progress:
                progress(made, count)
        writer.finish(augmenter.info())
    return augmenter.report
