"""Behaviour cloning, its checks and its normalisation."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from guda_ros.data.contract import Contract, ContractMismatch
from guda_ros.data.datasets import TransitionSet
from guda_ros.learning.bc import BCConfig, train_bc
from guda_ros.learning.networks import Normaliser, torch_threads, TrainingError
from guda_ros.soccer import world

CONTRACT = Contract.load()
SMALL = BCConfig(updates=600, batch_size=128, hidden=(32, 32), log_every=50)


def learnable_set(count=2000, seed=0):
    """Turn to the ball, walk faster the farther it is: a function of the observation."""
    rng = np.random.default_rng(seed)
    states = np.zeros((count, world.SIZE))
    states[:, :5] = rng.uniform([-4, -3, -np.pi, -4, -3], [4, 3, np.pi, 4, 3], (count, 5))
    ball = world.to_frame(states[:, world.BALL], states[:, world.ROBOT])
    distance = np.linalg.norm(ball, axis=1)
    actions = np.stack(
        [np.tanh(distance - 2), 0.5 * ball[:, 1] / distance, 0.8 * ball[:, 0] / distance], axis=1
    )
    return transition_set(states, actions)


def transition_set(states, actions, **changes):
    count = len(states)
    columns = {
        'states': states,
        'actions': actions,
        'next_states': states,
        'rewards': np.zeros(count),
        'terminations': np.zeros(count),
        'source_episode': np.zeros(count),
        'source_step': np.arange(count),
        'rule': np.zeros(count),
    }
    return TransitionSet(
        contract=CONTRACT, **{**columns, **changes}, episode_ids=['one'], episode_success=[True]
    )


def test_it_learns_a_function_of_the_observation():
    result = train_bc(learnable_set(), CONTRACT, SMALL, seed=1)
    fresh = learnable_set(seed=9)
    error = result.network.predict(fresh.observations()) - fresh.actions
    assert np.mean(error**2) < 0.02
    losses = result.history['losses/policy_loss']
    assert losses[-1] < 0.2 * losses[0]
    assert result.history['update'] == list(range(50, 601, 50))
    assert result.updates == 600 and result.seconds > 0


def test_same_seed_gives_the_same_policy():
    data = learnable_set(200)
    config = replace(SMALL, updates=20)
    observations = data.observations()
    first, again, other = (
        train_bc(data, CONTRACT, config, seed).network.predict(observations) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 1e-3


def test_global_generators_and_threads_are_left_alone():
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1].copy()
    threads = torch.get_num_threads()
    train_bc(learnable_set(100), CONTRACT, replace(SMALL, updates=3), 0)
    assert torch.equal(torch_state, torch.get_rng_state())
    np.testing.assert_array_equal(numpy_state, np.random.get_state()[1])
    assert torch.get_num_threads() == threads


def test_threads_are_restored_after_an_error():
    threads = torch.get_num_threads()
    with pytest.raises(RuntimeError), torch_threads(threads + 1):
        raise RuntimeError
    assert torch.get_num_threads() == threads


def test_normaliser_centres_and_scales():
    normaliser = Normaliser.fit(np.array([[1.0, 5.0], [3.0, 5.0]]))
    values = normaliser(torch.tensor([[1.0, 5.0], [5.0, 5.0], [1000.0, 6.0]]))
    # Mean (2, 5), deviation (1, constant); far values are clipped to 10.
    np.testing.assert_allclose(values, [[-1.0, 0.0], [3.0, 0.0], [10.0, 1.0]])


def test_constant_features_do_no_harm():
    data = learnable_set(300)
    states = data.states.copy()
    states[:, world.BALL] = (1.0, 0.0)
    result = train_bc(
        transition_set(states, data.actions), CONTRACT, replace(SMALL, updates=20), 0
    )
    assert np.isfinite(result.network.predict(data.observations())).all()


def test_progress_is_told():
    told = []
    train_bc(
        learnable_set(100),
        CONTRACT,
        replace(SMALL, updates=100),
        0,
        lambda *values: told.append(values),
    )
    assert [update for update, _, _ in told] == [50, 100] and told[0][1] == 100


def test_actions_stay_in_range():
    result = train_bc(learnable_set(300), CONTRACT, replace(SMALL, updates=20), 0)
    wild = 1e6 * np.random.default_rng(0).standard_normal((100, len(CONTRACT.observation_names)))
    assert np.abs(result.network.predict(wild)).max() <= 1.0


def test_empty_set_is_refused():
    with pytest.raises(TrainingError, match='too few'):
        train_bc(learnable_set(10).select(slice(0, 0)), CONTRACT, SMALL)


@pytest.mark.parametrize(
    'column, message', [('states', 'observations.*row 7'), ('actions', 'actions.*row 7')]
)
def test_numbers_that_are_not_finite_are_refused(column, message):
    data = learnable_set(20)
    values = getattr(data, column).copy()
    values[7] = np.nan
    with pytest.raises(TrainingError, match=message):
        train_bc(replace(data, **{column: values}), CONTRACT, SMALL)


def test_another_contract_is_refused():
    other = replace(CONTRACT, rate=20.0)
    with pytest.raises(ContractMismatch, match='rate'):
        train_bc(learnable_set(20), other, SMALL)


def test_wrong_arguments_are_refused():
    with pytest.raises(TrainingError, match='updates'):
        BCConfig(updates=0)
