"""The screen of `guda teleop` as text."""

import re

import numpy as np
import pytest

from guda_ros.cli.screens.teleop import draw_field, screen, View
from guda_ros.control.joystick import JoystickMap
from guda_ros.control.keyboard import KeyboardMap
from guda_ros.soccer.field import Field

PITCH = Field.load('spl')
DRIVEN = {'stopped': False, 'in_charge': 'teleop', 'reasons': {}, 'locks': []}


def view(**more) -> View:
    return View(
        title='drive  nao_v6  domain 3',
        device='keyboard',
        pitch=PITCH,
        keyboard=KeyboardMap.load(),
        **{'safety': DRIVEN, **more},
    )


def text(view, columns=80, rows=24, **more) -> str:
    return '\n'.join(screen(view, columns, rows, colour=False, **more))


LONG = view(
    teleop={
        'episode': {'running': True, 'told': 'x' * 200},
        'head': [1.0, -0.5],
        'problem': 'y' * 200,
    },
    recording={'id': 'w' * 200, 'state': 'recording', 'problems': ['z' * 300] * 9},
    episode={'id': 'w' * 200},
    command=np.array([0.25, -0.2, 2.0]),
    commander='intervention',
    robot=np.array([9.0, -9.0, 30.0]),
    ball=np.array([0.0, np.nan]),
    pad=JoystickMap.load('ps4'),
    complaints=[(False, 'v' * 100)] * 20,
)


@pytest.mark.parametrize('columns, rows', [(80, 24), (200, 60), (60, 20), (40, 12), (20, 6)])
@pytest.mark.parametrize('shown', [view(), LONG], ids=['empty', 'full'])
def test_it_fits_every_terminal(shown, columns, rows):
    for colour in (True, False):
        lines = screen(shown, columns, rows, colour=colour)
        plain = [re.sub(r'\x1b\[[0-9;]*m', '', line) for line in lines]
        assert len(plain) <= rows and max(map(len, plain)) <= columns
        assert colour or not any('\x1b' in line for line in lines)


def test_80_columns_and_24_rows_show_field_state_and_all_keys():
    shown = view(
        robot=np.array([-2.0, 1.0, 0.0]),
        ball=np.array([1.0, 0.0]),
        command=np.array([0.1, 0.0, -0.3]),
        commander='teleop',
    )
    assert 'hold a key to drive' in text(view(commander='teleop', command=np.zeros(3)))
    said = text(shown)
    assert 'YOU DRIVE' in said and '+0.10 +0.00 m/s -0.30 rad/s' in said
    for words in (
        'space STOP',
        'u release',
        'f kick',
        'c look',
        't keep it out',
        'n begin',
        'y success',
        'x failure',
        'enter keep',
        'backspace discard',
        'r record again',
        'hold p',
        'hold j l i k',
        'hold w s a d q e',
        'Ctrl-C end',
    ):
        assert words in said, words
    assert '→' in said and 'o' in said and '║' in said


def test_ascii_terminals_get_ascii():
    shown = view(robot=np.array([-2.0, 1.0, 0.0]), ball=np.array([1.0, 0.0]))
    assert text(shown, unicode=False).isascii()


@pytest.mark.parametrize('has_ball', [True, False])
def test_a_ball_is_missed_only_where_the_task_has_one(has_ball):
    shown = text(view(robot=np.zeros(3), seen_by='perception', has_ball=has_ball))
    assert re.search(r'seen by +perception', shown)
    assert bool(re.search('ball +not seen', shown)) == has_ball


def test_robot_and_ball_are_where_they_are():
    rows = draw_field(PITCH, np.array([-4.5, 3.0, np.pi / 2]), np.array([4.4, -2.9]), 52, 20)
    signs = [''.join(sign for sign, _ in row) for row in rows]
    # 10.4 m over 52 columns, 7.4 m over 20 rows; the carpet is .7 m wider than the lines.
    robot = next((i, line.index('↑')) for i, line in enumerate(signs) if '↑' in line)
    ball = next((i, line.index('o')) for i, line in enumerate(signs) if 'o' in line)
    assert robot == (1, 3) and ball == (17, 48)


@pytest.mark.parametrize(
    'angle, sign',
    [(0, '→'), (0.7, '↗'), (1.6, '↑'), (2.4, '↖'), (3.1, '←'), (-3.1, '←'), (-0.8, '↘')],
)
def test_the_robot_points_where_it_looks(angle, sign):
    rows = draw_field(PITCH, np.array([1.0, 1.0, angle]), None, 52, 20)
    assert sign in ''.join(sign for row in rows for sign, _ in row)


@pytest.mark.parametrize(
    'more, expected',
    [
        ({'silent': ['safety']}, 'NO WORD FROM SAFETY'),
        (
            {'safety': {**DRIVEN, 'stopped': True, 'cause': 'joystick'}},
            'EMERGENCY STOP by joystick: u releases it',
        ),
        ({'safety': {**DRIVEN, 'locks': ['pause']}}, 'LOCKED by lock/pause'),
        ({'commander': 'intervention', 'command': np.ones(3)}, 'YOU CORRECT THE POLICY'),
        ({'commander': 'policy', 'command': np.ones(3)}, 'THE POLICY DRIVES'),
        (
            {
                'commander': 'safety',
                'command': np.zeros(3),
                'teleop': {'policy': True},
                'safety': {**DRIVEN, 'reasons': {'policy': 'no_deadman'}},
            },
            'hold p to let the policy drive',
        ),
        ({'note': 'the gamepad is gone'}, 'the gamepad is gone'),
        ({}, 'the robot stands: hold a key to drive'),
    ],
)
def test_the_banner_says_who_drives_and_why_nobody_does(more, expected):
    assert expected in text(view(**more)).splitlines()[1]


def test_an_episode_that_is_not_good_enough_says_so():
    said = text(
        view(
            recording={
                'id': 'a_1',
                'state': 'closed',
                'good': False,
                'reasons': ['camera stopped'],
            },
            episode={'id': 'a_1', 'verdict': 'scored'},
            teleop={'episode': {'told': 'scored: keep, discard or record again?'}},
        )
    )
    assert 'SCORED a_1' in said and 'NOT GOOD ENOUGH' in said and 'ALARM camera stopped' in said
    assert 'keep, discard or record again?' in said


def test_what_to_demonstrate_next_is_shown():
    told = {
        'episodes': 4,
        'acceptance': 0.7,
        'covered': 0.5,
        'gained': 0.125,
        'next': 'in front of the ball, 0.5 to 1.5 m away',
        'problems': [],
    }
    shown = text(view(augmentation=told), columns=120)
    assert (
        'augmentation after 4 episodes: 70% accepted, 50% of the approaches covered (+12%); '
        'show next: robot in'
    ) in shown


def test_what_the_recorder_said_of_an_earlier_episode_is_not_shown():
    said = text(
        view(
            recording={'id': 'a_1', 'state': 'closed', 'good': False, 'reasons': ['bad']},
            episode={'id': 'a_2'},
            teleop={'episode': {'running': True}},
        )
    )
    assert 'GOOD' not in said and 'bad' not in said and 'RUNNING' in said
