"""The ball's Kalman filter on motions whose truth is known."""

import numpy as np
import pytest

from guda_ros.perception.ball_tracker import BallTracker

DECELERATION, HOLD, DT = 0.3, 4.0, 0.1
NEAR = np.eye(2) * 0.003**2


@pytest.fixture
def tracker():
    return BallTracker(DECELERATION, HOLD)


def feed(tracker, places, covariance=NEAR, rng=None, acceleration=0.2):
    """Predict and update for one place after the other; return the states."""
    states = []
    for place in places:
        noise = rng.multivariate_normal(np.zeros(2), covariance) if rng else 0.0
        tracker.predict(DT, acceleration)
        tracker.update(np.asarray(place) + noise, covariance)
        states.append(tracker.state)
    return states


def rolling(start, velocity, count):
    """Return places (count, 2) and velocities of a ball that rolls out, one every DT."""
    speed = np.hypot(*velocity)
    direction = np.asarray(velocity) / speed
    time = np.minimum(np.arange(count) * DT, speed / DECELERATION)
    way = speed * time - DECELERATION * time**2 / 2
    return (
        np.asarray(start) + way[:, None] * direction,
        (speed - DECELERATION * time)[:, None] * direction,
    )


def test_ball_that_was_never_seen_is_lost(tracker):
    tracker.predict(DT)
    state = tracker.state
    assert state.lost and state.time_since_seen == np.inf
    assert state.covariance[0, 0] >= 1e3
    assert np.isnan(state.position).all()


def test_first_sight_is_taken_over(tracker):
    assert tracker.update([1.0, -2.0], NEAR)
    np.testing.assert_allclose(tracker.state.position, [1.0, -2.0])
    assert not tracker.state.lost and tracker.state.time_since_seen == 0.0


def test_resting_ball_is_averaged_and_has_no_speed(tracker):
    rng = np.random.default_rng(0)
    covariance = np.diag([0.05, 0.02]) ** 2
    states = feed(tracker, [(2.0, 1.0)] * 100, covariance, rng)
    errors = [np.hypot(*(state.position - (2.0, 1.0))) for state in states[50:]]
    # One measurement is .054 m off (root mean square).
    assert np.sqrt(np.mean(np.square(errors))) < 0.035
    assert np.mean([np.hypot(*state.velocity) for state in states[50:]]) < 0.06


def test_prediction_of_a_rolling_ball_stops_where_friction_stops_it(tracker):
    places, _ = rolling((0.0, 0.0), (0.6, 0.8), 8)
    feed(tracker, places, np.eye(2) * 1e-8, acceleration=1e-3)
    for _ in range(60):
        tracker.predict(DT)
    # v^2 / 2a = 1 / 0.6 m along (0.6, 0.8).
    np.testing.assert_allclose(tracker._mean[:2], [1.0, 4 / 3], atol=0.02)
    np.testing.assert_allclose(tracker._mean[2:], [0, 0], atol=1e-9)


def test_velocity_of_a_rolling_ball_is_known_after_half_a_second(tracker):
    rng = np.random.default_rng(1)
    errors = []
    for velocity in ((0.5, 0.2), (-0.8, 0.3), (0.0, 1.2), (0.2, -0.3)):
        tracker.reset()
        places, velocities = rolling((1.0, 0.0), velocity, 30)
        states = feed(tracker, places, NEAR, rng)
        errors += [
            np.hypot(*(state.velocity - true)) for state, true in zip(states[6:], velocities[6:])
        ]
    assert np.sqrt(np.mean(np.square(errors))) < 0.03
    assert max(errors) < 0.12


def test_push_at_the_feet_shows_in_the_velocity_within_three_steps(tracker):
    feed(tracker, [(0.2, 0.0)] * 10, acceleration=2.0)
    states = feed(tracker, [(0.2 + 0.025 * step, 0.0) for step in range(1, 5)], acceleration=2.0)
    # Pushed at .25 m/s.
    assert states[2].velocity[0] == pytest.approx(0.25, abs=0.06)
    assert not states[-1].lost


def test_single_false_detection_changes_nothing(tracker):
    feed(tracker, [(1.0, 0.0)] * 10)
    tracker.predict(DT)
    before = tracker.state
    assert not tracker.update([3.0, 1.0], NEAR)
    np.testing.assert_array_equal(tracker.state.position, before.position)
    assert tracker.state.time_since_seen == pytest.approx(DT)


def test_false_detections_that_disagree_change_nothing(tracker):
    feed(tracker, [(1.0, 0.0)] * 10)
    feed(tracker, [(3.0, 1.0), (0.5, -2.0), (4.0, 0.0), (2.0, 2.0), (4.0, -2.0)])
    np.testing.assert_allclose(tracker.state.position, [1.0, 0.0], atol=1e-3)


def test_kicked_ball_is_followed_from_the_third_sight_on(tracker):
    feed(tracker, [(1.0, 0.0)] * 10)
    places, velocities = rolling((1.0, 0.0), (2.0, 1.0), 6)
    states = feed(tracker, places[1:])
    assert np.hypot(*(states[1].position - places[2])) > 0.1
    np.testing.assert_allclose(states[2].position, places[3], atol=0.01)
    np.testing.assert_allclose(states[2].velocity, velocities[3], atol=0.1)
    np.testing.assert_allclose(states[4].velocity, velocities[5], atol=0.1)


def test_ball_that_was_put_elsewhere_is_found_again(tracker):
    feed(tracker, [(1.0, 0.0)] * 10)
    states = feed(tracker, [(-2.0, 1.5)] * 5)
    np.testing.assert_allclose(states[2].position, [-2.0, 1.5], atol=1e-3)
    np.testing.assert_allclose(states[-1].velocity, [0.0, 0.0], atol=0.01)


def test_unseen_ball_is_held_for_the_hold_time_and_then_lost(tracker):
    feed(tracker, [(1.0, 0.0)] * 5)
    for _ in range(40):
        tracker.predict(DT)
        assert not tracker.lost
    np.testing.assert_allclose(tracker.state.position, [1.0, 0.0], atol=1e-6)
    assert tracker.state.covariance[0, 0] > 0.05**2
    tracker.predict(DT)
    assert tracker.lost and tracker.state.covariance[0, 0] >= 1e3
    np.testing.assert_allclose(tracker.state.position, [1.0, 0.0], atol=1e-6)


def test_ball_that_is_not_where_it_should_be_seen_is_lost_sooner(tracker):
    feed(tracker, [(1.0, 0.0)] * 5)
    for count in range(6):
        assert not tracker.lost, f'after {count} misses'
        tracker.predict(DT)
        tracker.miss()
    assert tracker.lost


def test_a_sight_forgives_earlier_misses(tracker):
    feed(tracker, [(1.0, 0.0)] * 5)
    for _ in range(4):
        for _ in range(5):
            tracker.predict(DT)
            tracker.miss()
        feed(tracker, [(1.0, 0.0)])
    assert not tracker.lost


def test_lost_ball_is_taken_from_the_first_sight(tracker):
    feed(tracker, [(1.0, 0.0)] * 5)
    for _ in range(60):
        tracker.predict(DT)
    assert tracker.update([-3.0, 2.0], NEAR)
    np.testing.assert_allclose(tracker.state.position, [-3.0, 2.0])


def test_numbers_that_are_not_finite_are_refused(tracker):
    feed(tracker, [(1.0, 0.0)] * 5)
    assert not tracker.update([np.nan, 0.0], NEAR)
    assert np.isfinite(tracker.state.position).all()
    for dt in (-0.1, np.nan, np.inf):
        with pytest.raises(ValueError, match='time step'):
            tracker.predict(dt)


def test_covariance_tells_how_large_the_errors_are():
    rng = np.random.default_rng(2)
    covariance = np.diag([0.03, 0.01]) ** 2
    scores = []
    for _ in range(40):
        tracker = BallTracker(DECELERATION, HOLD)
        places, velocities = rolling((1.0, 0.0), rng.uniform(0.2, 1.0, 2), 15)
        state = feed(tracker, places, covariance, rng)[-1]
        error = np.concatenate([state.position - places[-1], state.velocity - velocities[-1]])
        scores.append(error @ np.linalg.solve(state.covariance, error))
    # Four dimensions: 4 if the covariance were exact.
    assert 1.0 < np.mean(scores) < 8.0
