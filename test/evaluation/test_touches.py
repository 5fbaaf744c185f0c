import numpy as np
import pytest

from guda_ros.data.contract import Contract
from guda_ros.evaluation.rollout import evaluate_policy
from guda_ros.evaluation.touches import count_touches, TouchCounter
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile

CONTRACT = Contract.load()
ROBOT = RobotProfile.load('nao_v6')
SLOWING = CONTRACT.field.ball.deceleration * CONTRACT.period


def states(ball_speeds, distance=0.15):
    """Return states in which the ball, `distance` before the robot, has these speeds along x."""
    made = np.zeros((len(ball_speeds), world.SIZE))
    made[:, 3] = distance
    made[:, 5] = ball_speeds
    return made


def rolling(speed, steps):
    return [max(0.0, speed - SLOWING * step) for step in range(steps)]


def test_a_ball_that_rests_or_rolls_freely_is_not_touched():
    assert count_touches(states([0.0] * 10), CONTRACT, ROBOT) == 0
    assert count_touches(states(rolling(0.5, 25)), CONTRACT, ROBOT) == 0


def test_every_push_after_a_pause_is_a_touch():
    # At rest, pushed, rolls six steps, pushed again.
    assert count_touches(states([0.0, *rolling(0.4, 6), *rolling(0.5, 6)]), CONTRACT, ROBOT) == 2


def test_a_push_that_lasts_is_one_touch():
    assert count_touches(states([0.0, 0.1, 0.2, 0.3, 0.3, 0.4, 0.5]), CONTRACT, ROBOT) == 1


def test_a_ball_that_changes_its_way_far_from_the_robot_hit_something_else():
    assert count_touches(states([0.5, -0.3, -0.27], distance=1.0), CONTRACT, ROBOT) == 0


def test_touches_of_what_is_not_known_are_not_known():
    unknown = states([0.0, 0.3, 0.27])
    unknown[1, 3] = np.nan
    assert count_touches(unknown, CONTRACT, ROBOT) is None


def test_robots_are_counted_apart():
    first = states([0.0, 0.0])
    counter = TouchCounter(CONTRACT, ROBOT, first)
    counter.update(states([0.4]), np.array([1]))
    assert counter.touches.tolist() == [0, 1]


def test_a_robot_that_walks_into_a_ball_in_the_simulator_touches_it():
    pytest.importorskip('mujoco')
    starts = np.array([[1.0, 0.0, 0.0, 1.6, 0.0], [1.0, 0.0, 0.0, 1.6, 1.0]])

    def forward(states, indices):
        return np.tile([CONTRACT.limits.forward, 0.0, 0.0], (len(states), 1))

    # .45 m to the ball at .25 m/s: not reached after 1 s, reached after 3 s.
    early = evaluate_policy(forward, CONTRACT, ROBOT, starts, max_steps=10)
    assert early.touches.tolist() == [0, 0] and early.falls.tolist() == [0, 0]
    late = evaluate_policy(forward, CONTRACT, ROBOT, starts, max_steps=30)
    assert late.touches[0] >= 1 and late.touches[1] == 0
