"""Figures of the evaluation report, each returned as the text of an SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import PercentFormatter
import numpy as np

from guda_ros.data.verdicts import JUDGED
from guda_ros.evaluation.pages.drawing import (
    arm_colour,
    arm_label,
    arm_short,
    hide_y_axis,
    INK,
    Looks,
    MUTED,
    new_figure,
    svg_text,
)
from guda_ros.evaluation.pages.pictures import draw_field, legend_beside
from guda_ros.evaluation.statistics import Estimate
from guda_ros.soccer.field import Field

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_VERDICT_COLOURS = {
    'scored': '#0072B2',
    'timeout': '#B8C0C7',
    'out': '#E69F00',
    'fall': '#882255',
    'failed': '#D55E00',
    'error': '#333333',
}


def verdicts(
    counts: Mapping[str, Mapping[str, int]], looks: Looks, labels: Mapping[str, str] = JUDGED
) -> str:
    """
    Draw which share of each group's episodes ended how; counts: group -> verdict -> number.

    :param labels: words for the verdicts.
    """
    rows = len(counts)
    with new_figure(0.33 * rows + 0.55) as figure:
        height = figure.get_figheight()
        axes = figure.add_axes([0.205, 0.24 / height, 0.645, 0.33 * rows / height])
        seen = [name for name in JUDGED if any(name in found for found in counts.values())]
        for y, found in enumerate(counts.values()):
            total, left = sum(found.values()) or 1, 0.0
            for name in seen:
                share = found.get(name, 0) / total
                axes.barh(
                    y,
                    share,
                    left=left,
                    height=0.66,
                    color=_VERDICT_COLOURS[name],
                    edgecolor='white',
                    linewidth=0.6,
                )
                if share > 0.035:
                    ink = INK if name in ('timeout', 'out') else 'white'
                    axes.text(
                        left + share / 2,
                        y,
                        str(found[name]),
                        color=ink,
                        ha='center',
                        va='center',
                        fontsize=8,
                    )
                left += share
            axes.text(1.015, y, f'{sum(found.values())} episodes', va='center', fontsize=8)
        axes.set_yticks(range(rows), [arm_label(name, looks) for name in counts])
        axes.set_ylim(rows - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        hide_y_axis(axes)
        figure.legend(
            handles=[
                Rectangle((0, 0), 1, 1, color=_VERDICT_COLOURS[name], label=labels[name])
                for name in seen
            ],
            loc='upper left',
            bbox_to_anchor=(0.2, 1.0),
            ncols=6,
            borderaxespad=0.1,
            handlelength=1.1,
            handleheight=0.8,
            columnspacing=1.4,
        )
        return svg_text(figure)


def scenarios(
    rates: Mapping[str, Mapping[str, Estimate]],
    sizes: Mapping[str, int],
    looks: Looks,
    succeeded: str = 'scored',
) -> str:
    """
    Draw the success of every group in every scenario, with intervals.

    :param rates: group -> scenario -> rate. :param sizes: scenario -> number of starts.
    """
    groups, names = list(rates), list(sizes)
    step = 0.8 / max(3, len(groups))
    row = max(0.36, 0.15 * len(groups))
    with new_figure(row * len(names) + 0.72) as figure:
        height = figure.get_figheight()
        axes = figure.add_axes([0.205, 0.43 / height, 0.775, row * len(names) / height])
        for y in range(1, len(names), 2):
            axes.axhspan(y - 0.5, y + 0.5, color='#F4F6F7', zorder=0)
        for index, group in enumerate(groups):
            colour = arm_colour(group, looks)
            for y, name in enumerate(names):
                rate = rates[group].get(name)
                if rate is None:
                    continue
                place = y + (index - (len(groups) - 1) / 2) * step
                axes.plot([rate.low, rate.high], [place, place], color=colour, linewidth=1.6)
                axes.plot(
                    rate.value,
                    place,
                    marker='o',
                    markersize=4.6,
                    color=colour,
                    markeredgecolor='white',
                    markeredgewidth=0.6,
                )
        axes.set_yticks(range(len(names)), [f'{name} ({sizes[name]})' for name in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(-0.01, 1.01)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_xlabel(f'episodes that {succeeded}, 95 % interval; in brackets: starts')
        hide_y_axis(axes)
        _legend(figure, groups, looks)
        return svg_text(figure)


def seed_statistics(numbers: Mapping, thresholds: np.ndarray, looks: Looks) -> str:
    """Draw what comparison.seed_statistics returned: profiles, means and improvements."""
    groups = list(numbers['iqm'])
    with new_figure(max(2.5, 0.3 * len(groups) + 1.4)) as figure:
        height = figure.get_figheight()
        grid = figure.add_gridspec(
            1,
            3,
            width_ratios=[1.25, 1, 1],
            wspace=0.42,
            left=0.062,
            right=0.985,
            bottom=0.42 / height,
            top=1 - 0.52 / height,
        )
        axes = figure.add_subplot(grid[0])
        for name, profile in numbers['profiles'].items():
            colour = arm_colour(name, looks)
            axes.plot(
                thresholds, profile['share'], color=colour, linewidth=1.7, drawstyle='steps-post'
            )
            axes.fill_between(
                thresholds,
                profile['low'],
                profile['high'],
                color=colour,
                alpha=0.16,
                linewidth=0,
                step='post',
            )
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.03)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_xlabel('success rate of a run, above')
        axes.set_title('a  Share of runs above a rate')
        axes.grid(axis='y')
        axes = figure.add_subplot(grid[1])
        _estimates(axes, numbers['iqm'], looks)
        axes.set_title('b  Interquartile mean')
        axes.set_xlim(-0.02, 1.02)
        axes = figure.add_subplot(grid[2])
        reference = groups[0]
        axes.axvline(0.5, color=MUTED, linewidth=0.9, linestyle=(0, (3, 2)))
        _estimates(
            axes,
            {entry['second']: entry['probability'] for entry in numbers['improvement']},
            looks,
        )
        axes.set_title(f'c  P({arm_short(reference, looks)} better)')
        axes.set_xlim(-0.02, 1.02)
        _legend(figure, groups, looks)
        return svg_text(figure)


def pair_map(
    starts: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    names: Sequence[str],
    field: Field,
    looks: Looks,
    succeeded: str = 'scored',
) -> str:
    """
    Draw where the ball lay and which of two groups scored more often from there.

    :param starts: (n, 5). :param first: (n,) share of the first group's seeds that scored;
        :param second: (n,) of the second's. :param names: of the two groups.
    """
    with new_figure(3.0, width=4.6) as figure:
        axes = figure.add_axes([0.0, 0.0, 0.58, 1.0])
        axes.set_anchor('W')
        draw_field(axes, field)
        for rows, marker, size, colour, label in (
            (
                (first == second) & (first > 0.5),
                'o',
                9,
                '#9DB0BC',
                f'both alike, mostly {succeeded}',
            ),
            ((first == second) & (first <= 0.5), 'x', 20, '#6B7680', 'both alike, mostly not'),
            (first > second, 'o', 26, arm_colour(names[0], looks), arm_short(names[0], looks)),
            (first < second, 's', 24, arm_colour(names[1], looks), arm_short(names[1], looks)),
        ):
            edge = {} if marker == 'x' else {'edgecolors': 'white', 'linewidths': 0.4}
            axes.scatter(
                starts[rows, 3],
                starts[rows, 4],
                marker=marker,
                s=size,
                color=colour,
                zorder=4,
                label=f'{label} ({int(rows.sum())})',
                **edge,
            )
        legend_beside(axes, f'who {succeeded} more often')
        return svg_text(figure)


def _estimates(axes: Axes, estimates: Mapping[str, Estimate], looks: Looks) -> None:
    for y, (name, estimate) in enumerate(estimates.items()):
        colour = arm_colour(name, looks)
        axes.plot(
            [estimate.low, estimate.high],
            [y, y],
            color=colour,
            linewidth=5,
            alpha=0.35,
            solid_capstyle='butt',
        )
        axes.plot([estimate.value] * 2, [y - 0.22, y + 0.22], color=colour, linewidth=2)
        axes.text(
            estimate.value,
            y - 0.27,
            f'{100 * estimate.value:.0f} %',
            ha='center',
            va='bottom',
            fontsize=7.5,
        )
    axes.set_yticks(range(len(estimates)), [arm_short(name, looks) for name in estimates])
    axes.set_ylim(len(estimates) - 0.4, -0.7)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    hide_y_axis(axes)


def _legend(figure: Figure, groups: Sequence[str], looks: Looks) -> None:
    figure.legend(
        handles=[
            Line2D(
                [], [], color=arm_colour(name, looks), linewidth=2, label=arm_label(name, looks)
            )
            for name in groups
        ],
        loc='upper left',
        bbox_to_anchor=(0.055, 1.0),
        ncols=5,
        borderaxespad=0.1,
        handlelength=1.3,
    )
