"""What one driver's topics are like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from guda_ros.soccer.robot import HeadJoints

SECOND = 1_000_000_000


@dataclass(frozen=True)
class Stream:
    """
    What a driver publishes regularly: on its topic, so often [Hz], first at a phase [s].

    reliable, depth: quality of service. frame: of its headers.
    """

    topic: str
    rate: float
    phase: float
    frame: str = ''
    reliable: bool = True
    depth: int = 10

    @property
    def period(self) -> int:
        """Nanoseconds from one message to the next."""
        return round(SECOND / self.rate)


@dataclass(frozen=True)
class Camera:
    """
    A camera: its images and what `camera_info` says of them.

    name: of the profile's camera, `head` or `lower`. encoding: rgb8, yuv422_yuy2, or jpeg, which
    goes out on `<image>/compressed` only. focal, centre: (x, y) [pixels]; zeros: not calibrated.
    """

    name: str
    images: Stream
    info: str
    encoding: str
    focal: tuple[float, float] = (0.0, 0.0)
    centre: tuple[float, float] = (0.0, 0.0)
    distortion: tuple[float, ...] = ()


@dataclass(frozen=True)
class Description:
    """
    One driver.

    robot: profile to start from; values: what `guda robot new` is to be told of this robot.
    command: topic of Twist. patience: seconds in which a command is followed; None: for ever.
    odom: odometry of a body that stands `height` [m] high and leans by roll and pitch [rad], in
    a frame whose origin is anywhere. joints: names of all in `joint_states`; head: how those of
    the head count.
    """

    robot: str
    values: Mapping[str, object]
    command: str
    odom: Stream
    base_frame: str
    cameras: tuple[Camera, ...]
    imu: Stream
    joint_states: Stream | None = None
    joints: tuple[str, ...] = ()
    head: HeadJoints = field(default_factory=HeadJoints)
    head_command: str = ''
    height: float = 0.0
    lean: tuple[float, float] = (0.0, 0.0)
    patience: float | None = None
