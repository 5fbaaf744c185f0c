"""
Gradient updates per second of every algorithm, beside a textbook loop and d3rlpy.

    python benchmark/learning.py [--algo bc iql] [--seconds 3] [--rounds 3] [--threads 1]

Networks of 2 x 256, batches of 256, the same data, threads and process for all; the contenders
take turns, and the median of the rounds counts. An update includes the drawing of its batch.
Algorithms with critics are timed without the cloning before them. `ten_seeds` is the sum over ten
seeds that are trained together. d3rlpy 2.8.1 runs where it is installed (docs/learning.md); the
column `batch given` is d3rlpy without the drawing. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
from dataclasses import fields
import io
import json
import math
import statistics
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from guda_ros.data.contract import Contract
from guda_ros.data.transitions import TransitionSet
from guda_ros.learning.algorithms import ALGORITHMS
from guda_ros.learning.memory import keep_freed_memory

ROWS, BATCH, RATE = 20_000, 256, 3e-4
#: Actions that CQL draws of each kind, for all contenders.
SAMPLES = 4


def make_data() -> TransitionSet:
    """Return random transitions, a hundred steps an episode."""
    rng = np.random.default_rng(0)
    states = np.zeros((ROWS, 10))
    states[:, :5] = rng.uniform([-4, -3, -np.pi, -4, -3], [4, 3, np.pi, 4, 3], (ROWS, 5))
    count = ROWS // 100
    return TransitionSet(
        contract=Contract.load(),
        states=states,
        actions=rng.uniform(-1, 1, (ROWS, 3)),
        next_states=np.roll(states, -1, axis=0),
        rewards=rng.normal(size=ROWS),
        terminations=np.arange(ROWS) % 100 == 99,
        source_episode=np.repeat(np.arange(count), 100),
        source_step=np.tile(np.arange(100), count),
        rule=np.zeros(ROWS),
        episode_ids=[str(index) for index in range(count)],
        episode_success=[True] * count,
    )


def ours(name: str, data: TransitionSet, seeds: int, threads: int):
    """Return a function that takes n updates of a learner of `seeds` seeds."""
    kind = ALGORITHMS[name]
    wanted = {
        'updates': 10**9,
        'bc_updates': 0,
        'warmup': 0.0,
        'samples': SAMPLES if name == 'cql' else 1,
        'layer_norm': False,
        'threads': threads,
        'log_every': 1,
    }
    known = {field.name for field in fields(kind.Config)}
    config = kind.Config(**{key: value for key, value in wanted.items() if key in known})
    learner = kind(data, data.contract, config, range(seeds))

    def run(updates: int) -> None:
        object.__setattr__(learner.config, 'log_every', updates)
        learner.updates -= learner.updates % updates
        learner.learn(lambda _: False)

    return run


class Textbook:
    """The usual loops, as in a tutorial: one module, optimiser and tensor after another."""

    def __init__(self, name: str, data: TransitionSet) -> None:
        columns = (
            data.observations(),
            data.actions,
            data.next_observations(),
            data.rewards,
            ~data.terminations,
        )
        self.data = [torch.as_tensor(column).float() for column in columns]
        size, actions = self.data[0].shape[1], self.data[1].shape[1]
        self.actions = actions
        self.actor = network(size, 2 * actions if name == 'cql' else actions)
        self.log_std = nn.Parameter(torch.zeros(actions))
        self.critics = nn.ModuleList([network(size + actions, 1) for _ in range(2)])
        self.value = network(size, 1)
        self.log_temperature = nn.Parameter(torch.zeros(()))
        self.actor_target = copy.deepcopy(self.actor)
        self.critics_target = copy.deepcopy(self.critics)
        actor = [*self.actor.parameters(), self.log_std]
        self.actor_optimizer = torch.optim.Adam(actor, lr=RATE)
        self.critic_optimizer = torch.optim.Adam(self.critics.parameters(), lr=RATE)
        self.value_optimizer = torch.optim.Adam(self.value.parameters(), lr=RATE)
        self.temperature_optimizer = torch.optim.Adam([self.log_temperature], lr=RATE)
        self.update = getattr(self, name)
        self.count = 0

    def __call__(self, updates: int) -> None:
        """Take n updates."""
        for _ in range(updates):
            rows = torch.randint(len(self.data[0]), (BATCH,))
            self.count += 1
            self.update(*[column[rows] for column in self.data])

    def bc(self, observations, actions, *_):
        loss = functional.mse_loss(torch.tanh(self.actor(observations)), actions)
        step(self.actor_optimizer, loss)

    def td3_bc(self, observations, actions, following, rewards, continues, penalty=0.0):
        with torch.no_grad():
            noise = (torch.randn_like(actions) * 0.2).clamp(-0.5, 0.5)
            next_actions = (torch.tanh(self.actor_target(following)) + noise).clamp(-1, 1)
            value = self.lowest(self.critics_target, following, next_actions)
            if penalty:
                value = value - penalty * (next_actions - actions).square().sum(dim=1)
            target = rewards + 0.99 * continues * value
        self.update_critics(observations, actions, target)
        if self.count % 2 == 0:
            policy = torch.tanh(self.actor(observations))
            if penalty:
                value = self.lowest(self.critics, observations, policy)
            else:
                value = self.critics[0](torch.cat([observations, policy], dim=1)).squeeze(1)
            weight = 0.2 / value.abs().mean().detach()
            loss = functional.mse_loss(policy, actions) - weight * value.mean()
            step(self.actor_optimizer, loss)
            self.update_targets(self.actor, self.actor_target)
            self.update_targets(self.critics, self.critics_target)

    def rebrac(self, *batch):
        self.td3_bc(*batch, penalty=0.01)

    def iql(self, observations, actions, following, rewards, continues):
        with torch.no_grad():
            judged = self.lowest(self.critics_target, observations, actions)
            target = rewards + 0.99 * continues * self.value(following).squeeze(1)
        error = judged - self.value(observations).squeeze(1)
        weight = torch.abs(0.7 - (error.detach() < 0).float())
        step(self.value_optimizer, (weight * error.square()).mean())
        self.update_critics(observations, actions, target)
        with torch.no_grad():
            advantage = judged - self.value(observations).squeeze(1)
            weight = torch.exp(3 * advantage).clamp(max=100)
        likelihood = self.gaussian(observations).log_prob(actions).sum(dim=1)
        step(self.actor_optimizer, -(weight * likelihood).mean())
        self.update_targets(self.critics, self.critics_target)

    def awac(self, observations, actions, following, rewards, continues):
        with torch.no_grad():
            next_actions = self.gaussian(following).sample().clamp(-1, 1)
            value = self.lowest(self.critics_target, following, next_actions)
            target = rewards + 0.99 * continues * value
        self.update_critics(observations, actions, target)
        policy = self.gaussian(observations)
        with torch.no_grad():
            baseline = self.lowest(self.critics, observations, policy.sample().clamp(-1, 1))
            advantage = self.lowest(self.critics, observations, actions) - baseline
            weight = torch.softmax(advantage, dim=0)
        step(self.actor_optimizer, -(weight * policy.log_prob(actions).sum(dim=1)).sum())
        self.update_targets(self.critics, self.critics_target)

    def cql(self, observations, actions, following, rewards, continues):
        with torch.no_grad():
            mean = self.actor(following)[:, : self.actions]
            value = self.lowest(self.critics_target, following, torch.tanh(mean))
            target = rewards + 0.99 * continues * value
            here = self.squashed(observations, SAMPLES)
            later = self.squashed(following, SAMPLES)
            anywhere = torch.rand(SAMPLES, BATCH, self.actions) * 2 - 1
            density = torch.full((SAMPLES, BATCH), -self.actions * math.log(2))
        loss = 0.0
        repeated = observations.expand(SAMPLES, -1, -1)
        for critic in self.critics:
            data = critic(torch.cat([observations, actions], dim=1)).squeeze(1)
            values = [
                critic(torch.cat([repeated, drawn], dim=2)).squeeze(2) - log_prob
                for drawn, log_prob in (here, later, (anywhere, density))
            ]
            gap = torch.logsumexp(torch.cat(values), dim=0) - data
            loss = loss + functional.mse_loss(data, target) + 5 * gap.mean()
        step(self.critic_optimizer, loss)
        drawn, log_prob = self.squashed(observations, 1)
        surplus = (log_prob - self.actions).detach()
        step(self.temperature_optimizer, -(self.log_temperature.exp() * surplus).mean())
        value = self.lowest(self.critics, observations, drawn[0])
        loss = (self.log_temperature.exp().detach() * log_prob[0] - value).mean()
        step(self.actor_optimizer, loss)
        self.update_targets(self.critics, self.critics_target)

    def gaussian(self, observations):
        return torch.distributions.Normal(
            torch.tanh(self.actor(observations)), torch.exp(-5 + 7 * torch.sigmoid(self.log_std))
        )

    def squashed(self, observations, count):
        mean, log_std = self.actor(observations).chunk(2, dim=1)
        normal = torch.distributions.Normal(mean, log_std.clamp(-20, 2).exp())
        raw = normal.rsample((count,))
        log_prob = normal.log_prob(raw) - 2 * (math.log(2) - raw - functional.softplus(-2 * raw))
        return torch.tanh(raw), log_prob.sum(dim=2)

    def lowest(self, critics, observations, actions):
        pairs = torch.cat([observations, actions], dim=1)
        return torch.min(critics[0](pairs), critics[1](pairs)).squeeze(1)

    def update_critics(self, observations, actions, target):
        pairs = torch.cat([observations, actions], dim=1)
        loss = sum(
            functional.mse_loss(critic(pairs).squeeze(1), target) for critic in self.critics
        )
        step(self.critic_optimizer, loss)

    def update_targets(self, source, target):
        with torch.no_grad():
            for new, old in zip(source.parameters(), target.parameters()):
                old.mul_(1 - 0.005).add_(0.005 * new)


def network(inputs: int, outputs: int) -> nn.Module:
    """Return a network of 2 x 256."""
    return nn.Sequential(
        nn.Linear(inputs, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, outputs)
    )


def step(optimizer, loss) -> None:
    """Take one step of an optimiser."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def of_d3rlpy(name: str, data: TransitionSet):
    """Return two functions that take n updates: with and without drawing the batches; or None."""
    try:
        import d3rlpy
    except ImportError:
        return None
    kinds = {
        'bc': (d3rlpy.algos.BCConfig, {}),
        'td3_bc': (d3rlpy.algos.TD3PlusBCConfig, {}),
        'awac': (d3rlpy.algos.AWACConfig, {}),
        'cql': (d3rlpy.algos.CQLConfig, {'n_action_samples': SAMPLES, 'alpha_learning_rate': 0.0}),
        'iql': (d3rlpy.algos.IQLConfig, {}),
        'rebrac': (d3rlpy.algos.ReBRACConfig, {}),
    }
    kind, arguments = kinds[name]
    algorithm = kind(batch_size=BATCH, **arguments).create()
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = d3rlpy.dataset.MDPDataset(
            observations=data.observations(),
            actions=data.actions,
            rewards=data.rewards,
            terminals=data.terminations.astype(np.float32),
        )
        algorithm.build_with_dataset(dataset)
    batch = dataset.sample_transition_batch(BATCH)

    def run(updates: int) -> None:
        for _ in range(updates):
            algorithm.update(dataset.sample_transition_batch(BATCH))

    def run_given(updates: int) -> None:
        for _ in range(updates):
            algorithm.update(batch)

    return run, run_given


def measure(contenders: dict, seconds: float, rounds: int) -> dict[str, float]:
    """Return the updates per second of each contender: the median of rounds that take turns."""
    chunk, rates = {}, {name: [] for name in contenders}
    for name, run in contenders.items():
        run(4)
        begin = time.perf_counter()
        run(8)
        chunk[name] = max(4, round(8 * seconds / rounds / (time.perf_counter() - begin)))
    for _ in range(rounds):
        for name, run in contenders.items():
            begin = time.perf_counter()
            run(chunk[name])
            rates[name].append(chunk[name] / (time.perf_counter() - begin))
    return {name: statistics.median(values) for name, values in rates.items()}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--algo', nargs='+', choices=ALGORITHMS, default=list(ALGORITHMS))
    parser.add_argument('--seconds', type=float, default=6.0, help='for each contender')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--threads', type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    # As in `guda train`, for all contenders.
    keep_freed_memory()
    data, results = make_data(), {}
    print(
        f'{"":8}{"one seed":>10}{"ten seeds":>11}{"textbook":>10}{"d3rlpy":>9}'
        f'{"batch given":>13}   (updates/s)'
    )
    for name in args.algo:
        contenders = {
            'one_seed': ours(name, data, 1, args.threads),
            'ten_seeds': ours(name, data, 10, args.threads),
            'textbook': Textbook(name, data),
        }
        other = of_d3rlpy(name, data)
        if other:
            contenders['d3rlpy'], contenders['batch_given'] = other
        rates = measure(contenders, args.seconds, args.rounds)
        rates['ten_seeds'] *= 10
        given = rates.pop('batch_given', float('nan'))
        results[name] = {
            key: round(rates[key], 1) if key in rates else None
            for key in ('one_seed', 'ten_seeds', 'textbook', 'd3rlpy')
        }
        print(
            f'{name:8}{rates["one_seed"]:10.0f}{rates["ten_seeds"]:11.0f}'
            f'{rates["textbook"]:10.0f}{rates.get("d3rlpy", float("nan")):9.0f}{given:13.0f}'
        )
    print(json.dumps({'updates_per_s': results}))


if __name__ == '__main__':
    main()
