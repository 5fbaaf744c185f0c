"""
Send the commands of a recorded episode to the simulator, or to a robot.

In the simulator robot and ball begin where they began, and what differs is told: a check of the
recording, and of the twin. To a robot the commands go through the safety node: after a question,
and only while somebody holds the dead-man's button; letting it go ends the replay. Nothing but
the commands is repeated: the robot does not look where it goes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
import sys
from typing import TYPE_CHECKING

from guda_ros.cli.common import add_contract, add_domain, DOMAIN_OR_DRIVERS, file_or_name
from guda_ros.cli.data import common
from guda_ros.errors import GudaError

if TYPE_CHECKING:
    from guda_ros.data.contract import Contract

HELP = 'send recorded commands to the simulator or a robot'
EXAMPLE = 'guda data replay runs/mine/recordings/demonstration_000'
#: Seconds in which the dead-man's button has to be pressed.
_PATIENCE = 60.0
#: Parts of a contract that change nothing in what commands do.
_INDIFFERENT = ('name', 'version', 'time_limit', 'ball_hold', 'observation')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument('source', type=Path, metavar='PATH', help=common.SOURCE_HELP)
    parser.add_argument('--episode', metavar='ID', help='which one, where there are several')
    parser.add_argument(
        '--on',
        choices=('simulator', 'robot'),
        default='simulator',
        help='where (default: %(default)s)',
    )
    add_contract(parser)
    add_domain(parser, domain=DOMAIN_OR_DRIVERS)
    parser.add_argument(
        '--network', action='store_true', help='robot: talk to other machines, too'
    )


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.cli.common import load_contract
    from guda_ros.data.contract import robot_of

    contract = load_contract(args)
    robot_of(contract, args.robot)
    source = common.read(args.source)
    differing = [
        line for line in contract.differences(source.contract) if not line.startswith(_INDIFFERENT)
    ]
    if differing:
        raise GudaError(
            f'{args.source}: was recorded under another contract than '
            f'{args.contract} (expected != found):\n  ' + '\n  '.join(differing)
        )
    episode = _choose(source, args.episode)
    if args.on == 'robot':
        return _on_robot(episode, contract, args)
    return _in_simulator(episode, contract, args)


def _choose(source, name: str | None):
    found = [episode for episode in source.episodes if name in (None, episode.id)]
    if len(found) == 1:
        return found[0]
    known = ', '.join(episode.id for episode in source.episodes)
    if not found:
        raise GudaError(f'{source.path}: no episode {name}; there are {known}')
    raise GudaError(f'{source.path}: holds several episodes, name one with --episode: {known}')


def _start_of(episode):
    """Return where robot and ball began, by the truth if it was recorded, (5,)."""
    import numpy as np

    for states in (episode.truth_states, episode.world_states):
        known = np.isfinite(states[:, :5])
        balls = np.flatnonzero(known[:, 3:].all(axis=1))
        if known[0, :3].all() and len(balls):
            return np.concatenate([states[0, :3], states[balls[0], 3:5]])
    raise GudaError(f'{episode.id}: it is not known where robot and ball began')


def _shared(args: argparse.Namespace) -> dict[str, str]:
    """Return the parameters that all nodes have."""
    return {
        key: file_or_name(value)
        for key, value in (('contract', args.contract), ('robot', args.robot or ''))
    }


def _in_simulator(episode, contract: Contract, args: argparse.Namespace) -> int:
    from guda_ros.ros.graph.processes import GraphProcesses
    from guda_ros.ros.graph.table import NodeSpec

    shared = _shared(args)
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
            parameters={**shared, 'use_sim_time': True, 'require_deadman': False},
        ),
    ]
    start = _start_of(episode)
    with GraphProcesses(specs, None, args.log_dir, args.domain) as graph:
        from guda_ros.ros.episode.replay import SimulatorReplay

        runner = graph.runner()
        replay = SimulatorReplay(graph.monitor.node, runner, contract, episode, start)
        graph.wait_ready()
        outcome = replay.run(timeout=60.0 + 5.0 * episode.duration)
    print(
        f'{episode.id}: {len(episode)} commands replayed in the simulator: {outcome.verdict}; '
        f'recorded: {episode.verdict}'
    )
    _compare(episode, outcome)
    return 0


def _compare(episode, outcome) -> None:
    import numpy as np

    truth = episode.truth_states
    states, what = (
        (truth, 'true') if np.isfinite(truth[:, :5]).any() else (episode.world_states, 'estimated')
    )
    count = min(len(states), len(outcome.robot))
    for name, made, columns in (
        ('robot', outcome.robot[:count, :2], slice(0, 2)),
        ('ball', outcome.ball[:count], slice(3, 5)),
    ):
        apart = np.linalg.norm(made - states[:count, columns], axis=1)
        if np.isfinite(apart).any():
            last = np.flatnonzero(np.isfinite(apart))[-1]
            print(
                f'    {name:<6} {np.nanmax(apart):.3f} m at most from where it was recorded '
                f'({what}), {apart[last]:.3f} m at the end'
            )


def _on_robot(episode, contract: Contract, args: argparse.Namespace) -> int:
    from guda_ros.ros.graph.environment import driver_domain
    from guda_ros.ros.graph.processes import GraphProcesses
    from guda_ros.ros.graph.table import NodeSpec

    shared = {**_shared(args), 'use_sim_time': False}
    _ask(episode, contract)
    domain = driver_domain(args.domain)
    specs = [
        NodeSpec(name, name, parameters={**shared, **more})
        for name, more in (('teleop', {}), ('safety', {'require_deadman': True}))
    ]
    with GraphProcesses(
        specs, {'local': not args.network}, args.log_dir, domain, join=True
    ) as graph:
        from guda_ros.ros.episode.replay import RobotReplay

        graph.wait_ready()
        replay = RobotReplay(graph.monitor, graph.check, contract, episode)
        print("hold the dead-man's button; the robot moves as soon as you do")
        replay.wait_for_deadman(_PATIENCE)
        print('the robot moves; let go to stop it')
        seconds = replay.run()
    print(f'{episode.id}: {seconds:.1f} s replayed')
    return 0


def _ask(episode, contract: Contract) -> None:
    """Say what the robot is going to do, and go on only when a person wants that."""
    import numpy as np

    if not sys.stdin.isatty():
        raise GudaError('a robot is moved only when a person at a terminal says so')
    commands = np.nan_to_num(episode.commands)
    way = np.linalg.norm(commands[:, :2], axis=1).sum() * contract.period
    fastest = np.abs(commands).max(axis=0)
    print(
        f'{episode.id}: the robot {contract.robot} will move for {episode.duration:.1f} s, '
        f'about {way:.1f} m in all, at most {fastest[0]:.2f} m/s ahead or back, '
        f'{fastest[1]:.2f} m/s sideways, {fastest[2]:.2f} rad/s. '
        'It does not look where it goes.'
    )
    print('Put it where the episode began, clear the field, and type yes: ', end='', flush=True)
    if sys.stdin.readline().strip().lower() != 'yes':
        raise GudaError('nothing was moved')
