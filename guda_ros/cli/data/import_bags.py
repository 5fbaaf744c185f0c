"""
Make a data set of rosbag2 bags (MCAP or sqlite3) that others recorded.

Every bag becomes an episode. Without --mapping the bags have to use the topic names of the
contract; a mapping (see config/imports/example.yaml) says which topics and frames they use.
Commands may be Twist or TwistStamped. Poses are interpolated at the control rate where samples are
close enough; what is missing stays missing and is told.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.common import add_contract
from guda_ros.cli.data import common
from guda_ros.data.files import refuse_target

HELP = 'bags that others recorded to a data set'
EXAMPLE = """\
guda data import bags/* --mapping my_robot.yaml --out runs/theirs
      # bags: what you recorded; my_robot.yaml: as config/imports/example.yaml"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument(
        'bags',
        type=Path,
        nargs='+',
        metavar='BAG',
        help='folder with metadata.yaml, or a .mcap or .db3 file',
    )
    parser.add_argument(
        '--mapping',
        metavar='NAME',
        help='topics by role, a name in config/imports or a YAML file; it names the contract',
    )
    add_contract(parser)
    parser.add_argument('--out', type=Path, required=True, metavar='DIR', help='data set to make')


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.cli.common import load_contract
    from guda_ros.data.exchange.rosbag import import_bag, Mapping
    from guda_ros.data.sets.editing import merge

    refuse_target(args.out)
    mapping = (
        Mapping.load(args.mapping, args.robot)
        if args.mapping
        else Mapping.of_contract(load_contract(args))
    )
    episodes = []
    for path in args.bags:
        episode = import_bag(path, mapping)
        print(
            f'    {episode.id:<22} {episode.verdict:<8} {episode.duration:5.1f} s  '
            f'{int(episode.usable.sum()):4d} of {len(episode):4d} steps usable'
        )
        for problem in episode.problems:
            print(f'        {problem}')
        episodes.append(episode)
    episodes, notes = merge([[episode] for episode in episodes])
    for note in notes:
        print(f'    {note}')
    common.write(args.out, episodes, mapping.contract)
    return 0
