"""Limits of commands and who may give them."""

from hypothesis import given, settings
from hypothesis import strategies as st
import numpy as np
import pytest

from guda_ros.control.arbiter import CommandArbiter, Instant, Source
from guda_ros.control.limits import CommandLimiter
from guda_ros.soccer.robot import RobotProfile, VelocityLimits

LIMITS = VelocityLimits(forward=0.25, backward=0.15, side=0.2, turn=2.0)


def at(seconds: float) -> Instant:
    return Instant(seconds, seconds)


def test_command_within_limits_passes_bit_by_bit():
    limiter = CommandLimiter(LIMITS)
    command = np.array([0.1 + 1e-17, -0.19999999, 1.999999999])
    assert limiter.limit(command, 0.0).tobytes() == command.tobytes()


def test_each_axis_is_clipped_to_its_own_limit():
    limiter = CommandLimiter(LIMITS)
    assert limiter.limit([9, 9, 9], 0).tolist() == [0.25, 0.2, 2.0]
    assert limiter.limit([-9, -9, -9], 0).tolist() == [-0.15, -0.2, -2.0]


@pytest.mark.parametrize(
    'command',
    [[np.nan, 0, 0], [0, np.inf, 0], [0.1, 0.1, -np.inf], [0.1, 0.1], 0.1, [[0.1, 0.1, 0.1]]],
)
def test_command_that_is_no_command_becomes_zero(command):
    assert CommandLimiter(LIMITS, [1, 1, 1]).limit(command, 0).tolist() == [0, 0, 0]


def test_acceleration_limit_holds_back_only_what_makes_an_axis_faster():
    limiter = CommandLimiter(LIMITS, [1.0, np.inf, 5.0])
    limiter.reset(10.0)
    # 0.1 s at 1 m/s^2 and 5 rad/s^2; the side has no limit.
    np.testing.assert_allclose(limiter.limit([0.25, 0.2, 2], 10.1), [0.1, 0.2, 0.5])
    np.testing.assert_allclose(limiter.limit([0.25, 0.2, 2], 10.2), [0.2, 0.2, 1.0])
    np.testing.assert_allclose(limiter.limit([0.05, 0, 0.2], 10.2), [0.05, 0, 0.2])
    assert limiter.limit([0, 0, 0], 10.21).tolist() == [0, 0, 0]


def test_reversal_starts_from_standing():
    limiter = CommandLimiter(LIMITS, [1.0, 1.0, 1.0])
    limiter.reset(0.0)
    limiter.limit([0.2, 0, 0], 0.2)
    np.testing.assert_allclose(limiter.limit([-0.15, 0, 0], 0.3), [-0.1, 0, 0])


def test_long_pause_does_not_license_a_jump():
    limiter = CommandLimiter(LIMITS, [0.5, 0.5, 0.5])
    limiter.reset(0.0)
    np.testing.assert_allclose(limiter.limit([0.25, 0, 0], 100.0), [0.1, 0, 0])


def test_time_that_stands_still_or_runs_back_accelerates_nothing():
    limiter = CommandLimiter(LIMITS, [0.5, np.inf, 0.5])
    limiter.reset(5.0)
    for time in (5.0, 4.0, float('nan')):
        assert limiter.limit([0.25, 0, 0], time).tolist() == [0, 0, 0]


def test_whatever_comes_in_what_goes_out_is_finite_and_within_limits():
    rng = np.random.default_rng(1)
    limits = RobotProfile.load('nao_v6').limits
    low = np.array([-limits.backward, -limits.side, -limits.turn])
    high = np.array([limits.forward, limits.side, limits.turn])
    odd = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324])
    for acceleration in (None, [0.3, np.inf, 1.0]):
        limiter = CommandLimiter(limits, acceleration)
        for _ in range(3000):
            command = rng.normal(size=3) * 10.0 ** rng.integers(-8, 9)
            strange = rng.random(3) < 0.2
            command[strange] = rng.choice(odd, strange.sum())
            sent = limiter.limit(command, rng.normal() * 100)
            assert np.all(np.isfinite(sent)) and np.all(low <= sent) and np.all(sent <= high)


@pytest.mark.parametrize('senseless', [[0, 1, 1], [-1, 1, 1], [np.nan, 1, 1], [1, 1]])
def test_senseless_limits_of_acceleration_and_jerk_are_refused(senseless):
    with pytest.raises(ValueError, match='max_acceleration'):
        CommandLimiter(LIMITS, senseless)
    with pytest.raises(ValueError, match='max_jerk'):
        CommandLimiter(LIMITS, None, senseless)


#: Of a command [s], and limits of each axis; one has none of acceleration, one none of jerk.
PERIOD, MOST, JERK = 0.04, np.array([1.0, np.inf, 8.0]), np.array([10.0, 8.0, np.inf])
COMMANDS = st.lists(
    st.tuples(*(st.floats(-limit, limit) for limit in (0.25, 0.2, 2.0))), min_size=1, max_size=40
)


@settings(max_examples=100, deadline=None)
@given(COMMANDS)
def test_nothing_grows_faster_than_acceleration_and_jerk_allow_and_slowing_is_never_delayed(
    wishes,
):
    limiter = CommandLimiter(LIMITS, MOST, JERK)
    limiter.reset(0.0)
    before, acceleration = np.zeros(3), np.zeros(3)
    for number, wish in enumerate(wishes, 1):
        wanted = LIMITS.clip(np.array(wish))
        sent = limiter.limit(wish, number * PERIOD)
        onward = np.sign(wanted) == np.sign(before)
        base = np.where(onward, np.abs(before), 0.0)
        slower = np.abs(wanted) <= base
        # Bit by bit, and a reversal starts from standing.
        assert np.array_equal(sent[slower], wanted[slower])
        assert np.all(np.abs(sent) <= np.abs(wanted)) and np.all(sent * wanted >= 0)
        rate = (np.abs(sent) - base) / PERIOD
        assert np.all(rate <= MOST + 1e-9)
        assert np.all(rate <= np.where(onward, acceleration, 0.0) + JERK * PERIOD + 1e-9)
        before, acceleration = sent, np.maximum(rate, 0.0)


def test_with_a_limit_of_jerk_acceleration_rises_falls_and_ends_at_the_wanted_speed():
    limiter = CommandLimiter(LIMITS, [1.0, 1.0, 8.0], [10.0, 8.0, 80.0])
    limiter.reset(0.0)
    wanted = np.array([0.25, -0.2, 2.0])
    speeds = np.array([limiter.limit(wanted, n * 0.02) for n in range(1, 60)])
    assert np.array_equal(speeds[-1], wanted)
    rates = np.abs(np.diff(speeds, axis=0, prepend=0.0)) / 0.02
    changes = np.diff(rates, axis=0, prepend=0.0) / 0.02
    assert np.all(np.abs(changes) <= np.array([10.0, 8.0, 80.0]) * (1 + 1e-6))
    assert np.all(rates.max(axis=0) > 0.8 * np.array([1.0, 1.0, 8.0]))
    # A stop is a stop, and what follows begins anew.
    assert limiter.limit([0, 0, 0], 1.2).tolist() == [0, 0, 0]
    np.testing.assert_allclose(
        limiter.limit(wanted, 1.22), np.sign(wanted) * [0.004, 0.0032, 0.032]
    )


def test_a_time_that_stands_still_is_no_reason_to_forget_the_acceleration():
    limiter = CommandLimiter(LIMITS, [1.0, 1.0, 8.0], [10.0, 8.0, 80.0])
    limiter.reset(0.0)
    first = limiter.limit([0.25, 0, 0], 0.02)
    assert np.array_equal(limiter.limit([0.25, 0, 0], 0.02), first)
    np.testing.assert_allclose(limiter.limit([0.25, 0, 0], 0.04), first + [0.008, 0, 0])


def test_where_less_was_sent_than_allowed_the_rise_begins_anew_from_there():
    limiter = CommandLimiter(LIMITS, [1.0, 1.0, 8.0], [10.0, 8.0, 80.0])
    limiter.reset(0.0)
    for number in range(1, 5):
        limiter.limit([0.25, 0, 0], number * 0.02)
    limiter.lowered(np.array([0.01, 0.0, 0.0]))
    np.testing.assert_allclose(limiter.limit([0.25, 0, 0], 0.1), [0.014, 0, 0])


@pytest.mark.parametrize(
    'name',
    [
        'nao_v6',
        'nao_v6_real',
        'booster_k1',
        'booster_t1',
        'robotis_op3',
        'turtlebot4',
        'generic_walker',
    ],
)
def test_the_limits_of_a_shipped_robot_leave_what_its_walk_can_follow(name):
    robot = RobotProfile.load(name)
    limits, driver = robot.limits, robot.driver
    top = np.array([limits.forward, limits.side, limits.turn])
    driven = top > 0
    # A first-order walk that is told full speed begins with this acceleration.
    begins = (top / robot.walk.response_time)[driven]
    acceleration, jerk = np.array(driver.acceleration)[driven], np.array(driver.jerk)[driven]
    assert np.all(0.9 * begins <= acceleration) and np.all(acceleration <= 1.1 * begins)
    assert np.all(jerk > acceleration)


@pytest.mark.parametrize(
    'wrong', [{'forward': float('nan')}, {'backward': 0}, {'side': -1}, {'turn': float('inf')}]
)
def test_senseless_velocity_limits_are_refused(wrong):
    values = {'forward': 1, 'backward': 1, 'side': 1, 'turn': 1, **wrong}
    with pytest.raises(ValueError, match='positive'):
        CommandLimiter(VelocityLimits(**values))


def test_a_base_with_wheels_goes_nowhere_sideways():
    limiter = CommandLimiter(VelocityLimits(forward=1, backward=1, side=0, turn=1), [1, 1, 1])
    limiter.reset(0.0)
    assert limiter.limit([0.05, 0.5, -0.05], 0.1).tolist() == [0.05, 0.0, -0.05]


def test_source_of_higher_priority_suppresses_the_lower_until_its_timeout():
    arbiter = CommandArbiter({'person': Source(2, 0.5), 'machine': Source(1, 0.5)})
    assert arbiter.claim('machine', 1.0, at(1.0))
    assert arbiter.claim('person', 1.1, at(1.1))
    assert not arbiter.claim('machine', 1.2, at(1.2))
    assert not arbiter.claim('machine', 1.6, at(1.6))
    assert arbiter.claim('machine', 1.7, at(1.7))


def test_age_counts_from_the_stamp_and_from_the_arrival_whichever_is_older():
    arbiter = CommandArbiter({'a': Source(1, 0.5)})
    arbiter.claim('a', 0.7, Instant(1.0, 50.0))
    assert arbiter.fresh('a', Instant(1.2, 50.2)) and not arbiter.fresh('a', Instant(1.21, 50.2))
    # A clock that stands still does not keep a source alive: the steady one goes on.
    arbiter.claim('a', 1.0, Instant(1.0, 50.0))
    assert not arbiter.fresh('a', Instant(1.0, 50.51))
    # A stamp from the future lengthens nothing.
    arbiter.claim('a', 1.4, Instant(1.0, 50.0))
    assert not arbiter.fresh('a', Instant(1.51, 50.51))


def test_silence_counts_from_the_arrival_where_stamps_may_be_older():
    arbiter = CommandArbiter({'a': Source(1, 0.25, age=0.5)})
    # What a slow camera shows is .3 s old when it is acted on, each tenth of a second.
    arbiter.claim('a', 0.7, Instant(1.0, 50.0))
    assert arbiter.fresh('a', Instant(1.2, 50.2)) and arbiter.expiry('a') == 1.2
    assert not arbiter.fresh('a', Instant(1.21, 50.2))
    arbiter.claim('a', 0.9, Instant(1.0, 50.0))
    assert arbiter.expiry('a') == 1.25 and not arbiter.fresh('a', Instant(1.0, 50.26))


def test_withdrawn_source_makes_room_at_once():
    arbiter = CommandArbiter({'person': Source(2, 0.5), 'machine': Source(1, 0.5)})
    arbiter.claim('person', 1.0, at(1.0))
    arbiter.withdraw('person')
    assert arbiter.active(at(1.0)) is None
    assert arbiter.claim('machine', 1.0, at(1.0))


def test_sources_need_different_priorities_and_positive_timeouts():
    with pytest.raises(ValueError, match='priorities'):
        CommandArbiter({'a': Source(1, 1.0), 'b': Source(1, 1.0)})
    for timeout in (0, -1, float('nan'), float('inf')):
        with pytest.raises(ValueError, match='timeout'):
            CommandArbiter({'a': Source(1, timeout)})
