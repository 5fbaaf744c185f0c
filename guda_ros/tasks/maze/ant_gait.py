"""
A scripted gait for the ant of AntMaze: a trot that goes any way and keeps its heading.

Each hip and ankle follows a sine, held by a PD law; diagonal legs move together, the two pairs
half a period apart. A hip swings as far as its leg stands across the way, so that the ant walks
forward, aside or backward alike, and all hips a little further one way to turn its heading to 0.
There is no clock: how far the stride is shows in where the ankles are and how they move, and what
is wanted is always a little later. Who sees the state can therefore learn it.
"""

from __future__ import annotations

import numpy as np

from guda_ros.data.messages import yaw_of
from guda_ros.tasks.maze.ant_body import BEND, FIRST_ACTUATED

#: Strides [rad/s], roughly.
_RATE = 2 * np.pi * 1.76
#: How far [rad] hips swing; about where and how far ankles do, by how much later, and how much
#: further along the way. Found on open ground by the cross-entropy method, for speed and a steady
#: heading (18 generations of 36 gaits, 8 s along three ways each), then for staying upright while
#: the way turns (3 generations of 24, 20 s along four), and then by hand: hips a little less.
HIP_SWING, ANKLE_OFFSET, ANKLE_SWING, ANKLE_PHASE, ANKLE_REACH = -0.6, 0.67, 0.28, 3.76, -0.27
#: Hip swing [rad] for each rad that the heading is off, and its limit.
_TURN, _MOST_TURN = 0.6, 0.5
#: Gains of the PD law, per rad and per rad/s.
_STIFFNESS, _DAMPING = 1.09, 0.13
#: What is wanted, in the stride [rad], from where the ankles are: 2.53 behind keeps the rate, at
#: which the gait was found, and a little less is faster.
_LEAD = -2.45
#: Where legs stand [rad], from the one at front left on, and which move together.
_LEGS = np.pi * np.array([0.25, 0.75, 1.25, 1.75])
_PAIR = np.array([1.0, -1.0, 1.0, -1.0])


def torques(states: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """
    Return torques (count, 8) in [-1, 1] for states (count, 29).

    :param direction: (count,) [rad] from the x axis against the clock, where to go.
    """
    heading = yaw(states)[:, None]
    joints, speeds = (states[:, at].reshape(-1, 4, 2) for at in (slice(7, 15), slice(21, 29)))
    bent, bending = ((part[..., 1] * BEND) @ _PAIR for part in (joints, speeds))
    stride = np.arctan2(bent, bending / _RATE)[:, None] + _LEAD
    swing, lift = _PAIR * np.sin(stride), _PAIR * np.sin(stride + ANKLE_PHASE)
    off = _LEGS - (np.asarray(direction)[:, None] - heading)
    turn = np.clip(-_TURN * heading, -_MOST_TURN, _MOST_TURN)
    hips = (HIP_SWING * np.sqrt(2) * np.sin(off) + turn) * swing
    ankles = ANKLE_OFFSET + ANKLE_SWING * lift + ANKLE_REACH * np.cos(off) * swing
    wanted = np.stack([hips, ankles * BEND], axis=-1)
    torque = _STIFFNESS * (wanted - joints) - _DAMPING * speeds
    return np.clip(np.roll(torque, -FIRST_ACTUATED, axis=1).reshape(-1, 8), -1.0, 1.0)


def yaw(states: np.ndarray) -> np.ndarray:
    """Return the headings (count,) [rad] of ants in states (count, 29)."""
    w, x, y, z = (states[:, column] for column in range(3, 7))
    return yaw_of(w, x, y, z)
