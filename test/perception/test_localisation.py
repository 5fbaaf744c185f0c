"""Dead reckoning from a known start."""

import numpy as np
import pytest

from guda_ros.perception.localisation import StartAnchoredLocaliser
from guda_ros.sim.physics.odometry import OdometryModel
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile

NOISE = RobotProfile.load('nao_v6').odometry


@pytest.fixture
def localiser():
    return StartAnchoredLocaliser(NOISE)


def test_unknown_start_has_an_unknown_pose(localiser):
    pose, covariance = localiser.update(np.array([1.0, 2.0, 0.5]))
    assert not localiser.anchored
    np.testing.assert_array_equal(pose, [1.0, 2.0, 0.5])
    assert (np.diag(covariance) >= 1e3).all()


def test_pose_is_the_start_plus_the_way_since_then(localiser):
    # The robot starts looking along +y of the map; odom began elsewhere, turned by 180 degrees.
    localiser.reset([2.0, 1.0, np.pi / 2], [5.0, -3.0, np.pi])
    pose, _ = localiser.update(np.array([5.0, -3.0, np.pi]))
    np.testing.assert_allclose(pose, [2.0, 1.0, np.pi / 2], atol=1e-12)
    # 1 m ahead and .5 m to the left, which in odom are -x and -y, and 90 degrees to the left.
    pose, _ = localiser.update(np.array([4.0, -3.5, -np.pi / 2]))
    np.testing.assert_allclose(pose[:2], [1.5, 2.0], atol=1e-12)
    assert world.wrap_angle(pose[2] - np.pi) == pytest.approx(0.0, abs=1e-12)


def test_second_start_replaces_the_first(localiser):
    localiser.reset([2.0, 1.0, 0.0], [0.0, 0.0, 0.0])
    localiser.update(np.array([3.0, 0.0, 1.0]), 10.0)
    localiser.reset([-1.0, 0.0, 0.0], [3.0, 0.0, 1.0])
    pose, covariance = localiser.update(np.array([3.0, 0.0, 1.0]))
    np.testing.assert_allclose(pose, [-1.0, 0.0, 0.0], atol=1e-12)
    assert covariance[0, 0] == pytest.approx(0.01**2)


def test_uncertainty_grows_with_the_way(localiser):
    localiser.reset(np.zeros(3), np.zeros(3))
    deviations = [
        np.sqrt(np.diag(localiser.update(np.array([0.025 * step, 0.0, 0.0]), 0.1)[1]))
        for step in range(200)
    ]
    assert (np.diff(np.array(deviations)[:, :2], axis=0) > -1e-12).all()
    # 5 m ahead: 3 % of it along, and .01 rad of the start's heading, growing to .0141, across.
    assert deviations[-1][0] == pytest.approx(0.15, abs=0.01)
    assert 0.05 < deviations[-1][1] < 0.075


def test_covariance_fits_the_errors_of_the_simulated_odometry(localiser):
    scores = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        start = np.array([1.0, -0.5, 2.0])
        true = start + rng.normal(size=3) * 0.01
        odometry = OdometryModel(NOISE, rng)
        odometry.reset(true)
        localiser.reset(start, odometry.pose)
        for step in range(200):
            if step % 20 == 0:
                velocity = rng.uniform([0, -0.1, -1], [0.25, 0.1, 1])
            true = world.compose(true, velocity * 0.1)
            pose, covariance = localiser.update(odometry.update(true), 0.1)
        error = pose - true
        error[2] = world.wrap_angle(error[2])
        scores.append(error @ np.linalg.solve(covariance, error))
    # Three dimensions: 3 if the covariance were exact.
    assert 1.5 < np.mean(scores) < 5.0


@pytest.mark.parametrize('start', [[0.0, 0.0], [0.0, 0.0, np.nan]])
def test_start_that_is_no_pose_is_refused(localiser, start):
    with pytest.raises(ValueError, match='three finite numbers'):
        localiser.reset(start, np.zeros(3))
