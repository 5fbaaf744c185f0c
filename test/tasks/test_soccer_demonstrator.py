"""The scripted demonstrator: clean, imperfect, and the same for every number of environments."""

import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.evaluation.rollout import evaluate_policy
from guda_ros.soccer.robot import RobotProfile
from guda_ros.soccer.starts import fixed_starts, sample_starts
from guda_ros.tasks.soccer.demonstrator import Demonstrator, DemonstratorStyle

CONTRACT = Contract.load()
ROBOT = RobotProfile.load('nao_v6')


def demonstrator(styles, seed=0):
    return Demonstrator(CONTRACT.limits, CONTRACT.field, np.random.default_rng(seed), styles)


def imperfect(count, first=0):
    return [DemonstratorStyle.imperfect(seed) for seed in range(first, first + count)]


def test_clean_demonstrator_scores_in_time():
    starts = fixed_starts('validation', 60, CONTRACT.field)
    result = evaluate_policy(
        demonstrator([DemonstratorStyle.clean()] * 60), CONTRACT, ROBOT, starts, memoryless=False
    )
    assert result.rate >= 0.95
    assert np.median(result.seconds_to_goal) < 35


def test_imperfect_demonstrator_sometimes_fails_and_wastes_no_time():
    starts = fixed_starts('validation', 60, CONTRACT.field)
    result = evaluate_policy(
        demonstrator(imperfect(60)), CONTRACT, ROBOT, starts, memoryless=False
    )
    assert 0.6 <= result.rate <= 0.95
    assert result.out.sum() >= 3
    assert result.steps.mean() * CONTRACT.period < 45


def test_one_in_five_imperfect_episodes_aims_past_the_goal():
    wide = [abs(style.aim_y) > CONTRACT.field.goal_width / 2 for style in imperfect(500)]
    # Three standard errors, sqrt(.2 * .8 / 500) = .018.
    assert np.mean(wide) == pytest.approx(0.2, abs=0.054)


def test_style_depends_on_its_seed_alone():
    assert DemonstratorStyle.imperfect(3) == DemonstratorStyle.imperfect(3)
    assert DemonstratorStyle.imperfect(3) != DemonstratorStyle.imperfect(4)


def test_commands_repeat_for_the_same_seed():
    states = np.zeros((4, 10))
    states[:, :5] = sample_starts('attack', 4, np.random.default_rng(0), CONTRACT.field)
    first, second = demonstrator(imperfect(4)), demonstrator(imperfect(4))
    commands = [first(states) for _ in range(20)]
    np.testing.assert_array_equal(commands, [second(states) for _ in range(20)])
    assert np.abs(np.diff(commands, axis=0)).max() > 0.01
    first.reset()
    np.testing.assert_array_equal(commands, [first(states) for _ in range(20)])


def test_an_environment_does_not_depend_on_the_others():
    states = np.zeros((3, 10))
    states[:, :5] = sample_starts('attack', 3, np.random.default_rng(1), CONTRACT.field)
    together, alone = demonstrator(imperfect(3)), demonstrator(imperfect(3))
    for _ in range(30):
        commands = together(states)
        # One at a time, and not in order.
        for index in (2, 0, 1):
            one = alone(states[index : index + 1], np.array([index]))
            np.testing.assert_allclose(one[0], commands[index], atol=1e-12)


def test_commands_keep_the_limits():
    rng = np.random.default_rng(2)
    states = rng.uniform(-4, 4, (300, 10))
    commands = demonstrator(imperfect(300))(states)
    np.testing.assert_allclose(commands, CONTRACT.limits.clip(commands), atol=1e-12)
    assert np.isfinite(commands).all()


def test_a_pause_is_a_standstill():
    style = DemonstratorStyle(noise=0.2, pauses=((0.2, 0.3),))
    state = np.array([[1.0, 0, 0, 2.0, 0, 0, 0, 0, 0, 0]])
    controller = demonstrator(style)
    moving = [bool(np.any(controller(state))) for _ in range(8)]
    assert moving == [True, True, False, False, False, True, True, True]


def test_behind_the_ball_it_pushes_straight_on():
    state = np.array([[2.0, 0, 0, 2.2, 0, 0, 0, 0, 0, 0]])
    np.testing.assert_allclose(
        demonstrator(DemonstratorStyle.clean())(state),
        [[CONTRACT.limits.forward, 0.0, 0.0]],
        atol=1e-9,
    )


def test_wrong_shape_is_named():
    with pytest.raises(ValueError, match=r'\(1, 10\)'):
        demonstrator(DemonstratorStyle.clean())(np.zeros((1, 5)))
    with pytest.raises(ValueError, match='at least one style'):
        demonstrator([])
