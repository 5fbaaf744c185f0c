"""Make a robot profile from questions, show one, or write its robot description (URDF)."""

from __future__ import annotations

import argparse
import copy
from pathlib import Path
import sys
from typing import TYPE_CHECKING

from guda_ros.errors import GudaError

if TYPE_CHECKING:
    from guda_ros.config.files import ConfigError
    from guda_ros.workflows.robots.making import Draft

EXAMPLE = (
    'guda robot new my_robot --base nao_v6\n'
    '  guda robot new my_robot --yes --set body.mass=6.2 --set camera.vertical_fov=60deg\n'
    '  guda robot show booster_t1 --render booster_t1.png\n'
    '  guda robot urdf booster_t1 --out booster_t1.urdf'
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this verb."""
    actions = parser.add_subparsers(
        title='actions', dest='action', metavar='ACTION', required=True
    )
    new = actions.add_parser(
        'new', help='make a profile: answer questions, Enter takes the value in brackets'
    )
    new.add_argument('name', metavar='NAME', help='of the new profile: letters, digits and _')
    new.add_argument(
        '--base',
        default='generic_walker',
        metavar='NAME',
        help='profile to start from (default: %(default)s)',
    )
    new.add_argument(
        '--out',
        type=Path,
        default=None,
        metavar='FILE',
        help='file to write (default: NAME.yaml in this folder)',
    )
    new.add_argument(
        '--set',
        action='append',
        default=[],
        metavar='KEY=VALUE',
        help='a value, such as body.mass=6.2; may be repeated',
    )
    new.add_argument('--yes', action='store_true', help='ask nothing')
    new.add_argument(
        '--all',
        action='store_true',
        help='ask for every value, not only for those that a data sheet has',
    )
    show = actions.add_parser('show', help='print a profile, and draw it')
    show.add_argument('name', metavar='NAME', help='profile in config/robots, or a YAML file')
    show.add_argument(
        '--render',
        type=Path,
        default=None,
        metavar='FILE',
        help='write a picture of the robot, .png or .jpg',
    )
    described = actions.add_parser(
        'urdf', help='write the robot description: links, joints of the head, cameras'
    )
    described.add_argument('name', metavar='NAME', help='profile in config/robots, or a YAML file')
    described.add_argument(
        '--out', type=Path, default=None, metavar='FILE', help='file to write (default: print it)'
    )
    described.add_argument(
        '--tf',
        type=Path,
        default=None,
        metavar='FILE',
        help='write the transforms of /tf_static as JSON, for computers without tf2_msgs',
    )
    described.add_argument(
        '--contract',
        default='soccer_push',
        metavar='NAME',
        help='contract that names the frames (default: %(default)s)',
    )


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    return {'new': _new, 'show': _show, 'urdf': _urdf}[args.action](args)


def _urdf(args: argparse.Namespace) -> int:
    from guda_ros.workflows.robots.describing import robot_description

    described = robot_description(args.name, args.contract)
    for path, text in ((args.out, described.urdf), (args.tf, described.transforms)):
        if path is not None:
            described.write(path, text)
            print(f'{path}: written')
    if args.out is None and args.tf is None:
        print(described.urdf, end='')
    return 0


def _new(args: argparse.Namespace) -> int:
    from guda_ros.workflows.robots.making import Draft, refuse_profile

    out = args.out or Path(f'{args.name}.yaml')
    draft = Draft(args.name, args.base)
    refuse_profile(out)
    for text in args.set:
        key, equals, answer = text.partition('=')
        try:
            if not equals:
                raise GudaError('')
            draft.set(key, answer)
        except GudaError as error:
            raise GudaError(
                f'--set {text}: KEY=VALUE is expected, with a key of docs/profiles.md'
            ) from error
    if not args.yes:
        _ask_all(draft, {text.partition('=')[0] for text in args.set}, args.all)
    draft.write(out)
    print(
        f'{out}: written; look at it with `guda robot show {out} --render {args.name}.png`, '
        f'use it with --robot {out}'
    )
    return 0


def _ask_all(draft: Draft, given: set[str], every: bool) -> None:
    """Ask for values, and ask again where they contradict each other."""
    from guda_ros.soccer.robot_file import has

    known = draft.keys
    asked = [
        key
        for key, described in known.items()
        if (described.asked or every)
        and key != 'name'
        and key not in given
        and has(draft.values, key)
    ]
    if 'sources' not in asked and 'sources' not in given:
        asked.append('sources')
    print('Enter takes the value in brackets; angles may be given as 60deg; Ctrl-C writes nothing')
    for key in asked:
        _ask(draft, key)
    while (error := draft.problem()) is not None:
        _tell(error)
        if error.key not in known:
            raise error
        _ask(draft, error.key)


def _ask(draft: Draft, key: str) -> None:
    from guda_ros.soccer.robot_file import get, key_of

    described = key_of(key)
    unit = f' [{described.unit}]' if described.unit else ''
    while True:
        now = get(draft.values, key)
        shown = (
            '; '.join(now)
            if key == 'sources'
            else ', '.join(map(str, now))
            if isinstance(now, list)
            else now
        )
        print(f'{key}{unit}: {described.meaning} ({shown}): ', end='', flush=True)
        answer = sys.stdin.readline()
        if not answer:
            print()
            raise GudaError(
                'the answers ended before the questions; nothing was written. '
                'Give --yes to take the values of the base'
            )
        if not answer.strip():
            return
        error = draft.answer(key, answer)
        if error is None:
            return
        _tell(error)


def _tell(error: ConfigError) -> None:
    from guda_ros.workflows.robots.making import ANSWER

    print('  ' + str(error).removeprefix(f'{ANSWER}: '))


def _show(args: argparse.Namespace) -> int:
    from guda_ros.config.files import find_config, load_yaml
    from guda_ros.soccer.robot import RobotProfile
    from guda_ros.soccer.robot_file import get, has, keys_of
    from guda_ros.workflows.terminal.tables import print_table

    path = find_config('robots', args.name)
    values = load_yaml(path)
    robot = RobotProfile.read(copy.deepcopy(values), path)
    if args.render is not None:
        from guda_ros.workflows.robots.drawing import draw_robot

        draw_robot(robot, args.render)
        print(f'{args.render}: written')
    print(f'{robot.name}, {path}')
    for source in robot.sources:
        print(f'  {source}')
    rows = []
    for key, described in keys_of(values).items():
        if key in ('name', 'sources') or not has(values, key):
            continue
        value = get(values, key)
        error = robot.uncertainty.get(key)
        text = (
            ', '.join(part if isinstance(part, str) else f'{part:g}' for part in value)
            if isinstance(value, list)
            else (value if isinstance(value, str) else f'{value:.7g}')
        )
        rows.append(
            [key, text, '' if error is None else f'{error:.2g}', described.unit, described.meaning]
        )
    print_table(rows, ['key', 'value', '+-', 'unit', 'meaning'])
    return 0
