"""Losses of AWAC, CQL, IQL and ReBRAC against numbers worked out by hand."""

import math
from types import SimpleNamespace

from learning_data import batch_of, hold, learner, transition_set
import numpy as np
import pytest
import torch

from guda_ros.learning.algorithms import ALGORITHMS
from guda_ros.learning.awac import AWACConfig
from guda_ros.learning.networks import TrainingError
from guda_ros.tasks.push_ball.model import PushBallModel

LOG_2PI = math.log(2 * math.pi)


def two_steps(actions=((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)), **changes):
    """Return a step that goes on and one that ends, each with the reward .5."""
    return transition_set(
        np.ones((2, 10)),
        np.array(actions),
        rewards=[0.5, 0.5],
        terminations=[False, True],
        **changes,
    )


def still(**shapes):
    """Return noise that is zero."""
    return SimpleNamespace(**{name: torch.zeros(1, *shape) for name, shape in shapes.items()})


def test_iql():
    # V = 1, Q' = min(2, 4) = 2, so u = 1 counts with the expectile: .7.
    # Q toward .5 + .9 * 1 = 1.4 and .5: Q_1 = 1: (.16 + .25) / 2; Q_2 = 3: (2.56 + 6.25) / 2.
    # V has moved by one step of Adam (.001) when the advantage is taken.
    trained = learner('iql', two_steps(), batch_size=2, discount=0.9, schedule='constant')
    hold(trained.critic, [[1.0], [3.0]])
    hold(trained.critic_target, [[2.0], [4.0]])
    hold(trained.value, [[1.0]])
    hold(trained.actor, np.zeros((1, 3)))
    logged = trained._update(batch_of(trained, [0, 1]), None, 1)
    assert logged['losses/vf_loss'].item() == pytest.approx(0.7, rel=1e-5)
    assert logged['losses/qf_loss'].item() == pytest.approx(0.205 + 4.405, rel=1e-5)
    weight = math.exp(3.0 * 0.999)
    assert logged['values/advantage_weight'].item() == pytest.approx(weight, rel=1e-4)
    # log N(0; 0, sigma) three times, log sigma = -5 + 7 / 2.
    expected = weight * 3 * (-1.5 + 0.5 * LOG_2PI)
    assert logged['losses/policy_loss'].item() == pytest.approx(expected, rel=1e-4)


def test_iql_with_a_value_above():
    # u = 2 - 3 = -1 counts with .3, and the weight is exp(-beta).
    trained = learner('iql', two_steps(), batch_size=2, schedule='constant')
    hold(trained.critic_target, [[2.0], [4.0]])
    hold(trained.value, [[3.0]])
    logged = trained._update(batch_of(trained, [0, 1]), None, 1)
    assert logged['losses/vf_loss'].item() == pytest.approx(0.3, rel=1e-5)
    weight = math.exp(-3.0 * 0.999)
    assert logged['values/advantage_weight'].item() == pytest.approx(weight, rel=1e-3)


def test_iql_weights_are_bounded():
    trained = learner('iql', two_steps(), batch_size=2, max_weight=7.0)
    hold(trained.critic_target, [[20.0], [20.0]])
    hold(trained.value, [[1.0]])
    logged = trained._update(batch_of(trained, [0, 1]), None, 1)
    assert logged['values/advantage_weight'].item() == pytest.approx(7.0)


def test_awac():
    # Q' = min(3, 5): .5 + .9 * 3 = 3.2 and .5; Q = 1 and 2: as in TD3+BC.
    actions = ((0.3, 0.0, 0.0), (0.0, 0.0, 0.0))
    trained = learner(
        'awac', two_steps(actions), batch_size=2, samples=1, discount=0.9, schedule='constant'
    )
    hold(trained.critic, [[1.0], [2.0]])
    hold(trained.critic_target, [[3.0], [5.0]])
    hold(trained.actor, np.zeros((1, 3)))
    noise = still(target=(2, 3), value=(2, 1, 3))
    logged = trained._update(batch_of(trained, [0, 1]), noise, 1)
    assert logged['losses/qf_loss'].item() == pytest.approx(4.39, rel=1e-5)
    # Constant values: no advantage, both weights 1/2. log sigma = -3.
    part = 3 * (-3 + 0.5 * LOG_2PI)
    expected = (part + 0.5 * (0.3 * math.exp(3)) ** 2 + part) / 2
    assert logged['losses/policy_loss'].item() == pytest.approx(expected, rel=1e-5)


def test_awac_weighs_by_the_advantage():
    # Q is the forward part of the action, so Q = .4 and 0, V = Q(mean) = 0:
    # weights exp(.4 / .5) : 1.
    actions = ((0.4, 0.0, 0.0), (0.0, 0.0, 0.0))
    trained = learner(
        'awac', two_steps(actions), batch_size=2, samples=1, lam=0.5, critic_learning_rate=1e-12
    )
    forward_value(trained)
    hold(trained.actor, np.zeros((1, 3)))
    noise = still(target=(2, 3), value=(2, 1, 3))
    logged = trained._update(batch_of(trained, [0, 1]), noise, 1)
    weight = math.exp(0.8) / (math.exp(0.8) + 1)
    expected = 3 * (-3 + 0.5 * LOG_2PI) + weight * 0.5 * (0.4 * math.exp(3)) ** 2
    assert logged['losses/policy_loss'].item() == pytest.approx(expected, rel=1e-4)


def forward_value(trained):
    """Let both critics give the forward part of the action, which must not be negative."""
    column = trained.sizes[0]
    hold(trained.critic, [[0.0], [0.0]])
    with torch.no_grad():
        trained.critic.weights[0][:, column, 0] = 1.0
        trained.critic.weights[1][:, 0, 0] = 1.0
        trained.critic.weights[2][:, 0, 0] = 1.0


def cql(actions=((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)), **changes):
    arguments = {'bc_updates': 0, 'warmup': 0.0, 'batch_size': 2, 'samples': 1, 'discount': 0.9}
    trained = learner('cql', two_steps(actions), **{**arguments, **changes})
    hold(trained.critic, [[1.0], [2.0]])
    hold(trained.critic_target, [[3.0], [5.0]])
    hold(trained.actor, np.zeros((1, 6)))
    noise = still(here=(1, 2, 3), next=(1, 2, 3), anywhere=(1, 2, 3), actor=(2, 3))
    return trained, batch_of(trained, [0, 1]), noise


def test_cql_critic():
    # Constant Q: the gap is log(2 / p + 1 / u), p the density of tanh(0) with sigma 1,
    # u = 1/8 that of the uniform distribution on a cube with sides 2. Twice, for two critics.
    trained, batch, noise = cql(conservative_weight=5.0)
    logged = trained._update_critic(batch, noise)
    assert logged['losses/qf_loss'].item() == pytest.approx(4.39, rel=1e-5)
    density = (2 * math.pi) ** -1.5
    gap = math.log(2 / density + 8)
    assert logged['losses/conservative_loss'].item() == pytest.approx(10 * gap, rel=1e-5)


def test_cql_adapts_its_weight():
    # The factor exp(1e-4) after one step of Adam, toward the gap of 4 less the threshold of 1.
    trained, batch, noise = cql(
        conservative_weight=1.0,
        lagrange_threshold=1.0,
        lagrange_learning_rate=0.1,
        schedule='constant',
    )
    logged = trained._update_critic(batch, noise)
    gap = math.log(2 * (2 * math.pi) ** 1.5 + 8)
    expected = 2 * math.exp(0.1) * (gap - 1)
    assert logged['losses/conservative_loss'].item() == pytest.approx(expected, rel=1e-5)


def test_cql_density_is_that_of_a_squashed_gaussian():
    trained, _, _ = cql()
    output = torch.tensor([[[0.3, -0.2, 0.1, -0.5, 0.2, 0.0]]])
    noise = torch.tensor([[[[0.7, -1.1, 0.4]]]])
    actions, log_prob = trained._draw(output, noise)
    mean, log_std = output[0, 0].chunk(2)
    squashed = torch.distributions.TransformedDistribution(
        torch.distributions.Normal(mean, log_std.exp()), torch.distributions.TanhTransform()
    )
    expected = squashed.log_prob(actions[0, 0, 0]).sum()
    assert log_prob.item() == pytest.approx(expected.item(), rel=1e-4)


def test_cql_temperature_rises_when_the_policy_is_too_sure():
    trained, batch, noise = cql(temperature_learning_rate=0.1, schedule='constant')
    hold(trained.actor, [[0.0, 0.0, 0.0, -3.0, -3.0, -3.0]])
    before = trained.factors['log_temperature'].item()
    trained._update_actor(batch, noise, 'improve')
    # log pi(0) = 3 * (3 - log(2 pi) / 2) > 3: one step of Adam up.
    assert trained.factors['log_temperature'].item() == pytest.approx(before + 0.1, abs=1e-4)


def test_rebrac_critic():
    # Recorded a' = (.5, 0, 0) in s', the policy's is 0: Q' = min(3, 5) - 2 * .25 = 2.5;
    # y = .5 + .9 * 2.5 = 2.75, and .5 at the end.
    # ((1 - 2.75)^2 + (1 - .5)^2) / 2 + ((2 - 2.75)^2 + (2 - .5)^2) / 2 = 1.65625 + 1.40625
    data = two_steps(((0.0, 0.0, 0.0), (0.5, 0.0, 0.0)))
    trained = learner('rebrac', data, bc_updates=0, batch_size=2, discount=0.9, critic_beta=2.0)
    hold(trained.critic, [[1.0], [2.0]])
    hold(trained.critic_target, [[3.0], [5.0]])
    hold(trained.actor_target, np.zeros((1, 3)))
    logged = trained._update_critic(batch_of(trained, [0, 1]), still(target=(2, 3)))
    assert logged['losses/qf_loss'].item() == pytest.approx(3.0625, rel=1e-5)


def test_rebrac_without_a_known_next_action():
    data = two_steps(((0.0, 0.0, 0.0), (0.5, 0.0, 0.0)), source_step=[0, 5])
    trained = learner('rebrac', data, bc_updates=0, batch_size=2, discount=0.9, critic_beta=2.0)
    hold(trained.critic, [[1.0], [2.0]])
    hold(trained.critic_target, [[3.0], [5.0]])
    hold(trained.actor_target, np.zeros((1, 3)))
    logged = trained._update_critic(batch_of(trained, [0, 1]), still(target=(2, 3)))
    assert logged['losses/qf_loss'].item() == pytest.approx(4.39, rel=1e-5)


def test_rebrac_norms_are_sums_over_the_action():
    data = two_steps(((0.3, 0.4, 0.0), (0.0, 0.0, 0.0)))
    trained = learner('rebrac', data, batch_size=2)
    hold(trained.actor, np.zeros((1, 3)))
    error = trained._update_actor(batch_of(trained, [0, 1]), cloning=True)
    assert error.item() == pytest.approx(0.125, rel=1e-5)


@pytest.mark.parametrize('name', ['td3_bc', 'rebrac', 'awac', 'cql', 'iql'])
@pytest.mark.parametrize('following, loss', [(30.0, 13.75), (-30.0, 2.5)])
def test_bounded_targets(name, following, loss):
    # Rewards of .5 add up to 5 at most and .5 at least: Q = 1 and 2 toward 5 and .5,
    # (16 + .25) / 2 + (9 + 2.25) / 2, or toward .5 twice, (.25 + .25) / 2 + (2.25 + 2.25) / 2.
    trained = learner(name, two_steps(), batch_size=2, discount=0.9, bounded=True)
    hold(trained.critic, [[1.0], [2.0]])
    hold(trained.critic_target, [[following], [following]])
    batch, noise = batch_of(trained, [0, 1]), still(target=(2, 3), value=(2, 2, 3))
    if name == 'cql':
        noise = still(here=(4, 2, 3), next=(4, 2, 3), anywhere=(4, 2, 3))
    if name == 'iql':
        hold(trained.value, [[following]])
    logged = (
        trained._update_critic(batch, noise)
        if name in ('td3_bc', 'rebrac', 'cql')
        else trained._update(batch, noise, 1)
    )
    assert logged['losses/qf_loss'].item() == pytest.approx(loss, rel=1e-5)


def test_settled_steps_need_a_discount_below_one():
    with pytest.raises(TrainingError, match='settle'):
        AWACConfig(discount=1.0, settle=True)


@pytest.mark.parametrize('name', ['td3_bc', 'rebrac', 'awac', 'cql', 'iql'])
def test_a_settled_step_is_an_end_in_units_of_what_goes_on_for_ever(name):
    # A step in the field that pays .5, and one with the ball in the goal that pays 2: with the
    # discount .9 rewards count a tenth, and staying for ever is worth 2 / (1 - .9) / 10.
    contract = PushBallModel()
    after = np.array([[0.0, 0.0, 1.0, 0.0, 0.0], [4.0, 0.0, 4.6, 0.0, 0.0]])
    data = transition_set(after, np.zeros((2, 3)), contract, next_states=after, rewards=[0.5, 2.0])
    assert contract.settled(after).tolist() == [False, True]
    kind = ALGORITHMS[name]
    trained = kind(data, contract, kind.Config(batch_size=2, discount=0.9, settle=True))
    batch = batch_of(trained, [0, 1])
    np.testing.assert_allclose(batch.rewards[0], [0.05, 2.0], rtol=1e-6)
    np.testing.assert_array_equal(batch.continues[0], [1.0, 0.0])
    low, high = trained._value_range
    assert low.item() == pytest.approx(0.05) and high.item() == pytest.approx(2.0)
