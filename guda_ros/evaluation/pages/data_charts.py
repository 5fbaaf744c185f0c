"""Charts of the report on data: what is usable, how regular, from where, by what commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib import colormaps
from matplotlib.colors import LogNorm
from matplotlib.patches import Patch
import numpy as np

from guda_ros.augmentation.coverage import Coverage, SIDES
from guda_ros.data.episodes import Episode
from guda_ros.data.recording.streams import Stream
from guda_ros.evaluation.pages.drawing import (
    BAD,
    FAINT,
    GOOD,
    hide_y_axis,
    INK,
    new_figure,
    svg_text,
)
from guda_ros.evaluation.pages.pictures import draw_field, short_id
from guda_ros.soccer import world
from guda_ros.soccer.field import Field

_LOST, _USABLE = '#E69F00', '#56B4E9'


def timeline(episodes: Sequence[Episode], ball: bool = True) -> str:
    """
    Draw one bar an episode: usable steps, steps without a known ball, missing samples.

    :param ball: whether there is one; without, what is not known is the pose.
    """
    with new_figure(0.75 + 0.2 * len(episodes)) as figure:
        height = figure.get_figheight()
        axes = figure.add_axes((0.16, 0.42 / height, 0.83, 1 - 0.72 / height))
        longest = max(episode.duration for episode in episodes)
        for row, episode in enumerate(episodes):
            times = (episode.stamps - episode.stamps[0]) * 1e-9
            axes.barh(row, times[-1], height=0.62, color=FAINT)
            complete = (
                np.isfinite(episode.world_states[:-1]).all(axis=1)
                & np.isfinite(episode.world_states[1:]).all(axis=1)
                & np.isfinite(episode.commands).all(axis=1)
            )
            for mask, colour in (
                (episode.usable, _USABLE),
                (complete & ~episode.usable, _LOST),
                (~complete, BAD),
            ):
                axes.broken_barh(
                    [(times[a], times[b] - times[a]) for a, b in _runs(mask)],
                    (row - 0.31, 0.62),
                    facecolors=colour,
                )
            axes.text(
                times[-1] + 0.005 * longest,
                row,
                episode.verdict,
                va='center',
                fontsize=7,
                color=INK if episode.success else BAD,
            )
        axes.set_yticks(
            range(len(episodes)), [episode.id[-22:] for episode in episodes], fontsize=7
        )
        axes.set_ylim(len(episodes) - 0.4, -0.6)
        axes.set_xlim(0, 1.08 * longest)
        axes.set_xlabel('time in the episode [s]')
        hide_y_axis(axes)
        figure.legend(
            handles=[
                Patch(color=colour, label=label)
                for colour, label in (
                    (_USABLE, 'usable'),
                    (_LOST, 'ball not known' if ball else 'pose not known'),
                    (BAD, 'a sample is missing'),
                )
            ],
            loc='upper right',
            ncols=3,
            borderaxespad=0.1,
        )
        return svg_text(figure)


def _runs(mask: np.ndarray) -> np.ndarray:
    """Return (R, 2) first and last + 1 of the runs in which a mask holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return edges.reshape(-1, 2)


#: The axis of intervals reaches at least so many times the middle one, and as little below it.
_LEAST_FACTOR = 12.0


def intervals(streams: Sequence[Stream]) -> str:
    """Draw the intervals of every topic: median, middle 98 %, and the longest of each episode."""
    topics = sorted({stream.topic for stream in streams})
    with new_figure(0.8 + 0.24 * len(topics)) as figure:
        height = figure.get_figheight()
        axes = figure.add_axes((0.2, 0.45 / height, 0.78, 1 - 0.6 / height))
        for row, topic in enumerate(topics):
            own = [stream for stream in streams if stream.topic == topic]
            together = 1e3 * np.concatenate([stream.intervals for stream in own])
            together = together[together > 0]
            if not len(together):
                continue
            low, middle, high = np.percentile(together, (1, 50, 99))
            axes.plot([low, high], [row, row], color=GOOD, linewidth=4, alpha=0.4)
            axes.plot(middle, row, marker='|', color=INK, markersize=9)
            lost = np.array([stream.lost > 0 for stream in own])
            longest = np.array([1e3 * stream.widest for stream in own])
            for mask, colour in ((~lost, GOOD), (lost, BAD)):
                axes.plot(
                    longest[mask],
                    np.full(mask.sum(), row),
                    marker='o',
                    markersize=4,
                    linestyle='none',
                    color=colour,
                    markeredgecolor='white',
                    markeredgewidth=0.5,
                )
        axes.set_xscale('log')
        # In lock-step all intervals are the same: an axis of no length has no ticks.
        low, high = axes.get_xlim()
        middle, factor = np.sqrt(low * high), max(np.sqrt(high / low), _LEAST_FACTOR)
        axes.set_xlim(middle / factor, middle * factor)
        axes.xaxis.set_major_formatter('{x:g}')
        axes.set_yticks(range(len(topics)), topics, fontsize=7.5)
        axes.set_ylim(len(topics) - 0.4, -0.6)
        axes.set_xlabel('interval between messages [ms]')
        hide_y_axis(axes)
        return svg_text(figure)


def sides(coverages: Mapping[str, Coverage]) -> str:
    """Draw how often the robot was on each side of the ball, at each distance; empty: never."""
    with new_figure(3.1) as figure:
        most = max(int(coverage.sides.max()) for coverage in coverages.values())
        for number, (name, coverage) in enumerate(coverages.items()):
            axes = figure.add_axes((0.05 + 0.5 * number, 0.1, 0.36, 0.72), projection='polar')
            axes.set_theta_zero_location('W')
            count = len(SIDES)
            colour, scale = colormaps['viridis'], LogNorm(1, max(most, 2))
            for side, ring in np.argwhere(coverage.sides >= coverage.enough):
                axes.bar(
                    2 * np.pi / count * side,
                    1,
                    2 * np.pi / count,
                    bottom=ring,
                    color=colour(scale(coverage.sides[side, ring])),
                    edgecolor='white',
                    linewidth=0.6,
                )
            missing = np.argwhere(coverage.sides < coverage.enough)
            axes.plot(
                2 * np.pi / count * missing[:, 0],
                missing[:, 1] + 0.5,
                marker='x',
                linestyle='none',
                color=BAD,
                markersize=5,
            )
            axes.set_xticks(
                2 * np.pi / count * np.arange(count),
                ['behind', '', 'right', '', 'in front', '', 'left', ''],
                fontsize=7.5,
            )
            axes.set_yticks([])
            axes.set_ylim(0, coverage.sides.shape[1])
            axes.grid(False)
            axes.set_title(f'{name}: {coverage.covered:.0%} covered', pad=12)
        return svg_text(figure)


def places(
    sets: Mapping[str, np.ndarray], field: Field, thing: str = 'ball', columns: slice = world.BALL
) -> str:
    """
    Draw where the ball was, as the logarithm of counts; sets: name -> world states.

    :param thing: name of what is drawn. :param columns: of a state with its place.
    """
    with new_figure(3.0) as figure:
        for number, (name, states) in enumerate(sets.items()):
            axes = figure.add_axes((0.02 + 0.5 * number, 0.02, 0.46, 0.86))
            draw_field(axes, field, 'whole')
            width, length = field.width / 2, field.length / 2 + field.goal_depth
            counts, x, y = np.histogram2d(
                *states[:, columns].T, bins=(60, 36), range=((-length, length), (-width, width))
            )
            axes.pcolormesh(
                x,
                y,
                np.ma.masked_equal(counts, 0).T,
                cmap='viridis',
                norm=LogNorm(1, max(counts.max(), 2)),
                zorder=3,
                alpha=0.85,
            )
            axes.set_aspect('equal')
            axes.axis('off')
            axes.set_title(f'{name}: {thing}')
        return svg_text(figure)


def commands(actions: np.ndarray) -> str:
    """Draw the actions (M, 3) that were given, as shares of the steps."""
    with new_figure(1.7) as figure:
        for number, name in enumerate(('forward', 'left', 'turn')):
            axes = figure.add_axes((0.06 + 0.325 * number, 0.28, 0.28, 0.58))
            counts, edges = np.histogram(actions[:, number], bins=41, range=(-1.025, 1.025))
            axes.bar(
                edges[:-1] + 0.025,
                counts / max(len(actions), 1),
                width=0.05,
                color=GOOD,
                alpha=0.75,
            )
            axes.set_title(name)
            axes.set_xlim(-1.1, 1.1)
            axes.set_xlabel('action (1: the limit of the robot)')
        return svg_text(figure)


def returns(names: Sequence[str], values: np.ndarray, success: np.ndarray) -> str:
    """Draw the return of every episode; failures in another colour."""
    with new_figure(1.7) as figure:
        axes = figure.add_axes((0.06, 0.18, 0.93, 0.74))
        axes.bar(range(len(values)), values, color=np.where(success, GOOD, BAD), alpha=0.8)
        axes.axhline(values.mean(), color=INK, linewidth=0.9, linestyle=(0, (3, 2)))
        axes.set_xticks(range(len(names)), [short_id(name) for name in names], fontsize=6.5)
        axes.set_xlim(-0.7, len(values) - 0.3)
        axes.set_ylabel('return')
        return svg_text(figure)
