"""
Record episodes of a player in the simulator as a data set (Minari), without ROS.

The data set is of the kind that `guda convert` makes of recordings, and goes the same way: `guda
augment`, `guda train`. Its states are the true ones: nothing is lost from view, and no perception
adds noise.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.sim.common import add_player, add_threads
from guda_ros.workflows.terminal.arguments import natural, positive

HELP = 'episodes of a player as a data set'
EXAMPLE = """\
guda sim collect imperfect --episodes 12 --out runs/sim/dataset
  guda sim collect runs/ppo_penalty/seed_0 --episodes 50 --out runs/penalty_data"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_player(parser)
    parser.add_argument(
        '--episodes',
        type=positive,
        default=12,
        metavar='N',
        help='how many (default: %(default)s)',
    )
    parser.add_argument(
        '--seed',
        type=natural,
        default=0,
        metavar='N',
        help='of the starts and of imperfections (default: %(default)s)',
    )
    parser.add_argument('--successes', action='store_true', help='keep episodes that scored only')
    add_threads(parser)
    parser.add_argument(
        '--out', type=Path, required=True, metavar='DIR', help='folder of the data set'
    )


def run(args: argparse.Namespace) -> None:
    """Run the episodes and write them."""
    from guda_ros.workflows.collect import collect

    episodes = collect(
        args.player,
        args.episodes,
        out=args.out,
        contract=args.contract,
        scenario=args.scenario,
        seed=args.seed,
        successes=args.successes,
        threads=args.threads,
    )
    steps = sum(len(episode) for episode in episodes)
    scored = sum(episode.success for episode in episodes)
    print(
        f'{args.out}: {len(episodes)} episodes of {episodes[0].scenario}, {steps} steps, '
        f'{scored} scored'
    )
