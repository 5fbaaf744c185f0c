"""
A scripted gait for the ant of AntMaze: a trot that goes along any of its four sides.

Each hip and ankle follows a sine about an offset, held by a PD law; diagonal legs move together,
left and right ones half a period apart. The ant is the same after a quarter turn, so that the same
gait on legs that are counted from another one on leads along another side: it never turns round.
The numbers of the gait were found by the cross-entropy method (de Boer et al., A Tutorial on the
Cross-Entropy Method, 2005): `python sim/find_ant_gait.py`.
"""

from __future__ import annotations

import numpy as np

#: Period [s] of an action.
PERIOD = 0.05
#: Gains of the PD law, per rad and per rad/s.
_STIFFNESS, _DAMPING = 2.0, 0.1
#: Ankles of legs 2 and 3 bend the other way; the actuators begin with leg 4.
_ANKLE = np.array([1.0, -1.0, -1.0, 1.0])
_LEG_OF_ACTUATOR = np.array([3, 0, 1, 2])
#: Names of the numbers of a gait, all but the frequency [Hz] for front and hind legs [rad].
NAMES = ('frequency', *(f'{leg}_{name}' for leg in ('front', 'hind') for name in (
    'hip_offset', 'hip_swing', 'hip_phase', 'ankle_offset', 'ankle_swing', 'ankle_phase')))
#: Where the search begins: mean and deviation.
FIRST = (np.array([1.5, 0, 0.4, 0, 1.0, 0.3, 1.5, 0, 0.4, 0, 1.0, 0.3, 1.5]),
         np.array([0.7, 0.3, 0.4, 2.0, 0.3, 0.4, 2.0, 0.3, 0.4, 2.0, 0.3, 0.4, 2.0]))


class Gait:
    """
    Torques of a gait for many ants.

    :param numbers: (13,), or (count, 13) for gaits of their own; see NAMES.
    """

    def __init__(self, numbers: np.ndarray) -> None:
        numbers = np.atleast_2d(np.asarray(numbers, dtype=float))
        self._frequency = numbers[:, :1]
        front, hind = numbers[:, 1:7], numbers[:, 7:13]
        # Legs are counted from the one at front left on, against the clock.
        legs = np.stack([front, hind, hind, front], axis=1)
        mirrored = np.array([1.0, 1.0, -1.0, -1.0])
        half = np.pi * np.array([0.0, 1.0, 0.0, 1.0])
        self._offset = np.stack([legs[..., 0] * mirrored, legs[..., 3]], axis=-1)
        self._swing = np.stack([legs[..., 1] * mirrored, legs[..., 4]], axis=-1)
        self._phase = np.stack([legs[..., 2] + half, legs[..., 5] + half], axis=-1)

    def actions(self, states: np.ndarray, step: int, side: np.ndarray) -> np.ndarray:
        """
        Return torques (count, 8) in [-1, 1] for states (count, 29) at a step.

        :param side: (count,) quarter turns against the clock from the ant's front to its way.
        """
        angle = 2 * np.pi * self._frequency[..., None] * PERIOD * step
        wanted = self._offset + self._swing * np.sin(angle + self._phase)
        # The leg at front left does what the one `side` legs before it would do.
        which = (np.arange(4) - np.asarray(side)[:, None]) % 4
        wanted = np.broadcast_to(wanted, (len(states), 4, 2))
        wanted = np.take_along_axis(wanted, which[..., None], axis=1).copy()
        wanted[..., 1] *= _ANKLE
        joints, speeds = (states[:, at].reshape(-1, 4, 2) for at in (
            slice(7, 15), slice(21, 29)))
        torque = _STIFFNESS * (wanted - joints) - _DAMPING * speeds
        return np.clip(torque[:, _LEG_OF_ACTUATOR].reshape(-1, 8), -1.0, 1.0)


def yaw(states: np.ndarray) -> np.ndarray:
    """Return the headings (count,) [rad] of ants in states (count, 29)."""
    w, x, y, z = (states[:, column] for column in range(3, 7))
    return np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def upright(states: np.ndarray) -> np.ndarray:
    """Return the cosine (count,) between the ant's up and the world's."""
    return 1 - 2 * (states[:, 4] ** 2 + states[:, 5] ** 2)
