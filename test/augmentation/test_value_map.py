"""Values of places by value iteration on a grid, and of states by the way to the object."""

import numpy as np
from push_ball_scene import CONTRACT, transition_set, walk_and_push
import pytest

from guda_ros.augmentation.values.map import Grid, Moves, ValueMap
from guda_ros.augmentation.values.states import Approach, StateValue
from guda_ros.tasks.push_ball.task import PushBallToGoal

BOX = ((0.0, 2.0), (-1.0, 1.0))


def map_of(grid, reward):
    """Solve a world in which a step goes .1 m to any of four sides; x above 1.95 is its end."""
    ends = grid.points[:, None] + np.array([[0.1, 0], [-0.1, 0], [0, 0.1], [0, -0.1]])
    over = ends[..., 0] > 1.95
    inside = (np.abs(ends[..., 1]) <= 1 + 1e-9) & (ends[..., 0] >= -1e-9)
    return ValueMap.solve(
        grid,
        Moves(ends, np.where(inside, reward(over), -np.inf), np.where(over, 0.0, 0.9)),
        reach=0.2,
    )


def test_values_are_the_discounted_way_to_the_end():
    grid = Grid(BOX, 0.1)
    values = map_of(grid, lambda over: over.astype(float))
    at = np.array([[0.0, 0.3], [1.0, -0.5], [1.5, 0.0], [1.9, 0.9]])
    np.testing.assert_allclose(values(at), 0.9 ** np.array([19, 9, 4, 0]), rtol=2e-3)
    np.testing.assert_allclose(values.best_direction(at[:3]), [[1, 0]] * 3, atol=0.1)
    # Between the points there are the values between.
    between = values(np.array([[1.05, 0.0]]))[0]
    assert between == pytest.approx((0.9**9 + 0.9**8) / 2, rel=1e-3)


def test_costs_are_summed_up_as_rewards_are():
    values = map_of(Grid(BOX, 0.1), lambda over: -np.ones(over.shape))
    at = np.array([[1.9, 0.0], [1.5, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(
        values(at), [-(1 - 0.9**steps) / 0.1 for steps in (1, 5, 20)], rtol=2e-3
    )


def test_points_that_allow_nothing_are_worth_as_little_as_any():
    grid = Grid(BOX, 0.5)
    ends = np.repeat(grid.points[:, None], 2, axis=1)
    earned = np.repeat(grid.points[:, :1], 2, axis=1)
    earned[grid.points[:, 1] > 0] = -np.inf
    values = ValueMap.solve(grid, Moves(ends, earned, np.zeros(earned.shape)), 0.5)
    np.testing.assert_allclose(
        values(grid.points), np.where(grid.points[:, 1] > 0, 0.0, grid.points[:, 0])
    )
    assert values.least == 0
    nothing = np.full(earned.shape, -np.inf)
    assert np.all(ValueMap.solve(grid, Moves(ends, nothing, 0 * grid.points), 0.5).values == 0)


def test_a_state_is_worth_what_is_left_when_the_robot_is_behind_the_ball():
    task = PushBallToGoal(CONTRACT)
    recorded = walk_and_push()
    approach = Approach.find(recorded, task, nearest=0.16, heading=False)
    moves = np.hypot(*(recorded.next_states - recorded.states)[:, :2].T)
    assert 0 < approach.speed <= moves.max()
    assert CONTRACT.contact * 0.9 < approach.rear < CONTRACT.contact + CONTRACT.step
    grid = Grid(((-4.5, 4.8), (-3.0, 3.0)), 0.3)
    value = StateValue(task, ValueMap(grid, grid.points[:, 0], 0.3), 0.99, approach)
    # Values grow with x: behind is at smaller x. Another step is worth 1 % of what is above least.
    behind, before, beside = value(
        np.array([[-approach.rear, 0, 0, 0, 0.0], [1.0, 0, 0, 0, 0], [-0.5, 1.0, 0, 0, 0]])
    )
    assert behind == pytest.approx(0.0, abs=1e-3)
    assert before < beside < behind
    steps = np.hypot(0.5 - approach.rear, 1) / approach.speed
    assert beside == pytest.approx(-4.5 + 4.5 * 0.99**steps, rel=1e-3)


def test_turning_takes_its_time_where_headings_count():
    task = PushBallToGoal(CONTRACT)
    recorded = walk_and_push()
    approach = Approach.find(recorded, task, nearest=0.16, heading=True)
    way = np.array([[1.0, 0.0]] * 2)
    # The recorded robot pushes what is right ahead of it.
    assert approach.heading == pytest.approx(0, abs=0.3)
    steps = approach.steps(
        task,
        np.array([[-approach.rear, 0, 0, 0, yaw + approach.heading] for yaw in (0.0, 1.0)]),
        way,
    )
    assert steps[0] == pytest.approx(0, abs=1e-6)
    assert steps[1] == pytest.approx(1 / approach.turning)


def test_a_robot_that_stands_still_says_nothing_about_ways():
    states = np.tile([0.0, 0, 3, 0, 0], (20, 1))
    assert (
        Approach.find(
            transition_set(states, np.zeros((20, 3))), PushBallToGoal(CONTRACT), 0.2, False
        )
        is None
    )
