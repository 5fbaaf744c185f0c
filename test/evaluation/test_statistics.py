import math

import numpy as np
import pytest

from guda_ros.evaluation.statistics import (
    bootstrap_means,
    holm,
    improvement_probability,
    interquartile_mean,
    median_time_to_score,
    paired_difference,
    paired_interval,
    PairedTable,
    performance_profile,
    stratified_interval,
    stratified_resamples,
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


def test_paired_difference_of_differences_that_are_all_alike_is_not_certain():
    # No pair differs: Tango's interval is +- z^2 / (n + z^2), for 200 starts, however many seeds.
    same = np.ones((5, 200), bool)
    difference = paired_difference(same, same, rng())
    assert difference.value == 0.0
    assert difference.high == pytest.approx(3.8415 / 203.8415, abs=1e-5)
    assert difference.low == pytest.approx(-difference.high)
    # The first always alone: (n - z^2) / (n + z^2).
    won = paired_difference(same[:1], ~same, rng())
    assert (won.value, won.high) == (1.0, 1.0)
    assert won.low == pytest.approx(196.1585 / 203.8415, abs=1e-5)
    lost = paired_difference(~same, same, rng())
    assert (lost.low, lost.high) == (-1.0, pytest.approx(-won.low))


def test_mcnemar_test_is_the_binomial_test_of_the_pairs_that_differ():
    # 10 pairs differ, 2 of them one way: 2 (1 + 10 + 45) / 1024
    table = PairedTable(both=30, first_only=8, second_only=2, neither=10)
    assert table.total == 50
    assert table.p_value == pytest.approx(112 / 1024)
    assert PairedTable(5, 0, 0, 5).p_value == 1.0
    assert PairedTable(0, 3, 3, 0).p_value == 1.0
    assert PairedTable(0, 6, 0, 0).p_value == pytest.approx(2 / 64)


def test_table_of_pairs_counts_each_start_once():
    first = np.array([1, 1, 1, 0, 0], bool)
    second = np.array([1, 0, 0, 1, 0], bool)
    assert PairedTable.count(first, second) == PairedTable(1, 2, 1, 1)
    with pytest.raises(ValueError, match='same starts'):
        PairedTable.count(first, second[:4])


@pytest.mark.parametrize('first_only, second_only', [(9, 2), (9, 3), (4, 0), (3, 0), (14, 5)])
def test_paired_interval_holds_zero_exactly_when_the_score_test_does_not_reject(
    first_only, second_only
):
    # McNemar without correction: |b - c| / sqrt(b + c) against 1.96
    rejects = (first_only - second_only) / math.sqrt(first_only + second_only) > 1.959964
    interval = paired_interval(first_only, second_only, 40)
    assert (interval.low > 0) == rejects
    mirrored = paired_interval(second_only, first_only, 40)
    assert (mirrored.low, mirrored.high) == pytest.approx((-interval.high, -interval.low))


def test_paired_interval_covers_the_truth_about_as_often_as_it_says():
    generator = rng()
    drawn = generator.multinomial(40, [0.5, 0.25, 0.1, 0.15], size=400)
    intervals = [paired_interval(b, c, 40) for _, b, c, _ in drawn]
    covered = np.mean([interval.low <= 0.15 <= interval.high for interval in intervals])
    assert 0.92 <= covered <= 0.98
    with pytest.raises(ValueError, match='impossible'):
        paired_interval(3, 3, 5)


def test_holm_adjusts_for_the_number_of_tests_and_keeps_the_order():
    # 3 x .01; then 2 x .03 and 1 x .04, not below the one before
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


#: Scores (runs, tasks) of two algorithms.
FIRST = np.array([[0.90, 0.50, 0.20], [0.80, 0.55, 0.30], [1.0, 0.40, 0.25], [0.70, 0.60, 0.10]])
SECOND = np.array([[0.85, 0.50, 0.15], [0.75, 0.45, 0.30], [0.95, 0.60, 0.05]])


def test_interquartile_mean_leaves_out_a_quarter_at_either_end():
    # 12 scores: without .10 .20 .25 and .80 .90 1.0 the sum is .30 + .40 + .50 + .55 + .60 + .70
    assert interquartile_mean(FIRST) == pytest.approx(3.05 / 6)
    # 9 scores: two at either end; rliable 1.2.0 says .52, and .508333 above
    assert interquartile_mean(SECOND) == pytest.approx((0.30 + 0.45 + 0.50 + 0.60 + 0.75) / 5)


def test_improvement_probability_counts_pairs_of_runs_task_by_task():
    won = [
        sum((a > b) + 0.5 * (a == b) for a in FIRST[:, task] for b in SECOND[:, task]) / 12
        for task in range(3)
    ]
    assert improvement_probability(FIRST, SECOND) == pytest.approx(np.mean(won))
    # rliable 1.2.0: metrics.probability_of_improvement
    assert improvement_probability(FIRST, SECOND) == pytest.approx(0.5416666666666666)
    assert improvement_probability(SECOND, FIRST) == pytest.approx(0.4583333333333333)


def test_performance_profile_is_the_share_of_scores_above_a_threshold():
    thresholds = np.array([0.0, 0.1, 0.25, 0.5, 0.8, 0.95])
    # Of twelve scores; .10, .25, .50 and .80 themselves are not above.
    expected = np.array([12, 11, 9, 6, 2, 1]) / 12
    np.testing.assert_allclose(performance_profile(FIRST, thresholds), expected)
    np.testing.assert_allclose(
        performance_profile(FIRST[None], thresholds)[0], performance_profile(FIRST, thresholds)
    )


def test_stratified_bootstrap_draws_runs_within_each_task():
    drawn = stratified_resamples(FIRST, rng(), 200)
    assert drawn.shape == (200, 4, 3)
    for task in range(3):
        assert set(np.unique(drawn[..., task])) == set(FIRST[:, task])
    # Tasks are drawn apart from each other: rows that no run had appear.
    rows = {tuple(row) for row in drawn.reshape(-1, 3)}
    assert rows - {tuple(row) for row in FIRST}


def test_stratified_intervals_are_those_of_rliable():
    # rliable 1.2.0, 20000 and 5000 resamples: .458333 to .566667 and .277778 to .805556
    iqm = stratified_interval(interquartile_mean, FIRST, rng=rng(), resamples=20000)
    assert (iqm.low, iqm.high) == pytest.approx((0.458333, 0.566667), abs=0.005)
    better = stratified_interval(improvement_probability, FIRST, SECOND, rng=rng(), resamples=5000)
    assert (better.low, better.high) == pytest.approx((0.277778, 0.805556), abs=0.02)
