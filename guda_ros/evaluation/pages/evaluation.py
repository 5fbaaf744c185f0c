"""The report of an evaluation: one page for simulator, ROS graph and robot, and its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
import os
from typing import Any

import numpy as np

from guda_ros.arguments import as_path
from guda_ros.data.contract import Contract, has_ball
from guda_ros.data.verdicts import JUDGED
from guda_ros.evaluation import comparison
from guda_ros.evaluation.pages import charts, evaluation_charts, page, pictures
from guda_ros.evaluation.pages.drawing import looks_of
from guda_ros.evaluation.pages.page import data_uri, finite, ReportFiles
from guda_ros.evaluation.results import (
    common_starts,
    Evaluation,
    MEANS,
    success_matrix,
)
from guda_ros.evaluation.start_sets import SITUATIONS, situations

#: Most episodes that are listed one by one, and most failures among many.
_LISTED, _FAILURES = 40, 20


def build_evaluation_report(
    evaluation: Evaluation, folder: str | os.PathLike[str], rng: np.random.Generator | None = None
) -> ReportFiles:
    """
    Write results.json, with a summary in it, and report.html to a folder, each in one step.

    :param rng: draws the bootstrap; the same generator gives the same intervals.
    """
    numbers = summarise(evaluation, rng or np.random.default_rng(0))
    text = _render(evaluation, numbers)
    folder = as_path(folder, 'out')
    path = evaluation.save(folder, finite(_plain(numbers)))
    page.write(folder / 'report.html', text)
    return ReportFiles(folder / 'report.html', path)


def summarise(evaluation: Evaluation, rng: np.random.Generator) -> dict[str, Any]:
    """Return what follows from the episodes: groups, comparisons, statistics over seeds."""
    return {
        'groups': {
            name: comparison.summarise_group(policies, evaluation, rng)
            for name, policies in evaluation.groups.items()
        },
        'comparisons': comparison.compare_groups(evaluation, rng),
        'seeds': comparison.seed_statistics(evaluation, rng),
    }


def _plain(value: Any) -> Any:
    """Return estimates and tables within a value as mappings."""
    if is_dataclass(value):
        return asdict(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _render(evaluation: Evaluation, numbers: dict) -> str:
    looks = looks_of(list(evaluation.groups))
    pairs = [
        {**pair, 'figure': _pair_figure(evaluation, pair, looks) if _with_ball(evaluation) else ''}
        for pair in numbers['comparisons']
    ]
    groups = [
        {'name': name, 'colour': looks[name][0], **group}
        for name, group in numbers['groups'].items()
    ]
    means = list(dict.fromkeys(policy.means for policy in evaluation.policies))
    return page.render(
        'evaluation.html.j2',
        evaluation=evaluation,
        contract=evaluation.contract,
        on_field=_on_field(evaluation),
        with_ball=_with_ball(evaluation),
        time_limit=_time_limit(evaluation),
        starts=evaluation.starts,
        groups=groups,
        pairs=pairs,
        seeds=numbers['seeds'],
        figures=_figures(evaluation, numbers, looks),
        episodes=_episodes(evaluation),
        hard=_hard(evaluation),
        tried=max(group['starts'] for group in groups),
        means=means,
        means_words=MEANS,
        verdicts=_verdicts(evaluation),
        words=evaluation.contract.words,
        situations=SITUATIONS,
    )


def _figures(
    evaluation: Evaluation, numbers: dict, looks: Mapping[str, tuple[str, str, str]]
) -> dict[str, str]:
    groups, drawn, words = numbers['groups'], {}, evaluation.contract.words
    tried = {name: group for name, group in groups.items() if group['episodes']}
    if not tried:
        return {}
    reference = next(iter(tried))
    differences = {
        pair['second']: pair['difference']
        for pair in numbers['comparisons']
        if pair['first'] == reference
    }
    drawn['success'] = charts.success(
        {
            name: (group['success'], np.array(group['rate_per_seed']))
            for name, group in tried.items()
        },
        differences,
        reference,
        looks=looks,
        succeeded=words.past,
    )
    drawn['verdicts'] = evaluation_charts.verdicts(
        {name: group['verdicts'] for name, group in tried.items()}, looks, _verdicts(evaluation)
    )
    times = {}
    for name, policies in evaluation.groups.items():
        episodes = [episode for policy in policies for episode in policy.episodes]
        if episodes:
            times[name] = (
                np.array([e.scored for e in episodes]),
                np.array([e.seconds for e in episodes]),
            )
    drawn['time'] = charts.time_to_score(times, _time_limit(evaluation), looks)
    starts = common_starts([p for p in evaluation.policies if p.episodes])
    sizes = {
        name: len(rows) for name, rows in comparison.scenario_rows(evaluation, starts).items()
    }
    if sizes:
        drawn['scenarios'] = evaluation_charts.scenarios(
            {name: group['scenarios'] for name, group in tried.items()}, sizes, looks, words.past
        )
    first = evaluation.groups[reference]
    rows = common_starts(first)
    if rows and _with_ball(evaluation):
        share = success_matrix(first, rows).mean(axis=0)
        positions, pitch = evaluation.starts.starts[rows], evaluation.contract.field
        drawn['starts'] = (
            pictures.ros_episodes(positions, share == 1, pitch, words.past)
            if len(first) == 1 and len(rows) <= _LISTED
            else pictures.start_map(positions, share, pitch)
        )
    if numbers['seeds']:
        drawn['seeds'] = evaluation_charts.seed_statistics(
            numbers['seeds'], comparison.THRESHOLDS, looks
        )
    return {name: data_uri('image/svg+xml', svg.encode()) for name, svg in drawn.items()}


def _pair_figure(
    evaluation: Evaluation, pair: dict, looks: Mapping[str, tuple[str, str, str]]
) -> str:
    both = [evaluation.groups[pair[key]] for key in ('first', 'second')]
    rows = common_starts([*both[0], *both[1]])
    shares = [success_matrix(policies, rows).mean(axis=0) for policies in both]
    svg = evaluation_charts.pair_map(
        evaluation.starts.starts[rows],
        *shares,
        (pair['first'], pair['second']),
        evaluation.contract.field,
        looks,
        evaluation.contract.words.past,
    )
    return data_uri('image/svg+xml', svg.encode())


def _episodes(evaluation: Evaluation) -> dict[str, Any]:
    """Return the episodes to list: all where there are few, else those that failed."""
    rows = [(policy, episode) for policy in evaluation.policies for episode in policy.episodes]
    few = len(rows) <= _LISTED
    chosen = [(p, e) for p, e in rows if few or not e.scored]
    with_ball, starts = _with_ball(evaluation), evaluation.starts.starts
    kinds = situations(starts, evaluation.contract) if with_ball else None
    return {
        'all': few,
        'total': len(chosen),
        'rows': [
            {
                'policy': policy.name,
                'episode': episode,
                'start': _position(starts[episode.start], evaluation),
                'situation': SITUATIONS[kinds[episode.start]][0] if with_ball else '',
            }
            for policy, episode in chosen[: _LISTED if few else _FAILURES]
        ],
    }


def _hard(evaluation: Evaluation) -> dict[str, int] | None:
    """Count the starts from which all policies scored, and those from which none did."""
    policies = [policy for policy in evaluation.policies if policy.episodes]
    rows = common_starts(policies)
    if not rows:
        return None
    share = success_matrix(policies, rows).mean(axis=0)
    return {'total': len(rows), 'all': int((share == 1).sum()), 'none': int((share == 0).sum())}


def _on_field(evaluation: Evaluation) -> bool:
    """Tell whether a robot starts on a field."""
    return isinstance(evaluation.contract, Contract)


def _verdicts(evaluation: Evaluation) -> dict[str, str]:
    """Return words for how episodes ended."""
    words = {**JUDGED, 'scored': evaluation.contract.words.past}
    return words if has_ball(evaluation.contract) else {**words, 'out': 'failed for good'}


def _with_ball(evaluation: Evaluation) -> bool:
    """Tell whether robot and ball start on a field, which can be drawn."""
    return has_ball(evaluation.contract)


def _time_limit(evaluation: Evaluation) -> float:
    """Return the length [s] of the longest episode."""
    contract = evaluation.contract
    return getattr(contract, 'time_limit', contract.max_steps * contract.period)


def _position(start: Sequence[float], evaluation: Evaluation) -> str:
    if not _on_field(evaluation):
        return ', '.join(f'{value:.2f}' for value in start).replace('-', '−')
    x, y, yaw, ball_x, ball_y = start
    text = f'robot ({x:.2f}, {y:.2f}) {np.degrees(yaw):.0f}°'
    if _with_ball(evaluation):
        text += f', ball ({ball_x:.2f}, {ball_y:.2f})'
    return text.replace('-', '−')
