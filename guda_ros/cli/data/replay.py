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

from guda_ros.cli.common import add_contract, add_domain, DOMAIN_OR_DRIVERS
from guda_ros.cli.data import common
from guda_ros.errors import GudaError

if TYPE_CHECKING:
    from guda_ros.workflows.data.replay import Motion

HELP = 'send recorded commands to the simulator or a robot'
EXAMPLE = 'guda data replay runs/mine/recordings/demonstration_000'


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
    what = {
        'episode': args.episode,
        'contract': args.contract,
        'robot': args.robot,
        'domain': args.domain,
        'log_dir': args.log_dir,
        'say': print,
    }
    if args.on == 'robot':
        from guda_ros.workflows.data.replay import replay_on_robot

        episode, seconds = replay_on_robot(args.source, confirm=_ask, network=args.network, **what)
        print(f'{episode.id}: {seconds:.1f} s replayed')
        return 0
    import numpy as np

    from guda_ros.workflows.data.replay import replay

    again = replay(args.source, **what)
    episode = again.episode
    print(
        f'{episode.id}: {len(episode)} commands replayed in the simulator: '
        f'{again.outcome.verdict}; recorded: {episode.verdict}'
    )
    for name, apart in again.distances.items():
        known = apart[np.isfinite(apart)]
        if len(known):
            print(
                f'    {name:<6} {known.max():.3f} m at most from where it was recorded '
                f'({again.measured_from}), {known[-1]:.3f} m at the end'
            )
    return 0


def _ask(motion: Motion) -> bool:
    """Say what the robot is going to do, and whether a person wants that."""
    if not sys.stdin.isatty():
        raise GudaError('a robot is moved only when a person at a terminal says so')
    ahead, sideways, turn = motion.fastest
    print(
        f'{motion.episode}: the robot {motion.robot} will move for {motion.seconds:.1f} s, '
        f'about {motion.length:.1f} m in all, at most {ahead:.2f} m/s ahead or back, '
        f'{sideways:.2f} m/s sideways, {turn:.2f} rad/s. It does not look where it goes.'
    )
    print('Put it where the episode began, clear the field, and type yes: ', end='', flush=True)
    return sys.stdin.readline().strip().lower() == 'yes'
