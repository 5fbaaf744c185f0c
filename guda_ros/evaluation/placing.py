"""Tell a person where to put robot and ball, from lines and marks that are painted on a field."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guda_ros.soccer import world
from guda_ros.soccer.field import Field

#: Nearer than this [m] to a line or mark is on it.
_ON = 0.005


def placing_instructions(start: Sequence[float], field: Field, ball: bool = True) -> list[str]:
    """
    Return lines of text for a start: robot x, y [m], yaw [rad], ball x, y [m] in `map`.

    Left and right are those of a person who looks at the opponents' goal.

    :param ball: whether there is one to place.
    """
    x, y, yaw, ball_x, ball_y = map(float, start)
    ahead, left = world.to_frame(np.array([ball_x, ball_y]), np.array([x, y, yaw]))
    distance, bearing = np.hypot(ahead, left), np.degrees(np.arctan2(left, ahead))
    side = 'straight ahead of it'
    if abs(bearing) > 177.5:
        side = 'right behind it'
    elif abs(bearing) >= 2.5:
        side = f'{abs(bearing):.0f} degrees to its {_side(bearing)}'
    robot = [f'robot:  {place_in_words(x, y, field)}', f'        {heading_in_words(yaw)}']
    if not ball:
        return robot
    return [
        f'ball:   {place_in_words(ball_x, ball_y, field)}',
        *robot,
        f'check:  the ball is {distance:.2f} m from the middle of the robot, {side}',
    ]


def place_in_words(x: float, y: float, field: Field) -> str:
    """Return where a point [m, `map`] is: two distances to lines, and to the nearest mark."""
    goal_line = field.goal_line
    name, mark = min(_marks(field).items(), key=lambda item: np.hypot(*(item[1] - [x, y])))
    apart = float(np.hypot(*(mark - [x, y])))
    if apart < _ON:
        return f'on the {name}'
    side = field.width / 2
    along = (
        _offset(
            goal_line - x,
            "in front of the opponents' goal line",
            "behind the opponents' goal line",
            "on the opponents' goal line",
        )
        if abs(goal_line - x) <= abs(x)
        else _offset(
            x, 'beyond the halfway line', 'before the halfway line', 'on the halfway line'
        )
    )
    across = (
        _offset(y, 'left of the middle', 'right of the middle', 'on the middle')
        if abs(y) <= side / 2 + 1e-9
        else f'{side - abs(y):.2f} m inside the {_side(y)} side line'
    )
    return f'{along}, {across} ({apart:.2f} m from the {name})'


def heading_in_words(yaw: float) -> str:
    """Return a heading [rad], counter-clockwise from the opponents' goal, in words."""
    degrees = float(np.degrees(world.wrap_angle(yaw)))
    for angle, words in (
        (0, "straight at the opponents' goal line"),
        (90, 'at the left side line'),
        (-90, 'at the right side line'),
        (180, 'at its own goal line'),
        (-180, 'at its own goal line'),
    ):
        if abs(degrees - angle) < 1:
            return f'looks {words}'
    return f"turned {abs(degrees):.0f} degrees to the {_side(degrees)} from the opponents' goal"


def _marks(field: Field) -> dict[str, np.ndarray]:
    """Return points that are marked on the attacked half."""
    line, side = field.goal_line, field.width / 2
    marks = {'centre mark': (0.0, 0.0), 'penalty mark': (line - field.penalty_mark, 0.0)}
    for word, sign in (('left', 1), ('right', -1)):
        marks[f'{word} goal post'] = (line, sign * field.goal_width / 2)
        marks[f'{word} front corner of the penalty area'] = (
            line - field.penalty_area[0],
            sign * field.penalty_area[1] / 2,
        )
        marks[f'{word} front corner of the goal area'] = (
            line - field.goal_area[0],
            sign * field.goal_area[1] / 2,
        )
        marks[f'{word} corner of the field'] = (line, sign * side)
        marks[f'{word} end of the halfway line'] = (0.0, sign * side)
    return {name: np.array(position) for name, position in marks.items()}


def _offset(distance: float, positive: str, negative: str, on: str) -> str:
    if abs(distance) < _ON:
        return on
    return f'{abs(distance):.2f} m {positive if distance > 0 else negative}'


def _side(value: float) -> str:
    return 'left' if value > 0 else 'right'
