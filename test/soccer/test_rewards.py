"""Reward terms against values worked out by hand."""

import numpy as np
import pytest

from guda_ros.config.files import ConfigError
from guda_ros.soccer import rewards
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import VelocityLimits

FIELD = Field.load('spl')
LIMITS = VelocityLimits(forward=0.25, backward=0.15, side=0.2, turn=2.0)


def states(robot=(0, 0, 0), ball=(1, 0), command=(0, 0, 0)):
    return np.array([[*robot, *ball, 0, 0, *command]], dtype=float)


def value(term, before, after):
    return float(rewards.TERMS[term](before, after, FIELD, LIMITS)[0])


def test_goal_and_out_are_told_apart():
    inside, scored, out = states(ball=(4, 0)), states(ball=(4.6, 0)), states(ball=(4.6, 1.2))
    assert [value('goal', inside, ball) for ball in (inside, scored, out)] == [0, 1, 0]
    assert [value('out', inside, ball) for ball in (inside, scored, out)] == [0, 0, 1]


def test_the_ball_earns_what_it_comes_nearer_to_the_goal_point():
    # The goal point is (4.7, 0): from 3-4-5 triangles, 5 m and 2.5 m away.
    assert value('ball_to_goal', states(ball=(0.7, 3)), states(ball=(2.7, 1.5))) == pytest.approx(
        2.5
    )


def test_the_robot_earns_what_it_comes_nearer_to_the_ball():
    assert value('robot_to_ball', states(robot=(-2, 4, 1)), states(robot=(1, 1, 0))) == (
        pytest.approx(5 - 1)
    )


def test_the_place_to_push_from_is_behind_the_ball_as_seen_from_the_goal():
    # Ball at (1, 0): pushed from (.85, 0). From (.85, 1) to (.85, .4).
    assert value('robot_to_push', states(robot=(0.85, 1, 0)), states(robot=(0.85, 0.4, 0))) == (
        pytest.approx(0.6)
    )
    before_the_ball = states(robot=(1.15, 0, 0))
    assert value('robot_to_push', before_the_ball, states(robot=(0.85, 0, 0))) == pytest.approx(
        0.3
    )


def test_time_counts_steps_and_a_changed_command_its_square_in_action_units():
    before, after = states(command=(0.25, 0, 0)), states(command=(-0.15, 0.1, 1.0))
    assert value('time', before, after) == 1
    # Actions (1, 0, 0) and (-1, .5, .5).
    assert value('command_change', before, after) == pytest.approx(4 + 0.25 + 0.25)


def test_the_weights_of_push_give_the_reward_of_offline_data():
    rng = np.random.default_rng(2)
    before, after = rng.uniform(-4, 4, (2, 500, 10))
    after[:, 3] += 1.0
    terms = rewards.reward_terms(before, after, FIELD, LIMITS, rewards.load_weights('push'))
    np.testing.assert_allclose(
        terms.sum(axis=-1), rewards.push_reward(before, after, FIELD), atol=1e-12
    )


def test_terms_are_weighted_and_keep_the_order_of_the_weights():
    before, after = states(ball=(4.4, 0)), states(ball=(4.6, 0))
    terms = rewards.reward_terms(before, after, FIELD, LIMITS, {'time': -0.5, 'goal': 3.0})
    assert terms.tolist() == [[-0.5, 3.0]]


@pytest.mark.parametrize(
    ('text', 'named'),
    [('goal: 1\ngaol: 2\n', 'gaol'), ('goal: high\n', 'goal'), ('{}\n', 'at least one')],
)
def test_wrong_weights_are_named(tmp_path, text, named):
    path = tmp_path / 'weights.yaml'
    path.write_text(text)
    with pytest.raises(ConfigError, match=named):
        rewards.load_weights(path)
