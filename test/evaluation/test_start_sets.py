"""The sets of starts are the same for ever, and a person can find the places."""

import numpy as np
import pytest
import yaml

from guda_ros.errors import GudaError
from guda_ros.evaluation import start_sets
from guda_ros.evaluation.placing import (
    heading_in_words,
    place_in_words,
    placing_instructions,
)
from guda_ros.evaluation.start_sets import load_start_set, SITUATIONS, situations, starts_hash
from guda_ros.soccer.field import Field
from guda_ros.soccer.starts import fixed_starts

FIELD = Field.load('spl')


def write_set(path, starts, name='mine-v1'):
    path.write_text(yaml.safe_dump({'name': name, 'starts': starts}))
    return str(path)


def start(**changes):
    return {'robot': [1.0, 0.0], 'heading': 90, 'ball': [2.0, 0.5], 'scenario': 'near', **changes}


def test_a_shorter_list_is_the_beginning_of_the_set_and_has_its_hash():
    few, many = load_start_set('attack-v1', FIELD, 3), load_start_set('attack-v1', FIELD, 300)
    np.testing.assert_array_equal(few.starts, many.starts[:3])
    assert few.hash == many.hash
    np.testing.assert_array_equal(few.starts, fixed_starts('test', 3, FIELD))


def test_sets_of_other_purposes_share_no_start():
    rows = np.concatenate([load_start_set(name, FIELD).starts for name in start_sets.DRAWN])
    assert len(np.unique(rows, axis=0)) == len(rows)


def test_a_set_that_was_changed_is_refused(monkeypatch):
    def moved(purpose, count, field, scenario='attack'):
        starts = fixed_starts(purpose, count, field, scenario)
        starts[-1, 0] += 1e-5
        return starts

    monkeypatch.setattr(start_sets, 'fixed_starts', moved)
    with pytest.raises(GudaError, match='another version'):
        load_start_set('attack-v1', FIELD)


def test_the_hash_tells_names_and_places_apart_but_not_zeros():
    starts = np.array([[0.0, 1.0, 0.0, 2.0, 0.0]])
    assert starts_hash('a', starts) == starts_hash('a', -0.0 + starts * [-1, 1, 1, 1, -1])
    assert starts_hash('a', starts) != starts_hash('b', starts)
    assert starts_hash('a', starts) != starts_hash('a', starts + 2e-6)


def test_a_set_of_ones_own_is_read_in_metres_and_degrees(tmp_path):
    found = load_start_set(write_set(tmp_path / 'mine.yaml', [start()]), FIELD)
    np.testing.assert_allclose(found.starts, [[1.0, 0.0, np.pi / 2, 2.0, 0.5]])
    assert (found.name, found.scenarios) == ('mine-v1', ('near',))


@pytest.mark.parametrize(
    'starts, message',
    [
        ([], 'at least one start'),
        ('none', 'at least one start'),
        ([3], 'starts.0: a mapping is expected'),
        ([start(), start(heading=400)], 'starts.1.heading: 400'),
        ([start(robot=[1.0])], 'starts.0.robot: a list of 2 numbers'),
        ([start(speed=1)], 'starts.0.speed: is not a known key'),
        ([start(ball=[9.0, 0.0])], 'start 0: the ball is off the field'),
        ([start(ball=[1.1, 0.0])], 'start 0: the ball is in the robot'),
    ],
)
def test_what_is_wrong_with_a_set_is_named(tmp_path, starts, message):
    with pytest.raises(GudaError, match=message):
        load_start_set(write_set(tmp_path / 'mine.yaml', starts), FIELD)


def test_a_name_that_is_taken_unknown_sets_and_too_many_starts_are_refused(tmp_path):
    with pytest.raises(GudaError, match='belongs to another set'):
        load_start_set(write_set(tmp_path / 'a.yaml', [start()], 'attack-v1'), FIELD)
    with pytest.raises(GudaError, match="unknown set of starts 'attack-v9'; known: attack-v1"):
        load_start_set('attack-v9', FIELD)
    with pytest.raises(GudaError, match='has 12 starts, 13 are asked for'):
        load_start_set('placed-v1', FIELD, 13)


def test_placed_starts_are_the_published_ones_and_of_every_situation():
    placed = load_start_set('placed-v1', FIELD)
    # As published with version 1: a change needs another version.
    assert (len(placed), placed.hash) == (12, 'bbb0b3795f77844f')
    assert np.bincount(situations(placed.starts, FIELD)).tolist() == [4, 4, 4]


def test_the_starts_of_a_room_need_two_by_two_metres_and_are_of_every_situation():
    field = Field.load('lab_half')
    room = load_start_set('room-v1', field)
    points = room.starts[:, [0, 1, 3, 4]].reshape(-1, 2)
    assert np.abs(points[:, 1]).max() <= 1 and points[:, 0].min() >= field.goal_line - 2
    assert np.bincount(situations(room.starts, field)).tolist() == [2, 2, 2]


def test_situations_say_where_the_robot_is_seen_from_the_ball():
    ball = (2.0, 0.0)
    rows = [(1.0, 0.0, 0.0, *ball), (2.0, 1.0, 0.0, *ball), (3.0, 0.0, 0.0, *ball)]
    names = [SITUATIONS[index][0] for index in situations(np.array(rows), FIELD)]
    assert names == ['behind the ball', 'beside the ball', 'ahead of the ball']


def test_places_are_told_by_lines_and_marks():
    # On a 9 x 6 m field the goal line is at x = 4.5, the penalty mark 1.3 m before it.
    assert place_in_words(3.2, 0.0, FIELD) == 'on the penalty mark'
    assert place_in_words(4.0, 0.4, FIELD).startswith(
        "0.50 m in front of the opponents' goal line, 0.40 m left of the middle"
    )
    # sqrt(.25 + .35^2) = .61 m from the post at y = .75
    assert '(0.61 m from the left goal post)' in place_in_words(4.0, 0.4, FIELD)
    assert place_in_words(1.0, -2.5, FIELD).startswith(
        '1.00 m beyond the halfway line, 0.50 m inside the right side line'
    )
    assert place_in_words(-0.2, 0.0, FIELD).startswith(
        '0.20 m before the halfway line, on the middle'
    )


def test_headings_are_told_from_the_opponents_goal():
    assert heading_in_words(0.0) == "looks straight at the opponents' goal line"
    assert heading_in_words(-np.pi) == heading_in_words(np.pi) == 'looks at its own goal line'
    assert heading_in_words(np.pi / 4) == (
        "turned 45 degrees to the left from the opponents' goal"
    )


def test_the_check_tells_the_ball_as_the_robot_sees_it():
    # Robot at the penalty mark looking left; a ball .3 m toward the goal is at its right.
    lines = placing_instructions((3.2, 0.0, np.pi / 2, 3.5, 0.0), FIELD)
    assert lines[-1].endswith('0.30 m from the middle of the robot, 90 degrees to its right')
    lines = placing_instructions((3.2, 0.0, np.pi, 4.2, 0.0), FIELD)
    assert lines[-1].endswith('1.00 m from the middle of the robot, right behind it')
