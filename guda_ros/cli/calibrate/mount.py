"""
Find a camera's pitch and height, and the zero of the head's pan, while the robot stands.

By the lines of a field: the robot stands where lines are near, its head looks at some ten places
and stops at each. Where it stands is found by the lines; told by --pose it gives the pan's zero,
too. Or by a ball (--ball) or points at places that were measured. A PATH for each place where it
stands: a bag of images and joint states, or a folder with views.yaml (docs/calibration.md).
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from guda_ros.cli.calibrate.common import add_profile, plot_of, print_found

HELP = 'find where the camera sits, and the zero of the head'
EXAMPLE = """\
guda calibrate mount bags/head_turns --base calibrated.yaml --field spl --out mounted.yaml
  guda calibrate mount bags/left bags/right --base calibrated.yaml \\
      --pose 3.0 0.8 0 --pose 3.0 -0.8 0 --out mounted.yaml
  guda calibrate mount bags/near bags/far bags/aside --base calibrated.yaml \\
      --ball 0.4 0 --ball 1.2 -0.3 --ball 0.7 0.5 --out mounted.yaml"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument(
        'paths', nargs='+', type=Path, metavar='PATH', help='bags or folders of pictures'
    )
    add_profile(parser)
    parser.add_argument(
        '--field',
        default='spl',
        metavar='NAME',
        help='field whose lines are seen, name or YAML file (default: %(default)s)',
    )
    parser.add_argument(
        '--pose',
        nargs=3,
        type=float,
        action='append',
        default=[],
        metavar=('X', 'Y', 'YAW'),
        help='where the robot stands on the field: metres and degrees in map; one for each PATH',
    )
    parser.add_argument(
        '--ball',
        nargs=2,
        type=float,
        action='append',
        default=[],
        metavar=('X', 'Y'),
        help='instead of lines: where a ball lies, metres ahead and to the left of between the '
        'feet (base_link); one for each PATH',
    )
    parser.add_argument(
        '--ball-profile', metavar='NAME', help="of that ball (default: the field's ball)"
    )
    parser.add_argument('--topic', default='', metavar='NAME', help="a bag's images")
    parser.add_argument('--joints', default='', metavar='NAME', help="a bag's joint states")
    parser.add_argument(
        '--tilt-into',
        choices=('camera', 'head'),
        default='camera',
        help="a wrong tilt is the camera's pitch, or the zero of the head's joint, which all "
        'cameras share (default: %(default)s)',
    )
    parser.add_argument('--partial', action='store_true', help='leave what is not told as it was')


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.workflows.calibration.mount import calibrate_mount

    plot = plot_of(args)
    found = calibrate_mount(
        args.paths,
        args.base,
        camera=args.camera,
        field=args.field,
        poses=[(x, y, math.radians(yaw)) for x, y, yaw in args.pose],
        balls=args.ball,
        ball=args.ball_profile,
        topic=args.topic,
        joints=args.joints,
        tilt_into=args.tilt_into,
        partial=args.partial,
        out=args.out,
        plot=plot,
        overwrite=args.overwrite,
        say=print,
    )
    print_found(found, args.out, plot)
    return 0
