"""Comparisons of ways to train: JSON a policy, a table with intervals, a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
import io
import json
from pathlib import Path

import numpy as np

from guda_ros.errors import GudaError
from guda_ros.evaluation.pages.drawing import new_figure
from guda_ros.evaluation.statistics import Estimate, success_rate

#: Colours of arms, in the order of drawing; others are grey.
_COLOURS = {
    'demonstrator': '#5B6670',
    'none': '#E69F00',
    'random': '#CC79A7',
    'hand': '#0072B2',
    'auto': '#009E73',
}
_RESAMPLES = 2000


@dataclass(frozen=True)
class PolicyTrial:
    """
    What one policy of an arm did: seconds to the goal from each start, None without one.

    place: the world in which it was tried. scenario: of its starts.
    """

    place: str
    scenario: str
    algorithm: str
    arm: str
    seed: int
    seconds: tuple[float | None, ...]

    @property
    def key(self) -> tuple:
        """What tells this policy from others."""
        return self.place, self.scenario, self.algorithm, self.arm, self.seed

    @property
    def success(self) -> np.ndarray:
        """Tell (starts,) whether it scored."""
        return np.array([time is not None for time in self.seconds])


def seconds_of(success: np.ndarray, seconds: np.ndarray) -> tuple[float | None, ...]:
    """Return the times (n,) of what scored, None for the others."""
    return tuple(
        round(float(time), 3) if scored else None for scored, time in zip(success, seconds)
    )


def read_trials(path: Path) -> list[PolicyTrial]:
    """Return the trials of a file, none if there is none; GudaError for one that is damaged."""
    if not path.exists():
        return []
    trials = []
    lines = path.read_text(encoding='utf-8').splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        if not line.endswith('\n'):
            break  # A run that was killed while it wrote: that policy is tried again.
        try:
            values = json.loads(line)
            trials.append(PolicyTrial(**{**values, 'seconds': tuple(values['seconds'])}))
        except (ValueError, TypeError, KeyError) as error:
            raise GudaError(
                f'{path}:{number}: not a result of a policy ({error}); remove the line'
            ) from error
    return trials


def write_trials(path: Path, trials: Sequence[PolicyTrial]) -> None:
    """Write the trials; what was there is replaced when the new file is complete."""
    from guda_ros.data.files import atomic_target

    with atomic_target(path) as target:
        target.write_text(
            ''.join(json.dumps(asdict(trial)) + '\n' for trial in trials), encoding='utf-8'
        )


@dataclass(frozen=True)
class ArmSummary:
    """An arm at a place: success and median seconds to the goal with 95 % intervals."""

    place: str
    scenario: str
    algorithm: str
    arm: str
    success: Estimate
    seconds: Estimate | None
    by_seed: tuple[float, ...]
    rollouts: int


def summaries(trials: Sequence[PolicyTrial]) -> list[ArmSummary]:
    """Return the arms in the order in which they appear first."""
    groups: dict[tuple, list[PolicyTrial]] = {}
    for trial in trials:
        groups.setdefault(trial.key[:-1], []).append(trial)
    found = []
    for key, group in groups.items():
        group = sorted(group, key=lambda trial: trial.seed)
        matrix = np.stack([trial.success for trial in group])
        found.append(
            ArmSummary(
                *key,
                success_rate(matrix, np.random.default_rng(0)),
                _median(group),
                tuple(float(rate) for rate in matrix.mean(axis=1)),
                matrix.size,
            )
        )
    return found


def _median(group) -> Estimate | None:
    """Return the median time of the goals, with an interval over resampled seeds and starts."""
    times = np.array(
        [[np.nan if time is None else time for time in trial.seconds] for trial in group]
    )
    if np.isnan(times).all():
        return None
    rng = np.random.default_rng(0)
    medians = []
    for _ in range(_RESAMPLES):
        drawn = times[rng.integers(0, len(times), len(times))][
            :, rng.integers(0, times.shape[1], times.shape[1])
        ]
        kept = drawn[~np.isnan(drawn)]
        if kept.size:
            medians.append(np.median(kept))
    return Estimate(float(np.nanmedian(times)), *map(float, np.quantile(medians, (0.025, 0.975))))


def table_of(found: Sequence[ArmSummary]) -> list[list[str]]:
    """Return rows: where, algorithm, arm, success, interval, by seed, seconds, interval."""
    rows = []
    for one in found:
        time, span = '', ''
        if one.seconds is not None:
            time = f'{one.seconds.value:.1f}'
            span = f'{one.seconds.low:.1f} to {one.seconds.high:.1f}'
        rows.append(
            [
                f'{one.place}, {one.scenario}',
                one.algorithm,
                one.arm,
                f'{one.success.value:.2f}',
                f'{one.success.low:.2f} to {one.success.high:.2f}',
                ' '.join(f'{rate:.2f}' for rate in one.by_seed),
                time,
                span,
            ]
        )
    return rows


HEADER = ['where', 'algorithm', 'arm', 'success', 'interval', 'by seed', 'median s', 'interval']


def markdown(found: Sequence[ArmSummary]) -> str:
    """Return the table as Markdown."""
    rows = [HEADER, ['---'] * len(HEADER), *table_of(found)]
    return ''.join('| ' + ' | '.join(row) + ' |\n' for row in rows)


def arms_png(found: Sequence[ArmSummary]) -> bytes:
    """Return a PNG: success of the arms with intervals and seeds, a panel a place."""
    panels = list(dict.fromkeys((one.place, one.scenario) for one in found))
    columns = min(len(panels), 4)
    lines = -(-len(panels) // columns)
    with new_figure(2.9 * lines, width=2.6 * columns + 0.6) as figure:
        grid = figure.subplots(lines, columns, squeeze=False, sharey=True)
        for axes in grid.ravel()[len(panels) :]:
            axes.set_visible(False)
        for axes, panel in zip(grid.ravel(), panels):
            shown = [one for one in found if (one.place, one.scenario) == panel]
            for at, one in enumerate(shown):
                colour = _COLOURS.get(one.arm, '#999933')
                axes.bar(at, one.success.value, color=colour, width=0.7, alpha=0.85)
                axes.errorbar(
                    at,
                    one.success.value,
                    color='#222B33',
                    lw=1,
                    capsize=2,
                    yerr=[
                        [max(one.success.value - one.success.low, 0)],
                        [max(one.success.high - one.success.value, 0)],
                    ],
                )
                axes.plot(
                    [at] * len(one.by_seed), one.by_seed, '.', color='#222B33', ms=3, alpha=0.6
                )
                if one.seconds is not None:
                    axes.text(at, 1.04, f'{one.seconds.value:.0f} s', ha='center', fontsize=6.5)
            names = [
                one.arm if one.arm == 'demonstrator' else f'{one.arm}\n{one.algorithm}'
                for one in shown
            ]
            axes.set_xticks(range(len(shown)), names, fontsize=6.5, rotation=90)
            axes.set(title=', '.join(panel), ylim=(0, 1.12))
            axes.grid(axis='y')
        grid[0, 0].set_ylabel('success')
        figure.tight_layout()
        buffer = io.BytesIO()
        figure.savefig(buffer, format='png', dpi=120, metadata={'Software': None})
    return buffer.getvalue()
