"""The node that turns camera images and odometry into the robot's pose and the ball."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
import sys

import cv2
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import CompressedImage, Image, JointState
from std_msgs.msg import String

from guda_ros.control.head_joints import HeadWatch
from guda_ros.control.kick_and_head import HEAD_JOINTS
from guda_ros.data.messages import is_place
from guda_ros.perception.observer import Observation, Observer
from guda_ros.ros import conversions as convert
from guda_ros.ros import diagnostics
from guda_ros.ros.camera_inputs import CameraInputs
from guda_ros.ros.episode.event import EpisodeEvent, read_event
from guda_ros.ros.gaze_topic import GazeTopic
from guda_ros.ros.images import declare_transport
from guda_ros.ros.parameters import declare_contract, declare_odometry, Parameters
from guda_ros.ros.percept_topics import PerceptTopics
from guda_ros.ros.perception_parameters import declare_perception
from guda_ros.ros.perception_report import PerceptionReport
from guda_ros.ros.robot_check.watch import DriverWatch
from guda_ros.ros.robot_model import RobotModel
from guda_ros.ros.running import exit_process, run_node
from guda_ros.ros.topics import Topics
from guda_ros.soccer.robot import RobotProfile


class PerceptionNode(Node):
    """
    Publish `pose` and then `ball/odom`, once each, for the images that begin control steps.

    Both carry the image's stamp t and use the odometry at t: that of the same stamp, or one
    interpolated between the two around it. Images are answered at the contract's rate, whatever
    the camera's. `ball/odom` comes last and completes what is known about t; `ball/detection`
    comes before them when the ball is seen. Of several cameras the first one's images are
    answered, each together with those of the others that belong to it. Position and velocity in
    `ball/odom` are along the axes of `odom`, which is also its child_frame_id; a variance of 1000
    or more says that the ball is lost.
    """

    def __init__(self) -> None:
        super().__init__('perception')
        self._options = p = Parameters(self)
        self.contract = declare_contract(p)
        self._profile = RobotProfile.load(p['robot'] or self.contract.robot)
        self._perception = declare_perception(p, self.contract, self._profile)
        self._observer = Observer(self._perception, **declare_odometry(p))
        self._head = HeadWatch(self._profile.head.joints)
        self._event: EpisodeEvent | None = None
        self._problem = ''
        transport = declare_transport(p)
        self._driver = DriverWatch(self, p, self.contract, self._profile, transport)
        odom = self.contract.topics['odom']
        self._judge = PerceptionReport(self._observer, self._perception, odom, self._driver)

        topics = Topics(self.contract, cameras=self._perception.cameras[1:])
        self._cameras = CameraInputs(
            self, topics, transport, self._profile, self._perception, self._on_image
        )
        self._percepts = PerceptTopics(self, self.contract, topics)
        self._model = RobotModel(self, p, topics, self.contract, self._profile)
        self._gaze = GazeTopic(self, topics, self._profile, self.contract)
        # Subscriptions are served in this order: a reset goes before the image that comes with it.
        self._subs = [
            topics.subscription(self, 'episode', self._on_episode),
            topics.subscription(self, 'initial_pose', self._on_initial_pose),
            *self._cameras.hear_calibrations(),
            topics.subscription(self, 'joint_states', self._on_joints),
            topics.subscription(self, 'odom', self._on_odom),
            *self._cameras.hear_images(),
        ]
        self._diagnostics = diagnostics.DiagnosticsPublisher(
            self, self._report, self.contract.robot
        )

    def _on_episode(self, message: String) -> None:
        event = read_event(self, message.data)
        if event is None:
            return
        known = self._event is not None and self._event.id == event.id
        # `start` alone reaches a node that was started between the two.
        if event.phase == 'end' or (event.phase == 'start' and known):
            return
        if event.contract_hash not in ('', self.contract.hash):
            self.get_logger().warning(
                f'episode {event.id} is of contract {event.contract_hash}, this node works with '
                f'{self.contract.hash}: start both with the same contract and robot'
            )
        self._event = event
        self._observer.begin(event.stamp, event.robot_start)
        self._gaze.reset()

    def _on_initial_pose(self, message: PoseWithCovarianceStamped) -> None:
        frame, pose = message.header.frame_id, convert.pose_from_message(message)
        if frame != self.contract.frames['map'] or not is_place(pose):
            self.get_logger().warning(
                f'initialpose is ignored: a place in {self.contract.frames["map"]!r} is expected, '
                f'not {pose.tolist()} in {frame!r}'
            )
        else:
            self._observer.place(pose, convert.pose_deviations(message))

    def _on_joints(self, message: JointState) -> None:
        angles = self._head.take(message.name, message.position)
        stamp = convert.stamp_or_now(message, self)
        self._model.joints(stamp, message.name, message.position)
        self._observer.head(stamp, *(angles.get(joint) for joint in HEAD_JOINTS))

    def _on_odom(self, message: Odometry) -> None:
        try:
            self._driver.odometry(message)
        except ValueError as error:
            self._fail(str(error))
        else:
            pose = convert.pose_from_message(message)
            self._model.odometry(convert.stamp_or_now(message, self), pose)
            self._answer(self._observer.odometry, message, pose)

    def _on_image(self, camera: str, message: Image | CompressedImage) -> None:
        if camera == self._perception.first:
            self._driver.image(convert.stamp_or_now(message, self), message.header.frame_id)
        take = partial(self._observer.image, camera=camera)
        self._answer(take, message, lambda: convert.bgr_from_message(message))

    def _answer(self, take: Callable, message, value) -> None:
        try:
            observed = take(convert.stamp_or_now(message, self), value)
            while observed is not None:
                self._tell(observed)
                observed = self._observer.next()
        except ValueError as error:
            self._fail(str(error))
        for text in self._observer.news():
            self.get_logger().warning(text)

    def _tell(self, observed: Observation) -> None:
        # First: in lock-step time passes with what comes after.
        self._gaze.look(observed)
        self._percepts.publish(observed.stamp, observed.percept)
        self._model.seen(observed)
        if observed.image is not None:
            self._problem = ''
            seen_by = self._perception.camera_of(observed.percept.camera)
            self._percepts.draw(observed, seen_by)

    def _fail(self, problem: str) -> None:
        if problem != self._problem:
            self.get_logger().error(problem)
        self._problem = problem

    def _report(self) -> tuple[bytes, str, dict]:
        episode = self._event.id if self._event else ''
        lasting = [text for text in (self._head.problem, *self._cameras.problems) if text]
        return self._judge(self._problem, lasting, self._cameras.calibration, episode)


def main(args: Sequence[str] | None = None) -> int:
    """Run the node."""
    # One image is too small to share: further threads would only take the cores of other nodes.
    cv2.setNumThreads(1)
    return run_node(PerceptionNode, args)


if __name__ == '__main__':
    exit_process(main(sys.argv))
