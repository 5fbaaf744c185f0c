import math

import numpy as np
import pytest

from guda_ros.evaluation.statistics import (
    bootstrap_means,
    median_time_to_score,
    paired_difference,
    success_rate,
    wilson_interval,
)


def rng():
    return np.random.default_rng(7)


def test_wilson_interval_of_15_of_20_is_the_textbook_one():
    # z = 1.96: centre (.75 + 3.8415/40) / (1 + 3.8415/20) = .7097, half width .1788
    estimate = wilson_interval(15, 20)
    assert estimate.value == 0.75
    assert estimate.low == pytest.approx(0.5313, abs=1e-4)
    assert estimate.high == pytest.approx(0.8881, abs=1e-4)


def test_wilson_interval_touches_the_ends_only_where_the_rate_does():
    # all of n: low = n / (n + z^2)
    estimate = wilson_interval(20, 20)
    assert (estimate.value, estimate.high) == (1.0, 1.0)
    assert estimate.low == pytest.approx(20 / 23.8415, abs=1e-4)
    mirrored = wilson_interval(0, 20)
    assert (mirrored.value, mirrored.low) == (0.0, 0.0)
    assert mirrored.high == pytest.approx(1 - estimate.low)


def test_wilson_interval_without_trials_says_nothing():
    estimate = wilson_interval(0, 0)
    assert math.isnan(estimate.value)
    assert (estimate.low, estimate.high) == (0.0, 1.0)
    with pytest.raises(ValueError, match='impossible'):
        wilson_interval(3, 2)


def test_bootstrap_over_starts_alone_has_the_binomial_spread():
    # one seed, half of 100 starts: standard error sqrt(.25 / 100) = .05
    success = np.arange(100)[None] < 50
    means = bootstrap_means(success, rng(), 20000)
    assert means.mean() == pytest.approx(0.5, abs=0.002)
    assert means.std() == pytest.approx(0.05, rel=0.03)


def test_bootstrap_over_seeds_keeps_the_spread_between_seeds_however_many_starts():
    # four seeds, two that always score and two that never do: standard error sqrt(.25 / 4) = .25
    success = np.repeat(np.array([[True], [True], [False], [False]]), 500, axis=1)
    means = bootstrap_means(success, rng(), 20000)
    assert means.std() == pytest.approx(0.25, rel=0.03)
    assert set(np.unique(np.round(means, 6))) == {0.0, 0.25, 0.5, 0.75, 1.0}


def test_bootstrap_does_not_take_the_same_start_tried_by_many_seeds_for_many_starts():
    # ten identical seeds are worth one seed: the spread is that of 100 starts, not of 1000
    success = np.repeat(np.arange(100)[None] < 50, 10, axis=0)
    assert bootstrap_means(success, rng(), 20000).std() == pytest.approx(0.05, rel=0.03)


def test_bootstrap_gives_the_same_numbers_for_the_same_generator():
    success = rng().random((5, 30)) < 0.6
    assert success_rate(success, rng()) == success_rate(success, rng())


def test_success_rate_covers_the_truth_about_as_often_as_it_says():
    generator, covered = rng(), 0
    for _ in range(200):
        seed_rates = generator.beta(8, 2, size=(10, 1))
        success = generator.random((10, 100)) < seed_rates
        estimate = success_rate(success, generator, resamples=500)
        covered += estimate.low <= 0.8 <= estimate.high
    assert covered >= 0.86 * 200


def test_success_rate_of_unanimous_episodes_is_not_reported_as_certain():
    # Wilson for 200 starts, not for 1000 episodes: 200 / (200 + 3.8415)
    estimate = success_rate(np.ones((5, 200), bool), rng())
    assert (estimate.value, estimate.high) == (1.0, 1.0)
    assert estimate.low == pytest.approx(200 / 203.8415, abs=1e-5)
    assert success_rate(np.zeros((5, 200), bool), rng()).high == pytest.approx(1 - estimate.low)


def test_success_rate_refuses_what_is_not_a_matrix_of_episodes():
    for wrong in (np.ones(5), np.ones((0, 5)), np.ones((2, 0))):
        with pytest.raises(ValueError, match='seeds, starts'):
            success_rate(wrong, rng())


def test_paired_difference_does_not_see_what_both_have_in_common():
    # both fail on the same half of the starts; the first scores on 10 of 100 more
    second = np.repeat(np.arange(100)[None] < 50, 4, axis=0)
    first = np.repeat(np.arange(100)[None] < 60, 4, axis=0)
    difference = paired_difference(first, second, rng())
    assert difference.value == pytest.approx(0.1)
    # the spread is that of 10 ones in 100: sqrt(.09 / 100) = .03, unpaired it would be .07
    assert difference.high - difference.low == pytest.approx(4 * 0.03 * 0.98, rel=0.1)


def test_paired_difference_resamples_seeds_of_one_kind_together():
    # seeds differ by a lot, but the difference between the two is .5 for each of them
    second = np.array([[0, 0], [1, 0]], dtype=bool)
    first = np.array([[1, 0], [1, 1]], dtype=bool)
    difference = paired_difference(np.tile(first, 200), np.tile(second, 200), rng())
    assert difference.value == 0.5
    assert difference.low > 0.44


def test_paired_difference_takes_a_baseline_with_one_seed():
    demonstrator = np.ones((1, 100), bool)
    policy = np.repeat(np.arange(100)[None] < 90, 5, axis=0)
    difference = paired_difference(policy, demonstrator, rng())
    assert difference.value == pytest.approx(-0.1)
    assert difference.low == pytest.approx(-0.16, abs=0.02)
    assert difference.high == pytest.approx(-0.05, abs=0.02)


def test_paired_difference_needs_the_same_starts():
    with pytest.raises(ValueError, match='100 starts in the first, 90 in the second'):
        paired_difference(np.ones((5, 100)), np.ones((5, 90)), rng())


def test_median_time_to_score_is_of_the_goals_alone():
    success = np.array([[True, False, True], [True, False, False]])
    steps = np.array([[100, 900, 200], [500, 900, 900]])
    assert median_time_to_score(success, steps, 0.1) == pytest.approx(20.0)
    assert math.isnan(median_time_to_score(np.zeros(3, bool), np.zeros(3), 0.1))
