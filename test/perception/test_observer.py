"""Images, odometry and the head's angles are brought together by their stamps."""

import numpy as np
from perception_scenes import CONTRACT, PROFILE
import pytest

from guda_ros.perception.observer import LATE, Observer
from guda_ros.perception.pipeline import Perception

SECOND = 1_000_000_000
GREEN = np.full((PROFILE.camera.height, PROFILE.camera.width, 3), (40, 90, 30), dtype=np.uint8)
HERE = np.array([0.1, 0.0, 0.0])


@pytest.fixture
def observer():
    made = Observer(Perception(CONTRACT, PROFILE))
    made.begin(SECOND, np.zeros(3))
    return made


def grass():
    return GREEN


def damaged():
    raise ValueError('image encoding yuv is not known')


@pytest.mark.parametrize('image_first', [True, False])
def test_image_and_odometry_of_one_stamp_are_answered_together(observer, image_first):
    takes = [lambda: observer.image(SECOND, grass), lambda: observer.odometry(SECOND, HERE)]
    first, second = takes if image_first else reversed(takes)
    assert first() is None
    observed = second()
    assert observed.stamp == SECOND and observed.image is GREEN
    np.testing.assert_array_equal(observed.odom_pose, HERE)
    assert (observer.images, observer.answered) == (1, 1)


def test_an_image_is_not_decoded_before_its_odometry_is_there(observer):
    assert observer.image(SECOND, damaged) is None


def test_a_repeated_pair_gets_the_same_answer_without_more_work(observer):
    observer.image(SECOND, grass)
    first = observer.odometry(SECOND, HERE)
    observer.image(SECOND, damaged)
    again = observer.odometry(SECOND, HERE)
    assert again.percept is first.percept and again.image is None
    assert observer.answered == 1


def test_stragglers_of_the_episode_before_are_left_out(observer):
    observer.image(SECOND - 1, grass)
    assert observer.odometry(SECOND - 1, HERE) is None


def test_an_image_older_than_the_last_answer_gets_none(observer):
    for stamp in (2 * SECOND, SECOND):
        observer.image(stamp, grass)
        observed = observer.odometry(stamp, HERE)
    assert observed is None and observer.latest.stamp == 2 * SECOND


@pytest.mark.parametrize(
    'decode, pose, complaint',
    [
        (damaged, HERE, 'an image was ignored: image encoding yuv'),
        (grass, np.array([0.0, np.nan, 0.0]), 'an odometry that is not finite was ignored'),
    ],
)
def test_what_cannot_be_used_is_named_and_the_next_image_is_answered(
    observer, decode, pose, complaint
):
    observer.image(SECOND, decode)
    with pytest.raises(ValueError, match=complaint):
        observer.odometry(SECOND, pose)
    observer.image(2 * SECOND, grass)
    assert observer.odometry(2 * SECOND, HERE).stamp == 2 * SECOND


@pytest.mark.parametrize('delay, late', [(LATE - 0.1, False), (LATE + 0.1, True)])
def test_who_joins_an_episode_late_knows_no_pose_and_says_so(observer, delay, late):
    stamp = SECOND + round(delay * SECOND)
    observer.image(stamp, grass)
    observed = observer.odometry(stamp, HERE)
    assert (observed.percept.pose_covariance[0, 0] > 1000) == late
    assert ('late' in observer.astray) == late


@pytest.mark.parametrize('level, word', [(0, 'black'), (255, 'white')])
def test_a_picture_that_shows_nothing_is_not_answered(observer, level, word):
    observer.image(SECOND, lambda: np.full_like(GREEN, level))
    with pytest.raises(ValueError, match=word):
        observer.odometry(SECOND, HERE)
    observer.image(2 * SECOND, grass)
    assert observer.odometry(2 * SECOND, HERE).stamp == 2 * SECOND


def test_the_head_is_where_it_was_at_the_time_of_the_image():
    perception = Perception(CONTRACT, PROFILE)
    observer = Observer(perception)
    observer.head(SECOND, 0.3, 0.1)
    observer.head(2 * SECOND, -0.5, 0.0)
    observer.image(SECOND + 1, grass)
    observer.odometry(SECOND + 1, HERE)
    turned = perception.camera.rotation
    perception.look(0.3, 0.1)
    np.testing.assert_array_equal(perception.camera.rotation, turned)
    perception.look(-0.5, 0.0)
    assert not np.array_equal(perception.camera.rotation, turned)


@pytest.mark.parametrize('seed', range(5))
def test_joints_told_apart_and_in_any_order_count_each_by_its_newest_angle(seed):
    rng = np.random.default_rng(seed)
    perception = Perception(CONTRACT, PROFILE)
    observer = Observer(perception)
    told = [(SECOND - 10**7, 0.3, None), (SECOND - 2 * 10**7, None, 0.1), (SECOND + 1, 0.9, None)]
    for index in rng.permutation(3):
        observer.head(*told[index])
    observer.head(SECOND - 1, None, np.nan)
    observer.image(SECOND, grass)
    observer.odometry(SECOND, HERE)
    turned = perception.camera.rotation
    perception.look(0.3, 0.1)
    np.testing.assert_array_equal(perception.camera.rotation, turned)


def test_an_episode_begins_without_a_memory_of_the_one_before(observer):
    observer.image(3 * SECOND, grass)
    observer.odometry(3 * SECOND, HERE)
    observer.begin(SECOND, None)
    assert observer.latest is None
    observer.image(SECOND, grass)
    assert observer.odometry(SECOND, HERE) is not None
