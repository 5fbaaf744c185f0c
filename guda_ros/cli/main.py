"""The `guda` command: one verb a stage, from demonstrations to a policy that is judged."""

from __future__ import annotations

import argparse
import importlib
from io import TextIOWrapper
import os
from pathlib import Path
import shlex
import sys
from typing import Any

from guda_ros import __version__
from guda_ros.arguments import as_path
from guda_ros.errors import extra_of, GudaError
from guda_ros.interrupts import interrupts_first

#: Each verb, a module of `guda_ros.cli`, and what it does, in the order in which a person needs
#: them. A module is imported when its verb is called.
COMMANDS = {
    'demo': 'the whole loop on this machine, from demonstrations to a report',
    'up': 'start a graph of nodes: simulation, drive, collect, evaluate, robot',
    'teleop': 'drive by keyboard or gamepad in this terminal, and record',
    'game': 'be the game controller of a practice match',
    'record': 'record episodes over ROS 2 (MCAP)',
    'convert': 'recordings to a data set (Minari)',
    'augment': 'augment demonstrations by a guide',
    'guide': 'explain, try and draw a guide',
    'train': 'train a policy by behaviour cloning or offline RL',
    'export': 'make a policy file (ONNX) of a checkpoint',
    'policy': 'what an exported policy says about itself',
    'evaluate': 'success of policies from fixed starts, simulated, through ROS or on the robot',
    'benchmark': 'compare augmentations and algorithms over many trainings',
    'check': "look at a robot's driver: what fits, what lacks, what to do",
    'preflight': 'look at all that must be right before the robot moves for the first time',
    'perceive': 'find balls in pictures, judge and train the networks that do',
    'robot': 'make a robot profile from questions, or show one',
    'identify': 'fit a robot profile to a recorded drive',
    'calibrate': "find a camera's lens and where it sits, for a robot profile",
    'data': 'look at, check, edit, export, import and replay what was recorded',
    'sim': 'train from scratch, judge, watch and record in the simulator, without ROS',
    'info': 'what a recording, data set or policy holds; without PATH, what is installed',
}

DESCRIPTION = """\
Teach a soccer robot a skill from a handful of demonstrations.

The loop: record episodes over ROS 2 -> convert them to a data set -> augment it with guidance ->
train a policy -> export it -> evaluate it in simulation and through the ROS graph.
`guda demo` runs all of it.
"""


class _Parser(argparse.ArgumentParser):
    """
    Takes `~` for the home folder in every argument: a shell leaves it alone in --out=~/set.

    What `guda.cli.actions` calls the usual action of a verb is done where none is named.
    """

    usual_action: str = ''
    actions: tuple[str, ...] = ()

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        if self.usual_action and args and args[0] not in (*self.actions, '-h', '--help'):
            args = [self.usual_action, *args]
        return super().parse_known_args(args, namespace)

    def _get_value(self, action: argparse.Action, arg_string: str) -> object:
        if action.type is Path:
            try:
                return as_path(arg_string, (action.option_strings or [action.dest])[-1])
            except GudaError as error:
                self.error(str(error))
        if action.type is None and arg_string.startswith('~'):
            arg_string = os.path.expanduser(arg_string)
        return super()._get_value(action, arg_string)


def build_parser(verb: str | None = None) -> argparse.ArgumentParser:
    """
    Return the parser; importing it loads neither torch nor mujoco nor rclpy.

    :param verb: the only one whose arguments are needed, by default all.
    """
    parser = _Parser(
        prog='guda',
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='guda VERB --help explains a verb and gives an example.',
    )
    parser.add_argument('--version', action='version', version=f'guda_ros {__version__}')
    verbs = parser.add_subparsers(title='verbs', dest='verb', metavar='VERB', required=True)
    for name, text in COMMANDS.items():
        if verb not in (None, name):
            verbs.add_parser(name, help=text)
            continue
        module = importlib.import_module(f'guda_ros.cli.{name}')
        added = verbs.add_parser(
            name,
            help=text,
            description=module.__doc__,
            epilog=f'example:\n  {module.EXAMPLE}',
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(added)
        added.set_defaults(run=module.run)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0, 1 for an error, 2 for usage, 130 for Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    verb = next((word for word in arguments if not word.startswith('-')), '')
    args = build_parser(verb).parse_args(arguments)
    args.command = shlex.join(['guda', *arguments])
    # That of a notebook is another.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)
    try:
        with interrupts_first():
            return args.run(args) or 0
    except GudaError as error:
        print(f'guda {args.verb}: {error}', file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        extra = extra_of(error.name or '')
        if extra is None:
            raise
        print(f'guda {args.verb}: needs the Python module {error.name}: {extra}', file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of the output is gone, as in `guda info | head`; what is left goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.errno is None:
            raise
        where = f'{error.filename}: ' if error.filename else ''
        print(f'guda {args.verb}: {where}{os.strerror(error.errno)}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f'\nguda {args.verb}: stopped by Ctrl-C; what was finished is kept', file=sys.stderr)
        return 130


if __name__ == '__main__':
    sys.exit(main())
