"""
Find balls in a picture, a video, a folder of pictures or a bag, and draw them.

`guda perceive PATH` is `guda perceive look PATH`. With --robot, whose head is taken to be at zero,
places on the ground are told, too, and what cannot be a ball on the ground is left out of them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = 'find balls in a picture, video or bag'
EXAMPLE = 'guda perceive camera.jpg --out runs/mine/perceived'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument('path', type=Path, metavar='IMAGE|VIDEO|BAG', help='what to look at')
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('perceived'),
        metavar='DIR',
        help='folder for annotated pictures and found.jsonl (default: %(default)s)',
    )
    parser.add_argument('--robot', metavar='NAME', help='robot profile whose camera took them')
    parser.add_argument(
        '--camera',
        metavar='NAME',
        default='camera',
        help="which of the robot's cameras: camera for the first, lower_camera, or a name of the "
        "profile's `cameras` (default: %(default)s)",
    )
    parser.add_argument(
        '--ball',
        default='spl_foam',
        metavar='NAME',
        help='ball profile, of which only the radius matters (default: %(default)s)',
    )
    parser.add_argument(
        '--min-score',
        type=float,
        default=0.5,
        metavar='P',
        help='least probability of a ball (default: %(default)s)',
    )
    parser.add_argument('--topic', default='', metavar='NAME', help="a bag's images")
    parser.add_argument(
        '--rate',
        type=float,
        default=15.0,
        metavar='HZ',
        help='pictures a second of the annotated video, 0: pictures (default: %(default)s)',
    )
    add_weights(parser)
    parser.add_argument('--overwrite', action='store_true', help='replace what is there')


def add_weights(parser: argparse.ArgumentParser) -> None:
    """Add --weights."""
    parser.add_argument(
        '--weights', type=Path, metavar='DIR', help='networks (default: the shipped ones)'
    )


def weights_of(args: argparse.Namespace) -> dict[str, Path]:
    """Return the networks that were asked for, as an argument of functions."""
    return {'weights': args.weights} if args.weights else {}


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.workflows.perception.looking import perceive

    looks = perceive(
        args.path,
        args.out,
        robot=args.robot,
        camera=args.camera,
        ball=args.ball,
        min_score=args.min_score,
        topic=args.topic,
        rate=args.rate,
        overwrite=args.overwrite,
        say=print,
        **weights_of(args),
    )
    seen = sum(bool(look.finds) for look in looks)
    print(f'{args.out}: a ball in {seen} of {len(looks)} pictures')
    return 0
