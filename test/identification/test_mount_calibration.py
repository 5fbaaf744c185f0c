"""Where a camera sits is found from lines and from a ball, with deviations that hold."""

from dataclasses import replace

import cv2
from mount_scene import CONTRACT, PROFILE, Twin, wrong
import numpy as np
from optional import missing
import pytest

from guda_ros.identification.cameras.intrinsics import CalibrationError
from guda_ros.identification.cameras.mount import (
    camera_of,
    fit_line_views,
    fit_places,
    Sight,
)
from guda_ros.soccer.field import Field
from guda_ros.soccer.field_lines import LineMap
from guda_ros.workflows.calibration.mount import find_ball

MOUNT, HEAD, BALL = PROFILE.lower_camera, PROFILE.head, CONTRACT.field.ball
LINES = LineMap(CONTRACT.field)
#: How the camera of these tests is off: pitch [rad], height [m], pan [rad].
OFF = (0.03, -0.012, 0.04)
#: Where it stands: near the corner of a goal area.
POSE = np.array([3.1, 0.4, 0.2])
BALLS = ((0.45, 0.0), (0.6, 0.3), (1.2, -0.3), (1.8, 0.5), (0.8, -0.5), (2.2, 0.0))


@pytest.fixture(scope='module')
def twin():
    if missing('drawing'):
        pytest.skip(missing('drawing'))
    made = Twin(wrong(*OFF[:2]), OFF[2])
    yield made
    made.close()


@pytest.fixture(scope='module')
def around(twin):
    return twin.look_around(POSE)


def ratios(fit, off=OFF):
    """Return errors of what was found in their deviations, by name."""
    truth = {
        'pitch': MOUNT.pitch + off[0],
        'height': MOUNT.position[2] + off[1],
        'roll': 0.0,
        'pan': off[2],
    }
    return {name: (fit.found[name] - truth[name]) / fit.deviations[name] for name in fit.found}


def with_balls(twin, places=BALLS, moved=0.0):
    """Return sights of balls; each lies `moved` [m] aside of where it is told to be."""
    sights = []
    for place in np.array(places):
        pan = np.arctan2(place[1], place[0])
        tilt = np.clip(np.arctan2(0.43, np.hypot(*place)) - 0.69, -0.6, 0.5)
        sight = twin.see(np.zeros(3), pan, float(tilt), ball=place)
        pixel = find_ball(sight.bgr, camera_of(MOUNT, HEAD, sight), BALL, place)
        assert pixel is not None
        side = moved if len(sights) % 2 else -moved
        sights.append(
            replace(
                sight,
                places=place[None] + [0.0, side],
                heights=np.array([BALL.radius]),
                pixels=pixel[None],
            )
        )
    return sights


def test_lines_tell_pitch_and_height_without_knowing_where_the_robot_stands(around):
    fit = fit_line_views(around, MOUNT, HEAD, LINES)
    found = ratios(fit)
    assert set(found) == {'pitch', 'height', 'roll'} and 'pan' in fit.why
    assert all(abs(ratio) < 3 for ratio in found.values())
    assert fit.deviations['pitch'] < 0.003 and fit.deviations['height'] < 0.005
    assert fit.mount.pitch == fit.found['pitch'] and fit.mount.position[0] == MOUNT.position[0]
    # The field looks the same from the other half.
    assert min(np.hypot(*(fit.poses[0] - sign * POSE)[:2]) for sign in (1, -1)) < 0.02


def test_where_the_robot_stands_tells_the_zero_of_the_pan(around):
    told = POSE + [0.01, -0.01, 0.01]
    fit = fit_line_views(around, MOUNT, HEAD, LINES, {0: told})
    found = ratios(fit)
    assert set(found) == {'pitch', 'height', 'roll', 'pan'} and not fit.why
    assert all(abs(ratio) < 3 for ratio in found.values())
    # It is known as well as the heading that somebody measured.
    assert 0.017 < fit.deviations['pan'] < 0.02


def test_a_robot_that_stands_elsewhere_than_it_was_told_is_refused(around):
    with pytest.raises(CalibrationError, match='does not lie on the lines of spl'):
        fit_line_views(around, MOUNT, HEAD, LINES, {0: (0.0, 0.0, 0.0)})


@pytest.mark.long
@pytest.mark.parametrize('name', ['kid_size', 'lab_half'])
def test_the_lines_of_another_field_are_refused(around, name):
    with pytest.raises(CalibrationError, match='is it that field|two places'):
        fit_line_views(around, MOUNT, HEAD, LineMap(Field.load(name)))


def test_balls_at_measured_places_tell_all(twin):
    fit = fit_places(with_balls(twin), MOUNT, HEAD)
    found = ratios(fit)
    assert {'pitch', 'height', 'pan'} <= set(found)
    assert all(abs(ratio) < 3 for ratio in found.values())
    assert fit.deviations['pitch'] < 0.009 and fit.deviations['pan'] < 0.02


def test_balls_that_lie_elsewhere_are_refused(twin):
    with pytest.raises(CalibrationError, match='do not fit each other.*between the feet'):
        fit_places(with_balls(twin, moved=0.15), MOUNT, HEAD)


def test_places_that_do_not_tell_all_are_refused_or_leave_the_rest(twin):
    sights = with_balls(twin, BALLS[:1] * 4)
    with pytest.raises(CalibrationError, match='does not tell .*height.*--partial'):
        fit_places(sights, MOUNT, HEAD)
    with pytest.raises(CalibrationError, match='3 known places are too few: 4'):
        fit_places(sights[:3], MOUNT, HEAD)
    fit = fit_places(sights, replace(MOUNT, position=wrong(*OFF[:2]).position), HEAD, partial=True)
    assert set(fit.found) == {'pitch', 'pan'} and fit.why['height'].startswith('left as it was')
    assert abs(fit.found['pitch'] - MOUNT.pitch - OFF[0]) < 3 * fit.deviations['pitch']


def test_pictures_without_lines_are_refused(around):
    with pytest.raises(CalibrationError, match='points of lines in .* pictures are too few'):
        fit_line_views(around[:3], MOUNT, HEAD, LINES)
    blank = [replace(sight, bgr=np.full_like(sight.bgr, 80)) for sight in around]
    with pytest.raises(CalibrationError, match='^0 points of lines in 0 of 10 pictures'):
        fit_line_views(blank, MOUNT, HEAD, LINES)


@pytest.mark.long
def test_a_robot_that_moved_meanwhile_is_refused(twin, around):
    elsewhere = twin.look_around(POSE + [-0.9, 0.7, 0.5])
    mixed = [sights[index % 2] for index, sights in enumerate(zip(around, elsewhere))]
    with pytest.raises(CalibrationError, match='did the robot stand still|two places'):
        fit_line_views(mixed, MOUNT, HEAD, LINES)


@pytest.mark.long
def test_a_camera_that_is_rolled_is_refused(around):
    turn = np.radians(4.0)
    height, width = around[0].bgr.shape[:2]
    middle = (width - 1) / 2, (height - 1) / 2
    matrix = cv2.getRotationMatrix2D(middle, np.degrees(turn), 1.0)
    rolled = [
        replace(sight, bgr=cv2.warpAffine(sight.bgr, matrix, (width, height), borderMode=1))
        for sight in around
    ]
    with pytest.raises(CalibrationError, match='the camera is rolled by -?[34]\\.'):
        fit_line_views(rolled, MOUNT, HEAD, LINES)


@pytest.mark.long
@pytest.mark.needs('drawing')
def test_the_errors_are_as_large_as_the_deviations_say():
    found = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        off = rng.uniform([-0.05, -0.02, -0.05], [0.05, 0.02, 0.05])
        pose = rng.uniform([2.6, -1.5, -0.5], [3.6, 1.5, 0.5])
        twin = Twin(wrong(*off[:2]), off[2])
        try:
            sights = twin.look_around(pose)
        finally:
            twin.close()
        told = pose + rng.normal(size=3) * [0.02, 0.02, np.radians(1.0)]
        fit = fit_line_views(sights, MOUNT, HEAD, LINES, {0: told})
        found.append([ratios(fit, off)[name] for name in ('pitch', 'height', 'pan')])
    found = np.abs(found)
    assert found.max() < 3.5 and (found < 2).mean() > 0.8
    # They are no excuse either.
    assert np.median(found) > 0.2


def test_a_sight_needs_no_known_places():
    sight = Sight('a', np.zeros((480, 640, 3), np.uint8), 0.1, 0.2)
    assert sight.places.shape == (0, 2) and sight.pixels.shape == (0, 2)
    seen = camera_of(MOUNT, HEAD, sight, (0.0, 0.0, 0.1, 0.0))
    level = camera_of(MOUNT, HEAD, sight)
    # A roll turns about the axis of view, and leaves that where it was.
    np.testing.assert_allclose(seen.rotation[2], level.rotation[2], atol=1e-12)
    np.testing.assert_allclose(seen.position, level.position)
    assert not np.allclose(seen.rotation[0], level.rotation[0])
