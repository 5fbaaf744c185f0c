"""PROPS: PPO when switched off, less sampling error when on, and the interface of PPO."""

import gymnasium
from gymnasium import spaces
import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import DummyVecEnv
import torch

from guda_ros.learning.compiler import leave_compiler_out
from guda_ros.online.props import PROPS, PROPSError, sampling_error, tabular_sampling_error
from guda_ros.tasks.environments import PushBallToGoalEnv

leave_compiler_out()
PLACES, CHOICES, LENGTH = 3, 4, 8


class Choose(gymnasium.Env):
    """Some places, each with a best choice, which leads on."""

    observation_space = spaces.Discrete(PLACES)
    action_space = spaces.Discrete(CHOICES)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.steps = int(self.np_random.integers(PLACES)), 0
        return self.place, {}

    def step(self, action):
        reward = float(action == self.place)
        self.place = int(self.np_random.integers(PLACES))
        self.steps += 1
        return self.place, reward, False, self.steps == LENGTH, {}


class Reach(gymnasium.Env):
    """A point on a line that is paid for being near 0; actions of any space."""

    observation_space = spaces.Box(-2, 2, (1,), np.float32)

    def __init__(self, space):
        self.action_space = space

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.at, self.steps = self.np_random.uniform(-1, 1, 1).astype(np.float32), 0
        return self.at.copy(), {}

    def step(self, action):
        self.at = np.clip(self.at + 0.1 * np.sum(action) - 0.1, -2, 2).astype(np.float32)
        self.steps += 1
        done = bool(abs(self.at[0]) < 0.02)
        return self.at.copy(), -abs(float(self.at[0])), done, self.steps == 9, {}


def reach(space=None):
    space = spaces.Box(-1, 1, (2,), np.float32) if space is None else space
    return DummyVecEnv([lambda: Reach(space)] * 4)


def arguments():
    return {
        'policy': 'MlpPolicy', 'policy_kwargs': {'net_arch': [8]}, 'n_steps': 16,
        'batch_size': 16, 'n_epochs': 2, 'seed': 3, 'device': 'cpu',
    }  # fmt: skip


def parameters(model):
    return np.concatenate([p.detach().numpy().ravel() for p in model.policy.parameters()])


@pytest.mark.parametrize(
    'space', [None, spaces.Discrete(3), spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(2)]
)
def test_switched_off_it_is_ppo_to_the_bit(space):
    models = [
        made(env=reach(space), **more, **arguments()).learn(128)
        for made, more in ((PPO, {}), (PROPS, {'behaviour': False, 'batches': 1}))
    ]
    np.testing.assert_array_equal(*map(parameters, models))


@pytest.mark.parametrize('space', [None, spaces.Discrete(3), spaces.MultiDiscrete([2, 3])])
def test_with_nothing_to_fit_to_it_learns_as_ppo_does(space):
    """The first piece is drawn by the policy, and what is evaluated anew is what PPO noted."""
    models = [
        made(env=reach(space), **more, **arguments()).learn(128)
        for made, more in ((PPO, {}), (PROPS, {'batches': 1, 'refit_every': 64}))
    ]
    mine, theirs = map(parameters, models)
    np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


def fixed(seed, **more):
    """Return a model whose policy is a table that does not learn, and its probabilities."""
    model = PROPS(
        'MlpPolicy', DummyVecEnv([Choose] * 8), policy_kwargs={'net_arch': []}, n_steps=16,
        batch_size=64, n_epochs=1, learning_rate=0.0, seed=seed, device='cpu', refit_every=16,
        refit_learning_rate=0.05, refit_batch_size=256, max_kl=0.1, kl_weight=0.01, **more,
    )  # fmt: skip
    with torch.no_grad():
        model.policy.action_net.bias += torch.tensor([1.0, 0.5, 0.0, -0.5])
        places = torch.arange(PLACES)[:, None]
        table = model.policy.get_distribution(places).distribution.probs.numpy()
    return model, table


def error_of(model, table):
    observations, actions = model._pairs(model.rollouts)
    return tabular_sampling_error(observations.numpy().ravel(), actions.numpy(), table)


def test_a_fixed_policy_is_sampled_with_less_error():
    errors = {True: [], False: []}
    for behaviour in errors:
        for seed in range(3):
            model, table = fixed(seed, behaviour=behaviour)
            model.learn(3 * 16 * 8)
            errors[behaviour].append(error_of(model, table))
    with_props, without = np.mean(errors[True]), np.mean(errors[False])
    assert with_props < 0.75 * without, errors


def test_the_sampling_error_is_that_of_the_most_likely_policy():
    states, actions = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    table = np.array([[0.5, 0.5], [0.25, 0.75]])
    by_hand = (
        2 * np.log((2 / 3) / 0.5) + np.log((1 / 3) / 0.5) + np.log(1 / 0.75)
    ) / 4  # fmt: skip
    assert tabular_sampling_error(states, actions, table) == pytest.approx(by_hand)
    # As many of each as the policy says: no error.
    exact = np.repeat([0, 1], [2, 4]), np.array([0, 1, 0, 1, 1, 1])
    assert tabular_sampling_error(*exact, table) == pytest.approx(0)
    # The fitted policy finds the same where states are few.
    model, table = fixed(0, behaviour=False)
    model.learn(128)
    observations, actions = model._pairs(model.rollouts)
    found = sampling_error(model.policy, observations, actions, 120, 0.1)
    assert found == pytest.approx(error_of(model, table), rel=0.02)


def test_the_behaviour_policy_stays_near_and_the_policy_is_not_touched():
    model, _ = fixed(1)
    model.learn(3 * 16 * 8)
    before = parameters(model)
    behaviour = model._refit(model.rollouts)
    np.testing.assert_array_equal(parameters(model), before)
    observations, actions = model._pairs(model.rollouts)
    with torch.no_grad():
        change = behaviour.get_distribution(observations).log_prob(actions)
        change -= model.policy.get_distribution(observations).log_prob(actions)
    assert change.mean() < 0  # what was seen often is done less
    kl = ((change.exp() - 1) - change).mean()
    assert 0 < kl < 2 * model.max_kl


class Seen(BaseCallback):
    def __init__(self):
        super().__init__()
        self.starts = self.ends = self.steps = self.size = 0

    def _on_rollout_start(self):
        self.starts += 1

    def _on_rollout_end(self):
        self.ends += 1
        self.size = max(self.size, self.model.rollout_buffer.buffer_size)

    def _on_step(self):
        assert 'infos' in self.locals and 'rewards' in self.locals
        self.steps += 1
        return True


@pytest.mark.parametrize('space', [None, spaces.Discrete(3), spaces.MultiDiscrete([2, 3])])
def test_it_learns_with_callbacks_logs_and_a_saved_model(space, tmp_path):
    model = PROPS(
        env=reach(space), refit_every=20, refit_epochs=2, refit_batch_size=64,
        log_sampling_error=space is None, **arguments(),
    )  # fmt: skip
    model.set_logger(configure(str(tmp_path), ['csv']))
    before, seen = parameters(model), Seen()
    model.learn(4 * 64, callback=seen)
    assert np.abs(parameters(model) - before).max() > 0
    assert (seen.starts, seen.ends, seen.steps, seen.size) == (4, 4, 64, 32)
    told = (tmp_path / 'progress.csv').read_text().splitlines()[0].split(',')
    names = {'refit_kl', 'refit_epochs', 'refit_loss', 'clip_fraction'}
    names |= {'sampling_error'} if space is None else set()
    assert names == {name.removeprefix('props/') for name in told if 'props/' in name}
    assert model.sampling_error(epochs=5) >= 0
    model.save(tmp_path / 'model')
    again = PROPS.load(tmp_path / 'model', env=reach(space), device='cpu')
    assert (again.refit_every, again.batches) == (20, 2)
    np.testing.assert_array_equal(parameters(again), parameters(model))
    for mine, theirs in zip(again.rollouts, model.rollouts):
        np.testing.assert_array_equal(mine.actions, theirs.actions)
    again.learn(64, reset_num_timesteps=False)
    assert again.num_timesteps == 5 * 64


def test_a_callback_can_end_it():
    class Stop(BaseCallback):
        def _on_step(self):
            return self.num_timesteps < 100

    model = PROPS(env=reach(), refit_every=16, **arguments())
    assert model.learn(1000, callback=Stop()).num_timesteps == 100


def test_old_rollouts_are_judged_by_the_policy_of_today():
    model = PROPS(env=reach(), behaviour=False, batches=3, **arguments())
    model.learn(4 * 64)
    assert [len(rollout.rewards) for rollout in model.rollouts] == [16] * 3
    buffer = model._evaluated()
    observations, actions = model._pairs(model.rollouts)
    with torch.no_grad():
        values, log_prob, _ = model.policy.evaluate_actions(observations, actions)
    np.testing.assert_allclose(buffer.values.ravel(), values.numpy().ravel(), atol=1e-6)
    np.testing.assert_allclose(buffer.log_probs.ravel(), log_prob.numpy(), atol=1e-6)
    # No step takes the value of another rollout as that of its successor.
    last = model.rollouts[0]
    with torch.no_grad():
        ends = model.policy.predict_values(torch.as_tensor(last.last_observations)).numpy()
    row = int(np.flatnonzero(~last.dones)[0])
    wanted = last.rewards[15, row] + model.gamma * ends[row, 0] - buffer.values[15, row]
    assert buffer.advantages[15, row] == pytest.approx(wanted, abs=1e-5)


def test_what_it_cannot_do_is_said():
    with pytest.raises(PROPSError, match='batches: a whole number from 1'):
        PROPS(env=reach(), batches=0, **arguments())
    with pytest.raises(PROPSError, match='max_kl: a number from 0'):
        PROPS(env=reach(), max_kl=float('nan'), **arguments())
    with pytest.raises(PROPSError, match='use_sde'):
        PROPS(env=reach(), use_sde=True, **arguments())
    with pytest.raises(PROPSError, match='call learn first'):
        PROPS(env=reach(), **arguments()).sampling_error()
    whole = DummyVecEnv([PushBallToGoalEnv])
    whole.observation_space = spaces.Dict({'seen': whole.observation_space})
    with pytest.raises(PROPSError, match='FlattenObservation'):
        PROPS(env=whole, **{**arguments(), 'policy': 'MultiInputPolicy'})
