"""What a simulator publishes: of the world, and of each robot in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import math
import time

import numpy as np
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode
from rosgraph_msgs.msg import Clock
from std_msgs.msg import String

from guda_ros.control.head_joints import to_driver
from guda_ros.control.kick_and_head import HEAD_JOINTS
from guda_ros.data.contract import Contract
from guda_ros.ros import conversions as convert
from guda_ros.ros.episode.event import EpisodeEvent
from guda_ros.ros.images import image_publisher, image_topic
from guda_ros.ros.markers import field_markers
from guda_ros.ros.recorder.jpeg import JpegEncoder
from guda_ros.ros.topics import count_publishers, count_subscribers, of_camera, Topics
from guda_ros.soccer import world
from guda_ros.soccer.driver import RAW
from guda_ros.soccer.robot import CameraMount, FIRST, RobotProfile

#: Of JPEGs, where the robot's camera sends such.
_QUALITY = 90


class RobotTopics:
    """
    The publishers of one robot; `destroy` removes them.

    :param cameras: by name.
    :param prefix: before every topic, such as `red/`.
    """

    def __init__(
        self,
        node: LifecycleNode,
        contract: Contract,
        robot: RobotProfile,
        cameras: Mapping[str, CameraMount],
        prefix: str = '',
    ) -> None:
        self._node = node
        self._contract = contract
        self._robot = robot
        topics = Topics(contract, prefix, robot.other_cameras)
        self.publishers: list = []

        def create(role: str):
            self.publishers.append(topics.publisher(node, role))
            return self.publishers[-1]

        self._episode = create('episode')
        self._odom = create('odom')
        self._imu = create('imu')
        self._joints = create('joint_states')
        self._truth = create('ground_truth_robot')
        self._truth_ball = create('ground_truth_ball')
        #: How images are sent.
        self.transport = transport = robot.driver.image_transport
        self._jpeg = None if transport == RAW else JpegEncoder(_QUALITY)
        self._cameras = {}
        for name, mount in cameras.items():
            image, info, frame = of_camera(name, first=name == FIRST)
            images = image_publisher(topics, node, image, transport)
            self.publishers.append(images)
            self._cameras[name] = (
                create(info),
                images,
                convert.camera_info_message(
                    mount.width,
                    mount.height,
                    mount.focal,
                    0,
                    frame + contract.frames['camera'],
                    mount.distortion,
                    mount.centre,
                ),
            )
        self._sent: list[tuple] = []
        self._primed: list[int] = []

    def begin_set(self) -> None:
        """Say that what follows is what `repeat` repeats."""
        self._sent = []

    def repeat(self) -> None:
        """Publish the last observation set again: messages may be lost on the way."""
        for publisher, message in self._sent:
            publisher.publish(message)

    def is_subscribed(self, camera: str) -> bool:
        """Tell whether somebody wants a camera's images."""
        info, image, _ = self._cameras[camera]
        return image.get_subscription_count() > 0 or info.get_subscription_count() > 0

    def truth(self, now: int, state: np.ndarray, velocity: np.ndarray) -> None:
        """
        Publish the truth at `now` [ns].

        :param state: world state (10,); velocity: (3,) of the robot in base_link.
        """
        frame, stamp = self._contract.frames, convert.ns_to_stamp(now)
        self._publish(
            self._truth,
            convert.odometry_message(
                state[world.ROBOT], stamp, frame['map'], frame['base'], velocity=velocity
            ),
        )
        if not self._contract.has_ball:
            return
        self._publish(
            self._truth_ball,
            convert.ball_message(
                state[world.BALL],
                state[world.BALL_VELOCITY],
                stamp,
                frame['map'],
                position_covariance=np.zeros((2, 2)),
                velocity_covariance=np.zeros((2, 2)),
                radius=self._contract.field.ball.radius,
            ),
        )

    def odometry(self, now: int, pose: np.ndarray, velocity: np.ndarray) -> None:
        """Publish pose and velocity (3,) that the odometry tells of `now` [ns]."""
        frame = self._contract.frames
        self._publish(
            self._odom,
            convert.odometry_message(pose, now, frame['odom'], frame['base'], velocity=velocity),
        )

    def imu(self, now: int, gyroscope: np.ndarray, accelerometer: np.ndarray) -> None:
        """Publish a sample (3,), (3,) of the inertial sensors."""
        if self._imu.get_subscription_count():
            noise = self._robot.imu
            self._publish(
                self._imu,
                convert.imu_message(
                    gyroscope,
                    accelerometer,
                    now,
                    self._contract.frames['base'],
                    (math.hypot(noise.gyroscope, noise.gyroscope_bias), noise.accelerometer),
                ),
            )

    def joints(self, now: int, pan: float, tilt: float) -> None:
        """Publish the angles of the head [rad]."""
        if self._joints.get_subscription_count():
            angles = dict(zip(HEAD_JOINTS, (pan, tilt)))
            told = to_driver(angles, self._robot.head.joints)
            self._publish(self._joints, convert.joint_state_message(told, now))

    def image(self, camera: str, now: int, pixels: np.ndarray) -> None:
        """Publish a camera's calibration and image; the image last, for it completes a set."""
        info, image, calibration = self._cameras[camera]
        stamp = convert.ns_to_stamp(now)
        calibration.header.stamp = stamp
        if info.get_subscription_count():
            self._publish(info, calibration)
        message = convert.image_message(pixels, stamp, calibration.header.frame_id)
        self._publish(image, message if self._jpeg is None else self._jpeg.compress(message))

    def prime(self, now: int, state: np.ndarray, timeout: float = 1.0) -> None:
        """
        Publish what belongs to no episode, until all subscribers confirm it or `timeout` [s].

        A publisher may be connected to a subscriber that is not connected to it yet and would miss
        the first observation. Nothing is done while the connections are those of the last time.
        """
        publishers = (self._truth, self._truth_ball, self._odom)
        connections = [publisher.get_subscription_count() for publisher in publishers]
        if connections == self._primed:
            return
        self._primed = connections
        self.truth(now, state, np.zeros(3))
        self.odometry(now, np.zeros(3), np.zeros(3))
        self.flush(timeout)

    def flush(self, timeout: float = 1.0) -> None:
        """Wait until truth and odometry are confirmed by all subscribers, or `timeout` [s]."""
        deadline = time.monotonic() + timeout
        for publisher in (self._truth, self._truth_ball, self._odom):
            left = max(0.01, deadline - time.monotonic())
            publisher.wait_for_all_acked(Duration(seconds=left))

    def announce(self, event: EpisodeEvent, timeout: float = 1.0) -> bool:
        """Publish an event; tell whether all subscribers confirmed it within `timeout` [s]."""
        self._episode.publish(String(data=event.to_json()))
        return self._episode.wait_for_all_acked(Duration(seconds=timeout))

    def _publish(self, publisher, message) -> None:
        publisher.publish(message)
        self._sent.append((publisher, message))

    def destroy(self) -> None:
        """Remove the publishers."""
        for publisher in self.publishers:
            self._node.destroy_lifecycle_publisher(publisher)


class WorldTopics:
    """The clock, the field's markers, and what must be there before a lock-step episode begins."""

    def __init__(
        self,
        node: LifecycleNode,
        contract: Contract,
        robots: Sequence[RobotTopics],
    ) -> None:
        self._node = node
        self._contract = contract
        self._robots = robots
        topics = Topics(contract)
        self._clock = topics.publisher(node, 'clock')
        self._markers = topics.publisher(node, 'markers')
        self._image = image_topic(node, topics['image'].name, robots[0].transport)
        #: What a partner must be known to publish.
        self._partner_topics = {
            'perception': topics[contract.inputs[-1]].name,
            'teleop': topics['command_teleop'].name,
            'policy': topics['command_policy'].name,
            'operator': topics['joy'].name,
        }

    def clock(self, now: int) -> None:
        """Publish the time [ns]."""
        self._clock.publish(Clock(clock=convert.ns_to_stamp(now)))

    def draw_field(self) -> None:
        """Publish the field, for viewers that come now or later."""
        self._markers.publish(field_markers(self._contract.field, self._contract.frames['map']))

    def missing(self, partners: Sequence[str]) -> list[str]:
        """
        Return sentences on what an episode in lock-step still lacks.

        :param partners: names of nodes that must be there.
        """
        node, topics = self._node, self._contract.topics
        there = set(node.get_node_names())
        missing = [f'node {name} is not in sight' for name in partners if name not in there]
        if not count_publishers(node, topics['command']):
            missing.append(f'nobody publishes {topics["command"]}: is the safety node running?')
        missing += [
            f'nobody publishes {topic}: is {partner} running?'
            for partner, topic in self._partner_topics.items()
            if partner in partners and not count_publishers(node, topic)
        ]
        seen = topics[self._contract.inputs[-1]]
        if count_publishers(node, seen) and not count_subscribers(node, self._image):
            missing.append(f'nobody subscribes to {self._image}: is perception running?')
        # Known to the graph, but not connected yet: they would miss the first observation.
        missing += [
            f'{publisher.topic_name} has subscribers that are not connected yet'
            for robot in self._robots
            for publisher in (self._clock, *robot.publishers)
            if publisher.get_subscription_count() < node.count_subscribers(publisher.topic_name)
        ]
        return missing

    def wait_for_partners(self, partners: Sequence[str], timeout: float) -> str:
        """Wait until nothing is missing; return what still is after `timeout` [s]."""
        deadline = time.monotonic() + timeout
        while True:
            missing = self.missing(partners)
            if not missing:
                return ''
            if time.monotonic() > deadline:
                return 'cannot start an episode: ' + '; '.join(missing)
            time.sleep(0.02)

    def destroy(self) -> None:
        """Remove the publishers of the world."""
        for publisher in (self._clock, self._markers):
            self._node.destroy_lifecycle_publisher(publisher)
