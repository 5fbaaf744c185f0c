"""The screen of `guda teleop`: text for any terminal from 40 columns and 12 rows on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
import math
import textwrap
from typing import Any

import numpy as np

from guda_ros.augmentation.coverage import in_words
from guda_ros.control.joystick import JoystickMap
from guda_ros.control.keyboard import KeyboardMap
from guda_ros.soccer.field import Field

#: A text and its style.
Piece = tuple[str, str]
#: Select Graphic Rendition codes (ECMA-48).
BOLD, DIM, GOOD, BAD, WARN, BANNER_GOOD, BANNER_BAD, BANNER = (
    '1',
    '2',
    '32',
    '1;31',
    '33',
    '1;30;42',
    '1;37;41',
    '1;30;46',
)
#: The robot by its heading, in steps of 45 degrees from the opponents' goal on.
_ARROWS, _ASCII_ARROWS = '→↗↑↖←↙↓↘', '>/^\\</v\\'


@dataclass
class View:
    """What there is to show."""

    #: Graph, robot and domain.
    title: str
    #: What the person drives by.
    device: str
    #: The field to draw.
    pitch: Field
    #: Keys, for the help lines.
    keyboard: KeyboardMap
    #: Buttons of the gamepad, None without one.
    pad: JoystickMap | None = None
    #: What the teleop node says of itself.
    teleop: dict[str, Any] = field(default_factory=dict)
    #: What the safety node says of itself.
    safety: dict[str, Any] = field(default_factory=dict)
    #: What the recorder says of itself.
    recording: dict[str, Any] = field(default_factory=dict)
    #: What the live augmentation says of itself.
    augmentation: dict[str, Any] = field(default_factory=dict)
    #: The episode under way.
    episode: dict[str, Any] = field(default_factory=dict)
    #: Nodes that have to speak and do not.
    silent: list[str] = field(default_factory=list)
    #: Since the episode began [s].
    seconds: float = 0.0
    #: (3,) the velocity that was sent, None if there is none [m/s, rad/s].
    command: np.ndarray | None = None
    #: Whose command it is.
    commander: str = ''
    #: (3,) its pose in `map` [m, rad], None if unknown.
    robot: np.ndarray | None = None
    #: (2,) its position in `map` [m], None if unknown.
    ball: np.ndarray | None = None
    #: Whether the task has one.
    has_ball: bool = True
    #: Where robot and ball are known from.
    seen_by: str = ''
    #: (3,) what the person wants [m/s, rad/s].
    wish: np.ndarray = field(default_factory=lambda: np.zeros(3))
    #: Buttons that are held.
    pressed: frozenset[str] = frozenset()
    #: Whether each is an error, and its text.
    complaints: list[tuple[bool, str]] = field(default_factory=list)
    #: A line for the person.
    note: str = ''


def screen(
    view: View, columns: int, rows: int, unicode: bool = True, colour: bool = True
) -> list[str]:
    """Return the lines of the screen, none longer than `columns`, no more than `rows`."""
    top = [
        [
            _fit(f' guda teleop  {view.title}', columns - len(view.device) - 2, DIM),
            (f' {view.device} ', BOLD),
        ],
        [(f'{_banner(view)[0]:^{columns}}', _banner(view)[1])],
        *_episode(view, columns),
    ]
    alarms = [
        [('ALARM ' if error else 'warning ', BAD if error else DIM), (text, WARN)]
        for error, text in _alarms(view)
    ]
    # Always as many lines, so that the picture stands still.
    count = 2 if rows >= 22 else 1
    alarms = ((alarms or [[('no alarms', DIM)]]) + [[]] * count)[:count]
    keys = _keys(view)
    room = rows - len(top) - len(keys) - count
    if room < 3:
        # What the robot does goes before what the keys are.
        keys, room = keys[: max(0, len(keys) - 3 + room)], 3
    lines = [*top, *_middle(view, columns, room, unicode), *alarms, *keys]
    return [_line(parts, columns, colour) for parts in lines[:rows]]


def _fit(text: str, width: int, style: str) -> tuple[str, str]:
    return f'{text[: max(0, width)]:<{max(0, width)}}', style


def _line(parts: Iterable[Piece], columns: int, colour: bool) -> str:
    line, left = '', columns
    for style, pieces in groupby(parts, key=lambda part: part[1]):
        text = ''.join(piece for piece, _ in pieces)[:left]
        left -= len(text)
        line += f'\x1b[{style}m{text}\x1b[0m' if style and colour and text else text
    return line


def _banner(view: View) -> tuple[str, str]:
    teleop, safety = view.teleop, view.safety
    release = view.keyboard.key_of('release')
    if view.note:
        return view.note, BANNER_BAD
    if view.silent:
        return (
            f'NO WORD FROM {" AND ".join(view.silent).upper()}: the robot cannot be driven',
            BANNER_BAD,
        )
    if safety.get('stopped'):
        return (
            f'EMERGENCY STOP by {safety.get("cause")}: {release} releases it when nothing '
            'commands motion'
        ), BANNER_BAD
    if 'pause' in safety.get('locks', ()):
        return 'LOCKED by lock/pause: nobody drives', BANNER_BAD
    moving = view.command is not None and np.any(view.command)
    whose = {
        'teleop': 'YOU DRIVE',
        'intervention': 'YOU CORRECT THE POLICY',
        'policy': 'THE POLICY DRIVES',
    }.get(view.commander, '')
    by_person = view.commander != 'policy'
    if whose and (moving or (by_person and teleop.get('driving'))):
        return whose, BANNER_GOOD if by_person else BANNER
    if teleop.get('policy') and not teleop.get('taken_over'):
        return f'the robot stands: {_why(view)}', BANNER
    return 'the robot stands: hold a key to drive', BANNER


def _why(view: View) -> str:
    reason = view.safety.get('reasons', {}).get('policy', '')
    if reason == 'no_deadman':
        return f'hold {view.keyboard.policy} to let the policy drive'
    if reason == 'driving':
        return 'so the policy wants it'
    if reason.startswith('held:'):
        hold = reason.removeprefix('held:')
        return view.safety.get('holds', {}).get(hold, hold).replace('_', ' ')
    return reason.replace('_', ' ') or 'the policy says nothing'


def _episode(view: View, columns: int) -> list[list[Piece]]:
    status = view.teleop.get('episode', {})
    keys = view.keyboard.key_of
    name = view.episode.get('id', '')
    if status.get('running'):
        first = [('RUNNING ', GOOD), (f'{view.seconds:5.1f} s  ', BOLD), (name, '')]
    elif name:
        verdict = view.episode.get('verdict') or ''
        first = [(f'{verdict.upper()} ', GOOD if verdict == 'scored' else WARN), (name, '')]
    else:
        first = [('no episode yet', ''), (f': {keys("episode_start")} begins one', '')]
    recording = _recording(view)
    qualities: dict[Any, str] = {True: 'good', False: 'NOT GOOD ENOUGH'}
    quality = qualities.get(recording.get('good'), '')
    states: dict[Any, str] = {
        'recording': 'recording',
        'closed': f'recorded {quality}'.strip(),
        'failed': 'NOT RECORDED',
    }
    state = states.get(recording.get('state'), 'not recorded')
    second = [
        (
            f'kept {status.get("kept", 0)}  set aside {status.get("discarded", 0)}  '
            f'start {status.get("start_index", 0)}  ',
            '',
        ),
        (state, BAD if recording.get('state') == 'failed' else DIM),
    ]
    told = [in_words(view.augmentation)] if view.augmentation.get('episodes') else []
    hint = ' -- '.join(filter(None, (status.get('told'), status.get('place'))))
    return [
        first,
        second,
        *[[(line, DIM)] for text in told for line in textwrap.wrap(text, columns)[:2]],
        *[[(line, WARN)] for line in textwrap.wrap(hint, columns)[:3] or ['']],
    ]


def _recording(view: View) -> dict[str, Any]:
    """Return what the recorder says of this episode; of one that was set aside it says nothing."""
    recording = view.recording
    ours = recording.get('id') == view.episode.get('id')
    return recording if ours and recording.get('state') != 'waiting' else {}


def _alarms(view: View) -> list[tuple[bool, str]]:
    recording = _recording(view)
    told = [*recording.get('alarms', ()), *recording.get('problems', ())]
    if not recording.get('good', True):
        told += recording.get('reasons', ())
    if view.teleop.get('problem'):
        told.append(view.teleop['problem'])
    return list(dict.fromkeys([*((True, text) for text in told), *view.complaints]))


def _keys(view: View) -> list[list[Piece]]:
    keyboard = view.keyboard
    key = keyboard.key_of
    letters = ' '.join(name for name in keyboard.move if len(name) == 1)
    head = ' '.join(keyboard.look)
    texts = [
        f'drive    hold {letters} or arrows, Shift: fast   {key("emergency_stop")} STOP   '
        f'{key("release")} release stop',
        f'also     {key("kick")} kick   {key("look_centre")} look ahead   hold {head} turn the '
        'head',
        f'policy   hold {keyboard.policy} let it drive   {key("takeover")} keep it out, let it in',
        f'episode  {key("episode_start")} begin   {key("episode_success")} success   '
        f'{key("episode_failure")} failure   {key("episode_keep")} keep',
        f'         {key("episode_discard")} discard   {key("episode_rerecord")} record again   '
        'Ctrl-C end',
    ]
    if view.pad is not None:
        label = view.pad.label
        texts.append(
            f'gamepad  hold {label("deadman")}   '
            + '   '.join(
                f'{label(name)} {word}'
                for name, word in (
                    ('turbo', 'fast'),
                    ('kick', 'kick'),
                    ('emergency_stop', 'STOP'),
                    ('episode_start', 'begin'),
                )
                if view.pad.has(name)
            )
        )
    return [[(text, DIM)] for text in texts]


def _middle(view: View, columns: int, rows: int, unicode: bool) -> list[list[Piece]]:
    """Return the field on the left and numbers on the right."""
    numbers = _numbers(view)
    width = min(columns - 36, int(rows * 2.1 * _span(view.pitch)[0] / _span(view.pitch)[1]))
    if width < 20 or rows < 6:
        return (numbers + [[]] * rows)[:rows]
    drawn = draw_field(view.pitch, view.robot, view.ball, width, rows, unicode)
    numbers += [[]] * (rows - len(numbers))
    return [[*row, ('  ', ''), *line] for row, line in zip(drawn, numbers)]


def _span(pitch: Field) -> tuple[float, float]:
    return pitch.length + 2 * pitch.border, pitch.width + 2 * pitch.border


def draw_field(
    pitch: Field,
    robot: np.ndarray | None,
    ball: np.ndarray | None,
    width: int,
    rows: int,
    unicode: bool = True,
) -> list[list[Piece]]:
    """Return rows of the field from above, the opponents' goal on the right, as styled pieces."""
    span = _span(pitch)
    cells = [[(' ', '')] * width for _ in range(rows)]

    def put(x: float, y: float, sign: str, style: str) -> None:
        if not (math.isfinite(x) and math.isfinite(y)):
            return
        column = int((x / span[0] + 0.5) * width)
        row = int((0.5 - y / span[1]) * rows)
        cells[min(max(row, 0), rows - 1)][min(max(column, 0), width - 1)] = sign, style

    line = '·' if unicode else '.'
    for x in np.linspace(-pitch.length / 2, pitch.length / 2, 2 * width):
        for y in (-pitch.width / 2, pitch.width / 2):
            put(x, y, line, DIM)
    for y in np.linspace(-pitch.width / 2, pitch.width / 2, 3 * rows):
        for x in (-pitch.length / 2, pitch.length / 2, pitch.halfway_line):
            put(x, y, line, DIM)
    for y in np.linspace(-pitch.goal_width / 2, pitch.goal_width / 2, 3 * rows):
        put(pitch.length / 2, y, '║' if unicode else '#', BOLD)
    if robot is not None and np.isfinite(robot).all():
        arrows = _ARROWS if unicode else _ASCII_ARROWS
        put(robot[0], robot[1], arrows[round(robot[2] / (math.pi / 4)) % 8], BANNER_GOOD)
    if ball is not None:
        put(ball[0], ball[1], 'o', BANNER)
    return cells


def _degrees(angle: float) -> float:
    return math.degrees(math.remainder(angle, 2 * math.pi))


def _numbers(view: View) -> list[list[Piece]]:
    def velocity(values: np.ndarray | None) -> str:
        return (
            f'{values[0]:+.2f} {values[1]:+.2f} m/s {values[2]:+.2f} rad/s'
            if values is not None
            else 'nothing'
        )

    teleop, safety = view.teleop, view.safety
    pan, tilt = teleop.get('head', (0.0, 0.0))
    speed = next((name for name in ('slow', 'turbo') if name in view.pressed), 'normal')
    held = 'held' if 'deadman' in view.pressed else 'not held'
    locks = ', '.join(safety.get('locks', ())) or 'none'
    policy = 'running' if teleop.get('policy') else 'none'
    if teleop.get('taken_over'):
        policy = 'kept out'
    rows = [
        ('sent', velocity(view.command)),
        ('wanted', velocity(view.wish)),
        ('by', view.commander or 'nobody'),
        ('dead-man', f'{held}, speed {speed}'),
        ('head', f'pan {math.degrees(pan):+.0f}, tilt {math.degrees(tilt):+.0f} deg'),
        ('policy', policy),
        ('locks', locks),
    ]
    if view.robot is not None:
        rows.append(
            (
                'robot',
                f'{view.robot[0]:+.2f} {view.robot[1]:+.2f} m {_degrees(view.robot[2]):+.0f} deg',
            )
        )
        if view.has_ball:
            rows.append(
                (
                    'ball',
                    'not seen'
                    if view.ball is None or not np.isfinite(view.ball).all()
                    else f'{view.ball[0]:+.2f} {view.ball[1]:+.2f} m',
                )
            )
        rows.append(('seen by', view.seen_by))
    return [[(f'{name:<9}', DIM), (text, '')] for name, text in rows]
