"""
Drives: recordings as time series, for finding out how a robot answers its commands.

An episode has one row a control step; a drive keeps every sample with its own stamp, as a real
robot records them: odometry and commands need not come together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import os

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.data.messages import planar_pose, planar_twist, stamp_to_ns
from guda_ros.data.recording.reader import RecordingError, RecordingReader
from guda_ros.soccer import world

#: Roles that are read, and whether a drive is useless without one.
_ROLES = {'odom': True, 'command': True, 'ground_truth_robot': False, 'ball_detection': False}

#: A robot whose odometry moved less [m] stood.
_STOOD = 0.03


@dataclass(frozen=True, eq=False)
class Drive:
    """
    What a robot was told and what it noticed; times [s] count from the first odometry.

    command_times (M,), commands (M, 3) in base_link, as sent [m/s, m/s, rad/s]; odom_times (N,),
    odom (N, 3): pose in `odom`, yaw unwrapped; truth_times (K,), truth (K, 3): pose in `map` by an
    outside measure, K = 0 without one; ball_times (B,), ball (B, 2): the ball as seen in single
    images, in `odom`, and ball_distance (B,): how far from base_link that was [m].
    """

    name: str
    command_times: np.ndarray
    commands: np.ndarray
    odom_times: np.ndarray
    odom: np.ndarray
    truth_times: np.ndarray
    truth: np.ndarray
    ball_times: np.ndarray
    ball: np.ndarray
    ball_distance: np.ndarray

    @property
    def duration(self) -> float:
        """Length [s]."""
        return float(self.odom_times[-1] - self.odom_times[0])


def make_drive(
    name: str,
    commands: Sequence[Sequence[float]] | np.ndarray,
    odom: np.ndarray | list[tuple[float, float, float, float]],
    truth: Sequence[Sequence[float]] | np.ndarray = (),
    detections: Sequence[Sequence[float]] | np.ndarray = (),
) -> Drive:
    """
    Return a drive of samples (time [s], values...) in any order; of two with a stamp, the first.

    :param commands: (M, 4) time and command. :param odom: (N, 4) time and pose.
    :param truth: (K, 4) time and pose. :param detections: (B, 3) time and ball in base_link.
    :raises RecordingError: if there are fewer than ten odometries, or no commands and not a robot
        that stands and sees a ball.
    """
    commands, odom, truth = (_in_order(samples, 4) for samples in (commands, odom, truth))
    detections = _in_order(detections, 3)
    if len(odom) < 10:
        raise RecordingError(f'{name}: holds {len(odom)} odometry samples, that is too short')
    if not len(commands):
        if not len(detections) or np.ptp(odom[:, 1:3], axis=0).max() > _STOOD:
            raise RecordingError(f'{name}: holds no command; was the robot driven?')
        # Nobody held the sticks while balls rolled past.
        commands = np.array([[odom[0, 0], 0.0, 0.0, 0.0]])
    for samples in (odom, truth):
        samples[:, 3] = np.unwrap(samples[:, 3])
    start = odom[0, 0]
    # A ball is placed by where the robot stood when the image was taken.
    detections = detections[(detections[:, 0] >= start) & (detections[:, 0] <= odom[-1, 0])]
    poses = np.stack(
        [np.interp(detections[:, 0], odom[:, 0], odom[:, column]) for column in (1, 2, 3)], axis=1
    )
    return Drive(
        name,
        commands[:, 0] - start,
        commands[:, 1:],
        odom[:, 0] - start,
        odom[:, 1:],
        truth[:, 0] - start,
        truth[:, 1:],
        detections[:, 0] - start,
        world.from_frame(detections[:, 1:], poses),
        np.hypot(detections[:, 1], detections[:, 2]),
    )


def read_drive(path: str | os.PathLike[str]) -> tuple[Drive, Contract]:
    """
    Read a finished recording, and the contract it was made with.

    :raises RecordingError: if it is damaged, or lacks odometry or commands.
    """
    with RecordingReader(path) as reader:
        contract, info = reader.contract, reader.info
        topics = {}
        for role, required in _ROLES.items():
            topic = info.topics.get(
                role, '/' + contract.topics[role] if role in contract.topics else ''
            )
            if topic:
                topics[topic] = role
            elif required:
                raise RecordingError(f'{path}: does not say which topic is {role}')
        samples: dict[str, list[tuple]] = {role: [] for role in _ROLES}
        for topic, _, message in reader.messages(list(topics)):
            if not hasattr(message, 'header'):
                raise RecordingError(
                    f'{path}: {topic}: messages without a stamp tell nothing of '
                    'response times; record with stamped commands'
                )
            stamp = stamp_to_ns(message.header.stamp)
            if stamp >= info.start_stamp:
                role = topics[topic]
                samples[role].append((stamp * 1e-9, *_values(role, message)))
    try:
        return make_drive(
            str(path),
            samples['command'],
            samples['odom'],
            samples['ground_truth_robot'],
            samples['ball_detection'],
        ), contract
    except ValueError as error:
        raise RecordingError(f'{path}: {error}') from error


def _values(role: str, message) -> tuple:
    if role == 'command':
        return planar_twist(message.twist)
    if role == 'ball_detection':
        return message.point.x, message.point.y
    return planar_pose(message.pose.pose)


def _in_order(samples, width: int) -> np.ndarray:
    samples = np.array(samples, dtype=np.float64).reshape(-1, width)
    samples = samples[np.isfinite(samples).all(axis=1)]
    _, first = np.unique(samples[:, 0], return_index=True)
    return samples[first]
