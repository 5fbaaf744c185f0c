"""From a few recorded transitions to many: propose by a guide, check, recompute the rewards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
import time

import numpy as np

from guda_ros.augmentation.guides import Guide
from guda_ros.augmentation.validity import check_steps, REASONS
from guda_ros.data.datasets import TransitionSet
from guda_ros.errors import GudaError
from guda_ros.soccer.rewards import push_reward, push_terminated

#: A rule of which a smaller share is accepted than this is given up.
_MIN_ACCEPTANCE = 1e-3
_MAX_BATCH = 262144


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


def augment(
    recorded: TransitionSet,
    guide: Guide,
    count: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[TransitionSet, AcceptanceReport]:
    """
    Make `count` transitions from recorded ones.

    A step and its successor get the same move, rewards and terminations are computed anew by the
    task's own functions, and every transition keeps episode and step of its source and the name of
    its rule. The recorded transitions are not changed and are not among the result.

    :param progress: called with the number of transitions made and wanted.
    :raises AugmentationError: if no rule of the guide can use the recorded transitions.
    """
    begin = time.perf_counter()
    if count < 1:
        raise AugmentationError(f'{count} transitions were asked for; ask for at least one')
    if not len(recorded):
        raise AugmentationError(
            'there are no recorded transitions to augment; record demonstrations first'
        )
    report = AcceptanceReport()
    rules = {}
    for name, rule in guide.rules.items():
        rule.prepare(recorded)
        if rule.candidates:
            rules[name] = rule
        elif guide.shares[name] > 0:
            report.notes.append(f'rule {name}: no recorded step fits it')
        report.proposed[name] = report.accepted[name] = 0
        report.rejected[name] = {}

    parts = []
    made = 0
    while made < count:
        if not rules:
            raise AugmentationError(
                f'guide {guide.name}: no rule can use the {len(recorded)} recorded transitions: '
                + '; '.join(report.notes or ['every proposal was rejected'])
                + '. Record demonstrations in which the ball is pushed, or choose another guide'
            )
        # The shares of rules that found nothing go to the others.
        weights = {name: max(guide.shares[name], 1e-9) for name in rules}
        total = sum(weights.values())
        wanted = [
            round(count * sum(list(weights.values())[: i + 1]) / total) for i in range(len(rules))
        ]
        ready = True
        for name, quota in zip(list(rules), np.diff([0, *wanted])):
            missing = int(quota) - report.accepted[name]
            if missing <= 0 or made >= count:
                continue
            ready = False
            part = _propose(name, rules[name], recorded, min(missing, count - made), rng, report)
            if part is not None:
                parts.append((name, part))
                made += len(part.source)
                if progress:
                    progress(made, count)
            elif (
                report.proposed[name] > 100000
                and report.accepted[name] < _MIN_ACCEPTANCE * report.proposed[name]
            ):
                report.notes.append(
                    f'rule {name}: given up, {report.accepted[name]} of '
                    f'{report.proposed[name]} proposals were accepted'
                )
                del rules[name]
        if ready:
            raise AssertionError('the quotas of the rules do not add up')
    result = _collect(recorded, guide, parts, report)
    report.seconds = time.perf_counter() - begin
    return result, report


@dataclass(frozen=True)
class _Accepted:
    states: np.ndarray
    actions: np.ndarray
    next_states: np.ndarray
    source: np.ndarray


def _propose(name, rule, recorded, missing, rng, report) -> _Accepted | None:
    """Let a rule propose once; return at most `missing` accepted steps, None if there are none."""
    rate = (
        max(report.accepted[name] / max(report.proposed[name], 1), 0.02)
        if report.proposed[name]
        else 0.9
    )
    proposal = rule.propose(min(int(missing / rate * 1.02) + 64, _MAX_BATCH), rng)
    reason = check_steps(proposal.states, proposal.next_states, recorded.contract.field)
    own = proposal.rejected
    good = (reason == 0) & (own == 0)
    if proposal.segment is not None:
        # A stretch stands or falls as a whole; its steps are counted under the reason of the step
        # at fault.
        spoiled = np.zeros(proposal.segment[-1] + 1, dtype=np.int8)
        np.maximum.at(spoiled, proposal.segment, reason)
        reason = spoiled[proposal.segment]
        good = (reason == 0) & (own == 0)
    chosen = np.flatnonzero(good)[:missing]
    # Steps beyond the quota were neither accepted nor rejected.
    seen = chosen[-1] + 1 if len(chosen) == missing else len(good)
    report.proposed[name] += int(seen)
    report.accepted[name] += len(chosen)
    counts = report.rejected[name]
    for index in range(1, len(rule.reasons)):
        _count(counts, rule.reasons[index], int(np.sum(own[:seen] == index)))
    for index in range(1, len(REASONS)):
        _count(counts, REASONS[index], int(np.sum((reason[:seen] == index) & (own[:seen] == 0))))
    if not len(chosen):
        return None
    return _Accepted(
        proposal.states[chosen],
        proposal.actions[chosen],
        proposal.next_states[chosen],
        proposal.source[chosen],
    )


def _count(counts, reason, number):
    if number:
        counts[reason] = counts.get(reason, 0) + number


def _collect(recorded, guide, parts, report) -> TransitionSet:
    states = np.concatenate([part.states for _, part in parts])
    next_states = np.concatenate([part.next_states for _, part in parts])
    source = np.concatenate([part.source for _, part in parts])
    names = tuple(guide.rules)
    field_ = recorded.contract.field
    return TransitionSet(
        contract=recorded.contract,
        states=states,
        actions=np.concatenate([part.actions for _, part in parts]),
        next_states=next_states,
        rewards=push_reward(states, next_states, field_),
        terminations=push_terminated(next_states, field_),
        source_episode=recorded.source_episode[source],
        source_step=recorded.source_step[source],
        rule=np.concatenate(
            [np.full(len(part.source), names.index(name)) for name, part in parts]
        ),
        rule_names=names,
        episode_ids=recorded.episode_ids,
        episode_success=recorded.episode_success,
        info={'guide': guide.name, 'acceptance': report.as_dict()},
    )
