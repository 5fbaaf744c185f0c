"""Detector, tracker and localiser together on images of the simulated camera."""

import numpy as np
from perception_scenes import CAMERA, CONTRACT, open_scenes, PROFILE, RADIUS
import pytest

from guda_ros.perception.debug_image import draw_percept
from guda_ros.perception.pipeline import Perception
from guda_ros.soccer import world

START = np.array([1.0, 0.5, -0.4])


@pytest.fixture(scope='module')
def scenes():
    yield from open_scenes()


@pytest.fixture
def perception():
    made = Perception(CONTRACT, PROFILE)
    made.reset(START)
    return made


def look(perception, scenes, robot, ball, stamp):
    """Process what is seen, with an odometry that has no error and began at START."""
    return perception.process(scenes.image(robot, ball), world.relative_pose(robot, START), stamp)


def test_ball_and_pose_in_map_come_out_right(perception, scenes):
    ball = world.from_frame(np.array([1.2, 0.3]), START)
    robot = START.copy()
    for step in range(8):
        percept = look(perception, scenes, robot, ball, 0.1 * step)
        np.testing.assert_allclose(percept.pose, robot, atol=1e-9)
        # In odom, whose origin is the start.
        np.testing.assert_allclose(percept.ball.position, [1.2, 0.3], atol=0.01)
        assert percept.used
        robot = world.compose(robot, np.array([0.02, 0.01, 0.15]))
    assert np.hypot(*percept.ball.velocity) < 0.05


def test_ball_that_leaves_the_view_is_held_in_odom(perception, scenes):
    ball = world.from_frame(np.array([1.2, 0.3]), START)
    look(perception, scenes, START, ball, 0.0)
    away = START + [0.0, 0.0, np.pi]
    for step in range(1, 40):
        percept = look(perception, scenes, away, ball, 0.1 * step)
        assert percept.detection is None and not percept.ball.lost
    np.testing.assert_allclose(percept.ball.position, [1.2, 0.3], atol=0.02)
    for step in range(40, 42):
        percept = look(perception, scenes, away, ball, 0.1 * step)
    assert percept.ball.lost


def test_ball_that_is_gone_from_where_the_camera_looks_is_lost_soon(perception, scenes):
    look(perception, scenes, START, world.from_frame(np.array([1.2, 0.3]), START), 0.0)
    gone = world.from_frame(np.array([-1.0, 0.0]), START)
    steps = 0
    while not look(perception, scenes, START, gone, 0.1 * (steps + 1)).ball.lost:
        steps += 1
        assert steps < 8
    assert steps >= 3


def test_reset_forgets_ball_and_pose(perception, scenes):
    look(perception, scenes, START, world.from_frame(np.array([1.2, 0.3]), START), 0.0)
    perception.reset(None)
    percept = look(perception, scenes, START, world.from_frame(np.array([-1.2, 0.3]), START), 5.0)
    assert percept.ball.lost
    assert percept.pose_covariance[0, 0] >= 1e3


def test_time_that_runs_backwards_starts_a_new_track(perception, scenes):
    ball = world.from_frame(np.array([1.2, 0.3]), START)
    look(perception, scenes, START, ball, 100.0)
    percept = look(perception, scenes, START, ball, 1.0)
    assert percept.ball.time_since_seen == 0.0


def test_debug_image_draws_round_the_ball_and_leaves_it_visible(perception, scenes):
    ball = world.from_frame(np.array([0.6, 0.1]), START)
    image = scenes.image(START, ball)
    percept = look(perception, scenes, START, ball, 0.0)
    drawn = draw_percept(image, CAMERA, RADIUS, percept.detection, percept.ball, np.zeros(3))
    changed = (drawn != image).any(axis=2)
    column, row = np.round(percept.detection.pixel).astype(int)
    assert not changed[row, column]
    near = changed[row - 20 : row + 21, column - 20 : column + 21]
    assert 40 < near.sum() < 400
