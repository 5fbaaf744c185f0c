"""Perception with several cameras: what belongs together, and which of them is believed."""

from functools import partial

import numpy as np
import pytest
from two_cameras import CONTRACT, FAR, NEAR, picture, ROBOT

from guda_ros.perception.further_cameras import FurtherCameras, TOGETHER
from guda_ros.perception.observer import Observer
from guda_ros.perception.pipeline import Perception, View

SECOND, MS = 1_000_000_000, 1_000_000
HERE = np.zeros(3)


class Clock:
    """A clock that stands until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def further(clock):
    return FurtherCameras(['top'], wait=0.15, clock=clock)


@pytest.fixture
def observer(clock):
    made = Observer(Perception(CONTRACT, ROBOT), wait=0.15, clock=clock)
    made.begin(SECOND, np.zeros(3))
    return made


def show(observer, stamp, ball=None, cameras=('bottom', 'top'), odom=HERE):
    """Send what the cameras see of a ball at a stamp, in the order of `cameras`."""
    observer.odometry(stamp, odom)
    answers = [observer.image(stamp, partial(picture, camera, ball), camera) for camera in cameras]
    return next((answer for answer in answers if answer is not None), None)


def test_an_image_waits_for_that_of_the_other_camera(further):
    assert further.at(SECOND) is None
    further.add('top', SECOND - 33 * MS, 'before')
    assert further.at(SECOND) is None
    further.add('top', SECOND, 'same')
    assert further.at(SECOND) == {'top': (SECOND, 'same')}


def test_of_images_with_a_clock_of_their_own_the_nearest_belongs_to_it(further):
    for shift in (-40, -7, 26):
        further.add('top', SECOND + shift * MS, shift)
    assert further.at(SECOND) == {'top': (SECOND - 7 * MS, -7)}
    # Nothing near enough, and what comes from now on is later still.
    assert further.at(SECOND - 200 * MS) == {}
    assert 7 * MS < TOGETHER * 1e9 < 26 * MS


def test_a_camera_that_sends_nothing_is_waited_for_once(further, clock):
    assert further.at(SECOND) is None
    clock.now = 0.2
    assert further.at(SECOND) == {} and further.silent == {'top'}
    assert further.at(2 * SECOND) == {}
    further.add('top', 3 * SECOND, 'back')
    assert further.silent == set() and further.at(3 * SECOND)['top'][1] == 'back'
    assert further.at(4 * SECOND) is None


def test_an_image_that_comes_again_takes_the_place_of_the_first(further):
    further.add('top', SECOND, 'first')
    further.add('top', 2 * SECOND, 'later')
    further.add('top', SECOND, 'again')
    assert further.at(SECOND) == {'top': (SECOND, 'again')}


@pytest.mark.parametrize('order', [('bottom', 'top'), ('top', 'bottom')])
@pytest.mark.parametrize('ball, camera', [(NEAR, 'bottom'), (FAR, 'top')])
def test_the_ball_is_seen_by_the_camera_that_looks_there(observer, ball, camera, order):
    observed = show(observer, SECOND, ball, order)
    assert observed.percept.camera == camera and observed.percept.used
    np.testing.assert_allclose(observed.percept.detection.position, ball, atol=0.02)
    np.testing.assert_allclose(observed.percept.ball.position, ball, atol=0.02)
    assert (observer.images, observer.answered, observer.seen) == (1, 1, 1)


def test_of_two_balls_the_one_whose_place_is_more_certain_is_believed():
    perception = Perception(CONTRACT, ROBOT)
    views = [View('top', picture('top', FAR), HERE), View('bottom', picture('bottom', NEAR), HERE)]
    percept = perception.see(views, HERE, 1.0)
    assert percept.camera == 'bottom'
    np.testing.assert_allclose(percept.detection.position, NEAR, atol=0.02)


def test_what_a_camera_saw_a_moment_before_is_told_of_the_robot_of_now():
    perception = Perception(CONTRACT, ROBOT)
    before, now = np.array([0.0, 0.0, 0.1]), np.array([0.05, 0.0, 0.15])
    views = [View('bottom', picture('bottom'), now), View('top', picture('top', FAR), before)]
    percept = perception.see(views, now, 1.0)
    cos, sin = np.cos(0.1), np.sin(0.1)
    place = np.array([[cos, -sin], [sin, cos]]) @ FAR
    np.testing.assert_allclose(percept.ball.position, place, atol=0.05)
    cos, sin = np.cos(0.15), np.sin(0.15)
    seen = np.array([[cos, sin], [-sin, cos]]) @ (place - now[:2])
    np.testing.assert_allclose(percept.detection.position, seen, atol=0.05)


@pytest.mark.parametrize('ball', [NEAR, FAR])
def test_a_ball_that_no_camera_sees_where_it_should_be_is_lost(observer, ball):
    for step in range(9):
        observed = show(observer, SECOND + 100 * MS * step, ball if step < 3 else None)
        assert observed.percept.ball.lost == (step >= 8)


def test_a_camera_that_shows_nothing_is_named_and_left_out(observer):
    observer.odometry(SECOND, HERE)
    observer.image(SECOND, lambda: np.zeros((480, 640, 3), np.uint8), 'top')
    observed = observer.image(SECOND, partial(picture, 'bottom', NEAR), 'bottom')
    assert observed.percept.camera == 'bottom' and observed.percept.detection is not None
    assert list(observer.faults) == ['top'] and 'black' in observer.faults['top']
    # The other way round, and then both.
    stamp = SECOND + 100 * MS
    observer.odometry(stamp, HERE)
    observer.image(stamp, partial(picture, 'top', FAR), 'top')
    observed = observer.image(stamp, lambda: np.zeros((48, 64, 3), np.uint8))
    assert observed.percept.camera == 'top' and '640x480' in observer.faults['bottom']
    stamp += 100 * MS
    observer.odometry(stamp, HERE)
    dark = np.zeros((480, 640, 3), np.uint8)
    observer.image(stamp, lambda: dark, 'top')
    with pytest.raises(ValueError, match='bottom: the picture is black.*top: the picture is bla'):
        observer.image(stamp, lambda: dark)


def test_without_images_of_the_other_camera_the_first_goes_on_alone(observer, clock):
    assert show(observer, SECOND, NEAR, ['bottom']) is None
    clock.now = 0.2
    observed = observer.next()
    assert observed.percept.detection is not None and observer.silent == ['top']
    assert show(observer, SECOND + 100 * MS, NEAR, ['bottom']) is not None


def test_an_episode_begins_without_images_of_the_one_before(observer):
    assert show(observer, SECOND, NEAR) is not None
    observer.begin(10 * SECOND, np.zeros(3))
    assert show(observer, 10 * SECOND, NEAR, ['bottom']) is None
    assert observer.image(10 * SECOND, partial(picture, 'top'), 'top').stamp == 10 * SECOND


def test_calibrations_are_each_camera_s_own_and_turn_with_the_head():
    perception = Perception(CONTRACT, ROBOT)
    assert perception.cameras == ('bottom', 'top') and perception.first == 'bottom'
    own = perception.camera_of('top')
    assert perception.camera is perception.camera_of('bottom') is not own
    perception.look(0.3, 0.2)
    turned = perception.camera_of('top')
    assert not np.allclose(turned.rotation, own.rotation)
    perception.set_camera(own, 'top')
    np.testing.assert_array_equal(perception.camera_of('top').rotation, turned.rotation)
    perception.look(0.0, 0.0)
    np.testing.assert_allclose(perception.camera_of('top').rotation, own.rotation)
