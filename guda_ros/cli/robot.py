"""Make a robot profile from questions, or show one."""

from __future__ import annotations

import argparse
import copy
import math
from pathlib import Path
import re
import sys
from typing import TYPE_CHECKING

from guda_ros.errors import GudaError

if TYPE_CHECKING:
    from guda_ros.soccer.robot import RobotProfile

EXAMPLE = (
    'guda robot new my_robot --base nao_v6\n'
    '  guda robot new my_robot --yes --set body.mass=6.2 --set camera.vertical_fov=60deg\n'
    '  guda robot show booster_t1 --render booster_t1.png'
)

#: What errors name instead of a file while the questions are asked.
_ANSWER = 'answer'


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


def run(args: argparse.Namespace) -> int:
    """Run this verb."""
    return _new(args) if args.action == 'new' else _show(args)


def _new(args: argparse.Namespace) -> int:
    from guda_ros.config.files import find_config, load_yaml
    from guda_ros.data.files import atomic_target, refuse_existing
    from guda_ros.soccer.robot import RobotProfile
    from guda_ros.soccer.robot_file import keys_of, OPTIONAL, put, to_yaml

    if not re.fullmatch(r'[a-z][a-z0-9_]*', args.name):
        raise GudaError(f'{args.name!r} is no name: small letters, digits and _ are expected')
    out = args.out or Path(f'{args.name}.yaml')
    if out.suffix not in ('.yaml', '.yml'):
        raise GudaError(f'{out}: a profile is a .yaml file')
    _refuse(out, refuse_existing)
    base = find_config('robots', args.base)
    values = load_yaml(base)
    RobotProfile.read(copy.deepcopy(values), base)
    values.pop('uncertainty', None)
    values.update(
        name=args.name, sources=[f'values that were not asked for: robot profile {values["name"]}']
    )
    for text in args.set:
        key, equals, answer = text.partition('=')
        if not equals or key not in {**keys_of(values), **OPTIONAL} or key == 'name':
            raise GudaError(f'--set {text}: KEY=VALUE is expected, with a key of docs/profiles.md')
        put(values, key, parse(key, answer))
    given = {text.partition('=')[0] for text in args.set}
    if not args.yes:
        _ask_all(values, given, args.all)
    RobotProfile.read(copy.deepcopy(values), out)
    _refuse(out, refuse_existing)
    with atomic_target(out) as temporary:
        temporary.write_text(
            to_yaml(values, f'{args.name}, made from {base.stem}.'), encoding='utf-8'
        )
    print(
        f'{out}: written; look at it with `guda robot show {out} --render {args.name}.png`, '
        f'use it with --robot {out}'
    )
    return 0


def _refuse(out: Path, refuse_existing) -> None:
    try:
        refuse_existing(out, False)
    except GudaError as error:
        raise GudaError(f'{out}: exists already; choose another one with --out') from error


def parse(key: str, answer: str) -> str | bool | float | list[float]:
    """
    Read an answer: a number, several with spaces or commas between them, or text.

    Angles may be given in degrees, as 60deg.
    """
    from guda_ros.soccer.robot_file import ALL_KEYS, OPTIONAL

    answer = answer.strip()
    if key == 'sources':
        return [part.strip() for part in answer.split(';') if part.strip()]
    if key == 'style':
        return answer
    if key in OPTIONAL:
        return {'true': True, 'false': False}.get(answer.lower(), answer)
    words = [word for word in re.split(r'[\s,]+', answer.strip('[]()')) if word]
    values = [_number(word, ALL_KEYS[key].unit) for word in words]
    if len(values) == 1:
        return values[0]
    return values or answer


def _number(word: str, unit: str):
    degrees = re.fullmatch(r'(.*?)(deg|°)', word)
    try:
        if degrees and unit.startswith('rad'):
            return round(math.radians(float(degrees[1])), 7)
        number = float(word)
    except ValueError:
        return word
    return int(number) if re.fullmatch(r'[+-]?\d+', word) else number


def _ask_all(values: dict, given: set[str], every: bool) -> None:
    """Ask for values, change them in place, and ask again where they contradict each other."""
    from guda_ros.soccer.robot_file import has, keys_of

    known = keys_of(values)
    asked = [
        key
        for key, described in known.items()
        if (described.asked or every) and key != 'name' and key not in given and has(values, key)
    ]
    if 'sources' not in asked and 'sources' not in given:
        asked.append('sources')
    print('Enter takes the value in brackets; angles may be given as 60deg; Ctrl-C writes nothing')
    for key in asked:
        _ask(values, key)
    while (error := _problem(values)) is not None:
        print('  ' + str(error).removeprefix(f'{_ANSWER}: '))
        if error.key not in known:
            raise error
        _ask(values, error.key)


def _ask(values: dict, key: str) -> None:
    from guda_ros.soccer.robot import Contradiction
    from guda_ros.soccer.robot_file import ALL_KEYS, get, put

    described = ALL_KEYS[key]
    unit = f' [{described.unit}]' if described.unit else ''
    while True:
        now = get(values, key)
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
        before = copy.deepcopy(now)
        put(values, key, parse(key, answer))
        error = _problem(values)
        # What contradicts another value is asked again at the end, when all are known.
        if (
            error is None
            or not (error.key == key or error.key.startswith(f'{key}.'))
            or isinstance(error, Contradiction)
        ):
            return
        print('  ' + str(error).removeprefix(f'{_ANSWER}: '))
        put(values, key, before)


def _problem(values: dict):
    """Return the first error in the values, or None."""
    from guda_ros.config.files import ConfigError
    from guda_ros.soccer.robot import RobotProfile

    try:
        RobotProfile.read(copy.deepcopy(values), _ANSWER)
    except ConfigError as error:
        return error
    return None


def _show(args: argparse.Namespace) -> int:
    from guda_ros.config.files import find_config, load_yaml
    from guda_ros.soccer.robot import RobotProfile
    from guda_ros.soccer.robot_file import get, has, keys_of
    from guda_ros.workflows.terminal.tables import print_table

    path = find_config('robots', args.name)
    values = load_yaml(path)
    robot = RobotProfile.read(copy.deepcopy(values), path)
    if args.render is not None:
        _render(robot, args.render)
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
            ', '.join(f'{part:g}' for part in value)
            if isinstance(value, list)
            else (value if isinstance(value, str) else f'{value:.7g}')
        )
        rows.append(
            [key, text, '' if error is None else f'{error:.2g}', described.unit, described.meaning]
        )
    print_table(rows, ['key', 'value', '+-', 'unit', 'meaning'])
    return 0


def _render(robot: RobotProfile, path: Path) -> None:
    import cv2

    from guda_ros.data.files import atomic_target, refuse_existing
    from guda_ros.sim.rendering.stills import portrait

    if path.suffix.lower() not in ('.png', '.jpg', '.jpeg'):
        raise GudaError(f'{path}: a picture is a .png or .jpg file')
    _refuse(path, refuse_existing)
    done, data = cv2.imencode(path.suffix, portrait(robot, 640, 640)[..., ::-1])
    if not done:
        raise GudaError(f'{path}: the picture could not be encoded')
    with atomic_target(path) as temporary:
        temporary.write_bytes(data.tobytes())
