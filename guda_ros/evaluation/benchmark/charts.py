"""What a benchmark found, in pictures: scores, learning curves, what augmentation does to data."""

from __future__ import annotations

from collections.abc import Sequence
import os
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
import numpy as np

from guda_ros.augmentation.task import Task
from guda_ros.data.transitions import TransitionSet
from guda_ros.evaluation.benchmark.cells import Cell, training_set
from guda_ros.evaluation.benchmark.plan import Plan
from guda_ros.evaluation.benchmark.tables import Arm, arms_of, iqm, normalised
from guda_ros.evaluation.pages.drawing import hide_y_axis, INK, MUTED, new_figure, PALETTE
from guda_ros.evaluation.set_quality import quality

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Augmentations that have a colour of their own.
_COLOURS = {
    'none': '#5B6670',
    'random': '#CC79A7',
    'model': '#E69F00',
    'guided': '#0072B2',
    'auto': '#009E73',
}
_DPI = 130


def draw_charts(plan: Plan, cells: Sequence[Cell], folder: str | os.PathLike[str]) -> list[Path]:
    """Draw scores and learning curves as PNG files; return them."""
    arms = arms_of(plan, cells)
    return [
        draw_scores(plan, arms, Path(folder) / f'{plan.name}_scores.png'),
        draw_curves(plan, arms, Path(folder) / f'{plan.name}_curves.png'),
    ]


def colour_of(plan: Plan, augmentation: str) -> str:
    """Return the colour of an augmentation."""
    others = [name for name in plan.augmentations if name not in _COLOURS]
    spare = [colour for colour in PALETTE if colour not in _COLOURS.values()]
    return _COLOURS.get(augmentation) or spare[others.index(augmentation) % len(spare)]


def _unit(plan: Plan) -> str:
    return 'normalised return' if plan.kind().reference_returns else 'return'


def draw_scores(plan: Plan, arms: Sequence[Arm], path: Path) -> Path:
    """Draw the IQM of every arm with interval and trainings, and the paper's figures."""
    algorithms = list(dict.fromkeys(arm.algorithm for arm in arms))
    most = max(sum(arm.algorithm == name for arm in arms) for name in algorithms)
    columns = min(2, len(algorithms))
    lines = -(-len(algorithms) // columns)
    with new_figure(0.5 + lines * (0.45 + 0.24 * most)) as figure:
        panels = list(figure.subplots(lines, columns, sharex=True, squeeze=False).flat)
        for axes, algorithm in zip(panels, algorithms):
            own = [arm for arm in arms if arm.algorithm == algorithm]
            for row, arm in enumerate(own):
                colour, estimate = colour_of(plan, arm.augmentation), iqm(arm)
                axes.barh(row, estimate.value, height=0.62, color=colour, alpha=0.3)
                axes.plot([estimate.low, estimate.high], [row, row], color=INK, linewidth=1.4)
                axes.plot(
                    arm.scores.mean(axis=1),
                    np.full(len(arm.cells), row),
                    linestyle='none',
                    marker='o',
                    markersize=3.6,
                    color=colour,
                    markeredgecolor='white',
                    markeredgewidth=0.5,
                )
                paper = plan.paper.get(algorithm, {}).get(arm.augmentation)
                if paper is not None:
                    axes.plot(
                        [paper] * 2,
                        [row - 0.38, row + 0.38],
                        color=INK,
                        linewidth=1.6,
                        linestyle=(0, (1.5, 1)),
                    )
            axes.set_yticks(range(len(own)), [arm.augmentation for arm in own])
            axes.set_ylim(len(own) - 0.5, -0.5)
            axes.set_title(algorithm)
            if plan.kind().reference_returns:
                axes.axvline(100, color=MUTED, linewidth=0.8)
            hide_y_axis(axes)
        for axes in panels[len(algorithms) :]:
            axes.set_visible(False)
        figure.supxlabel(
            f'{_unit(plan)}; bar: IQM, line: 95 % interval, dot: one training, dashes: the paper, '
            'grey: the demonstrator',
            fontsize=8,
        )
        figure.tight_layout()
        return _saved(figure, path)


def draw_curves(plan: Plan, arms: Sequence[Arm], path: Path) -> Path:
    """Draw the score while it learns: line IQM over trainings, band interquartile range."""
    algorithms = list(dict.fromkeys(arm.algorithm for arm in arms))
    columns = min(2, len(algorithms))
    with new_figure(0.5 + 2.2 * -(-len(algorithms) // columns)) as figure:
        panels = list(
            figure.subplots(
                -(-len(algorithms) // columns), columns, sharey=True, squeeze=False
            ).flat
        )
        for axes, algorithm in zip(panels, algorithms):
            for arm in (arm for arm in arms if arm.algorithm == algorithm):
                scores = np.sort(
                    np.stack(
                        [normalised(plan, cell.curve_returns).mean(axis=1) for cell in arm.cells]
                    ),
                    axis=0,
                )
                cut = len(scores) // 4
                middle, colour = scores[cut : len(scores) - cut], colour_of(plan, arm.augmentation)
                updates = arm.cells[0].updates
                axes.plot(updates, middle.mean(axis=0), color=colour, linewidth=1.6)
                axes.fill_between(
                    updates, middle[0], middle[-1], color=colour, alpha=0.16, linewidth=0
                )
            axes.set_title(algorithm)
            axes.set_xlim(0)
            axes.grid(axis='y')
            axes.set_xlabel('update')
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.xaxis.set_major_formatter(
                FuncFormatter(
                    lambda value, _: f'{value / 1000:g}k' if value >= 1000 else f'{value:g}'
                )
            )
        for axes in panels[len(algorithms) :]:
            axes.set_visible(False)
        for axes in panels[::columns]:
            axes.set_ylabel(_unit(plan))
        _legend(figure, plan, list(dict.fromkeys(arm.augmentation for arm in arms)))
        figure.tight_layout(rect=(0, 0, 1, 1 - 0.25 / figure.get_figheight()))
        return _saved(figure, path)


def draw_quality(
    plan: Plan, recorded: dict[int, TransitionSet], task: Task, path: Path
) -> tuple[Path, list[dict]]:
    """
    Draw TQ and SACo of the training sets, and where the object is in the first of each kind.

    :param recorded: initial data by the seed of its augmentation. Return the file and the figures
        as rows.
    """
    rows = []
    with new_figure(4.2) as figure:
        grid = figure.add_gridspec(2, len(plan.augmentations), height_ratios=[1.5, 1])
        axes = figure.add_subplot(grid[0, :])
        for column, name in enumerate(plan.augmentations):
            found = []
            for seed, steps in recorded.items():
                made = training_set(plan, name, steps, seed)
                found.append(quality(task, made))
                rows.append(
                    {
                        'augmentation': name,
                        'data_seed': seed,
                        'rows': len(made),
                        'tq': round(found[-1].tq, 4),
                        'saco': round(found[-1].saco, 5),
                    }
                )
                if len(found) == 1:
                    _draw_positions(figure.add_subplot(grid[1, column]), task, made, name)
            axes.plot(
                [one.saco for one in found],
                [one.tq for one in found],
                linestyle='none',
                marker='o',
                markersize=6,
                color=colour_of(plan, name),
                markeredgecolor='white',
            )
        axes.set_xscale('log')
        axes.set_xlabel(
            'SACo: state-action cells with a step, as a share of those that 10⁶ '
            'uniformly drawn steps fill'
        )
        axes.set_ylabel('TQ')
        axes.grid(axis='y')
        _legend(figure, plan, list(plan.augmentations))
        figure.tight_layout(rect=(0, 0, 1, 1 - 0.25 / figure.get_figheight()))
        return _saved(figure, path), rows


def _draw_positions(axes: Axes, task: Task, steps: TransitionSet, name: str) -> None:
    """Draw how often the object is where."""
    (low, high), (right, left) = task.bounds
    positions = steps.states[:, list(task.layout.bodies[task.object].position)]
    counts, x, y = np.histogram2d(
        *positions.T, bins=(36, 24), range=((low, max(high, task.mouth[0][1])), (right, left))
    )
    axes.pcolormesh(x, y, np.log1p(counts).T, cmap='viridis', rasterized=True)
    axes.set_aspect('equal')
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(name, fontsize=8.5)


def _legend(figure: Figure, plan: Plan, augmentations: Sequence[str]) -> None:
    figure.legend(
        handles=[
            Line2D([], [], color=colour_of(plan, name), linewidth=2.5, label=name)
            for name in augmentations
        ],
        loc='upper left',
        ncols=len(augmentations),
        borderaxespad=0.3,
        handlelength=1.3,
    )


def _saved(figure: Figure, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format='png', dpi=_DPI, metadata={'Software': None})
    return path
