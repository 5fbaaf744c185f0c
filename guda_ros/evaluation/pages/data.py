"""A page about recordings or a data set: what is usable, how regular, how good and how wide."""

from __future__ import annotations

from collections.abc import Sequence
import json
import os
from typing import Any, TYPE_CHECKING

import numpy as np

from guda_ros.arguments import as_path
from guda_ros.augmentation.coverage import measure_coverage
from guda_ros.augmentation.registry import load_task
from guda_ros.data.recording.reader import RecordingReader
from guda_ros.data.recording.streams import read_streams, Stream
from guda_ros.data.sets.sources import Source
from guda_ros.data.transitions import rewards_and_terminations, transitions, TransitionSet
from guda_ros.evaluation.pages import data_charts, page, pictures
from guda_ros.evaluation.pages.page import data_uri, finite, ReportFiles
from guda_ros.evaluation.set_quality import describe_set

if TYPE_CHECKING:
    from guda_ros.augmentation.task import Task
    from guda_ros.data.contract import Contract
    from guda_ros.data.episodes import Episode

#: Most episodes that are drawn one by one.
_DRAWN = 60


def build_data_report(
    source: Source,
    folder: str | os.PathLike[str],
    augmented: TransitionSet | None = None,
    reference: Source | None = None,
) -> ReportFiles:
    """
    Write report.html and report.json to a folder, each in one step.

    :param augmented: a set that was made of the episodes, to compare coverage with.
    :param reference: episodes whose return and coverage count as 1.
    """
    streams = [stream for path in source.recordings for stream in read_streams(path)]
    numbers, steps = _numbers(source, streams, augmented, reference)
    figures = _figures(source, streams, steps, augmented, numbers)
    folder = as_path(folder, 'out')
    text = page.render(
        'data.html.j2',
        source=source,
        contract=source.contract,
        numbers=numbers,
        figures={name: data_uri('image/svg+xml', svg.encode()) for name, svg in figures.items()},
        recorded=bool(source.recordings),
        with_ball=source.contract.has_ball,
    )
    content = json.dumps(finite(numbers), indent=1, sort_keys=True, allow_nan=False)
    page.write(folder / 'report.json', content)
    page.write(folder / 'report.html', text)
    return ReportFiles(folder / 'report.html', folder / 'report.json')


def _numbers(
    source: Source,
    streams: list[Stream],
    augmented: TransitionSet | None,
    reference: Source | None,
) -> tuple[dict[str, Any], TransitionSet]:
    contract, episodes = source.contract, source.episodes
    task = load_task(contract.task)(contract)
    steps = transitions(episodes, contract)
    qualities = _qualities(source)
    rows = []
    for episode in episodes:
        rows.append(
            {
                'id': episode.id,
                'verdict': episode.verdict,
                'seconds': episode.duration,
                'steps': len(episode),
                'usable': float(episode.usable.mean()),
                'return': _return(episode, contract),
                'operator': episode.operator,
                'good': qualities.get(episode.id, {}).get('good'),
                'reasons': qualities.get(episode.id, {}).get('reasons', []),
                'problems': list(episode.problems),
            }
        )
    returns = np.array([row['return'] for row in rows])
    numbers = {
        'source': str(source.path),
        'contract': contract.name,
        'contract_hash': contract.hash,
        'robot': contract.robot,
        'episodes': rows,
        'damaged': list(source.damaged),
        'scored': sum(episode.success for episode in episodes),
        'seconds': float(sum(episode.duration for episode in episodes)),
        'steps': int(sum(map(len, episodes))),
        'usable_steps': len(steps),
        'interventions': int(sum(episode.interventions.sum() for episode in episodes)),
        'not_good': sum(row['good'] is False for row in rows),
        'tq': {
            'mean_return': float(returns.mean()),
            'min': float(returns.min()),
            'max': float(returns.max()),
            'normalised': None,
        },
        'streams': [_stream_row(own) for own in _by_topic(streams)],
    }
    sets = {'recorded': steps}
    if augmented is not None:
        sets['augmented'] = augmented
    numbers['sets'] = {name: _set_row(task, part) for name, part in sets.items() if len(part)}
    numbers['saco'] = {
        name: {'cells': row['cells'], 'normalised': None} for name, row in numbers['sets'].items()
    }
    if reference is not None:
        _normalise(numbers, reference, contract, task)
    return numbers, steps


def _return(episode: Episode, contract: Contract) -> float:
    """Return the sum of the rewards of an episode; those of missing steps are not known."""
    rewards, _ = rewards_and_terminations(episode, contract)
    return float(np.nansum(rewards))


def _normalise(
    numbers: dict[str, object], reference: Source, contract: Contract, task: Task
) -> None:
    """Divide return and cells by those of a reference (Schweighofer et al. 2021, 2111.04714)."""
    contract.require(reference.contract, str(reference.path))
    best = np.mean([_return(episode, contract) for episode in reference.episodes])
    cells = describe_set(task, transitions(reference.episodes, contract)).cells
    numbers['reference'] = {
        'source': str(reference.path),
        'mean_return': float(best),
        'cells': cells,
    }
    if best:
        numbers['tq']['normalised'] = numbers['tq']['mean_return'] / float(best)
    for row in numbers['saco'].values():
        row['normalised'] = row['cells'] / cells if cells else None


def _set_row(task: Task, steps: TransitionSet) -> dict[str, Any]:
    coverage = measure_coverage(task, steps.states)
    found = describe_set(task, steps)
    return {
        'transitions': len(steps),
        'reward': found.reward,
        'progress_mm': found.progress,
        'cells': found.cells,
        'sides_covered': coverage.covered,
        'places_covered': coverage.places_covered,
        'next': coverage.missing(),
    }


def _qualities(source: Source) -> dict[str, dict]:
    """Return the recorder's own quality reports, by episode; recordings of old have none."""
    found = {}
    for episode, path in zip(source.episodes, source.recordings):
        with RecordingReader(path) as reader:
            if reader.quality:
                found[episode.id] = reader.quality
    return found


def _by_topic(streams: Sequence[Stream]) -> list[list[Stream]]:
    topics = sorted({stream.topic for stream in streams})
    return [[stream for stream in streams if stream.topic == topic] for topic in topics]


def _stream_row(own: list[Stream]) -> dict[str, Any]:
    worst = max(own, key=lambda stream: stream.widest)
    delays = [stream.delay for stream in own if np.isfinite(stream.delay)]
    return {
        'topic': own[0].topic,
        'role': own[0].role,
        'episodes': len(own),
        'messages': sum(stream.messages for stream in own),
        'rate': float(np.median([stream.rate for stream in own])),
        'regular': all(stream.regular for stream in own),
        'widest': worst.widest,
        'widest_in': worst.recording,
        'widest_at': worst.widest_at,
        'lost': sum(stream.lost for stream in own),
        'backward': sum(stream.backward for stream in own),
        'delay': float(np.median(delays)) if delays else None,
    }


def _figures(
    source: Source,
    streams: list[Stream],
    steps: TransitionSet,
    augmented: TransitionSet | None,
    numbers: dict[str, object],
) -> dict[str, str]:
    episodes, field = source.episodes, source.contract.field
    drawn = {
        'timeline': data_charts.timeline(episodes[:_DRAWN], source.contract.has_ball),
        'paths': pictures.demonstrations(episodes[:_DRAWN], field, ball=source.contract.has_ball),
        'returns': data_charts.returns(
            [row['id'] for row in numbers['episodes']],
            np.array([row['return'] for row in numbers['episodes']]),
            np.array([episode.success for episode in episodes]),
        ),
    }
    if streams:
        drawn['intervals'] = data_charts.intervals(streams)
    if len(steps):
        task = load_task(source.contract.task)(source.contract)
        sets = {'recorded': steps}
        if augmented is not None and len(augmented):
            sets['augmented'] = augmented
        drawn['commands'] = data_charts.commands(steps.actions)
        drawn['sides'] = data_charts.sides(
            {name: measure_coverage(task, part.states) for name, part in sets.items()}
        )
        drawn['places'] = data_charts.places(
            {name: part.states for name, part in sets.items()},
            field,
            task.object,
            source.contract.subject,
        )
    return drawn
