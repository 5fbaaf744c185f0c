"""
Messages to NumPy and back; poses are rows x, y, yaw [m, m, rad], stamps integers in nanoseconds.

Integer stamps compare exactly, which lock-step and pairing by stamp rely on.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
import math
from typing import Any

from builtin_interfaces.msg import Time
from geometry_msgs.msg import (
    PointStamped,
    PoseWithCovarianceStamped,
    Quaternion,
    Twist,
    TwistStamped,
)
from nav_msgs.msg import Odometry
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu, JointState
from std_msgs.msg import Header

from guda_ros.data.messages import (
    is_place,
    NANOSECONDS,
    planar_pose,
    planar_position,
    planar_twist,
    stamp_to_ns,
)
from guda_ros.data.world_states import LOST_VARIANCE
from guda_ros.perception.camera import Calibration
from guda_ros.soccer import world

#: Channels of the image encodings that are written; more are read (bgr_from_message).
ENCODINGS = {'rgb8': 3, 'bgr8': 3, 'mono8': 1}


def stamp_or_now(message: Any, node: Node) -> int:
    """Return the stamp of a driver's message [ns]; a driver that leaves it out means now."""
    return stamp_to_ns(message.header.stamp) or node.get_clock().now().nanoseconds


def ns_to_stamp(nanoseconds: int) -> Time:
    """Return the stamp of a time in nanoseconds."""
    sec, nanosec = divmod(int(nanoseconds), NANOSECONDS)
    return Time(sec=sec, nanosec=nanosec)


def header(stamp: Time | int, frame: str) -> Header:
    """Return a header; the stamp is a message or nanoseconds."""
    if not isinstance(stamp, Time):
        stamp = ns_to_stamp(stamp)
    return Header(stamp=stamp, frame_id=frame)


def quaternion_from_yaw(yaw: float) -> Quaternion:
    """Return the rotation by `yaw` [rad] about z."""
    return Quaternion(x=0.0, y=0.0, z=math.sin(yaw / 2), w=math.cos(yaw / 2))


def planar_covariance(covariance: np.ndarray) -> np.ndarray:
    """Return the row-major 6x6 covariance (36,) of one of (x, y) (2, 2) or x, y, yaw (3, 3)."""
    covariance = np.asarray(covariance, dtype=np.float64)
    full = np.zeros((6, 6))
    axes = (0, 1) if covariance.shape == (2, 2) else (0, 1, 5)
    full[np.ix_(axes, axes)] = covariance
    return full.ravel()


def twist_from_command(command: np.ndarray) -> Twist:
    """Return a Twist of a command (3,): forward, left [m/s], turn [rad/s] in base_link."""
    twist = Twist()
    twist.linear.x, twist.linear.y, twist.angular.z = (float(value) for value in command)
    return twist


def command_from_twist(twist: Twist) -> np.ndarray:
    """Return the command (3,) of a Twist: forward, left [m/s], turn [rad/s]."""
    return np.array(planar_twist(twist))


def twist_stamped(
    command: np.ndarray, stamp: Time | int, frame: str = 'base_link'
) -> TwistStamped:
    """Return a TwistStamped of a command (3,) in base_link."""
    return TwistStamped(header=header(stamp, frame), twist=twist_from_command(command))


def odometry_message(
    pose: np.ndarray,
    stamp: Time | int,
    frame: str,
    child_frame: str,
    *,
    velocity: np.ndarray | None = None,
    height: float = 0.0,
    pose_covariance: np.ndarray | None = None,
    velocity_covariance: np.ndarray | None = None,
) -> Odometry:
    """
    Return an Odometry message.

    :param pose: (3,) x, y, yaw or (2,) x, y of `child_frame`, or of the ball, in `frame`.
    :param velocity: (3,) or (2,): linear x, y [m/s] and turn [rad/s] in `child_frame`.
    :param pose_covariance: (2, 2) or (3, 3), as is `velocity_covariance`.
    """
    message = Odometry(header=header(stamp, frame), child_frame_id=child_frame)
    where = message.pose.pose
    where.position.x, where.position.y = float(pose[0]), float(pose[1])
    where.position.z = float(height)
    if len(pose) == 3:
        where.orientation = quaternion_from_yaw(float(pose[2]))
    if velocity is not None:
        twist = message.twist.twist
        twist.linear.x, twist.linear.y = float(velocity[0]), float(velocity[1])
        if len(velocity) == 3:
            twist.angular.z = float(velocity[2])
    if pose_covariance is not None:
        message.pose.covariance = planar_covariance(pose_covariance)
    if velocity_covariance is not None:
        message.twist.covariance = planar_covariance(velocity_covariance)
    return message


def pose_message(
    pose: np.ndarray, stamp: Time | int, frame: str = 'map', covariance: np.ndarray | None = None
) -> PoseWithCovarianceStamped:
    """Return a pose (3,) x, y, yaw in `frame` with its covariance (3, 3)."""
    message = PoseWithCovarianceStamped(header=header(stamp, frame))
    where = message.pose.pose
    where.position.x, where.position.y = float(pose[0]), float(pose[1])
    where.orientation = quaternion_from_yaw(float(pose[2]))
    if covariance is not None:
        message.pose.covariance = planar_covariance(covariance)
    return message


def pose_from_message(message: PoseWithCovarianceStamped | Odometry) -> np.ndarray:
    """Return the pose (3,) x, y, yaw that a message holds."""
    return np.array(planar_pose(message.pose.pose, math.atan2))


def pose_is_known(message: PoseWithCovarianceStamped) -> bool:
    """Return whether a pose is a place and its variances say that it is an estimate at all."""
    variances = [message.pose.covariance[index] for index in (0, 7, 35)]
    return bool(
        is_place(pose_from_message(message))
        and all(variance < LOST_VARIANCE for variance in variances)
    )


def pose_deviations(message: PoseWithCovarianceStamped) -> list[float]:
    """
    Return the standard deviations (3,) of a pose's x, y [m] and yaw [rad].

    At least a millimetre or milliradian: a covariance that is left out says zero.
    """
    variances = [message.pose.covariance[index] for index in (0, 7, 35)]
    return [math.sqrt(variance) if 1e-6 < variance < math.inf else 1e-3 for variance in variances]


def point_message(point: np.ndarray, stamp: Time | int, frame: str) -> PointStamped:
    """Return a point (2,) or (3,) [m] in `frame`."""
    message = PointStamped(header=header(stamp, frame))
    message.point.x, message.point.y = float(point[0]), float(point[1])
    message.point.z = float(point[2]) if len(point) == 3 else 0.0
    return message


def ball_message(
    position: np.ndarray,
    velocity: np.ndarray,
    stamp: Time | int,
    frame: str,
    *,
    position_covariance: np.ndarray | None = None,
    velocity_covariance: np.ndarray | None = None,
    radius: float = 0.0,
) -> Odometry:
    """
    Return a ball estimate: position (2,) [m], velocity (2,) [m/s], both along the axes of `frame`.

    `child_frame_id` equals `frame`, because a ball has no axes of its own. Without covariances
    the ball is lost: its variance is LOST_VARIANCE.
    """
    if position_covariance is None:
        position_covariance = np.eye(2) * LOST_VARIANCE
    if velocity_covariance is None:
        velocity_covariance = np.eye(2) * LOST_VARIANCE
    return odometry_message(
        np.asarray(position)[:2],
        stamp,
        frame,
        frame,
        velocity=velocity,
        height=radius,
        pose_covariance=position_covariance,
        velocity_covariance=velocity_covariance,
    )


def ball_from_message(message: Odometry) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return position (2,), velocity (2,) in the message's frame, and if the ball is known."""
    values = (*planar_position(message.pose.pose), *planar_twist(message.twist.twist)[:2])
    known = message.pose.covariance[0] < LOST_VARIANCE and is_place(values)
    return np.array(values[:2]), np.array(values[2:]), bool(known)


def true_state(truth: Mapping[str, Odometry]) -> np.ndarray:
    """
    Return the world state (10,) of the ground truth of one stamp, by role; zeros where none is.

    The command before is not in it.
    """
    state = np.zeros(world.SIZE)
    state[world.ROBOT] = pose_from_message(truth['ground_truth_robot'])
    if 'ground_truth_ball' in truth:
        ball = ball_from_message(truth['ground_truth_ball'])
        state[world.BALL], state[world.BALL_VELOCITY], _ = ball
    return state


def _unknown_encoding(encoding: str) -> str:
    return f'image encoding {encoding!r} is not known; known: {", ".join(ENCODINGS)}'


def image_message(
    image: np.ndarray, stamp: Time | int, frame: str, encoding: str = 'rgb8'
) -> Image:
    """
    Return an Image of 8 bit pixels (height, width, channels) or (height, width).

    :raises ValueError: if the pixels do not fit the encoding.
    """
    channels = ENCODINGS.get(encoding)
    if channels is None:
        raise ValueError(_unknown_encoding(encoding))
    if image.dtype != np.uint8 or (image.shape[2] if image.ndim == 3 else 1) != channels:
        raise ValueError(
            f'{encoding} needs {channels} channels of uint8, not {image.dtype} {image.shape}'
        )
    message = Image(
        header=header(stamp, frame),
        height=image.shape[0],
        width=image.shape[1],
        encoding=encoding,
        is_bigendian=0,
        step=image.shape[1] * channels,
    )
    data = array('B')
    data.frombytes(np.ascontiguousarray(image).data)
    # An array is taken over as it is; the setter copies anything else element by element.
    message.data = data
    return message


def image_from_message(message: Image) -> np.ndarray:
    """
    Return the pixels (height, width, channels), or (height, width) for mono8, as a view.

    :raises ValueError: for an unknown encoding or a message that is too short.
    """
    channels = ENCODINGS.get(message.encoding)
    if channels is None:
        raise ValueError(_unknown_encoding(message.encoding))
    step = message.step or message.width * channels
    if step < message.width * channels or len(message.data) < step * message.height:
        raise ValueError(
            f'an image of {message.width}x{message.height} {message.encoding} needs '
            f'more than {len(message.data)} bytes'
        )
    rows = np.frombuffer(message.data, dtype=np.uint8, count=step * message.height)
    pixels = rows.reshape(message.height, step)[:, : message.width * channels]
    if channels == 1:
        return pixels
    return pixels.reshape(message.height, message.width, channels)


def bgr_from_message(message: Image | CompressedImage) -> np.ndarray:
    """
    Return the pixels (height, width, 3) in OpenCV's order, whatever encoding was sent.

    :raises ValueError: if it cannot be decoded, see guda_ros.perception.encodings.
    """
    # Here, because not every node that speaks of images has to know OpenCV.
    from guda_ros.perception.encodings import decode_message

    return decode_message(message)


def camera_info_message(
    width: int,
    height: int,
    focal: float,
    stamp: Time | int,
    frame: str,
    distortion: Sequence[float] | np.ndarray | None = (0.0, 0.0, 0.0, 0.0, 0.0),
    centre: tuple[float, float] | None = None,
) -> CameraInfo:
    """
    Return the CameraInfo of a camera with square pixels.

    :param focal: in pixels.
    :param distortion: k1, k2, p1, p2, k3 (plumb_bob).
    :param centre: column and row of the principal point; None: the middle of the image.
    """
    message = CameraInfo(
        header=header(stamp, frame),
        width=width,
        height=height,
        distortion_model='plumb_bob',
        d=list(map(float, distortion)),
    )
    cx, cy = centre or ((width - 1) / 2, (height - 1) / 2)
    message.k = [focal, 0.0, cx, 0.0, focal, cy, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [focal, 0.0, cx, 0.0, 0.0, focal, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message


def calibration_from_message(message: CameraInfo) -> Calibration:
    """Return what a CameraInfo tells of its camera."""
    roi = message.roi
    return Calibration(
        tuple(map(float, message.k)),
        message.width,
        message.height,
        tuple(map(float, message.d)),
        message.distortion_model,
        (message.binning_x, message.binning_y),
        (roi.x_offset, roi.y_offset, roi.width, roi.height),
    )


def imu_message(
    gyroscope: np.ndarray,
    accelerometer: np.ndarray,
    stamp: Time | int,
    frame: str,
    deviations: tuple[float, float],
) -> Imu:
    """
    Return an Imu message that says nothing of the orientation.

    :param gyroscope: (3,) [rad/s]; accelerometer: (3,) [m/s^2], gravity included.
    :param deviations: standard deviations of the two.
    """
    message = Imu(header=header(stamp, frame))
    rate, force = message.angular_velocity, message.linear_acceleration
    rate.x, rate.y, rate.z = map(float, gyroscope)
    force.x, force.y, force.z = map(float, accelerometer)
    # How the message says that there is no estimate of the orientation.
    message.orientation_covariance[0] = -1.0
    message.angular_velocity_covariance = (np.eye(3) * deviations[0] ** 2).ravel()
    message.linear_acceleration_covariance = (np.eye(3) * deviations[1] ** 2).ravel()
    return message


def joint_state_message(positions: dict[str, float], stamp: Time | int) -> JointState:
    """Return a JointState of angles by joint [rad]."""
    return JointState(
        header=header(stamp, ''),
        name=list(positions),
        position=list(map(float, positions.values())),
    )
