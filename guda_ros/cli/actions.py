"""Verbs with actions below them: `guda data`, `guda sim`, `guda perceive`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
import importlib


def add_actions(
    parser: argparse.ArgumentParser, package: str, actions: Mapping[str, str], usual: str = ''
) -> None:
    """
    Add the actions of a verb and their arguments.

    :param package: that holds the actions' modules, such as `guda_ros.cli.data`.
    :param actions: module of the package for each action, in the order of the help.
    :param usual: what is done where the first word is none of them.
    """
    if usual:
        vars(parser).update(usual_action=usual, actions=tuple(actions))
    group = parser.add_subparsers(title='actions', dest='action', metavar='ACTION', required=True)
    for name, module_name in actions.items():
        module = importlib.import_module(f'{package}.{module_name}')
        action = group.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            epilog=f'example:\n  {module.EXAMPLE}',
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(action)
        action.set_defaults(run_action=module.run)


def run_action(args: argparse.Namespace) -> int | None:
    """Run the action that was chosen."""
    return args.run_action(args)
