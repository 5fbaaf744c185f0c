"""
Recover what interrupted or damaged recordings hold.

What can be read goes to a new recording under the episode's name; the original is kept as
`<id>.interrupted`. Whole recordings are left alone; one that lacks only its name gets it.
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
        'path', type=Path, metavar='PATH', help='recording or folder of recordings'
    )


def run(args: argparse.Namespace) -> int:
    """Run this action."""
    from guda_ros.data.recording.repair import LOST, repair

    found = repair(args.path)
    common.print_diagnoses(found)
    repaired = [diagnosis for diagnosis in found if diagnosis.repaired]
    for diagnosis in repaired:
        original = f'; the original is {diagnosis.original}' if diagnosis.original else ''
        print(f'{diagnosis.repaired}: {diagnosis.seconds:.1f} s recovered{original}')
    lost = [diagnosis for diagnosis in found if diagnosis.state == LOST]
    print(
        f'{args.path}: {len(repaired)} repaired, {len(lost)} lost, '
        f'{len(found) - len(repaired) - len(lost)} were whole'
    )
    return 1 if lost else 0
