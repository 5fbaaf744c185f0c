"""
From a few recorded transitions to many: propose by a guide, check, recompute the rewards.

Rules propose in batches, each with random numbers of its own that depend on seed, rule and number
of the batch only, so that threads and streaming to disk change nothing in the bytes. Shares of
rules are dealt out block by block, so that another size of blocks gives another order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
import os
import time
from typing import Any, TypeVar

import numpy as np

from guda_ros.augmentation import compiled
from guda_ros.augmentation.batches import Batch, Columns, make_batch, OBSERVED
from guda_ros.augmentation.guides import Guide
from guda_ros.augmentation.rules.base import parameter_names, Rule
from guda_ros.augmentation.values.map import ValueMap
from guda_ros.data.transitions import columns_of, TransitionSet, TransitionWriter
from guda_ros.errors import GudaError

#: A rule of which a smaller share is accepted than this is given up,
_MIN_ACCEPTANCE = 1e-3
#: after so many proposals.
_TRIED = 100_000
#: Numbers in the states of a batch: few enough for the caches, many enough for what Python does
#: for each batch. A power of two would have the columns get in each other's way in the caches.
_BATCH = 160_000
#: Transitions from which on it pays to compile loops, or to read those that were compiled before;
#: for a task that has none of its own it is so many times as many.
_COMPILED, _ENGINE_ALONE = 2_000_000, 5
#: Transitions in a block, in which every rule has its share.
BLOCK = 65_536
#: Bytes of an array that, once freed, has the C library keep memory that is freed, see `blocks`.
_KEPT = 31 * 2**20


_Made = TypeVar('_Made')
#: Does something now, or some time in a thread.
_Run = Callable[..., Future[Any]]


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

    def as_dict(self) -> dict[str, Any]:
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

    def __init__(self, recorded: TransitionSet, guide: Guide, seed: int, threads: int = 1) -> None:
        if not len(recorded):
            raise AugmentationError(
                'there are no recorded transitions to augment; record demonstrations first'
            )
        for name in ('states', 'actions', 'next_states'):
            wrong = np.flatnonzero(~np.isfinite(getattr(recorded, name)).all(axis=1))
            if len(wrong):
                raise AugmentationError(
                    f'{len(wrong)} of {len(recorded)} recorded transitions have {name} that are '
                    f'no numbers, the first is row {wrong[0]}; leave them out'
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
        self, count: int, observe: bool = False, block: int = BLOCK, into: Columns | None = None
    ) -> Iterator[Columns]:
        """
        Yield the columns of `count` transitions, `block` of them at a time.

        :param observe: add the columns observations and next_observations (M, D), float32.
        :param into: arrays of `count` rows that the blocks are then views of; by default every
            block has arrays of its own.
        """
        if count < 1:
            raise AugmentationError(f'{count} transitions were asked for; ask for at least one')
        begin = time.perf_counter()
        if count >= _COMPILED * (1 if self.task.loops else _ENGINE_ALONE):
            compiled.prepare(compiled.ENGINE, *self.task.loops)
        # glibc gives memory back to the system above a threshold that grows with the arrays freed
        # so far. Below it every batch takes its pages anew, and threads wait for each other there.
        np.empty(_KEPT, dtype=np.uint8)
        total = sum(self._weights.values())
        with ThreadPoolExecutor(self.threads) as pool:
            run = pool.submit if self.threads > 1 else _run
            streams = {
                name: _Stream(self, name, rule, self._weights[name] / total * count, run)
                for name, rule in self._rules.items()
            }
            # Threads write the next block while the last one is being used.
            ahead: deque[tuple[Columns, list[Future[None]]]] = deque()
            try:
                for made in range(0, count, block):
                    size = min(block, count - made)
                    columns = (
                        self.allocate(size, observe)
                        if into is None
                        else {name: column[made : made + size] for name, column in into.items()}
                    )
                    ahead.append((columns, self._block(streams, columns, made, size, run)))
                    if len(ahead) == (2 if self.threads > 1 else 1):
                        yield _written(*ahead.popleft())
                    self.report.seconds = time.perf_counter() - begin
                while ahead:
                    yield _written(*ahead.popleft())
            finally:
                for stream in streams.values():
                    stream.close()
                self.report.seconds = time.perf_counter() - begin

    @property
    def value_map(self) -> ValueMap | None:
        """Values of positions of the object, of the first rule that found some."""
        found = (rule.value_map for rule in self._rules.values())
        return next((one for one in found if one is not None), None)

    def make(
        self, count: int, progress: Callable[[int, int], None] | None = None
    ) -> TransitionSet:
        """Return `count` transitions in memory; `progress` as of `augment`."""
        columns: dict[str, Any] = self.allocate(count)
        made = 0
        for block in self.blocks(count, into=columns):
            made += len(block['rewards'])
            if progress:
                progress(made, count)
        return replace(self.empty(), **columns, info=self.info())

    def allocate(self, count: int, observe: bool = False) -> Columns:
        """Return columns of `count` rows without content, for `blocks` to write into."""
        contract = self.recorded.contract
        kinds = columns_of(contract, len(self.parameter_names))
        if observe:
            seen = contract.observe(self.recorded.states[:1])
            kinds |= dict.fromkeys(OBSERVED, (seen.dtype.type, seen.shape[1:]))
        return {
            name: np.empty((count, *shape), dtype=dtype) for name, (dtype, shape) in kinds.items()
        }

    def _block(
        self,
        streams: dict[str, _Stream],
        columns: dict[str, np.ndarray],
        made: int,
        size: int,
        run: _Run,
    ) -> list[Future[None]]:
        """
        Have the next `size` transitions written to columns, every rule with its share.

        Returns what is still being written.
        """
        writing = []
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
                for batch, rows in streams[name].take(number):
                    stop = filled + rows.stop - rows.start
                    target = {key: column[filled:stop] for key, column in columns.items()}
                    writing.append(run(batch.write, rows, target))
                    got += stop - filled
                    filled = stop
                if got < number:
                    self._give_up(streams, name)
            # What rules that were given up leave goes to the others.
            left = self._quotas(streams, size - filled, anew=True) if streams else {}
            wanted = left
        return writing

    def _quotas(
        self, streams: dict[str, _Stream], count: int, anew: bool = False
    ) -> dict[str, int]:
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

    def _give_up(self, streams: dict[str, _Stream], name: str) -> None:
        self.report.notes.append(
            f'rule {name}: given up, {self.report.accepted[name]} of '
            f'{self.report.proposed[name]} proposals were accepted'
        )
        streams.pop(name).close()

    def empty(self) -> TransitionSet:
        """Return the set that blocks belong to, with its names and no row."""
        columns: dict[str, Any] = self.allocate(0)
        return replace(
            self.recorded,
            **columns,
            parameter_names=self.parameter_names,
            rule_names=tuple(self.guide.rules),
            info={},
        )

    def info(self) -> dict[str, Any]:
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


def _run(function: Callable[..., _Made], *arguments: Any) -> Future[_Made]:
    """Do at once what a pool of threads would do some time."""
    done: Future[_Made] = Future()
    done.set_result(function(*arguments))
    return done


def _written(columns: Columns, writing: list[Future[None]]) -> Columns:
    for part in writing:
        part.result()
    return columns


class _Stream:
    """The accepted steps of one rule, batch after batch."""

    def __init__(self, of: Augmenter, name: str, rule: Rule, share: float, run: _Run) -> None:
        self._of, self._name, self._rule, self._run = of, name, rule, run
        self._number = list(of.guide.rules).index(name)
        # A small set needs a small batch; which one depends on the counts asked for only.
        self._size = min(_BATCH // of.task.layout.size, int(share * 1.25) + 64)
        self._next = 0
        self._ahead: deque[Future[Batch]] = deque()
        self._batch: Batch | None = None
        self.taken = 0

    def take(self, count: int) -> Iterator[tuple[Batch, slice]]:
        """Yield batches and which of their rows make `count`; fewer if the rule is given up."""
        report = self._of.report
        while count:
            if self._batch is None:
                proposed, accepted = report.proposed[self._name], report.accepted[self._name]
                if proposed > _TRIED and accepted < _MIN_ACCEPTANCE * proposed:
                    return
                self._batch = self._fetch()
            batch = self._batch
            rows, codes = batch.take(count)
            taken = rows.stop - rows.start
            self._count(taken, codes)
            if batch.empty:
                self._batch = None
            if taken:
                self.taken += taken
                count -= taken
                yield batch, rows

    def _count(self, accepted: int, codes: np.ndarray) -> None:
        report, own = self._of.report, self._rule.reasons
        report.proposed[self._name] += len(codes)
        report.accepted[self._name] += accepted
        names = (*own, *self._of.task.reasons[1:])
        counts = report.rejected[self._name]
        for code, number in enumerate(np.bincount(codes[codes > 0])):
            if number:
                counts[names[code]] = counts.get(names[code], 0) + int(number)

    def _fetch(self) -> Batch:
        while len(self._ahead) < (self._of.threads + 1 if self._of.threads > 1 else 1):
            self._ahead.append(self._run(self._make, self._next))
            self._next += 1
        return self._ahead.popleft().result()

    def close(self) -> None:
        """Forget what was made ahead."""
        for future in self._ahead:
            future.cancel()
        self._ahead.clear()

    def _make(self, number: int) -> Batch:
        of = self._of
        rng = np.random.Generator(np.random.SFC64([of.seed, 11, self._number, number]))
        return make_batch(self._rule, of.task, self._size, rng, self._number, of.seed)


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
    return augmenter.make(count, progress), augmenter.report


def augment_to_file(
    recorded: TransitionSet,
    guide: Guide,
    count: int,
    seed: int,
    path: str | os.PathLike[str],
    progress: Callable[[int, int], None] | None = None,
    threads: int = 1,
) -> AcceptanceReport:
    """
    Make `count` transitions on disk, with the memory of a few blocks; the same as `augment` does.

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
