"""Pictures of an identification: measured against fitted responses, and balls that roll out."""

from __future__ import annotations

from collections.abc import Sequence
import io
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.evaluation.pages.drawing import BALL, GOOD, INK, MUTED, new_figure
from guda_ros.identification.drives import Drive
from guda_ros.identification.identify import Identification
from guda_ros.identification.walk_fit import AXES, displacements, predicted

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_UNITS = ('m/s', 'm/s', 'rad/s')


def response_png(drives: Sequence[Drive], found: Identification) -> bytes:
    """Return a PNG: commands, measured and fitted velocity of each axis, and the rolls."""
    with new_figure(8.2) as figure:
        grid = figure.add_gridspec(
            4, 1, hspace=0.55, left=0.08, right=0.985, top=0.965, bottom=0.06
        )
        for axis, name in enumerate(AXES):
            axes = figure.add_subplot(grid[axis])
            driven = max(drives, key=lambda drive: np.ptp(drive.commands[:, axis]))
            _draw_axis(axes, driven, axis, found)
            axes.set_ylabel(f'{name} [{_UNITS[axis]}]')
            axes.margins(x=0.01)
            if axis == 0:
                axes.legend(ncols=3, loc='lower right', bbox_to_anchor=(1, 0.98), borderpad=0)
        axes = figure.add_subplot(grid[3])
        if found.rolls is None:
            axes.text(
                0.5, 0.5, 'no ball rolled', transform=axes.transAxes, ha='center', color=MUTED
            )
        else:
            _draw_rolls(axes, found.rolls)
        axes.set_ylabel('way of the ball [m]')
        axes.set_xlabel('time [s]')
        buffer = io.BytesIO()
        figure.savefig(buffer, format='png', dpi=130, metadata={'Software': None})
    return buffer.getvalue()


def _draw_axis(axes: Axes, drive: Drive, axis: int, found: Identification) -> None:
    walk = found.walk
    span = np.diff(drive.odom_times)
    middle = drive.odom_times[:-1] + span / 2
    axes.plot(
        drive.command_times,
        drive.commands[:, axis],
        color=MUTED,
        linewidth=0.9,
        drawstyle='steps-post',
        label='command',
    )
    axes.plot(
        middle,
        displacements(drive)[:, axis] / span,
        color=BALL,
        linestyle='none',
        marker='.',
        markersize=3,
        label='odometry',
    )
    title = f'{AXES[axis]}: not driven'
    if np.isfinite(walk.response_time[axis]):
        fitted = walk.gain[axis] * predicted(drive, axis, walk.response_time[axis], walk.delay)
        axes.plot(middle, fitted / span, color=GOOD, linewidth=1.1, label='fitted')
        title = (
            f'{AXES[axis]}: response {walk.response_time[axis]:.3f} +- '
            f'{walk.response_time_deviation[axis]:.3f} s, delay {walk.delay:.3f} s'
        )
    axes.set_title(title)
    moved = np.flatnonzero(drive.commands[:, axis])
    if len(moved):
        axes.set_xlim(drive.command_times[moved[0]] - 1, drive.command_times[moved[-1]] + 2.5)


def _draw_rolls(axes: Axes, rolls) -> None:
    for roll in rolls.rolls:
        times = roll.times - roll.times[0]
        axes.plot(times, roll.way, color=BALL, linestyle='none', marker='.', markersize=3)
        axes.plot(times, roll.fitted(roll.times), color=GOOD, linewidth=1.0)
    axes.set_title(
        f'{len(rolls.rolls)} rolls: deceleration {rolls.deceleration:.3f} +- '
        f'{rolls.deviation:.3f} m/s$^2$',
        color=INK,
    )
