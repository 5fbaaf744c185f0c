"""What the actions of `guda sim` and the scripts in sim/ share."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Protocol

from guda_ros.workflows.terminal.arguments import positive


class Action(Protocol):
    """What a module of this package offers."""

    __doc__: str | None
    EXAMPLE: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments."""

    def run(self, args: argparse.Namespace) -> int | None:
        """Do it; return the exit code, None for 0."""


def run_as_script(action: Action, script: str) -> None:
    """Run an action from a script of its own, such as `sim/train.py`, and exit."""
    from guda_ros.workflows.players import run_script

    verb = f'guda sim {Path(script).stem}'
    parser = argparse.ArgumentParser(
        description=action.__doc__,
        epilog='examples:\n  ' + action.EXAMPLE.replace(verb, f'python {script}'),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    action.add_arguments(parser)
    run_script(action.run, parser)


def add_player(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `guda_ros.workflows.players.load_player`."""
    parser.add_argument(
        'player',
        metavar='PLAYER',
        help='a folder of `guda sim train`, a policy (.onnx), a model (.zip), `demonstrator` '
        '(without flaws) or `imperfect` (the demonstrator as a person)',
    )
    parser.add_argument(
        '--contract',
        default='soccer_push',
        metavar='NAME',
        help='contract of the demonstrator; a policy brings its own (default: %(default)s)',
    )
    parser.add_argument(
        '--scenario',
        default=None,
        metavar='NAME',
        help='where episodes begin (default: what the policy was trained for, else attack)',
    )


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add --threads."""
    parser.add_argument(
        '--threads',
        type=positive,
        default=1,
        metavar='N',
        help='of the physics (default: %(default)s)',
    )
