"""The `guda` command: one verb a stage, from demonstrations to a policy that is judged."""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
import sys

from guda_ros import __version__
from guda_ros.errors import extra_of, GudaError
from guda_ros.interrupts import interrupts_first

#: Module of `guda_ros.cli` for each verb, in the order in which a person needs them.
COMMANDS = (
    'demo',
    'up',
    'teleop',
    'record',
    'convert',
    'augment',
    'guide',
    'train',
    'export',
    'policy',
    'evaluate',
    'benchmark',
    'robot',
    'identify',
    'data',
    'sim',
    'info',
)

DESCRIPTION = """\
Teach a soccer robot a skill from a handful of demonstrations.

The loop: record episodes over ROS 2 -> convert them to a data set -> augment it with guidance ->
train a policy -> export it -> evaluate it in simulation and through the ROS graph.
`guda demo` runs all of it.
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with all verbs; importing it loads neither torch nor mujoco nor rclpy."""
    parser = argparse.ArgumentParser(
        prog='guda',
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog='guda VERB --help explains a verb and gives an example.',
    )
    parser.add_argument('--version', action='version', version=f'guda_ros {__version__}')
    verbs = parser.add_subparsers(title='verbs', dest='verb', metavar='VERB', required=True)
    for name in COMMANDS:
        module = importlib.import_module(f'guda_ros.cli.{name}')
        verb = verbs.add_parser(
            name,
            help=module.HELP,
            description=module.__doc__,
            epilog=f'example:\n  {module.EXAMPLE}',
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(verb)
        verb.set_defaults(run=module.run)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return 0, 1 for an error, 2 for usage, 130 for Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    args = build_parser().parse_args(arguments)
    args.command = shlex.join(['guda', *arguments])
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
