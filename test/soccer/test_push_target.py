"""Balls in corners: where they are pushed first, by rules and by the demonstrator."""

from dataclasses import replace

import numpy as np
import pytest

from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.pipeline import augment
from guda_ros.data.contract import Contract
from guda_ros.data.exchange.nao_demonstrations import demonstrations
from guda_ros.data.exchange.nao_logs import NaoLog
from guda_ros.data.transitions import transitions
from guda_ros.soccer import world
from guda_ros.soccer.field import Field
from guda_ros.soccer.push_target import push_target
from guda_ros.tasks.physical_push.task import from_soccer
from guda_ros.tasks.soccer.demonstrator import Demonstrator, DemonstratorStyle

FIELD = Field.load('spl')


@pytest.mark.parametrize('clear, kept', [(None, FIELD.ball.radius), (0.4, 0.4)])
def test_the_way_of_every_ball_stays_clear_of_the_goal_line_beside_the_goal(clear, kept):
    rng = np.random.default_rng(0)
    ball = rng.uniform([0.0, -2.95], [4.45, 2.95], (5000, 2))
    target = push_target(ball, FIELD, 0.8, clear)
    at_goal = (target == FIELD.goal).all(axis=1)
    # Where a straight way crosses the line, for those that go to the goal at once.
    share = (FIELD.goal_line - ball[:, 0]) / (FIELD.goal[0] - ball[:, 0])
    crossing = np.abs(ball[:, 1] * (1 - share))
    assert crossing[at_goal].max() <= FIELD.goal_width / 2 - kept
    np.testing.assert_allclose(target[~at_goal], np.tile([3.7, 0.0], ((~at_goal).sum(), 1)))
    assert 0.05 < np.mean(~at_goal) < 0.5


def test_without_it_all_balls_go_to_the_goal():
    np.testing.assert_array_equal(push_target(np.array([4.4, -2.5]), FIELD), FIELD.goal)


@pytest.mark.parametrize('beside_goal, toward', [(0.0, (4.7, 0.0)), (0.8, (3.7, 0.0))])
def test_the_demonstrator_pushes_a_ball_in_a_corner_where_it_is_told(beside_goal, toward):
    contract = Contract.load()
    ball = np.array([4.3, -2.4])
    way = np.arctan2(toward[1] - ball[1], toward[0] - ball[0])
    # Right behind the ball in that direction, facing it: it walks on.
    state = np.zeros((1, world.SIZE))
    state[0, world.ROBOT] = [*(ball - 0.25 * np.array([np.cos(way), np.sin(way)])), way]
    state[0, world.BALL] = ball
    style = replace(DemonstratorStyle.clean(), beside_goal=beside_goal)
    operator = Demonstrator(contract.limits, contract.field, np.random.default_rng(0), style)
    forward, left, turn = operator(state)[0]
    assert forward > 0.9 * contract.limits.forward and abs(left) < 0.01 and abs(turn) < 0.01


@pytest.mark.parametrize(
    'guide, before, clear', [('whole_field', 1.0, 0.4), ('physical_guided', 1.4, None)]
)
def test_guides_for_the_whole_field_push_along_the_way_of_the_target(guide, before, clear):
    rows = np.arange(1800)
    pose = np.column_stack([0.003 * rows - 2.0, np.zeros(1800), np.zeros(1800)])
    ball = np.column_stack([np.maximum(pose[:, 0] + 0.2, 0.0), np.zeros(1800)])
    log = NaoLog('run_1.log', pose, ball, np.tile([1.0, 0.0, 0.0], (1800, 1)))
    recorded = transitions(demonstrations([log], Contract.load())[0], Contract.load())
    rules = load_guide(guide)
    if guide == 'physical_guided':
        recorded = from_soccer(recorded)
    made, _ = augment(recorded, rules, 20_000, 0)
    way = (made.next_states - made.states)[:, world.BALL]
    pushed = (made.rule == made.rule_names.index('push')) & (np.hypot(*way.T) > 0.01)
    ball, way = made.states[pushed, 3:5], way[pushed]
    straight = push_target(ball, made.contract.field, before, clear) - ball
    angle = np.arctan2(way[:, 1], way[:, 0]) - np.arctan2(straight[:, 1], straight[:, 0])
    np.testing.assert_allclose(world.wrap_angle(angle), 0, atol=1e-6)
    corner = (ball[:, 0] > 3.8) & (np.abs(ball[:, 1]) > 2)
    inward = -np.sign(ball[corner, 1]) * way[corner, 1]
    assert corner.sum() > 100 and np.all(inward > np.abs(way[corner, 0]))


def test_with_intended_the_goal_stays_where_it_lay_and_balls_that_went_elsewhere_are_left_out():
    rows = np.arange(1800)
    # The robot looks at the goal all the way; the ball rolls off to the left in the second half.
    pose = np.column_stack([0.0015 * rows - 2.0, np.zeros(1800), np.zeros(1800)])
    ball = pose[:, :2] + np.column_stack([np.full(1800, 0.2), np.maximum(rows - 900, 0) * 0.003])
    log = NaoLog('run_1.log', pose, ball, np.tile([1.0, 0.0, 0.0], (1800, 1)))
    recorded = transitions(demonstrations([log], Contract.load())[0], Contract.load())
    made, _ = augment(recorded, load_guide('nao_guided'), 10_000, 0)
    assert made.source_step.max() < 155 < recorded.source_step.max()
    ball = made.states[:, world.BALL]
    way = push_target(ball, made.contract.field, 1.0, 0.4) - ball
    bearing = np.arctan2(way[:, 1], way[:, 0]) - made.states[:, world.ROBOT_YAW]
    np.testing.assert_allclose(world.wrap_angle(bearing), 0, atol=1e-6)
