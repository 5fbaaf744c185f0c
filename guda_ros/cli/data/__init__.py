"""Look at, check, change, exchange and replay what was recorded; nothing is changed in place."""

from __future__ import annotations

import argparse

from guda_ros.cli.actions import add_actions, run_action

EXAMPLE = 'guda data report runs/mine/recordings --out runs/mine/report'

#: Module of this package for each action, in the order in which a person needs them.
ACTIONS = {
    'info': 'info',
    'report': 'report',
    'doctor': 'doctor',
    'repair': 'repair',
    'merge': 'merge',
    'split': 'split',
    'trim': 'trim',
    'export': 'export',
    'import': 'import_bags',
    'replay': 'replay',
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their arguments."""
    add_actions(parser, __name__, ACTIONS)


def run(args: argparse.Namespace) -> int | None:
    """Run the action."""
    return run_action(args)
