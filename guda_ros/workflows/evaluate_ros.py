"""Judge policies through the ROS graph, on what perception sees; episodes are recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
import hashlib
import json
import os
from pathlib import Path

from guda_ros.arguments import as_folder, as_paths_or, if_given
from guda_ros.control.exported_policy import ExportedPolicy
from guda_ros.data.contract import Contract, robot_of
from guda_ros.data.episodes import read_episode
from guda_ros.data.files import write_json
from guda_ros.errors import GudaError, naming_extras
from guda_ros.evaluation.results import Episode, Evaluation, PolicyResult
from guda_ros.evaluation.start_sets import StartSet
from guda_ros.evaluation.touches import count_touches
from guda_ros.ros.graph.names import RosNames, USUAL_NAMES
from guda_ros.ros.graph.table import GraphOptions
from guda_ros.workflows.judging import (
    choose_starts,
    list_policies,
    make_evaluation,
    Policy,
    protect_trials,
    save_report,
)
from guda_ros.workflows.progress import Say, silent
from guda_ros.workflows.record import Outcome, run_episodes


@naming_extras()
def evaluate_through_ros(
    policies: Policy | Iterable[Policy],
    *,
    recordings: str | os.PathLike = 'recordings',
    starts: str | os.PathLike | StartSet | None = None,
    count: int | None = None,
    contract: str | os.PathLike = 'soccer_push',
    robot: str | os.PathLike | None = None,
    ungrouped: bool = False,
    out: str | os.PathLike | None = None,
    domain: int | None = None,
    log_dir: str | os.PathLike | None = None,
    names: RosNames = USUAL_NAMES,
    command: str = '',
    say: Say = silent,
) -> Evaluation:
    """
    Judge policies through the whole ROS graph, in lock-step, as `guda evaluate --ros` does.

        judged = guda_ros.evaluate_through_ros('guided.onnx', recordings='runs/judged')
        print(judged.success_rates)

    They act on what perception sees in the camera image, behind the safety node.

    :param policies: policy files or ExportedPolicies, of the contract.
    :param recordings: folder in which each policy gets one for its episodes; an interrupted job
        continues there.
    :param starts: set of starts: its name, a YAML file or a StartSet (default: attack-ros-v1).
    :param count: only the first so many starts, or more than are usual.
    :param contract: of the graph: task in config/tasks, or a YAML file.
    :param robot: profile, by default the contract's.
    :param ungrouped: take no files for training seeds of one kind.
    :param out: folder for results.json and report.html.
    :param domain: ROS domain, by default the first free one.
    :param log_dir: folder for the nodes' logs, by default a temporary one.
    :param names: namespace, remaps, file of parameters and log level of the nodes.
    :raises GudaError: if a policy cannot be judged, a node dies, or `out` holds trials on a robot.
    """
    parent = as_folder(recordings, 'recordings')
    logs = if_given(as_folder, log_dir, 'log_dir')
    out = if_given(as_folder, out, 'out')
    loaded = Contract.load(contract, robot)
    listed, _ = list_policies(
        as_paths_or(policies, ExportedPolicy, 'policies'), 'ros', loaded, ungrouped
    )
    robot_of(loaded, robot)
    chosen = choose_starts(starts, 'ros', loaded, count)
    protect_trials(out)
    judged = []
    for policy in listed:
        say(f'{policy.name}:')
        folder = parent / policy.name.replace('/', '_')
        options = GraphOptions(
            contract=os.fspath(contract),
            robot=os.fspath(robot or ''),
            recordings=str(folder),
            names=names,
        )
        own = None if logs is None else logs / folder.name
        judged.append(judge_through_ros(policy, loaded, chosen, options, domain, own, say))
    evaluation = make_evaluation(loaded, robot, chosen, judged, [command])
    if out is not None:
        save_report(evaluation, out)
    return evaluation


def judge_through_ros(
    policy: PolicyResult,
    contract: Contract,
    starts: StartSet,
    options: GraphOptions,
    domain: int | None = None,
    log_dir: Path | None = None,
    say: Say = silent,
) -> PolicyResult:
    """
    Return a policy, given without episodes, with its episodes from all starts.

    :param options: contract, robot and the folder of the recordings.
    """
    folder = Path(options.recordings)
    claim_recordings(folder, Path(policy.file), starts)
    outcomes = run_episodes(
        'evaluate',
        replace(options, policy=policy.file, purpose='ros_test'),
        len(starts),
        contract,
        domain,
        log_dir,
        say,
        start_set=starts,
    )
    episodes = [_episode(outcome, folder, contract, options.robot) for outcome in outcomes]
    return replace(policy, episodes=tuple(episodes))


def claim_recordings(folder: Path, policy: Path, starts: StartSet) -> None:
    """
    Note in a folder that its recordings are those of one policy file from one set of starts.

    :raises GudaError: if it holds recordings of another policy or set, or of one that is not
        known: they would be taken for this one's.
    """
    mark = folder / 'policy.json'
    mine = {'sha256': hashlib.sha256(policy.read_bytes()).hexdigest(), 'starts': starts.hash}
    try:
        found = json.loads(mark.read_text(encoding='utf-8'))
        found = {key: found.get(key) for key in mine}
    except (OSError, ValueError, TypeError, AttributeError):
        found = None
    if found != mine:
        if any(folder.glob(f'{starts.name}_*')):
            raise GudaError(
                f'{folder}: holds episodes of another policy or other starts; choose another '
                'folder with --recordings'
            )
        write_json(mark, {'policy': str(policy), **mine})


def _episode(outcome: Outcome, folder: Path, contract: Contract, robot: str) -> Episode:
    states = read_episode(folder / outcome.id, contract).truth_states
    return Episode(
        start=outcome.start_index,
        verdict=outcome.verdict,
        seconds=outcome.seconds,
        touches=count_touches(states, contract, robot_of(contract, robot or None)),
        message=outcome.message,
        id=outcome.id,
    )
