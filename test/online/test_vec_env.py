"""The batch as a vector environment of stable-baselines3, against its own DummyVecEnv."""

import numpy as np
import pytest
from stable_baselines3.common.vec_env import DummyVecEnv

from guda_ros.online.policies import ALGORITHMS, normalised, policy_arguments, to_network
from guda_ros.online.vec_env import BatchVecEnv
from guda_ros.sim.env import SoccerEnv
from guda_ros.sim.episodes import EpisodeBatch

ARGUMENTS = {'scenario': 'penalty', 'rewards': 'shaped', 'time_limit': 3.0}


def test_it_does_what_dummy_vec_env_does():
    count = 3
    mine = BatchVecEnv(EpisodeBatch(count, threads=2, **ARGUMENTS))
    theirs = DummyVecEnv([lambda: SoccerEnv(**ARGUMENTS)] * count)
    actions = np.random.default_rng(4).uniform(-1, 1, (70, count, 3)).astype(np.float32)
    for env in (mine, theirs):
        env.seed(5)
    np.testing.assert_array_equal(mine.reset(), theirs.reset())
    ended = 0
    for action in actions:
        (first, rewards, dones, infos), other = mine.step(action), theirs.step(action)
        for value, expected in zip((first, rewards, dones), other):
            assert value.dtype == expected.dtype
            np.testing.assert_array_equal(value, expected)
        for info, expected in zip(infos, other[3]):
            if 'terminal_observation' not in expected:
                assert info == {} and expected == {'TimeLimit.truncated': False}
                continue
            ended += 1
            np.testing.assert_array_equal(
                info.pop('terminal_observation'), expected.pop('terminal_observation')
            )
            assert info.pop('episode') == {'r': info['episode_reward'], 'l': info['steps']}
            assert info == expected
    assert ended >= 2 * count


@pytest.mark.parametrize(
    ('algorithm', 'arguments'),
    [
        ('ppo', {'n_steps': 16, 'batch_size': 32, 'n_epochs': 2}),
        ('sac', {'learning_starts': 20, 'buffer_size': 200, 'batch_size': 16}),
    ],
)
def test_a_trained_policy_is_exported_as_it_acts(algorithm, arguments):
    env = normalised(BatchVecEnv(EpisodeBatch(4, **ARGUMENTS)))
    model = ALGORITHMS[algorithm](
        env=env, seed=0, **policy_arguments(algorithm, (16, 8)), **arguments
    )
    model.learn(160)
    observations = np.random.default_rng(0).normal(0, 3, (50, *env.observation_space.shape))
    observations = observations.astype(np.float32)
    expected, _ = model.predict(env.normalize_obs(observations), deterministic=True)
    found = to_network(model).predict(observations)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert np.abs(found).max() > 0
