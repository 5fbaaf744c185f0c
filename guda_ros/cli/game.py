"""
Be the game controller of a practice match: what is typed is sent to the robots.

`guda up robot --team 5` hears it, obeys it and answers. Packets are those of RoboCup's game
controllers of 2026 (version 19) or of the SPL before (--packets 18). `help` lists what to type.
"""

from __future__ import annotations

import argparse
import sys

from guda_ros.workflows.terminal.arguments import within

EXAMPLE = """\
guda game --team 5 --against 6                       # robots of this computer
  guda game --team 5 --against 6 --to 192.168.0.255    # all of a network
  printf 'ready\\nset\\nplay\\n' | guda game --team 5 --against 6 --seconds 1"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    team = within(1, 254)
    parser.add_argument('--team', type=team, default=1, metavar='N', help='the first team')
    parser.add_argument(
        '--against', type=team, default=2, metavar='N', help='the second (default: %(default)s)'
    )
    parser.add_argument(
        '--players',
        type=within(1, 20),
        default=4,
        metavar='N',
        help='players of a team (default: %(default)s)',
    )
    parser.add_argument(
        '--to',
        default='127.0.0.1',
        metavar='ADDRESS',
        help="a robot's, or the broadcast address of a network (default: %(default)s)",
    )
    parser.add_argument(
        '--port',
        type=within(1, 65535),
        default=3838,
        metavar='N',
        help='UDP port of the robots (default: %(default)s)',
    )
    parser.add_argument(
        '--status-port',
        type=within(0, 65535),
        default=3939,
        metavar='N',
        help='UDP port on which robots answer, 0: a free one (default: %(default)s)',
    )
    parser.add_argument(
        '--packets',
        type=int,
        choices=(19, 18),
        default=19,
        help='version of the packets (default: %(default)s)',
    )
    parser.add_argument(
        '--seconds',
        type=within(0, 3600),
        default=0,
        metavar='S',
        help='send on for so long after the end of the input (default: %(default)s)',
    )


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    import time

    from guda_ros.game.practice import PracticeGame
    from guda_ros.workflows.practice.match import Match

    game = PracticeGame(args.team, args.against, args.players, args.packets, time.monotonic())
    match = Match(game, args.to, port=args.port, status_port=args.status_port)
    print(f'game controller for {args.to}:{args.port}, answers on {match.status_port}')
    print(f'{game.describe()}; type help')
    try:
        match.rule(sys.stdin, args.seconds)
    finally:
        match.close()
    return 0
