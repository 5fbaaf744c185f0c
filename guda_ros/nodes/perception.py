"""The node that turns camera images and odometry into the robot's pose and the ball."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
import sys
import time

import cv2
from nav_msgs.msg import Odometry
import numpy as np
from rclpy.node import Node
from rclpy.parameter import Parameter
from sensor_msgs.msg import CameraInfo, Image, JointState
from std_msgs.msg import String

from guda_ros.control.kick_and_head import HEAD_JOINTS
from guda_ros.data.messages import stamp_to_ns
from guda_ros.perception.camera import CameraModel
from guda_ros.perception.debug_image import draw_percept
from guda_ros.perception.pipeline import Percept, Perception
from guda_ros.ros import conversions as convert
from guda_ros.ros import diagnostics
from guda_ros.ros.episode.event import EpisodeEvent, read_event
from guda_ros.ros.parameters import declare_contract, Parameters
from guda_ros.ros.running import exit_process, run_node
from guda_ros.ros.stamp_join import StampJoin
from guda_ros.ros.topics import Topics
from guda_ros.soccer.robot import RobotProfile

#: An episode's first image comes at most so long after its reset [s]; later, the start is a guess.
_LATE = 0.5


class PerceptionNode(Node):
    """
    Publish `pose` and then `ball/odom`, once each, for every image that has an odometry.

    Both carry the image's stamp t and use the odometry of the same stamp; `ball/odom` comes last
    and completes what is known about t. `ball/detection` comes before them when the ball is seen.
    Position and velocity in `ball/odom` are along the axes of `odom`, which is also its
    child_frame_id; a variance of 1000 or more says that the ball is lost.
    """

    def __init__(self) -> None:
        super().__init__('perception')
        self._options = p = Parameters(self)
        self.contract = declare_contract(p)
        p.declare(
            'initial_pose',
            Parameter.Type.DOUBLE_ARRAY,
            'x, y, yaw in map where the robot stands at the first image; empty: wait for '
            'an episode to tell',
            unit='m, m, rad',
            check=_check_pose,
            read_only=True,
        )
        self._profile = RobotProfile.load(p['robot'] or self.contract.robot)
        self._perception = Perception(self.contract, self._profile)
        self._perception.reset(_pose_or_none(p['initial_pose']))
        self._event: EpisodeEvent | None = None
        self._inputs = StampJoin(('image', 'odom'))
        self._last_stamp = -1
        self._late = False
        self._camera_info: tuple | None = None
        self._heads: deque[tuple[int, float, float]] = deque(maxlen=200)
        self._calibration = 'robot profile'
        self._problem = ''
        self._images = self._answered = self._seen = self._reported = 0
        self._milliseconds = 0.0
        self._percept: Percept | None = None

        topics = Topics(self.contract)
        self._detection_pub = topics.publisher(self, 'ball_detection')
        self._pose_pub = topics.publisher(self, 'pose')
        self._ball_pub = topics.publisher(self, 'ball')
        self._debug_pub = topics.publisher(self, 'debug_image')
        # Subscriptions are served in this order: a reset goes before the image that comes with it.
        self._subs = [
            topics.subscription(self, 'episode', self._on_episode),
            topics.subscription(self, 'camera_info', self._on_camera_info),
            topics.subscription(self, 'joint_states', self._on_joints),
            topics.subscription(self, 'odom', self._on_odom),
            topics.subscription(self, 'image', self._on_image),
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
        self._event, self._late, self._last_stamp = event, False, -1
        self._heads.clear()
        self._inputs.clear()
        self._perception.reset(event.robot_start)

    def _on_camera_info(self, message: CameraInfo) -> None:
        calibration = (*message.k, *message.d, message.width, message.height)
        if calibration == self._camera_info:
            return
        self._camera_info = calibration
        try:
            self._perception.set_camera(
                CameraModel.from_camera_info(
                    message.k,
                    message.width,
                    message.height,
                    self._profile.camera,
                    message.d,
                    message.distortion_model,
                )
            )
        except ValueError as error:
            self._fail(f'{error}; the {self._calibration} is used instead')
        else:
            self._calibration = 'camera_info'

    def _on_joints(self, message: JointState) -> None:
        angles = dict(zip(message.name, message.position))
        if set(HEAD_JOINTS) <= angles.keys():
            stamp = stamp_to_ns(message.header.stamp)
            self._heads.append((stamp, *(angles[joint] for joint in HEAD_JOINTS)))

    def _turn_head(self, stamp: int) -> None:
        """Take the head to be where it was last known to be at the time of an image."""
        known = [head for head in self._heads if head[0] <= stamp]
        if known and np.isfinite(known[-1]).all():
            self._perception.look(*known[-1][1:])

    def _on_odom(self, message: Odometry) -> None:
        self._take('odom', message)

    def _on_image(self, message: Image) -> None:
        self._images += 1
        self._take('image', message)

    def _take(self, name: str, message) -> None:
        stamp = stamp_to_ns(message.header.stamp)
        if self._event is not None and stamp < self._event.stamp:
            # A straggler of the episode before: its odometry has another origin.
            return
        pair = self._inputs.add(name, stamp, message)
        if pair is not None and stamp > self._last_stamp:
            self._process(stamp, pair['image'], pair['odom'])
        elif pair is not None and stamp == self._last_stamp:
            # A repeated observation gets the same answer.
            self._publish(stamp, self._percept)

    def _process(self, stamp: int, image: Image, odom: Odometry) -> None:
        begin = time.perf_counter()
        odom_pose = convert.pose_from_message(odom)
        if not np.isfinite(odom_pose).all():
            self._fail('an odometry that is not finite was ignored')
            return
        if self._last_stamp < 0 and self._event is not None and self._event.stamp:
            self._late = stamp - self._event.stamp > _LATE * 1e9
        try:
            bgr = convert.bgr_from_message(image)
            self._turn_head(stamp)
            percept = self._perception.process(bgr, odom_pose, stamp * 1e-9)
        except ValueError as error:
            self._fail(f'an image was ignored: {error}')
            return
        self._last_stamp = stamp
        self._percept, self._problem = percept, ''
        self._publish(stamp, percept)
        self._answered += 1
        self._seen += percept.detection is not None
        self._milliseconds += (time.perf_counter() - begin) * 1e3
        if self._debug_pub.get_subscription_count():
            drawn = draw_percept(
                bgr,
                self._perception.camera,
                self.contract.field.ball.radius,
                percept.detection,
                percept.ball,
                odom_pose,
            )
            self._debug_pub.publish(
                convert.image_message(drawn, stamp, self.contract.frames['camera'], 'bgr8')
            )

    def _publish(self, stamp: int, percept: Percept) -> None:
        frames, radius = self.contract.frames, self.contract.field.ball.radius
        if percept.detection is not None:
            self._detection_pub.publish(
                convert.point_message(
                    np.append(percept.detection.position, radius), stamp, frames['base']
                )
            )
        self._pose_pub.publish(
            convert.pose_message(percept.pose, stamp, frames['map'], percept.pose_covariance)
        )
        ball = percept.ball
        position_covariance = velocity_covariance = None
        if not ball.lost:
            position_covariance = ball.covariance[:2, :2]
            velocity_covariance = ball.covariance[2:, 2:]
        self._ball_pub.publish(
            convert.ball_message(
                np.nan_to_num(ball.position),
                ball.velocity,
                stamp,
                frames['odom'],
                position_covariance=position_covariance,
                velocity_covariance=velocity_covariance,
                radius=radius,
            )
        )

    def _fail(self, problem: str) -> None:
        if problem != self._problem:
            self.get_logger().error(problem)
        self._problem = problem

    def _report(self) -> tuple[bytes, str, dict]:
        answered, images = self._answered, self._images
        values = {
            'images': images,
            'answered': answered,
            'ball_seen': self._seen,
            'milliseconds_an_image': f'{self._milliseconds / max(answered, 1):.2f}',
            'calibration': self._calibration,
            'episode': self._event.id if self._event else '',
        }
        fresh, self._reported = answered > self._reported, answered
        if self._problem:
            return diagnostics.ERROR, self._problem, values
        if not fresh:
            return diagnostics.WARN, self._why_nothing(images, answered), values
        if not self._perception.localiser.anchored:
            return diagnostics.WARN, 'the pose is unknown: no episode told the start', values
        if self._late:
            return (
                diagnostics.WARN,
                'this node joined the episode late: the pose may be wrong',
                values,
            )
        return diagnostics.OK, 'ball lost' if self._percept.ball.lost else 'ball known', values

    def _why_nothing(self, images: int, answered: int) -> str:
        topics = self.contract.topics
        if images > answered and not self.count_publishers(topics['odom']):
            return f'images, but nobody publishes {topics["odom"]}'
        if images > answered and not answered:
            return f'no {topics["odom"]} has the stamp of an image'
        return 'no new images'


def _pose_or_none(values: np.ndarray) -> np.ndarray | None:
    return np.array(values, dtype=np.float64) if len(values or ()) else None


def _check_pose(values: np.ndarray) -> None:
    if len(values) not in (0, 3) or not np.isfinite(values).all():
        raise ValueError(f'three finite numbers x, y, yaw are expected, not {list(values)}')


def main(args: Sequence[str] | None = None) -> int:
    """Run the node."""
    # One image is too small to share: further threads would only take the cores of other nodes.
    cv2.setNumThreads(1)
    return run_node(PerceptionNode, args)


if __name__ == '__main__':
    exit_process(main(sys.argv))
