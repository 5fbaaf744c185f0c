"""Pictures of what a guide does: sources and results on the field, coverage, acceptance."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from matplotlib.colors import LogNorm, to_rgba
from matplotlib.patches import Rectangle
import numpy as np

from guda_ros.augmentation.guides import Guide
from guda_ros.augmentation.task import Task
from guda_ros.augmentation.values.map import ValueMap
from guda_ros.data.transitions import TransitionSet
from guda_ros.errors import GudaError
from guda_ros.evaluation.pages.drawing import BALL, FAINT, INK, MUTED, new_figure, ROBOT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh


_COLOURS = ('#0072B2', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#882255')


def draw_guide(
    path: str | os.PathLike[str],
    guide: Guide,
    task: Task,
    recorded: TransitionSet | None = None,
    made: TransitionSet | None = None,
    value_map: ValueMap | None = None,
) -> None:
    """
    Draw the areas of a guide, or what it found; with a recording also what it made of that.

    :param value_map: values of positions of the object that were found.
    :raises GudaError: if the picture cannot be written.
    """
    rows = 1 if made is None else 2
    with new_figure(3.8 * rows, 9.2 if rows == 2 else 5.5) as figure:
        figure.set_layout_engine('constrained', w_pad=0.12, h_pad=0.12)
        axes = np.atleast_2d(figure.subplots(rows, rows))
        if value_map is None:
            _areas(axes[0, 0], guide, task)
        else:
            _values(axes[0, 0], task, value_map)
        if made is not None:
            _paths(axes[0, 1], task, recorded)
            _steps(axes[1, 0], task, made)
            _coverage(axes[1, 1], task, made)
        try:
            figure.savefig(path, dpi=150)
        except (OSError, ValueError) as error:
            raise GudaError(f'{path}: cannot be drawn: {error}') from error


def _field(axis: Axes, task: Task, title: str) -> None:
    (low, high), (right, left) = task.bounds
    axis.add_patch(Rectangle((low, right), high - low, left - right, fill=False, ec=MUTED))
    (a, b), (c, d) = task.mouth
    axis.add_patch(Rectangle((a, c), b - a, d - c, fc=FAINT, ec=MUTED))
    for (a, b), (c, d) in task.walls:
        axis.add_patch(Rectangle((a, c), b - a, d - c, fc=MUTED, alpha=0.6))
    (a, b), _ = task.mouth
    margin = 0.06 * (high - low)
    axis.set(
        xlim=(low - margin, max(high, b) + margin),
        ylim=(right - margin, left + margin),
        aspect='equal',
        title=title,
        xlabel='x [m]',
        ylabel='y [m]',
    )


def _areas(axis: Axes, guide: Guide, task: Task) -> None:
    _field(axis, task, f'{guide.name}: where things are put')
    number = 0
    for name, rule in guide.rules.items():
        for body, ((a, b), (c, d)) in rule.areas(task).items():
            colour = _COLOURS[number % len(_COLOURS)]
            # Boxes are often the same: each is drawn a little inside the one before.
            inset = 0.08 * number
            axis.add_patch(
                Rectangle(
                    (a + inset, c + inset),
                    max(b - a - 2 * inset, 0.02),
                    max(d - c - 2 * inset, 0.02),
                    fc=to_rgba(colour, 0.05),
                    ec=colour,
                    lw=1.3,
                )
            )
            axis.plot([], [], color=colour, label=f'{name}: {body}')
            number += 1
    _legend(axis)


def _legend(axis: Axes) -> None:
    axis.legend(loc='upper center', bbox_to_anchor=(0.5, -0.14), ncols=3, columnspacing=1.4)


def _scale(axis: Axes, mesh: QuadMesh, words: str) -> None:
    bar = axis.figure.colorbar(mesh, ax=axis, shrink=0.7, pad=0.02, label=words)
    bar.outline.set_visible(False)


def _values(axis: Axes, task: Task, value_map: ValueMap, arrows: int = 20) -> None:
    _field(axis, task, f'worth of places of the {task.object}, and best ways')
    x, y = value_map.grid.axes
    values = value_map.values.reshape(value_map.grid.shape).T
    # As a picture within the drawing: cells of their own would show seams.
    mesh = axis.pcolormesh(x, y, values, cmap='viridis', zorder=0.5, rasterized=True)
    _scale(axis, mesh, 'value')
    paths = value_map.best_direction(value_map.grid.points).reshape(*value_map.grid.shape, 2)
    every = max(len(x) // arrows, 1)
    at = tuple(np.arange(every // 2, len(along), every) for along in (x, y))
    axis.quiver(
        x[at[0]],
        y[at[1]],
        *np.moveaxis(paths[np.ix_(*at)], -1, 0).transpose(0, 2, 1),
        color='white',
        scale=32,
        width=0.004,
        pivot='mid',
        zorder=3,
    )


def _paths(axis: Axes, task: Task, recorded: TransitionSet | None) -> None:
    _field(axis, task, f'{len(recorded)} recorded steps')
    for body, colour in ((task.actor, ROBOT), (task.object, BALL)):
        positions = recorded.states[:, list(task.layout.bodies[body].position)].copy()
        gaps = np.flatnonzero(np.diff(recorded.source_episode)) + 1
        axis.plot(*np.insert(positions, gaps, np.nan, axis=0).T, color=colour, lw=0.9, label=body)
    _legend(axis)


def _steps(axis: Axes, task: Task, made: TransitionSet, shown: int = 250) -> None:
    _field(axis, task, f'{min(shown, len(made))} of {len(made)} augmented steps')
    rows = np.random.default_rng(0).choice(len(made), min(shown, len(made)), replace=False)
    actor, thing = (task.layout.bodies[name] for name in (task.actor, task.object))
    robot = made.states[rows][:, list(actor.position)]
    axis.scatter(*made.states[rows][:, list(thing.position)].T, s=7, color=BALL, zorder=3)
    if actor.heading is None:
        axis.scatter(*robot.T, s=7, color=ROBOT)
    else:
        yaw = made.states[rows, actor.heading]
        axis.quiver(*robot.T, np.cos(yaw), np.sin(yaw), color=ROBOT, scale=45, width=0.003)
    moved = (
        made.next_states[rows][:, list(thing.position)]
        - made.states[rows][:, list(thing.position)]
    )
    moving = np.linalg.norm(moved, axis=1) > task.rest
    positions = made.states[rows][:, list(thing.position)][moving]
    (low, high), _ = task.bounds
    axis.quiver(
        *positions.T, *moved[moving].T, color=INK, scale=(high - low) / 3, width=0.003, zorder=4
    )


def _coverage(axis: Axes, task: Task, made: TransitionSet) -> None:
    _field(axis, task, f'where the {task.object} is')
    positions = made.states[:, list(task.layout.bodies[task.object].position)]
    (low, high), (right, left) = task.bounds
    (_, deep), _ = task.mouth
    counts, x, y = np.histogram2d(
        *positions.T, bins=(40, 27), range=((low, max(high, deep)), (right, left))
    )
    shown = np.where(counts > 0, counts, np.nan).T
    mesh = axis.pcolormesh(
        x, y, shown, cmap='viridis', norm=LogNorm(), zorder=0.5, rasterized=True
    )
    _scale(axis, mesh, 'augmented steps')
