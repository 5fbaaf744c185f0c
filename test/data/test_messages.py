"""Numbers come out of a message alike, whoever made the message."""

import math

import numpy as np
import pytest
from rosbags.typesys import get_typestore, Stores

from guda_ros.data.messages import (
    planar_pose,
    planar_position,
    planar_twist,
    stamp_to_ns,
    yaw_of,
)


def rosbags_types():
    """Return the message classes of rosbags by name."""
    types = get_typestore(Stores.ROS2_HUMBLE).types
    return {
        name: types[f'{package}/msg/{name}']
        for package, name in (
            ('builtin_interfaces', 'Time'),
            *(('geometry_msgs', name) for name in ('Point', 'Quaternion', 'Vector3')),
            *(('geometry_msgs', name) for name in ('Pose', 'Twist')),
        )
    }


def rclpy_types():
    """Return the message classes of rclpy by name."""
    builtin = pytest.importorskip('builtin_interfaces.msg')
    geometry = pytest.importorskip('geometry_msgs.msg')
    names = ('Point', 'Quaternion', 'Vector3', 'Pose', 'Twist')
    return {'Time': builtin.Time, **{name: getattr(geometry, name) for name in names}}


@pytest.fixture(params=[rosbags_types, rclpy_types], ids=['rosbags', 'rclpy'])
def types(request):
    return request.param()


def test_a_stamp_is_told_to_the_nanosecond(types):
    assert stamp_to_ns(types['Time'](sec=1_763_688_866, nanosec=123_456_789)) == (
        1_763_688_866_123_456_789
    )


def test_a_pose_is_told_as_position_and_heading(types):
    pose = types['Pose'](
        position=types['Point'](x=1.5, y=-2.0, z=9.0),
        orientation=types['Quaternion'](x=0.0, y=0.0, z=math.sin(0.2), w=math.cos(0.2)),
    )
    assert planar_position(pose) == (1.5, -2.0)
    assert planar_pose(pose) == pytest.approx((1.5, -2.0, 0.4))
    assert planar_pose(pose, math.atan2) == pytest.approx((1.5, -2.0, 0.4))


def test_a_twist_is_told_as_forward_left_and_turn(types):
    twist = types['Twist'](
        linear=types['Vector3'](x=0.1, y=0.2, z=7.0),
        angular=types['Vector3'](x=8.0, y=9.0, z=0.3),
    )
    assert planar_twist(twist) == (0.1, 0.2, 0.3)


def test_the_heading_of_a_tilted_body_is_where_its_x_axis_points():
    rng = np.random.default_rng(0)
    w, x, y, z = quaternions = rng.normal(size=(4, 100))
    w, x, y, z = quaternions / np.linalg.norm(quaternions, axis=0)
    # The first column of the rotation matrix, in the frame in which the body turns.
    forward = np.stack([w * w + x * x - y * y - z * z, 2 * (x * y + w * z)])
    np.testing.assert_allclose(yaw_of(w, x, y, z), np.arctan2(forward[1], forward[0]))
