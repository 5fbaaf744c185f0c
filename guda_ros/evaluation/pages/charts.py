"""Charts of the report, each returned as the text of an SVG: rates, curves, errors and times."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullFormatter,
    PercentFormatter,
)
import numpy as np

from guda_ros.evaluation.pages.drawing import (
    arm_colour,
    arm_label,
    arm_short,
    ARMS,
    GOOD,
    hide_y_axis,
    INK,
    Looks,
    MUTED,
    new_figure,
    svg_text,
)
from guda_ros.evaluation.statistics import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def success(
    arms: dict[str, tuple[Estimate, np.ndarray]],
    differences: dict[str, Estimate],
    reference: str = 'guided',
    target: float | None = None,
    looks: Looks = ARMS,
    succeeded: str = 'scored',
) -> str:
    """
    Draw success bars with intervals and seeds, beside differences from the reference.

    :param arms: name -> (estimate, success rate (seeds,)). :param differences: name -> reference
        minus arm.
    :param target: a rate to mark.
    """
    rows = len(arms)
    with new_figure(0.95 + 0.42 * rows) as figure:
        grid = figure.add_gridspec(
            1,
            2,
            width_ratios=[1.75, 1],
            wspace=0.07,
            left=0.205,
            right=0.985,
            top=1 - 0.33 / figure.get_figheight(),
            bottom=0.47 / figure.get_figheight(),
        )
        axes = figure.add_subplot(grid[0])
        place = dict(zip(arms, range(rows)))
        for name, (estimate, seeds) in arms.items():
            y, colour = place[name], arm_colour(name, looks)
            axes.barh(y, estimate.value, height=0.62, color=colour, alpha=0.28, zorder=2)
            axes.plot(
                [estimate.value] * 2, [y - 0.31, y + 0.31], color=colour, linewidth=2, zorder=3
            )
            axes.plot([estimate.low, estimate.high], [y, y], color=INK, linewidth=1.3, zorder=4)
            for end in (estimate.low, estimate.high):
                axes.plot([end, end], [y - 0.09, y + 0.09], color=INK, linewidth=1.3, zorder=4)
            offset = 0.2 * np.linspace(-1, 1, len(seeds)) if len(seeds) > 1 else np.zeros(1)
            axes.plot(
                seeds,
                y + offset,
                linestyle='none',
                marker='o',
                markersize=4.2,
                color=colour,
                markeredgecolor='white',
                markeredgewidth=0.7,
                zorder=5,
            )
            axes.text(
                1.03,
                y,
                f'{100 * estimate.value:.1f} %',
                va='center',
                ha='left',
                fontweight='bold',
                color=INK,
            )
        if target is not None:
            axes.axvline(target, color=MUTED, linewidth=0.9, linestyle=(0, (3, 2)), zorder=1)
            axes.text(
                target,
                rows - 0.42,
                f'target {100 * target:.0f} % ',
                color=MUTED,
                fontsize=7.5,
                ha='right',
                va='center',
            )
        axes.set_yticks(list(place.values()), [arm_label(name, looks) for name in arms])
        axes.set_ylim(rows - 0.3, -0.55)
        axes.set_xlim(0, 1.16)
        axes.set_xticks(np.linspace(0, 1, 6))
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_xlabel(
            f'episodes that {succeeded}; bar: mean, whisker: 95 % interval, dot: one seed'
        )
        axes.set_title('a  Success')
        hide_y_axis(axes)
        axes = figure.add_subplot(grid[1])
        axes.axvline(0, color=MUTED, linewidth=0.9)
        for name, y in place.items():
            if name not in differences:
                if name == reference:
                    axes.text(0.02, y, 'reference', color=MUTED, va='center', fontsize=7.5)
                continue
            estimate, colour = differences[name], arm_colour(name, looks)
            axes.plot([estimate.low, estimate.high], [y, y], color=colour, linewidth=2.2)
            axes.plot(
                estimate.value,
                y,
                marker='D',
                markersize=4.8,
                color=colour,
                markeredgecolor='white',
                markeredgewidth=0.6,
            )
            axes.text(
                estimate.value,
                y - 0.2,
                f'{100 * estimate.value:+.1f}'.replace('-', '−'),
                ha='center',
                va='bottom',
                fontsize=7.5,
            )
        ends = [value for e in differences.values() for value in (e.low, e.high)] or [0.0]
        axes.set_xlim(min(-0.08, min(ends) - 0.1), max(0.25, max(ends) + 0.1))
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(
            FuncFormatter(
                lambda value, _: f'{round(100 * value):+d}'.replace('-', '−').replace('+0', '0')
            )
        )
        axes.set_ylim(rows - 0.3, -0.55)
        axes.set_yticks(list(place.values()), [])
        axes.set_xlabel('percentage points, same starts and seeds')
        short = arm_short(reference, looks)
        axes.set_title(f'b  {short[0].upper()}{short[1:]} minus the others')
        hide_y_axis(axes)
        return svg_text(figure)


def time_to_score(
    times: dict[str, tuple[np.ndarray, np.ndarray]], time_limit: float, looks: Looks = ARMS
) -> str:
    """
    Draw for each arm which share of its episodes had scored by a time.

    :param times: name -> (success bool (...), time to the goal [s] (...)). :param time_limit: [s].
    """
    with new_figure(3.0, width=4.6) as figure:
        axes = figure.add_axes([0.105, 0.14, 0.69, 0.83])
        labels = []
        for name, (scored, seconds) in times.items():
            scored, seconds = np.ravel(scored).astype(bool), np.ravel(seconds)
            when = np.sort(seconds[scored])
            share = np.arange(1, when.size + 1) / scored.size
            x = np.concatenate([[0], when, [time_limit]])
            y = np.concatenate([[0], share, share[-1:] if when.size else [0]])
            grid = np.linspace(0, time_limit, 181)
            axes.plot(
                grid,
                y[np.searchsorted(x[:-1], grid, side='right') - 1],
                color=arm_colour(name, looks),
                linewidth=1.7,
                drawstyle='steps-post',
            )
            labels.append((y[-1], name))
        _right_labels(axes, labels, time_limit, looks)
        axes.set_xlim(0, time_limit)
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_xlabel('time since the start [s]')
        axes.grid(axis='y')
        return svg_text(figure)


def acceptance(rules: dict[str, dict]) -> str:
    """
    Draw which share of each rule's proposals was accepted and why the others were not.

    :param rules: label -> {'accepted': count, 'rejected': {reason: count}}.
    """
    reasons = sorted(
        {reason for rule in rules.values() for reason in rule.get('rejected', {})},
        key=lambda reason: (
            -sum(rule.get('rejected', {}).get(reason, 0) for rule in rules.values())
        ),
    )
    palette = (
        '#E69F00',
        '#CC79A7',
        '#56B4E9',
        '#D55E00',
        '#009E73',
        '#882255',
        '#999933',
        '#999999',
    )
    colour = {reason: palette[index % len(palette)] for index, reason in enumerate(reasons)}
    legend_rows = math.ceil((1 + len(reasons)) / 4)
    with new_figure(0.33 * max(1, len(rules)) + 0.32 + 0.2 * legend_rows) as figure:
        height = figure.get_figheight()
        axes = figure.add_axes([0.205, 0.24 / height, 0.645, 0.33 * max(1, len(rules)) / height])
        for y, rule in enumerate(rules.values()):
            rejected = rule.get('rejected', {})
            total = rule.get('accepted', 0) + sum(rejected.values())
            left = 0.0
            for key, count in (('accepted', rule.get('accepted', 0)), *rejected.items()):
                share = count / total if total else 0.0
                axes.barh(
                    y,
                    share,
                    left=left,
                    height=0.66,
                    edgecolor='white',
                    linewidth=0.6,
                    color=GOOD if key == 'accepted' else colour[key],
                )
                if key == 'accepted' and share > 0.06:
                    axes.text(
                        left + 0.01, y, _percent(share), color='white', va='center', fontsize=8
                    )
                left += share
            axes.text(
                1.015,
                y,
                f'{rule.get("accepted", 0):,} of {total:,}'.replace(',', '\u2009'),
                va='center',
                fontsize=8,
            )
        axes.set_yticks(range(len(rules)), list(rules))
        axes.set_ylim(len(rules) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        hide_y_axis(axes)
        handles = [Rectangle((0, 0), 1, 1, color=GOOD, label='accepted')]
        handles += [
            Rectangle((0, 0), 1, 1, color=colour[reason], label=reason.replace('_', ' '))
            for reason in reasons
        ]
        figure.legend(
            handles=handles,
            loc='upper left',
            bbox_to_anchor=(0.2, 1.0),
            ncols=4,
            borderaxespad=0.1,
            handlelength=1.1,
            handleheight=0.8,
            columnspacing=1.4,
        )
        return svg_text(figure)


def learning_curves(histories: dict[str, list[dict]], most: int = 3) -> str:
    """
    Draw the numbers that training reported: line mean over seeds, band least to greatest seed.

    :param histories: arm -> rows {'seed', 'step', metric: value, ...}; one panel a metric, `most`
        at most.
    """
    panels: dict[tuple[str, bool], dict[str, list]] = {}
    for arm, rows in histories.items():
        names = dict.fromkeys(
            key
            for row in rows
            for key, value in row.items()
            if key not in ('seed', 'step', 'arm', 'seconds')
            and isinstance(value, (int, float))
            and not isinstance(value, bool)
        )
        for metric in names:
            curves = _curves(rows, metric)
            if curves:
                # A loss that becomes negative has no place on the logarithmic axis of those that
                # do not.
                positive = all((values > 0).all() for _, values in curves)
                panels.setdefault((metric, positive), {})[arm] = curves
    shown = list(panels.items())[:most]
    with new_figure(2.45) as figure:
        axes_all = figure.subplots(1, max(1, len(shown)), squeeze=False)[0]
        figure.subplots_adjust(left=0.062, right=0.99, bottom=0.17, top=0.8, wspace=0.24)
        for axes, ((metric, positive), arms) in zip(axes_all, shown):
            for arm, curves in arms.items():
                steps = np.unique(np.concatenate([curve[0] for curve in curves]))
                values = np.array(
                    [np.interp(steps, *curve, left=np.nan, right=np.nan) for curve in curves]
                )
                axes.plot(steps, np.nanmean(values, axis=0), color=arm_colour(arm), linewidth=1.6)
                if len(curves) > 1:
                    axes.fill_between(
                        steps,
                        np.nanmin(values, axis=0),
                        np.nanmax(values, axis=0),
                        color=arm_colour(arm),
                        alpha=0.18,
                        linewidth=0,
                    )
            axes.set_title(metric.replace('_', ' '))
            if positive:
                _log_axis(axes)
            axes.grid(axis='y')
            axes.set_xlabel('update')
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.xaxis.set_major_formatter(
                FuncFormatter(
                    lambda value, _: f'{value / 1000:g}k' if value >= 1000 else f'{value:g}'
                )
            )
        drawn = [arm for arm in histories if any(arm in arms for _, arms in shown)]
        handles = [
            Line2D([], [], color=arm_colour(arm), linewidth=2, label=arm_label(arm))
            for arm in drawn
        ]
        figure.legend(
            handles=handles,
            loc='upper left',
            bbox_to_anchor=(0.055, 1.0),
            ncols=4,
            borderaxespad=0.1,
            handlelength=1.3,
        )
        return svg_text(figure)


def perception_error(error: np.ndarray, distance: np.ndarray) -> str:
    """
    Draw the ball-position error (n,) [m] of perception: cumulated, and by distance (n,) [m].

    Samples that are not finite (the ball was not seen) are left out.
    """
    known = np.isfinite(error) & np.isfinite(distance)
    error, distance = 100 * np.asarray(error)[known], np.asarray(distance)[known]
    with new_figure(2.5) as figure:
        grid = figure.add_gridspec(
            1,
            2,
            width_ratios=[1, 1.25],
            wspace=0.17,
            left=0.062,
            right=0.99,
            bottom=0.17,
            top=0.89,
        )
        axes = figure.add_subplot(grid[0])
        quantiles = np.linspace(0, 1, 201)
        values = np.quantile(error, quantiles)
        limit = max(1.0, np.quantile(error, 0.98))
        axes.plot(values, quantiles, color=GOOD, linewidth=1.8)
        for level, words in ((0.5, 'median'), (0.9, '90 %')):
            value = np.quantile(error, level)
            axes.plot(
                [value, value, 0],
                [0, level, level],
                color=MUTED,
                linewidth=0.8,
                linestyle=(0, (3, 2)),
            )
            axes.plot(value, level, marker='o', markersize=4.5, color=GOOD)
            told = f'{words}: {10 * value:.1f} mm'
            axes.text(value + 0.03 * limit, level - 0.02, told, va='top')
        axes.set_xlim(0, limit)
        axes.set_ylim(0, 1.02)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_xlabel('error of the ball position [cm]')
        axes.set_title('a  Share of steps with at most this error')
        axes.grid(axis='y')
        axes = figure.add_subplot(grid[1])
        edges = np.array([0, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 12])
        places, boxes = [], []
        for low, high in zip(edges[:-1], edges[1:]):
            inside = error[(distance >= low) & (distance < high)]
            if inside.size >= 5:
                places.append((low, high))
                boxes.append(inside)
        top = 1.0
        for x, inside in enumerate(boxes):
            p5, p25, p50, p75, p95 = np.quantile(inside, [0.05, 0.25, 0.5, 0.75, 0.95])
            axes.plot([x, x], [p5, p95], color=GOOD, linewidth=1.2)
            axes.add_patch(
                Rectangle(
                    (x - 0.26, p25),
                    0.52,
                    p75 - p25,
                    facecolor='#B9D8EC',
                    edgecolor=GOOD,
                    linewidth=0.8,
                    zorder=3,
                )
            )
            axes.plot([x - 0.26, x + 0.26], [p50, p50], color=INK, linewidth=1.8, zorder=4)
            top = max(top, p95)
        for x, inside in enumerate(boxes):
            axes.text(x, 1.07 * top, f'n={inside.size}', ha='center', fontsize=7, color=MUTED)
        axes.set_xlim(-0.6, max(len(boxes), 1) - 0.4)
        axes.set_ylim(0, 1.16 * top)
        axes.set_xticks(range(len(places)), [f'{low:g}–{high:g}' for low, high in places])
        axes.set_xlabel('true distance of the ball from the robot [m]')
        axes.set_title('b  Error by distance [cm]: median, 25–75 %, 5–95 %')
        axes.grid(axis='y')
        return svg_text(figure)


def stage_times(seconds: dict[str, float]) -> str:
    """Draw the wall time [s] of each stage."""
    with new_figure(0.24 * max(1, len(seconds)) + 0.5, width=4.6) as figure:
        height = figure.get_figheight()
        axes = figure.add_axes([0.27, 0.42 / height, 0.6, 1 - 0.47 / height])
        greatest = (
            max([value for value in seconds.values() if math.isfinite(value)], default=1.0) or 1.0
        )
        for y, value in enumerate(seconds.values()):
            known = value if math.isfinite(value) else 0.0
            axes.barh(y, known, height=0.66, color='#7FA8C4')
            axes.text(
                known + 0.015 * greatest,
                y,
                f'{value:.1f} s' if value < 10 else f'{value:.0f} s',
                va='center',
                fontsize=8,
            )
        axes.set_yticks(range(len(seconds)), [stage.replace('_', ' ') for stage in seconds])
        axes.set_ylim(len(seconds) - 0.5, -0.5)
        axes.set_xlim(0, 1.02 * greatest)
        axes.set_xlabel('wall time [s]')
        hide_y_axis(axes)
        return svg_text(figure)


def _curves(rows: list[dict], metric: str) -> list[tuple[np.ndarray, np.ndarray]]:
    seeds = {}
    for row in rows:
        value = row.get(metric)
        if value is not None and math.isfinite(value):
            seeds.setdefault(row.get('seed', 0), []).append((row['step'], value))
    return [tuple(np.array(sorted(points), dtype=float).T) for points in seeds.values()]


def _right_labels(axes: Axes, labels: list[tuple[float, str]], x: float, looks: Looks) -> None:
    """Write the names of lines at their right ends, moved apart where they would overlap."""
    gap, place = 0.066, math.inf
    for value, name in sorted(labels, reverse=True):
        place = min(value, place - gap)
        axes.annotate(
            arm_short(name, looks),
            (x, place),
            xytext=(5, 0),
            textcoords='offset points',
            color=arm_colour(name, looks),
            fontsize=7.5,
            va='center',
            fontweight='bold',
            annotation_clip=False,
        )


def _log_axis(axes: Axes) -> None:
    """Set a logarithmic y axis with plain numbers on it, at least three of them."""
    axes.set_yscale('log')
    low, high = axes.get_ylim()
    decades = math.log10(high / low)
    steps = (1,) if decades > 3 else (1, 3) if decades > 1.3 else (1, 2, 3, 5)
    ticks = [
        step * 10.0**power
        for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for step in steps
    ]
    axes.yaxis.set_major_locator(FixedLocator([tick for tick in ticks if low <= tick <= high]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis='y', which='minor', length=0)


def _percent(share: float) -> str:
    return f'{100 * share:.0f} %' if share < 0.995 or share == 1 else f'{100 * share:.1f} %'
