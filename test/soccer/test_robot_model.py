"""The robot description of a profile, read by MuJoCo, and the transforms of tf2."""

from dataclasses import replace
import xml.etree.ElementTree as ET

import mujoco
import numpy as np
import pytest

from guda_ros.control.head_joints import to_driver
from guda_ros.data.contract import Contract
from guda_ros.perception.camera import CameraModel
from guda_ros.soccer.robot import HeadJoints, RobotProfile
from guda_ros.soccer.robot_model import (
    FOOTPRINT,
    joints_of,
    optical_frame,
    transforms,
    urdf,
)
from guda_ros.soccer.robot_names import HEAD_JOINTS

ROBOTS = [
    'nao_v6',
    'nao_v6_real',
    'booster_t1',
    'robotis_op3',
    'turtlebot4',
    'generic_walker',
]
FRAMES = Contract.load('soccer_push').frames
AHEAD = {'head_pan': 0.0, 'head_tilt': 0.0}
ANGLES = {'head_pan': 0.4, 'head_tilt': -0.2}


def read(text):
    """Let MuJoCo read a URDF, with all its links as bodies."""
    text = text.replace(
        '>\n  <link', '>\n  <mujoco><compiler fusestatic="false"/></mujoco>\n  <link', 1
    )
    model = mujoco.MjModel.from_xml_string(text)
    return model, mujoco.MjData(model)


def place_of(model, data, name):
    """Return place (3,) and rotation (3, 3) of a body; it turns its vectors into the world's."""
    body = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_BODY, name)
    assert body >= 0, name
    return data.xpos[body], data.xmat[body].reshape(3, 3)


def set_head(model, data, robot, angles):
    """Turn the head as the robot's driver tells it."""
    positions = to_driver(angles, robot.head.joints) if robot.head.moves else {}
    for name, position in positions.items():
        joint = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, name)
        assert joint >= 0, name
        low, high = model.jnt_range[joint]
        assert low <= position <= high
        data.qpos[model.jnt_qposadr[joint]] = position
    mujoco.mj_kinematics(model, data)


def check_cameras(robot, angles):
    model, data = read(urdf(robot, FRAMES))
    set_head(model, data, robot, angles)
    for name, mount in robot.cameras.items():
        expected = CameraModel.from_mount(mount).turned(robot.head, *angles.values())
        place, rotation = place_of(model, data, optical_frame(robot, name, FRAMES))
        np.testing.assert_allclose(place, expected.position, atol=1e-6)
        # The optical frame of perception: z ahead, x right, y down.
        np.testing.assert_allclose(rotation.T, expected.rotation, atol=1e-6)


@pytest.mark.parametrize('name', ROBOTS)
def test_in_the_robot_description_cameras_are_where_perception_has_them(name):
    robot = RobotProfile.load(name)
    check_cameras(robot, AHEAD)
    if robot.head.moves:
        check_cameras(robot, ANGLES)


def test_joints_turn_the_way_the_driver_says_from_its_own_zero():
    robot = RobotProfile.load('nao_v6')
    joints = HeadJoints(('yaw', 'nod'), (-1.0, -1.0), (0.3, -0.5))
    check_cameras(replace(robot, head=replace(robot.head, joints=joints)), ANGLES)


@pytest.mark.parametrize('name', ROBOTS)
def test_a_robot_description_has_the_robots_mass_and_joints(name):
    robot = RobotProfile.load(name)
    text = urdf(robot, FRAMES)
    model, _ = read(text)
    assert model.body_mass.sum() == pytest.approx(robot.body.mass, rel=0.02)
    names = (robot.head.joints.names or HEAD_JOINTS) if robot.head.moves else ()
    assert model.njnt == len(names)
    root = ET.fromstring(text)
    links = [link.get('name') for link in root.iter('link')]
    assert links[:2] == [FOOTPRINT, 'base_link'] and len(set(links)) == len(links)
    # One root, and each link has one parent.
    children = [child.get('link') for child in root.iter('child')]
    assert sorted(children) == sorted(links[1:])


@pytest.mark.parametrize('name', ROBOTS)
def test_the_transforms_are_those_of_the_robot_description(name):
    robot = RobotProfile.load(name)
    model, data = read(urdf(robot, FRAMES))
    set_head(model, data, robot, ANGLES)
    joints = joints_of(robot, FRAMES)
    positions = to_driver(ANGLES, robot.head.joints)
    found = {each.child: each for each in (*transforms(joints), *transforms(joints, positions))}
    assert found.keys() == {joint.child for joint in joints}
    for each in found.values():
        parent, child = (place_of(model, data, link) for link in (each.parent, each.child))
        np.testing.assert_allclose(parent[1].T @ (child[0] - parent[0]), each.xyz, atol=1e-6)
        x, y, z, w = each.quaternion
        turn = np.zeros(9)
        mujoco.mju_quat2Mat(turn, np.array([w, x, y, z]))
        np.testing.assert_allclose(parent[1].T @ child[1], turn.reshape(3, 3), atol=1e-6)


def test_a_driver_whose_base_is_the_footprint_has_it_once():
    robot = RobotProfile.load('turtlebot4')
    frames = {**FRAMES, 'base': FOOTPRINT}
    root = ET.fromstring(urdf(robot, frames))
    assert [link.get('name') for link in root.iter('link')].count(FOOTPRINT) == 1
    assert joints_of(robot, frames)[0].parent == FOOTPRINT
