"""A head's joints are understood by any robot's names, signs and zeros."""

from hypothesis import given
from hypothesis import strategies as st
import pytest

from guda_ros.config.files import ConfigError, find_config, load_yaml
from guda_ros.control.head_joints import from_driver, HeadWatch, joint_names, to_driver
from guda_ros.control.kick_and_head import HEAD_JOINTS
from guda_ros.soccer.robot import HeadJoints, RobotProfile

PAN, TILT = HEAD_JOINTS
REAL = st.floats(-3, 3)
JOINTS = st.builds(
    HeadJoints,
    st.none() | st.just(('HeadYaw', 'HeadPitch')) | st.just((TILT, PAN)),
    st.tuples(st.sampled_from([-1.0, 1.0]), st.sampled_from([-1.0, 1.0])),
    st.tuples(REAL, REAL),
)


@given(JOINTS, REAL, REAL, st.sets(st.sampled_from(HEAD_JOINTS)))
def test_angles_survive_the_way_to_the_driver_and_back(joints, pan, tilt, some):
    angles = {joint: angle for joint, angle in ((PAN, pan), (TILT, tilt)) if joint in some}
    told = to_driver(angles, joints)
    assert set(told) <= set(joint_names(joints))
    assert from_driver(told.keys(), told.values(), joints) == pytest.approx(angles, abs=1e-12)


@given(st.permutations(['LHipRoll', 'HeadPitch', 'RKnee', 'HeadYaw']), st.integers(0, 4))
def test_any_subset_in_any_order_tells_what_it_holds(names, count):
    names = names[:count]
    where = {'HeadYaw': 0.3, 'HeadPitch': -0.1}
    angles = from_driver(names, [where.get(name, 9.0) for name in names], NAO)
    expected = {PAN: 0.3, TILT: -0.1}
    held = {PAN: 'HeadYaw', TILT: 'HeadPitch'}
    assert angles == {joint: expected[joint] for joint in held if held[joint] in names}


NAO = RobotProfile.load('nao_v6').head.joints


def test_the_shipped_robots_speak_as_their_drivers_do():
    assert joint_names(NAO) == ('HeadYaw', 'HeadPitch')
    booster = RobotProfile.load('booster_t1').head.joints
    # Zero of our tilt is Head_pitch turned .6 rad down.
    told = from_driver(['AAHead_yaw', 'Head_pitch'], [0.2, 0.6], booster)
    assert told == pytest.approx({PAN: 0.2, TILT: 0.0})
    for robot in ('robotis_op3', 'generic_walker'):
        assert joint_names(RobotProfile.load(robot).head.joints) == HEAD_JOINTS


def test_what_the_driver_calls_its_joints_does_not_change_what_the_robot_is():
    path = find_config('robots', 'nao_v6')
    values = load_yaml(path)
    del values['head']['joints']
    assert RobotProfile.read(values, path).as_dict() == RobotProfile.load('nao_v6').as_dict()


@pytest.mark.parametrize(
    'joints, key',
    [
        ({'names': ['HeadYaw']}, 'names'),
        ({'names': []}, 'names'),
        ({'names': ['a', 'a']}, 'names'),
        ({'names': ['a', '']}, 'names'),
        ({'names': 'HeadYaw'}, 'names'),
        ({'signs': [1, 0.5]}, 'signs'),
        ({'signs': [1, 0]}, 'signs'),
        ({'offsets': [0.0]}, 'offsets'),
        ({'offset': [0, 0]}, 'offset'),
    ],
)
def test_joints_that_cannot_be_are_refused_by_key(joints, key):
    path = find_config('robots', 'nao_v6')
    values = load_yaml(path)
    values['head']['joints'] = joints
    with pytest.raises(ConfigError, match=f'head.joints.{key}'):
        RobotProfile.read(values, path)


def test_joint_states_that_fit_are_no_problem_in_one_message_or_in_two():
    watch = HeadWatch(NAO)
    assert watch.problem == ''
    watch.take(['HeadYaw', 'LKnee'], [0.3, 0.0])
    assert watch.problem == ''
    watch.take(['HeadPitch'], [0.1])
    for _ in range(50):
        watch.take(['LKnee'], [0.0])
    assert watch.problem == ''


def test_joint_states_that_do_not_fit_are_named_with_what_was_expected():
    watch = HeadWatch(NAO)
    watch.take(['AAHead_yaw', 'Head_pitch'], [0.3, 0.0])
    assert 'no HeadYaw and no HeadPitch (it has AAHead_yaw, Head_pitch)' in watch.problem


def test_a_joint_that_never_comes_is_missed_after_some_messages():
    watch = HeadWatch(NAO)
    for _ in range(30):
        watch.take(['HeadYaw', 'LKnee'], [0.3, float('nan')])
    assert 'no HeadPitch (it has HeadYaw, LKnee)' in watch.problem


def test_angles_that_are_not_finite_tell_nothing():
    assert HeadWatch(NAO).take(['HeadYaw', 'HeadPitch'], [float('inf'), 0.2]) == {TILT: 0.2}
