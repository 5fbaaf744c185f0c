"""Detectors are judged by series and size in pictures, by distance and covariance in renders."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from guda_ros.perception.ball_network import BallFind, load_network
from guda_ros.perception_training import judging
from guda_ros.perception_training.judging import Judged, Measured
from guda_ros.perception_training.labelled import Picture
from guda_ros.perception_training.renders import read_renders, write_renders


def find(box, score):
    return BallFind(np.array(box, dtype=float), score, 1.0)


def judged(series, boxes, finds, right):
    return Judged(
        Path(series), series, np.array(boxes, float).reshape(-1, 4), finds, np.array(right)
    )


SMALL, LARGE, ELSEWHERE = [0, 0, 10, 10], [50, 50, 110, 110], [200, 200, 212, 212]
PICTURES = [
    judged('walk', [SMALL], [find(SMALL, 0.9)], [0]),
    judged('walk', [LARGE], [find(LARGE, 0.8), find(ELSEWHERE, 0.7)], [0, -1]),
    judged('dark', [SMALL], [], np.zeros(0, int)),
]


def test_numbers_are_told_apart_by_series_and_size():
    numbers = judging.summary(PICTURES)
    assert numbers['all']['balls'] == 3 and numbers['all']['recall'] == pytest.approx(2 / 3)
    assert numbers['threshold'] == 0.8
    assert numbers['series']['dark']['ap'] == 0 and numbers['series']['walk']['pictures'] == 2
    # The wrong find is small: it lowers the precision of small balls only.
    sizes = numbers['diameter']
    assert sizes['0 to 12']['balls'] == 2 and sizes['48 to 96']['ap'] == pytest.approx(1)
    assert sizes['12 to 24']['balls'] == 0 and np.isnan(sizes['12 to 24']['ap'])


def test_the_worst_cases_are_sure_false_balls_and_large_missed_ones():
    cases = judging.worst(PICTURES, 0.5, 5)
    assert [(text, case.series) for text, case in cases] == [
        ('false ball', 'walk'),
        ('missed ball', 'dark'),
    ]
    # Above the false ball's score nothing is false, and what is found with less is missed.
    assert [text for text, _ in judging.worst(PICTURES, 0.85, 5)] == ['missed ball'] * 2


def measured(distance, score, right, error=0.02, squared=1.0):
    return Measured(
        Path('x'), distance, np.isfinite(distance), score, right, error, squared, False
    )


def test_renders_are_told_apart_by_distance_and_errors_by_what_the_covariance_says():
    rows = [measured(1.0, 0.9, True, 0.02, s) for s in (0.1, 1.0, 3.0, 8.0)]
    rows += [measured(5.0, 0.8, True, 0.5, 20.0), measured(5.0, np.nan, False)]
    rows += [measured(np.nan, 0.3, False), measured(np.nan, np.nan, False)]
    numbers = judging.renders_summary(rows)
    assert numbers['threshold'] == 0.8 and numbers['balls'] == 6
    near, far = numbers['distance'].values()
    assert near == {'balls': 4, 'recall': 1.0, 'relative_error': pytest.approx(0.02)}
    assert far == {'balls': 2, 'recall': 0.5, 'relative_error': pytest.approx(0.1)}
    # -2 ln(1 - p): 1.39, 4.61, 9.21.
    assert numbers['inside'] == {'0.5': 2 / 5, '0.9': 3 / 5, '0.99': 4 / 5}


def test_a_blank_picture_gives_nothing_and_a_missed_ball_is_counted(tmp_path):
    path = tmp_path / 'a.png'
    cv2.imwrite(str(path), np.full((480, 640, 3), 90, np.uint8))
    (one,) = judging.judge_pictures(
        load_network(), [Picture(path, 'blank', np.array([[0.5, 0.5, 0.1, 0.1]]))]
    )
    assert one.matches.balls == 1 and len(one.finds) == 0


@pytest.mark.needs('drawing')
@pytest.mark.long
def test_balls_in_scenes_that_no_training_saw_are_found_as_well_as_the_page_says(tmp_path):
    """The bounds are a little below what docs/perception.md tells of more pictures."""
    write_renders(tmp_path, 'test', 480, seed=99)
    for deviation in (0.0, 0.004):
        numbers = judging.renders_summary(
            judging.measure_renders(load_network(), read_renders(tmp_path), deviation)
        )
        near, far = numbers['distance'].values()
        assert near['recall'] > 0.5 and far['recall'] > 0.2
        assert numbers['relative_error'] < 0.04
        # A chi-square distribution with two degrees of freedom.
        assert 0.35 < numbers['inside']['0.5'] < 0.75
        assert 0.75 < numbers['inside']['0.9'] < 0.98
