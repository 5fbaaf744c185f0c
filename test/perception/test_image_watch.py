"""Cameras that show nothing, or nothing new."""

import numpy as np
import pytest

from guda_ros.perception.image_watch import ImageWatch

RNG = np.random.default_rng(3)
SCENE = RNG.integers(0, 256, (480, 640, 3), dtype=np.uint8)
STOOD = np.zeros(3)


def noisy(level: int) -> np.ndarray:
    """A picture of a camera that sees one brightness and has noise, and a few hot pixels."""
    picture = np.clip(RNG.normal(level, 2.0, SCENE.shape), 0, 255).astype(np.uint8)
    picture[::97, ::89] = 255 - level
    return picture


@pytest.mark.parametrize('level, word', [(0, 'black'), (4, 'black'), (255, 'white')])
def test_a_camera_that_shows_nothing_is_told(level, word):
    assert word in ImageWatch().fault(noisy(level), STOOD)


@pytest.mark.parametrize('level', [25, 60, 128, 230])
def test_a_dark_a_bright_and_a_plain_picture_are_pictures(level):
    assert ImageWatch().fault(noisy(level), STOOD) == ''


@pytest.mark.parametrize('step', [(0.05, 0, 0), (0, -0.05, 0), (0, 0, 0.2)])
def test_a_frozen_camera_is_told_once_the_robot_must_see_something_else(step):
    watch = ImageWatch()
    said = [watch.fault(SCENE, np.array(step) * count) for count in range(20)]
    first = next(index for index, text in enumerate(said) if text)
    assert 5 <= first <= 8 and all('frozen' in text for text in said[first:])
    other = SCENE.copy()
    other[77, 333, 1] ^= 1
    assert watch.fault(other, np.array(step) * 20) == ''


def test_a_robot_that_stands_sees_the_same_as_long_as_it_likes():
    watch = ImageWatch()
    assert not any(watch.fault(SCENE, STOOD) for _ in range(50))


def test_plain_carpet_looks_the_same_everywhere():
    watch, carpet = ImageWatch(), np.empty((480, 640, 3), dtype=np.uint8)
    carpet[...] = 40, 90, 30
    assert not any(watch.fault(carpet, np.array([0.1 * step, 0, 0])) for step in range(20))


def test_after_a_reset_the_next_picture_is_new():
    watch = ImageWatch()
    watch.fault(SCENE, STOOD)
    watch.reset()
    assert watch.fault(SCENE, np.array([3.0, 0, 0])) == ''
