"""Lines of fields as segments, and distances from them."""

import numpy as np
import pytest

from guda_ros.soccer.field import Field
from guda_ros.soccer.field_lines import line_segments, LineMap

FIELDS = ['spl', 'kid_size', 'lab_half']


@pytest.mark.parametrize('name', FIELDS)
def test_distance_is_that_of_the_nearest_of_many_points_on_the_lines(name):
    lines = LineMap(Field.load(name))
    ends = line_segments(lines.field)
    share = np.linspace(0, 1, 400)[:, None]
    dense = np.concatenate([start + (end - start) * share for start, end in ends])
    points = np.random.default_rng(1).uniform(-4, 4, size=(300, 2))
    distance, normal = lines.nearest(points)
    brute = np.linalg.norm(points[:, None] - dense, axis=-1).min(axis=1)
    np.testing.assert_allclose(np.abs(distance), brute, atol=0.015)
    np.testing.assert_allclose(np.linalg.norm(normal, axis=1), 1.0)
    # Against its direction by its length is the line.
    np.testing.assert_allclose(
        lines.nearest(points - normal * distance[:, None])[0], 0.0, atol=1e-9
    )


@pytest.mark.parametrize('name', FIELDS)
def test_distances_from_the_raster_are_true_to_half_a_cell(name):
    lines = LineMap(Field.load(name))
    points = np.random.default_rng(2).uniform(-9, 9, size=(3000, 2))
    exact = np.minimum(np.abs(lines.nearest(points)[0]), lines.reach)
    np.testing.assert_allclose(lines.distances(points), exact, atol=0.05 / np.sqrt(2) + 1e-6)


def test_a_field_with_two_goals_looks_the_same_from_the_other_side_and_a_half_field_does_not():
    points = np.random.default_rng(3).uniform(-5, 5, size=(500, 2))
    spl, half = LineMap(Field.load('spl')), LineMap(Field.load('lab_half'))
    np.testing.assert_allclose(
        np.abs(spl.nearest(points)[0]), np.abs(spl.nearest(-points)[0]), atol=1e-9
    )
    assert not np.allclose(np.abs(half.nearest(points)[0]), np.abs(half.nearest(-points)[0]))
