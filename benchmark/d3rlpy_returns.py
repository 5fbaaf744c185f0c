r"""
Tell whether final returns here and of d3rlpy, on the same data, are equivalent.

    python benchmark/d3rlpy_returns.py --data runs/mine/dataset runs/mine/guided.h5 \
        --demonstrations 6 --out returns.jsonl

Needs d3rlpy 2.8.1, in an environment of its own (docs/learning.md). Each seed trains one policy
here and one there, each from its own initial weights and batches, and both drive from the same
validation starts in the batched simulator. The two means over the seeds count as equivalent when
the 90 % interval of their difference (Welch) lies within the margin: two one-sided tests at 5 %.
Every policy is a line of FILE; the same command goes on where it was stopped. The last line that
is printed is one JSON object.

The arguments are the defaults here, as far as d3rlpy has them. What it does not have is off:
cloning before and beside the critics (bc_updates, warmup, bc_weight). What was made equal there:
observations are normalised beforehand, rates fall along a cosine, the actor's optimiser is AdamW,
and AWAC's target has no entropy. What stays different is listed in test/learning/test_d3rlpy.py.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
import hashlib
import json
import math
from pathlib import Path
import time

import numpy as np
import torch

from guda_ros.data.contract import robot_of
from guda_ros.data.transitions import TransitionSet
from guda_ros.evaluation.ball_visibility import SightedPolicy
from guda_ros.evaluation.rollout import evaluate_policy
from guda_ros.learning.algorithms import ALGORITHMS
from guda_ros.learning.batches import data_hash
from guda_ros.learning.networks import Normaliser
from guda_ros.soccer.rewards import push_reward
from guda_ros.soccer.starts import fixed_starts
from guda_ros.workflows.terminal.arguments import positive
from guda_ros.workflows.train import load_transitions

LIBRARIES = ('here', 'd3rlpy')
COMPARED = ('bc', 'td3_bc', 'awac', 'cql', 'iql')
#: Differences that do not matter: a tenth of the episodes, a tenth of the reward of a goal.
MARGINS = {'success': 0.1, 'return': 1.0}
#: Arguments of algorithms here that d3rlpy does not have, without their effect.
OFF = {
    'td3_bc': {'bc_updates': 0, 'warmup': 0.0},
    'cql': {'bc_updates': 0, 'warmup': 0.0, 'bc_weight': 0.0},
}

Predict = Callable[[np.ndarray], np.ndarray]


def train_here(name: str, data: TransitionSet, config, seed: int) -> Predict:
    """Return the last policy of a training here: observations (m, D) to actions (m, 3)."""
    learner = ALGORITHMS[name](data, data.contract, config, (seed,))
    return learner.learn().policy().predict


def train_d3rlpy(name: str, data: TransitionSet, config, seed: int) -> Predict:
    """Return the same of d3rlpy, for the arguments `config` of an algorithm here."""
    import d3rlpy
    from d3rlpy.dataset import TransitionMiniBatch

    d3rlpy.seed(seed)
    algorithm = d3rlpy_config(name, config).create()
    normaliser = Normaliser.fit(data.observations())
    observations, following = (
        normaliser(torch.from_numpy(values)).numpy()
        for values in (data.observations(), data.next_observations())
    )
    actions = np.clip(data.actions, -1.0, 1.0)
    rewards, ends = data.rewards[:, None], data.terminations[:, None].astype(np.float32)
    algorithm.create_impl(observations.shape[1:], actions.shape[1])
    if name == 'awac':
        with torch.no_grad():
            next(algorithm.impl._modules.log_temp.parameters()).fill_(-1e4)
    # What BC does not use and AWAC, CQL, IQL and TD3+BC do not either.
    unused = np.zeros((config.batch_size, actions.shape[1]), dtype=np.float32)
    steps = np.ones((config.batch_size, 1), dtype=np.float32)
    rng = np.random.default_rng(seed)
    for _ in range(config.updates):
        rows = rng.integers(0, len(data), config.batch_size)
        algorithm.update(
            TransitionMiniBatch(
                observations[rows],
                actions[rows],
                rewards[rows],
                following[rows],
                unused,
                ends[rows],
                steps,
                (),
            )
        )
    return lambda seen: algorithm.predict(normaliser(torch.from_numpy(seen)).numpy())


def d3rlpy_config(name: str, config):
    """Return the arguments of d3rlpy that mean what `config` means here."""
    from d3rlpy import algos
    from d3rlpy.models.encoders import VectorEncoderFactory
    from d3rlpy.optimizers import AdamFactory, AdamWFactory
    from d3rlpy.optimizers.lr_schedulers import CosineAnnealingLRFactory

    def cosine(every: int = 1):
        return CosineAnnealingLRFactory(T_max=config.updates // every)

    def actor_optimizer(every: int = 1):
        return AdamWFactory(weight_decay=config.weight_decay, lr_scheduler_factory=cosine(every))

    encoder = VectorEncoderFactory(list(config.hidden))
    if name == 'bc':
        return algos.BCConfig(
            batch_size=config.batch_size,
            learning_rate=config.learning_rate,
            optim_factory=actor_optimizer(),
            encoder_factory=encoder,
        )
    common = {
        'batch_size': config.batch_size,
        'actor_learning_rate': config.actor_learning_rate,
        'critic_learning_rate': config.critic_learning_rate,
        'actor_optim_factory': actor_optimizer(),
        'critic_optim_factory': AdamFactory(lr_scheduler_factory=cosine()),
        'actor_encoder_factory': encoder,
        'critic_encoder_factory': VectorEncoderFactory(list(config.critic_hidden)),
        'gamma': config.discount,
        'tau': config.tau,
    }
    if name == 'td3_bc':
        common['actor_optim_factory'] = actor_optimizer(config.policy_delay)
        return algos.TD3PlusBCConfig(
            **common,
            alpha=config.alpha,
            target_smoothing_sigma=config.policy_noise,
            target_smoothing_clip=config.noise_clip,
            update_actor_interval=config.policy_delay,
        )
    if name == 'awac':
        return algos.AWACConfig(**common, lam=config.lam, n_action_samples=config.samples)
    if name == 'iql':
        return algos.IQLConfig(
            **common,
            value_encoder_factory=common['critic_encoder_factory'],
            expectile=config.expectile,
            weight_temp=config.beta,
            max_weight=config.max_weight,
        )
    return algos.CQLConfig(
        **common,
        temp_learning_rate=config.temperature_learning_rate,
        alpha_learning_rate=0.0,
        temp_optim_factory=AdamFactory(lr_scheduler_factory=cosine()),
        alpha_threshold=0.0,
        initial_temperature=config.temperature,
        conservative_weight=config.conservative_weight,
        n_action_samples=config.samples,
    )


def judge(predict: Predict, contract, starts: np.ndarray) -> dict[str, float]:
    """Return success and mean undiscounted return of a policy from starts (n, 5)."""
    robot = robot_of(contract)
    controller = SightedPolicy(predict, contract, robot, len(starts))
    result = evaluate_policy(controller, contract, robot, starts, record=True)
    rewards = push_reward(result.states[:-1], result.states[1:], contract.field)
    return {'success': result.rate, 'return': float(np.nansum(rewards, axis=0).mean())}


def welch(first: np.ndarray, second: np.ndarray, confidence: float = 0.9):
    """Return the difference of two means and its interval, for unequal variances."""
    from scipy import stats

    parts = [np.var(values, ddof=1) / len(values) for values in (first, second)]
    difference, error = float(np.mean(first) - np.mean(second)), math.sqrt(sum(parts))
    if error == 0:
        return difference, (difference, difference)
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(values) - 1) for part, values in zip(parts, (first, second))
    )
    reach = error * float(stats.t.ppf((1 + confidence) / 2, freedom))
    return difference, (difference - reach, difference + reach)


def report(name: str, rows: list[dict]) -> dict:
    """Print a line for each measure of an algorithm; return what it says."""
    found = {}
    for measure, margin in MARGINS.items():
        values = {
            library: np.array([row[measure] for row in rows if row['library'] == library])
            for library in LIBRARIES
        }
        difference, interval = welch(values['here'], values['d3rlpy'])
        equivalent = -margin < interval[0] and interval[1] < margin
        found[measure] = {
            **{library: [round(value, 4) for value in values[library]] for library in LIBRARIES},
            'difference': round(difference, 4),
            'interval': [round(end, 4) for end in interval],
            'margin': margin,
            'equivalent': equivalent,
        }
        means = ''.join(
            f'{values[library].mean():9.3f} ({np.std(values[library], ddof=1):5.3f})'
            for library in LIBRARIES
        )
        print(
            f'{name:8}{measure:8}{means}{difference:+9.3f} '
            f'[{interval[0]:+.3f}, {interval[1]:+.3f}]  {margin:4g}  '
            f'{"equivalent" if equivalent else "not shown"}'
        )
    return found


def read_rows(path: Path, keys: dict[str, str]) -> list[dict]:
    """Return the lines that a run with the same settings wrote; a torn last one is dropped."""
    if not path.exists():
        return []
    rows, whole = [], ''
    for line in path.read_text().splitlines(keepends=True):
        if not line.endswith('\n'):
            break
        whole += line
        rows.append(json.loads(line))
    if any(row['key'] != keys[row['algorithm']] for row in rows):
        raise SystemExit(f'{path}: is of other data or arguments; choose another --out')
    path.write_text(whole)
    return rows


def main() -> None:
    """Train, judge and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--data', type=Path, nargs='+', required=True, metavar='PATH')
    parser.add_argument(
        '--demonstrations',
        type=positive,
        metavar='N',
        help='as of `guda train`, drawn by the seed 0',
    )
    parser.add_argument('--out', type=Path, required=True, metavar='FILE')
    parser.add_argument('--algo', nargs='+', choices=COMPARED, default=list(COMPARED))
    parser.add_argument('--seeds', type=positive, default=5, help='two or more')
    parser.add_argument('--updates', type=positive, default=2500)
    parser.add_argument('--cql-updates', type=positive, default=1000)
    parser.add_argument('--starts', type=positive, default=100, help='of validation')
    args = parser.parse_args()
    if args.seeds < 2:
        parser.error('--seeds: two or more are needed for an interval')
    torch.set_num_threads(1)
    data = load_transitions(args.data, args.demonstrations, 0)
    starts = fixed_starts('validation', args.starts, data.contract.field)
    configs = {
        name: ALGORITHMS[name].Config(
            **{'updates': args.cql_updates if name == 'cql' else args.updates, **OFF.get(name, {})}
        )
        for name in COMPARED
    }
    shared = json.dumps([data_hash(data), args.starts])
    keys = {
        name: hashlib.sha256((shared + json.dumps(asdict(config))).encode()).hexdigest()[:16]
        for name, config in configs.items()
    }
    rows = read_rows(args.out, keys)
    done = {(row['algorithm'], row['library'], row['seed']) for row in rows}
    trainers = {'here': train_here, 'd3rlpy': train_d3rlpy}
    for name in args.algo:
        for seed in range(args.seeds):
            for library in LIBRARIES:
                if (name, library, seed) in done:
                    continue
                begin = time.perf_counter()
                predict = trainers[library](name, data, configs[name], seed)
                seconds = round(time.perf_counter() - begin, 1)
                row = {
                    'key': keys[name],
                    'algorithm': name,
                    'library': library,
                    'seed': seed,
                    'seconds': seconds,
                    **judge(predict, data.contract, starts),
                }
                print(
                    f'{name} {library} seed {seed}: success {row["success"]:.2f}, '
                    f'return {row["return"]:.2f}, {seconds:.0f} s',
                    flush=True,
                )
                with args.out.open('a') as file:
                    file.write(json.dumps(row) + '\n')
                rows.append(row)
    print(f'{"":16}{"here (deviation)":>17}{"d3rlpy":>17}{"difference":>11} and 90 %  margin')
    found = {
        name: report(
            name, [row for row in rows if row['algorithm'] == name and row['seed'] < args.seeds]
        )
        for name in args.algo
    }
    print(
        json.dumps(
            {
                'seeds': args.seeds,
                'starts': args.starts,
                'updates': {name: configs[name].updates for name in args.algo},
                'algorithms': found,
            }
        )
    )


if __name__ == '__main__':
    main()
