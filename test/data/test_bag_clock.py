"""Stamps of other people's bags: missing, wrong, of another clock, of a clock that is set."""

from hypothesis import given, settings
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


@given(
    at=st.integers(20, 180).filter(lambda row: row != 100),
    back=st.floats(1.6, 1e6),
    period=st.floats(0.01, 0.1),
    shuffled=st.floats(0, 0.25),
    seed=st.integers(0, 99),
)
@settings(max_examples=50, deadline=None)
def test_where_time_goes_back_the_longer_stretch_is_kept_and_both_are_told(
    at, back, period, shuffled, seed
):
    received = {'pose': regular(200, period), 'ball': regular(100, 2 * period)}
    turn = received['pose'][at]
    # Messages overtake one another a little: that is no time that goes back.
    late = np.random.default_rng(seed).uniform(0, shuffled, 200) * SECOND
    stamps = {
        role: times - late[: len(times)].astype(np.int64) - (times >= turn) * round(back * SECOND)
        for role, times in received.items()
    }
    found = bag_times(stamps, received)
    for role, times in received.items():
        longer = times < turn if at > 100 else times >= turn
        # Topics notice it within some messages of one another.
        apart = found.kept[role] != longer
        assert np.abs(times[apart] - turn).max(initial=0) <= 6 * 2 * period * SECOND + 0.3 * SECOND
        np.testing.assert_array_equal(found.times[role], stamps[role])
    assert sum('time begins anew' in problem for problem in found.problems) == 1


def test_a_recorder_that_is_late_or_topics_with_clocks_of_their_own_are_no_time_that_goes_back():
    stamps = regular(400)
    # Nothing was written for three seconds; then all of it at once.
    received = np.maximum(stamps, np.where(stamps > stamps[100], stamps[160], 0))
    ahead = stamps.copy()
    ahead[::2] += 2 * SECOND  # two publishers, each with a clock of its own
    found = bag_times({'pose': stamps, 'ball': ahead}, {'pose': received, 'ball': regular(400)})
    assert found.kept['pose'].all() and found.kept['ball'].all()
    assert not any('anew' in problem for problem in found.problems)


def test_a_topic_whose_stamps_are_of_another_clock_is_named():
    received = {'pose': regular(), 'ball': regular(), 'command': regular()}
    stamps = {**received, 'ball': received['ball'] // 1000}
    found = bag_times(stamps, received)
    assert (
        not found.kept['ball'].any() and found.kept['pose'].all() and found.kept['command'].all()
    )
    assert [problem.split(':')[0] for problem in found.problems] == ['ball']


@pytest.mark.parametrize('stamp', [START, 5 * SECOND, 1])
def test_messages_that_all_have_one_stamp_count_from_their_reception(stamp):
    received = regular()
    found = bag_times(
        {'pose': np.full(200, stamp), 'ball': received}, {'pose': received, 'ball': received}
    )
    np.testing.assert_array_equal(found.times['pose'], received)
    assert found.kept['pose'].all() and 'all 200 messages have the stamp' in found.problems[0]
