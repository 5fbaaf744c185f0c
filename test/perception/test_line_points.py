"""Points on lines in rendered images, where the truth is known, and in images without lines."""

import numpy as np
from perception_scenes import CAMERA, CONTRACT, random_robot, Scenes
import pytest

from guda_ros.perception.line_points import LineFinder
from guda_ros.soccer import world
from guda_ros.soccer.field_lines import LineMap

LINES = LineMap(CONTRACT.field)


@pytest.fixture(scope='module')
def finder():
    return LineFinder(CAMERA, CONTRACT.field.line_width)


@pytest.mark.needs('mujoco')
def test_points_lie_on_the_middles_of_lines(finder):
    scenes, rng = Scenes(), np.random.default_rng(4)
    found, near = [], []
    for _ in range(12):
        robot = random_robot(rng)
        points = finder.find(scenes.image(robot, rng.uniform([-4, -2.5], [4, 2.5])))
        distance = np.abs(LINES.nearest(world.from_frame(points.places, robot))[0])
        found += (distance < 3 * points.deviations).tolist()
        near += distance[points.deviations < 0.05].tolist()
    assert len(found) > 12 * 60 and np.mean(found) > 0.96
    assert np.median(near) < 0.01 and np.percentile(near, 95) < 0.04


def test_carpet_noise_and_a_white_wall_have_no_lines(finder):
    carpet = np.full((CAMERA.height, CAMERA.width, 3), (40, 90, 30), dtype=np.uint8)
    assert len(finder.find(carpet)) == 0
    noise = np.random.default_rng(0).normal(0, 6, carpet.shape)
    assert len(finder.find((carpet + noise).clip(0, 255).astype(np.uint8))) == 0
    wall = carpet.copy()
    wall[:, 100:] = 255
    assert len(finder.find(wall)) == 0


def test_an_image_of_another_size_is_refused(finder):
    with pytest.raises(ValueError, match='400x300'):
        finder.find(np.zeros((10, 10, 3), dtype=np.uint8))
