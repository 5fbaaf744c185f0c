"""Take the snapshot of a graph: discover it, and hear it for some seconds. Nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
import time
from typing import Any

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from guda_ros.data.messages import stamp_to_ns
from guda_ros.perception.camera import Calibration
from guda_ros.ros.conversions import bgr_from_message, calibration_from_message, pose_is_known
from guda_ros.ros.graph.monitor import GraphMonitor
from guda_ros.ros.hearing import hear
from guda_ros.ros.images import compressed_topic, grey_of
from guda_ros.ros.qos import LOOK
from guda_ros.ros.robot_check.checks import Expected
from guda_ros.ros.robot_check.ends import COMPRESSED
from guda_ros.ros.robot_check.snapshot import BallSeen, Heard, Picture, Snapshot
from guda_ros.ros.robot_check.watch import ends_of
from guda_ros.ros.running import destroy_entities
from guda_ros.ros.topics import Topics

#: What is heard, beside the cameras.
_HEARD = ('odom', 'joint_states', 'imu', 'pose')
#: What is only looked at.
_ENDS = ('command', 'episode')
#: Discovery is over when somebody is there and nothing new was seen for so long [s].
_QUIET = 0.7
#: Seconds between two looks at who publishes.
_LOOK = 0.25
#: Images that are kept to search for the ball.
_IMAGES = 5


class _Record:
    """What was heard of one topic."""

    def __init__(self) -> None:
        self.arrivals: list[float] = []
        self.stamps: list[float] = []
        self.frames: dict[str, None] = {}
        self.children: dict[str, None] = {}

    def take(self, message: Any, received: float) -> None:
        self.arrivals.append(received)
        self.stamps.append(stamp_to_ns(message.header.stamp) * 1e-9)
        self.frames[message.header.frame_id] = None
        if hasattr(message, 'child_frame_id'):
            self.children[message.child_frame_id] = None

    def heard(self) -> Heard:
        return Heard(
            np.array(self.arrivals),
            np.array(self.stamps),
            tuple(self.frames),
            tuple(self.children),
        )


class Look:
    """Hear a graph by a node of one's own; `snapshot` tells what it was like."""

    def __init__(self, node: Node, expected: Expected) -> None:
        self._node, self._expected = node, expected
        names = list(expected.robot.eyes)
        self._topics = Topics(expected.contract, cameras=names[1:])
        #: Roles of image and calibration by camera.
        self._cameras = dict(zip(names, zip(expected.images, expected.calibrations)))
        self._records: dict[str, _Record] = {}
        self._images: dict[str, list[Image | CompressedImage]] = {}
        self._infos: dict[str, CameraInfo] = {}
        self._joints: dict[str, float] = {}
        self._forces: list[tuple[float, float, float]] = []
        self._pose: bool | None = None
        self._clock: float | None = None
        self._begin = time.monotonic()
        self._entities: dict[str, Any] = {}

    def names(self) -> dict[str, str]:
        """Return role -> topic as this graph calls it."""
        images, infos = self._expected.images, self._expected.calibrations
        roles = (*images, *infos, *_HEARD, *_ENDS)
        names = {role: self._node.resolve_topic_name(self._topics[role].name) for role in roles}
        if self._expected.compressed:
            names.update((role, compressed_topic(names[role])) for role in images)
        if self._expected.channel:
            names['channel'] = self._node.resolve_topic_name(self._expected.channel)
        return names

    def subscribe(self) -> None:
        """Hear what somebody publishes by now, if the type is right; call it again and again."""
        images, infos = self._expected.images, self._expected.calibrations
        takers: dict[str, Callable] = {
            role: partial(self._take, role) for role in (*infos, *_HEARD)
        }
        takers.update((role, partial(self._take_image, role)) for role in images)
        for role, name in self.names().items():
            if role in self._entities or role not in takers:
                continue
            kinds = {info.topic_type for info in self._node.get_publishers_info_by_topic(name)}
            fitting = kinds & {*self._expected.kinds(role)}
            if fitting:
                kind = self._topics[role].kind
                if role in images and fitting == {COMPRESSED}:
                    kind = CompressedImage
                self._entities[role] = hear(self._node, kind, name, takers[role], LOOK)
        clock = self._topics['clock']
        if 'clock' not in self._entities and self._node.get_publishers_info_by_topic(clock.name):
            self._entities['clock'] = hear(
                self._node, clock.kind, clock.name, self._take_clock, LOOK
            )

    def _take(self, role: str, message: Any, info: dict) -> None:
        received = (info.get('received_timestamp') or time.time_ns()) * 1e-9
        self._records.setdefault(role, _Record()).take(message, received)
        if role in self._expected.calibrations:
            self._infos[role] = message
        elif role == 'joint_states':
            self._joints.update(zip(message.name, message.position))
        elif role == 'imu':
            force = message.linear_acceleration
            self._forces.append((force.x, force.y, force.z))
        elif role == 'pose':
            self._pose = pose_is_known(message)

    def _take_image(self, role: str, message: Image | CompressedImage, info: dict) -> None:
        self._take(role, message, info)
        self._images[role] = [*self._images.get(role, ()), message][-_IMAGES:]

    def _take_clock(self, message: Any) -> None:
        self._clock = stamp_to_ns(message.clock) * 1e-9

    def snapshot(self) -> Snapshot:
        """Return what was discovered and heard so far."""
        node, names = self._node, self.names()
        me = node.get_fully_qualified_name()
        first, *further = (self._seen_by(name) for name in self._cameras)
        best = max([first, *further], key=lambda seen: seen[2].seen if seen[2] else 0)
        whole = Snapshot(
            seconds=time.monotonic() - self._begin,
            graph={name: tuple(kinds) for name, kinds in node.get_topic_names_and_types()},
            names=names,
            publishers={
                role: ends_of(node.get_publishers_info_by_topic(name), me)
                for role, name in names.items()
            },
            subscriptions={
                role: ends_of(node.get_subscriptions_info_by_topic(name), me)
                for role, name in names.items()
            },
            heard={role: record.heard() for role, record in self._records.items()},
            picture=first[0],
            calibration=first[1],
            joints=tuple(self._joints),
            ball=best[2] or first[2],
            pose=self._pose,
            gravity=tuple(map(float, np.mean(self._forces, axis=0))) if self._forces else None,
            clock=self._clock,
        )
        others = zip(list(self._cameras.items())[1:], further)
        return replace(
            whole,
            further={name: _of_camera(whole, *roles, *seen[:2]) for (name, roles), seen in others},
        )

    def _seen_by(self, name: str) -> tuple[Picture | None, Calibration | None, BallSeen | None]:
        """Return what a camera sends, and where it sees the ball."""
        image, info = self._cameras[name]
        picture, pixels = self._picture(self._images.get(image, []))
        told = self._infos.get(info)
        calibration = None if told is None else calibration_from_message(told)
        return (
            picture,
            calibration,
            (
                self._ball(name, pixels, calibration)
                if pixels and self._expected.contract.has_ball
                else None
            ),
        )

    def _picture(
        self, images: list[Image | CompressedImage]
    ) -> tuple[Picture | None, list[np.ndarray]]:
        pixels, problem = [], ''
        for message in images:
            try:
                pixels.append(bgr_from_message(message))
            except ValueError as error:
                problem = str(error)
        if not images:
            return None, []
        last = images[-1]
        if isinstance(last, Image):
            size, encoding = (last.width, last.height), last.encoding
        else:
            encoding = last.format
            size = pixels[-1].shape[1::-1] if pixels else (0, 0)
        return Picture(encoding, *size, problem, bool(grey_of(last))), pixels

    def _ball(self, name: str, pixels: list[np.ndarray], told: Calibration | None) -> BallSeen:
        # Here, so that who only looks at the ends of topics does without OpenCV.
        from guda_ros.ros.robot_check.ball_search import search_ball

        robot, ball = self._expected.robot, self._expected.contract.field.ball
        robot = replace(robot, camera=robot.cameras[name])
        return search_ball(pixels, told, self._joints, robot, ball)

    def close(self) -> None:
        """Hear nothing any more."""
        destroy_entities(self._node, list(self._entities.values()))
        self._entities = {}


def _of_camera(
    whole: Snapshot,
    image: str,
    info: str,
    picture: Picture | None,
    calibration: Calibration | None,
) -> Snapshot:
    """Return a snapshot of which image and calibration are those of a further camera."""

    def renamed(values: Mapping[str, Any]) -> dict[str, Any]:
        both = {'image': image, 'camera_info': info}
        kept = {role: value for role, value in values.items() if role not in both}
        own = {role: values[its] for role, its in both.items() if its in values}
        return {**kept, **own}

    return replace(
        whole,
        names=renamed(whole.names),
        publishers=renamed(whole.publishers),
        heard=renamed(whole.heard),
        picture=picture,
        calibration=calibration,
    )


def look(
    monitor: GraphMonitor,
    expected: Expected,
    seconds: float,
    patience: float = 5.0,
    check: Callable[[], None] = lambda: None,
) -> Snapshot:
    """
    Discover a graph and hear it for some seconds.

    :param monitor: of the graph's domain and names. :param patience: how long discovery may take
        at most [s]. :param check: called several times a second; what it raises ends the look.
    """
    _discover(monitor, patience, check)
    looking = Look(monitor.node, expected)
    deadline, looked = time.monotonic() + seconds, 0.0
    try:
        while time.monotonic() < deadline:
            if time.monotonic() - looked > _LOOK:
                looked = time.monotonic()
                looking.subscribe()
                check()
            monitor.spin(0.02)
        return looking.snapshot()
    finally:
        looking.close()


def _discover(monitor: GraphMonitor, patience: float, check: Callable[[], None]) -> None:
    """Wait until somebody is there and nobody new has come for a moment."""
    node = monitor.node
    known: set[str] = set()
    begin = changed = time.monotonic()
    while time.monotonic() - begin < patience:
        check()
        monitor.spin(0.05)
        topics = {topic for topic, _ in node.get_topic_names_and_types()}
        if topics != known:
            known, changed = topics, time.monotonic()
        if len(monitor.names()) > 1 and time.monotonic() - changed > _QUIET:
            return
