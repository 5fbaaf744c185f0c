"""What a snapshot of a robot's graph means, without a graph."""

from dataclasses import replace
import itertools
import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.perception.camera import Calibration
from guda_ros.ros.robot_check.checks import check, Expected, near_misses
from guda_ros.ros.robot_check.ends import (
    commands_problem,
    COMPRESSED,
    End,
    IMAGE,
    TWIST,
    TWIST_STAMPED,
)
from guda_ros.ros.robot_check.findings import FITS, LACKS, NOTE, table, WARNING
from guda_ros.ros.robot_check.snapshot import BallSeen, Heard, Picture, Snapshot
from guda_ros.soccer.robot import RobotProfile

CONTRACT, NAO = Contract.load(), RobotProfile.load('nao_v6')
EXPECTED = Expected(CONTRACT, NAO)
NOW = 1.8e9
DRIVER = '/nao_driver'
TYPES = {
    'image': IMAGE,
    'camera_info': 'sensor_msgs/msg/CameraInfo',
    'odom': 'nav_msgs/msg/Odometry',
    'joint_states': 'sensor_msgs/msg/JointState',
    'imu': 'sensor_msgs/msg/Imu',
}
NAMES = {
    'image': '/image_raw',
    'camera_info': '/camera_info',
    'odom': '/odom',
    'joint_states': '/joint_states',
    'imu': '/imu/data',
    'pose': '/pose',
    'command': '/cmd_vel',
    'episode': '/episode',
}


def heard(rate=10.0, seconds=4.0, age=0.03, frames=('',), children=()):
    arrivals = NOW + np.arange(0.0, seconds, 1 / rate)
    return Heard(arrivals, arrivals - age, tuple(frames), tuple(children))


def good(**changes):
    """Return what a driver for NAO looks like to which nothing lacks, but for some changes."""
    snapshot = Snapshot(
        seconds=4.0,
        graph={NAMES[role]: (kind,) for role, kind in TYPES.items()},
        names=NAMES,
        publishers={role: (End(DRIVER, kind),) for role, kind in TYPES.items()},
        subscriptions={'command': (End(DRIVER, TWIST_STAMPED),)},
        heard={
            'image': heard(30.0, frames=['CameraBottom_optical_frame']),
            'camera_info': heard(30.0),
            'odom': heard(50.0, frames=['odom'], children=['base_link']),
            'joint_states': heard(50.0),
            'imu': heard(100.0),
        },
        picture=Picture('rgb8', 640, 480),
        calibration=Calibration((557, 0, 309, 0, 556, 231, 0, 0, 1), 640, 480, (-0.05, 0.1, 0, 0)),
        joints=('HeadYaw', 'HeadPitch', 'LKneePitch'),
        ball=BallSeen(5, 5, (1.01, 0.2)),
        pose=True,
        gravity=(0.1, -0.1, 9.78),
    )
    return replace(snapshot, **changes)


def but(attribute, **roles):
    """Return a good snapshot of which one mapping has other values for some roles."""
    values = {**getattr(good(), attribute), **roles}
    return good(**{attribute: {role: value for role, value in values.items() if value}})


def wrong(snapshot, expected=EXPECTED, least=(WARNING, LACKS)):
    """Return subject, aspect and level of what does not fit."""
    return {
        (finding.subject, finding.aspect, finding.level)
        for finding in check(snapshot, expected)
        if finding.level in least
    }


def finding(snapshot, subject, aspect, expected=EXPECTED):
    (found,) = (
        each
        for each in check(snapshot, expected)
        if (each.subject, each.aspect) == (subject, aspect)
    )
    return found


def test_a_driver_that_fits_lacks_nothing_and_each_thing_has_one_line():
    findings = check(good(), EXPECTED)
    assert {each.level for each in findings} == {FITS}
    lines = table(findings)
    assert [line.split()[0] for line in lines] == [
        'image', 'camera_info', 'odom', 'joint_states', 'imu', 'clock', 'cmd_vel', 'ball', 'pose',
    ]  # fmt: skip
    assert 'rgb8 640x480' in lines[0] and '30.0 Hz' in lines[0] and DRIVER in lines[0]
    assert 'frame CameraBottom_optical_frame' in lines[0]


def test_no_driver_at_all_lacks_what_is_needed_and_says_what_to_do():
    nothing = Snapshot(seconds=3.0, names=NAMES)
    assert wrong(nothing) == {
        ('image', 'topic', LACKS),
        ('camera_info', 'topic', LACKS),
        ('odom', 'topic', LACKS),
        ('joint_states', 'topic', WARNING),
        ('cmd_vel', 'hearer', LACKS),
    }
    assert all(each.todo for each in check(nothing, EXPECTED) if each.level in (LACKS, WARNING))


@pytest.mark.parametrize(
    ('role', 'there', 'first'),
    [
        ('odom', ['/odometry/filtered', '/robot1/odom', '/wheel'], '/robot1/odom'),
        ('odom', ['/motion_odometry', '/x'], '/motion_odometry'),
        ('image', ['/depth/stuff', '/camera/front/image_raw'], '/camera/front/image_raw'),
    ],
)
def test_a_topic_under_another_name_is_named(role, there, first):
    snapshot = but('publishers', **{role: ()})
    graph = dict.fromkeys(there, (TYPES[role],))
    graph['/other'] = ('std_msgs/msg/String',)
    snapshot = replace(snapshot, graph=graph)
    assert near_misses(snapshot, EXPECTED, role)[0] == first
    told = finding(snapshot, role, 'topic')
    assert told.level == LACKS and f'{NAMES[role]}:={first}' in told.todo


def test_a_camera_that_sends_compressed_images_only_leads_to_the_transport():
    snapshot = replace(but('publishers', image=()), graph={'/image_raw/compressed': (COMPRESSED,)})
    told = finding(snapshot, 'image', 'topic')
    assert 'driver: {image_transport: compressed}' in told.todo
    heard_so = Expected(CONTRACT, NAO, compressed=True)
    snapshot = but('publishers', image=(End(DRIVER, COMPRESSED),))
    assert not wrong(snapshot, heard_so)
    assert wrong(snapshot) == {('image', 'type', LACKS)}


@pytest.mark.parametrize('role', TYPES)
def test_another_type_on_any_topic_lacks_and_beside_the_right_one_is_a_warning(role):
    other = End('/other', 'std_msgs/msg/String')
    alone = replace(but('publishers', **{role: (other,)}), heard={})
    told = finding(alone, role, 'type')
    assert told.level == LACKS and '/other publishes std_msgs/msg/String' in told.found
    both = but('publishers', **{role: (End(DRIVER, TYPES[role]), other)})
    assert finding(both, role, 'type').level == WARNING


def test_two_drivers_on_one_topic_are_told_with_their_names():
    snapshot = but('publishers', odom=(End('/a', TYPES['odom']), End('/b', TYPES['odom'])))
    assert '/a, /b' in finding(snapshot, 'odom', 'publishers').found


def test_a_publisher_that_says_nothing_is_no_publisher_that_is_not_there():
    told = finding(but('heard', image=None), 'image', 'messages')
    assert told.level == LACKS and DRIVER in told.todo
    assert finding(but('heard', imu=None), 'imu', 'messages').level == WARNING


@given(st.floats(0.5, 120.0))
def test_a_camera_is_fast_enough_when_it_gives_each_step_an_image(rate):
    level = finding(but('heard', image=heard(rate, 10.0)), 'image', 'rate').level
    assert level == (FITS if rate >= 9.5 else LACKS if rate < 10 / 1.4 else WARNING)


@given(st.floats(1.0, 200.0))
def test_odometry_is_fast_enough_when_images_can_be_placed_between_two(rate):
    level = finding(but('heard', odom=heard(rate, 10.0)), 'odom', 'rate').level
    assert level == (FITS if rate >= 1 / 0.12 + 1e-6 else LACKS)


@given(st.floats(-1e5, 1e5))
def test_stamps_of_another_clock_lack_and_late_ones_are_a_warning(age):
    # All streams alike: one clock, but not that of this computer.
    snapshot = good(
        heard={role: heard(20.0, age=age, frames=['odom']) for role in ('image', 'odom')}
    )
    levels = {finding(snapshot, role, 'stamps').level for role in ('image', 'odom')}
    assert levels == {FITS if -0.05 <= age <= 0.25 else LACKS if abs(age) > 0.5 else WARNING}
    assert finding(snapshot, 'clock', 'streams').level == FITS


@given(st.floats(-3, 3))
def test_streams_of_two_clocks_are_told(apart):
    snapshot = but('heard', odom=heard(50.0, age=0.03 + apart, frames=['odom']))
    level = finding(snapshot, 'clock', 'streams').level
    edges = (0.15, 0.5)
    if all(abs(abs(apart) - edge) > 1e-6 for edge in edges):
        assert level == (FITS if abs(apart) < 0.15 else LACKS if abs(apart) > 0.5 else WARNING)


def test_a_robot_of_simulated_time_is_told_and_its_stamps_are_not_called_old():
    old = {role: heard(20.0, age=NOW - 20, frames=['odom']) for role in ('image', 'odom')}
    found = wrong(good(heard=old, clock=20.0))
    assert ('clock', 'simulated', WARNING) in found
    assert not [each for each in found if each[1] == 'stamps']


def test_headers_without_stamps_lack_where_a_stamp_is_needed():
    bare = replace(heard(), stamps=np.zeros(40))
    found = wrong(good(heard=dict.fromkeys(TYPES, bare)))
    assert {each for each in found if each[1] == 'stamps'} == {
        ('image', 'stamps', LACKS),
        ('odom', 'stamps', LACKS),
    }


def test_frames_are_those_of_the_profile():
    told = finding(
        but('heard', odom=heard(50.0, frames=['odom_combined'], children=['base_footprint'])),
        'odom',
        'frame',
    )
    assert told.level == LACKS and '`frames: {odom: odom_combined}`' in told.todo
    child = but('heard', odom=heard(50.0, frames=['odom'], children=['base_footprint']))
    assert wrong(child) == {('odom', 'child frame', WARNING)}
    several = but('heard', odom=heard(50.0, frames=['odom', 'world'], children=['base_link']))
    assert wrong(several) == {('odom', 'frame', LACKS)}
    # Of the camera only where the profile says it: nothing else depends on the name.
    named = replace(NAO, frames={'camera': 'CameraTop_optical_frame'})
    contract = replace(CONTRACT, frames={**CONTRACT.frames, **named.frames})
    assert wrong(good(), Expected(contract, named)) == {('image', 'frame', LACKS)}


@pytest.mark.parametrize(
    'joints',
    [
        joints
        for count in range(3)
        for joints in itertools.combinations(('HeadYaw', 'HeadPitch', 'LKneePitch'), count)
        if not {'HeadYaw', 'HeadPitch'} <= {*joints}
    ],
)
def test_joints_of_the_head_that_do_not_come_are_named(joints):
    told = finding(good(joints=joints), 'joint_states', 'joints')
    assert told.level == LACKS
    for name in ('HeadYaw', 'HeadPitch'):
        assert (f'no {name}' in told.found) == (name not in joints)


def test_a_base_without_a_head_needs_no_joints():
    robot = RobotProfile.load('turtlebot4')
    expected = Expected(Contract.load('soccer_push', 'turtlebot4'), robot, stamped=False)
    snapshot = replace(
        but('publishers', joint_states=(), imu=()),
        subscriptions={'command': (End(DRIVER, TWIST),)},
    )
    assert not wrong(snapshot, expected)


@pytest.mark.parametrize(
    ('told', 'level'),
    [
        (Calibration((0,) * 9, 640, 480), LACKS),
        (Calibration((1, 0, 0, 0, 1, 0, 0, 0, 1), 0, 0), LACKS),
        (Calibration((math.nan,) * 9, 640, 480), LACKS),
        (Calibration((500, 0, 320, 0, 500, 240, 0, 0, 1), 640, 480, (0, 0, 0, 0, 0)), WARNING),
        (Calibration((500, 0, 319.5, 0, 500, 239.5, 0, 0, 1), 640, 480), WARNING),
        (Calibration((500, 0, 320, 0, 500, 240, 0, 0, 1), 640, 480, (0.1, 0, 0, 0, 0)), FITS),
        (Calibration((500, 0, 320, 0, 501, 240, 0, 0, 1), 640, 480), FITS),
        (Calibration((500, 0, 320, 0, 501, 240, 0, 0, 1), 640, 480, (1,) * 3, 'odd'), LACKS),
    ],
)
def test_a_calibration_must_be_there_and_is_doubted_if_it_looks_made_up(told, level):
    assert finding(good(calibration=told), 'camera_info', 'calibration').level == level


def test_the_lens_of_the_profile_itself_is_no_default():
    mount = NAO.camera
    k = (mount.focal, 0, mount.centre[0], 0, mount.focal, mount.centre[1], 0, 0, 1)
    snapshot = good(
        calibration=Calibration(k, mount.width, mount.height),
        picture=Picture('rgb8', mount.width, mount.height),
    )
    assert not wrong(snapshot)


@pytest.mark.parametrize(('off', 'level'), [(1.0, FITS), (1.004, FITS), (1.03, WARNING)])
def test_a_calibrated_lens_is_missed_where_the_driver_sends_another(off, level):
    mount = replace(NAO.camera, distortion=(-0.2, 0.0, 0.0, 0.0, 0.0))
    robot = replace(NAO, camera=mount, uncertainty={'camera.vertical_fov': 0.001})
    focal = off * mount.focal
    k = (focal, 0, mount.centre[0], 0, focal, mount.centre[1], 0, 0, 1)
    told = Calibration(k, mount.width, mount.height, mount.distortion)
    picture = Picture('rgb8', mount.width, mount.height)
    seen = good(calibration=told, picture=picture)
    found = finding(seen, 'camera_info', 'calibration', replace(EXPECTED, robot=robot))
    assert found.level == level and ('--camera-info' in found.todo) == (level == WARNING)


@pytest.mark.parametrize(
    ('size', 'binning', 'roi', 'fits'),
    [
        ((640, 480), (1, 1), (0, 0, 0, 0), True),
        ((320, 240), (1, 1), (0, 0, 0, 0), False),
        ((320, 240), (2, 2), (0, 0, 0, 0), True),
        ((400, 300), (0, 0), (100, 50, 400, 300), True),
        ((640, 480), (0, 0), (100, 50, 400, 300), False),
    ],
)
def test_images_have_the_size_that_camera_info_tells(size, binning, roi, fits):
    told = replace(good().calibration, binning=binning, roi=roi)
    found = wrong(good(calibration=told, picture=Picture('rgb8', *size)))
    assert found == (set() if fits else {('camera_info', 'size', LACKS)})


def test_pictures_that_cannot_be_read_or_have_no_colour_lack():
    depth = Picture('16UC1', 640, 480, 'encoding 16UC1 is not known')
    assert wrong(good(picture=depth)) == {('image', 'encoding', LACKS)}
    grey = Picture('mono8', 640, 480, grey=True)
    assert wrong(good(picture=grey)) == {('image', 'encoding', LACKS)}


@pytest.mark.parametrize('kind', [TWIST, TWIST_STAMPED])
def test_a_driver_of_the_other_twist_is_told_with_the_switch(kind):
    other = TWIST if kind == TWIST_STAMPED else TWIST_STAMPED
    expected = Expected(CONTRACT, NAO, stamped=kind == TWIST_STAMPED)
    onlooker = End('/data_collector', kind)
    snapshot = good(subscriptions={'command': (End(DRIVER, other), onlooker)})
    told = finding(snapshot, 'cmd_vel', 'hearer', expected)
    assert told.level == LACKS and DRIVER in told.found
    assert f'stamped: {str(other == TWIST_STAMPED).lower()}' in told.todo
    fits = good(subscriptions={'command': (End(DRIVER, other), End('/base', kind))})
    assert finding(fits, 'cmd_vel', 'hearer', expected).level == FITS


def test_behind_an_adapter_the_robot_hears_another_topic():
    expected = Expected(CONTRACT, NAO, adapter='naoqi')
    names = {**NAMES, 'channel': '/naoqi/cmd_vel'}
    through = {'command': (End('/adapter', TWIST_STAMPED),), 'channel': (End(DRIVER, TWIST),)}
    told = finding(good(names=names, subscriptions=through), 'cmd_vel', 'hearer', expected)
    assert (told.level, told.found) == (
        FITS,
        f'{DRIVER} hears the adapter naoqi on /naoqi/cmd_vel',
    )
    for ends in ({}, {'command': through['command']}):
        told = finding(good(names=names, subscriptions=ends), 'cmd_vel', 'hearer', expected)
        assert told.level == LACKS and 'nobody hears /naoqi/cmd_vel' in told.found
        assert '--adapter none' in told.todo
    # A driver that hears cmd_vel itself is heard, whatever the profile says.
    told = finding(good(names=names), 'cmd_vel', 'hearer', expected)
    assert told.level == FITS and DRIVER in told.found


def test_who_only_looks_on_is_no_robot():
    for name in ('/data_collector', '/red/policy', '/_ros2cli_77', '/rviz2', '/rosbag2_recorder'):
        problem = commands_problem('/cmd_vel', TWIST, [End(name, TWIST)])
        assert problem is not None and problem[0] == 'nobody hears /cmd_vel', name
    assert commands_problem('/cmd_vel', TWIST, [End('/base', TWIST, reliable=False)]) is None
    latched = commands_problem('/cmd_vel', TWIST, [End('/base', TWIST, latched=True)])
    assert latched is not None and 'transient local' in latched[0]


def test_a_robot_with_an_adapter_must_hear_that_and_not_cmd_vel():
    names = {**NAMES, 'channel': '/naoqi/cmd_vel'}
    adapted = Expected(CONTRACT, NAO, adapter='naoqi')

    def told(**hearers):
        snapshot = good(names=names, subscriptions={role: (end,) for role, end in hearers.items()})
        return finding(snapshot, 'cmd_vel', 'hearer', adapted)

    assert adapted.channel == 'naoqi/cmd_vel' and EXPECTED.channel == ''
    nobody = told(command=End('/adapter', TWIST_STAMPED))
    assert nobody.level == LACKS and 'nobody hears /naoqi/cmd_vel' in nobody.found
    assert told(channel=End(DRIVER, TWIST)).level == FITS
    stamped = told(channel=End(DRIVER, TWIST_STAMPED))
    assert stamped.level == LACKS and TWIST_STAMPED in stamped.found
    # Messages of the robot's own are for the adapter to judge.
    snapshot = good(names=names, subscriptions={'channel': (End(DRIVER, 'x/msg/Request'),)})
    other = Expected(CONTRACT, NAO, adapter='unitree_sport')
    assert finding(snapshot, 'cmd_vel', 'hearer', other).level == FITS


def test_a_second_master_lacks_and_the_safety_node_is_none():
    safety = End('/red/safety', TWIST_STAMPED)
    assert not wrong(but('publishers', command=(safety,)))
    snapshot = but('publishers', command=(safety, End('/nav2_controller', TWIST_STAMPED)))
    told = finding(snapshot, 'cmd_vel', 'rivals')
    assert told.level == LACKS and '/nav2_controller' in told.found and 'safety' not in told.found


def test_episodes_that_are_not_latched_are_told():
    kind = 'std_msgs/msg/String'
    assert wrong(but('publishers', episode=(End('/me', kind),))) == {
        ('episode', 'quality', WARNING)
    }
    assert not wrong(but('publishers', episode=(End('/me', kind, latched=True),)))


@given(st.floats(0, math.pi), st.floats(-math.pi, math.pi))
def test_a_robot_that_does_not_stand_upright_is_told(lean, side):
    x, y = math.sin(lean) * math.cos(side), math.sin(lean) * math.sin(side)
    snapshot = good(gravity=tuple(9.81 * np.array([x, y, math.cos(lean)])))
    if abs(lean - math.radians(5)) > 1e-6:
        level = finding(snapshot, 'imu', 'tilt').level
        assert level == (FITS if lean < math.radians(5) else WARNING)


def test_an_imu_in_g_is_told():
    assert finding(good(gravity=(0.0, 0.0, 1.0)), 'imu', 'gravity').level == WARNING


def test_a_ball_that_no_detector_can_find_lacks_with_the_key_of_its_profile():
    snapshot = good(ball=BallSeen(0, 0, problem='a ball of colour (1, 1, 1) is too grey'))
    found = finding(snapshot, 'ball', 'seen')
    assert found.level == LACKS and 'too grey' in found.found and '`detector`' in found.todo


def test_a_ball_that_is_not_there_and_a_pose_that_nobody_told_are_worth_a_note():
    snapshot = good(ball=BallSeen(5, 0), pose=False)
    assert not wrong(snapshot)
    assert wrong(snapshot, least=(NOTE,)) == {('ball', 'seen', NOTE), ('pose', 'known', NOTE)}


@given(
    st.sets(st.sampled_from(list(TYPES))),
    st.sets(st.sampled_from(list(TYPES))),
    st.floats(0.1, 50),
    st.booleans(),
)
def test_any_part_of_a_driver_may_be_missing(silent, absent, rate, clock):
    snapshot = good(
        publishers={role: ends for role, ends in good().publishers.items() if role not in absent},
        heard={role: heard(rate, 1.0) for role in TYPES if role not in silent | absent},
        clock=5.0 if clock else None,
        calibration=None,
        picture=None,
    )
    findings = check(snapshot, EXPECTED)
    assert {each.subject for each in findings if each.level == LACKS} >= absent & {
        'image', 'camera_info', 'odom'
    }  # fmt: skip
    assert all(line.isprintable() for line in table(findings))


REAL = Expected(Contract.load(robot='nao_v6_real'), RobotProfile.load('nao_v6_real'))


def with_top(**changes):
    """Return a good snapshot of a robot with two cameras, of whose top one something differs."""
    top = good(names={**NAMES, 'image': '/top/image_raw', 'camera_info': '/top/camera_info'})
    return good(further={'top': replace(top, **changes)})


def test_each_camera_has_its_own_lines():
    assert wrong(with_top(), REAL) == set()
    lines = table(check(with_top(), REAL))
    subjects = [line.split()[0] for line in lines]
    assert subjects[:5] == ['image', 'camera_info', 'odom', 'joint_states', 'imu']
    assert 'top_image' in subjects and 'top_camera_info' in subjects
    assert '/top/image_raw' in next(line for line in lines if line.startswith('top_image'))


def test_what_a_further_camera_lacks_is_a_warning_for_the_others_go_on():
    publishers = {'odom': good().publishers['odom']}
    missing = with_top(publishers=publishers, heard={}, picture=None, calibration=None)
    assert wrong(missing, REAL) == {
        ('top_image', 'topic', WARNING),
        ('top_camera_info', 'topic', WARNING),
    }
    assert '/top/image_raw' in finding(missing, 'top_image', 'topic', REAL).found
    grey = with_top(picture=Picture('mono8', 640, 480, grey=True))
    assert wrong(grey, REAL) == {('top_image', 'encoding', WARNING)}
    other = with_top(picture=Picture('rgb8', 320, 240))
    assert wrong(other, REAL) == {('top_camera_info', 'size', WARNING)}


def test_roles_of_further_cameras_have_the_types_of_the_first():
    assert REAL.images == ('image', 'top_image')
    assert REAL.kinds('top_image') == REAL.kinds('image') == (IMAGE,)
    assert REAL.kinds('top_camera_info') == REAL.kinds('camera_info')
    assert replace(REAL, compressed=True).kinds('top_image') == (COMPRESSED,)
    assert EXPECTED.images == ('image',)
