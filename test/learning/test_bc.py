"""Behaviour cloning: what it learns, its losses by hand, chunks, and data that it refuses."""

from dataclasses import replace
import math

from learning_data import (
    batch_of,
    CONTRACT,
    hold,
    learnable_set,
    learner,
    random_set,
    transition_set,
)
import numpy as np
import pytest
import torch

from guda_ros.data.contract_base import ContractMismatch
from guda_ros.learning.bc import BC, BCConfig, gaussian_nll
from guda_ros.learning.networks import ActionRange, Normaliser, torch_threads, TrainingError
from guda_ros.soccer import world

SMALL = {'updates': 600, 'batch_size': 64, 'hidden': (32, 32), 'log_every': 50}


@pytest.mark.parametrize('policy', ['deterministic', 'gaussian', 'mixture'])
def test_it_learns_a_function_of_the_observation(policy):
    trained = learner('bc', learnable_set(), policy=policy, components=2, **SMALL).learn()
    fresh = learnable_set(seed=9)
    actions, state = trained.predict(fresh.observations())
    assert state is None
    # What is left of the error of standing still: likelihoods give up the hard rows.
    left = np.mean((actions - fresh.actions) ** 2) / np.mean(fresh.actions**2)
    assert left < {'deterministic': 0.1, 'gaussian': 0.3, 'mixture': 0.4}[policy]
    losses = trained.result().history['losses/policy_loss']
    assert losses[-1] < losses[0]
    assert trained.history['update'] == list(range(50, 601, 50))


def test_the_deterministic_loss_by_hand():
    # tanh(0) = 0 for all, actions (.1, .2, .3) and (-.5, 0, .5): (.14 + .5) / 6.
    data = transition_set(np.ones((2, 10)), [[0.1, 0.2, 0.3], [-0.5, 0.0, 0.5]])
    trained = learner('bc', data)
    hold(trained.actor, np.zeros((1, 3)))
    loss = trained._update(batch_of(trained, [0, 1]), None, 1)['losses/policy_loss']
    assert loss.item() == pytest.approx(0.64 / 6, rel=1e-6)


def test_the_gaussian_loss_by_hand():
    data = transition_set(np.ones((2, 10)), [[0.5, 0.5, 0.5], [0.5, 0.5, 0.5]])
    trained = learner('bc', data, policy='gaussian')
    hold(trained.actor, [[0.0, 0.0, 0.0, -1.0, -1.0, -1.0]])
    loss = trained._update(batch_of(trained, [0]), None, 1)['losses/policy_loss']
    expected = 0.5 * (0.5 * math.e) ** 2 - 1 + 0.5 * math.log(2 * math.pi)
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_the_mixture_loss_by_hand():
    # Two components of weights 1/4 and 3/4 at 0 and tanh(1), deviation 1; the action is 0.
    data = transition_set(np.ones((2, 10)), np.zeros((2, 3)))
    trained = learner('bc', data, policy='mixture', components=2)
    hold(trained.actor, [[0.0, math.log(3.0), *[0.0] * 3, *[1.0] * 3, *[0.0] * 6]])
    loss = trained._update(batch_of(trained, [0]), None, 1)['losses/policy_loss']
    density = (2 * math.pi) ** -1.5
    expected = -math.log(density * (0.25 + 0.75 * math.exp(-1.5 * math.tanh(1) ** 2)))
    assert loss.item() == pytest.approx(expected, rel=1e-5)


def test_a_mixture_does_one_thing_or_the_other():
    # Half of the demonstrations pass on the left, half on the right; the mean would hit.
    rng = np.random.default_rng(0)
    side = rng.choice([-0.8, 0.8], 2000)
    actions = np.stack([side, side, side], axis=1) + rng.normal(0, 0.02, (2000, 3))
    data = random_set(2000)
    data = replace(data, actions=actions.astype(np.float32))
    clone = learner('bc', data, **SMALL).learn().predict(data.observations())[0]
    mixed = learner('bc', data, policy='mixture', components=2, **SMALL).learn()
    mixed = mixed.predict(data.observations())[0]
    assert np.abs(clone).mean() < 0.3
    assert np.abs(np.abs(mixed) - 0.8).max() < 0.1


def test_gaussian_nll_is_that_of_torch():
    mean, log_std, target = torch.randn(3, 5, generator=torch.Generator().manual_seed(0))
    expected = -torch.distributions.Normal(mean, log_std.exp()).log_prob(target)
    torch.testing.assert_close(gaussian_nll(mean, log_std, target), expected)


@pytest.mark.parametrize('policy', ['deterministic', 'gaussian', 'mixture'])
def test_a_chunk_is_learnt_where_it_is_known_and_its_first_action_executed(policy):
    # Actions repeat with the period 3 along a recording; the state tells the phase.
    count = 900
    phase = np.arange(count) % 3
    states = np.zeros((count, world.SIZE))
    states[:, 0], states[:, 3] = np.arange(count) * 1e-3, phase
    actions = np.stack([phase - 1.0, 1.0 - phase, np.zeros(count)], axis=1) * 0.5
    data = transition_set(states, actions)
    trained = learner('bc', data, policy=policy, components=2, chunk=3, **SMALL).learn()
    error = trained.predict(data.observations())[0] - actions
    assert np.abs(error).mean() < 0.1
    if policy == 'deterministic':
        output = torch.tanh(trained.actor(trained._table.rows(torch.arange(3)[None]).observations))
        later = output.detach().numpy()[0].reshape(3, 3, 3)
        expected = actions[np.add.outer(np.arange(3), np.arange(3)) % 3]
        assert np.abs(later - expected).mean() < 0.15


def test_unknown_parts_of_a_chunk_do_not_count():
    data = transition_set(np.ones((2, 10)), [[0.5] * 3, [-0.5] * 3], source_step=[0, 7])
    trained = learner('bc', data, chunk=2)
    hold(trained.actor, [[0.0, 0.0, 0.0, 5.0, 5.0, 5.0]])
    loss = trained._update(batch_of(trained, [0, 1]), None, 1)['losses/policy_loss']
    assert loss.item() == pytest.approx(0.25, rel=1e-5)


def test_actions_can_be_learnt_in_their_own_range():
    data = learnable_set(500)
    actions = 0.05 * data.actions + 0.1
    actions[:, 2] = 0.25
    data = replace(data, actions=actions)
    trained = learner('bc', data, normalise_actions=True, **SMALL).learn()
    found = trained.predict(data.observations())[0]
    # As near, in parts of the range, as without this; the constant part is met.
    assert np.abs(found - actions)[:, :2].mean() < 0.01
    np.testing.assert_allclose(found[:, 2], 0.25, atol=0.1)


def test_action_range_and_its_inverse():
    reach = ActionRange.fit(np.array([[0.0, 0.5], [1.0, 0.5]]))
    outputs = reach.inverse(torch.tensor([[0.0, 0.5], [1.0, 1.0]]))
    np.testing.assert_allclose(outputs, [[-1.0, 0.0], [1.0, 0.5]])
    np.testing.assert_allclose(reach(outputs), [[0.0, 0.5], [1.0, 1.0]])


def test_normaliser_centres_and_scales():
    normaliser = Normaliser.fit(np.array([[1.0, 5.0], [3.0, 5.0]]))
    values = normaliser(torch.tensor([[1.0, 5.0], [5.0, 5.0], [1000.0, 6.0]]))
    # Mean (2, 5), deviation (1, constant); far values are clipped to 10.
    np.testing.assert_allclose(values, [[-1.0, 0.0], [3.0, 0.0], [10.0, 0.0]])


def test_constant_features_do_no_harm():
    data = learnable_set(300)
    states = data.states.copy()
    states[:, world.BALL] = (1.0, 0.0)
    trained = learner('bc', transition_set(states, data.actions)).learn()
    seen = data.observations()
    seen[:, CONTRACT.observation_names.index('ball_velocity_x')] = 2.0
    assert np.isfinite(trained.predict(seen)[0]).all()
    # The ball never rolled: what it does when it rolls was not learnt, and is not made up.
    expected = trained.predict(data.observations())[0]
    np.testing.assert_array_equal(trained.predict(seen)[0], expected)


def test_actions_stay_in_range():
    trained = learner('bc', learnable_set(300)).learn()
    wild = 1e6 * np.random.default_rng(0).standard_normal((100, len(CONTRACT.observation_names)))
    assert np.abs(trained.predict(wild)[0]).max() <= 1.0


def test_global_generators_and_threads_are_left_alone():
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    threads = torch.get_num_threads()
    learner('bc').learn()
    assert torch.equal(torch_state, torch.get_rng_state())
    np.testing.assert_array_equal(numpy_state, np.random.get_state()[1])
    assert torch.get_num_threads() == threads


def test_threads_are_restored_after_an_error():
    threads = torch.get_num_threads()
    with pytest.raises(RuntimeError), torch_threads(threads + 1):
        raise RuntimeError
    assert torch.get_num_threads() == threads


def test_empty_set_is_refused():
    with pytest.raises(TrainingError, match='too few'):
        learner('bc', learnable_set(10).select(slice(0, 0)))


@pytest.mark.parametrize(
    'column, message',
    [
        ('states', 'observations.*row 7'),
        ('actions', 'actions.*row 7'),
        ('next_states', 'next observations.*row 7'),
        ('rewards', 'rewards.*row 7'),
    ],
)
@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(column, message, value):
    data = learnable_set(20)
    values = getattr(data, column).copy()
    values[7] = value
    with pytest.raises(TrainingError, match=message):
        learner('bc', replace(data, **{column: values}))


def test_another_contract_is_refused():
    other = replace(CONTRACT, rate=20.0)
    with pytest.raises(ContractMismatch, match='rate'):
        BC(learnable_set(20), other)


@pytest.mark.parametrize(
    'wrong',
    [
        {'updates': 0},
        {'policy': 'quantum'},
        {'policy': 'mixture', 'components': 1},
        {'hidden': ()},
        {'sampler': 'best'},
        {'original_share': 1.5},
        {'learning_rate': float('nan')},
        {'chunk': 0},
    ],
)
def test_wrong_arguments_are_refused_by_name(wrong):
    with pytest.raises(TrainingError, match=list(wrong)[-1]):
        BCConfig(**wrong)


@pytest.mark.parametrize('seeds', [(), (1, 1), (-1,), (2**63,)])
def test_wrong_seeds_are_refused(seeds):
    with pytest.raises(TrainingError, match='seeds: '):
        learner('bc', seeds=seeds)
