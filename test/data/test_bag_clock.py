"""Stamps of other people's bags: missing, wrong, of another clock, of a clock that is set."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from guda_ros.data.exchange.bag_clock import bag_times, ClockError

SECOND = 10**9
START = 1_700_000_000 * SECOND
YEAR = 365 * 86_400 * SECOND


def regular(count=200, period=0.05, start=START):
    return start + np.round(np.arange(count) * period * SECOND).astype(np.int64)


def test_right_stamps_stay_as_they_are_whatever_the_delay_of_the_recorder():
    stamps = regular()
    late = np.random.default_rng(0).uniform(0, 0.4, 200) * SECOND
    received = np.sort(stamps + late.astype(np.int64))
    found = bag_times({'pose': stamps}, {'pose': received})
    np.testing.assert_array_equal(found.times['pose'], stamps)
    assert found.kept['pose'].all() and found.problems == ()


@given(
    st.lists(st.integers(0, 199), min_size=1, max_size=20, unique=True),
    st.sampled_from([1, 100 * SECOND, START // 1000, START + 15 * YEAR, START - 20 * SECOND]),
    st.booleans(),
)
def test_wrong_stamps_among_right_ones_are_left_out_and_told(rows, wrong, other_clock):
    # Not so many side by side that they would be the neighbours.
    rows = [row for row in rows if not any(abs(row - other) < 10 for other in rows if other < row)]
    received = regular()
    stamps = received - (9 * 3600 * SECOND if other_clock else 0)
    expected = stamps.copy()
    stamps[rows] = wrong
    found = bag_times({'pose': stamps}, {'pose': received})
    assert sorted(np.flatnonzero(~found.kept['pose'])) == sorted(rows)
    np.testing.assert_array_equal(
        found.times['pose'][found.kept['pose']], np.delete(expected, rows)
    )
    assert any('far from' in problem for problem in found.problems)


@given(st.sets(st.integers(0, 199), min_size=1), st.integers(-10, 10))
def test_messages_without_a_stamp_count_from_their_reception(rows, hours):
    rows = sorted(rows)
    received = regular()
    away = hours * 3600 * SECOND
    stamps = received + away
    stamps[rows] = 0
    beside = {'ball': received + away}
    found = bag_times({'pose': stamps, **beside}, {'pose': received, 'ball': received})
    np.testing.assert_array_equal(found.times['pose'], received + away)
    assert found.kept['pose'].all()
    assert any('no stamp; taken at reception' in problem for problem in found.problems)


def test_simulated_time_may_begin_at_zero():
    stamps = regular(start=0)
    found = bag_times({'pose': stamps}, {'pose': stamps})
    np.testing.assert_array_equal(found.times['pose'], stamps)
    assert found.problems == ()


@pytest.mark.parametrize('first', [100 * SECOND, START - 2 * YEAR, START + YEAR])
@pytest.mark.parametrize('recorder_too', [True, False])
def test_where_a_clock_is_set_the_longer_stretch_is_kept_and_both_are_told(first, recorder_too):
    right, before = regular(120), regular(80, start=first)
    stamps = np.concatenate([before, right])
    received = stamps if recorder_too else regular(200, start=START - 4 * SECOND)
    order = np.argsort(received, kind='stable')
    found = bag_times({'pose': stamps[order]}, {'pose': received[order]})
    np.testing.assert_array_equal(found.times['pose'][found.kept['pose']], right)
    assert sum('the clock was set' in problem for problem in found.problems) == 1
    assert '4.0 s from' in found.problems[-1] and '6.0 s from 2023-11-14' in found.problems[-1]


def test_a_bag_of_more_than_a_day_is_refused_with_both_stamps():
    stamps = regular(100, period=1800.0)
    with pytest.raises(ClockError, match='from 2023-11-14 22:13:20 to 2023-11-16 23:43:20'):
        bag_times({'pose': stamps}, {'pose': stamps})
