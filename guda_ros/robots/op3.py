"""
What the walking module of a ROBOTIS OP3 hears: amplitudes of a step, and words.

https://github.com/ROBOTIS-GIT/ROBOTIS-OP3 (op3_walking_module), ROBOTIS-OP3-msgs
(op3_walking_module_msgs/WalkingParam).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

#: Words on `/robotis/walking/command`.
START, STOP = 'start', 'stop'
#: What `/robotis/enable_ctrl_module` is told before the robot can walk.
MODULE = 'walking_module'


class Amplitudes(NamedTuple):
    """How far a step goes: forward, left [m], turn [rad]."""

    x: float
    y: float
    angle: float


def amplitudes(command: np.ndarray, period: float) -> Amplitudes:
    """
    Return the amplitudes for a command (3,): forward, left [m/s], turn [rad/s].

    The module makes two steps in `period` [s]. What a robot really does of it must be measured;
    `driver.scale` of its profile makes up for it.

    :raises ValueError: for a period that is not positive.
    """
    if not 0 < period < 10:
        raise ValueError(f'a period of {period} s is none of a walk')
    return Amplitudes(*(float(value) * period / 2 for value in command))


class WalkSwitch:
    """Which word goes with a command: `start` when motion begins, `stop` with each zero."""

    def __init__(self) -> None:
        self._walking = False

    def word(self, command: np.ndarray) -> str:
        """Return the word to send with a command (3,), empty for none."""
        before, self._walking = self._walking, bool(np.any(command))
        if not self._walking:
            return STOP
        return '' if before else START
