"""Judge policies and demonstrators in the batched simulator, and compare what was judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
import os
import time
from types import NoneType

import numpy as np

from guda_ros.arguments import as_folder, as_paths, as_paths_or, if_given
from guda_ros.control.exported_policy import ExportedPolicy
from guda_ros.data.contract import Contract, refuse_robot, robot_of
from guda_ros.errors import GudaError, naming_extras
from guda_ros.evaluation.results import combine, Episode, Evaluation, load_results, PolicyResult
from guda_ros.evaluation.rollout import evaluate_policy, RolloutResult
from guda_ros.evaluation.start_sets import StartSet
from guda_ros.workflows import own_task
from guda_ros.workflows.judging import (
    choose_starts,
    list_policies,
    make_evaluation,
    Policy,
    protect_trials,
    save_report,
)
from guda_ros.workflows.parallel.workers import run_jobs
from guda_ros.workflows.progress import Say, silent

#: Styles of the scripted demonstrator -> its name among the policies.
DEMONSTRATORS = {'clean': 'demonstrator_clean', 'imperfect': 'demonstrator'}


@naming_extras()
def evaluate(
    policies: Policy | Iterable[Policy] = (),
    *,
    demonstrators: Sequence[str] = (),
    starts: str | os.PathLike | StartSet | None = None,
    count: int | None = None,
    contract: str | os.PathLike | Contract | None = None,
    robot: str | os.PathLike | None = None,
    ungrouped: bool = False,
    out: str | os.PathLike | None = None,
    command: str = '',
    say: Say = silent,
) -> Evaluation:
    """
    Judge policies from fixed starts in the batched simulator, as `guda evaluate` does.

        judged = guda_ros.evaluate(['runs/mine/raw.onnx', 'runs/mine/guided.onnx'], count=50)
        print(judged.success_rates)

    They act on the true state, but know the ball only while the head camera sees it. Policies of a
    task that is not the robots' act in the environments that it brings.

    :param policies: policy files or ExportedPolicies; see list_policies for what is grouped.
    :param demonstrators: styles of the scripted demonstrator to judge too: clean, imperfect.
    :param starts: set of starts: its name, a YAML file or a StartSet (default: attack-v1; of other
        tasks test).
    :param count: only the first so many starts, or more than are usual.
    :param contract: that the policies must have, and that of the demonstrators; by default that
        of the first policy, without one soccer_push.
    :param robot: profile, by default the contract's.
    :param ungrouped: take no files for training seeds of one kind.
    :param out: folder for results.json and report.html.
    :raises GudaError: if a policy cannot be judged, or `out` holds trials on a robot.
    """
    listed = as_paths_or(policies, ExportedPolicy, 'policies')
    out = if_given(as_folder, out, 'out')
    if not listed and not demonstrators:
        raise GudaError('give a policy file, --demonstrator, or both')
    if contract is None and not listed:
        contract = 'soccer_push'
    if not isinstance(contract, (Contract, NoneType)):
        contract = Contract.load(contract, robot)
    results, contract = list_policies(listed, 'batch', contract, ungrouped)
    protect_trials(out)
    if isinstance(contract, Contract):
        robot_of(contract, robot)
        chosen = choose_starts(starts, 'batch', contract, count)
        say(f'{chosen.name}: {len(chosen)} starts, the same for each')
        results += [demonstrator(style) for style in demonstrators]
        judged = judge(results, contract, chosen, robot, say)
    else:
        refuse_robot(contract, robot)
        if demonstrators:
            raise GudaError(
                'the scripted demonstrator drives robots alone; these policies are of the task '
                f'{contract.task}'
            )
        task = own_task.playable(contract)
        chosen = own_task.choose_starts(task, starts, count)
        say(f'{chosen.name}: {len(chosen)} starts, the same for each')
        judged = own_task.judge(task, results, chosen, say)
    evaluation = make_evaluation(contract, robot, chosen, judged, [command])
    if out is not None:
        save_report(evaluation, out)
    return evaluation


@naming_extras()
def compare(
    results: str | os.PathLike | Iterable[str | os.PathLike],
    *,
    out: str | os.PathLike | None = None,
    command: str = '',
) -> Evaluation:
    """
    Put saved results into one, start by start, as `guda evaluate --compare` does.

        both = guda_ros.compare(['runs/judged', 'trials/guided'], out='runs/compared')

    :param results: one or several files results.json, or folders with one, of the same
        starts and contract.
    :param out: folder for results.json and report.html.
    :raises GudaError: if one cannot be read, they cannot be compared, or `out` holds trials on a
        robot that are not among them.
    """
    given = as_paths(results, 'results')
    out = if_given(as_folder, out, 'out')
    if not given:
        raise GudaError('no saved results are given; `guda evaluate --out` makes some')
    combined = combine([(str(path), load_results(path)) for path in given])
    protect_trials(out, combined.policies)
    here = make_evaluation(combined.contract, None, combined.starts, combined.policies, [command])
    combined = replace(combined, made_at=here.made_at, commands=here.commands)
    if out is not None:
        save_report(combined, out)
    return combined


def demonstrator(style: str, seed: int | None = None) -> PolicyResult:
    """Return the PolicyResult, without episodes, of the scripted demonstrator in a style."""
    if style not in DEMONSTRATORS:
        raise GudaError(f'unknown demonstrator {style!r}; known: {", ".join(DEMONSTRATORS)}')
    group = DEMONSTRATORS[style]
    name = group if seed is None else f'{group}_{seed}'
    return PolicyResult(name, group, 'batch', (), seed=seed, algorithm='scripted')


def judge(
    policies: Sequence[PolicyResult],
    contract: Contract,
    starts: StartSet,
    robot: str | os.PathLike | None,
    say: Say = silent,
    keep: Callable[[PolicyResult], None] | None = None,
) -> list[PolicyResult]:
    """
    Return policies, given without episodes, with their episodes; made on all cores.

    :param policies: of files, or of demonstrators.
    :param keep: called with each as soon as its episodes are there.
    :raises GudaError: if a start is not possible, or a policy answers with no number.
    """
    from guda_ros.sim.physics.state import check_starts

    try:
        check_starts(starts.starts, robot_of(contract, robot), contract.field, contract.has_ball)
    except ValueError as error:
        raise GudaError(f'{starts.name}: {error}') from error
    listed = list(policies)
    jobs = [
        (number, policy, starts.starts, robot, contract) for number, policy in enumerate(listed)
    ]
    alone = len(jobs) == 1
    done = ((job, judge_one(*job)) for job in jobs) if alone else run_jobs(judge_one, jobs)
    for count, (job, (episodes, seconds)) in enumerate(done, 1):
        number = job[0]
        listed[number] = replace(listed[number], episodes=tuple(episodes))
        if keep is not None:
            keep(listed[number])
        scored = sum(episode.scored for episode in episodes)
        say(
            f'    {count} of {len(jobs)}: {listed[number].name}: {scored} of {len(episodes)} '
            f'{contract.words.past}, {seconds:.0f} s'
        )
    return listed


def judge_one(
    number: int,
    policy: PolicyResult,
    starts: np.ndarray,
    robot: str | os.PathLike | None,
    contract: Contract,
) -> tuple[list[Episode], float]:
    """Return the episodes of a player from starts (n, 5), and the wall time [s]."""
    begin = time.monotonic()
    if policy.file:
        result = run_policy(ExportedPolicy.load(policy.file), starts, robot)
    else:
        styles = {group: style for style, group in DEMONSTRATORS.items()}
        result = run_demonstrator(styles[policy.group], contract, starts, policy.seed or 0, robot)
    return _episodes(result), time.monotonic() - begin


def run_policy(
    loaded: ExportedPolicy, starts: np.ndarray, robot: str | os.PathLike | None
) -> RolloutResult:
    """Run a policy from starts (n, 5), blind where its camera does not see the ball."""
    from guda_ros.evaluation.ball_visibility import seeing_controller

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
    profile = robot_of(contract, robot)
    controller = seeing_controller(predict, contract, profile, len(starts))
    return evaluate_policy(controller, contract, profile, starts)


def run_demonstrator(
    style: str,
    contract: Contract,
    starts: np.ndarray,
    seed: int = 0,
    robot: str | os.PathLike | None = None,
) -> RolloutResult:
    """
    Run the scripted demonstrator from starts (n, 5).

    :param style: clean, or imperfect as it was when it was recorded.
    :param seed: of the imperfections.
    """
    from guda_ros.tasks.soccer.demonstrator import scripted

    return evaluate_policy(
        scripted(style, contract, len(starts), seed),
        contract,
        robot_of(contract, robot),
        starts,
        memoryless=False,
    )


def _episodes(result: RolloutResult) -> list[Episode]:
    listed = []
    for index in range(len(result.success)):
        verdict = 'scored' if result.success[index] else 'out' if result.out[index] else 'timeout'
        listed.append(
            Episode(
                start=index,
                verdict=verdict,
                seconds=float(result.steps[index] * result.period),
                touches=None if result.touches is None else int(result.touches[index]),
                falls=None if result.falls is None else int(result.falls[index]),
                message='came to rest for good' if result.settled[index] else '',
            )
        )
    return listed
