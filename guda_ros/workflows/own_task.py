"""Judge policies in the environments that their task brings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from guda_ros.augmentation.registry import load_task
from guda_ros.augmentation.task import Task
from guda_ros.control.exported_policy import ExportedPolicy
from guda_ros.data.contract_base import ContractBase
from guda_ros.errors import GudaError
from guda_ros.evaluation.results import Episode, PolicyResult
from guda_ros.evaluation.start_sets import starts_hash, StartSet, StartSetError
from guda_ros.workflows.progress import Say, silent

#: Sets of starts: the seed of each. Those of `validation` choose between policies, no other does.
SEEDS = {'test': 1_000_000, 'validation': 2_000_000}
#: Episodes unless the user says how many.
USUAL = 200


def playable(contract: ContractBase) -> Task:
    """
    Return the task of a contract, which has environments.

    :raises GudaError: if it has none.
    """
    task = load_task(contract.task)(contract)
    if type(task).environments is Task.environments and type(task).evaluate is Task.evaluate:
        raise GudaError(
            f'the task {task.name} has no environment to judge policies in: its class needs the '
            'method `environments`, which a StateTask has'
        )
    return task


def success_of(contract: ContractBase, count: int) -> Callable[[object], float]:
    """Return the success of a policy network from validation starts, as a function of it."""
    task = playable(contract)

    def evaluate(network) -> float:
        return float(task.evaluate(network.predict, count, SEEDS['validation']).successes.mean())

    return evaluate


def choose_starts(task: Task, name: str | StartSet | None, count: int | None) -> StartSet:
    """
    Return the starts of a set: world states where the environments tell them, else numbers.

    They depend on how many there are, and so does the hash.

    :param name: one of SEEDS, or a set made here; by default `test`. :param count: by default
        USUAL.
    :raises StartSetError: if the task has no such set.
    """
    if isinstance(name, StartSet):
        if not set(name.scenarios) <= SEEDS.keys():
            raise StartSetError(f'{name.name}: not a set of starts of the task {task.name}')
        return name
    name, count = name or 'test', count or USUAL
    if name not in SEEDS:
        raise StartSetError(
            f'the task {task.name} has no set of starts {name!r}; it has {", ".join(SEEDS)}'
        )
    environments = task.environments(count)
    try:
        _, info = environments.reset(seed=SEEDS[name])
    finally:
        environments.close()
    rows = np.asarray(info.get('world_state', np.arange(count)[:, None]), dtype=float)
    title = f'{task.name}-{name}'
    return StartSet(title, rows, (name,) * count, starts_hash(title, rows))


def judge(
    task: Task, policies: Sequence[PolicyResult], starts: StartSet, say: Say = silent
) -> list[PolicyResult]:
    """
    Return policies with their episodes from the starts of a set, one after the other.

    :param policies: without episodes, one for each file.
    :raises GudaError: if one answers with a number that is not finite.
    """
    judged: list[PolicyResult] = []
    count, seed = len(starts), SEEDS[starts.scenarios[0]]
    for policy in policies:
        predict = _checked(ExportedPolicy.load(policy.file))
        outcomes = task.evaluate(predict, count, seed)
        episodes = tuple(
            Episode(
                start=index,
                verdict=_verdict(success, steps, task.contract.max_steps),
                seconds=float(steps * task.contract.period),
                message=f'return {total:.4g}',
            )
            for index, (success, steps, total) in enumerate(
                zip(outcomes.successes, outcomes.steps, outcomes.returns)
            )
        )
        judged.append(replace(policy, episodes=episodes))
        say(
            f'    {len(judged)} of {len(policies)}: {policy.name}: {outcomes.successes.sum()} of '
            f'{count} {task.contract.words.past}, mean return {outcomes.returns.mean():.4g}'
        )
    return judged


def _verdict(success: bool, steps: int, most: int) -> str:
    return 'scored' if success else 'timeout' if steps >= most else 'failed'


def _checked(policy: ExportedPolicy) -> Callable[[np.ndarray], np.ndarray]:
    def predict(observations: np.ndarray) -> np.ndarray:
        actions = policy.predict(observations)
        if not np.isfinite(actions).all():
            raise GudaError(
                f'{Path(policy.path)}: answers numbers that are not finite: such a policy cannot '
                'be judged; train it again'
            )
        return actions

    return predict
