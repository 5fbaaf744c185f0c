"""What the results of an evaluation say: rates, times and paired comparisons as plain numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
import math

import numpy as np

from guda_ros.data.contract import has_ball
from guda_ros.evaluation import statistics
from guda_ros.evaluation.results import common_starts, Evaluation, PolicyResult, success_matrix
from guda_ros.evaluation.start_sets import SITUATIONS, situations
from guda_ros.evaluation.statistics import Estimate, PairedTable

#: Groups of which every pair is compared; of more, each is compared with the first alone.
_ALL_PAIRS = 4
#: Thresholds of the performance profiles.
THRESHOLDS = np.linspace(0, 1, 101)


def summarise_group(
    policies: Sequence[PolicyResult], evaluation: Evaluation, rng: np.random.Generator
) -> dict:
    """
    Return what became of the episodes of one group.

    Its success has Wilson's interval for one policy, for several seeds a bootstrap over seeds and
    starts. `rate` is NaN and `episodes` zero when nothing was tried yet.
    """
    starts = common_starts(policies)
    matrix = success_matrix(policies, starts)
    episodes = [episode for policy in policies for episode in policy.episodes]
    seconds = np.array([episode.seconds for episode in episodes if episode.scored])
    verdicts: dict[str, int] = {}
    for episode in episodes:
        verdicts[episode.verdict] = verdicts.get(episode.verdict, 0) + 1
    return {
        'success': _rate(matrix, rng),
        'rate_per_seed': [
            float(np.mean([episode.scored for episode in policy.episodes] or [math.nan]))
            for policy in policies
        ],
        'seeds': len(policies),
        'starts': len(starts),
        'episodes': len(episodes),
        'scored': verdicts.get('scored', 0),
        'verdicts': verdicts,
        'seconds_to_score': quartiles(seconds),
        'touches_to_score': quartiles(
            np.array([e.touches for e in episodes if e.scored and e.touches is not None])
        ),
        'falls': _total([e.falls for e in episodes]),
        'scenarios': {
            name: _rate(success_matrix(policies, rows), rng)
            for name, rows in scenario_rows(evaluation, starts).items()
        },
        'means': sorted({policy.means for policy in policies}),
    }


def scenario_rows(evaluation: Evaluation, starts: Sequence[int]) -> dict[str, list[int]]:
    """
    Return the starts among `starts` of every scenario and of every situation that there is.

    Situations say where the robot stands, seen from the ball; there may be a dozen starts in one.
    """
    rows: dict[str, list[int]] = {}
    names = evaluation.starts.scenarios
    if len({names[start] for start in starts}) > 1:
        for start in starts:
            rows.setdefault(names[start], []).append(start)
    if not has_ball(evaluation.contract):
        return rows
    kinds = situations(evaluation.starts.starts, evaluation.contract)
    for index, (name, _) in enumerate(SITUATIONS):
        found = [start for start in starts if kinds[start] == index]
        if found:
            rows[f'robot {name}'] = found
    return rows


def compare_groups(evaluation: Evaluation, rng: np.random.Generator) -> list[dict]:
    """
    Compare groups start by start; p values are adjusted for the number of comparisons (Holm).

    Two single policies: the table of pairs, McNemar's exact test and Tango's interval. Where a
    group has several seeds: the difference with a bootstrap over seeds and starts, without a test,
    because episodes of several seeds from one start are not independent.
    """
    groups = evaluation.groups
    names = list(groups)
    chosen = list(combinations(names, 2))
    if len(names) > _ALL_PAIRS:
        chosen = [(names[0], other) for other in names[1:]]
    listed = []
    for first, second in chosen:
        starts = common_starts([*groups[first], *groups[second]])
        if not starts:
            continue
        matrices = [success_matrix(groups[name], starts) for name in (first, second)]
        pair = {'first': first, 'second': second, 'starts': len(starts), 'table': None, 'p': None}
        if all(len(matrix) == 1 for matrix in matrices):
            table = PairedTable.count(matrices[0][0], matrices[1][0])
            pair.update(table=table, p=table.p_value, difference=table.difference())
        else:
            pair['difference'] = statistics.paired_difference(*matrices, rng)
        pair['lost'] = [starts[j] for j in np.flatnonzero(_better(matrices[1], matrices[0]))]
        pair['won'] = [starts[j] for j in np.flatnonzero(_better(*matrices))]
        listed.append(pair)
    tested = [pair for pair in listed if pair['p'] is not None]
    for pair, adjusted in zip(tested, statistics.holm([pair['p'] for pair in tested])):
        pair['p_adjusted'] = adjusted
    return listed


def seed_statistics(evaluation: Evaluation, rng: np.random.Generator) -> dict:
    """
    Return what several training seeds say, as Agarwal (2021) recommends; empty with one seed each.

    The score of a run on a task is its success rate from the starts of one scenario or situation.
    """
    groups = evaluation.groups
    if not any(len(policies) > 1 for policies in groups.values()):
        return {}
    starts = common_starts(evaluation.policies)
    tasks = _tasks(evaluation, starts)
    if not tasks:
        return {}
    scores = {
        name: np.stack(
            [success_matrix(policies, rows).mean(axis=1) for rows in tasks.values()], axis=1
        )
        for name, policies in groups.items()
    }
    names = list(scores)
    return {
        'tasks': {name: len(rows) for name, rows in tasks.items()},
        'iqm': {
            name: statistics.stratified_interval(
                statistics.interquartile_mean, scores[name], rng=rng
            )
            for name in names
        },
        'improvement': [
            {
                'first': names[0],
                'second': other,
                'probability': statistics.stratified_interval(
                    statistics.improvement_probability, scores[names[0]], scores[other], rng=rng
                ),
            }
            for other in names[1:]
        ],
        'profiles': {name: _profile(scores[name], rng) for name in names},
    }


def quartiles(values: np.ndarray) -> dict[str, float] | None:
    """Return quartiles and median of values (n,), None if there are none."""
    if not len(values):
        return None
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    return {'low': float(low), 'median': float(median), 'high': float(high)}


def _tasks(evaluation: Evaluation, starts: Sequence[int]) -> dict[str, list[int]]:
    """Return the starts of each task: scenarios if there are several, else situations."""
    rows = scenario_rows(evaluation, starts)
    scenarios = {name: found for name, found in rows.items() if not name.startswith('robot ')}
    return scenarios or rows or ({evaluation.starts.name: list(starts)} if starts else {})


def _rate(matrix: np.ndarray, rng: np.random.Generator) -> Estimate:
    if len(matrix) > 1 and matrix.size:
        return statistics.success_rate(matrix, rng)
    return statistics.wilson_interval(int(matrix.sum()), matrix.size)


def _better(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Tell (starts,) from which starts more of the seeds of the first scored."""
    return first.mean(axis=0) > second.mean(axis=0)


def _profile(scores: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    drawn = statistics.performance_profile(
        statistics.stratified_resamples(scores, rng), THRESHOLDS
    )
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    share = statistics.performance_profile(scores, THRESHOLDS)
    return {'share': share, 'low': low, 'high': high}


def _total(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None
