"""The joints of a robot's head by the names, signs and zeros that its driver has for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from guda_ros.control.kick_and_head import HEAD_JOINTS
from guda_ros.soccer.robot import HeadJoints

#: Messages after which a joint that none of them held is missed.
_PATIENCE = 20


def joint_names(joints: HeadJoints) -> tuple[str, ...]:
    """Return what a driver calls the joints of pan and tilt."""
    return joints.names or HEAD_JOINTS


def from_driver(
    names: Iterable[str], positions: Iterable[float], joints: HeadJoints
) -> dict[str, float]:
    """
    Return the angles [rad] of pan and tilt, or of one or none, that a driver's joints tell.

    :param names: of joints, in any order and of whatever else. :param positions: of each [rad].
    """
    told = dict(zip(names, positions))
    return {
        joint: float(sign * (told[name] - offset))
        for joint, name, sign, offset in _rows(joints)
        if name in told
    }


def to_driver(angles: Mapping[str, float], joints: HeadJoints) -> dict[str, float]:
    """Return the positions [rad] by the driver's names of angles of pan and tilt, or of one."""
    return {
        name: float(sign * angles[joint] + offset)
        for joint, name, sign, offset in _rows(joints)
        if joint in angles
    }


def _rows(joints: HeadJoints) -> Iterable[tuple[str, str, float, float]]:
    return zip(HEAD_JOINTS, joint_names(joints), joints.signs, joints.offsets)


class HeadWatch:
    """Read the head's angles out of joint states, and notice when they do not tell them."""

    def __init__(self, joints: HeadJoints) -> None:
        self._joints = joints
        self._messages = 0
        self._missing = set(HEAD_JOINTS)
        self._others: dict[str, None] = {}

    def take(self, names: Iterable[str], positions: Iterable[float]) -> dict[str, float]:
        """Return the angles [rad] of a message, of pan, tilt, both or none; finite ones."""
        names = list(names)
        self._messages += 1
        if self._missing and len(self._others) < 50:
            self._others.update(dict.fromkeys(names))
        angles = from_driver(names, positions, self._joints)
        angles = {joint: angle for joint, angle in angles.items() if np.isfinite(angle)}
        self._missing -= angles.keys()
        return angles

    @property
    def problem(self) -> str:
        """What is wrong with the joint states so far; empty if nothing is."""
        expected = dict(zip(HEAD_JOINTS, joint_names(self._joints)))
        missing = [name for joint, name in expected.items() if joint in self._missing]
        if not missing or not self._messages:
            return ''
        if len(missing) < len(expected) and self._messages < _PATIENCE:
            return ''
        return (
            f'joint_states has no {" and no ".join(missing)} (it has '
            f'{", ".join(self._others) or "no names"}): the head is taken to be at zero; '
            'head.joints of the robot profile names them'
        )
