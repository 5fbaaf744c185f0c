"""Policies in the batched simulator know the ball only from the camera, as on the robot."""

import dataclasses

import numpy as np
import pytest

from guda_ros.control.search import SEARCH_SPEED
from guda_ros.data.contract import Contract
from guda_ros.evaluation.ball_visibility import SightedPolicy
from guda_ros.evaluation.rollout import evaluate_policy
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile

CONTRACT = Contract.load()
ROBOT = RobotProfile.load(CONTRACT.robot)
HOLD = round(CONTRACT.ball_hold * CONTRACT.rate)
FORWARD = np.array([1.0, 0.0, 0.0])


def scene(ball, yaw=0.0, velocity=(0.0, 0.0)):
    state = np.zeros((1, world.SIZE))
    state[0, world.ROBOT_YAW] = yaw
    state[0, world.BALL] = ball
    state[0, world.BALL_VELOCITY] = velocity
    return state


class Watched(SightedPolicy):
    """Keeps the ball, relative to the robot, that the policy was shown last."""

    def __init__(self, contract=CONTRACT, count=1):
        self.ball = None
        super().__init__(self._predict_forward, contract, ROBOT, count)

    def _predict_forward(self, observations):
        names = CONTRACT.observation_names
        self.ball = observations[:, [names.index('ball_x'), names.index('ball_y')]]
        return np.tile(FORWARD, (len(observations), 1))


def test_a_ball_in_view_is_seen_where_it_is():
    policy = Watched()
    command = policy(scene((1.5, 0.3)), np.array([0]))
    np.testing.assert_allclose(policy.ball, [[1.5, 0.3]], atol=1e-6)
    np.testing.assert_allclose(command, [[CONTRACT.limits.forward, 0, 0]])


@pytest.mark.parametrize('side', [0.4, -0.4])
def test_a_ball_never_seen_is_searched_to_the_left_wherever_it_is(side):
    policy = Watched()
    command = policy(scene((-1.5, side)), np.array([0]))
    assert policy.ball is None
    np.testing.assert_allclose(command, [[0, 0, min(SEARCH_SPEED, CONTRACT.limits.turn)]])


def test_an_unseen_ball_is_held_where_it_was_and_then_searched_where_it_was_lost():
    policy = Watched()
    policy(scene((1.0, -0.5)), np.array([0]))
    # It is carried away behind the robot's back: what is remembered stays.
    for _ in range(HOLD):
        command = policy(scene((-1.0, 2.0)), np.array([0]))
        np.testing.assert_allclose(policy.ball, [[1.0, -0.5]], atol=1e-6)
        assert command[0, 0] > 0
    command = policy(scene((-1.0, 2.0)), np.array([0]))
    assert command[0, 0] == 0 and command[0, 2] < 0


def test_the_search_keeps_its_side_while_the_robot_turns():
    policy = Watched()
    policy(scene((1.0, -0.5)), np.array([0]))
    for _ in range(HOLD + 1):
        policy(scene((-1.0, 2.0)), np.array([0]))
    for yaw in np.linspace(0, -4.2, 20):
        command = policy(scene((-1.0, 2.0), yaw), np.array([0]))
        if command[0, 0] > 0:
            break
        assert command[0, 2] < 0
    else:
        pytest.fail('the ball never came into view')


def test_a_remembered_ball_rolls_on_and_comes_to_rest():
    policy = Watched()
    policy(scene((1.5, 0.0), velocity=(0.5, 0.0)), np.array([0]))
    places = []
    for _ in range(HOLD):
        policy(scene((-2.0, 0.0)), np.array([0]))
        places.append(policy.ball[0, 0])
    deceleration = CONTRACT.field.ball.deceleration
    time = min(CONTRACT.ball_hold, 0.5 / deceleration)
    way = 0.5 * time - deceleration * time**2 / 2
    assert np.all(np.diff(places) >= -1e-9)
    assert places[-1] - 1.5 == pytest.approx(way, abs=0.5 * CONTRACT.period)


def test_environments_do_not_share_what_they_know():
    policy = Watched(count=3)
    states = np.concatenate([scene((1.5, 0.0)), scene((-1.5, 0.0)), scene((2.0, 0.2))])
    commands = policy(states, np.arange(3))
    assert commands[0, 0] > 0 and commands[2, 0] > 0
    assert commands[1, 0] == 0 and commands[1, 2] > 0
    # The middle one alone now: its memory is its own.
    assert policy(states[1:2], np.array([1]))[0, 0] == 0


def test_a_robot_that_cannot_see_the_ball_finds_it_by_searching():
    start = np.array([[1.0, 0.0, 0.0, -1.0, 0.0]])
    result = evaluate_policy(Watched(count=1), CONTRACT, ROBOT, start, max_steps=60, record=True)
    turned = np.unwrap(result.states[:, 0, world.ROBOT_YAW])
    # It turns until the ball is in view, then walks forward.
    assert np.max(turned) > np.pi / 4
    moved = np.linalg.norm(np.diff(result.states[:, 0, :2], axis=0), axis=1)
    assert moved[-1] > 0.5 * CONTRACT.limits.forward * CONTRACT.period


def test_a_policy_that_stands_still_is_retired_only_after_it_would_search():
    def stand(observations):
        return np.zeros((len(observations), 3))

    start = np.array([[0.0, 0.0, 0.0, 1.5, 0.0], [1.0, 0.0, 0.0, -1.0, 0.0]])
    contract = dataclasses.replace(CONTRACT, ball_hold=6.0)
    policy = SightedPolicy(stand, contract, ROBOT, 2)
    result = evaluate_policy(policy, contract, ROBOT, start, max_steps=300, record=True)
    assert result.settled.all()
    lasted = np.isfinite(result.states[:, 0, 0]).sum() - 1
    assert lasted >= (contract.ball_hold + 1.0) * contract.rate


def test_a_head_that_looks_keeps_a_ball_in_view_that_two_fixed_cameras_lose():
    real = RobotProfile.load('nao_v6_real')
    still = dataclasses.replace(real, head=dataclasses.replace(real.head, gaze=None))
    known = []
    for robot in (real, still):
        policy = SightedPolicy(lambda seen: np.tile(FORWARD, (len(seen), 1)), CONTRACT, robot, 1)
        # It walks to the ball until that is at its feet, and then round it.
        for x in np.linspace(1.0, 0.16, 30):
            policy(scene((x, 0.0)), np.array([0]))
        for bearing in np.linspace(0.0, 1.5, 40):
            command = policy(scene(0.16 * np.array([np.cos(bearing), np.sin(bearing)])), [0])
        known.append(command[0, 0] > 0)
    assert known == [True, False]
