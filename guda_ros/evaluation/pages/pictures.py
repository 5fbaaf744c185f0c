"""Pictures of the field, each returned as the text of an SVG: paths, segments and starts."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.patches import Arc, Circle, FancyArrowPatch, Polygon, Rectangle
import numpy as np

from guda_ros.evaluation.pages.drawing import (
    BAD,
    BALL,
    GOOD,
    INK,
    MUTED,
    new_figure,
    ROBOT,
    svg_text,
    WIDTH,
)
from guda_ros.soccer import world
from guda_ros.soccer.field import Field

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from guda_ros.data.episodes import Episode


def draw_field(axes: Axes, field: Field, part: str = 'attack') -> None:
    """
    Draw a field to scale with the origin at its centre.

    :param part: `attack`, from the halfway line to the attacked goal, or `whole`.
    """
    length, width = field.length / 2, field.width / 2
    line = {'color': '#9DB595', 'linewidth': 0.9, 'zorder': 1}
    left = -length if part == 'whole' else field.halfway_line
    outer = min(field.border, 0.35)
    back = max(outer, field.goal_depth + 0.1)
    low_x = -length - back if part == 'whole' else left - 0.4
    axes.add_patch(
        Rectangle(
            (low_x, -width - outer),
            length + back - low_x,
            2 * (width + outer),
            facecolor='#EEF5E9',
            edgecolor='none',
            zorder=0,
        )
    )
    if part == 'whole':
        axes.plot(
            [left, length, length, left, left], [-width, -width, width, width, -width], **line
        )
    else:
        axes.plot([low_x, length, length, low_x], [-width, -width, width, width], **line)
    middle, radius = field.halfway_line, field.centre_circle_radius
    axes.plot([middle, middle], [-width, width], **line)
    if part == 'whole' and field.goals == 2:
        axes.add_patch(
            Circle((0, 0), radius, fill=False, edgecolor=line['color'], linewidth=0.9, zorder=1)
        )
    else:
        axes.add_patch(
            Arc(
                (middle, 0),
                2 * radius,
                2 * radius,
                theta1=-90,
                theta2=90,
                edgecolor=line['color'],
                linewidth=0.9,
                zorder=1,
            )
        )
    for side in field.goal_sides if part == 'whole' else (1,):
        for depth, breadth in (field.penalty_area, field.goal_area):
            axes.plot(
                side * np.array([length, length - depth, length - depth, length]),
                np.array([-1, -1, 1, 1]) * breadth / 2,
                **line,
            )
        axes.plot(
            side * (length - field.penalty_mark),
            0,
            marker='+',
            markersize=3.5,
            color=line['color'],
            zorder=1,
        )
        goal = field.goal_width / 2
        axes.add_patch(
            Rectangle(
                (side * length, -goal),
                side * field.goal_depth,
                2 * goal,
                facecolor='#FFFFFF',
                edgecolor=MUTED,
                linewidth=0.9,
                zorder=1.5,
            )
        )
        axes.plot(
            [side * length] * 2,
            [-goal, goal],
            linestyle='none',
            marker='o',
            markersize=2.4,
            color=INK,
            zorder=3,
        )
    axes.set_xlim(low_x, length + back)
    axes.set_ylim(-width - outer, width + outer)
    axes.set_aspect('equal')
    axes.axis('off')


def start_map(starts: np.ndarray, share: np.ndarray, field: Field) -> str:
    """Draw the ball of each start (n, 5), and which share (n,) of the seeds scored from there."""
    with new_figure(3.0, width=4.6) as figure:
        axes = figure.add_axes([0.0, 0.0, 0.58, 1.0])
        axes.set_anchor('W')
        draw_field(axes, field)
        order = np.argsort(-np.asarray(share), kind='stable')
        levels = (
            (1.0, 'o', 9, '#9CC7E3', 'all seeds'),
            (0.5, 'o', 15, '#E69F00', 'half or more'),
            (1e-9, 's', 17, '#D55E00', 'fewer'),
            (0.0, 'X', 30, '#7A1F00', 'none'),
        )
        chosen = np.select([share >= level - 1e-12 for level, *_ in levels[:3]], [0, 1, 2], 3)
        for index, (_, marker, size, colour, label) in enumerate(levels):
            rows = order[chosen[order] == index]
            axes.scatter(
                starts[rows, 3],
                starts[rows, 4],
                marker=marker,
                s=size,
                color=colour,
                edgecolors='white',
                linewidths=0.4,
                zorder=4 + index,
                label=f'{label} ({rows.size})',
            )
        legend_beside(axes, 'goals from this start')
        return svg_text(figure)


def legend_beside(axes: Axes, title: str) -> None:
    """Draw the legend to the right of a field."""
    axes.legend(
        loc='center left',
        bbox_to_anchor=(1.04, 0.5),
        title=title,
        title_fontsize=8,
        borderaxespad=0,
        handletextpad=0.3,
        alignment='left',
    )


def demonstrations(episodes: list, field: Field, columns: int = 6, ball: bool = True) -> str:
    """
    Draw one small field an episode: paths of robot and ball, starts and ends; failures dashed.

    :param episodes: `Episode`s with id, success, verdict, stamps, world_states and truth_states;
        the truth is
        drawn where it was recorded. :param ball: whether there is one.
    """
    rows = max(1, math.ceil(len(episodes) / columns))
    shape = (field.width + 0.7) / (field.length / 2 - field.halfway_line + 1.0)
    panel = WIDTH * 0.994 / (columns + 0.05 * (columns - 1)) * shape
    with new_figure(rows * (panel + 0.2) + 0.3) as figure:
        height = figure.get_figheight()
        axes_all = figure.subplots(rows, columns, squeeze=False)
        figure.subplots_adjust(
            left=0.003,
            right=0.997,
            bottom=0.28 / height,
            top=1 - 0.2 / height,
            wspace=0.05,
            hspace=0.2 / panel,
        )
        for axes in axes_all.flat:
            axes.axis('off')
        for axes, episode in zip(axes_all.flat, episodes):
            states = episode_states(episode)
            finite = states[np.isfinite(states[:, :5]).all(axis=1)]
            whole = finite.size and finite[:, [0, 3] if ball else [0]].min() < -0.6
            draw_field(axes, field, 'whole' if whole else 'attack')
            if not finite.size:
                axes.set_title(f'{short_id(episode.id)}  no samples', fontsize=7.5)
                continue
            _draw_path(axes, states, episode.success, ball)
            verdict = 'scored' if episode.success else str(episode.verdict or 'failed')
            axes.set_title(
                f'{short_id(episode.id)}  {verdict}, {episode.duration:.0f} s',
                fontsize=7.5,
                pad=2,
                color=INK if episode.success else BAD,
                fontweight='normal' if episode.success else 'bold',
            )
        handles = [
            Line2D([], [], color=ROBOT, linewidth=1.2, label='robot (triangle: start)'),
            Line2D([], [], color=BALL, linewidth=1.4, label='ball'),
            Line2D(
                [],
                [],
                color=BALL,
                marker='o',
                markersize=4.5,
                linestyle='none',
                markerfacecolor='white',
                label='ball at the start',
            ),
            Line2D(
                [],
                [],
                color=BALL,
                marker='o',
                markersize=4.5,
                linestyle='none',
                label='ball at the end',
            ),
            Line2D(
                [],
                [],
                color=MUTED,
                linewidth=1.2,
                linestyle=(0, (2.5, 1.6)),
                label='dashed: failed',
            ),
        ]
        if not ball:
            handles = [handles[0], handles[-1]]
        figure.legend(handles=handles, loc='lower center', ncols=5, borderaxespad=0.1)
        return svg_text(figure)


def segments(groups: dict[str, list[np.ndarray]], field: Field) -> str:
    """
    Draw segments of transitions on the field, one panel a group.

    :param groups: title -> list of state arrays (n + 1, 10), n >= 1 transitions that follow one
        another.
    """
    whole = {
        title: bool(pieces) and np.mean([piece[0, 0] < -0.5 for piece in pieces]) > 0.15
        for title, pieces in groups.items()
    }
    shapes = {
        False: (field.length / 2 - field.halfway_line + 1.0) / (field.width + 0.7),
        True: (field.length + 1.2) / (field.width + 0.7),
    }
    rows = [[]]
    for title in groups:
        if rows[-1] and sum(shapes[whole[other]] for other in (*rows[-1], title)) > 4.2:
            rows.append([])
        rows[-1].append(title)
    heights = [
        min(3.6, (WIDTH * 0.99 - 0.12 * (len(row) - 1)) / sum(shapes[whole[t]] for t in row))
        for row in rows
    ]
    with new_figure(sum(heights) + 0.26 * len(rows)) as figure:
        width, height = figure.get_size_inches()
        bottom = height
        for row, panel in zip(rows, heights):
            bottom -= panel + 0.26
            left = 0.03
            for title in row:
                across = panel * shapes[whole[title]]
                axes = figure.add_axes(
                    [left / width, bottom / height, across / width, panel / height]
                )
                left += across + 0.12
                draw_field(axes, field, 'whole' if whole[title] else 'attack')
                axes.set_title(title, fontsize=8.5, pad=3)
                for piece in groups[title]:
                    _draw_segment(axes, piece)
        return svg_text(figure)


def ros_episodes(
    starts: np.ndarray, scored: np.ndarray, field: Field, succeeded: str = 'scored'
) -> str:
    """Draw starts (n, 5) of episodes, robot joined to ball; balls of failures are crosses."""
    with new_figure(3.0, width=3.1) as figure:
        axes = figure.add_axes([0.0, 0.085, 1.0, 0.915])
        draw_field(axes, field)
        for start, goal in zip(np.asarray(starts), scored):
            colour = GOOD if goal else BAD
            axes.plot(
                start[[0, 3]],
                start[[1, 4]],
                color=colour,
                linewidth=0.7,
                alpha=0.55,
                zorder=3,
                linestyle='-' if goal else (0, (2.5, 1.6)),
            )
            draw_robot(axes, start[:3], colour, 0.14, zorder=4)
            axes.plot(
                start[3],
                start[4],
                marker='o' if goal else 'X',
                color=colour,
                linestyle='none',
                markersize=4.5 if goal else 6,
                zorder=5,
                markeredgecolor='white',
                markeredgewidth=0.5,
            )
        handles = [
            Line2D([], [], color=GOOD, marker='o', markersize=4, linewidth=0.7, label=succeeded),
            Line2D(
                [],
                [],
                color=BAD,
                marker='X',
                markersize=5,
                linewidth=0.7,
                linestyle=(0, (2.5, 1.6)),
                label='did not',
            ),
            Line2D(
                [], [], color=MUTED, marker='>', markersize=4.5, linestyle='none', label='robot'
            ),
        ]
        figure.legend(
            handles=handles,
            loc='lower center',
            ncols=3,
            borderaxespad=0.1,
            handletextpad=0.4,
            columnspacing=1.2,
        )
        return svg_text(figure)


def episode_states(episode: Episode) -> np.ndarray:
    """Return the true states (n, 10) of an episode, or else what the robot knew."""
    truth = getattr(episode, 'truth_states', None)
    if (
        truth is not None
        and len(truth)
        and np.isfinite(np.asarray(truth)[:, :5]).all(axis=1).any()
    ):
        return np.asarray(truth, dtype=float)
    return np.asarray(episode.world_states, dtype=float)


def short_id(name: str) -> str:
    """Return the number at the end of an episode's id, or its last 12 characters."""
    found = re.search(r'(\d{1,6})$', str(name))
    return f'#{int(found.group(1))}' if found else str(name)[-12:]


def chains(
    states: np.ndarray, next_states: np.ndarray, rules: np.ndarray | None = None
) -> list[slice]:
    """
    Return the runs of transitions that follow one another, as slices of rows.

    Two rows follow one another where the next state of the first has robot and ball where the
    second begins.
    """
    count = len(states)
    if not count:
        return []
    joined = np.isclose(next_states[:-1, :5], states[1:, :5], rtol=0, atol=1e-5).all(axis=1)
    if rules is not None:
        joined &= rules[:-1] == rules[1:]
    ends = np.concatenate([np.flatnonzero(~joined) + 1, [count]])
    begins = np.concatenate([[0], ends[:-1]])
    return [slice(int(begin), int(end)) for begin, end in zip(begins, ends)]


def _draw_path(axes: Axes, states: np.ndarray, good: bool, ball: bool = True) -> None:
    style = '-' if good else (0, (2.5, 1.6))
    axes.plot(states[:, 0], states[:, 1], color=ROBOT, linewidth=0.9, linestyle=style, zorder=3)
    if ball:
        axes.plot(states[:, 3], states[:, 4], color=BALL, linewidth=1.2, linestyle=style, zorder=4)
    first = states[np.isfinite(states[:, :5]).all(axis=1)]
    draw_robot(axes, first[0, :3], ROBOT, 0.22, zorder=5)
    if not ball:
        return
    axes.plot(
        *first[0, 3:5], marker='o', markersize=4, color=BALL, markerfacecolor='white', zorder=6
    )
    axes.plot(*first[-1, 3:5], marker='o', markersize=4, color=BALL, zorder=7)


def _draw_segment(axes: Axes, piece: np.ndarray) -> None:
    """Draw a long segment as paths, a short one as a robot and an arrow the way the ball goes."""
    moved = np.linalg.norm(piece[-1, world.BALL] - piece[0, world.BALL])
    if len(piece) > 3:
        axes.plot(piece[:, 0], piece[:, 1], color=ROBOT, linewidth=0.9, alpha=0.8, zorder=3)
        axes.plot(*piece[-1, :2], marker='o', markersize=1.8, color=ROBOT, zorder=3)
    draw_robot(axes, piece[0, :3], ROBOT, 0.15, zorder=4, alpha=0.75)
    begin, end = piece[0, world.BALL], piece[-1, world.BALL]
    if moved < 2e-3:
        axes.plot(*begin, marker='o', markersize=2.6, color=BALL, zorder=5)
        return
    if moved < 0.3:
        end = begin + (end - begin) * 0.35 / moved
    elif len(piece) > 3:
        axes.plot(piece[:, 3], piece[:, 4], color=BALL, linewidth=1, zorder=5)
        near = np.linalg.norm(piece[:, world.BALL] - end, axis=1) > 0.1
        begin = piece[np.flatnonzero(near)[-1], world.BALL] if near.any() else begin
    axes.add_patch(
        FancyArrowPatch(
            begin,
            end,
            arrowstyle='-|>',
            mutation_scale=5.5,
            linewidth=0.9,
            color=BALL,
            shrinkA=0,
            shrinkB=0,
            zorder=5,
        )
    )


def draw_robot(
    axes: Axes, pose: np.ndarray, colour: str, size: float, zorder: float, alpha: float = 1.0
) -> None:
    """Draw a triangle that points where the robot looks; `size` [m] is its half length."""
    corners = size * np.array([[1.0, 0.0], [-0.75, 0.62], [-0.4, 0.0], [-0.75, -0.62]])
    axes.add_patch(
        Polygon(
            world.from_frame(corners, np.asarray(pose, float)),
            closed=True,
            facecolor=colour,
            edgecolor='none',
            zorder=zorder,
            alpha=alpha,
        )
    )
