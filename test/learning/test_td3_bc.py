"""TD3+BC: values, ends of episodes, losses by hand, and what it does that cloning does not."""

from learning_data import batch_of, hold, learner, random_set, transition_set
import numpy as np
import pytest
import torch

from guda_ros.learning.delayed_actor import value_scale
from guda_ros.learning.networks import TrainingError, TwinCritic
from guda_ros.learning.td3_bc import TD3BCConfig

SMALL = {
    'updates': 500,
    'warmup': 0.1,
    'bc_updates': 50,
    'batch_size': 64,
    'hidden': (32, 32),
    'critic_hidden': (32, 32),
    'tau': 0.05,
    'discount': 0.5,
    'log_every': 50,
}


def rewarded_set(count=1000):
    """Return single steps whose reward is twice the forward part of the action."""
    data = random_set(count)
    return random_set(
        count, rewards=2 * data.actions[:, 0], terminations=np.ones(count, dtype=bool)
    )


@pytest.mark.parametrize('name', ['td3_bc', 'rebrac', 'iql', 'awac', 'cql'])
@pytest.mark.parametrize('terminated, value', [(True, 1.0), (False, 2.0)])
def test_only_an_end_stops_the_return(name, terminated, value):
    # A reward of 1 for ever is worth 1 / (1 - .5) = 2; where every step is the last it is worth 1.
    data = random_set(500, rewards=np.ones(500), terminations=np.full(500, terminated))
    arguments = {key: SMALL[key] for key in ('tau', 'discount', 'log_every', 'batch_size')}
    if name in ('td3_bc', 'rebrac', 'cql'):
        arguments |= {'bc_updates': 0, 'warmup': 0.9}
    if name == 'cql':
        arguments |= {'conservative_weight': 0.0}
    if name == 'rebrac':
        arguments |= {'critic_beta': 0.0}
    # What ends at once is learnt in half the time.
    updates = 250 if terminated else 500
    trained = learner(name, data, updates=updates, **arguments).learn()
    assert trained.result().history['values/qf_mean'][-1] == pytest.approx(value, abs=0.1)


def test_it_prefers_what_is_rewarded():
    data = rewarded_set()
    cloned, bold = (
        learner('td3_bc', data, **{**SMALL, 'alpha': alpha}).learn().predict(data.observations())
        for alpha in (1e-6, 2.5)
    )
    assert abs(cloned[0][:, 0].mean()) < 0.1
    assert bold[0][:, 0].mean() > 0.3
    assert abs(bold[0][:, 1].mean()) < 0.2


def test_the_actor_only_clones_while_the_critics_warm_up():
    data = rewarded_set(500)
    arguments = {**SMALL, 'updates': 100, 'warmup': 0.99}
    one, other = (
        learner('td3_bc', data, **{**arguments, 'alpha': alpha})
        .learn()
        .predict(data.observations())[0]
        for alpha in (0.01, 10.0)
    )
    # The last update alone sees the values; by then the cosine has all but stopped the learning.
    np.testing.assert_allclose(one, other, atol=0.02)


def test_the_critic_loss_by_hand():
    # Targets 3 and 5, so 3 counts: y = .5 + .9 * 3 = 3.2, or .5 at an end; Q = 1 and 2.
    # ((1 - 3.2)^2 + (1 - .5)^2) / 2 + ((2 - 3.2)^2 + (2 - .5)^2) / 2 = 2.545 + 1.845
    data = transition_set(
        np.ones((2, 10)), np.zeros((2, 3)), rewards=[0.5, 0.5], terminations=[False, True]
    )
    trained = learner('td3_bc', data, bc_updates=0, discount=0.9, batch_size=2)
    hold(trained.critic, [[1.0], [2.0]])
    hold(trained.critic_target, [[3.0], [5.0]])
    noise = trained._draws.at(1)[1]
    logged = trained._update_critic(batch_of(trained, [0, 1]), noise)
    assert logged['losses/qf_loss'].item() == pytest.approx(4.39, rel=1e-5)
    assert logged['values/qf_mean'].item() == pytest.approx(1.5, rel=1e-6)


def test_the_value_weight_by_hand():
    # alpha / mean |(1, -3)| = .2 / 2
    assert value_scale(0.2, torch.tensor([[1.0, -3.0]])).item() == pytest.approx(0.1)


def test_history_has_no_values_before_the_critics_begin():
    trained = learner('td3_bc', **{**SMALL, 'updates': 100, 'bc_updates': 100}).learn()
    history = trained.result().history
    assert history['update'] == [50, 100, 150, 200]
    assert [value is None for value in history['losses/qf_loss']] == [True, True, False, False]
    assert None not in history['losses/bc_loss']


def test_twin_critic_is_two_networks_a_seed():
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    critic = TwinCritic(5, (8,), generators)
    pairs = torch.rand(2, 4, 5)
    values = critic(pairs)
    assert values.shape == (2, 2, 4)
    for first in range(3):
        for second in range(first):
            rows = values.flatten(0, 1)
            assert not torch.allclose(rows[first], rows[second])
    torch.testing.assert_close(critic.first(pairs), values[:, 0])
    alone = TwinCritic(5, (8,), [torch.Generator().manual_seed(1)])
    torch.testing.assert_close(alone(pairs[1:]), values[1:])


@pytest.mark.parametrize('rewards, message', [(np.nan, 'rewards'), (1e30, 'not finite')])
def test_bad_rewards_are_refused(rewards, message):
    with pytest.raises(TrainingError, match=message):
        learner('td3_bc', random_set(100, rewards=np.full(100, rewards)), **SMALL).learn()


def test_wrong_arguments_are_refused():
    for name, value in (('discount', 1.5), ('warmup', 1.0), ('alpha', 0), ('policy_delay', 0)):
        with pytest.raises(TrainingError, match=name):
            TD3BCConfig(**{name: value})
