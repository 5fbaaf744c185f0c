from dataclasses import replace
import math

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage

from guda_ros.data.messages import stamp_to_ns, yaw_of
from guda_ros.data.recording.collector import header_stamp
from guda_ros.data.stamp_join import StampJoin
from guda_ros.perception.camera import CameraModel
from guda_ros.ros import conversions as convert
from guda_ros.ros.episode.event import EpisodeEvent
from guda_ros.ros.simulator.lockstep import LockStep
from guda_ros.soccer.robot import RobotProfile


def test_stamps_survive_without_rounding():
    for nanoseconds in (0, 1, 999_999_999, 1_000_000_000, 1_763_688_866_123_456_789):
        assert stamp_to_ns(convert.ns_to_stamp(nanoseconds)) == nanoseconds


@pytest.mark.parametrize('yaw', [-3.1, -math.pi / 2, 0.0, 0.3, 3.1])
def test_yaw_survives_a_quaternion(yaw):
    rotation = convert.quaternion_from_yaw(yaw)
    told = yaw_of(rotation.w, rotation.x, rotation.y, rotation.z)
    assert told == pytest.approx(yaw)


def test_odometry_carries_pose_velocity_and_covariance():
    covariance = np.array([[1.0, 0.2, 0.3], [0.2, 2.0, 0.4], [0.3, 0.4, 3.0]])
    message = convert.odometry_message(
        np.array([1.0, -2.0, 0.5]),
        1_500_000_000,
        'odom',
        'base_link',
        velocity=np.array([0.1, 0.2, 0.3]),
        pose_covariance=covariance,
    )
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (1, 500_000_000)
    assert (message.header.frame_id, message.child_frame_id) == ('odom', 'base_link')
    np.testing.assert_allclose(convert.pose_from_message(message), [1.0, -2.0, 0.5])
    np.testing.assert_allclose(convert.command_from_twist(message.twist.twist), [0.1, 0.2, 0.3])
    # Row-major 6x6 of x, y, z, roll, pitch, yaw: x-yaw is entry 5, yaw-yaw entry 35.
    assert (message.pose.covariance[5], message.pose.covariance[35]) == (0.3, 3.0)
    np.testing.assert_allclose(
        np.reshape(message.pose.covariance, (6, 6))[np.ix_([0, 1, 5], [0, 1, 5])], covariance
    )


@pytest.mark.parametrize(
    'x, variance, known',
    [
        (1.0, 0.01, True),
        (1.0, 0.0, True),
        (1.0, 1e6, False),
        (1.0, math.nan, False),
        (math.nan, 0.01, False),
    ],
)
def test_a_pose_without_estimate_is_not_known(x, variance, known):
    message = convert.pose_message(np.array([x, 0.0, 0.0]), 5, covariance=np.eye(3) * variance)
    assert convert.pose_is_known(message) is known


def test_a_ball_without_covariance_is_lost():
    seen = convert.ball_message(
        [1.0, 2.0], [0.1, 0.0], 5, 'odom', position_covariance=np.eye(2) * 0.01
    )
    lost = convert.ball_message([1.0, 2.0], [0.1, 0.0], 5, 'odom')
    position, velocity, known = convert.ball_from_message(seen)
    assert known and position.tolist() == [1.0, 2.0] and velocity.tolist() == [0.1, 0.0]
    assert not convert.ball_from_message(lost)[2]


def test_a_ball_that_is_not_finite_is_lost():
    message = convert.ball_message(
        [math.nan, 2.0], [0.1, 0.0], 5, 'odom', position_covariance=np.eye(2) * 0.01
    )
    assert not convert.ball_from_message(message)[2]


@pytest.mark.parametrize(
    'encoding, shape', [('rgb8', (3, 4, 3)), ('bgr8', (3, 4, 3)), ('mono8', (3, 4))]
)
def test_images_survive(encoding, shape):
    image = np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)
    message = convert.image_message(image, 7, 'camera', encoding)
    np.testing.assert_array_equal(convert.image_from_message(message), image)


def test_padded_rows_of_an_image_are_cut():
    message = convert.image_message(np.arange(18, dtype=np.uint8).reshape(2, 3, 3), 7, 'camera')
    padded = np.zeros((2, 12), np.uint8)
    padded[:, :9] = np.arange(18).reshape(2, 9)
    message.step, message.data = 12, padded.tobytes()
    np.testing.assert_array_equal(convert.image_from_message(message).ravel(), np.arange(18))


def test_colours_come_in_the_order_of_opencv():
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 255
    bgr = convert.bgr_from_message(convert.image_message(red, 7, 'camera', 'rgb8'))
    assert bgr[0, 0].tolist() == [0, 0, 255]


@pytest.mark.parametrize('kind', ['.png', '.jpg'])
def test_compressed_images_come_as_pixels(kind):
    green = np.full((8, 8, 3), (20, 200, 30), np.uint8)
    data = cv2.imencode(kind, green)[1].tobytes()
    message = CompressedImage(format='jpeg', data=data)
    np.testing.assert_allclose(convert.bgr_from_message(message), green, atol=3)


def test_wrong_images_are_refused():
    with pytest.raises(ValueError, match='yuv422'):
        convert.image_message(np.zeros((2, 2, 3), np.uint8), 0, '', 'yuv422')
    with pytest.raises(ValueError, match='uint8'):
        convert.image_message(np.zeros((2, 2, 3)), 0, '', 'rgb8')
    short = convert.image_message(np.zeros((2, 2, 3), np.uint8), 0, '')
    short.height = 3
    with pytest.raises(ValueError, match='more than 12 bytes'):
        convert.image_from_message(short)


def test_episode_events_survive_json():
    event = EpisodeEvent('a', 'end', 'attack', 3, 7, 'scored', '', 12, (1.0, 2.0, 0.5), 'ff')
    assert EpisodeEvent.from_json(event.to_json()) == event


@pytest.mark.parametrize(
    'text, problem',
    [
        ('{', 'not JSON'),
        ('[]', 'object'),
        ('{"phase": "start"}', 'id'),
        ('{"id": "a", "phase": "begin"}', 'begin'),
        ('{"id": "a", "phase": "end", "verdict": "won"}', 'won'),
        ('{"id": "a", "phase": "end", "seed": "x"}', 'seed'),
        ('{"id": "a", "phase": "end", "robot_start": [1, 2]}', 'robot_start'),
    ],
)
def test_wrong_episode_events_are_named(text, problem):
    with pytest.raises(ValueError, match=problem):
        EpisodeEvent.from_json(text)


def test_the_stamp_is_read_from_serialized_messages():
    from rclpy.serialization import serialize_message

    message = convert.twist_stamped([0.1, 0.0, 0.0], 12_345_678_901)
    assert header_stamp(serialize_message(message)) == 12_345_678_901


def lock_step(**sources):
    steps = LockStep('cmd_vel', 'ball/odom', ('cmd_vel/teleop', 'cmd_vel/policy'))
    steps.sources(**sources)
    return steps


def test_lock_step_is_complete_when_all_required_topics_carry_the_stamp():
    steps = lock_step(perception=True, camera=True)
    assert not steps.complete
    assert steps.expect(100, 100)
    assert not steps.answer('cmd_vel', 99)
    assert steps.answer('cmd_vel', 100) and not steps.complete
    assert steps.missing() == ['ball/odom']
    assert steps.answer('ball/odom', 100) and steps.complete
    steps.finish()
    assert not steps.complete and not steps.missing()


def test_a_late_image_is_answered_by_its_own_stamp_and_a_lost_one_not_at_all():
    steps = lock_step(perception=True, policy=True, camera=True)
    assert steps.expect(300, 100)
    assert not steps.answer('cmd_vel', 300)
    assert steps.answer('ball/odom', 100) and steps.answer('cmd_vel', 100) and steps.complete
    assert not steps.expect(400, None)
    assert steps.complete
    # Who drives by what is never late answers every step, whatever the camera does.
    steps = lock_step(perception=True, camera=True)
    assert steps.expect(300, None) and steps.missing() == ['cmd_vel']
    assert steps.expect(400, 200) and not steps.answer('cmd_vel', 200)
    assert steps.answer('cmd_vel', 400) and steps.missing() == ['ball/odom']


def test_lock_step_names_who_is_stuck():
    steps = lock_step()
    steps.expect(2_000_000_000, None)
    steps.answer('ball/odom', 2_000_000_000)
    text = steps.describe(
        {'ball/odom': ['perception'], 'cmd_vel/policy': ['policy'], 'cmd_vel': ['safety']}
    )
    assert text.startswith('no cmd_vel/policy for stamp 2.000 s (from policy)')
    assert 'ball/odom answered' in text and 'teleop' not in text


def test_values_of_one_stamp_are_joined_in_any_order():
    join = StampJoin(('pose', 'odom'), depth=2)
    assert join.add('pose', 1, 'p1') is None
    assert join.add('odom', 2, 'o2') is None
    assert join.add('odom', 1, 'o1') == {'pose': 'p1', 'odom': 'o1'}
    join.add('pose', 3, 'p3')
    join.add('pose', 4, 'p4')
    # Stamp 2 was the oldest incomplete one and is forgotten.
    assert join.add('pose', 2, 'p2') is None


def test_camera_info_says_where_the_principal_point_is():
    camera = replace(RobotProfile.load('nao_v6').camera, principal_point=(141.0, 107.0))
    info = convert.camera_info_message(
        camera.width, camera.height, camera.focal, 0, 'c', camera.distortion, camera.centre
    )
    assert (info.k[2], info.k[5], info.p[2], info.p[6]) == (141.0, 107.0, 141.0, 107.0)
    read = convert.calibration_from_message(info).camera(camera)
    assert tuple(read.centre) == CameraModel.from_mount(camera).centre
