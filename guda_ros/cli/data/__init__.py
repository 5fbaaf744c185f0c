"""Look at, check, change, exchange and replay what was recorded; nothing is changed in place."""

from __future__ import annotations

import argparse
import importlib

HELP = 'look at, check, edit, export, import and replay what was recorded'
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
    actions = parser.add_subparsers(
        title='actions', dest='action', metavar='ACTION', required=True
    )
    for name, module_name in ACTIONS.items():
        module = importlib.import_module(f'{__name__}.{module_name}')
        action = actions.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            epilog=f'example:\n  {module.EXAMPLE}',
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(action)
        action.set_defaults(run_action=module.run)


def run(args: argparse.Namespace) -> int:
    """Run the action."""
    return args.run_action(args)
