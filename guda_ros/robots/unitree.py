"""
What a Unitree G1 hears: requests of its sport service, with JSON parameters.

https://github.com/unitreerobotics/unitree_ros2: g1_loco_api and g1_loco_client of the examples.
"""

from __future__ import annotations

import json

import numpy as np

SET_VELOCITY = 7105
#: How long [s] a request is followed. Short, so that a robot that hears nothing more stands by
#: itself; the firmware's own "continuous move", of ten days, is never sent.
DURATION = 0.4


def velocity(command: np.ndarray) -> str:
    """Return the parameter of SET_VELOCITY for a command (3,) [m/s, m/s, rad/s], base_link."""
    told = [float(value) + 0.0 for value in command]
    return json.dumps({'velocity': told, 'duration': DURATION})


def problem_of(api_id: int, code: int) -> str:
    """Return what is wrong with the answer to a request; empty if nothing is."""
    return f'request {api_id}: code {code}' if code else ''
