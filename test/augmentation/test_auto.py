"""The rule that writes itself: values under the task's own reward, and the best of some moves."""

import numpy as np
from push_ball_scene import (
    assert_same,
    CONTRACT,
    source_rows,
    transition_set,
    walk_and_push,
)
import pytest

from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.pipeline import augment, augment_to_file, AugmentationError
from guda_ros.augmentation.rules.base import change_of
from guda_ros.augmentation.values.contact import gap, nearest_apart, rests
from guda_ros.augmentation.verify import verify
from guda_ros.cli.main import main
from guda_ros.config.files import ConfigError
from guda_ros.data.transitions import TransitionSet
from guda_ros.tasks.push_ball.model import PushBallModel
from guda_ros.tasks.push_ball.task import PushBallToGoal

GUIDE = """\
name: mine
task: push_ball_to_goal
rules:
  only:
    kind: auto
    share: 1.0
    steps: 1
    tries: 8
    ahead: [8]
    discount: 0.99
    turn: any
    heading: free
    reflect: 0.5
"""


def guide_of(folder, *changes):
    text = GUIDE
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path = folder / 'mine.yaml'
    path.write_text(text)
    return load_guide(path)


@pytest.fixture(scope='module')
def recorded():
    return walk_and_push()


def test_a_resting_ball_is_told_from_a_pushed_one(recorded):
    task = PushBallToGoal(CONTRACT)
    moved = np.any(recorded.states[:, 2:4] != recorded.next_states[:, 2:4], axis=1)
    np.testing.assert_array_equal(rests(task, recorded), ~moved)
    assert CONTRACT.contact * 0.99 <= nearest_apart(task, recorded) < 0.3


@pytest.mark.parametrize('steps, hindsight', [(1, 0), (5, 0), (5, 0.5), (5, 1)])
def test_made_steps_keep_dynamics_rewards_and_sources(tmp_path, recorded, steps, hindsight):
    before = {name: getattr(recorded, name).copy() for name in ('states', 'actions')}
    guide = guide_of(
        tmp_path,
        ('steps: 1', f'steps: {steps}'),
        ('reflect: 0.5', f'reflect: 0.5\n    hindsight: {hindsight}'),
    )
    made, _ = augment(recorded, guide, 3000, 3)
    task = PushBallToGoal(CONTRACT)
    found = verify(task, made, 3000)
    assert max(found.position[1], found.heading[1], found.reward[1]) < 1e-6
    np.testing.assert_allclose(made.rewards, CONTRACT.reward(made.next_states), atol=1e-7)
    assert not task.check(made.states, made.actions, made.next_states).any()
    rows = source_rows(made, recorded)
    apart = np.isnan(made.parameters[:, made.parameter_names.index('ball_turn')])
    assert 0.2 < apart.mean() < 1
    for part in (apart, ~apart):
        change = change_of(task.layout, made.parameters[part])
        np.testing.assert_allclose(
            change.states(recorded.states[rows[part]])[:, :4], made.states[part, :4], atol=1e-4
        )
    np.testing.assert_allclose(
        np.where(made.parameters[:, :1] > 0.5, [-1, 1, -1], 1) * recorded.actions[rows],
        made.actions,
        atol=1e-6,
    )
    kept = np.nan_to_num(made.parameters, nan=99.0)
    follows = np.all(kept[1:] == kept[:-1], axis=1)
    follows &= np.diff(made.source_step) == 1
    np.testing.assert_array_equal(made.next_states[:-1][follows], made.states[1:][follows])
    assert follows.mean() == pytest.approx((steps - 1) / steps, abs=0.02)
    for name, column in before.items():
        np.testing.assert_array_equal(column, getattr(recorded, name))


def test_streaming_threads_and_memory_make_the_same(tmp_path, recorded):
    guide = guide_of(tmp_path)
    made, _ = augment(recorded, guide, 8000, 5)
    threaded, _ = augment(recorded, guide, 8000, 5, threads=3)
    augment_to_file(recorded, guide, 8000, 5, tmp_path / 'made.h5')
    assert_same(made, threaded)
    assert_same(made, TransitionSet.load(tmp_path / 'made.h5', PushBallModel.from_json))
    other, _ = augment(recorded, guide, 8000, 6)
    assert np.any(other.states != made.states)


def test_the_ball_is_pushed_to_the_goal_and_the_field_is_covered(tmp_path, recorded):
    made, _ = augment(recorded, guide_of(tmp_path), 6000, 0)
    anyhow, _ = augment(recorded, load_guide('push_ball_random'), 6000, 0)
    shares = []
    for steps in (made, anyhow):
        far, near = (
            np.hypot(*(part[:, 2:4] - CONTRACT.goal).T)
            for part in (steps.states, steps.next_states)
        )
        pushed = np.abs(far - near) > 1e-3
        shares.append(np.mean(near[pushed] < far[pushed]))
    # A push in any direction gains in half of the cases.
    assert shares[1] == pytest.approx(0.5, abs=0.1)
    assert shares[0] > 0.8
    # No part of the field is preferred: the robot is in every sixth of it about as often.
    count, _, _ = np.histogram2d(made.states[:, 0], made.states[:, 1], bins=(3, 2))
    assert count.min() > 0.6 * count.mean()


def test_in_hindsight_walks_lead_behind_the_ball(tmp_path, recorded):
    def toward(tries):
        """Return the mean share of five steps' way that leads behind the ball."""
        made, _ = augment(
            recorded,
            guide_of(
                tmp_path,
                ('steps: 1', 'steps: 5'),
                ('tries: 8', f'tries: {tries}'),
                ('reflect: 0.5', 'reflect: 0.5\n    hindsight: 1'),
            ),
            5000,
            0,
        )
        apart = np.isnan(made.parameters[:, made.parameter_names.index('ball_turn')])
        before, after = made.states[apart][::5], made.next_states[apart][4::5]
        ball = before[:, 2:4]
        way = CONTRACT.goal - ball
        behind = ball - 0.2 * way / np.linalg.norm(way, axis=1, keepdims=True)
        gained = np.linalg.norm(before[:, :2] - behind, axis=1) - np.linalg.norm(
            after[:, :2] - behind, axis=1
        )
        walked = np.linalg.norm(after[:, :2] - before[:, :2], axis=1)
        far = (np.linalg.norm(before[:, :2] - ball, axis=1) > 0.5) & (ball[:, 0] < 4.4)
        return np.mean(gained[far & (walked > 0.02)] / walked[far & (walked > 0.02)])

    # The best of eight directions drawn evenly is 22 degrees off, the best of one anything.
    assert abs(toward(1)) < 0.15
    assert toward(8) > 0.7


@pytest.mark.parametrize('hindsight', [0, 1])
def test_balls_lie_in_the_goal_as_often_as_recorded(tmp_path, recorded, hindsight):
    made, _ = augment(
        recorded,
        guide_of(tmp_path, ('reflect: 0.5', f'reflect: 0.5\n    hindsight: {hindsight}')),
        8000,
        0,
    )
    apart = np.isnan(made.parameters[:, made.parameter_names.index('ball_turn')])
    share = CONTRACT.in_goal(recorded.states).mean()
    assert share > 0
    assert CONTRACT.in_goal(made.states[apart]).mean() == pytest.approx(share, rel=0.25, abs=0.01)


def test_pushes_that_are_shorter_than_looked_ahead_count_by_their_own_length(tmp_path, recorded):
    # Gaps beside every contact: no stretch of eight steps moves the ball.
    moving = ~rests(PushBallToGoal(CONTRACT), recorded)
    beside = np.convolve(moving, np.ones(3), 'same') > 0
    gapped = recorded.select(np.flatnonzero(~beside | moving))
    made, _ = augment(gapped, guide_of(tmp_path), 4000, 0)
    far, near = (
        np.hypot(*(part[:, 2:4] - CONTRACT.goal).T) for part in (made.states, made.next_states)
    )
    pushed = np.abs(far - near) > 1e-3
    assert np.mean(near[pushed] < far[pushed]) > 0.8


def test_what_is_no_number_is_refused(recorded):
    broken = recorded.select(np.arange(20))
    broken.states[7, 2] = np.nan
    with pytest.raises(AugmentationError, match='1 of 20 .* states .* row 7'):
        augment(broken, load_guide('push_ball_random'), 100, 0)


def test_both_kinds_of_stretches_are_among_the_first(tmp_path, recorded):
    # A small set takes a part of a batch only.
    task = PushBallToGoal(CONTRACT)
    made, _ = augment(recorded, guide_of(tmp_path), 2000, 0)
    apart = np.isnan(made.parameters[:, made.parameter_names.index('ball_turn')])
    # Of those at rest some are refused for being near; the others are about as many as recorded.
    moving = 1 - rests(task, recorded).mean()
    assert 0.7 * moving < np.mean(~apart) < 3 * moving


def test_a_short_recording_is_looked_at_by_its_own_length(tmp_path, recorded):
    short = recorded.select(np.arange(5))
    made, _ = augment(short, guide_of(tmp_path), 300, 0)
    assert len(made) == 300 and set(made.source_step) <= set(range(5))


def test_the_actor_may_be_all_there_is(tmp_path, monkeypatch):
    # The same robot with itself for an object: it is to walk to the goal.
    monkeypatch.setattr(PushBallToGoal, 'object', 'robot')
    monkeypatch.setattr(
        PushBallToGoal,
        'reward',
        lambda self, states, actions, after: -np.hypot(*(after[:, :2] - self.goal).T),
    )
    rng = np.random.default_rng(0)
    states = np.zeros((200, 5)) + [0, 0, 4, 2, 0]
    states[:, :2] = rng.uniform(-2, 2, (200, 2))
    any_way = transition_set(states, rng.uniform(-1, 1, (200, 3)))
    guide = guide_of(tmp_path, ('discount: 0.99', 'discount: 0.9'), ('ahead: [8]', 'ahead: [1]'))
    made, _ = augment(any_way, guide, 3000, 0)
    way = made.next_states[:, :2] - made.states[:, :2]
    to_goal = CONTRACT.goal - made.states[:, :2]
    cosine = np.sum(way * to_goal, axis=1) / (
        np.linalg.norm(way, axis=1) * np.linalg.norm(to_goal, axis=1)
    )
    # Any way at all would be 0.
    assert np.mean(cosine) > 0.35


def test_places_nearer_than_the_two_ever_were_are_refused(tmp_path):
    # A robot far from the ball says nothing about what happens near to it.
    states = np.tile([0.0, 0, 3, 0, 0], (40, 1))
    states[:, 0] += 0.04 * np.arange(40)
    steps = transition_set(states, np.tile([0.0, 1, 0], (40, 1)))
    made, report = augment(steps, guide_of(tmp_path, ('tries: 8', 'tries: 1')), 2000, 0)
    task = PushBallToGoal(CONTRACT)
    assert gap(task, made.states).min() >= 3 - 40 * 0.04 - 1e-6
    assert report.rejected['only']['too_near'] > 0


@pytest.mark.parametrize(
    'change, line, message',
    [
        (('tries: 8', 'tries: 0'), 8, 'rules.only.tries: 0 is outside'),
        (('discount: 0.99', 'discount: 1'), 10, 'rules.only.discount'),
        (('turn: any', 'turn: round'), 11, 'rules.only.turn'),
        (('reflect: 0.5', 'reflect: 0.5\n    colour: 3'), 14, 'rules.only.colour'),
    ],
)
def test_errors_of_a_guide_name_file_line_and_field(tmp_path, change, line, message):
    with pytest.raises(ConfigError) as error:
        guide_of(tmp_path, change)
    assert str(error.value).startswith(f'{tmp_path / "mine.yaml"}:{line}: ')
    assert message in str(error.value)


def test_command_line_explains_and_draws(tmp_path, recorded, capsys):
    data = tmp_path / 'recording.npz'
    scale = [1000, 1000, 1000, 1000, 1]
    np.savez(
        data,
        world_states=recorded.states * scale,
        actions=recorded.actions,
        next_world_states=recorded.next_states * scale,
        rewards=recorded.rewards,
        episode=recorded.source_episode,
    )
    guide_of(tmp_path)
    picture = tmp_path / 'guide.svg'
    assert (
        main(
            [
                'guide',
                'check',
                str(tmp_path / 'mine.yaml'),
                '--data',
                str(data),
                '--count',
                '500',
                '--out',
                str(picture),
            ]
        )
        == 0
    )
    printed = capsys.readouterr().out
    assert 'keeps of every 8 the one that is worth most' in printed
    assert 'worth of places of the ball' in picture.read_text()
