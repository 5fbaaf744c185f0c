"""Judge policies through the ROS graph, on what perception sees; episodes are recorded."""

from __future__ import annotations

from dataclasses import replace
import hashlib
import json
from pathlib import Path

from guda_ros.data.contract import robot_of
from guda_ros.errors import GudaError
from guda_ros.workflows.stages import write_json


def judge_through_ros(policies, contract, starts, args) -> list:
    """
    Run policies from all starts, one graph after the other; return their PolicyResult.

    :param policies: PolicyResult without episodes.
    :param starts: a StartSet.
    :param args: of the command: recordings, robot, contract, domain, log_dir.
    """
    from guda_ros.ros.graph.table import GraphOptions
    from guda_ros.workflows.record import run_episodes

    judged = []
    for policy in policies:
        folder = args.recordings / policy.name.replace('/', '_')
        claim_recordings(folder, Path(policy.file), starts)
        print(f'{policy.name}:')
        options = GraphOptions(
            policy=policy.file,
            contract=args.contract,
            robot=args.robot or '',
            purpose='ros_test',
            recordings=str(folder),
        )
        outcomes = run_episodes(
            'evaluate',
            options,
            len(starts),
            contract,
            args.domain,
            args.log_dir and args.log_dir / folder.name,
            start_set=starts,
        )
        episodes = [_episode(outcome, folder, contract, args.robot) for outcome in outcomes]
        judged.append(replace(policy, episodes=tuple(episodes)))
    return judged


def claim_recordings(folder: Path, policy: Path, starts) -> None:
    """
    Note in a folder that its recordings are those of one policy file from one set of starts.

    :param starts: a StartSet.
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


def _episode(outcome: dict, folder: Path, contract, robot_name: str | None):
    from guda_ros.data.episodes import read_episode
    from guda_ros.evaluation.results import Episode
    from guda_ros.evaluation.touches import count_touches

    states = read_episode(folder / outcome['id'], contract).truth_states
    return Episode(
        start=outcome['start_index'],
        verdict=outcome['verdict'],
        seconds=outcome['seconds'],
        touches=count_touches(states, contract, robot_of(contract, robot_name)),
        message=outcome['message'],
        id=outcome['id'],
    )
