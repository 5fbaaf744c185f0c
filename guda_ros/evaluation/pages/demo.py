"""
The report of a run: one HTML page that needs only a browser, and its numbers as strict JSON.

`ReportInputs` says what goes in. Only what was judged is needed; what else is missing is named on
the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
import json
import math
import os
from pathlib import Path
from typing import Any, TYPE_CHECKING

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.data.verdicts import VERDICTS
from guda_ros.evaluation.pages import charts, drawing, page, pictures
from guda_ros.evaluation.pages.page import data_uri, finite, minutes, percent, ReportFiles
from guda_ros.evaluation.results import Episode as Judged
from guda_ros.evaluation.results import Evaluation, PolicyResult
from guda_ros.evaluation.statistics import (
    median_time_to_score,
    paired_difference,
    success_rate,
    wilson_interval,
)

if TYPE_CHECKING:
    from guda_ros.data.episodes import Episode
    from guda_ros.data.transitions import TransitionSet

FORMAT = 'guda_ros report'
VERSION = 1
REFERENCE = 'guided'
#: Segments drawn of each rule: long ones as paths, single transitions as arrows.
_LONG_SEGMENTS, _SHORT_SEGMENTS = 16, 70
_FILM_TYPES = {
    '.webm': 'video/webm',
    '.mp4': 'video/mp4',
    '.webp': 'image/webp',
    '.gif': 'image/gif',
}


@dataclass
class AugmentedSet:
    """
    What one guide made (its name is the key in ReportInputs.augmentation).

    transitions: how many in one training set; seconds: wall time to make them; acceptance: rule ->
    {'accepted': count, 'rejected': {reason: count}}; sample: some of them, to draw (consecutive
    rows that follow one another are drawn as one path).
    """

    transitions: int
    seconds: float
    acceptance: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sample: TransitionSet | None = None

    @classmethod
    def from_transitions(
        cls, made: TransitionSet, acceptance: Mapping[str, Any] | None = None, drawn: int = 20_000
    ) -> AugmentedSet:
        """
        Take what augmentation returned.

        :param acceptance: AcceptanceReport.as_dict(); by default what the set carries in its
            `info`.
        :param drawn: rows kept of each rule, to draw from.
        """
        report = made.info.get('acceptance', {}) if acceptance is None else acceptance
        rows = [
            np.flatnonzero(made.rule == index)[:drawn] for index in range(len(made.rule_names))
        ]
        return cls(
            transitions=len(made),
            seconds=report.get('seconds', math.nan),
            acceptance={
                rule: {'accepted': count, 'rejected': report.get('rejected', {}).get(rule, {})}
                for rule, count in report.get('accepted', {}).items()
            },
            sample=made.select(np.concatenate(rows)),
        )


@dataclass
class Film:
    """A film (.webm, .mp4, .webp or .gif), a still that is shown before it plays, a caption."""

    path: str | os.PathLike
    poster: str | os.PathLike[str] | None = None
    caption: str = ''


@dataclass
class Targets:
    """What the run is held against."""

    guided_rate: float = 0.85
    ros_scored: int = 15
    wall_seconds: float = 600.0


@dataclass
class ReportInputs:
    """Everything the report is made of."""

    #: Groups 'guided', 'raw', 'random', 'demonstrator' and any others, drawn in this order, each
    #: with all its seeds from the same starts; seed i of the trained ones saw the same
    #: demonstrations.
    judged: Evaluation
    #: The guided policy through the ROS graph.
    ros: Evaluation | None = None
    #: What was recorded.
    demonstrations: Sequence[Episode] = ()
    #: How many demonstrations a training seed saw.
    seed_demonstrations: int | None = None
    #: Guide -> what it made.
    augmentation: Mapping[str, AugmentedSet] = field(default_factory=dict)
    #: Arm -> rows {'seed': int, 'step': int, metric: float, ...}, one for each log line.
    learning: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    #: (n,) [m] distance of the estimated from the true ball; NaN where there is no estimate.
    perception_error: np.ndarray | None = None
    #: (n,) [m] distance of the true ball from the robot.
    perception_distance: np.ndarray | None = None
    #: Stage -> wall time [s] without set-up.
    wall_seconds: Mapping[str, float] = field(default_factory=dict)
    films: Sequence[Film] = ()
    #: What a reader of the numbers must know; it stands under how it was measured.
    notes: Sequence[str] = ()
    #: Part -> why there is none, for instance 'film': 'no OpenGL library'.
    missing: Mapping[str, str] = field(default_factory=dict)
    #: Stands at the top, for instance of a run that only tries the stages.
    warning: str = ''
    targets: Targets = field(default_factory=Targets)

    @property
    def contract(self) -> Contract:
        """The contract of the whole run."""
        return self.judged.contract

    @property
    def starts(self) -> np.ndarray:
        """The starts (n, 5) of the batched simulator: robot x, y, yaw, ball x, y."""
        return self.judged.starts.starts

    @property
    def ros_episodes(self) -> Sequence[Judged]:
        """What became of the starts in the ROS graph."""
        return () if self.ros is None else self.ros.policies[0].episodes

    @cached_property
    def arms(self) -> dict[str, Arm]:
        """The groups of what was judged, by name."""
        return {name: Arm.of(policies) for name, policies in self.judged.groups.items()}


@dataclass(frozen=True)
class Arm:
    """The episodes of one group in the batched simulator: row i is seed i, column j start j."""

    #: Whether the ball was scored, (seeds, starts).
    success: np.ndarray
    #: Simulated time until the end [s].
    seconds: np.ndarray
    #: Whether the ball left the field.
    out: np.ndarray

    @classmethod
    def of(cls, policies: Sequence[PolicyResult]) -> Arm:
        """
        Return the episodes of the seeds of a group.

        :raises ValueError: if they did not try the same starts.
        """
        tried = [sorted(policy.by_start) for policy in policies]
        if not tried[0] or any(numbers != tried[0] for numbers in tried):
            raise ValueError(f'{policies[0].group}: its seeds have not tried the same starts')
        rows = [[policy.by_start[start] for start in tried[0]] for policy in policies]
        return cls(
            np.array([[episode.scored for episode in row] for row in rows]),
            np.array([[episode.seconds for episode in row] for row in rows]),
            np.array([[episode.verdict == 'out' for episode in row] for row in rows]),
        )


def build_report(
    inputs: ReportInputs, out_dir: str | os.PathLike[str], rng: np.random.Generator | None = None
) -> ReportFiles:
    """
    Write report.json and report.html to a folder; each appears only when it is whole.

    :param rng: draws the bootstrap; the same generator gives the same intervals.
    :raises ValueError: if the seeds of a group have not tried the same starts.
    """
    out_dir = Path(out_dir)
    numbers, estimates = _summarise(inputs, rng or np.random.default_rng(0))
    text = _render(inputs, numbers, estimates)
    files = ReportFiles(out_dir / 'report.html', out_dir / 'report.json')
    page.write(files.json, json.dumps(numbers, indent=2, allow_nan=False) + '\n')
    page.write(files.html, text)
    return files


def summarise(inputs: ReportInputs, rng: np.random.Generator | None = None) -> dict:
    """Return what report.json holds: plain values, None for what is not known."""
    return _summarise(inputs, rng or np.random.default_rng(0))[0]


def _summarise(inputs: ReportInputs, rng: np.random.Generator) -> tuple[dict, dict[str, Any]]:
    success, rates = {}, {}
    for name, arm in inputs.arms.items():
        matrix = arm.success
        rates[name] = success_rate(matrix, rng)
        success[name] = {
            'rate': rates[name].value,
            'low': rates[name].low,
            'high': rates[name].high,
            'episodes': matrix.size,
            'seeds': matrix.shape[0],
            'starts': matrix.shape[1],
            'rate_per_seed': matrix.mean(axis=1),
            'median_seconds_to_score': median_time_to_score(
                matrix,
                np.round(arm.seconds / inputs.contract.period).astype(int),
                inputs.contract.period,
            ),
            'ball_out': float(np.mean(arm.out)),
        }
    differences = {}
    if REFERENCE in inputs.arms:
        for name in inputs.arms:
            if name != REFERENCE:
                differences[name] = paired_difference(
                    inputs.arms[REFERENCE].success, inputs.arms[name].success, rng
                )
    scored = sum(episode.verdict == 'scored' for episode in inputs.ros_episodes)
    ros = wilson_interval(scored, len(inputs.ros_episodes))
    numbers = {
        'format': FORMAT,
        'version': VERSION,
        'made_at': inputs.judged.made_at,
        'contract_hash': inputs.contract.hash,
        'success': success,
        'differences': {
            f'{REFERENCE} - {name}': {'difference': e.value, 'low': e.low, 'high': e.high}
            for name, e in differences.items()
        },
        'ros_episodes': {
            'scored': scored,
            'total': len(inputs.ros_episodes),
            'rate': ros.value,
            'low': ros.low,
            'high': ros.high,
            'episodes': [
                {
                    'id': e.id,
                    'verdict': e.verdict,
                    'seconds': e.seconds,
                    'message': e.message,
                    'start': inputs.ros.starts.starts[e.start].tolist(),
                }
                for e in inputs.ros_episodes
            ],
        },
        'demonstrations': {
            'total': len(inputs.demonstrations),
            'scored': sum(bool(e.success) for e in inputs.demonstrations),
            'per_seed': inputs.seed_demonstrations,
        },
        'augmentation': _augmentation_numbers(inputs.augmentation),
        'perception': _perception_numbers(inputs),
        'wall_seconds': {**inputs.wall_seconds, 'total': sum(inputs.wall_seconds.values())}
        if inputs.wall_seconds
        else {},
        'versions': dict(inputs.judged.versions),
        'machine': inputs.judged.machine,
        'commands': list(inputs.judged.commands),
        'warning': inputs.warning,
        'notes': list(inputs.notes),
        'missing': dict(inputs.missing),
    }
    numbers = finite(numbers)
    numbers['targets'] = _targets(inputs, numbers)
    return numbers, {'rates': rates, 'differences': differences, 'ros': ros}


def _augmentation_numbers(sets: Mapping[str, AugmentedSet]) -> dict:
    listed = {}
    for name, made in sets.items():
        accepted = sum(rule.get('accepted', 0) for rule in made.acceptance.values())
        proposed = accepted + sum(
            sum(rule.get('rejected', {}).values()) for rule in made.acceptance.values()
        )
        listed[name] = {
            'transitions': made.transitions,
            'seconds': made.seconds,
            'acceptance': accepted / proposed if proposed else None,
            'rules': {
                rule: {
                    'accepted': value.get('accepted', 0),
                    'rejected': dict(value.get('rejected', {})),
                }
                for rule, value in made.acceptance.items()
            },
        }
    head = listed.get(REFERENCE) or next(iter(listed.values()), {})
    return {
        'transitions': head.get('transitions', 0),
        'acceptance': head.get('acceptance'),
        'seconds': head.get('seconds'),
        'sets': listed,
    }


def _perception_numbers(inputs: ReportInputs) -> dict:
    error = np.asarray(
        [] if inputs.perception_error is None else inputs.perception_error, dtype=float
    )
    error = error[np.isfinite(error)]
    return {
        'ball_error_m_median': float(np.median(error)) if error.size else None,
        'ball_error_m_p90': float(np.quantile(error, 0.9)) if error.size else None,
        'samples': error.size,
    }


def _targets(inputs: ReportInputs, numbers: dict) -> list[dict]:
    """Return what was aimed at and whether it was reached (None: not measured), in words."""
    targets, success = inputs.targets, numbers['success']
    guided, listed = success.get(REFERENCE), []

    def add(name: str, words: str, met: bool | None, found: str) -> None:
        listed.append({'name': name, 'target': words, 'met': met, 'found': found})

    add(
        'guided_rate',
        f'guided success at least {100 * targets.guided_rate:.0f} %',
        None if guided is None else guided['rate'] >= targets.guided_rate,
        'not measured' if guided is None else percent(guided['rate']),
    )
    for name, words in (('raw', 'the demonstrations alone'), ('random', 'random augmentation')):
        other = success.get(name)
        known = guided is not None and other is not None
        add(
            f'guided_above_{name}',
            f'its interval above that of {words}',
            guided['low'] > other['high'] if known else None,
            f'{percent(guided["low"])} against {percent(other["high"])}'
            if known
            else 'not measured',
        )
    ros = numbers['ros_episodes']
    add(
        'ros_scored',
        f'at least {targets.ros_scored} goals in the ROS graph',
        ros['scored'] >= targets.ros_scored if ros['total'] else None,
        f'{ros["scored"]} of {ros["total"]}' if ros['total'] else 'not measured',
    )
    total = numbers['wall_seconds'].get('total')
    add(
        'wall_seconds',
        f'at most {targets.wall_seconds / 60:.0f} minutes',
        None if total is None else total <= targets.wall_seconds,
        'not measured' if total is None else minutes(total),
    )
    return listed


def _render(inputs: ReportInputs, numbers: dict, estimates: dict) -> str:
    missing = dict(inputs.missing)
    return page.render(
        'demo.html.j2',
        inputs=inputs,
        numbers=numbers,
        contract=inputs.contract,
        arms=[
            {
                'name': name,
                'label': drawing.arm_label(name),
                'colour': drawing.arm_colour(name),
                **numbers['success'][name],
            }
            for name in inputs.arms
        ],
        figures=_figures(inputs, estimates),
        films=_films(inputs.films, missing),
        missing=missing,
        ros_failures=[_describe(e) for e in inputs.ros_episodes if e.verdict != 'scored'],
        demonstration_failures=[
            f'{pictures.short_id(e.id)} ({VERDICTS.get(e.verdict, e.verdict)})'
            for e in inputs.demonstrations
            if not e.success
        ],
        hard_starts=_hard_starts(inputs),
        verdicts=VERDICTS,
    )


def _figures(inputs: ReportInputs, estimates: dict) -> dict[str, str]:
    """Return the data URI of every figure for which there is something to draw."""
    pitch, arms, drawn = inputs.contract.field, inputs.arms, {}
    drawn['success'] = charts.success(
        {
            name: (estimates['rates'][name], np.mean(arm.success, axis=1))
            for name, arm in arms.items()
        },
        estimates['differences'],
        REFERENCE,
        inputs.targets.guided_rate,
    )
    timed = {name: (arm.success, arm.seconds) for name, arm in arms.items()}
    drawn['time'] = charts.time_to_score(timed, inputs.contract.time_limit)
    if REFERENCE in arms:
        share = np.mean(arms[REFERENCE].success, axis=0)
        drawn['starts'] = pictures.start_map(inputs.starts[: share.size], share, pitch)
    if inputs.demonstrations:
        drawn['demonstrations'] = pictures.demonstrations(list(inputs.demonstrations), pitch)
    groups = {}
    for name, made in inputs.augmentation.items():
        if made.sample is not None:
            groups.update(_segments(name, made.sample))
    if groups:
        drawn['segments'] = pictures.segments(groups, pitch)
    rules = {
        _rule_label(name, rule): value
        for name, made in inputs.augmentation.items()
        for rule, value in made.acceptance.items()
    }
    if rules:
        drawn['acceptance'] = charts.acceptance(rules)
    if any(inputs.learning.values()):
        drawn['learning'] = charts.learning_curves(inputs.learning)
    if inputs.perception_error is not None and np.isfinite(inputs.perception_error).any():
        drawn['perception'] = charts.perception_error(
            np.asarray(inputs.perception_error), np.asarray(inputs.perception_distance)
        )
    if inputs.ros is not None and inputs.ros_episodes:
        drawn['ros'] = pictures.ros_episodes(
            inputs.ros.starts.starts[[e.start for e in inputs.ros_episodes]],
            [e.scored for e in inputs.ros_episodes],
            pitch,
        )
    if inputs.wall_seconds:
        drawn['stages'] = charts.stage_times(
            {
                name: math.nan if value is None else float(value)
                for name, value in inputs.wall_seconds.items()
            }
        )
    return {name: data_uri('image/svg+xml', svg.encode()) for name, svg in drawn.items()}


def _segments(name: str, sample: TransitionSet) -> dict[str, list[np.ndarray]]:
    """Return segments to draw for every rule of a sample, spread evenly over it."""
    groups = {}
    for index, rule in enumerate(sample.rule_names):
        rows = np.flatnonzero(sample.rule == index)
        if not rows.size or rule == 'raw':
            continue
        states, following = sample.states[rows], sample.next_states[rows]
        runs = pictures.chains(states, following)
        lengths = np.array([run.stop - run.start for run in runs])
        # Of long segments the longer half: the others are too short to see on a whole field.
        runs = [run for run, length in zip(runs, lengths) if length >= np.median(lengths)]
        limit = _LONG_SEGMENTS if np.median(lengths) > 3 else _SHORT_SEGMENTS
        chosen = np.unique(
            np.linspace(0, len(runs) - 1, min(limit, len(runs))).round().astype(int)
        )
        groups[_rule_label(name, rule)] = [
            np.concatenate([states[runs[i]], following[runs[i]][-1:]]) for i in chosen
        ]
    return groups


def _rule_label(name: str, rule: str) -> str:
    return (name if name == rule else f'{name}: {rule}').replace('_', ' ')


def _films(films: Sequence[Film], missing: dict[str, str]) -> list[dict]:
    """Return the films as data URIs; one that cannot be read goes to `missing` with the reason."""
    shown = []
    for film in films:
        path = Path(film.path)
        kind = _FILM_TYPES.get(path.suffix.lower())
        if kind is None:
            missing['film'] = f'{path.name} is not one of {", ".join(_FILM_TYPES)}'
            continue
        try:
            uri = data_uri(kind, path.read_bytes())
            poster = ''
            if film.poster is not None and Path(film.poster).is_file():
                poster = data_uri(
                    'image/png' if str(film.poster).endswith('.png') else 'image/jpeg',
                    Path(film.poster).read_bytes(),
                )
        except OSError as error:
            missing['film'] = f'{path.name}: {error.strerror}'
            continue
        shown.append(
            {
                'uri': uri,
                'poster': poster,
                'kind': kind,
                'caption': film.caption,
                'video': kind.startswith('video/'),
            }
        )
    if not shown and 'film' not in missing:
        missing['film'] = 'none was rendered'
    return shown


def _describe(episode: Judged) -> dict:
    return {
        'id': pictures.short_id(episode.id),
        'verdict': VERDICTS.get(episode.verdict, episode.verdict),
        'seconds': episode.seconds,
        'message': episode.message,
    }


def _hard_starts(inputs: ReportInputs) -> dict | None:
    """Count the starts by how many seeds of the reference arm scored from them."""
    if REFERENCE not in inputs.arms:
        return None
    share = np.mean(inputs.arms[REFERENCE].success, axis=0)
    return {'total': share.size, 'all': int((share == 1).sum()), 'none': int((share == 0).sum())}
