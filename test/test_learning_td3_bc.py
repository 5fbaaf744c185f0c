"""TD3+BC: values, ends of episodes, and what it does that cloning does not."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from guda_ros.data.contract import Contract
from guda_ros.data.datasets import TransitionSet
from guda_ros.learning.networks import TrainingError, TwinCritic
from guda_ros.learning.td3_bc import TD3BCConfig, train_td3_bc
from guda_ros.soccer import world

CONTRACT = Contract.load()
SMALL = TD3BCConfig(
    updates=500,
    warmup=0.1,
    bc_updates=50,
    batch_size=64,
    hidden=(32, 32),
    critic_hidden=(32, 32),
    tau=0.05,
    discount=0.5,
    log_every=50,
)


def transition_set(actions, rewards, terminations):
    count = len(actions)
    rng = np.random.default_rng(0)
    states = np.zeros((count, world.SIZE))
    states[:, :5] = rng.uniform(-1, 1, (count, 5))
    return TransitionSet(
        contract=CONTRACT,
        states=states,
        actions=actions,
        next_states=states[::-1],
        rewards=rewards,
        terminations=terminations,
        source_episode=np.zeros(count),
        source_step=np.arange(count),
        rule=np.zeros(count),
        episode_ids=['one'],
        episode_success=[True],
    )


def random_actions(count, seed=1):
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (count, 3))


@pytest.mark.parametrize('terminated, value', [(True, 1.0), (False, 2.0)])
def test_only_an_end_stops_the_return(terminated, value):
    # A reward of 1 for ever is worth 1 / (1 - .5) = 2; where every step is the last it is worth 1.
    data = transition_set(random_actions(500), np.ones(500), np.full(500, terminated))
    result = train_td3_bc(data, CONTRACT, SMALL, seed=0)
    assert result.history['values/qf_mean'][-1] == pytest.approx(value, abs=0.1)


def test_it_prefers_what_is_rewarded():
    actions = random_actions(1000)
    data = transition_set(actions, 2 * actions[:, 0], np.ones(1000, dtype=bool))
    observations = data.observations()
    cloned = train_td3_bc(data, CONTRACT, replace(SMALL, alpha=1e-6), 0).network.predict(
        observations
    )
    bold = train_td3_bc(data, CONTRACT, replace(SMALL, alpha=2.5), 0).network.predict(observations)
    assert abs(cloned[:, 0].mean()) < 0.1
    assert bold[:, 0].mean() > 0.3
    assert abs(bold[:, 1].mean()) < 0.2


def test_the_actor_only_clones_while_the_critics_warm_up():
    actions = random_actions(500)
    data = transition_set(actions, 2 * actions[:, 0], np.ones(500, dtype=bool))
    config = replace(SMALL, updates=100, warmup=0.99)
    one, other = (
        train_td3_bc(data, CONTRACT, replace(config, alpha=alpha), 0).network.predict(
            data.observations()
        )
        for alpha in (0.01, 10.0)
    )
    # The last update alone sees the values; by then the cosine has all but stopped the learning.
    np.testing.assert_allclose(one, other, atol=0.02)


def test_same_seed_gives_the_same_policy():
    data = transition_set(random_actions(200), np.ones(200), np.zeros(200, dtype=bool))
    config = replace(SMALL, updates=20, bc_updates=10)
    torch_state = torch.get_rng_state()
    first, again, other = (
        train_td3_bc(data, CONTRACT, config, seed).network.predict(data.observations())
        for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3
    assert torch.equal(torch_state, torch.get_rng_state())


def test_history_has_no_values_before_the_critics_begin():
    data = transition_set(random_actions(200), np.ones(200), np.zeros(200, dtype=bool))
    result = train_td3_bc(data, CONTRACT, replace(SMALL, updates=100, bc_updates=100), 0)
    assert result.history['update'] == [50, 100, 150, 200]
    assert [value is None for value in result.history['losses/qf_loss']] == [
        True,
        True,
        False,
        False,
    ]
    assert None not in result.history['losses/bc_loss']


def test_twin_critic_is_two_networks():
    critic = TwinCritic(5, (8,), torch.Generator().manual_seed(0))
    observations, actions = torch.rand(4, 2), torch.rand(4, 3)
    values = critic(observations, actions)
    assert values.shape == (2, 4)
    assert not torch.allclose(values[0], values[1])
    torch.testing.assert_close(critic.first(observations, actions), values[0])


@pytest.mark.parametrize('rewards, message', [(np.nan, 'rewards'), (1e30, 'not finite')])
def test_bad_rewards_are_refused(rewards, message):
    data = transition_set(random_actions(100), np.full(100, rewards), np.zeros(100, dtype=bool))
    with pytest.raises(TrainingError, match=message):
        train_td3_bc(data, CONTRACT, SMALL, 0)


def test_wrong_arguments_are_refused():
    with pytest.raises(TrainingError, match='discount'):
        TD3BCConfig(discount=1.5)
    with pytest.raises(TrainingError, match='warmup'):
        TD3BCConfig(warmup=1.0)
    with pytest.raises(TrainingError, match='alpha'):
        TD3BCConfig(alpha=0)
