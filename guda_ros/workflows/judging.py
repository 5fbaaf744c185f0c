"""What all ways of judging share: who is judged, by which contract, and where results go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
import hashlib
import os
from pathlib import Path
import platform

from guda_ros.arguments import as_path
from guda_ros.control.exported_policy import ExportedPolicy
from guda_ros.data.contract import Contract
from guda_ros.data.contract_base import ContractBase
from guda_ros.errors import extra_of, GudaError
from guda_ros.evaluation.pages.page import environment_versions
from guda_ros.evaluation.results import (
    Evaluation,
    FILE,
    group_names,
    load_results,
    PolicyResult,
)
from guda_ros.evaluation.start_sets import load_start_set, StartSet
from guda_ros.evaluation.usual_starts import USUAL_SETS

#: A policy file, or the policy that was read from one.
Policy = str | os.PathLike | ExportedPolicy


def list_policies(
    policies: Iterable[Policy],
    means: str,
    contract: ContractBase | None = None,
    ungrouped: bool = False,
) -> tuple[list[PolicyResult], ContractBase | None]:
    """
    Return a PolicyResult without episodes for each policy, and the contract that all share.

    Files of one name that end in _0, _1, ... are taken for training seeds of one kind.

    :param means: where they are to be judged: batch, ros or robot.
    :param contract: that they must have; by default that of the first.
    :param ungrouped: take no files for seeds of one kind.
    :raises GudaError: if one cannot be read or is for another contract.
    """
    first, listed = 'the contract of this command', []
    paths = [
        as_path(policy.path if isinstance(policy, ExportedPolicy) else policy, 'policy').resolve()
        for policy in policies
    ]
    paths = list(dict.fromkeys(paths))
    for path, (name, group, seed) in zip(paths, group_names(paths)):
        loaded = ExportedPolicy.load(path)
        if contract is None:
            contract, first = loaded.contract, str(path)
        if means != 'batch' and not isinstance(loaded.contract, Contract):
            raise GudaError(
                f'{path}: the task {loaded.contract.task} names no topics of a robot: its '
                'policies are judged in its own environments, without --ros and --robot-trial'
            )
        if not contract.fits(loaded.contract):
            differences = '\n  '.join(contract.differences(loaded.contract))
            hint = '' if listed else ', and give their contract with --contract'
            raise GudaError(
                f'{path}: is for another contract than {first} (expected != found):\n  '
                f'{differences}\nJudge policies of one contract at a time{hint}.'
            )
        listed.append(
            PolicyResult(
                name=name,
                group=name if ungrouped else group,
                means=means,
                episodes=(),
                seed=seed,
                file=str(path),
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                algorithm=str(loaded.metadata['algorithm']),
            )
        )
    return listed, contract


def choose_starts(
    starts: str | os.PathLike | StartSet | None,
    means: str,
    contract: Contract,
    count: int | None = None,
) -> StartSet:
    """Return a set of starts by name, the usual one for where policies are judged if None."""
    if isinstance(starts, StartSet):
        return starts
    name = USUAL_SETS[means] if starts is None else starts
    return load_start_set(name, contract.field, count, contract.has_ball)


def make_evaluation(
    contract: ContractBase,
    robot: str | os.PathLike | None,
    starts: StartSet,
    policies: Sequence[PolicyResult],
    commands: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Evaluation:
    """Return the Evaluation of policies that were judged now, on this machine."""
    own = contract.robot if isinstance(contract, Contract) else ''
    evaluation = Evaluation(
        contract=contract,
        robot=os.fspath(robot or own),
        starts=starts,
        policies=tuple(policies),
        made_at=datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'),
        machine=f'{platform.system()} {platform.machine()}, {os.cpu_count()} cores',
        versions=environment_versions(),
        commands=tuple(filter(None, commands)),
        notes=tuple(notes),
    )
    try:
        evaluation.check()
    except ValueError as error:
        raise GudaError(str(error)) from error
    return evaluation


def protect_trials(out: str | os.PathLike | None, kept: Sequence[PolicyResult] = ()) -> None:
    """Raise GudaError if a folder holds trials on a robot that are not among those kept."""
    if out is None or not (as_path(out, 'out') / FILE).exists():
        return
    again = {(policy.means, policy.sha256, policy.episodes) for policy in kept}
    for policy in load_results(out).policies:
        known = (policy.means, policy.sha256, policy.episodes) in again
        if policy.means == 'robot' and not known:
            raise GudaError(
                f'{out}: holds trials of {policy.name} on a robot, which would be lost; choose '
                'another folder with --out'
            )


def save_report(evaluation: Evaluation, out: str | os.PathLike) -> list[Path]:
    """
    Write report.html and results.json to a folder and return their paths.

    Where there is nothing to draw with, as on a robot's own computer, results.json is all.
    """
    try:
        from guda_ros.evaluation.pages.evaluation import build_evaluation_report
    except ModuleNotFoundError as error:
        if extra_of(error.name or '') is None:
            raise
        return [evaluation.save(out)]
    return list(build_evaluation_report(evaluation, out))
