"""A picture of what an import of the physical NAO's logs kept and cut."""

from __future__ import annotations

from collections.abc import Sequence
import io
from typing import TYPE_CHECKING

from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle
import numpy as np

from guda_ros.data.episodes import Episode
from guda_ros.data.exchange.nao_demonstrations import ImportReport, REASONS
from guda_ros.evaluation.pages.drawing import BALL, FAINT, GOOD, MUTED, new_figure, ROBOT
from guda_ros.soccer import world
from guda_ros.soccer.field import Field

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Colours of REASONS, which differ for impaired colour vision too.
_COLOURS = ('#D55E00', '#E69F00', '#CC79A7', '#5B6670', '#009E73', '#332288')
#: Rows in a line of the strip.
_LINE = 5000


def import_png(report: ImportReport, episodes: Sequence[Episode], field: Field) -> bytes:
    """Return a PNG: what was kept on the field, what was cut there, and when."""
    strips = sum(-(-len(stretch.reason) // _LINE) for stretch in report.stretches)
    with new_figure(4.8 + 0.28 * strips) as figure:
        grid = figure.add_gridspec(
            2,
            2,
            height_ratios=(3.6, 0.28 * strips),
            hspace=0.62,
            wspace=0.12,
            left=0.06,
            right=0.985,
            top=0.94,
            bottom=0.13,
        )
        _kept(figure.add_subplot(grid[0, 0]), episodes, field)
        _cut(figure.add_subplot(grid[0, 1]), report, field)
        _strip(figure.add_subplot(grid[1, :]), report)
        buffer = io.BytesIO()
        figure.savefig(buffer, format='png', dpi=120, metadata={'Software': None})
    return buffer.getvalue()


def _field(axes: Axes, field: Field, title: str) -> None:
    half = np.array([field.length, field.width]) / 2
    axes.add_patch(Rectangle(-half, *(2 * half), fill=False, ec=MUTED, lw=0.8))
    axes.add_patch(
        Rectangle(
            (field.goal_line, -field.goal_width / 2),
            field.goal_depth,
            field.goal_width,
            fc=FAINT,
            ec=MUTED,
            lw=0.8,
        )
    )
    axes.axvline(0, color=FAINT, lw=0.8, zorder=0)
    edge = half + field.border
    axes.set(
        xlim=(-edge[0], edge[0]),
        ylim=(-edge[1], edge[1]),
        aspect='equal',
        title=title,
        xlabel='x [m]',
    )


def _kept(axes: Axes, episodes: Sequence[Episode], field: Field) -> None:
    scored = sum(episode.success for episode in episodes)
    _field(
        axes,
        field,
        f'kept: {sum(int(e.usable.sum()) for e in episodes)} steps of '
        f'{len(episodes)} attempts, {scored} scored',
    )
    for columns, colour, label in (
        (world.ROBOT_POSITION, ROBOT, 'robot'),
        (world.BALL, BALL, 'ball'),
    ):
        for number, episode in enumerate(episodes):
            positions = np.where(episode.valid[:, None], episode.world_states[:, columns], np.nan)
            axes.plot(*positions.T, color=colour, lw=0.7, label='' if number else label)
    for episode in episodes:
        if episode.success:
            axes.plot(*episode.world_states[-1, world.BALL], '*', color=GOOD, ms=9)
    axes.set_ylabel('y [m]')
    axes.legend(loc='lower left')


def _cut(axes: Axes, report: ImportReport, field: Field) -> None:
    _field(axes, field, 'cut: where the robot believed to be')
    for index, (name, colour) in enumerate(zip(REASONS, _COLOURS)):
        positions = np.concatenate(
            [stretch.pose[stretch.reason == index, :2] for stretch in report.stretches]
        )
        axes.plot(*positions.T, '.', ms=2.5, color=colour)
        axes.plot([], [], 's', color=colour, label=f'{name}: {report.cut[name]} rows')
    axes.legend(
        loc='upper center',
        bbox_to_anchor=(-0.1, -0.17),
        ncols=3,
        handlelength=1,
        columnspacing=1.2,
    )


def _strip(axes: Axes, report: ImportReport) -> None:
    """Draw all rows one after the other, `_LINE` in a line."""
    colours = ListedColormap(['#D8E6F0', *_COLOURS, 'white'])
    blank = len(REASONS) + 1
    lines, names = [], []
    for stretch in report.stretches:
        values = stretch.reason.astype(int) + 1
        for begin in range(0, len(values), _LINE):
            line = values[begin : begin + _LINE]
            lines.append(np.pad(line, (0, _LINE - len(line)), constant_values=blank))
            names.append(f'{begin}')
    axes.imshow(
        np.stack(lines),
        aspect='auto',
        cmap=colours,
        vmin=0,
        vmax=blank,
        interpolation='nearest',
        extent=(0, _LINE, len(lines), 0),
    )
    axes.set_yticks(np.arange(len(lines)) + 0.5, names)
    axes.tick_params(axis='y', length=0)
    for side in ('left', 'bottom'):
        axes.spines[side].set_visible(False)
    axes.set_title(f'row after row: {report.kept} of {report.rows} kept (pale)')
    axes.set_xlabel('rows after the number to the left')
