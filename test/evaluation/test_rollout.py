"""Rollouts: the fate of every episode is booked correctly."""

import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.evaluation.rollout import evaluate_policy
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile

CONTRACT = Contract.load()
ROBOT = RobotProfile.load('nao_v6')


def forward(states, indices):
    return np.tile([CONTRACT.limits.forward, 0.0, 0.0], (len(states), 1))


def stand(states, indices):
    return np.zeros((len(states), 3))


#: Straight before the goal; straight before the side line; with nothing in the way.
STARTS = np.array(
    [[4.0, 0.0, 0.0, 4.3, 0.0], [1.0, 2.6, np.pi / 2, 1.0, 2.85], [1.0, 0.0, 0.0, 1.0, 2.0]]
)


def test_goal_out_and_time_out_are_told_apart():
    result = evaluate_policy(forward, CONTRACT, ROBOT, STARTS, max_steps=60)
    np.testing.assert_array_equal(result.success, [True, False, False])
    np.testing.assert_array_equal(result.out, [False, True, False])
    assert result.steps[2] == 60
    assert result.rate == pytest.approx(1 / 3)
    # .15 m to the ball and .25 m to the line at .25 m/s, a response of .25 s; a pushed ball rolls
    # ahead a little.
    assert 1.2 < result.seconds_to_goal[0] < 2.2


def test_episode_that_rests_for_good_is_cut_short():
    seen = []

    def count(states, indices):
        seen.append(len(states))
        return stand(states, indices)

    result = evaluate_policy(count, CONTRACT, ROBOT, STARTS)
    assert result.settled.all() and not result.success.any()
    np.testing.assert_array_equal(result.steps, CONTRACT.max_steps)
    assert len(seen) == 50  # 5 s of rest


def test_a_controller_with_memory_is_not_cut_short():
    result = evaluate_policy(
        stand, CONTRACT, ROBOT, STARTS, max_steps=70, memoryless=False, record=True
    )
    assert not result.settled.any()
    assert result.states.shape == (71, 3, 10)


def test_finished_environments_are_not_asked_again():
    seen = {}

    def note(states, indices):
        for index in indices:
            seen[int(index)] = seen.get(int(index), 0) + 1
        return forward(states, indices)

    result = evaluate_policy(note, CONTRACT, ROBOT, STARTS, max_steps=60)
    assert [seen[i] for i in range(3)] == result.steps.tolist()


def test_recorded_states_end_with_the_episode():
    result = evaluate_policy(forward, CONTRACT, ROBOT, STARTS, max_steps=60, record=True)
    last = result.steps[0]
    assert CONTRACT.field.scored(result.states[last, 0, world.BALL])
    assert np.isnan(result.states[last + 1 :, 0]).all()
    np.testing.assert_allclose(result.states[0, :, :5], STARTS)


def test_no_starts_is_an_error():
    with pytest.raises(ValueError, match='shape'):
        evaluate_policy(stand, CONTRACT, ROBOT, np.empty((0, 5)))
