"""What a simulated robot publishes, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
import math
import time
from typing import TYPE_CHECKING

from nav_msgs.msg import Odometry
import numpy as np
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

from guda_ros.data.contract import Contract
from guda_ros.ros import conversions as convert
from guda_ros.ros import qos
from guda_ros.ros.episode import EpisodeEvent
from guda_ros.soccer import world
from guda_ros.soccer.robot import CameraMount

if TYPE_CHECKING:
    from guda_ros.sim.odometry import OdometryModel


class SimulatorTopics:
    """The publishers of a simulator node; `destroy` removes them."""

    def __init__(self, node: LifecycleNode, contract: Contract, camera: CameraMount) -> None:
        self._node = node
        self._contract = contract
        topics = contract.topics
        #: What a partner must be known to publish before an episode in lock-step begins.
        self._partner_topics = {
            'perception': topics['ball'], 'teleop': f'{topics["command"]}/teleop',
            'policy': f'{topics["command"]}/policy', 'operator': 'joy'}

        def create(kind, name, profile=qos.DEFAULT):
            return node.create_lifecycle_publisher(kind, name, profile)

        self._clock = create(Clock, '/clock')
        self._episode = create(String, topics['episode'], qos.EPISODE)
        self._odom = create(Odometry, topics['odom'])
        self._truth = create(Odometry, topics['ground_truth_robot'])
        self._truth_ball = create(Odometry, topics['ground_truth_ball'])
        self._info = create(CameraInfo, topics['camera_info'])
        self._image = create(Image, topics['image'])
        self._all = (self._clock, self._episode, self._odom, self._truth, self._truth_ball,
                     self._info, self._image)
        self._last: list[tuple] = []
        self._primed: list[int] = []
        focal = camera.height / 2 / math.tan(camera.vertical_fov / 2)
        self._info_message = convert.camera_info_message(
            camera.width, camera.height, focal, 0, contract.frames['camera'])

    def missing(self, partners: Sequence[str]) -> list[str]:
        """
        Return sentences on what an episode in lock-step still lacks.

        :param partners: names of nodes that must be there.
        """
        node, topics = self._node, self._contract.topics
        there = set(node.get_node_names())
        missing = [f'node {name} is not in sight' for name in partners if name not in there]
        if not node.count_publishers(topics['command']):
            missing.append(f'nobody publishes {topics["command"]}: is the safety node running?')
        missing += [f'nobody publishes {topic}: is {partner} running?'
                    for partner, topic in self._partner_topics.items()
                    if partner in partners and not node.count_publishers(topic)]
        if node.count_publishers(topics['ball']) and not self._image.get_subscription_count():
            missing.append(f'nobody subscribes to {topics["image"]}: is perception running?')
        # Known to the graph, but not connected yet: they would miss the first observation.
        missing += [f'{publisher.topic_name} has subscribers that are not connected yet'
                    for publisher in self._all if publisher.get_subscription_count()
                    < node.count_subscribers(publisher.topic_name)]
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

    def publishers_of(self, topics: Sequence[str]) -> dict[str, list[str]]:
        """Return the names of the nodes that publish each topic."""
        return {topic: [info.node_name for info in self._node.get_publishers_info_by_topic(topic)]
                for topic in topics}

    def prime(self, now: int, state: np.ndarray, odometry: OdometryModel,
              timeout: float = 1.0) -> None:
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
        self.observation(now, state, np.zeros(3), odometry, None)
        deadline = time.monotonic() + timeout
        for publisher in publishers:
            left = max(0.01, deadline - time.monotonic())
            publisher.wait_for_all_acked(Duration(seconds=left))

    def announce(self, event: EpisodeEvent, timeout: float = 1.0) -> bool:
        """Publish an event; tell whether all subscribers confirmed it within `timeout` [s]."""
        self._episode.publish(String(data=event.to_json()))
        return self._episode.wait_for_all_acked(Duration(seconds=timeout))

    def observation(self, now: int, state: np.ndarray, velocity: np.ndarray,
                    odometry: OdometryModel, render: Callable[[], np.ndarray] | None) -> None:
        """
        Publish an observation set of one stamp; the image comes last and completes it.

        :param now: stamp [ns].
        :param state: true world state (10,).
        :param velocity: true velocity (3,) in base_link, for ground truth only.
        :param odometry: what the robot believes of its pose and velocity.
        :param render: draws the camera image (RGB); called only if somebody subscribes.
        """
        frame, stamp = self._contract.frames, convert.ns_to_stamp(now)
        self._last = []
        self._publish(self._clock, Clock(clock=stamp))
        self._publish(self._truth, convert.odometry_message(
            state[world.ROBOT], stamp, frame['map'], frame['base'], velocity=velocity))
        self._publish(self._truth_ball, convert.ball_message(
            state[world.BALL], state[world.BALL_VELOCITY], stamp, frame['map'],
            position_covariance=np.zeros((2, 2)), velocity_covariance=np.zeros((2, 2)),
            radius=self._contract.field.ball.radius))
        self._publish(self._odom, convert.odometry_message(
            odometry.pose, stamp, frame['odom'], frame['base'], velocity=odometry.velocity))
        if render is None:
            return
        if self._info.get_subscription_count():
            self._info_message.header.stamp = stamp
            self._publish(self._info, self._info_message)
        if self._image.get_subscription_count():
            self._publish(self._image, convert.image_message(render(), stamp, frame['camera']))

    def _publish(self, publisher, message) -> None:
        publisher.publish(message)
        self._last.append((publisher, message))

    def repeat(self) -> None:
        """Publish the last observation set again: messages may be lost on the way."""
        for publisher, message in self._last:
            publisher.publish(message)

    def destroy(self) -> None:
        """Remove the publishers."""
        for publisher in self._all:
            self._node.destroy_lifecycle_publisher(publisher)
