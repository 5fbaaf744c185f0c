"""Results of arms: files that survive an interruption, and tables that tell the truth."""

import json

import numpy as np
import pytest

from guda_ros.errors import GudaError
from guda_ros.evaluation.benchmark.variants import (
    arms_png,
    markdown,
    PolicyTrial,
    read_trials,
    seconds_of,
    summaries,
    write_trials,
)
from guda_ros.workflows.parallel.variant_trials import complete


def made(arm, seed, seconds):
    return PolicyTrial('twin', 'easy', 'bc', arm, seed, tuple(seconds))


def one_trial(arm, seed):
    """Score from two of four starts."""
    return [made(arm, seed, (10.0 + seed, None, 20.0, None))]


def test_success_and_median_time_are_those_of_the_trials():
    found, other = summaries(
        [
            made('hand', 0, [10, 20, None, 30]),
            made('hand', 1, [None] * 4),
            made('none', 0, [None, None, None, 1.5]),
        ]
    )
    assert found.success.value == pytest.approx(3 / 8) and found.by_seed == (0.75, 0.0)
    assert found.seconds.value == 20 and found.rollouts == 8
    assert found.success.low < 3 / 8 < found.success.high
    assert 10 <= found.seconds.low <= 20 <= found.seconds.high <= 30
    assert other.seconds.value == 1.5
    assert summaries([made('none', 0, [None, None])])[0].seconds is None


def test_only_goals_have_a_time():
    assert seconds_of(np.array([True, False]), np.array([1.23456, 9.0])) == (1.235, None)


def test_a_run_goes_on_where_it_was_interrupted(tmp_path, capsys):
    results = tmp_path / 'run' / 'test.jsonl'
    jobs = {('hand', seed): [('twin', 'easy', 'bc', 'hand', seed)] for seed in range(2)}
    results.parent.mkdir()
    write_trials(results, [made('hand', 0, (1.0, None, None, None))])
    # The line that was being written when the power went.
    results.write_text(results.read_text() + '{"place": "tw')
    trials = complete(one_trial, jobs, results, lambda one: one.key, processes=1)
    assert [one.seconds for one in trials] == [(1.0, None, None, None), (11.0, None, 20.0, None)]
    assert read_trials(results) == trials
    assert 'seed 1: 0.50' in capsys.readouterr().out
    assert '| twin, easy | bc | hand | 0.38 |' in results.with_suffix('.md').read_text()
    assert results.with_suffix('.png').read_bytes()[:4] == b'\x89PNG'


def test_a_damaged_line_is_named(tmp_path):
    path = tmp_path / 'x.jsonl'
    path.write_text(json.dumps({'place': 'twin'}) + '\n')
    with pytest.raises(GudaError, match='x.jsonl:1: not a result'):
        read_trials(path)


def test_table_and_picture_hold_every_arm():
    found = summaries([made(arm, 0, [1, None]) for arm in ('none', 'hand', 'other')])
    assert markdown(found).count('\n') == 5
    assert arms_png(found)[:4] == b'\x89PNG'
