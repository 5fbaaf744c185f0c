"""Send the commands of a recorded episode to the simulator, or to a robot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import os
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.arguments import as_folder, if_given
from guda_ros.data.contract import Contract, robot_of
from guda_ros.data.episodes import Episode
from guda_ros.data.sets.sources import Source
from guda_ros.errors import GudaError, naming_extras
from guda_ros.ros.graph.environment import driver_domain
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import absolute_if_path, build_graph, GraphOptions, NodeSpec
from guda_ros.workflows.data.reading import read, Readable
from guda_ros.workflows.progress import Say, silent

if TYPE_CHECKING:
    from guda_ros.ros.episode.replay import ReplayOutcome

#: Seconds in which the dead-man's button has to be pressed.
_PATIENCE = 60.0
#: Parts of a contract that change nothing in what commands do.
_INDIFFERENT = ('name', 'version', 'time_limit', 'ball_hold', 'observation')


@dataclass(frozen=True, eq=False)
class Replay:
    """What came of an episode's commands in the simulator, beside what was recorded."""

    episode: Episode
    outcome: ReplayOutcome
    #: States that the distances are measured from: `true`, or `estimated` without a truth.
    measured_from: str
    #: `robot` and `ball` -> distance (K,) [m] from where it was recorded at each step; NaN where
    #: that is not known.
    distances: dict[str, np.ndarray]


@dataclass(frozen=True)
class Motion:
    """What a robot is about to do."""

    episode: str
    robot: str
    seconds: float
    #: Length [m] of all that it will walk.
    length: float
    #: The largest speeds [m/s, m/s, rad/s]: ahead or back, sideways, turning.
    fastest: tuple[float, float, float]


@naming_extras()
def replay(
    source: Readable,
    *,
    episode: str | None = None,
    contract: str | os.PathLike = 'soccer_push',
    robot: str | os.PathLike | None = None,
    domain: int | None = None,
    log_dir: str | os.PathLike | None = None,
    say: Say = silent,
) -> Replay:
    """
    Send the commands of an episode to the simulator, as `guda data replay` does, and compare.

        again = guda_ros.replay('runs/mine/recordings/demonstration_000')
        print(again.outcome.verdict, again.distances['ball'].max())

    Robot and ball begin where they began: a check of the recording, and of the twin.

    :param source: data set, recording, folder of recordings, or a Source.
    :param episode: its id, where there are several.
    :param contract: task in config/tasks, or a YAML file; nothing in it that changes what commands
        do may differ from the recording's.
    :param robot: profile of the contract, by default the one that it names.
    :param domain: ROS domain, by default the first free one.
    :param log_dir: folder for the nodes' logs, by default a temporary one.
    :raises GudaError: if the episode cannot be replayed, or a node dies.
    """
    log_dir = if_given(as_folder, log_dir, 'log_dir')
    loaded, chosen = _load(source, episode, contract, robot, say)
    shared = _shared(contract, robot)
    specs = [
        NodeSpec(
            'simulator',
            'simulator',
            lifecycle=True,
            parameters={
                **shared,
                'use_sim_time': False,
                'mode': 'lockstep',
                'camera': False,
                'partners': ['safety'],
            },
        ),
        NodeSpec(
            'safety',
            'safety',
            parameters={
                **shared,
                'use_sim_time': True,
                'require_deadman': False,
                'watch': False,
            },
        ),
    ]
    start = _start_of(chosen)
    with GraphProcesses(specs, None, log_dir, domain) as graph:
        from guda_ros.ros.episode.replay import SimulatorReplay

        runner = graph.runner()
        simulator = SimulatorReplay(graph.monitor.node, runner, loaded, chosen, start)
        graph.wait_ready()
        outcome = simulator.run(timeout=60.0 + 5.0 * chosen.duration)
    return _compare(chosen, outcome)


@naming_extras()
def replay_on_robot(
    source: Readable,
    *,
    confirm: Callable[[Motion], bool],
    episode: str | None = None,
    contract: str | os.PathLike = 'soccer_push',
    robot: str | os.PathLike | None = None,
    network: bool = False,
    domain: int | None = None,
    log_dir: str | os.PathLike | None = None,
    say: Say = silent,
) -> tuple[Episode, float]:
    """
    Send the commands of an episode to a robot, as `guda data replay --on robot` does.

        def ask(motion):
            return input(f'{motion.length:.1f} m: is the field clear? ') == 'yes'

        guda_ros.replay_on_robot('runs/mine/recordings/demonstration_000', confirm=ask)

    They go through the safety node, only while somebody holds the dead-man's button; letting it go
    ends the replay. The robot does not look where it goes.

    :param source: as in `guda_ros.replay`, and so are `episode`, `contract` and `robot`.
    :param confirm: asks a person whether the robot may do this; nothing moves unless it is true.
    :param network: talk to other machines, too.
    :param domain: ROS domain, by default $ROS_DOMAIN_ID or 0, where the driver is.
    :param log_dir: folder for the nodes' logs, by default a temporary one.
    :return: the episode, and how many seconds of it were sent.
    :raises GudaError: if nobody agreed, the button was let go, or a node dies.
    """
    log_dir = if_given(as_folder, log_dir, 'log_dir')
    loaded, chosen = _load(source, episode, contract, robot, say)
    if not confirm(motion_of(chosen, loaded)):
        raise GudaError('nothing was moved')
    shared = {**_shared(contract, robot), 'use_sim_time': False}
    specs = [
        NodeSpec(name, name, parameters={**shared, **more})
        for name, more in (('teleop', {}), ('safety', {'require_deadman': True}))
    ]
    whole = GraphOptions(contract=shared['contract'], robot=shared['robot'])
    specs += [spec for spec in build_graph('robot', whole) if spec.name == 'adapter']
    local = {'local': not network}
    with GraphProcesses(specs, local, log_dir, driver_domain(domain), join=True) as graph:
        from guda_ros.ros.episode.replay import RobotReplay

        graph.wait_ready()
        sender = RobotReplay(graph.monitor, graph.check, loaded, chosen)
        say("hold the dead-man's button; the robot moves as soon as you do")
        sender.wait_for_deadman(_PATIENCE)
        say('the robot moves; let go to stop it')
        return chosen, sender.run()


def motion_of(episode: Episode, contract: Contract) -> Motion:
    """Return what a robot will do when it is sent the commands of an episode."""
    commands = np.nan_to_num(episode.commands)
    length = np.linalg.norm(commands[:, :2], axis=1).sum() * contract.period
    ahead, sideways, turn = map(float, np.abs(commands).max(axis=0))
    return Motion(
        episode.id, contract.robot, episode.duration, float(length), (ahead, sideways, turn)
    )


def _load(
    source: Readable,
    episode: str | None,
    contract: str | os.PathLike,
    robot: str | os.PathLike | None,
    say: Say,
) -> tuple[Contract, Episode]:
    loaded = Contract.load(contract, robot)
    robot_of(loaded, robot)
    found = read(source, say)
    differing = [
        line for line in loaded.differences(found.contract) if not line.startswith(_INDIFFERENT)
    ]
    if differing:
        raise GudaError(
            f'{found.path}: was recorded under another contract than '
            f'{contract} (expected != found):\n  ' + '\n  '.join(differing)
        )
    return loaded, _choose(found, episode)


def _choose(source: Source, name: str | None) -> Episode:
    found = [episode for episode in source.episodes if name in (None, episode.id)]
    if len(found) == 1:
        return found[0]
    known = ', '.join(episode.id for episode in source.episodes)
    if not found:
        raise GudaError(f'{source.path}: no episode {name}; there are {known}')
    raise GudaError(f'{source.path}: holds several episodes, name one with --episode: {known}')


def _start_of(episode: Episode) -> np.ndarray:
    """Return where robot and ball began, by the truth if it was recorded, (5,)."""
    for states in (episode.truth_states, episode.world_states):
        known = np.isfinite(states[:, :5])
        balls = np.flatnonzero(known[:, 3:].all(axis=1))
        if known[0, :3].all() and len(balls):
            return np.concatenate([states[0, :3], states[balls[0], 3:5]])
    raise GudaError(f'{episode.id}: it is not known where robot and ball began')


def _shared(contract: str | os.PathLike, robot: str | os.PathLike | None) -> dict[str, str]:
    """Return the parameters that all nodes have; they run in another folder than this process."""
    return {'contract': absolute_if_path(contract), 'robot': absolute_if_path(robot or '')}


def _compare(episode: Episode, outcome: ReplayOutcome) -> Replay:
    truth = episode.truth_states
    known = bool(np.isfinite(truth[:, :5]).any())
    states = truth if known else episode.world_states
    count = min(len(states), len(outcome.robot))
    distances = {
        name: np.linalg.norm(made - states[:count, columns], axis=1)
        for name, made, columns in (
            ('robot', outcome.robot[:count, :2], slice(0, 2)),
            ('ball', outcome.ball[:count], slice(3, 5)),
        )
        if len(made)
    }
    return Replay(episode, outcome, 'true' if known else 'estimated', distances)
