"""
Batches: what a rule proposes at once, which of it is accepted, and its columns for a block.

All that comes before a block is laid out by columns, which NumPy is several times as fast on; a
batch writes its rows straight into the block, so that nothing is copied in between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from guda_ros.augmentation import compiled
from guda_ros.augmentation.rules.base import Proposal, Rule
from guda_ros.augmentation.rules.source import take_rows
from guda_ros.augmentation.task import Task
from guda_ros.augmentation.transforms import to_columns

Columns = dict[str, np.ndarray]
#: Columns that a block has only if they are asked for.
OBSERVED = ('observations', 'next_observations')


@dataclass
class Batch:
    """
    The accepted steps of one batch of proposals.

    steps: the N that were accepted come first, with parameters (N, P) each; codes (M,): of every
    proposal, 0 accepted, then the rule's own reasons, then the task's; chosen (N,): the proposals
    that were accepted; number: of the rule.
    """

    rule: Rule
    task: Task
    number: int
    seed: int
    steps: Proposal
    codes: np.ndarray
    chosen: np.ndarray
    taken: int = 0
    seen: int = 0

    @property
    def empty(self) -> bool:
        """Tell whether all rows were taken."""
        return self.taken == len(self.chosen)

    def take(self, count: int) -> tuple[slice, np.ndarray]:
        """Return which rows are next, at most `count`, and the codes of the proposals so far."""
        stop = min(self.taken + count, len(self.chosen))
        # Proposals beyond the last one taken were neither accepted nor rejected.
        seen = len(self.codes) if stop == len(self.chosen) else self.chosen[stop - 1] + 1
        rows, codes = slice(self.taken, stop), self.codes[self.seen : seen]
        self.taken, self.seen = stop, seen
        return rows, codes

    def write(self, rows: slice, columns: Columns) -> None:
        """Complete accepted steps, and write them to the rows of columns."""
        recorded, task, steps = self.rule.recorded, self.task, self.steps
        both, actions, source = steps.both[:, rows], steps.actions[rows], steps.source[rows]
        states, next_states = both
        for part, name in enumerate(('states', 'next_states')):
            _fill(columns[name], to_columns(steps.both), part, rows)
        for name in ('actions', 'parameters'):
            _fill(columns[name], getattr(steps, name).T[:, None], 0, rows)
        columns['rewards'][:] = task.reward(states, actions, next_states)
        columns['terminations'][:] = task.terminated(next_states)
        for name in ('source_episode', 'source_step'):
            np.take(getattr(recorded, name), source, out=columns[name], mode='clip')
        columns['rule'][:] = self.number
        columns['seed'][:] = self.seed
        if OBSERVED[0] in columns:
            task.observe(both, [columns[name] for name in OBSERVED])


def make_batch(
    rule: Rule, task: Task, count: int, rng: np.random.Generator, number: int, seed: int
) -> Batch:
    """Let a prepared rule propose once, check the steps and keep those that are accepted."""
    proposal = rule.propose(count, rng)
    states, next_states = proposal.both
    reason = task.check(states, proposal.actions, next_states)
    segment = proposal.segment
    if segment is not None:
        # A segment stands or falls as a whole; its steps are counted under the reason of the step
        # at fault.
        spoiled = np.zeros(segment[-1] + 1 if len(segment) else 0, dtype=np.int8)
        np.maximum.at(spoiled, segment, reason)
        reason = spoiled[segment]
    codes = proposal.rejected.astype(np.int8)
    if reason.any():
        wrong = (codes == 0) & (reason > 0)
        codes[wrong] = reason[wrong] + (len(rule.reasons) - 1)
    chosen = np.flatnonzero(codes == 0)
    if segment is not None:
        steps = _in_order(proposal, segment, codes, chosen)
    else:
        steps = _in_any_order(proposal, codes, chosen)
    return Batch(rule, task, number, seed, steps, codes, chosen)


def _in_order(
    proposal: Proposal, segment: np.ndarray, codes: np.ndarray, chosen: np.ndarray
) -> Proposal:
    """Return the accepted steps, in the order in which they were proposed."""
    parameters = proposal.parameters[segment[chosen]]
    if len(chosen) == len(codes):
        return replace(proposal, parameters=parameters)
    both, actions = take_rows(proposal.both, chosen), take_rows(proposal.actions, chosen)
    return Proposal(both, actions, proposal.source[chosen], codes[chosen], parameters)


def _in_any_order(proposal: Proposal, codes: np.ndarray, chosen: np.ndarray) -> Proposal:
    """Return the accepted steps; where one was rejected there is one from the end instead."""
    count = len(chosen)
    gaps = np.flatnonzero(codes[:count])
    spare = chosen[count - len(gaps) :]
    for name in ('actions', 'source', 'parameters'):
        part = getattr(proposal, name)
        part[gaps] = part[spare]
    proposal.both[:, gaps] = proposal.both[:, spare]
    return proposal


def _fill(out: np.ndarray, columns: np.ndarray, part: int, rows: slice) -> None:
    """Copy rows of columns (C, parts, N), column by column, as NumPy is far slower by rows."""
    loops = compiled.loops(compiled.ENGINE)
    fit = columns.flags.carray and out.flags.carray and columns.dtype == out.dtype
    if loops and fit:
        loops.write(columns, part, rows.start, out)
        return
    taken = columns[:, part, rows].T
    if taken.flags.c_contiguous:
        out[:] = taken
        return
    for index in range(taken.shape[1]):
        out[:, index] = taken[:, index]
