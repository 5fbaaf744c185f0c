"""Record the drive of `guda identify` over ROS 2: steps of the walk, then balls that roll."""

from __future__ import annotations

from pathlib import Path

from guda_ros.errors import GudaError


def record_drive(
    options, contract, domain: int | None = None, log_dir: Path | None = None, say=print
) -> list[str]:
    """
    Run the scripted drive through teleop and safety, and return the names of the recordings.

    Recordings that are there already are kept.

    :param options: GraphOptions of the graph `collect`; its recordings folder is used.
    :raises GudaError: if an episode breaks off or is not recorded.
    """
    from guda_ros.identification.protocol import (
        DRIVE_START,
        DRIVES,
        DURATION,
        ROLL_TIME,
        ROLLS,
    )
    from guda_ros.workflows.record import recorded_outcomes

    episodes = [(f'drive_{number:03d}', DRIVE_START, DURATION) for number in range(DRIVES)]
    episodes += [(f'roll_{number:03d}', start, ROLL_TIME) for number, start in enumerate(ROLLS)]
    names = [name for name, _, _ in episodes]
    kept = recorded_outcomes(Path(options.recordings), names, options.scenario, contract, say)
    if kept:
        say(f'    {len(kept)} of {len(episodes)} recordings were made before and are kept')
    missing = [(index, *episode) for index, episode in enumerate(episodes) if index not in kept]
    if missing:
        _run(options, missing, domain, log_dir, say)
    return names


def _run(options, episodes, domain, log_dir, say) -> None:
    from guda_ros.ros.graph.processes import GraphProcesses

    with GraphProcesses('collect', options, log_dir, domain) as graph:
        say(
            f'    graph collect: {", ".join(graph.pids)}; ROS domain {graph.domain}, logs in '
            f'{graph.log_dir}'
        )
        graph.wait_ready()
        runner = graph.runner()
        for seed, name, start, seconds in episodes:
            outcome = runner.run(
                start=start,
                seed=seed,
                time_limit=seconds,
                episode_id=name,
                scenario=options.scenario,
            )
            event, recording = outcome.event, outcome.recording or {}
            if recording.get('state') != 'closed':
                raise GudaError(
                    f'{name} was not recorded: '
                    + '; '.join(recording.get('problems', ['no recorder']))
                )
            if event.verdict in ('error', 'aborted'):
                raise GudaError(f'{name}: {event.message or event.verdict}')
            say(
                f'    {name:<10} {outcome.duration:5.1f} s simulated, '
                f'{outcome.wall_seconds:5.1f} s real'
            )
