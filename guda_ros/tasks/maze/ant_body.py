"""The ant of AntMaze is the same after a quarter turn: its states and actions, turned."""

from __future__ import annotations

import numpy as np

#: Legs are counted from the one at front left on, against the clock; the ankles of two bend the
#: other way.
BEND = np.array([1.0, -1.0, -1.0, 1.0])
#: The leg that the actuators begin with.
FIRST_ACTUATED = 3
#: Columns of a state: x and y of the quaternion, the velocity and the rates of turn; where the
#: joints and their speeds begin.
_VECTORS = ((4, 5), (15, 16), (18, 19))
_JOINTS, _SPEEDS = 7, 21


def turn_ants(states: np.ndarray, actions: np.ndarray, quarters: np.ndarray) -> None:
    """
    Turn ants by quarters (M,) against the clock, in place, and count their legs anew.

    The leg that comes to stand at front left is the first one then, so that the heading stays what
    it was. Where the ants are is not changed.

    :param states: (..., M, 29); actions: (M, 8).
    """
    for quarter in range(1, 4):
        rows = np.flatnonzero(quarters % 4 == quarter)
        turned = states[..., rows, :]
        for x, y in _VECTORS:
            for _ in range(quarter):
                turned[..., [x, y]] = turned[..., [y, x]] * (-1.0, 1.0)
        for first in (_JOINTS, _SPEEDS):
            part = slice(first, first + 8)
            turned[..., part] = _count_legs(turned[..., part], quarter, 0)
        states[..., rows, :] = turned
        actions[rows] = _count_legs(actions[rows], quarter, FIRST_ACTUATED)


def _count_legs(joints: np.ndarray, quarter: int, first: int) -> np.ndarray:
    """Return hips and ankles (..., 8) of legs that each stand where another one stood."""
    sign = np.stack([np.ones(4), np.roll(BEND, -first)], axis=1)
    legs = joints.reshape(*joints.shape[:-1], 4, 2) * sign
    return (np.roll(legs, quarter, axis=-2) * sign).reshape(joints.shape)
