"""Judge policies and demonstrators in the batched simulator."""

from __future__ import annotations

from pathlib import Path
import time

import numpy as np

from guda_ros.data.contract import robot_of
from guda_ros.errors import GudaError


def evaluate_file(policy: Path, purpose: str, count: int, robot_name: str | None = None):
    """Run an exported policy from the first `count` starts of a purpose; a RolloutResult."""
    from guda_ros.control.exported_policy import ExportedPolicy
    from guda_ros.soccer.starts import fixed_starts

    loaded = ExportedPolicy.load(policy)
    return _run_policy(loaded, fixed_starts(purpose, count, loaded.contract.field), robot_name)


def evaluate_demonstrator(
    style: str, contract, starts: np.ndarray, seed: int = 0, robot_name: str | None = None
):
    """
    Run the scripted demonstrator from starts (n, 5); a RolloutResult.

    :param style: clean, or imperfect as it was when it was recorded.
    :param seed: of the imperfections.
    """
    from guda_ros.evaluation.rollout import evaluate_policy
    from guda_ros.tasks.soccer.demonstrator import Demonstrator, DemonstratorStyle

    styles = [
        DemonstratorStyle.clean()
        if style == 'clean'
        else DemonstratorStyle.imperfect(10_000 * (seed + 1) + index)
        for index in range(len(starts))
    ]
    demonstrator = Demonstrator(
        contract.limits, contract.field, np.random.default_rng([seed, 17]), styles, contract.period
    )
    robot = robot_of(contract, robot_name)
    return evaluate_policy(demonstrator, contract, robot, starts, memoryless=False)


def judge_file(policy: Path, starts: np.ndarray, robot_name: str | None) -> tuple[list, float]:
    """Return the episodes of an exported policy from starts (n, 5), and the wall time [s]."""
    from guda_ros.control.exported_policy import ExportedPolicy

    begin = time.monotonic()
    episodes = _episodes(_run_policy(ExportedPolicy.load(policy), starts, robot_name))
    return episodes, time.monotonic() - begin


def judge_demonstrator(
    style: str, starts: np.ndarray, robot_name: str | None, contract
) -> tuple[list, float]:
    """Return the episodes of a scripted demonstrator from starts (n, 5), and the wall time [s]."""
    begin = time.monotonic()
    episodes = _episodes(evaluate_demonstrator(style, contract, starts, 0, robot_name))
    return episodes, time.monotonic() - begin


def judge_in_batch(policies, demonstrators, contract, starts, robot_name: str | None) -> list:
    """
    Judge all that are given on all cores, and tell the progress.

    :param policies: PolicyResult without episodes, one for each file.
    :param demonstrators: names of styles.
    :param starts: a StartSet.
    :return: PolicyResult in the order of the arguments, policies first.
    """
    from dataclasses import replace

    from guda_ros.evaluation.results import PolicyResult
    from guda_ros.sim.physics.state import check_starts
    from guda_ros.workflows.workers import run_jobs

    try:
        check_starts(starts.starts, robot_of(contract, robot_name), contract.field)
    except ValueError as error:
        raise GudaError(f'{starts.name}: {error}') from error
    listed = list(policies)
    jobs = [('file', Path(p.file), starts.starts, robot_name, None) for p in policies]
    for style in demonstrators:
        name = f'demonstrator_{style}' if style == 'clean' else 'demonstrator'
        listed.append(PolicyResult(name, name, 'batch', (), algorithm='scripted'))
        jobs.append(('demonstrator', style, starts.starts, robot_name, contract))
    numbered = [(number, *job) for number, job in enumerate(jobs)]
    done = (
        ((job, _judge(*job)) for job in numbered)
        if len(numbered) == 1
        else run_jobs(_judge, numbered)
    )
    for count, (job, (episodes, seconds)) in enumerate(done, 1):
        number = job[0]
        listed[number] = replace(listed[number], episodes=tuple(episodes))
        scored = sum(episode.scored for episode in episodes)
        print(
            f'    {count} of {len(jobs)}: {listed[number].name}: {scored} of {len(episodes)} '
            f'scored, {seconds:.0f} s'
        )
    return listed


def _judge(number: int, kind: str, what, starts, robot_name, contract) -> tuple[list, float]:
    if kind == 'file':
        return judge_file(what, starts, robot_name)
    return judge_demonstrator(what, starts, robot_name, contract)


def _run_policy(loaded, starts: np.ndarray, robot_name: str | None):
    from guda_ros.evaluation.ball_visibility import SightedPolicy
    from guda_ros.evaluation.rollout import evaluate_policy

    def predict(observations: np.ndarray) -> np.ndarray:
        actions = loaded.predict(observations)
        wrong = ~np.isfinite(actions).all(axis=1)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise GudaError(
                f'{loaded.path}: answers {actions[row].tolist()} to the observation '
                f'{np.round(observations[row], 4).tolist()}: such a policy cannot be judged; '
                'train it again'
            )
        return actions

    contract = loaded.contract
    robot = robot_of(contract, robot_name)
    controller = SightedPolicy(predict, contract, robot, len(starts))
    return evaluate_policy(controller, contract, robot, starts)


def _episodes(result) -> list:
    from guda_ros.evaluation.results import Episode

    listed = []
    for index in range(len(result.success)):
        verdict = 'scored' if result.success[index] else 'out' if result.out[index] else 'timeout'
        listed.append(
            Episode(
                start=index,
                verdict=verdict,
                seconds=float(result.steps[index] * result.period),
                touches=int(result.touches[index]),
                falls=None if result.falls is None else int(result.falls[index]),
                message='came to rest for good' if result.settled[index] else '',
            )
        )
    return listed
