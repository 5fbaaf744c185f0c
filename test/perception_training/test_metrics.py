"""Average precision and recall against cases that were computed by hand."""

import numpy as np
import pytest

from guda_ros.perception_training.metrics import joined, match, Matches


def of(scores, right, balls):
    return Matches(np.array(scores, dtype=float), np.array(right, dtype=bool), balls)


def test_average_precision_is_that_of_a_case_computed_by_hand():
    # Right, wrong, right, right of five balls: precision 1, 1/2, 2/3, 3/4
    # at recalls .2, .2, .4, .6.
    # The best at a recall or more: 1 up to .2, 3/4 up to .6, nothing above. Of the 101 recalls 21
    # are at most .2, 40 at most .6.
    matches = of([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 1], 5)
    assert matches.average_precision() == pytest.approx((21 * 1 + 40 * 0.75) / 101)


def test_a_perfect_detector_has_one_and_a_blind_one_nothing():
    assert of([0.5, 0.4], [1, 1], 2).average_precision() == pytest.approx(1)
    assert of([], [], 3).average_precision() == 0
    assert np.isnan(of([0.5], [0], 0).average_precision())


def test_recall_at_a_precision_is_the_highest_of_all_thresholds():
    # Precision after each: 1, 1/2, 2/3, 3/4, 3/5.
    matches = of([0.9, 0.8, 0.7, 0.6, 0.5], [1, 0, 1, 1, 0], 4)
    assert matches.recall_at(0.7) == (0.75, 0.6)
    assert matches.recall_at(1.0) == (0.25, 0.9)
    assert of([0.9], [0], 2).recall_at(0.5) == (0.0, 1.0)


def test_finds_of_one_score_come_together():
    matches = of([0.9, 0.9, 0.9], [1, 0, 0], 1)
    assert matches.recall_at(0.9) == (0.0, 1.0)
    assert matches.recall_at(0.3)[0] == 1.0


def test_the_surer_of_two_finds_is_the_ball_and_the_other_is_wrong():
    ball = np.array([[10.0, 10.0, 30.0, 30.0]])
    boxes = np.array([[10.0, 10, 30, 29], [11.0, 10, 30, 30], [50.0, 50, 60, 60]])
    assert match(boxes, [0.6, 0.9, 0.8], ball).tolist() == [-1, 0, -1]


def test_a_box_that_overlaps_less_than_half_is_no_find():
    ball = np.array([[0.0, 0.0, 10.0, 10.0]])
    # 10 x 6 of 100: an overlap of .6; 10 x 4: .4.
    assert match(np.array([[0.0, 0, 10, 6]]), [0.5], ball).tolist() == [0]
    assert match(np.array([[0.0, 0, 10, 4]]), [0.5], ball).tolist() == [-1]


def test_matches_of_pictures_add_up():
    both = joined([of([0.9], [1], 2), of([], [], 1), of([0.4], [0], 0)])
    assert both.balls == 3 and both.scores.tolist() == [0.9, 0.4]
    assert joined([]).balls == 0
