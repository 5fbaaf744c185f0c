"""The shortest way round an object to where it is pushed from: directions and lengths."""

from hypothesis import example, given
from hypothesis import strategies as some
import numpy as np
import pytest

from guda_ros.augmentation.values.detour import along_direction, detour_direction, detour_length

CLEARANCE, ALIGNED, CONTACT = 0.2, np.radians(15), 0.15


@given(far=some.floats(0.16, 6), bearing=some.floats(-np.pi, np.pi))
@example(far=1.0, bearing=0.0)
def test_the_way_leads_behind_and_hits_along_the_push(far, bearing):
    place = far * np.array([[np.cos(bearing), np.sin(bearing)]])
    expected = detour_length(*place.T, CLEARANCE, ALIGNED, rear=CONTACT)[0]
    length = 0.0
    while np.hypot(*place[0]) >= CONTACT:
        way = detour_direction(*place.T, CLEARANCE, ALIGNED)
        place = place + 0.002 * np.stack([np.cos(way), np.sin(way)], axis=1)
        length += 0.002
        assert length <= far + np.pi * CLEARANCE + 0.1
    hit = np.arctan2(-place[0, 1], -place[0, 0])
    assert abs(hit) <= ALIGNED + np.radians(1)
    # The last piece of the arc, from where it is aligned, is cut off; inside the circle more.
    assert length <= expected + 0.02
    assert far < CLEARANCE or length >= expected - 0.13


@pytest.mark.parametrize(
    'place, length',
    [
        ((-1.0, 0.0), 0.85),  # behind: straight on
        ((-0.15, 0.0), 0.0),
        ((-0.2, 1.0), np.hypot(0.05, 1.0)),  # past the object already
        # In front: a tangent, an arc of 180 - acos(.2 / 1) degrees, and on to the contact.
        ((1.0, 0.0), np.sqrt(1 - 0.04) + 0.2 * (np.pi - np.arccos(0.2)) + 0.05),
    ],
)
def test_lengths_of_ways_that_geometry_gives(place, length):
    found = detour_length(*np.array([place]).T, CLEARANCE, ALIGNED, rear=CONTACT)
    assert found[0] == pytest.approx(length)


def test_places_are_seen_along_the_way_of_the_object():
    places, way = np.array([[1.0, 2.0], [1.0, 2.0]]), np.array([[0.0, 1.0], [-1.0, 0.0]])
    np.testing.assert_allclose(np.stack(along_direction(places, way)), [[2, -1], [-1, -2]])
