"""Limits of commands and who may give them."""

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


@pytest.mark.parametrize('acceleration', [[0, 1, 1], [-1, 1, 1], [np.nan, 1, 1], [1, 1]])
def test_senseless_acceleration_limits_are_refused(acceleration):
    with pytest.raises(ValueError, match='max_acceleration'):
        CommandLimiter(LIMITS, acceleration)


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
