"""
Find focal length, principal point and distortion of a camera by a board held before it.

From a folder of pictures, a video, a bag, or live from a topic. Some 20 views: near and far, in
the middle and in all corners, tilted to all sides by 20 to 40 degrees, held still. Too few views,
views that are alike, blurred or far, a board that bulges or is another one are refused.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.calibrate.common import add_board, add_profile, board_of, plot_of, print_found
from guda_ros.cli.common import add_domain
from guda_ros.workflows.terminal.arguments import positive_number

HELP = 'find the lens by a board'
EXAMPLE = """\
guda calibrate camera pictures/board --base my_robot.yaml --out calibrated.yaml
  guda calibrate camera --live camera/image_raw --domain 0 --network --base my_robot.yaml \\
      --keep runs/mine/board --out calibrated.yaml"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument(
        'path', nargs='?', type=Path, metavar='FOLDER|VIDEO|BAG', help='pictures of a board'
    )
    add_board(parser)
    add_profile(parser)
    parser.add_argument('--topic', default='', metavar='NAME', help="a bag's images")
    parser.add_argument(
        '--lens',
        choices=('wide', 'usual'),
        default='wide',
        help='wide: all five coefficients; usual: k3 is taken for 0 (default: %(default)s)',
    )
    parser.add_argument(
        '--camera-info',
        type=Path,
        metavar='FILE.yaml',
        help="also write the file that a camera's driver loads (camera_info_manager)",
    )
    parser.add_argument(
        '--live', default='', metavar='TOPIC', help='instead: hear the images of this topic'
    )
    add_domain(parser, None, '$ROS_DOMAIN_ID or 0, where the driver is')
    parser.add_argument(
        '--network',
        action='store_true',
        help='with --live: hear other computers, too (default: this machine only)',
    )
    parser.add_argument(
        '--seconds',
        type=positive_number,
        default=180.0,
        metavar='S',
        help='with --live: how long at most (default: %(default)s)',
    )
    parser.add_argument(
        '--keep', type=Path, metavar='DIR', help='with --live: folder for the pictures taken'
    )


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.workflows.calibration.lens import calibrate_camera

    plot = plot_of(args)
    found = calibrate_camera(
        args.path,
        args.base,
        camera=args.camera,
        board=board_of(args),
        lens=args.lens,
        topic=args.topic,
        live=args.live,
        domain=args.domain,
        network=args.network,
        seconds=args.seconds,
        keep=args.keep,
        out=args.out,
        camera_info=args.camera_info,
        plot=plot,
        overwrite=args.overwrite,
        say=print,
    )
    print_found(found, args.out, args.camera_info, plot)
    return 0
