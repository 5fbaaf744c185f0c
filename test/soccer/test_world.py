import math

import numpy as np
import pytest

from guda_ros.soccer import world
from guda_ros.soccer.field import Field
from guda_ros.soccer.observation import (
    FEATURES,
    observation_bounds,
    observation_names,
    observe,
)
from guda_ros.soccer.rewards import push_reward, push_terminated
from guda_ros.soccer.robot import RobotProfile
from guda_ros.soccer.starts import fixed_starts, sample_starts


@pytest.fixture(scope='module')
def field():
    return Field.load('spl')


@pytest.fixture(scope='module')
def limits():
    return RobotProfile.load('nao_v6').limits


def state(robot=(0, 0, 0), ball=(1, 0), velocity=(0, 0), command=(0, 0, 0)):
    return np.array([*robot, *ball, *velocity, *command], dtype=float)


def test_goal_counts_only_when_the_whole_ball_is_over_the_line(field):
    assert not field.scored(np.array([4.5, 0.0]))
    assert not field.scored(np.array([4.55, 0.0]))
    assert field.scored(np.array([4.551, 0.0]))


def test_goal_counts_only_between_the_posts(field):
    assert field.scored(np.array([4.6, 0.74]))
    assert not field.scored(np.array([4.6, 0.76]))
    assert field.out(np.array([4.6, 0.76]))


def test_ball_in_the_goal_is_not_out(field):
    balls = np.array([[4.6, 0.0], [4.6, 1.0], [0.0, 3.06], [0.0, 3.04], [-4.6, 0.0]])
    assert field.out(balls).tolist() == [False, True, True, False, True]


def test_ball_straight_ahead_of_a_turned_robot_is_on_its_x_axis(limits, field):
    observation = observe(
        state(robot=(1, 1, math.pi / 2), ball=(1, 3)), field.goal, limits, ('ball', 'ball_bearing')
    )
    assert observation == pytest.approx([2, 0, 0, 1], abs=1e-6)


def test_push_frame_of_a_robot_behind_the_ball_is_negative_x(limits):
    observation = observe(
        state(robot=(0, 0, 0), ball=(1, 0)), np.array([3.0, 0.0]), limits, ('push_frame',)
    )
    assert observation == pytest.approx([-1, 0, 0, 1], abs=1e-6)


def test_push_frame_turns_with_the_line_from_ball_to_goal(limits):
    # The goal lies due left of the ball, so a robot at its right, facing left, is behind it.
    observation = observe(
        state(robot=(0, -2, math.pi / 2), ball=(0, 0)),
        np.array([0.0, 5.0]),
        limits,
        ('push_frame',),
    )
    assert observation == pytest.approx([-2, 0, 0, 1], abs=1e-6)


def test_observation_does_not_change_when_the_whole_scene_moves(limits, field):
    rng = np.random.default_rng(0)
    states = rng.normal(size=(50, world.SIZE))
    goal = np.array([4.0, 1.0])
    angle, shift = 0.7, np.array([0.3, -2.0])
    moved = states.copy()
    moved[:, :2] = world.rotate(states[:, :2], angle) + shift
    moved[:, 2] += angle
    moved[:, 3:5] = world.rotate(states[:, 3:5], angle) + shift
    moved[:, 5:7] = world.rotate(states[:, 5:7], angle)
    features = tuple(name for name in FEATURES if name != 'ball_place')
    obstacles = rng.normal(size=(50, 3, 2))
    turned = world.rotate(obstacles, angle) + shift
    np.testing.assert_allclose(
        observe(moved, world.rotate(goal, angle) + shift, limits, features, turned),
        observe(states, goal, limits, features, obstacles),
        atol=1e-5,
    )


def test_place_of_the_ball_tells_a_corner_from_a_ball_before_the_goal(limits, field):
    front = np.array(state(robot=(2, 0, 0), ball=(field.goal[0] - 2.5, 0)), dtype=float)
    corner = front.copy()
    for columns in (slice(0, 2), slice(3, 5)):
        corner[..., columns] = field.goal + world.rotate(
            front[..., columns] - field.goal, math.pi / 2
        )
    corner[..., 2] += math.pi / 2
    alike = ('ball', 'goal', 'push_frame')
    np.testing.assert_allclose(
        observe(front, field.goal, limits, alike),
        observe(corner, field.goal, limits, alike),
        atol=1e-6,
    )
    seen = observe(corner, field.goal, limits, ('ball_place',))
    assert seen == pytest.approx([field.goal[0], -2.5], abs=1e-6)


def test_observation_has_one_name_for_every_number(limits, field):
    features = tuple(FEATURES)
    assert observe(state(), field.goal, limits, features, np.zeros((1, 2))).shape == (
        len(observation_names(features)),
    )


def test_the_two_nearest_obstacles_are_seen_from_the_robot(limits, field):
    robot = state(robot=(1, 1, math.pi / 2))
    places = np.array([[1, 6], [0, 1], [1, 3.0]])
    seen = observe(robot, field.goal, limits, ('obstacles',), places)
    assert seen == pytest.approx([0, 1, 2, 0], abs=1e-6)
    seen = observe(robot, field.goal, limits, ('obstacles',), places[:1])
    assert seen == pytest.approx([5, 0, 10, 0], abs=1e-6)
    with pytest.raises(ValueError, match='obstacles'):
        observe(robot, field.goal, limits, ('obstacles',))


def test_no_number_of_an_observation_exceeds_its_bound(limits, field):
    rng = np.random.default_rng(3)
    states = rng.uniform(-1, 1, (2000, world.SIZE)) * [5.2, 3.7, 3.1, 5.2, 3.7, 2, 2, 1, 1, 3]
    features = tuple(FEATURES)
    obstacles = rng.uniform(-1, 1, (2000, 1, 2)) * [5.2, 3.7]
    size = np.abs(observe(states, field.goal, limits, features, obstacles)).max(axis=0)
    assert (size <= observation_bounds(field, features)).all()


def test_unknown_feature_is_named(limits, field):
    with pytest.raises(KeyError, match='colour'):
        observe(state(), field.goal, limits, ('colour',))


def test_full_backward_action_is_the_backward_limit(limits):
    assert limits.to_command([-1, 1, 0.5]) == pytest.approx(
        [-0.15, 0.2, math.radians(60)], abs=1e-6
    )


def test_actions_and_commands_are_inverse(limits):
    actions = np.random.default_rng(1).uniform(-1, 1, (100, 3))
    np.testing.assert_allclose(limits.to_action(limits.to_command(actions)), actions)


def test_commands_beyond_the_limits_are_clipped(limits):
    assert limits.clip([1, -1, 9]) == pytest.approx([0.25, -0.2, math.radians(120)], abs=1e-6)


def test_poses_compose_and_come_apart(limits):
    rng = np.random.default_rng(2)
    pose, other = rng.uniform(-3, 3, (2, 20, 3))
    again = world.compose(pose, world.relative_pose(other, pose))
    np.testing.assert_allclose(again[:, :2], other[:, :2])
    np.testing.assert_allclose(world.wrap_angle(again[:, 2] - other[:, 2]), 0, atol=1e-12)


def test_starts_of_a_purpose_are_the_same_every_time_and_a_prefix_of_a_longer_list(field):
    assert np.array_equal(fixed_starts('test', 20, field), fixed_starts('test', 30, field)[:20])


def test_no_start_is_shared_between_purposes(field):
    seen = [
        tuple(row)
        for purpose in ('demonstration', 'validation', 'test', 'ros_test')
        for row in fixed_starts(purpose, 100, field)
    ]
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize('scenario', ['attack', 'centre'])
def test_starts_lie_where_the_scenario_says(field, scenario):
    starts = sample_starts(scenario, 500, np.random.default_rng(3), field)
    assert starts[:, 3].min() >= 0.5 and starts[:, 3].max() <= 3.5
    assert np.abs(starts[:, 4]).max() <= 2
    assert np.linalg.norm(starts[:, :2] - starts[:, 3:], axis=1).min() >= 0.4
    assert starts[:, 0].min() >= -0.2 and starts[:, 0].max() <= 4.5


def test_moving_the_ball_to_the_goal_earns_the_distance_it_came_nearer(field):
    before, after = state(ball=(1, 0)), state(ball=(1.5, 0))
    assert push_reward(before, after, field) == pytest.approx(0.5)
    assert not push_terminated(after, field)


def test_a_goal_earns_ten_and_ends_the_task(field):
    before, after = state(ball=(4.5, 0)), state(ball=(4.6, 0))
    assert push_reward(before, after, field) == pytest.approx(10.1)
    assert push_terminated(after, field)


def test_a_ball_out_of_the_field_costs_one_and_ends_the_task(field):
    before, after = state(ball=(4.7, 2.9)), state(ball=(4.7, 3.1))
    assert push_reward(before, after, field) == pytest.approx(2.9 - 3.1 - 1)
    assert push_terminated(after, field)
