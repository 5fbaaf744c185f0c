"""
What a Booster K1 or T1 hears and says: remote procedure calls with JSON bodies.

Ids, bodies and modes: https://github.com/BoosterRobotics/booster_robotics_sdk (b1_api_const.hpp,
b1_loco_api.hpp), 1.7.0; https://github.com/BoosterRobotics/booster_robotics_sdk_ros2.
"""

from __future__ import annotations

from dataclasses import dataclass
import json

import numpy as np

CHANGE_MODE = 2000
MOVE = 2001
ROTATE_HEAD = 2004
GET_UP = 2008
GET_MODE = 2017
SHOOT = 2024

#: Modes by their numbers.
MODES = {-1: 'unknown', 0: 'damping', 1: 'prepare', 2: 'walking', 3: 'custom', 4: 'soccer'}
PREPARE, WALKING = 1, 2
#: Modes in which the robot follows velocities.
_WALKS = ('walking', 'soccer')
#: `fall_down_state` by its numbers; the first is none.
FALLS = {0: '', 1: 'falling', 2: 'fallen', 3: 'getting up'}
#: Status of an answer.
_STATUS = {100: 'time-out', 400: 'bad request'}


@dataclass(frozen=True)
class Call:
    """One remote procedure call: its number, and the JSON of its arguments, empty for none."""

    api_id: int
    body: str = ''

    @property
    def header(self) -> str:
        """JSON of the header that goes with it on the topic."""
        return json.dumps({'api_id': self.api_id})


def move(command: np.ndarray) -> Call:
    """Return the call that walks with a command (3,): forward, left [m/s], turn [rad/s]."""
    # Without -0.0, which is written so in JSON.
    forward, left, turn = (float(value) + 0.0 for value in command)
    return Call(MOVE, json.dumps({'vx': forward, 'vy': left, 'vyaw': turn}))


def change_mode(mode: int) -> Call:
    """Return the call that changes the mode to one of MODES."""
    return Call(CHANGE_MODE, json.dumps({'mode': mode}))


def rotate_head(pitch: float, yaw: float) -> Call:
    """Return the call that turns the head to joint angles [rad]: down and left are positive."""
    return Call(ROTATE_HEAD, json.dumps({'pitch': float(pitch), 'yaw': float(yaw)}))


def mode_of(body: str) -> str | None:
    """Return the mode that an answer to GET_MODE tells, None if it tells none."""
    try:
        number = json.loads(body)['mode']
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    # A number that a newer firmware may have is a mode that is not known.
    return MODES.get(number, f'mode {number}') if type(number) is int else None


def walks(mode: str | None) -> bool | None:
    """Tell whether the robot follows velocities in a mode; None if the mode is not known."""
    return None if mode in (None, 'unknown') else mode in _WALKS


def fall_of(state: int | str) -> str:
    """
    Return what `fall_down_state` means: '' while it stands, falling, fallen or getting up.

    Firmware tells it as a number, or in words such as IS_READY. What is neither counts as fallen.
    """
    if isinstance(state, str):
        words = state.lower().replace('_', ' ')
        for word, meaning in (('ready', ''), ('falling', 'falling'), ('getting', 'getting up')):
            if word in words:
                return meaning
        return 'fallen'
    return FALLS.get(int(state), 'fallen')


def problem_of(status: int, call: Call) -> str:
    """Return what is wrong with the answer to a call, by its status; empty if nothing is."""
    if status == 0:
        return ''
    return f'call {call.api_id}: {_STATUS.get(status, "status")} {status}'
