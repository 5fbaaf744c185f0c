"""The project's rules for the paper's soccer task: ways round the ball, and what they make."""

import numpy as np
import pytest

from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.pipeline import augment
from guda_ros.augmentation.values.detour import along_direction, detour_direction
from guda_ros.augmentation.verify import verify
from guda_ros.config.files import ConfigError, find_config
from guda_ros.data.transitions import TransitionSet
from guda_ros.soccer.push_target import push_target
from guda_ros.tasks.push_ball.model import PushBallModel
from guda_ros.tasks.push_ball.task import PushBallToGoal

CONTRACT = PushBallModel()
CLEARANCE, ALIGNED = 0.2, np.radians(15)


def wandering(seed=0, steps=400):
    """Return steps of a robot that walks about and into the ball, of any speed."""
    rng = np.random.default_rng(seed)
    states = CONTRACT.reset(1, rng)
    states[:, :2] = states[:, 2:4] - [0.5, 0.0]
    rows = []
    for _ in range(steps):
        way = states[0, 2:4] - states[0, :2]
        ahead = np.arctan2(way[1], way[0]) - states[0, 4] + rng.normal(0, 0.7)
        speed = rng.uniform(0.1, 1.0)
        action = np.array([[rng.normal(), speed * np.cos(ahead), speed * np.sin(ahead)]])
        after = CONTRACT.step_states(states, action)
        rows.append((states, action, after))
        states = after
    before, actions, after = (np.concatenate(part) for part in zip(*rows))
    return TransitionSet(
        contract=CONTRACT,
        states=before,
        actions=actions,
        next_states=after,
        rewards=CONTRACT.reward(after),
        terminations=np.zeros(steps, dtype=bool),
        source_episode=np.zeros(steps, dtype=int),
        source_step=np.arange(steps),
        rule=np.zeros(steps),
        episode_ids=['wandering'],
        episode_success=[False],
    )


@pytest.fixture(scope='module')
def made():
    recorded = wandering()
    return recorded, augment(recorded, load_guide('push_ball_guided'), 20_000, seed=1)[0]


def test_steps_are_those_of_the_simulator(made):
    found = verify(PushBallToGoal(CONTRACT), made[1], 5000)
    assert found.position[1] < 1e-6 and found.heading[1] < 1e-6 and found.reward[1] < 1e-6


def test_walking_steps_follow_the_way_and_are_the_fast_ones(made):
    recorded, steps = made
    walk = steps.rule == steps.rule_names.index('walk')
    before, after = steps.states[walk], steps.next_states[walk]
    way = after[:, :2] - before[:, :2]
    ball = before[:, 2:4]
    np.testing.assert_array_equal(ball, after[:, 2:4])
    to_goal = push_target(ball, CONTRACT, 0.7, 0.15) - ball
    push = to_goal / np.linalg.norm(to_goal, axis=1, keepdims=True)
    wanted = np.arctan2(push[:, 1], push[:, 0]) + detour_direction(
        *along_direction(before[:, :2] - ball, push), CLEARANCE, ALIGNED
    )
    np.testing.assert_allclose(np.cos(np.arctan2(way[:, 1], way[:, 0]) - wanted), 1, atol=1e-6)
    speed = np.hypot(*(recorded.next_states - recorded.states)[:, :2].T)
    assert np.hypot(*way.T).min() >= np.median(speed[speed > 0]) * 0.8


def test_pushed_balls_move_to_the_goal_or_out_of_the_corner(made):
    _, steps = made
    push = steps.rule == steps.rule_names.index('push_on')
    ball, after = steps.states[push, 2:4], steps.next_states[push, 2:4]
    wanted, way = push_target(ball, CONTRACT, 0.7, 0.15) - ball, after - ball
    cosine = (wanted * way).sum(axis=1) / np.hypot(*wanted.T) / np.hypot(*way.T)
    np.testing.assert_allclose(cosine, 1, atol=1e-6)
    corner = (ball[:, 0] > 4) & (np.abs(ball[:, 1]) > 1.5)
    assert corner.any() and (way[corner, 0] < 0.1).all()


def test_a_guide_that_is_wrong_is_refused_by_key(tmp_path):
    text = find_config('guides', 'push_ball_guided').read_text()
    text = text.replace('aligned: 15', 'aligned: 120')
    (tmp_path / 'wrong.yaml').write_text(text)
    with pytest.raises(ConfigError, match='aligned'):
        load_guide(tmp_path / 'wrong.yaml')
