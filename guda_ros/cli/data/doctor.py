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
    return max(
        _data_set(path) if (path / 'metadata.json').is_file() else _recordings(path)
        for path in args.paths
    )


def _recordings(path: Path) -> int:
    from guda_ros.data.recording.repair import doctor, FOREIGN, LOST, WHOLE

    found = doctor(path)
    common.print_diagnoses(found)
    bad = [diagnosis for diagnosis in found if diagnosis.state != WHOLE]
    print(f'{path}: {len(found) - len(bad)} of {len(found)} recordings are whole')
    if any(diagnosis.state not in (FOREIGN, LOST) for diagnosis in bad):
        print(f'`guda data repair {path}` recovers what can be read')
    return 1 if bad else 0


def _data_set(path: Path) -> int:
    from guda_ros.data.sets.checkup import check_data_set, ERROR

    findings = check_data_set(path)
    for finding in findings:
        where = f'{finding.episode}: ' if finding.episode else ''
        print(f'    {finding.level:<8} {where}{finding.text}')
    errors = sum(finding.level == ERROR for finding in findings)
    print(f'{path}: {errors} errors, {len(findings) - errors} warnings')
    return 1 if errors else 0
