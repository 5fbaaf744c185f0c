"""Train seeds in the simulator from scratch: judge and export policies, draw curves."""

from __future__ import annotations

import csv
from pathlib import Path
import time
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.data.files import write_json
from guda_ros.workflows.players import fixed_world, POLICY, policy_controller, RUN
from guda_ros.workflows.progress import Say, silent

if TYPE_CHECKING:
    from guda_ros.evaluation.rollout import RolloutResult
    from guda_ros.online.training import OnlineConfig, PolicyNetwork, Progress

_COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00')


def train_seed(
    config: OnlineConfig,
    seed: int,
    folder: Path,
    test_starts: int,
    checkpoints: bool = False,
    tensorboard: Path | None = None,
    say: Say = silent,
) -> dict:
    """
    Train one seed, export its best policy and return what there is to tell about it.

    :param folder: gets model, policy and `run.json`.
    :param test_starts: number of starts on which the best policy is tried once.
    :param checkpoints: keep the model of every evaluation.
    :param tensorboard: folder of logs, None for none.
    """
    from guda_ros.evaluation.rollout import evaluate_policy
    from guda_ros.evaluation.statistics import wilson_interval
    from guda_ros.learning.export import export_policy
    from guda_ros.online.training import train_online
    from guda_ros.sim.episodes import EpisodeBatch

    episodes = EpisodeBatch(
        config.environments,
        config.scenario,
        config.contract,
        rewards=config.rewards,
        randomisation=config.randomisation,
        threads=config.threads,
    )
    contract, robot = episodes.contract, episodes.robot
    limit = episodes.max_steps * contract.period

    def rollout(network: PolicyNetwork, purpose: str, count: int) -> RolloutResult:
        return evaluate_policy(
            policy_controller(network.predict, contract),
            contract,
            robot,
            threads=config.threads,
            max_steps=episodes.max_steps,
            **fixed_world(config.scenario, purpose, count, contract),
        )

    def report(progress: Progress) -> None:
        say(
            f'seed {seed}  {progress.steps:>9} steps  {progress.seconds / 60:5.1f} min  '
            f'{progress.steps / progress.seconds:6.0f} steps/s  '
            f'validation success {progress.success:.2f}  '
            f'episode reward {progress.episode_reward:6.2f}'
        )

    say(
        f'{config.algorithm.upper()}, scenario {config.scenario}, {limit:g} s an episode, '
        f'{config.environments} environments, at most {config.steps} steps or '
        f'{config.minutes:g} min'
    )
    began = time.monotonic()
    result = train_online(
        config,
        episodes,
        lambda network: rollout(network, 'validation', config.starts).rate,
        folder,
        seed,
        report,
        checkpoints,
        tensorboard,
    )
    tested = rollout(result.network, 'test', test_starts)
    scored = int(tested.success.sum())
    interval = wilson_interval(scored, test_starts)
    seconds = float(np.median(tested.seconds_to_goal)) if scored else None
    say(
        f'seed {seed}: {scored} of {test_starts} test starts scored within {limit:g} s, '
        f'{interval.value:.3f} (95 % interval {interval.low:.3f} to {interval.high:.3f}), '
        f'median {f"{seconds:.1f}" if scored else "-"} s to the goal; '
        f'{(time.monotonic() - began) / 60:.1f} min in all'
    )
    content = {
        'algorithm': config.algorithm,
        'scenario': config.scenario,
        'time_limit': limit,
        'seed': seed,
        'config': config.as_dict(),
        'contract': contract.to_json(),
        'training_seconds': result.seconds,
        'best_steps': result.best.steps,
        'test': {
            'scored': scored,
            'starts': test_starts,
            **interval.as_dict(),
            'median_seconds_to_goal': seconds,
        },
        'history': [_plain(progress) for progress in result.history],
    }
    export_policy(
        folder / POLICY,
        result.network,
        contract,
        config.algorithm,
        {key: content[key] for key in ('scenario', 'time_limit', 'seed', 'config')},
    )
    write_json(folder / RUN, content)
    return content


def _plain(progress: Progress) -> dict:
    values = {
        'steps': progress.steps,
        'seconds': progress.seconds,
        'success': progress.success,
        'episode_reward': progress.episode_reward,
        'train_success': progress.train_success,
        **progress.terms,
    }
    # JSON knows no NaN.
    return {key: None if value != value else value for key, value in values.items()}


def write_curves(out: Path, name: str, runs: list[dict]) -> None:
    """Write the validation success over the steps, of all seeds, as CSV, JSON and PNG."""
    write_json(
        out / 'curve.json',
        {
            'name': name,
            'runs': [
                {key: run[key] for key in ('seed', 'scenario', 'time_limit', 'test', 'history')}
                for run in runs
            ],
        },
    )
    keys = list(dict.fromkeys(key for run in runs for row in run['history'] for key in row))
    with open(out / 'curve.csv', 'w', newline='', encoding='utf-8') as file:
        writer = csv.DictWriter(file, ['seed', *keys])
        writer.writeheader()
        for run in runs:
            writer.writerows({'seed': run['seed'], **row} for row in run['history'])
    draw_curves(out / 'curve.png', name, runs)


def draw_curves(path: Path, name: str, runs: list[dict]) -> None:
    """Draw success and wall time over the steps."""
    from matplotlib.ticker import FuncFormatter, PercentFormatter

    from guda_ros.evaluation.pages.drawing import new_figure

    with new_figure(2.9, 7.2) as figure:
        axes = figure.add_axes([0.085, 0.17, 0.89, 0.72])
        for index, run in enumerate(runs):
            steps = [row['steps'] for row in run['history']]
            success = [row['success'] for row in run['history']]
            minutes = run['history'][-1]['seconds'] / 60
            test = run['test']
            axes.plot(
                steps,
                success,
                marker='o',
                markersize=3.5,
                linewidth=1.6,
                alpha=0.85,
                color=_COLOURS[index % len(_COLOURS)],
                label=f'seed {run["seed"]}: {minutes:.1f} min, '
                f'test {test["scored"]} of {test["starts"]}',
            )
        axes.set_title(f'{name}: success on validation starts within {runs[0]["time_limit"]:g} s')
        axes.set_xlabel('environment steps')
        axes.set_ylim(-0.03, 1.05)
        axes.set_xlim(left=0)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:,.0f}'))
        axes.grid()
        axes.legend(loc='lower right')
        figure.savefig(path, dpi=110)
