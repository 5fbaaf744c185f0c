"""Odometry: exact without noise, drifting as the profile says with it."""

import numpy as np

from guda_ros.sim.physics.odometry import OdometryModel
from guda_ros.soccer import world
from guda_ros.soccer.robot import OdometryNoise, RobotProfile

EXACT = OdometryNoise(0, 0, 0, 0, 0)


def circle(start, steps=200):
    """Return true poses of a walk in a circle of .5 m radius."""
    angle = np.linspace(0, 4, steps)
    relative = np.stack([0.5 * np.sin(angle), 0.5 * (1 - np.cos(angle)), angle], axis=1)
    return world.compose(np.tile(start, (steps, 1)), relative)


def test_without_noise_it_is_the_pose_relative_to_the_reset():
    start = np.array([1.0, -2.0, 2.5])
    odometry = OdometryModel(EXACT, np.random.default_rng(0))
    odometry.reset(start)
    poses = circle(start)
    reported = np.array([odometry.update(pose) for pose in poses])
    np.testing.assert_allclose(reported, world.relative_pose(poses, start), atol=1e-9)
    odometry.reset([3.0, 0.0, 1.0])
    np.testing.assert_array_equal(odometry.pose, [0, 0, 0])


def test_the_same_generator_gives_the_same_drift():
    noise = RobotProfile.load('nao_v6').odometry
    runs = []
    for _ in range(2):
        odometry = OdometryModel(noise, np.random.default_rng(7))
        odometry.reset([0, 0, 0])
        runs.append([odometry.update(pose) for pose in circle([0, 0, 0])])
    np.testing.assert_array_equal(runs[0], runs[1])


def test_a_robot_that_stands_drifts_by_its_yaw_bias_only():
    odometry = OdometryModel(OdometryNoise(1, 1, 0.01, 1, 1), np.random.default_rng(2))
    odometry.reset([1, 1, 1])
    for _ in range(100):
        pose = odometry.update([1, 1, 1])
    assert pose[:2].tolist() == [0, 0]
    bias = np.random.default_rng(2).normal(size=6)[5] * 0.01
    np.testing.assert_allclose(pose[2], bias * 10.0, rtol=1e-9)


def test_errors_over_many_episodes_have_the_spread_of_the_profile():
    noise = OdometryNoise(0.03, 0.0, 0.0, 0.01, 0.0)
    rng = np.random.default_rng(0)
    ends = []
    for _ in range(400):
        odometry = OdometryModel(noise, rng)
        odometry.reset([0, 0, 0])
        for x in np.linspace(0.04, 4.0, 100):
            pose = odometry.update([x, 0, 0])
        ends.append(pose)
    ends = np.array(ends)
    # 4 m: scale .03 * 4 = .12 and noise .01 * sqrt(4) = .02 along, noise alone across
    np.testing.assert_allclose(ends[:, 0].std(), np.hypot(0.12, 0.02), rtol=0.15)
    np.testing.assert_allclose(ends[:, 1].std(), 0.02, rtol=0.15)
    np.testing.assert_allclose(ends.mean(axis=0), [4, 0, 0], atol=0.02)


def test_velocity_is_that_of_the_odometry_and_not_the_true_one():
    velocity = np.array([0.2, -0.1, 1.0])
    exact = OdometryModel(OdometryNoise(0, 0, 0, 0, 0), np.random.default_rng(0))
    wrong = OdometryModel(OdometryNoise(0.1, 0, 0.1, 0, 0), np.random.default_rng(1))
    scale, _, bias = np.random.default_rng(1).normal(size=6)[3:]
    pose = np.array([1.0, 2.0, 3.0])
    for odometry in (exact, wrong):
        odometry.reset(pose)
        assert odometry.velocity.tolist() == [0, 0, 0]
    for _ in range(1000):
        turned = pose[2] + velocity[2] * 0.0001
        step = world.rotate(velocity[:2] * 0.0001, (pose[2] + turned) / 2)
        pose = np.append(pose[:2] + step, turned)
    for odometry in (exact, wrong):
        odometry.update(pose)
    # The chord is shorter than the arc by sinc(.05) = .9996.
    np.testing.assert_allclose(exact.velocity, velocity, rtol=1e-3)
    np.testing.assert_allclose(wrong.velocity[2], 1.0 + 0.1 * bias, rtol=1e-9)
    np.testing.assert_allclose(
        np.linalg.norm(wrong.velocity[:2]), abs(1 + 0.1 * scale) * np.hypot(0.2, 0.1), rtol=1e-3
    )
