"""
The paper's simulated soccer task: its rules, its environments, and the authors' recordings.

The recordings (initial_0.npz to initial_4.npz) are read from the folder push_ball_to_goal below
the folder that the environment variable GUDA_DATA names.
"""

import os
from pathlib import Path

from gymnasium.utils.env_checker import check_env
import numpy as np
import pytest

from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.pipeline import augment
from guda_ros.augmentation.verify import verify
from guda_ros.data.transitions import DataSetError
from guda_ros.tasks.environments import PushBallToGoalEnv, PushBallToGoalVectorEnv
from guda_ros.tasks.push_ball.model import PushBallModel
from guda_ros.tasks.push_ball.task import PushBallToGoal

CONTRACT = PushBallModel()


def step(state, action):
    return CONTRACT.step_states(np.array([state], dtype=float), np.array([action], dtype=float))[0]


def recording(index):
    folder = os.environ.get('GUDA_DATA')
    path = Path(folder or '.') / 'push_ball_to_goal' / f'initial_{index}.npz'
    if not folder or not path.is_file():
        pytest.skip('no recordings: set GUDA_DATA to the folder that has push_ball_to_goal/')
    return path


def test_full_action_walks_four_centimetres_and_turns_a_fifth():
    np.testing.assert_allclose(step([0, 0, 2, 2, 0], [1, 1, 0]), [0.04, 0, 2, 2, 0.2], atol=1e-12)
    # Left at a heading of 90 degrees is -x; the length of the way is bounded, not its parts.
    np.testing.assert_allclose(
        step([0, 0, 2, 2, np.pi / 2], [9, 3, 4]),
        [-0.04 * 0.8, 0.04 * 0.6, 2, 2, np.pi / 2 + 0.1 * np.pi],
        atol=1e-12,
    )


def test_ball_jumps_away_from_a_robot_that_comes_near():
    after = step([0, 0, 0.15, 0, 0], [0, 1, 0])
    np.testing.assert_allclose(after, [0.04, 0, 0.3, 0, 0], atol=1e-12)
    # From .15 m on the robot does not touch it.
    np.testing.assert_allclose(step([0, 0, 0.19, 0, 0], [0, 1, 0])[2], 0.19)


def test_lines_hold_the_robot_and_set_the_ball_back_a_step_later():
    assert step([4.49, 2.99, 0, 0, 0], [0, 1, 0])[0] == 4.5
    assert step([0, 2.99, 3, 0, np.pi / 2], [0, 1, 0])[1] == 3.0
    out = step([0, 2.9, 0, 3.0, np.pi / 2], [0, 1, 0])
    assert out[3] == pytest.approx(3.15)
    assert step([0, 2.7, 0, 3.15, 0], [0, 0, 0])[3] == 3.0


def test_own_goal_takes_the_ball():
    np.testing.assert_allclose(step([-4.4, 0.1, -4.5, 0.1, np.pi], [0, 1, 0])[2:4], [-4.501, 0.0])
    # Beside the posts it is just pushed on.
    assert step([-4.4, 1.1, -4.5, 1.1, np.pi], [0, 1, 0])[3] == pytest.approx(1.1)


def test_reward_is_for_facing_the_ball_and_for_the_goal():
    def reward(state):
        return float(CONTRACT.reward(np.array(state)))

    # 3.8 m from ball to goal point, 1 m from robot to ball.
    facing = 0.9 / 3800 + 0.1 / 1000
    assert reward([0, 0, 1, 0, 0.0]) == pytest.approx(facing)
    assert reward([0, 0, 1, 0, 0.7]) == 0.0
    assert reward([0, 0, 4.6, 0, np.pi]) == 1.0
    assert reward([0, 0, 4.6, 0.75, np.pi]) == 0.0
    # Bearing -11 degrees and heading +11: apart by 338 degrees, as the authors count.
    assert reward([0, 0, 1, -0.2, 0.2]) == 0.0
    assert reward([0, 0, 1, 0.2, -0.2]) == 0.0
    assert reward([1, 0, 0, 0.2, -2.9]) > 0.0


def test_observation_is_relative():
    seen = CONTRACT.observe(np.array([1.0, 1.0, 2.8, 1.0, np.pi / 2]))
    expected = [1.8 / 9, 0, 2 / 9, -1 / 6, -1, 0, -3.8 / np.hypot(3.8, 1), -1 / np.hypot(3.8, 1)]
    np.testing.assert_allclose(seen, expected, atol=1e-6)


def test_starts_are_spread_over_their_ranges():
    starts = CONTRACT.reset(10_000, np.random.default_rng(0))
    bounds = np.array([3.5, 2.5, 2.5, 2.0, np.pi])
    assert np.all(np.abs(starts) <= bounds)
    np.testing.assert_allclose(np.abs(starts).max(axis=0), bounds, rtol=0.01)
    np.testing.assert_allclose(starts.mean(axis=0), 0, atol=0.1)


def test_environment_follows_gymnasium():
    check_env(PushBallToGoalEnv(), skip_render_check=True)


def test_episode_lasts_five_hundred_steps_whatever_happens():
    env = PushBallToGoalEnv()
    env.reset(options={'world_state': [4.2, 0, 4.35, 0, 0]})
    rewards, ends = [], []
    for _ in range(500):
        _, reward, terminated, truncated, info = env.step(np.array([0, 1, 0]))
        rewards.append(reward)
        ends.append((terminated, truncated))
    assert ends == [(False, False)] * 499 + [(False, True)]
    assert info['is_success'] and sum(rewards) > 490


def test_many_environments_are_single_ones():
    many = PushBallToGoalVectorEnv(5)
    seen, info = many.reset(seed=3)
    single = [PushBallToGoalEnv() for _ in range(5)]
    for env, start in zip(single, info['world_state']):
        env.reset(options={'world_state': start})
    rng = np.random.default_rng(0)
    for _ in range(40):
        actions = rng.uniform(-1, 1, (5, 3))
        seen, rewards, *_ = many.step(actions)
        for row, env in enumerate(single):
            alone, reward, *_ = env.step(actions[row])
            np.testing.assert_allclose(seen[row], alone, atol=1e-6)
            assert rewards[row] == pytest.approx(reward, abs=1e-9)


def test_many_environments_reset_after_their_last_step():
    many = PushBallToGoalVectorEnv(2, PushBallModel(max_steps=3))
    many.reset(seed=0)
    ends = [many.step(np.zeros((2, 3)))[3].all() for _ in range(8)]
    assert ends == [False, False, True, False, False, False, True, False]


def test_contract_travels_as_json():
    contract = PushBallModel(width=7.0)
    assert PushBallModel.from_json(contract.to_json()) == contract
    assert contract.hash != CONTRACT.hash
    assert any('width' in line for line in contract.differences(CONTRACT))
    with pytest.raises(ValueError, match='push_ball_to_goal'):
        PushBallModel.from_json('{"colour": 1}')


def test_a_wrong_recording_is_named(tmp_path):
    with pytest.raises(DataSetError, match='none.npz'):
        PushBallToGoal.read(tmp_path / 'none.npz')
    np.savez(tmp_path / 'other.npz', actions=np.zeros((3, 3)))
    with pytest.raises(DataSetError, match='other.npz.*world_states'):
        PushBallToGoal.read(tmp_path / 'other.npz')


@pytest.mark.parametrize('index', range(5))
def test_dynamics_and_reward_are_those_of_the_recordings(index):
    path = recording(index)
    recorded = PushBallToGoal.read(path)
    assert len(recorded) == 1500 and len(recorded.episode_ids) == 3
    assert any(recorded.episode_success) and not all(recorded.episode_success)
    error = CONTRACT.step_states(recorded.states, recorded.actions) - recorded.next_states
    error[:, 4] = (error[:, 4] + np.pi) % (2 * np.pi) - np.pi
    # The recordings are float32, in mm.
    assert np.abs(error).max() < 2e-6
    np.testing.assert_allclose(CONTRACT.reward(recorded.next_states), recorded.rewards, atol=2e-7)
    with np.load(path) as file:
        np.testing.assert_allclose(
            CONTRACT.observe(recorded.states), file['observations'], atol=3e-6
        )
        np.testing.assert_allclose(
            CONTRACT.observe(recorded.next_states), file['next_observations'], atol=3e-6
        )


@pytest.mark.parametrize(
    'guide', ['push_ball_transitions', 'push_ball_trajectories', 'push_ball_random']
)
def test_augmented_recordings_replay_as_well_as_recorded_ones(guide):
    recorded = PushBallToGoal.read(recording(0))
    made, _ = augment(recorded, load_guide(guide), 20_000, 0)
    task = PushBallToGoal(recorded.contract)
    before, after = verify(task, recorded, 5000), verify(task, made, 5000)
    for name in ('position', 'heading', 'reward'):
        assert getattr(after, name)[1] <= getattr(before, name)[1] + 2e-7
