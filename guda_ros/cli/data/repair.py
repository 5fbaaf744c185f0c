"""
Recover what interrupted or damaged recordings hold.

What can be read goes to a new recording under the episode's name; the original is kept as
`<id>.interrupted`. Whole recordings are left alone; one that lacks only its name gets it. A file
stands for itself and its further parts (`<name>_<n>.mcap` of the same episode); files of several
episodes in a folder become several recordings there, and stay as they are.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from guda_ros.cli.data import common

HELP = 'recover interrupted or damaged recordings'
EXAMPLE = 'guda data repair runs/mine/recordings'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this action."""
    parser.add_argument(
        'path',
        type=Path,
        metavar='PATH',
        help='recording, one of its .mcap files, or a folder of recordings',
    )


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.data.recording.repair import FOREIGN, LOST, repair

    found = repair(args.path)
    common.print_diagnoses(found)
    repaired = [diagnosis for diagnosis in found if diagnosis.repaired]
    for diagnosis in repaired:
        original = f'; the original is {diagnosis.original}' if diagnosis.original else ''
        print(f'{diagnosis.repaired}: {diagnosis.seconds:.1f} s recovered{original}')
    lost = sum(diagnosis.state == LOST for diagnosis in found)
    foreign = sum(diagnosis.state == FOREIGN for diagnosis in found)
    print(
        f'{args.path}: {len(repaired)} repaired, {lost} lost, '
        f'{len(found) - len(repaired) - lost - foreign} were whole'
        + (f', {foreign} not of guda_ros' if foreign else '')
    )
    return 1 if lost or foreign else 0
