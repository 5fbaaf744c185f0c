"""
A scripted gait for the ant of AntMaze: a trot that goes along any of its four sides.

Each hip and ankle follows a sine about an offset, held by a PD law; diagonal legs move together,
the two pairs half a period apart. The ant is the same after a quarter turn, so that the same gait
on legs that are counted from another one on leads along another side: it never turns round.
"""

from __future__ import annotations

import numpy as np

#: Period [s] of an action, and steps a second of a leg.
PERIOD, FREQUENCY = 0.05, 1.25
#: How far [rad] hips swing; about where and how far ankles do, and by how much later. Found by
#: trying some thirty such gaits.
HIP_SWING, ANKLE_OFFSET, ANKLE_SWING, ANKLE_PHASE = -0.5, 0.9, 0.3, 3.5
#: Gains of the PD law, per rad and per rad/s.
_STIFFNESS, _DAMPING = 2.0, 0.1
#: Legs are counted from the one at front left on, against the clock. Hips to the left and to the
#: right swing against each other; ankles of legs 2 and 3 bend the other way.
_HIP, _ANKLE = np.array([1.0, 1.0, -1.0, -1.0]), np.array([1.0, -1.0, -1.0, 1.0])
_PAIR = np.pi * np.array([0.0, 1.0, 0.0, 1.0])
#: The actuators begin with leg 4.
_LEG_OF_ACTUATOR = np.array([3, 0, 1, 2])


def torques(states: np.ndarray, step: int, side: np.ndarray) -> np.ndarray:
    """
    Return torques (count, 8) in [-1, 1] for states (count, 29) at a step.

    :param side: (count,) quarter turns against the clock from the ant's front to its way.
    """
    angle = 2 * np.pi * FREQUENCY * PERIOD * step + _PAIR
    hips = HIP_SWING * _HIP * np.sin(angle)
    ankles = ANKLE_OFFSET + ANKLE_SWING * np.sin(angle + ANKLE_PHASE)
    # The leg at front left does what the one `side` legs before it would do.
    which = (np.arange(4) - np.asarray(side)[:, None]) % 4
    wanted = np.stack([hips[which], ankles[which] * _ANKLE], axis=-1)
    joints, speeds = (states[:, at].reshape(-1, 4, 2) for at in (slice(7, 15), slice(21, 29)))
    torque = _STIFFNESS * (wanted - joints) - _DAMPING * speeds
    return np.clip(torque[:, _LEG_OF_ACTUATOR].reshape(-1, 8), -1.0, 1.0)


def yaw(states: np.ndarray) -> np.ndarray:
    """Return the headings (count,) [rad] of ants in states (count, 29)."""
    w, x, y, z = (states[:, column] for column in range(3, 7))
    return np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
