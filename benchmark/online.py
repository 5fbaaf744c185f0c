#!/usr/bin/env python3
"""
Measure how fast online learning is on the batch; the last line is one JSON object.

    python benchmark/online.py [--rollouts 2] [--repeats 5]

PPO and SAC of stable-baselines3 learn, with the networks and arguments of config/online, on
BatchVecEnv and on SubprocVecEnv of the same environment with a worker for every core. Both have
learnt for a rollout before the clock starts.

- ppo_env_steps_per_s, ppo_subproc_env_steps_per_s, ppo_vs_subproc, and the same of sac:
  environment steps a second of `learn`, and their ratio. The batch has as many rows as the
  experiment says, SubprocVecEnv as many as there are cores; steps of a rollout (PPO) and updates
  for an environment step (SAC) are the same.
- augmentation_share: what one augmented copy of each environment step, by the guide `random`, adds
  to a step of SAC: seconds in which the buffer augments, over all others.
- augmented_sac_vs_sac: environment steps a second of SAC with augmented replay over those without,
  with batches of the same size in all; world states in infos and joining batches count here.

What is compared is measured in turns, and ratios are medians over the turns: other load on the
machine then hits both alike.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
import json
import os
from pathlib import Path
import sys
import time

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from guda_ros.config.files import find_config  # noqa: E402
from guda_ros.learning.networks import torch_threads  # noqa: E402
from guda_ros.online.augmented_replay import AugmentedReplayBuffer  # noqa: E402
from guda_ros.online.dafs import GuideDAF, World  # noqa: E402
from guda_ros.online.policies import ALGORITHMS, policy_arguments  # noqa: E402
from guda_ros.online.training import OnlineConfig  # noqa: E402
from guda_ros.online.vec_env import BatchVecEnv  # noqa: E402
from guda_ros.sim.env import SoccerEnv  # noqa: E402
from guda_ros.sim.episodes import EpisodeBatch  # noqa: E402
from guda_ros.workflows.terminal.arguments import positive  # noqa: E402


class Timed(AugmentedReplayBuffer):
    """Knows how long it augmented [s]."""

    seconds = 0.0

    def _augment(self) -> None:
        began = time.perf_counter()
        super()._augment()
        self.seconds += time.perf_counter() - began


def environments(config: OnlineConfig, states: bool = False) -> BatchVecEnv:
    """Return the batch of an experiment."""
    episodes = EpisodeBatch(
        config.environments, config.scenario, config.contract, rewards=config.rewards,
        threads=config.threads,
    )  # fmt: skip
    return BatchVecEnv(episodes, world_states=states)


def model_on(config: OnlineConfig, env, **changes):
    """Return a model with the arguments of an experiment and some changes."""
    return ALGORITHMS[config.algorithm](
        env=env,
        seed=0,
        device='cpu',
        **policy_arguments(config.algorithm, config.hidden),
        **{**config.arguments, **changes},
    )


def rate(model, steps: int) -> float:
    """Return the environment steps a second of learning on for some steps."""
    before = model.num_timesteps
    began = time.perf_counter()
    model.learn(steps, reset_num_timesteps=False)
    return (model.num_timesteps - before) / (time.perf_counter() - began)


def in_turns(name: str, runs: dict[str, Callable[[], float]], repeats: int) -> dict[str, list]:
    """Return what each run gave in each turn."""
    found: dict[str, list] = {key: [] for key in runs}
    for _ in range(repeats):
        for key, run in runs.items():
            found[key].append(run())
        told = ', '.join(f'{key} {values[-1]:.0f}' for key, values in found.items())
        print(f'  {name}: {told} env steps/s')
    return found


def ratio(mine: list[float], theirs: list[float]) -> float:
    """Return the median ratio of turns."""
    return float(np.median(np.divide(mine, theirs)))


def against_subproc(name: str, rollouts: int, repeats: int) -> dict[str, float]:
    """Compare an experiment on the batch and on SubprocVecEnv."""
    from stable_baselines3.common.vec_env import SubprocVecEnv

    config = OnlineConfig.load(find_config('online', name))
    workers = os.cpu_count() or 1
    make = partial(SoccerEnv, scenario=config.scenario, rewards=config.rewards)
    others = SubprocVecEnv([make] * workers, start_method='spawn')
    rows = config.environments
    if config.algorithm == 'ppo':
        each = config.arguments['n_steps'] * rows
        changes: list[dict] = [{}, {'n_steps': each // workers}]
    else:
        # As many updates for as many steps of the environment.
        each = 8 * rows
        every = {'train_freq': max(1, rows // workers)}
        changes = [{'learning_starts': rows}, {'learning_starts': rows, **every}]
    try:
        models = [
            model_on(config, env, **more)
            for env, more in zip((environments(config), others), changes)
        ]
        for model in models:
            rate(model, each)
        runs = {
            key: partial(rate, model, rollouts * each)
            for key, model in zip(('batch', 'subproc'), models)
        }
        found = in_turns(config.algorithm, runs, repeats)
    finally:
        others.close()
    return {
        f'{config.algorithm}_env_steps_per_s': float(np.median(found['batch'])),
        f'{config.algorithm}_subproc_env_steps_per_s': float(np.median(found['subproc'])),
        f'{config.algorithm}_vs_subproc': ratio(found['batch'], found['subproc']),
    }


def augmented(rollouts: int, repeats: int) -> dict[str, float]:
    """Measure what augmentation adds to SAC."""
    config = OnlineConfig.load(find_config('online', 'sac_penalty'))
    rows, size = config.environments, config.arguments['batch_size']
    plain = model_on(config, environments(config), learning_starts=rows)
    env = environments(config, states=True)
    daf = GuideDAF('random', World.of(env.episodes))
    model = model_on(
        config, env, learning_starts=rows, batch_size=size // 2, replay_buffer_class=Timed,
        replay_buffer_kwargs={'daf': daf, 'm': 1.0, 'alpha': 1.0},
    )  # fmt: skip
    # Chunks of 1024 steps, whole ones.
    each = 1024 * rollouts
    spent = []

    def run() -> float:
        before, began = model.replay_buffer.seconds, time.perf_counter()
        found = rate(model, each)
        within = model.replay_buffer.seconds - before
        spent.append(within / (time.perf_counter() - began - within))
        return found

    for one in (plain, model):
        rate(one, 1024)
    found = in_turns('sac', {'plain': partial(rate, plain, each), 'augmented': run}, repeats)
    return {
        'augmentation_share': float(np.median(spent)),
        'augmented_sac_vs_sac': ratio(found['augmented'], found['plain']),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--rollouts', type=positive, default=2, help='of a turn (default: 2)')
    parser.add_argument('--repeats', type=positive, default=5, help='turns (default: 5)')
    args = parser.parse_args()
    found: dict[str, float] = {}
    with torch_threads(1):
        for name in ('ppo_penalty', 'sac_penalty'):
            found |= against_subproc(name, args.rollouts, args.repeats)
        found |= augmented(args.rollouts, args.repeats)
    print(json.dumps({name: round(value, 4) for name, value in found.items()}))


if __name__ == '__main__':
    main()
