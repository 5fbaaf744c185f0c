"""
One update from the same weights, batch and noise gives what d3rlpy 2.8.1 gives, within 1e-5.

In double precision; in single precision the same holds but for single weights in a hundred
thousand, whose gradient is all rounding.

Needs d3rlpy, which does not fit into the environment of this project: make another one (its
dependencies are pinned) as docs/learning.md says, and run this file there.

Intended deviations, made equal here:

- bc: d3rlpy's stochastic BC minimises the squared error of a drawn action; the one here maximises
  the likelihood, so only the deterministic one is compared.
- all: AdamW with weight decay and a cosine here, Adam in d3rlpy: no decay and a constant rate.
- td3_bc, rebrac, cql: no cloning before and beside the critics (bc_updates, warmup, bc_weight 0);
  d3rlpy updates the actor in the first update, so that policy_delay is 1.
- rebrac: d3rlpy has no layer normalisation in the critics; it is off.
- awac: d3rlpy's target subtracts log pi of a squashed Gaussian from the value, as in SAC; the
  paper has neither. The entropy is taken out there, and the noise changed so that it draws the
  same action. Its loss is a sum over the batch, here it is the mean (as in the authors' code): the
  factor is the batch size, which Adam does not see.
- cql: no cloning, the adapted weight is on.
"""

from contextlib import contextmanager, ExitStack
import json
import math
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import d3rlpy
from d3rlpy.torch_utility import TorchMiniBatch
from learning_data import learnable_set, learner, random_set
import numpy as np
import pytest
import torch

B, RATE = 64, 3e-4
COMMON = {
    'batch_size': B,
    'hidden': (256, 256),
    'weight_decay': 0.0,
    'schedule': 'constant',
}
CRITICS = {
    'critic_hidden': (256, 256),
    'actor_learning_rate': RATE,
    'critic_learning_rate': RATE,
}
RATES = {'actor_learning_rate': RATE, 'critic_learning_rate': RATE}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def pair(name, config, **arguments):
    """Return a learner, its impl in d3rlpy with the same weights, a batch for both and noise."""
    data = random_set(
        B + 1,
        rewards=np.random.default_rng(3).normal(size=B + 1),
        terminations=np.arange(B + 1) % 7 == 3,
    )
    mine = learner(name, data, **COMMON, **arguments)
    theirs = config.create()
    theirs.create_impl((mine.sizes[0],), mine.sizes[1])
    impl = theirs.impl
    # In double precision: Adam's first step divides rounding errors by gradients near zero.
    for network in (*mine.networks.values(), *vars(impl._modules).values()):
        if isinstance(network, torch.nn.Module):
            network.double()
    # Targets that differ from the networks, as they do later in training.
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for key, network in mine.networks.items():
            if key.endswith('_target'):
                for parameter in network.parameters():
                    parameter.add_(0.01 * torch.randn(parameter.shape, generator=generator))
    for network, module in modules(mine, impl):
        copy_to(network, module)
    batch = double(mine._table.rows(torch.arange(B)[None]))
    other = (
        TorchMiniBatch(
            observations=batch.observations[0],
            actions=batch.actions[0],
            rewards=batch.rewards[0, :, None],
            next_observations=batch.next_observations[0],
            next_actions=batch.next_actions[0],
            returns_to_go=torch.zeros(B, 1),
            terminals=1 - batch.continues[0, :, None],
            intervals=torch.ones(B, 1),
            device='cpu:0',
        )
        if name != 'bc'
        else SimpleNamespace(observations=batch.observations[0], actions=batch.targets[0])
    )
    return mine, impl, batch, other, double(mine._draws.at(1)[1])


def double(values):
    return SimpleNamespace(**{name: value.double() for name, value in vars(values).items()})


def modules(mine, impl):
    """Yield ((network, its place in the stack), module of d3rlpy)."""
    yield (mine.networks['actor'], 0), impl.policy
    for key, attribute in (('critic', 'q_funcs'), ('critic_target', 'targ_q_funcs')):
        for index in range(2 if key in mine.networks else 0):
            yield (mine.networks[key], index), getattr(impl._modules, attribute)[index]
    if 'actor_target' in mine.networks:
        yield (mine.networks['actor_target'], 0), impl._modules.targ_policy
    if 'value' in mine.networks:
        yield (mine.networks['value'], 0), impl._modules.value_func


def parameters(place, module):
    """Yield pairs of a parameter here, in the shape there, and the parameter of d3rlpy."""
    network, index = place
    layers = [layer for layer in module._encoder._layers if isinstance(layer, torch.nn.Linear)]
    weights = [weight[index].T for weight in network.weights]
    biases = [bias[index, 0] for bias in network.biases]
    for layer, weight, bias in zip(layers, weights, biases):
        yield weight, layer.weight
        yield bias, layer.bias
    if hasattr(module, '_mu'):
        size = module._mu.out_features
        yield weights[-1][:size], module._mu.weight
        yield biases[-1][:size], module._mu.bias
        if isinstance(module._logstd, torch.nn.Linear):
            yield weights[-1][size:], module._logstd.weight
            yield biases[-1][size:], module._logstd.bias
        else:
            yield network.spread[index], module._logstd
    else:
        yield weights[-1], module._fc.weight
        yield biases[-1], module._fc.bias


@torch.no_grad()
def copy_to(place, module):
    for mine, theirs in parameters(place, module):
        theirs.copy_(mine)


def assert_equal_parameters(mine, impl, before):
    """Compare all parameters; each trained network must have moved."""
    moved = 0.0
    for number, (place, module) in enumerate(modules(mine, impl)):
        for own, theirs in parameters(place, module):
            np.testing.assert_allclose(
                own.detach(), theirs.detach(), atol=1e-5, rtol=0, err_msg=str(number)
            )
    for key, network in mine.networks.items():
        for old, new in zip(before[key].values(), network.state_dict().values()):
            moved = max(moved, (old - new).abs().max().item())
    assert moved > RATE / 2


def snapshot(mine):
    return {
        key: {name: value.clone() for name, value in network.state_dict().items()}
        for key, network in mine.networks.items()
    }


@contextmanager
def drawing(normal=(), uniform=()):
    """Let d3rlpy draw these numbers, one after the other, and see that it draws all of them."""
    normal, uniform = list(normal), list(uniform)

    def next_normal(shape, *_, **__):
        values = normal.pop(0)
        assert tuple(values.shape) == tuple(shape)
        return values

    def next_uniform(self, low, high):
        values = uniform.pop(0)
        assert (values.shape, low, high) == (self.shape, -1.0, 1.0)
        return self.copy_(values)

    with ExitStack() as stack:
        stack.enter_context(mock.patch('torch.randn', next_normal))
        stack.enter_context(mock.patch('torch.distributions.normal._standard_normal', next_normal))
        stack.enter_context(mock.patch('torch.Tensor.uniform_', next_uniform))
        yield
    assert not normal and not uniform


def near(first, second):
    return float(first) == pytest.approx(float(second), rel=1e-5, abs=1e-5)


def test_bc():
    mine, impl, batch, other, noise = pair(
        'bc', d3rlpy.algos.BCConfig(learning_rate=RATE), learning_rate=RATE
    )
    before = snapshot(mine)
    logged, theirs = mine._update(batch, noise, 1), impl.update(other, 0)
    assert near(logged['losses/policy_loss'], theirs['loss'])
    assert_equal_parameters(mine, impl, before)


def test_td3_bc():
    config = d3rlpy.algos.TD3PlusBCConfig(**RATES, alpha=2.5, update_actor_interval=1)
    mine, impl, batch, other, noise = pair(
        'td3_bc', config, **CRITICS, alpha=2.5, policy_delay=1, bc_updates=0, warmup=0.0
    )
    # The targets are copies before the first update, in both.
    for key in ('actor', 'critic'):
        mine.networks[f'{key}_target'].load_state_dict(mine.networks[key].state_dict())
    for place, module in modules(mine, impl):
        copy_to(place, module)
    before = snapshot(mine)
    logged = mine._update(batch, noise, 1)
    with drawing(normal=[noise.target[0]]):
        theirs = impl.update(other, 0)
    assert near(logged['losses/qf_loss'], theirs['critic_loss'])
    assert near(logged['losses/bc_loss'], theirs['bc_loss'])
    assert_equal_parameters(mine, impl, before)


def test_rebrac():
    config = d3rlpy.algos.ReBRACConfig(
        **RATES, actor_beta=0.4, critic_beta=0.3, update_actor_interval=1
    )
    mine, impl, batch, other, noise = pair(
        'rebrac',
        config,
        **CRITICS,
        actor_beta=0.4,
        critic_beta=0.3,
        policy_delay=1,
        bc_updates=0,
        warmup=0.0,
        layer_norm=False,
    )
    # Where the next action is not known it is the policy's own, in d3rlpy.
    known = batch.next_known.bool()
    for key in ('actor', 'critic'):
        mine.networks[f'{key}_target'].load_state_dict(mine.networks[key].state_dict())
    for place, module in modules(mine, impl):
        copy_to(place, module)
    # Behind an end the target has no value at all, so that nothing is lost there.
    assert (known | (batch.continues == 0)).all()
    before = snapshot(mine)
    logged = mine._update(batch, noise, 1)
    with drawing(normal=[noise.target[0]]):
        theirs = impl.update(other, 0)
    assert near(logged['losses/qf_loss'], theirs['critic_loss'])
    assert near(logged['losses/bc_loss'], theirs['bc_loss'])
    assert_equal_parameters(mine, impl, before)


def test_iql():
    config = d3rlpy.algos.IQLConfig(**RATES, expectile=0.8, weight_temp=2.0)
    mine, impl, batch, other, noise = pair('iql', config, **CRITICS, expectile=0.8, beta=2.0)
    before = snapshot(mine)
    logged, theirs = mine._update(batch, noise, 1), impl.update(other, 0)
    assert near(logged['losses/qf_loss'], theirs['q_loss'])
    assert near(logged['losses/vf_loss'], theirs['v_loss'])
    assert near(logged['losses/policy_loss'], theirs['actor_loss'])
    assert_equal_parameters(mine, impl, before)


def test_awac():
    config = d3rlpy.algos.AWACConfig(**RATES, lam=0.7, n_action_samples=3)
    mine, impl, batch, other, noise = pair('awac', config, **CRITICS, lam=0.7, samples=3)
    with torch.no_grad():
        # Without the entropy, and with the noise for which a squashed Gaussian draws our action.
        list(impl._modules.log_temp.parameters())[0].fill_(-1e4)
        mean, log_std = mine.actor.distribution(batch.next_observations)
        action = mean + log_std.exp() * noise.target
        assert action.abs().max() < 1
        drawn = (torch.atanh(action) - torch.atanh(mean)) / log_std.exp()
    before = snapshot(mine)
    logged = mine._update(batch, noise, 1)
    with drawing(normal=[drawn[0], noise.value[0].transpose(0, 1)]):
        theirs = impl.update(other, 0)
    assert near(logged['losses/qf_loss'], theirs['critic_loss'])
    assert near(B * logged['losses/policy_loss'], theirs['actor_loss'])
    assert_equal_parameters(mine, impl, before)


def test_cql():
    config = d3rlpy.algos.CQLConfig(
        **RATES,
        temp_learning_rate=RATE,
        alpha_learning_rate=RATE,
        initial_temperature=0.5,
        conservative_weight=2.0,
        alpha_threshold=3.0,
        n_action_samples=4,
    )
    mine, impl, batch, other, noise = pair(
        'cql',
        config,
        **CRITICS,
        temperature_learning_rate=RATE,
        lagrange_learning_rate=RATE,
        temperature=0.5,
        conservative_weight=2.0,
        lagrange_threshold=3.0,
        samples=4,
        bc_updates=0,
        warmup=0.0,
        bc_weight=0.0,
    )
    before = snapshot(mine)
    logged = mine._update(batch, noise, 1)
    anywhere = noise.anywhere[0].transpose(0, 1).reshape(-1, 3)
    with drawing(normal=[noise.here[0], noise.next[0], noise.actor[0]], uniform=[anywhere]):
        theirs = impl.update(other, 0)
    total = logged['losses/qf_loss'] + logged['losses/conservative_loss']
    assert near(total, theirs['critic_loss'])
    assert near(logged['losses/conservative_loss'], theirs['conservative_loss'])
    assert_equal_parameters(mine, impl, before)
    factor = mine.factors['log_lagrange'].exp()
    assert near(factor, theirs['alpha']) and factor.item() != 1
    temperature = mine.factors['log_temperature'].exp()
    assert near(temperature, theirs['temp'])
    assert not math.isclose(temperature.item(), 0.5, rel_tol=1e-5)


def test_many_updates_of_cql_in_a_row():
    # With the arguments of benchmark/d3rlpy_returns.py: nothing adds up that one update hides.
    config = d3rlpy.algos.CQLConfig(
        **RATES,
        temp_learning_rate=1e-4,
        alpha_learning_rate=0.0,
        initial_temperature=0.01,
        conservative_weight=5.0,
        alpha_threshold=0.0,
        n_action_samples=4,
    )
    mine, impl, batch, other, _ = pair(
        'cql', config, **CRITICS, samples=4, bc_updates=0, warmup=0.0, bc_weight=0.0
    )
    before = snapshot(mine)
    for update in range(1, 31):
        noise = double(mine._draws.at(update)[1])
        mine._update(batch, noise, update)
        anywhere = noise.anywhere[0].transpose(0, 1).reshape(-1, 3)
        with drawing(normal=[noise.here[0], noise.next[0], noise.actor[0]], uniform=[anywhere]):
            theirs = impl.update(other, update - 1)
    assert_equal_parameters(mine, impl, before)
    assert near(mine.factors['log_temperature'].exp().detach(), theirs['temp'])


@pytest.fixture
def returns(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / 'benchmark')
    import d3rlpy_returns

    return d3rlpy_returns


def test_returns_are_compared_and_the_comparison_goes_on(returns, tmp_path, capsys, monkeypatch):
    learnable_set(300).save(tmp_path / 'data.h5')
    out = tmp_path / 'returns.jsonl'
    arguments = [
        '--data',
        str(tmp_path / 'data.h5'),
        '--out',
        str(out),
        '--updates',
        '2',
        '--cql-updates',
        '2',
        '--seeds',
        '2',
        '--starts',
        '2',
    ]
    monkeypatch.setattr('sys.argv', ['d3rlpy_returns.py', *arguments])
    returns.main()
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(told['algorithms']) == {'bc', 'td3_bc', 'awac', 'cql', 'iql'}
    whole = out.read_text()
    assert len(whole.splitlines()) == 20
    # Killed while it wrote a line: that policy alone is trained again.
    out.write_text(whole[:-20])
    returns.main()
    again = capsys.readouterr().out.splitlines()
    assert sum(' seed ' in line for line in again) == 1 and json.loads(again[-1]) == told
    monkeypatch.setattr('sys.argv', ['d3rlpy_returns.py', *arguments, '--starts', '3'])
    with pytest.raises(SystemExit, match='of other data or arguments'):
        returns.main()


def test_the_interval_is_that_of_welch(returns):
    stats = pytest.importorskip('scipy.stats')
    first, second = np.array([0.9, 0.95, 1.0, 0.8, 0.7]), np.array([0.6, 0.65, 0.7, 0.9])
    difference, interval = returns.welch(first, second)
    expected = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.9)
    np.testing.assert_allclose(interval, expected)
    assert difference == pytest.approx(0.87 - 0.7125)
    assert returns.welch(np.ones(5), np.ones(5)) == (0.0, (0.0, 0.0))
