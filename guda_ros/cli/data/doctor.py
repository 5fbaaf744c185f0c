"""
Examine recordings or data sets, and change nothing.

Of recordings every checksum is verified; of data sets, whether observations, actions and rewards
follow from the world states, and whether robot and stamps did what is possible. The exit code is 1
where something is damaged or wrong.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.data import common

HELP = 'say what is wrong with recordings or data sets'
EXAMPLE = 'guda data doctor runs/mine/recordings runs/mine/dataset'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument('paths', type=Path, nargs='+', metavar='PATH', help=common.SOURCE_HELP)


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    return max(_examine(path) for path in args.paths)


def _examine(path: Path) -> int:
    from guda_ros.workflows.data.checking import doctor

    found = doctor(path)
    if found.findings is None:
        common.print_diagnoses(found.recordings)
        count = len(found.recordings)
        print(f'{path}: {count - len(found.damaged)} of {count} recordings are whole')
        if found.repairable:
            print(f'`guda data repair {path}` recovers what can be read')
    else:
        for finding in found.findings:
            where = f'{finding.episode}: ' if finding.episode else ''
            print(f'    {finding.level:<8} {where}{finding.text}')
        print(f'{path}: {found.errors} errors, {len(found.findings) - found.errors} warnings')
    return 0 if found.sound else 1
