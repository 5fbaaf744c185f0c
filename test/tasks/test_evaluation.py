"""Evaluation of policies in a task's environments, and the data that a training begins with."""

import numpy as np
import pytest

from guda_ros.augmentation.task import initial_files
from guda_ros.data.transitions import DataSetError
from guda_ros.evaluation.start_sets import StartSet, StartSetError
from guda_ros.tasks.environments import PushBallToGoalEnv
from guda_ros.tasks.push_ball.task import PushBallToGoal
from guda_ros.workflows import own_task


def walk_to_ball(observations):
    """Walk straight at the ball, wherever that pushes it."""
    return np.column_stack([observations[:, 4], observations[:, 5], observations[:, 4]])


def test_evaluation_agrees_with_episodes_played_one_by_one():
    task = PushBallToGoal()
    found = task.evaluate(walk_to_ball, 24, seed=3)
    starts = task.contract.reset(24, np.random.default_rng(3))
    env, scored = PushBallToGoalEnv(), 0
    for index, start in enumerate(starts):
        observation, _ = env.reset(options={'world_state': start})
        total, first, over, steps = 0.0, None, False, 0
        while not over:
            action = walk_to_ball(observation[None])[0]
            observation, reward, _, over, info = env.step(action)
            total, steps = total + reward, steps + 1
            if info['is_success'] and first is None:
                first = steps
        assert found.returns[index] == pytest.approx(total)
        assert found.successes[index] == (first is not None)
        assert found.steps[index] == (first or task.contract.max_steps)
        scored += first is not None
    # Both kinds of episodes were seen.
    assert 0 < scored < 24


def first_observations(action, seed):
    """Return what a policy that repeats an action sees first."""
    seen = []

    def policy(observations):
        seen.append(observations)
        return np.full((len(observations), 3), action)

    PushBallToGoal().evaluate(policy, 4, seed)
    return seen[0]


def test_starts_depend_on_the_seed_alone():
    reference = first_observations(0.0, seed=1)
    np.testing.assert_array_equal(first_observations(1.0, seed=1), reference)
    assert not np.array_equal(first_observations(0.0, seed=2), reference)


def test_initial_files_are_sorted_by_number(tmp_path):
    folder = tmp_path / 'push_ball_to_goal'
    folder.mkdir()
    for number in (10, 2, 0):
        (folder / f'initial_{number}.npz').touch()
    names = [path.name for path in initial_files(tmp_path, 'push_ball_to_goal')]
    assert names == ['initial_0.npz', 'initial_2.npz', 'initial_10.npz']
    assert initial_files(folder, 'push_ball_to_goal')[0].parent == folder


def test_a_folder_without_initial_data_is_refused(tmp_path):
    with pytest.raises(DataSetError, match='initial data of the task push_ball_to_goal'):
        PushBallToGoal.initial_data(tmp_path, 0)


def test_starts_of_another_task_are_refused():
    others = StartSet('attack-v1', np.zeros((1, 5)), ('attack',), '')
    with pytest.raises(StartSetError, match='attack-v1: not a set of starts of the task push_ba'):
        own_task.choose_starts(PushBallToGoal(), others, None)
