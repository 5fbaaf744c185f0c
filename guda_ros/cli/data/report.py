"""
Write a page about recordings or a data set: report.html, and the same for programs, report.json.

What of each episode is usable, rates and gaps of every topic (of recordings), TQ and SACo (mean
return and covered state-action cells), from which sides the task was shown, and the commands.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.data import common

HELP = 'a page with plots: quality, rates, gaps, TQ, SACo, coverage'
EXAMPLE = 'guda data report runs/mine/recordings --out runs/mine/report'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument('source', type=Path, metavar='PATH', help=common.SOURCE_HELP)
    parser.add_argument(
        '--out',
        type=Path,
        required=True,
        metavar='DIR',
        help='folder for report.html and report.json, which are replaced',
    )
    parser.add_argument(
        '--augmented',
        type=Path,
        metavar='FILE',
        help='set that was made of these (.h5), to compare coverage with',
    )
    parser.add_argument(
        '--reference',
        type=Path,
        metavar='PATH',
        help='data set or recordings whose return and coverage count as 1',
    )


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.workflows.data.checking import report

    files = report(
        args.source, args.out, augmented=args.augmented, reference=args.reference, say=print
    )
    print(f'report: {files.html}\n        {files.json}')
    return 0
