"""What a robot with a policy does at each step."""

import numpy as np
import pytest

from guda_ros.control.ball_controller import (
    ACTING,
    BallController,
    LOST,
    Observed,
    SEARCHING,
)
from guda_ros.control.search import BallSearch
from guda_ros.data.contract import Contract
from guda_ros.soccer import world

CONTRACT = Contract.load()
POSE, ODOM = np.array([1.0, 0.5, 0.2]), np.array([0.3, 0.1, 0.1])
BALL, STILL = np.array([0.9, -0.2]), np.zeros(2)
SECOND = 1_000_000_000


@pytest.fixture
def controller():
    return BallController(CONTRACT, BallSearch(1.0))


def forward(observation):
    """Walk forward, whatever is observed."""
    return np.array([1.0, 0.0, 0.0])


def never(observation):
    raise AssertionError('a policy is asked although the world is not known')


def test_a_known_world_is_the_policy_s_business(controller):
    seen = []

    def predict(observation):
        seen.append(observation)
        return np.array([0.5, -1.0, 0.0])

    controller.previous = np.array([0.1, 0.0, 0.2])
    command, state = controller.command(Observed(POSE, ODOM, BALL, STILL, True), SECOND, predict)
    assert state == ACTING
    np.testing.assert_allclose(command, CONTRACT.to_command(np.array([0.5, -1.0, 0.0])))
    expected = np.empty(world.SIZE)
    expected[world.ROBOT] = POSE
    expected[world.BALL] = world.from_frame(world.to_frame(BALL, ODOM), POSE)
    expected[world.BALL_VELOCITY] = 0.0
    expected[world.PREVIOUS_COMMAND] = [0.1, 0.0, 0.2]
    np.testing.assert_allclose(seen[0], CONTRACT.observe(expected), atol=1e-6)


@pytest.mark.parametrize('pose, odom', [(None, ODOM), (POSE, np.array([0.0, np.nan, 0.0]))])
def test_a_robot_that_does_not_know_where_it_is_stands(controller, pose, odom):
    command, state = controller.command(Observed(pose, odom, BALL, STILL, True), SECOND, never)
    assert (command.tolist(), state) == ([0.0, 0.0, 0.0], LOST)


def test_a_ball_that_was_never_seen_is_searched_to_the_left(controller):
    command, state = controller.command(Observed(POSE, ODOM, BALL, STILL, False), SECOND, never)
    assert (command.tolist(), state) == ([0.0, 0.0, 1.0], SEARCHING)


def test_a_lost_ball_is_searched_where_it_was_last_seen(controller):
    controller.command(Observed(POSE, ODOM, BALL, STILL, True), SECOND, forward)
    lost = Observed(POSE, ODOM, np.full(2, np.nan), STILL, False)
    command, state = controller.command(lost, 2 * SECOND, never)
    assert (command.tolist(), state) == ([0.0, 0.0, -1.0], SEARCHING)


def test_an_episode_begins_without_a_memory_of_the_ball(controller):
    controller.command(Observed(POSE, ODOM, BALL, STILL, True), SECOND, forward)
    controller.previous = np.ones(3)
    controller.reset()
    command, _ = controller.command(Observed(POSE, ODOM, BALL, STILL, False), SECOND, never)
    assert command.tolist() == [0.0, 0.0, 1.0]
    assert controller.previous.tolist() == [0.0, 0.0, 0.0]
