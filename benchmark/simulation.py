#!/usr/bin/env python3
"""
Measure how fast the simulator is; the last line is one JSON object.

- batch_vs_raw_1_thread, batch_vs_raw_2_threads: steps a second of SoccerVectorEnv (commands,
  physics, rewards, observations, resets) over those of nothing but the physics: mujoco.batch with
  the same model, states, controls and substeps.
- batch_vs_subproc: the same with two threads, through the VecEnv for stable-baselines3, over its
  SubprocVecEnv of the same environment with as many workers as cores.
- batch_env_steps_per_s, single_env_steps_per_s: environment steps (.1 s each) a second.
- camera_fps: pictures of the head camera a second, 320 x 240.
- real_time_factor: of the simulator node, from benchmark/real_time_factor.py; null without ROS 2.

What is compared is measured in turns, and the ratio is the median over the turns: other load on
the machine then hits both alike.
"""

from __future__ import annotations

import argparse
from functools import partial
import json
import os
from pathlib import Path
import subprocess
import sys
import time

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from guda_ros.sim.env import SoccerEnv  # noqa: E402
from guda_ros.sim.vector_env import SoccerVectorEnv  # noqa: E402
from guda_ros.workflows.terminal.arguments import positive  # noqa: E402

SCENARIO = 'attack'


class Raw:
    """The physics of a vector environment and nothing else, from its present states on."""

    def __init__(self, env: SoccerVectorEnv, threads: int) -> None:
        from mujoco.batch import Batch

        from guda_ros.sim.physics.model import substeps

        simulation = env.episodes.simulation
        self._substeps = substeps(simulation.contract, simulation.model.opt.timestep)
        self._batch = Batch(simulation.model, len(simulation), threads)
        self._ctrl = self._batch.bind('ctrl')
        self._simulation = simulation

    def run(self, actions: np.ndarray) -> float:
        """Return the environment steps a second of these controls (steps, n, 3)."""
        count = len(self._simulation)
        for index in range(count):
            self._batch.state[index] = self._simulation.physics_state(index)
        controls = self._simulation.contract.to_command(actions)
        began = time.perf_counter()
        for control in controls:
            self._ctrl[:, :3] = control
            self._batch.step(nstep=self._substeps)
        return len(actions) * count / (time.perf_counter() - began)


def run_vector(env, actions: np.ndarray) -> float:
    """Return the steps a second of any vector environment, from where it is."""
    began = time.perf_counter()
    for action in actions:
        env.step(action)
    return actions.shape[0] * actions.shape[1] / (time.perf_counter() - began)


def actions_for(steps: int, count: int, seed: int) -> np.ndarray:
    """Return actions (steps, count, 3) that wander, mostly forward, as a policy's do."""
    rng = np.random.default_rng(seed)
    held = rng.uniform([-0.3, -1, -1], 1, (steps // 10 + 1, count, 3))
    return np.repeat(held, 10, axis=0)[:steps].astype(np.float32)


def against_raw(threads: int, count: int, steps: int, repeats: int) -> tuple[float, float]:
    """Return the median ratio to raw physics, and the median steps a second."""
    env = SoccerVectorEnv(
        count, threads, scenario=SCENARIO, rewards='shaped', autoreset_mode='SameStep'
    )
    env.reset(seed=0)
    raw = Raw(env, threads)
    warm = actions_for(20, count, 0)
    raw.run(warm)
    run_vector(env, warm)
    ratios, rates = [], []
    for repeat in range(repeats):
        actions = actions_for(steps, count, repeat)
        # Raw first: it begins from the same states as the environment.
        before = raw.run(actions)
        rate = run_vector(env, actions)
        ratios.append(rate / before)
        rates.append(rate)
        print(
            f'  {threads} thread{"s" * (threads > 1)}: raw {before:8.0f}, batch {rate:8.0f} '
            f'env steps/s, ratio {ratios[-1]:.3f}'
        )
    return float(np.median(ratios)), float(np.median(rates))


def against_subproc(count: int, steps: int, repeats: int) -> float:
    """Return the median ratio of the batch to SubprocVecEnv with a worker for every core."""
    from stable_baselines3.common.vec_env import SubprocVecEnv

    from guda_ros.online.vec_env import BatchVecEnv
    from guda_ros.sim.episodes import EpisodeBatch

    workers = os.cpu_count() or 1
    arguments = {'scenario': SCENARIO, 'rewards': 'shaped'}
    batch = BatchVecEnv(EpisodeBatch(count, threads=workers, **arguments))
    others = SubprocVecEnv([partial(SoccerEnv, **arguments)] * workers, start_method='spawn')
    ratios = []
    try:
        for env in (batch, others):
            env.seed(0)
            env.reset()
            run_vector(env, actions_for(20, env.num_envs, 0))
        for repeat in range(repeats):
            mine = run_vector(batch, actions_for(steps, count, repeat))
            theirs = run_vector(others, actions_for(5 * steps, workers, repeat))
            ratios.append(mine / theirs)
            print(
                f'  SubprocVecEnv x {workers} {theirs:8.0f}, batch {mine:8.0f} env steps/s, '
                f'ratio {ratios[-1]:.2f}'
            )
    finally:
        others.close()
    return float(np.median(ratios))


def single(steps: int, repeats: int) -> float:
    """Return the median steps a second of one SoccerEnv."""
    env = SoccerEnv(scenario=SCENARIO, rewards='shaped')
    env.reset(seed=0)
    rates = []
    for repeat in range(repeats):
        began = time.perf_counter()
        for action in actions_for(steps, 1, repeat)[:, 0]:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        rates.append(steps / (time.perf_counter() - began))
    return float(np.median(rates))


def camera(pictures: int, repeats: int) -> float | None:
    """Return the median pictures a second of the head camera, or None where nothing is drawn."""
    from guda_ros.data.contract import Contract
    from guda_ros.sim.physics.simulation import SoccerSimulation
    from guda_ros.sim.rendering.renderer import RenderingUnavailable
    from guda_ros.soccer.robot import RobotProfile

    contract = Contract.load()
    rates = []
    with SoccerSimulation(contract, RobotProfile.load(contract.robot)) as simulation:
        try:
            simulation.render('head', 320, 240)
        except RenderingUnavailable as error:
            print(f'  no pictures: {error}')
            return None
        for _ in range(repeats):
            spent = 0.0
            for _ in range(pictures):
                simulation.step([0.1, 0.0, 0.3])
                began = time.perf_counter()
                simulation.render('head', 320, 240)
                spent += time.perf_counter() - began
            rates.append(pictures / spent)
    return float(np.median(rates))


def real_time_factor() -> float | None:
    """Return what benchmark/real_time_factor.py finds, or None where it cannot run."""
    script = ROOT / 'benchmark' / 'real_time_factor.py'
    try:
        result = subprocess.run(
            [sys.executable, str(script)], capture_output=True, text=True, timeout=600, check=True
        )
        return json.loads(result.stdout.strip().splitlines()[-1])['real_time_factor']
    except subprocess.CalledProcessError as error:
        problem = (error.stderr.strip() or error.stdout.strip()).splitlines()[-1:]
    except (subprocess.TimeoutExpired, ValueError, LookupError) as error:
        problem = [repr(error)]
    print(f'  no real-time factor: {" ".join(problem)} (it needs ROS 2: rclpy)')
    return None


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog='example:\n  python benchmark/simulation.py --repeats 9',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--count',
        type=positive,
        default=256,
        metavar='N',
        help='environments in the batch (default: %(default)s)',
    )
    parser.add_argument(
        '--steps',
        type=positive,
        default=100,
        metavar='N',
        help='steps of the batch in a turn (default: %(default)s)',
    )
    parser.add_argument(
        '--repeats', type=positive, default=7, metavar='N', help='turns (default: %(default)s)'
    )
    parser.add_argument(
        '--skip-node', action='store_true', help='leave the real-time factor of the node out'
    )
    args = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    found: dict[str, float | None] = {}
    print('batch against raw physics')
    for threads in (1, 2):
        name = f'batch_vs_raw_{threads}_thread{"s" * (threads > 1)}'
        found[name], rate = against_raw(threads, args.count, args.steps, args.repeats)
    found['batch_env_steps_per_s'] = rate
    print('batch against SubprocVecEnv')
    found['batch_vs_subproc'] = against_subproc(args.count, args.steps, args.repeats)
    print('single environment')
    found['single_env_steps_per_s'] = single(5 * args.steps, args.repeats)
    print('camera')
    found['camera_fps'] = camera(args.steps, args.repeats)
    if not args.skip_node:
        print('node')
    found['real_time_factor'] = None if args.skip_node else real_time_factor()
    print(
        json.dumps(
            {name: None if value is None else round(value, 3) for name, value in found.items()}
        )
    )


if __name__ == '__main__':
    main()
