"""The robot description, and the transforms of tf2 where there is `tf2_msgs`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
import math

from geometry_msgs.msg import Quaternion, Transform, TransformStamped, Vector3
import numpy as np
from rclpy.node import Node
from std_msgs.msg import String

from guda_ros.data.contract import Contract
from guda_ros.perception.observer import Observation
from guda_ros.ros import conversions as convert
from guda_ros.ros.parameters import Parameters
from guda_ros.ros.qos import DEFAULT, STATE
from guda_ros.ros.robots.foreign import interface, MissingMessages
from guda_ros.ros.topics import Topics
from guda_ros.soccer import robot_model, world
from guda_ros.soccer.robot import RobotProfile

#: Relative names, as every node of ROS 2 with a namespace remaps `/tf`: several robots have one
#: tree each.
TF, STATIC = 'tf', 'tf_static'


class RobotModel:
    """
    Publish `robot_description` (URDF) once, latched, and `tf_static` and `tf`.

    map -> odom follows from pose and odometry at the stamp of an image, odom -> base_footprint is
    the odometry, the head's links follow its joints. `tf2_msgs` comes with a ROS distribution;
    where it is not there, there is the description alone, and `guda robot urdf --tf` writes the
    transforms to a file.
    """

    def __init__(
        self,
        node: Node,
        parameters: Parameters,
        topics: Topics,
        contract: Contract,
        robot: RobotProfile,
    ) -> None:
        self._frames, self._joints = contract.frames, robot_model.joints_of(robot, contract.frames)
        self._root = self._joints[0].parent
        self._moving = {joint.name for joint in self._joints if joint.axis is not None}
        publisher = topics.publisher(node, 'robot_description')
        publisher.publish(String(data=robot_model.urdf(robot, contract.frames)))
        wanted = parameters.declare(
            'publish_tf',
            True,
            'publish tf and tf_static, where tf2_msgs is there; false: who else does',
            read_only=True,
        )
        self._kind = _transforms_kind() if wanted else None
        if self._kind is None:
            return
        self._pub = node.create_publisher(self._kind, TF, DEFAULT)
        static = node.create_publisher(self._kind, STATIC, STATE)
        now = node.get_clock().now().nanoseconds
        fixed = robot_model.transforms(self._joints)
        static.publish(self._kind(transforms=[_message(each, now) for each in fixed]))

    def odometry(self, stamp: int, pose: np.ndarray) -> None:
        """Tell where the robot is in `odom` at a stamp [ns]: (3,) x, y [m], yaw [rad]."""
        self._publish([(self._frames['odom'], self._root, pose)], stamp)

    def seen(self, observed: Observation) -> None:
        """Tell where `odom` is in `map`, by the pose of an image and the odometry at its stamp."""
        back = world.relative_pose(np.zeros(3), observed.odom_pose)
        origin = world.compose(observed.percept.pose, back)
        self._publish([(self._frames['map'], self._frames['odom'], origin)], observed.stamp)

    def joints(self, stamp: int, names: Sequence[str], positions: Iterable[float]) -> None:
        """Tell how the head is turned: positions [rad] by the names of its driver."""
        if self._kind is None:
            return
        told = dict(zip(names, positions))
        if not self._moving <= told.keys():
            return
        moved = robot_model.transforms(self._joints, told)
        self._pub.publish(self._kind(transforms=[_message(each, stamp) for each in moved]))

    def _publish(self, planar: list[tuple[str, str, np.ndarray]], stamp: int) -> None:
        """Publish transforms of the ground: parent, child and pose (3,) of the child."""
        if self._kind is None or not all(np.isfinite(pose).all() for _, _, pose in planar):
            return
        found = [
            robot_model.Transform(
                parent,
                child,
                (float(x), float(y), 0.0),
                (0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2)),
            )
            for parent, child, (x, y, yaw) in planar
        ]
        self._pub.publish(self._kind(transforms=[_message(each, stamp) for each in found]))


def _transforms_kind() -> type | None:
    """Return the class of `tf2_msgs`, None where it is not installed."""
    try:
        return interface('tf2_msgs/msg/TFMessage', 'tf')
    except MissingMessages:
        return None


def _message(transform: robot_model.Transform, stamp: int) -> TransformStamped:
    x, y, z = transform.xyz
    qx, qy, qz, qw = transform.quaternion
    return TransformStamped(
        header=convert.header(stamp, transform.parent),
        child_frame_id=transform.child,
        transform=Transform(
            translation=Vector3(x=float(x), y=float(y), z=float(z)),
            rotation=Quaternion(x=qx, y=qy, z=qz, w=qw),
        ),
    )
