"""A head that looks by itself keeps the ball in view, and searches a ball that is lost."""

from dataclasses import replace

import numpy as np
import pytest

from guda_ros.perception.camera import CameraModel
from guda_ros.perception.field_of_view import in_view
from guda_ros.perception.gaze import Gaze
from guda_ros.soccer.robot import RobotProfile

NAO = RobotProfile.load('nao_v6_real')
CAMERAS = [CameraModel.from_mount(mount) for mount in NAO.eyes.values()]
RADIUS, PERIOD = 0.05, 0.1
NOTHING = np.full((1, 2), np.nan)


def place(distance, bearing):
    return distance * np.array([np.cos(bearing), np.sin(bearing)])


def sees(ball, angles, head=NAO.head, cameras=CAMERAS):
    return in_view(cameras, head, np.append(ball, RADIUS)[None], np.atleast_2d(angles))[0]


def watch(gaze, ball, steps=30, unseen=0.0):
    """Return where the head looks after some steps (2,)."""
    for _ in range(steps):
        angles = gaze.turn(np.atleast_2d(ball), np.array([unseen]), PERIOD)
    return angles[0]


@pytest.mark.parametrize('tilt', [-0.3, 0.0, 0.4])
@pytest.mark.parametrize('pan', [-1.0, 0.0, 0.7])
def test_what_is_in_view_is_what_the_turned_cameras_project_into_their_pictures(pan, tilt):
    rng = np.random.default_rng(3)
    points = np.column_stack([rng.uniform(-3, 3, (500, 2)), np.full(500, RADIUS)])
    expected = np.zeros(500, dtype=bool)
    for camera in CAMERAS:
        expected |= camera.turned(NAO.head, pan, tilt).project(points)[1]
    found = in_view(CAMERAS, NAO.head, points, np.tile([pan, tilt], (500, 1)))
    np.testing.assert_array_equal(found, expected)
    assert 10 < expected.sum() < 490


@pytest.mark.parametrize('distance', [0.16, 0.3, 0.6, 1.0, 1.5, 3.0, 5.0])
@pytest.mark.parametrize('bearing', [-1.8, -0.6, 0.0, 1.2])
def test_a_known_ball_comes_into_view_wherever_it_is_before_the_robot(distance, bearing):
    ball = place(distance, bearing)
    assert sees(ball, watch(Gaze(NAO, RADIUS), ball))


def test_at_the_feet_a_head_that_does_not_look_sees_no_ball_and_one_that_looks_does():
    ball = place(0.17, 0.0)
    assert not sees(ball, np.zeros(2))
    assert sees(ball, watch(Gaze(NAO, RADIUS), ball))


def test_the_head_never_leaves_its_limits_or_turns_faster_than_it_may():
    gaze, rng = Gaze(NAO, RADIUS), np.random.default_rng(1)
    before = np.zeros(2)
    for step in range(300):
        if step % 20 == 0:
            ball = place(rng.uniform(0.1, 6), rng.uniform(-np.pi, np.pi))
        angles = gaze.turn(ball[None], np.array([0.0 if step % 60 < 40 else 9.0]), PERIOD)[0]
        assert np.all(np.abs(angles - before) <= NAO.head.gaze.speed * PERIOD + 1e-9)
        for angle, (low, high) in zip(angles, (NAO.head.pan, NAO.head.tilt)):
            assert low - 1e-9 <= angle <= high + 1e-9
        before = angles


def test_an_unseen_ball_is_looked_at_for_a_while_and_then_searched():
    ball = place(1.0, 0.5)
    gaze = Gaze(NAO, RADIUS)
    at_it = watch(gaze, ball)
    np.testing.assert_allclose(watch(gaze, ball, unseen=0.9), at_it)
    looks = [watch(gaze, ball, 1, unseen=1.1)[0] for _ in range(40)]
    rule = NAO.head.gaze
    assert min(looks) < -0.8 * rule.sweep and max(looks) > 0.8 * rule.sweep
    np.testing.assert_allclose(watch(gaze, ball), at_it)


def test_a_ball_that_never_was_seen_is_searched_to_the_left_first_and_all_around():
    gaze = Gaze(NAO, RADIUS)
    looks = np.array([watch(gaze, NOTHING, 1, np.inf) for _ in range(60)])
    assert looks[3, 0] > 0 and np.isfinite(looks).all()
    bearings, reach = np.linspace(-1.3, 1.3, 27), NAO.head.gaze.sweep
    for bearing in bearings:
        for distance in (0.4, 1.0, 3.0):
            assert any(sees(place(distance, bearing), look) for look in looks), (distance, bearing)
    assert abs(looks[:, 0]).max() <= reach + 1e-9


def test_robots_have_heads_of_their_own_and_a_reset_looks_ahead():
    gaze = Gaze(NAO, RADIUS, count=3)
    balls = np.array([place(1.0, 0.8), place(1.0, -0.8)])
    for _ in range(20):
        gaze.turn(balls, np.zeros(2), PERIOD, np.array([0, 2]))
    assert gaze.angles[0, 0] > 0.5 and gaze.angles[2, 0] < -0.5
    np.testing.assert_array_equal(gaze.angles[1], 0.0)
    gaze.reset()
    np.testing.assert_array_equal(gaze.angles, 0.0)


def test_a_robot_with_one_camera_tilts_that_one():
    one = replace(NAO, other_cameras={}, camera=NAO.cameras['top'])
    near, far = (watch(Gaze(one, RADIUS), place(d, 0.0)) for d in (0.5, 3.0))
    assert near[1] > far[1] > 0


def test_a_head_without_the_rule_does_not_look_by_itself():
    with pytest.raises(ValueError, match='head.gaze'):
        Gaze(RobotProfile.load('nao_v6'), RADIUS)
