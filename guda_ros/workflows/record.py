"""Record episodes over ROS 2: a graph of nodes, one MCAP recording an episode."""

from __future__ import annotations

import contextlib
from pathlib import Path

from guda_ros.data.verdicts import BROKEN_OFF
from guda_ros.errors import GudaError

#: Seeds of the odometry's errors and of the operator's imperfections, apart for each purpose.
_FIRST_SEED = {'demonstration': 0, 'validation': 100_000, 'test': 200_000, 'ros_test': 300_000}


def run_episodes(
    graph_name: str,
    options,
    count: int,
    contract,
    domain: int | None = None,
    log_dir: Path | None = None,
    say=print,
    start_set=None,
) -> list[dict]:
    """
    Start a graph, run `count` episodes from its purpose's fixed starts and return their outcomes.

    An outcome has id, start_index, verdict, seconds (simulated), wall_seconds and message.
    Recordings that are complete already are not made again; what an interrupted one left is set
    aside, and so is the recording of an episode that was broken off (an error, Ctrl-C).

    :param options: GraphOptions; its recordings folder, purpose and scenario are used.
    :param start_set: a StartSet to run instead of the purpose's starts; it names the episodes.
    :raises GudaError: if a recording in the folder is of another contract or scenario.
    :raises GraphError: if a node dies. :raises EpisodeError: if an episode cannot be run.
    """
    prefix = options.purpose if start_set is None else start_set.name
    names = [f'{prefix}_{index:03d}' for index in range(count)]
    outcomes = recorded_outcomes(Path(options.recordings), names, options.scenario, contract, say)
    if outcomes:
        say(f'    {len(outcomes)} of {count} episodes were recorded before and are kept')
    missing = [index for index in range(count) if index not in outcomes]
    if missing:
        for outcome in _run_missing(
            graph_name, options, [(i, names[i]) for i in missing], domain, log_dir, say, start_set
        ):
            outcomes[outcome['start_index']] = outcome
    return [outcomes[index] for index in range(count)]


def recorded_outcomes(
    folder: Path, names: list[str], scenario: str, contract, say=print
) -> dict[int, dict]:
    """
    Return the outcomes of the episodes in a folder that are not to be run again, by index.

    Everything else of those names is set aside; see run_episodes.
    """
    from guda_ros.data.recording.folder import FolderClaim, LOCK_FILE

    # What a recorder is writing at this moment was not interrupted: refuse to touch it, and let
    # none begin meanwhile.
    recorded_here = (folder / LOCK_FILE).exists()
    with FolderClaim(folder) if recorded_here else contextlib.nullcontext():
        return _outcomes(folder, names, scenario, contract, say)


def _outcomes(folder: Path, names: list[str], scenario: str, contract, say) -> dict[int, dict]:
    from guda_ros.data.recording.reader import RecordingReader, set_aside

    outcomes: dict[int, dict] = {}
    for index, name in enumerate(names):
        if not (folder / name).exists():
            set_aside(folder, name)
            continue
        with RecordingReader(folder / name) as reader:
            contract.require(reader.contract, str(folder / name))
            info = reader.info
        if info.scenario != scenario:
            raise GudaError(
                f'{folder / name}: is of scenario {info.scenario!r}, not {scenario!r}; '
                'choose another folder'
            )
        if info.verdict in BROKEN_OFF:
            reason = info.message or info.verdict or 'no verdict'
            aside = set_aside(folder, name, finished=True)
            say(f'    {name} was broken off ({reason}) and is run again; it is kept in {aside}')
        else:
            outcomes[index] = _recorded(name, index, info)
    return outcomes


def _recorded(name: str, index: int, info) -> dict:
    seconds = max(0, info.end_stamp - info.start_stamp) / 1e9
    return {
        'id': name,
        'start_index': index,
        'verdict': info.verdict,
        'seconds': seconds,
        'wall_seconds': None,
        'message': info.message,
    }


def _run_missing(graph_name, options, episodes, domain, log_dir, say, start_set):
    from guda_ros.ros.graph.processes import GraphProcesses

    with GraphProcesses(graph_name, options, log_dir, domain) as graph:
        say(
            f'    graph {graph_name}: {", ".join(graph.pids)}; ROS domain {graph.domain}, '
            f'logs in {graph.log_dir}'
        )
        graph.wait_ready()
        import rclpy

        from guda_ros.ros.episode.runner import EpisodeError, EpisodeRunner

        context = rclpy.Context()
        rclpy.init(context=context, domain_id=graph.domain)
        node = rclpy.create_node('episodes', context=context)
        try:
            runner = EpisodeRunner(node, graph.check, recorder=True)
            for index, name in episodes:
                outcome = runner.run(
                    start_index=index,
                    seed=_FIRST_SEED[options.purpose] + index,
                    scenario=options.scenario,
                    purpose=options.purpose,
                    start=() if start_set is None else start_set.starts[index],
                    episode_id=name,
                )
                say(
                    f'    {name:<22} {outcome.event.verdict:<8} '
                    f'{outcome.duration:5.1f} s simulated, '
                    f'{outcome.wall_seconds:5.1f} s real'
                )
                if outcome.recording.get('good') is False:
                    say(f'        not good enough: {"; ".join(outcome.recording["reasons"])}')
                if outcome.recording['state'] != 'closed':
                    raise EpisodeError(
                        f'{name} was not recorded: ' + '; '.join(outcome.recording['problems'])
                    )
                if outcome.event.verdict in BROKEN_OFF:
                    reason = outcome.event.message or outcome.event.verdict or 'no verdict'
                    raise EpisodeError(f'{name}: {reason}')
                yield {
                    'id': name,
                    'start_index': index,
                    'verdict': outcome.event.verdict,
                    'seconds': outcome.duration,
                    'wall_seconds': outcome.wall_seconds,
                    'message': outcome.event.message,
                }
        finally:
            node.destroy_node()
            rclpy.shutdown(context=context)
