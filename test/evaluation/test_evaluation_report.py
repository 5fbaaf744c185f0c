from dataclasses import replace
from html.parser import HTMLParser
import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.data.episodes import Episode
from guda_ros.data.transitions import transitions
from guda_ros.evaluation.pages import charts, pictures
from guda_ros.evaluation.pages.demo import (
    AugmentedSet,
    build_report,
    Film,
    finite,
    ReportInputs,
    summarise,
)
from guda_ros.evaluation.results import Episode as Judged
from guda_ros.evaluation.results import Evaluation, PolicyResult
from guda_ros.evaluation.start_sets import load_start_set
from guda_ros.soccer import world

STARTS = 20


@pytest.fixture(scope='module')
def contract():
    return Contract.load()


def judged(contract, **arms):
    """Return arms whose seed i scores, after 20 s, from the first arms[name][i] of the starts."""
    policies = [
        PolicyResult(
            f'{name}_{seed}',
            name,
            'batch',
            tuple(
                Judged(n, 'scored', 20.0) if n < STARTS * rate else Judged(n, 'timeout', 90.0)
                for n in range(STARTS)
            ),
            seed=seed,
        )
        for name, rates in arms.items()
        for seed, rate in enumerate(rates)
    ]
    return Evaluation(
        contract,
        contract.robot,
        load_start_set('attack-v1', contract.field, STARTS),
        tuple(policies),
        versions={'numpy': np.__version__},
        commands=('make demo',),
    )


def through_ros(contract, *episodes):
    """Return what became of the first starts in the ROS graph."""
    starts = load_start_set('attack-ros-v1', contract.field, len(episodes))
    policy = PolicyResult('guided_0', 'guided', 'ros', episodes, seed=0)
    return Evaluation(contract, contract.robot, starts, (policy,))


def episode(contract, number=1, verdict='scored', steps=300):
    """Return an episode in which the robot walks up to the ball and pushes it along x."""
    states = np.zeros((steps + 1, world.SIZE))
    states[:, 0] = np.linspace(0.5, 4.4, steps + 1)
    states[:, 1] = 0.4 * np.sin(states[:, 0])
    states[:, 3] = np.maximum(2.0, states[:, 0] + 0.15)
    return Episode(
        id=f'demonstration_{number:03d}',
        scenario='attack',
        seed=number,
        start_index=number,
        verdict=verdict,
        operator='scripted',
        contract_hash=contract.hash,
        stamps=np.arange(steps + 1) * 100_000_000,
        world_states=states,
        commands=np.tile([0.2, 0.0, 0.0], (steps, 1)),
        valid=np.ones(steps + 1, bool),
        truth_states=states + 0.01,
    )


def full_inputs(contract, tmp_path):
    demonstrations = [episode(contract, 1), episode(contract, 2, 'out', 200)]
    sample = transitions(demonstrations, contract)
    made = type(sample)(
        **{**vars(sample), 'rule': np.ones(len(sample)), 'rule_names': ('raw', 'push')}
    )
    film = tmp_path / 'film.webp'
    film.write_bytes(b'RIFF not really a film')
    return ReportInputs(
        judged=judged(
            contract,
            guided=(1.0, 0.9),
            raw=(0.6, 0.5),
            random=(0.1, 0.0),
            td3_bc=(0.8, 0.9),
            demonstrator=(1.0,),
        ),
        ros=through_ros(
            contract,
            Judged(0, 'scored', 21.5, id='ros_001'),
            Judged(1, 'timeout', 90.0, message='lost <the ball> & searched', id='ros_002'),
        ),
        demonstrations=demonstrations,
        seed_demonstrations=6,
        augmentation={
            'guided': AugmentedSet.from_transitions(
                made,
                {
                    'accepted': {'push': 500},
                    'rejected': {'push': {'robot_off_field': 100, 'ball_at_post': 25}},
                    'seconds': 0.25,
                },
            )
        },
        learning={
            'guided': [
                {'seed': seed, 'step': step, 'loss': 0.1 + 0.5**step}
                for seed in range(2)
                for step in range(5)
            ],
            'td3_bc': [{'seed': 0, 'step': 1, 'loss': -0.2}, {'seed': 0, 'step': 2, 'loss': -0.3}],
        },
        perception_error=np.array([0.01, 0.03, np.nan, 0.02] * 10),
        perception_distance=np.array([0.5, 2.0, 3.0, 1.0] * 10),
        wall_seconds={'record': 100.0, 'train': 200.0},
        films=[Film(film, caption='a film')],
        notes=['policies act on the true state'],
    )


def strict(path):
    def refuse(constant):
        raise AssertionError(f'{constant} is no JSON')

    return json.loads(path.read_text(), parse_constant=refuse)


class Page(HTMLParser):
    """Collects what a page asks the browser to load, and checks that its tags are closed."""

    VOID = ('meta', 'img', 'source', 'br', 'link')

    def __init__(self, text):
        super().__init__()
        self.open, self.loaded, self.text = [], [], ''
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        assert tag not in ('script', 'link', 'iframe')
        if tag not in self.VOID:
            self.open.append(tag)
        self.loaded += [value for key, value in attributes if key in ('src', 'href', 'poster')]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != 'style':
            self.text += data


@pytest.fixture(scope='module')
def report(contract, tmp_path_factory):
    folder = tmp_path_factory.mktemp('report')
    files = build_report(full_inputs(contract, folder), folder / 'out', np.random.default_rng(1))
    return files, strict(files.json), Page(files.html.read_text())


def test_report_json_holds_the_numbers_that_were_measured(report):
    files, numbers, _ = report
    guided = numbers['success']['guided']
    assert guided['rate'] == pytest.approx(0.95)
    assert guided['low'] < 0.95 < guided['high']
    assert (guided['episodes'], guided['seeds'], guided['starts']) == (40, 2, 20)
    assert guided['median_seconds_to_score'] == pytest.approx(20.0)
    assert numbers['success']['demonstrator']['rate'] == 1.0
    assert numbers['differences']['guided - raw']['difference'] == pytest.approx(0.4)
    assert numbers['ros_episodes']['scored'] == 1
    assert numbers['ros_episodes']['total'] == 2
    assert numbers['augmentation']['transitions'] == 500
    assert numbers['augmentation']['acceptance'] == pytest.approx(500 / 625)
    assert numbers['augmentation']['seconds'] == 0.25
    assert numbers['perception']['ball_error_m_median'] == pytest.approx(0.02)
    assert numbers['perception']['samples'] == 30
    assert numbers['wall_seconds'] == {'record': 100.0, 'train': 200.0, 'total': 300.0}
    assert numbers['versions'] == {'numpy': np.__version__}
    assert sorted(file.name for file in files.html.parent.iterdir()) == [
        'report.html',
        'report.json',
    ]


def test_report_says_which_targets_were_met(report):
    _, numbers, page = report
    met = {target['name']: target['met'] for target in numbers['targets']}
    assert met['guided_rate'] and met['guided_above_random'] and met['wall_seconds']
    assert met['ros_scored'] is False
    assert 'not met' in page.text


def test_page_loads_nothing_from_outside(report):
    _, _, page = report
    assert len(page.loaded) >= 10
    assert all(address.startswith('data:') for address in page.loaded)


def test_page_states_rates_failures_and_the_command_to_repeat_it(report):
    _, _, page = report
    text = re.sub(r'\s+', ' ', page.text.replace('\u202f', ' '))
    assert 'scored in 95.0 % of 40 simulated episodes' in text
    assert '2 seeds, 20 starts each' in text
    assert 'ROS episode #2: time ran out after 90.0 s; lost <the ball> & searched.' in text
    assert 'Demonstrations that failed: #2 (ball left the field).' in text
    assert 'From 0 of 20 starts no guided seed scored; from 18 all did.' in text
    assert 'make demo' in text
    assert 'policies act on the true state' in text
    assert 'Figure 1.' in text and 'Figure 11.' in text


def test_report_with_the_arms_alone_names_what_is_missing(contract, tmp_path):
    inputs = ReportInputs(
        judged(contract, guided=(0.5, 0.4)),
        missing={'film': 'no OpenGL library'},
        warning='Only a trial of the stages.',
    )
    files = build_report(inputs, tmp_path)
    numbers, page = strict(files.json), Page(files.html.read_text())
    assert numbers['ros_episodes']['rate'] is None
    assert numbers['perception']['ball_error_m_median'] is None
    assert numbers['success']['guided']['median_seconds_to_score'] == pytest.approx(20.0)
    assert {target['met'] for target in numbers['targets']} == {False, None}
    for words in (
        'Only a trial of the stages.',
        'No film: no OpenGL library',
        'No ROS episodes',
        'No demonstrations to draw',
        'No augmentation to show',
        'No learning curves',
        'No perception errors',
    ):
        assert words in page.text


def test_report_of_a_run_in_which_nothing_ever_scored_is_made(contract, tmp_path):
    lost = episode(contract, 1, 'error')
    lost = Episode(
        **{
            **vars(lost),
            'world_states': np.full_like(lost.world_states, np.nan),
            'truth_states': np.full_like(lost.world_states, np.nan),
        }
    )
    inputs = ReportInputs(
        judged(contract, guided=(0.0, 0.0), raw=(0.0, 0.0)),
        through_ros(
            contract,
            Judged(0, 'error', float('nan'), message='perception is silent', id='ros_001'),
        ),
        demonstrations=[lost],
        perception_error=np.full(5, np.nan),
        perception_distance=np.full(5, np.nan),
        wall_seconds={'record': float('nan')},
    )
    files = build_report(inputs, tmp_path)
    numbers = strict(files.json)
    assert numbers['success']['guided']['rate'] == 0.0
    assert numbers['success']['guided']['high'] > 0.1
    assert numbers['wall_seconds']['record'] is None
    assert 'perception is silent' in files.html.read_text()


def test_report_names_a_film_that_cannot_be_read(contract, tmp_path):
    inputs = ReportInputs(judged(contract, guided=(1.0,)), films=[Film(tmp_path / 'gone.webm')])
    page = build_report(inputs, tmp_path).html.read_text()
    assert 'gone.webm: No such file or directory' in page


def test_seeds_that_tried_different_starts_are_named_and_leave_no_report(contract, tmp_path):
    whole = judged(contract, guided=(1.0,), raw=(1.0, 0.5))
    *others, last = whole.policies
    short = replace(last, episodes=last.episodes[1:])
    for policies in ((*others, short), (*others, replace(last, episodes=()))):
        with pytest.raises(ValueError, match='raw: its seeds have not tried the same starts'):
            build_report(ReportInputs(replace(whole, policies=policies)), tmp_path)
    assert not list(tmp_path.iterdir())


def test_same_generator_gives_the_same_report(contract, tmp_path):
    inputs = full_inputs(contract, tmp_path)
    first = build_report(inputs, tmp_path / 'a', np.random.default_rng(3))
    second = build_report(inputs, tmp_path / 'b', np.random.default_rng(3))
    assert first.json.read_bytes() == second.json.read_bytes()
    assert first.html.read_bytes() == second.html.read_bytes()
    assert summarise(inputs, np.random.default_rng(3)) == strict(first.json)


def test_numbers_that_json_does_not_know_become_null():
    value = {'a': np.float32('nan'), 'b': [np.inf, np.int64(3), np.bool_(True)], 1: np.zeros(2)}
    assert finite(value) == {'a': None, 'b': [None, 3, True], '1': [0.0, 0.0]}


def test_transitions_that_follow_one_another_are_one_chain(contract):
    states = np.zeros((6, world.SIZE))
    states[:, 0] = [0, 1, 2, 7, 8, 3]
    following = states.copy()
    following[:, 0] += 1
    assert pictures.chains(states, following) == [slice(0, 3), slice(3, 5), slice(5, 6)]
    rules = np.array([0, 0, 1, 1, 1, 1])
    assert pictures.chains(states, following, rules)[:2] == [slice(0, 2), slice(2, 3)]
    assert pictures.chains(states[:0], following[:0]) == []


def test_pictures_are_well_formed_and_keep_small_numbers_in_their_words(contract):
    history = [{'seed': 0, 'step': step, 'loss': 0.5**step} for step in range(10)]
    svg = charts.learning_curves({'guided': history})
    ElementTree.fromstring(svg)
    assert '>0.003<' in svg
    demonstrations = pictures.demonstrations(
        [episode(contract), episode(contract, 2, 'timeout')], contract.field
    )
    texts = [element.text for element in ElementTree.fromstring(demonstrations).iter()]
    assert '#1  scored, 30 s' in texts
    assert '#2  timeout, 30 s' in texts
