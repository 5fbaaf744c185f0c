"""Results: written whole, read with suspicion, compared only when that means something."""

from dataclasses import replace
from html.parser import HTMLParser
import json
from pathlib import Path

import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.evaluation.comparison import compare_groups, seed_statistics, summarise_group
from guda_ros.evaluation.pages.evaluation import build_evaluation_report
from guda_ros.evaluation.results import (
    combine,
    Episode,
    Evaluation,
    group_names,
    load_results,
    PolicyResult,
    ResultError,
)
from guda_ros.evaluation.start_sets import load_start_set
from guda_ros.evaluation.trials import TrialLog

CONTRACT = Contract.load()
STARTS = load_start_set('placed-v1', CONTRACT.field)


def policy(name, outcomes, group=None, means='batch', **values):
    """Return a policy that scored after 10 s + 1 s for each start where `outcomes` is true."""
    episodes = tuple(
        Episode(
            start=n,
            verdict='scored' if good else 'timeout',
            seconds=10.0 + n if good else 90.0,
            touches=n,
            falls=0,
        )
        for n, good in enumerate(outcomes)
    )
    return PolicyResult(name, group or name, means, episodes, **values)


def evaluation(*policies, starts=STARTS):
    return Evaluation(CONTRACT, 'nao_v6', starts, policies, made_at='today', notes=('A note.',))


GOOD, HALF = [True] * 12, [True, False] * 6


def test_results_read_back_are_those_that_were_written(tmp_path):
    written = evaluation(policy('a', GOOD, seed=3, sha256='ab'), policy('b', HALF))
    read = load_results(written.save(tmp_path))
    assert read.policies == written.policies
    np.testing.assert_array_equal(read.starts.starts, STARTS.starts)
    assert read.as_dict() == written.as_dict()
    assert load_results(tmp_path).contract == CONTRACT


def damage(change):
    def altered(content):
        change(content)
        return json.dumps(content)

    return altered


@pytest.mark.parametrize(
    'altered, message',
    [
        (lambda content: json.dumps(content)[:500], 'is no JSON'),
        (lambda content: '', 'is no JSON'),
        (lambda content: '[1, 2]', 'no result of `guda evaluate`'),
        (damage(lambda c: c.update(version=9)), 'is of version 9'),
        (damage(lambda c: c.pop('policies')), "lacks 'policies'"),
        (damage(lambda c: c.update(policies=[])), 'no policy in it'),
        (damage(lambda c: c.update(policies=[3])), 'is damaged'),
        (damage(lambda c: c['policies'][0]['episodes'][0].update(verdict='won')), "'won'"),
        (damage(lambda c: c['policies'][0]['episodes'][0].update(seconds=None)), 'seconds: None'),
        (damage(lambda c: c['policies'][0]['episodes'][0].update(start=1)), 'counted twice'),
        (damage(lambda c: c['policies'][0]['episodes'][0].update(start=99)), 'not in the set'),
        (damage(lambda c: c['policies'][0]['episodes'][0].update(bonus=1)), 'bonus'),
        (damage(lambda c: c['start_set']['starts'].pop()), 'number of starts'),
        (damage(lambda c: c['contract'].update(rate=20.0)), 'contract was altered'),
    ],
)
def test_damaged_results_are_named_with_what_is_wrong(tmp_path, altered, message):
    path = evaluation(policy('a', HALF)).save(tmp_path)
    path.write_text(altered(json.loads(path.read_text())))
    with pytest.raises(ResultError, match=message) as told:
        load_results(path)
    assert str(path) in str(told.value)


def test_results_that_are_not_there_are_told(tmp_path):
    with pytest.raises(ResultError, match='cannot be read'):
        load_results(tmp_path)


def test_policies_of_several_results_are_told_apart_by_the_result():
    both = combine(
        [
            ('runs/sim', evaluation(policy('a', GOOD), policy('c', GOOD))),
            ('runs/robot', evaluation(policy('a', HALF, means='robot'))),
        ]
    )
    assert [p.name for p in both.policies] == ['sim: a', 'c', 'robot: a']
    assert list(both.groups) == ['sim: a', 'c', 'robot: a']
    assert both.notes == ('A note.',)


def test_results_that_cannot_be_paired_are_refused():
    mine = evaluation(policy('a', GOOD))
    other = load_start_set('attack-v1', CONTRACT.field, 12)
    with pytest.raises(ResultError, match='placed-v1 .* attack-v1 .* evaluate both from the same'):
        combine([('x', mine), ('y', evaluation(policy('b', GOOD), starts=other))])
    later = replace(STARTS, hash='0' * 16)
    with pytest.raises(ResultError, match='cannot be compared'):
        combine([('x', mine), ('y', evaluation(policy('b', GOOD), starts=later))])
    moved = replace(STARTS, starts=STARTS.starts + 0.1)
    with pytest.raises(ResultError, match='one of the files was altered'):
        combine([('x', mine), ('y', evaluation(policy('b', GOOD), starts=moved))])
    slower = replace(evaluation(policy('b', GOOD)), contract=replace(CONTRACT, time_limit=60.0))
    with pytest.raises(ResultError, match='time_limit: 90.0 != 60.0'):
        combine([('x', mine), ('y', slower)])
    with pytest.raises(ResultError, match='of the robot nao_v6, y of t1'):
        combine([('x', mine), ('y', replace(evaluation(policy('b', GOOD)), robot='t1'))])


def test_the_shorter_of_two_results_is_compared_on_the_starts_of_both():
    shorter = replace(STARTS, starts=STARTS.starts[:5], scenarios=STARTS.scenarios[:5])
    both = combine(
        [
            ('x', evaluation(policy('b', HALF[:5]), starts=shorter)),
            ('y', evaluation(policy('a', GOOD))),
        ]
    )
    assert len(both.starts) == 12
    (pair,) = compare_groups(both, np.random.default_rng(0))
    assert (pair['starts'], pair['table'].first_only, pair['table'].second_only) == (5, 0, 2)


def test_files_of_one_name_are_seeds_of_one_kind():
    assert group_names(
        [Path('runs/guided_0.onnx'), Path('runs/guided_12.onnx'), Path('runs/raw.onnx')]
    ) == [('guided_0', 'guided', 0), ('guided_12', 'guided', 12), ('raw', 'raw', None)]
    assert [name for name, *_ in group_names([Path('a/p_0.onnx'), Path('b/p_0.onnx')])] == [
        'a/p_0',
        'b/p_0',
    ]


def test_a_group_is_summarised_with_times_touches_and_scenarios():
    judged = evaluation(policy('a', HALF))
    group = summarise_group(judged.policies, judged, np.random.default_rng(0))
    assert (group['scored'], group['episodes'], group['verdicts']) == (
        6,
        12,
        {'scored': 6, 'timeout': 6},
    )
    # Goals from starts 0, 2, ... 10 after 10, 12, ... 20 s, with 0, 2, ... 10 touches.
    assert group['seconds_to_score']['median'] == 15.0
    assert group['touches_to_score'] == {'low': 2.5, 'median': 5.0, 'high': 7.5}
    assert group['falls'] == 0
    # Each scenario has four starts, every other one scored; so has each situation.
    assert {name: rate.value for name, rate in group['scenarios'].items()}['wing'] == 0.5
    assert set(group['scenarios']) == {
        'penalty mark',
        'wing',
        'middle',
        'robot behind the ball',
        'robot beside the ball',
        'robot ahead of the ball',
    }


def test_single_policies_are_tested_and_seeds_get_an_interval_alone():
    judged = evaluation(
        policy('a', GOOD), policy('b', HALF), policy('c_0', GOOD, 'c'), policy('c_1', HALF, 'c')
    )
    listed = compare_groups(judged, np.random.default_rng(0))
    pairs = {(pair['first'], pair['second']): pair for pair in listed}
    # Six starts from which a alone scored: 2 / 2^6.
    assert pairs['a', 'b']['p'] == pytest.approx(1 / 32)
    assert pairs['a', 'b']['won'] == [1, 3, 5, 7, 9, 11] and pairs['a', 'b']['lost'] == []
    assert pairs['a', 'c']['p'] is None
    assert pairs['a', 'c']['difference'].value == pytest.approx(0.25)


def test_seed_statistics_take_success_in_a_scenario_for_a_score():
    judged = evaluation(policy('c_0', GOOD, 'c'), policy('c_1', HALF, 'c'), policy('b', HALF))
    numbers = seed_statistics(judged, np.random.default_rng(0))
    assert numbers['tasks'] == {'penalty mark': 4, 'wing': 4, 'middle': 4}
    # Scores of c: 1 and .5 on each of three tasks; the middle four of six are 1, 1, .5, .5.
    assert numbers['iqm']['c'].value == pytest.approx(0.75)
    # One run of c beats b, the other ties.
    assert numbers['improvement'][0]['probability'].value == pytest.approx(0.75)
    assert seed_statistics(evaluation(policy('b', HALF)), np.random.default_rng(0)) == {}


class Page(HTMLParser):
    """Notes what a page loads, and its text."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        for key, value in attributes:
            if key in ('src', 'href'):
                self.loads.append(value)

    def handle_data(self, data):
        self.words.append(data)


@pytest.mark.parametrize(
    'policies',
    [
        [policy('a', GOOD)],
        [policy('a', GOOD), policy('b', HALF, means='robot')],
        [
            policy(f'{kind}_{seed}', GOOD[:12] if seed else HALF, kind)
            for kind in 'abcde'
            for seed in range(2)
        ],
        [replace(policy('a', HALF), episodes=())],
    ],
    ids=['one', 'two', 'seeds', 'nothing'],
)
def test_the_page_is_whole_and_loads_nothing(tmp_path, policies):
    files = build_evaluation_report(evaluation(*policies), tmp_path)
    page = Page(files.html.read_text())
    assert all(address.startswith('data:image/svg+xml') for address in page.loads)
    text = ' '.join(page.words)
    assert 'placed-v1' in text and STARTS.hash in text and 'A note.' in text
    assert not [word for word in ('{{', '{%', 'nan', 'None') if word in text]
    assert load_results(files.json).policies == tuple(policies)
    assert sorted(path.name for path in tmp_path.iterdir()) == ['report.html', 'results.json']


def test_the_page_and_its_summary_tell_the_pairs(tmp_path):
    files = build_evaluation_report(evaluation(policy('a', GOOD), policy('b', HALF)), tmp_path)
    (pair,) = json.loads(files.json.read_text())['summary']['comparisons']
    assert pair['table'] == {'both': 6, 'first_only': 6, 'second_only': 0, 'neither': 0}
    assert pair['p'] == pytest.approx(1 / 32)
    assert '0.0312' in ' '.join(Page(files.html.read_text()).words)


def test_trials_are_saved_one_by_one_and_continued(tmp_path):
    empty = evaluation(PolicyResult('a', 'a', 'robot', (), sha256='aa'))
    log = TrialLog.resume(empty, tmp_path)
    assert log.next_start == 0 and not list(tmp_path.iterdir())
    log.add(Episode(0, 'scored', 12.0))
    log.add(Episode(1, 'fall', 3.0, falls=1))
    again = TrialLog.resume(empty, tmp_path)
    assert again.episodes == log.episodes and again.next_start == 2
    assert again.drop_last().start == 1
    assert TrialLog.resume(empty, tmp_path).next_start == 1
    assert again.drop_last().start == 0 and again.drop_last() is None


def test_trials_of_something_else_are_not_continued(tmp_path):
    empty = evaluation(PolicyResult('a', 'a', 'robot', (), sha256='aa'))
    log = TrialLog.resume(empty, tmp_path)
    log.add(Episode(7, 'scored', 12.0))
    assert log.next_start == 0
    other = evaluation(PolicyResult('a', 'a', 'robot', (), sha256='bb'))
    with pytest.raises(ResultError, match='results of another policy'):
        TrialLog.resume(other, tmp_path)
    sets = evaluation(empty.policies[0], starts=load_start_set('attack-v1', CONTRACT.field, 12))
    with pytest.raises(ResultError, match='cannot be compared'):
        TrialLog.resume(sets, tmp_path)
    rehearsal = replace(empty, notes=('A rehearsal.',))
    with pytest.raises(ResultError, match='a rehearsal and trials on the robot do not go'):
        TrialLog.resume(rehearsal, tmp_path)
    few = replace(STARTS, starts=STARTS.starts[:3], scenarios=STARTS.scenarios[:3])
    with pytest.raises(ResultError, match='up to start 7; ask for at least 8'):
        TrialLog.resume(evaluation(empty.policies[0], starts=few), tmp_path)
