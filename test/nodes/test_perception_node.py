"""The perception node as a process, fed with rendered images over DDS."""

import time
import xml.etree.ElementTree as ET

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped, PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
import numpy as np
from perception_scenes import CAMERA, CONTRACT, open_scenes
import pytest
from ros_helpers import wait_for
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import String

from guda_ros.data.messages import stamp_to_ns
from guda_ros.ros import conversions as convert
from guda_ros.ros import qos
from guda_ros.ros.diagnostics import ERROR, OK, WARN
from guda_ros.ros.episode.event import EpisodeEvent
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import NodeSpec
from guda_ros.ros.recorder.jpeg import JpegEncoder
from guda_ros.soccer import world
from guda_ros.workflows.robots.making import new_robot

PERIOD = 100_000_000
START = np.array([1.0, 0.5, -0.4])
#: The ball is here in base_link at the start, and so in odom.
BALL = np.array([1.2, 0.3])
OUTPUTS = {
    'ball/detection': PointStamped,
    'pose': PoseWithCovarianceStamped,
    'ball/odom': Odometry,
}


@pytest.fixture(scope='module')
def scenes():
    yield from open_scenes()


class Driver:
    """
    Plays the robot's camera and odometry, and keeps what the node answers.

    :param compressed: topic on which the images are sent as JPEG, and in no other way.
    """

    def __init__(self, graph, scenes, compressed='') -> None:
        self._graph, self._scenes, self._compressed = graph, scenes, compressed
        self.node = graph.monitor.node
        self.stamp = 1_000_000_000
        self.answers, self.diagnostics, self.debug = [], {}, []
        topics = (
            (compressed, CompressedImage, qos.DEFAULT)
            if compressed
            else ('image_raw', Image, qos.DEFAULT),
            ('odom', Odometry, qos.DEFAULT),
            ('camera_info', CameraInfo, qos.DEFAULT),
            ('episode', String, qos.EPISODE),
            ('joint_states', JointState, qos.DEFAULT),
        )
        self._pubs = {
            name: self.node.create_publisher(kind, name, profile) for name, kind, profile in topics
        }
        for name, kind in OUTPUTS.items():
            self.node.create_subscription(
                kind,
                name,
                lambda message, name=name: self.answers.append((name, message)),
                qos.DEFAULT,
            )
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._diagnose, 10)
        assert self.wait(
            lambda: (
                all(pub.get_subscription_count() for pub in self._pubs.values())
                and all(self.node.count_publishers(name) for name in OUTPUTS)
            )
        )

    def _diagnose(self, message) -> None:
        for status in message.status:
            values = {pair.key: pair.value for pair in status.values}
            self.diagnostics[status.name] = (status.level, status.message, values)

    def wait(self, condition, timeout=5.0) -> bool:
        return wait_for(condition, timeout, lambda: self._graph.monitor.spin(0.02))

    def spin(self, seconds) -> None:
        self.wait(lambda: False, seconds)

    def episode(self, phase, name, stamp=None, start=START) -> None:
        """Announce a phase; a new episode begins three seconds after the last image."""
        if phase == 'reset':
            self.stamp += 30 * PERIOD
        self._pubs['episode'].publish(
            String(
                data=EpisodeEvent(
                    id=name,
                    phase=phase,
                    stamp=self.stamp if stamp is None else stamp,
                    robot_start=None if start is None else tuple(start),
                    contract_hash=CONTRACT.hash,
                ).to_json()
            )
        )
        self.spin(0.1)

    def odom(self, pose, stamp=None) -> None:
        self._pubs['odom'].publish(
            convert.odometry_message(
                pose, self.stamp if stamp is None else stamp, 'odom', 'base_link'
            )
        )

    def pixels(self, robot, ball=None) -> np.ndarray:
        ball = world.from_frame(BALL, START) if ball is None else ball
        return np.ascontiguousarray(self._scenes.image(robot, ball)[..., ::-1])

    def image(self, robot, ball=None, stamp=None) -> None:
        self.send(self.pixels(robot, ball), stamp)

    def send(self, rgb, stamp=None) -> None:
        message = convert.image_message(
            rgb, self.stamp if stamp is None else stamp, 'camera_optical_frame'
        )
        if self._compressed:
            message = JpegEncoder(90).compress(message)
        self._pubs[self._compressed or 'image_raw'].publish(message)

    def step(self, robot, ball=None, order='odom first') -> dict:
        """Publish image and odometry of the next stamp; return the answers by topic."""
        self.stamp += PERIOD
        send = [
            lambda: self.odom(world.relative_pose(robot, START)),
            lambda: self.image(robot, ball),
        ]
        for one in send if order == 'odom first' else send[::-1]:
            one()
            self.spin(0.03)
        return self.answer(self.stamp)

    def answer(self, stamp) -> dict:
        """Wait until ball/odom of a stamp has come; return the messages with that stamp."""

        def found():
            return {
                name: message
                for name, message in self.answers
                if stamp_to_ns(message.header.stamp) == stamp
            }

        assert self.wait(lambda: {'ball/odom', 'pose'} <= found().keys()), f'no answer at {stamp}'
        # A detection goes out before the two, but no order holds between topics on the way.
        self.spin(0.05)
        return found()


@pytest.fixture(scope='module')
def driver(scenes, tmp_path_factory):
    graph = GraphProcesses(
        # The stamps of these tests are of no clock.
        [NodeSpec('perception', 'perception', parameters={'clock_tolerance': 0.0})],
        log_dir=tmp_path_factory.mktemp('log'),
    )
    with graph:
        graph.wait_ready(30)
        yield Driver(graph, scenes)


def test_before_any_episode_the_pose_is_unknown_and_the_ball_is_seen(driver):
    answer = driver.step(START)
    assert answer['pose'].pose.covariance[0] >= convert.LOST_VARIANCE
    position, _, known = convert.ball_from_message(answer['ball/odom'])
    assert known
    np.testing.assert_allclose(position, BALL, atol=0.01)
    assert driver.wait(lambda: 'no episode' in driver.diagnostics.get('/perception', '  ')[1])
    assert driver.diagnostics['/perception'][0] == WARN


def test_whoever_comes_later_hears_what_the_robot_looks_like(driver):
    heard = []
    subscription = driver.node.create_subscription(
        String, 'robot_description', lambda message: heard.append(message.data), qos.LATCHED
    )
    assert driver.wait(lambda: heard)
    driver.node.destroy_subscription(subscription)
    root = ET.fromstring(heard[0])
    assert root.get('name') == CONTRACT.robot
    links = {link.get('name') for link in root.iter('link')}
    assert {'base_footprint', CONTRACT.frames['base'], CONTRACT.frames['camera']} <= links


def test_image_and_odometry_of_a_stamp_give_pose_detection_and_ball_with_it(driver):
    driver.episode('reset', 'a')
    driver.episode('start', 'a')
    driver.stamp -= PERIOD
    robot = START.copy()
    for step in range(5):
        answer = driver.step(robot, order='odom first' if step % 2 else 'image first')
        np.testing.assert_allclose(convert.pose_from_message(answer['pose']), robot, atol=1e-6)
        assert answer['pose'].header.frame_id == 'map'
        assert answer['pose'].pose.covariance[0] < 0.01
        ball = answer['ball/odom']
        assert (ball.header.frame_id, ball.child_frame_id) == ('odom', 'odom')
        position, velocity, known = convert.ball_from_message(ball)
        assert known
        np.testing.assert_allclose(position, BALL, atol=0.01)
        assert ball.pose.pose.position.z == pytest.approx(0.05)
        assert np.hypot(*velocity) < 0.1
        seen = answer['ball/detection']
        expected = world.to_frame(world.from_frame(BALL, START), robot)
        np.testing.assert_allclose([seen.point.x, seen.point.y], expected, atol=0.01)
        assert seen.header.frame_id == 'base_link'
        robot = world.compose(robot, np.array([0.02, 0.0, 0.1]))


def test_every_image_is_answered_exactly_once(driver):
    driver.episode('reset', 'b')
    driver.answers.clear()
    stamps = []
    for _ in range(20):
        driver.step(START)
        stamps.append(driver.stamp)
        # A driver that repeats itself gets no second answer.
        driver.odom(np.zeros(3))
    driver.spin(0.3)
    for name in ('pose', 'ball/odom'):
        assert [
            stamp_to_ns(message.header.stamp) for topic, message in driver.answers if topic == name
        ] == stamps


def test_image_without_odometry_near_its_stamp_is_not_answered_and_the_distance_is_told(driver):
    driver.episode('reset', 'c')
    driver.step(START)
    driver.answers.clear()
    driver.stamp += 3 * PERIOD
    driver.image(START)
    driver.odom(np.zeros(3), driver.stamp + 1)
    driver.spin(0.3)
    assert driver.answers == []
    assert driver.wait(lambda: '0.300 s apart' in driver.diagnostics['/perception'][1])
    assert driver.diagnostics['/perception'][0] == WARN
    driver.odom(np.zeros(3))
    assert driver.answer(driver.stamp).keys() == OUTPUTS.keys()


def test_a_driver_with_clocks_of_its_own_is_answered_by_interpolated_odometry(driver):
    driver.episode('reset', 'n')
    driver.answers.clear()
    begin, asked = driver.stamp, []
    walked = lambda stamp: 0.2 * (stamp - begin) * 1e-9  # noqa: E731
    # Odometry of 50 Hz and a camera of 30 Hz, neither in phase with the other.
    events = [(begin + 7_000_000 + step * 20_000_000, 'odom') for step in range(60)]
    events += [(begin + 12_345_678 + step * 33_333_333, 'image') for step in range(30)]
    for stamp, kind in sorted(events):
        if kind == 'odom':
            driver.odom(np.array([walked(stamp), 0.0, 0.0]), stamp)
        else:
            asked.append(stamp)
            driver.image(world.compose(START, np.array([walked(stamp), 0.0, 0.0])), stamp=stamp)
        driver.spin(0.005)
    driver.spin(0.3)
    driver.stamp = begin + 12 * PERIOD
    poses = {
        stamp_to_ns(message.header.stamp): convert.pose_from_message(message)
        for topic, message in driver.answers
        if topic == 'pose'
    }
    # The contract's rate: every third image.
    assert sorted(poses) == asked[::3]
    balls = [
        convert.ball_from_message(message)[0]
        for topic, message in driver.answers
        if topic == 'ball/odom'
    ]
    np.testing.assert_allclose(balls, [BALL] * len(poses), atol=0.02)
    first = min(poses)
    for stamp, pose in poses.items():
        moved = world.relative_pose(pose, poses[first])
        np.testing.assert_allclose(moved, [walked(stamp) - walked(first), 0, 0], atol=1e-6)


def test_a_driver_whose_clock_starts_anew_is_answered_again(driver):
    driver.episode('reset', 'o')
    driver.step(START)
    late, driver.stamp = driver.stamp, 1_000_000_000
    try:
        time.sleep(2.1)
        for _ in range(3):
            answer = driver.step(START)
        np.testing.assert_allclose(convert.pose_from_message(answer['pose']), START, atol=1e-6)
    finally:
        driver.stamp = late


def test_odometry_that_begins_anew_makes_the_pose_unknown_until_an_episode(driver):
    driver.episode('reset', 'p')
    driver.step(START)
    driver.stamp += PERIOD
    driver.odom(np.array([2.0, 1.0, 0.5]))
    driver.image(START)
    answer = driver.answer(driver.stamp)
    assert answer['pose'].pose.covariance[0] >= convert.LOST_VARIANCE
    assert driver.wait(lambda: 'odometry jumped' in driver.diagnostics['/perception'][1])
    driver.episode('reset', 'q')
    assert driver.step(START)['pose'].pose.covariance[0] < 0.01


def test_ball_out_of_view_has_no_detection_and_a_large_covariance_once_lost(driver):
    driver.episode('reset', 'd')
    driver.step(START)
    away = START + [0, 0, np.pi]
    answer = driver.step(away)
    assert 'ball/detection' not in answer
    position, _, known = convert.ball_from_message(answer['ball/odom'])
    assert known
    np.testing.assert_allclose(position, BALL, atol=0.02)
    driver.stamp += 45 * PERIOD
    position, _, known = convert.ball_from_message(driver.step(away)['ball/odom'])
    assert not known
    # Where it was seen last tells on which side to search.
    np.testing.assert_allclose(position, BALL, atol=0.02)


def test_new_episode_forgets_the_ball_and_anchors_the_pose_anew(driver):
    driver.episode('reset', 'e')
    driver.step(START)
    elsewhere = np.array([2.0, -1.0, 1.0])
    driver.episode('reset', 'f', start=elsewhere)
    driver.stamp += PERIOD
    driver.odom(np.array([0.3, 0.2, 0.1]))
    driver.image(elsewhere, ball=world.from_frame(np.array([-1.0, 0.0]), elsewhere))
    answer = driver.answer(driver.stamp)
    np.testing.assert_allclose(convert.pose_from_message(answer['pose']), elsewhere, atol=1e-6)
    assert not convert.ball_from_message(answer['ball/odom'])[2]


def test_stragglers_of_the_episode_before_are_not_answered(driver):
    driver.episode('reset', 'g')
    driver.step(START)
    old = driver.stamp + PERIOD
    driver.episode('reset', 'h')
    driver.answers.clear()
    driver.odom(np.array([3.0, 3.0, 3.0]), old)
    driver.image(START, stamp=old)
    driver.spin(0.3)
    assert driver.answers == []
    np.testing.assert_allclose(
        convert.pose_from_message(driver.step(START)['pose']), START, atol=1e-6
    )


def test_who_joins_an_episode_late_does_not_say_where_the_robot_is(driver):
    driver.episode('reset', 'i')
    driver.stamp += 20 * PERIOD
    assert not convert.pose_is_known(driver.step(START)['pose'])
    assert driver.wait(lambda: 'late' in driver.diagnostics['/perception'][1])
    driver.episode('reset', 'j')
    driver.step(START)
    assert driver.wait(lambda: driver.diagnostics['/perception'][:2] == (OK, 'ball known'))


def test_unusable_messages_are_told_and_survived(driver):
    driver._pubs['episode'].publish(String(data='{"phase": "reset"}'))
    driver.episode('reset', 'k')
    driver.stamp += PERIOD
    driver.answers.clear()
    driver.odom(np.zeros(3))
    driver._pubs['image_raw'].publish(
        convert.image_message(
            np.zeros((24, 32, 3), np.uint8), driver.stamp, 'camera_optical_frame'
        )
    )
    assert driver.wait(lambda: driver.diagnostics['/perception'][0] == ERROR)
    assert '400x300' in driver.diagnostics['/perception'][1]
    driver.stamp += PERIOD
    driver.odom(np.array([np.nan, 0.0, 0.0]))
    driver.image(START)
    driver.spin(0.3)
    assert driver.answers == []
    assert driver.step(START).keys() == OUTPUTS.keys()


@pytest.mark.parametrize(
    'width, height, data', [(0, 0, b''), (0, 300, b''), (400, 300, b''), (400, 300, b'1234')]
)
def test_an_empty_or_short_image_is_told_and_survived(driver, width, height, data):
    driver.episode('reset', f'empty_{width}_{height}_{len(data)}')
    driver.step(START)
    driver.answers.clear()
    driver.stamp += PERIOD
    message = convert.image_message(np.zeros((2, 2, 3), np.uint8), driver.stamp, 'camera')
    message.width, message.height, message.step = width, height, 3 * width
    message.data = data
    driver.odom(np.zeros(3))
    driver._pubs['image_raw'].publish(message)
    assert driver.wait(lambda: 'an image was ignored' in driver.diagnostics['/perception'][1])
    assert driver.answers == []
    assert driver.step(START).keys() == OUTPUTS.keys()


def test_odometry_in_another_frame_is_refused_at_its_first_message(driver):
    driver.episode('reset', 'frame')
    driver.step(START)
    driver.answers.clear()
    driver.stamp += PERIOD
    message = convert.odometry_message(np.zeros(3), driver.stamp, 'odom_combined', 'base_link')
    driver._pubs['odom'].publish(message)
    assert driver.wait(lambda: 'odom_combined' in driver.diagnostics['/perception'][1])
    level, text, _ = driver.diagnostics['/perception']
    assert level == ERROR and '`frames: {odom: odom_combined}`' in text
    driver.image(START)
    driver.spin(0.3)
    assert driver.answers == []
    assert driver.step(START).keys() == OUTPUTS.keys()
    assert driver.wait(lambda: driver.diagnostics['/perception'][0] == OK, 10.0)


def test_grey_images_are_a_warning_as_long_as_they_come(driver):
    driver.episode('reset', 'grey')
    for _ in range(3):
        driver.stamp += PERIOD
        driver.odom(np.zeros(3))
        driver._pubs['image_raw'].publish(
            convert.image_message(
                np.full((300, 400), 90, np.uint8), driver.stamp, 'camera_optical_frame', 'mono8'
            )
        )
        driver.answer(driver.stamp)
        driver.spin(0.4)
    assert driver.wait(lambda: 'grey (mono8)' in driver.diagnostics['/perception'][1])
    assert driver.diagnostics['/perception'][0] == WARN
    driver.step(START)
    assert driver.wait(lambda: driver.diagnostics['/perception'][0] == OK, 1.5)


def test_the_head_is_followed_by_the_names_of_the_robot_in_messages_of_one_joint(driver):
    driver.episode('reset', 'head')
    ahead = driver.step(START)['ball/detection'].point
    pub = driver.node.create_publisher(JointState, 'joint_states', qos.DEFAULT)
    assert driver.wait(pub.get_subscription_count)

    def turn(**angles):
        for name, angle in angles.items():
            pub.publish(convert.joint_state_message({name: angle}, driver.stamp))
        driver.spin(0.2)
        return driver.step(START)['ball/detection'].point

    try:
        turn(head_pan=0.3, LKneePitch=1.0)
        assert driver.wait(
            lambda: 'it has head_pan, LKneePitch' in driver.diagnostics['/perception'][1]
        )
        assert driver.diagnostics['/perception'][0] == WARN
        # The picture is that of a head at zero: with the head to the left the ball is there, too.
        turned = turn(HeadYaw=0.3, HeadPitch=0.0)
        bearing = np.arctan2(turned.y, turned.x) - np.arctan2(ahead.y, ahead.x)
        assert bearing == pytest.approx(0.3, abs=0.03)
    finally:
        back = turn(HeadYaw=0.0, HeadPitch=0.0)
        driver.node.destroy_publisher(pub)
    assert (back.x, back.y) == pytest.approx((ahead.x, ahead.y), abs=1e-6)


@pytest.mark.parametrize('part', ['binning', 'roi'])
def test_a_calibration_of_the_whole_sensor_serves_binned_and_cropped_images(driver, part):
    driver.episode('reset', part)
    expected = driver.step(START)['ball/detection'].point.x
    usual = convert.camera_info_message(
        CAMERA.width, CAMERA.height, CAMERA.focal[0], driver.stamp, 'camera'
    )
    info = convert.camera_info_message(800, 600, CAMERA.focal[0], driver.stamp, 'camera')
    focal, (x, y) = CAMERA.focal[0], CAMERA.centre
    if part == 'binning':
        info.binning_x = info.binning_y = 2
        focal, x, y = 2 * focal, 2 * x + 0.5, 2 * y + 0.5
    else:
        info.roi.x_offset, info.roi.y_offset, info.roi.width, info.roi.height = 200, 150, 400, 300
        x, y = x + 200, y + 150
    info.k = [focal, 0.0, x, 0.0, focal, y, 0.0, 0.0, 1.0]
    try:
        driver._pubs['camera_info'].publish(info)
        driver.spin(0.2)
        assert driver.step(START)['ball/detection'].point.x == pytest.approx(expected, abs=1e-6)
    finally:
        driver._pubs['camera_info'].publish(usual)
        driver.spin(0.2)


def test_a_lens_that_is_not_understood_stays_a_warning_while_images_are_answered(driver):
    driver.episode('reset', 'lens')
    usual = convert.camera_info_message(
        CAMERA.width, CAMERA.height, CAMERA.focal[0], driver.stamp, 'camera'
    )
    other = convert.camera_info_message(
        CAMERA.width, CAMERA.height, CAMERA.focal[0], driver.stamp, 'camera', [0.1] * 5
    )
    other.distortion_model = 'a_model_of_tomorrow'
    try:
        driver._pubs['camera_info'].publish(other)
        driver.spin(0.2)
        for _ in range(4):
            driver.step(START)
            driver.spin(0.4)
            level, text, _ = driver.diagnostics['/perception']
        assert level == WARN and 'a_model_of_tomorrow' in text
    finally:
        driver._pubs['camera_info'].publish(usual)
        driver.spin(0.2)
    driver.step(START)
    assert driver.wait(lambda: driver.diagnostics['/perception'][0] == OK, 1.5)


def test_calibration_of_the_camera_goes_before_the_profile(driver):
    driver.episode('reset', 'l')
    before = driver.step(START)['ball/detection'].point.x
    # Said to be a longer lens: the same picture is nearer to the axis, which looks at .5 m.
    driver._pubs['camera_info'].publish(
        convert.camera_info_message(
            CAMERA.width, CAMERA.height, CAMERA.focal[0] * 1.02, driver.stamp, 'camera'
        )
    )
    driver.spin(0.2)
    after = driver.step(START)['ball/detection'].point.x
    assert after < before - 0.005
    driver._pubs['camera_info'].publish(
        convert.camera_info_message(
            CAMERA.width, CAMERA.height, CAMERA.focal[0], driver.stamp, 'camera'
        )
    )
    driver.spin(0.2)
    assert driver.step(START)['ball/detection'].point.x == pytest.approx(before, abs=1e-6)


def test_debug_image_is_drawn_for_who_asks_for_it(driver):
    driver.episode('reset', 'm')
    received = []
    subscription = driver.node.create_subscription(
        Image, 'perception/debug_image', received.append, qos.SENSOR_DATA
    )
    assert driver.wait(lambda: driver.node.count_publishers('perception/debug_image'))
    deadline = time.monotonic() + 10
    while not received and time.monotonic() < deadline:
        driver.step(START)
    driver.node.destroy_subscription(subscription)
    drawn = convert.bgr_from_message(received[-1])
    assert drawn.shape == (300, 400, 3)
    magenta = (drawn[..., 0] > 150) & (drawn[..., 1] < 120) & (drawn[..., 2] > 150)
    assert magenta.sum() > 20


def test_a_camera_whose_profile_says_that_it_compresses_is_seen(scenes, tmp_path):
    new_robot(
        'mine',
        base='nao_v6',
        values={'driver.image_transport': 'compressed', 'topics.image': 'cam/image'},
        out=tmp_path / 'mine.yaml',
    )
    spec = NodeSpec('perception', 'perception', parameters={'robot': str(tmp_path / 'mine.yaml')})
    with GraphProcesses([spec], log_dir=tmp_path / 'log') as graph:
        graph.wait_ready(60)
        driver = Driver(graph, scenes, 'cam/image/compressed')
        assert not driver.node.count_subscribers('/cam/image')
        driver.episode('reset', 'jpeg')
        position, _, known = convert.ball_from_message(driver.step(START)['ball/odom'])
        assert known
        np.testing.assert_allclose(position, BALL, atol=0.01)


def test_a_driver_that_leaves_its_stamps_out_means_now(driver):
    # Drawn before: an episode is joined late, and odometry too far apart, while a machine draws.
    rgb = driver.pixels(START)
    begin = time.time_ns()
    driver.episode('reset', 'unstamped', stamp=begin)
    driver.answers.clear()

    def answered() -> bool:
        driver.odom(np.zeros(3), 0)
        driver.spin(0.02)
        driver.send(rgb, stamp=0)
        driver.spin(0.02)
        return any(topic == 'pose' for topic, _ in driver.answers)

    assert driver.wait(answered, 60.0)
    pose = next(message for topic, message in driver.answers if topic == 'pose')
    assert begin < stamp_to_ns(pose.header.stamp) <= time.time_ns()
    np.testing.assert_allclose(convert.pose_from_message(pose), START, atol=1e-6)


def test_lines_correct_the_pose_and_initialpose_tells_it(tmp_path, scenes):
    parameters = {'localisation': 'lines'}
    with GraphProcesses(
        [NodeSpec('perception', 'perception', parameters=parameters)], None, tmp_path
    ) as graph:
        graph.wait_ready()
        driver = Driver(graph, scenes)
        place = driver.node.create_publisher(PoseWithCovarianceStamped, 'initialpose', qos.DEFAULT)
        assert driver.wait(place.get_subscription_count)
        driver.episode('reset', 'none', start=None)
        assert not convert.pose_is_known(driver.step(START)['pose'])
        # A person sets it down by eye, in RViz: a hand's breadth away.
        said = START + [0.1, -0.1, 0.1]
        for frame in ('odom', 'map'):
            place.publish(convert.pose_message(said, driver.stamp, frame, np.eye(3) * 0.1))
            driver.spin(0.3)
        for _ in range(10):
            answer = driver.step(START)
        assert convert.pose_is_known(answer['pose'])
        found = convert.pose_from_message(answer['pose'])
        assert np.hypot(*(found - START)[:2]) < 0.05
        text = (graph.log_dir / 'perception.log').read_text()
        assert "in 'odom'" in text and 'initialpose is ignored' in text
