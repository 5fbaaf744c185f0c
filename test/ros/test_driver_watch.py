"""What running nodes say of publishers and of a driver's messages, with real publishers."""

import time

from geometry_msgs.msg import Twist, TwistStamped
from nav_msgs.msg import Odometry
import pytest
from ros_helpers import wait_for
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import String

from guda_ros.data.contract import Contract
from guda_ros.ros import conversions as convert
from guda_ros.ros.control.command_topics import CommandTopics
from guda_ros.ros.graph.environment import claim_domain, ros_environment
from guda_ros.ros.graph.monitor import GraphMonitor
from guda_ros.ros.parameters import declare_contract, Parameters
from guda_ros.ros.policy_inputs import PolicyInputs
from guda_ros.ros.robot_check.watch import DriverWatch
from guda_ros.ros.topics import Topics
from guda_ros.soccer.robot import RobotProfile

CONTRACT, NAO = Contract.load(), RobotProfile.load('nao_v6')
SECOND = 1_000_000_000


@pytest.fixture(scope='module')
def place(tmp_path_factory):
    claim = claim_domain()
    with pytest.MonkeyPatch.context() as patch:
        for key, value in ros_environment(claim.number, tmp_path_factory.mktemp('log')).items():
            patch.setenv(key, value)
        yield claim.number
    claim.release()


@pytest.fixture
def nodes(place):
    """Return a driver and one of our nodes, whose parameters are declared."""
    pair = [GraphMonitor(place, name) for name in ('driver', 'ours')]
    parameters = Parameters(pair[1].node)
    declare_contract(parameters)
    yield pair[0].node, pair[1].node, parameters
    for monitor in pair:
        monitor.close()


def soon(condition):
    return wait_for(condition, 30.0)


def watch(nodes, robot=NAO, transport='raw'):
    return DriverWatch(nodes[1], nodes[2], CONTRACT, robot, transport)


def has(watched, *words):
    return soon(lambda: all(word in '; '.join(watched.warnings()) for word in words))


def test_what_nobody_sends_is_named_and_what_somebody_sends_is_not(nodes):
    driver, _, _ = nodes
    watched = watch(nodes)
    missing = watched.warnings()
    assert any('nobody publishes camera_info' in text for text in missing)
    assert any('nobody publishes joint_states' in text for text in missing)
    assert watched.nobody('image') == 'nobody publishes image_raw'
    for kind, name in ((CameraInfo, 'camera_info'), (JointState, 'joint_states')):
        driver.create_publisher(kind, name, 1)
    driver.create_publisher(Image, 'image_raw', 1)
    assert soon(lambda: not watched.warnings() and not watched.nobody('image'))


def test_a_base_without_a_head_is_not_asked_for_joints(nodes):
    watched = watch(nodes, RobotProfile.load('turtlebot4'))
    assert not any('joint_states' in text for text in watched.warnings())


@pytest.mark.parametrize(
    ('transport', 'kind', 'name', 'wanted'),
    [
        ('raw', CompressedImage, 'image_raw', 'sensor_msgs/msg/Image'),
        ('compressed', Image, 'image_raw/compressed', 'sensor_msgs/msg/CompressedImage'),
        ('raw', String, 'odom', 'nav_msgs/msg/Odometry'),
        ('raw', Image, 'joint_states', 'sensor_msgs/msg/JointState'),
    ],
)
def test_a_publisher_of_another_type_is_named_with_both_types(
    nodes, transport, kind, name, wanted
):
    watched = watch(nodes, transport=transport)
    nodes[0].create_publisher(kind, name, 1)
    assert has(watched, f'/driver publishes {convert_name(kind)} on /{name}', wanted)


def convert_name(kind):
    return f'{kind.__module__.split(".")[0]}/msg/{kind.__name__}'


def test_clocks_that_are_apart_are_told_of_images(nodes):
    watched = watch(nodes)
    for _ in range(20):
        watched.image(time.time_ns(), '')
    assert not any('clocks' in text for text in watched.warnings())
    for _ in range(20):
        watched.image(time.time_ns() - 3 * SECOND, '')
    assert any('stamps 3.0 s old' in text for text in watched.warnings())
    for _ in range(20):
        watched.image(time.time_ns() + 3 * SECOND, '')
    assert any('stamps 3.0 s ahead' in text for text in watched.warnings())


@pytest.mark.parametrize('rate', [1.0, 2.0, 5.0, 7.0, 7.2, 10.0, 30.0, 60.0])
def test_a_camera_that_is_too_slow_is_told_with_its_rate(nodes, rate):
    watched = watch(nodes)
    for step in range(20):
        watched.image(time.time_ns() + round(step * SECOND / rate), '')
    assert watched.rate == pytest.approx(rate, rel=0.1)
    slow = any(f'images come at {watched.rate:.1f} Hz' in text for text in watched.warnings())
    assert slow == (rate < 7.1)


def test_frames_of_odometry_are_refused_those_of_images_told_where_the_profile_states_them(nodes):
    watched = watch(nodes)
    message = convert.odometry_message((0, 0, 0), 1, 'odom', 'base_footprint')
    watched.odometry(message)
    message.header.frame_id = 'world'
    with pytest.raises(ValueError, match='frames: {odom: world}'):
        watched.odometry(message)
    message.header.frame_id = ''
    with pytest.raises(ValueError, match="frame '' where 'odom'"):
        watched.odometry(message)
    watched.image(time.time_ns(), 'CameraTop_optical_frame')
    assert not any('frame' in text for text in watched.warnings())


def test_commands_that_nobody_hears_or_sends_in_another_type_are_told(nodes):
    driver, ours, parameters = nodes
    commands = CommandTopics(ours, parameters, Topics(CONTRACT), 'base_link', print)
    assert 'nobody hears /cmd_vel' in commands.problem()
    plain = driver.create_subscription(Twist, 'cmd_vel', print, 1)
    assert soon(lambda: '/driver hears geometry_msgs/msg/Twist' in commands.problem())
    assert 'driver: {stamped: false}' in commands.problem()
    driver.destroy_subscription(plain)
    driver.create_subscription(TwistStamped, 'cmd_vel', print, 1)
    assert soon(lambda: not commands.problem())
    driver.create_publisher(Twist, 'cmd_vel/teleop', 1)
    assert soon(
        lambda: (
            '/driver publishes geometry_msgs/msg/Twist on /cmd_vel/teleop' in commands.problem()
        )
    )


def test_a_policy_says_whom_it_does_not_hear(nodes):
    driver, ours, _ = nodes
    inputs = PolicyInputs(ours, CONTRACT, {}, print, print)
    inputs.subscriptions(Topics(CONTRACT))
    assert inputs.lack == ''
    driver.create_publisher(Odometry, 'pose', 1)
    assert soon(lambda: '/driver publishes nav_msgs/msg/Odometry on /pose' in inputs.lack)
