"""What was seen of a graph and its messages within some seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from guda_ros.perception.camera import Calibration
from guda_ros.ros.robot_check.ends import End


@dataclass(frozen=True, eq=False)
class Heard:
    """
    The messages of one topic.

    arrivals: (n,) reception on the clock of this computer [s]. stamps: (n,) of their headers [s],
    0 where there was none. frames, children: the different frame_id and child_frame_id.
    """

    arrivals: np.ndarray
    stamps: np.ndarray
    frames: tuple[str, ...] = ()
    children: tuple[str, ...] = ()

    @property
    def rate(self) -> float:
        """Messages a second [Hz]; NaN if there are fewer than two."""
        return _rate(self.arrivals)

    @property
    def stamped(self) -> bool:
        """Whether the headers have stamps."""
        return bool(np.any(self.stamps > 0))

    @property
    def age(self) -> float:
        """Median of reception minus stamp [s]; NaN without stamps."""
        return float(np.median(self.arrivals - self.stamps)) if self.stamped else np.nan

    @property
    def widest(self) -> float:
        """The longest interval between two stamps [s]; NaN if there are fewer than two."""
        times = np.sort(self.stamps if self.stamped else self.arrivals)
        return float(np.diff(times).max()) if len(times) > 1 else np.nan


def _rate(times: np.ndarray) -> float:
    if len(times) < 2 or times.max() <= times.min():
        return np.nan
    return (len(times) - 1) / float(times.max() - times.min())


@dataclass(frozen=True)
class Picture:
    """The latest image: encoding, size [pixels], and why it cannot be decoded, if so."""

    encoding: str
    width: int
    height: int
    problem: str = ''
    grey: bool = False


@dataclass(frozen=True)
class BallSeen:
    """
    How many images were searched for a ball, how many show one, and where (2,) [m] the last.

    problem: why no image could be searched for such a ball, if so.
    """

    searched: int
    seen: int
    place: tuple[float, float] | None = None
    problem: str = ''


@dataclass(frozen=True)
class Snapshot:
    """
    A graph as it was for some seconds.

    seconds: for how long messages were heard. graph: topic -> types, of all topics. names: role ->
    topic. publishers, subscriptions: by role, those of others and of us. heard: by role, where
    there was a message. joints: all names that joint_states had. pose: whether the pose is known,
    None if nobody tells. gravity: (3,) mean acceleration [m/s^2] that the IMU measured. clock:
    the latest time on /clock [s], None if nobody publishes it. further: name of a further camera
    -> the same, of which `image` and `camera_info` are that camera's.
    """

    seconds: float
    graph: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    publishers: Mapping[str, tuple[End, ...]] = field(default_factory=dict)
    subscriptions: Mapping[str, tuple[End, ...]] = field(default_factory=dict)
    heard: Mapping[str, Heard] = field(default_factory=dict)
    picture: Picture | None = None
    calibration: Calibration | None = None
    joints: tuple[str, ...] = ()
    ball: BallSeen | None = None
    pose: bool | None = None
    gravity: tuple[float, float, float] | None = None
    clock: float | None = None
    further: Mapping[str, Snapshot] = field(default_factory=dict)
