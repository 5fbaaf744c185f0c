"""Keys of a terminal: what the bytes are, and which key counts as held."""

import numpy as np
import pytest
import yaml

from guda_ros.config.files import ConfigError, find_config
from guda_ros.control.keyboard import FOCUS_LOST, Keyboard, KeyboardMap, KeyReader

#: Delay and period of the key repeat of Linux' console, of X and of a terminal behind SSH [s].
REPEATS = [(0.25, 0.092), (0.5, 0.033), (0.5, 0.1), (0.2, 0.03)]


def keyboard():
    return Keyboard(KeyboardMap.load())


def test_bytes_of_a_terminal_become_names_of_keys():
    assert KeyReader().read(b'wW \r\x7f\x1b[A\x1bOD\x1b[1;2C') == [
        'w',
        'W',
        'space',
        'enter',
        'backspace',
        'up',
        'left',
        'RIGHT',
    ]


def test_sequences_may_come_in_pieces_of_any_size():
    reader, keys = KeyReader(), []
    for byte in b'w\x1b[Bs\x1bOC\x1b[1;2Ad':
        keys += reader.read(bytes([byte]))
    assert keys == ['w', 'down', 's', 'right', 'UP', 'd']


@pytest.mark.parametrize(
    'data',
    [
        b'\x1b[15~',
        b'\x1bw',
        b'\x1bB',
        b'\x1b\x1b[1;3P',
        b'\x1b[<0;10;10M',
        b'\x01\x02',
        b'\x1b[I',
        b'\x1b[200~wwww\x1b[Annn\x1b[201~',
    ],
    ids=['F5', 'Alt-w', 'Alt-B', 'Alt-F1', 'mouse', 'control', 'focus', 'pasted'],
)
def test_what_is_no_key_of_ours_drives_nothing(data):
    board = keyboard()
    reader = KeyReader()
    board.press(reader.read(data), 1.0)
    state = board.state(1.0)
    assert not state.pressed and not state.action.any()
    # It leaves the reader in order.
    assert reader.read(b'w') == ['w']


def test_arrows_with_alt_are_arrows():
    assert KeyReader().read(b'\x1b\x1b[A') == ['up']


def test_a_lost_focus_lets_go():
    board = keyboard()
    board.press(['w'], 1.0)
    assert board.state(1.0).deadman
    board.press(KeyReader().read(b'\x1b[O'), 1.1)
    assert KeyReader().read(b'\x1b[O') == [FOCUS_LOST]
    assert not board.state(1.1).pressed


@pytest.mark.parametrize('delay, period', REPEATS)
def test_a_held_key_drives_without_a_gap_and_a_release_stops_soon(delay, period):
    board, presses = keyboard(), [0.0]
    while presses[-1] < 2.0:
        presses.append(presses[-1] + (delay if len(presses) == 1 else period))
    for now in np.arange(0.0, presses[-1], 0.01):
        while presses and presses[0] <= now:
            board.press(['w'], presses.pop(0))
        assert board.state(now).action[0] > 0
    last = presses.pop()
    board.press(['w'], last)
    assert board.state(last + 0.19).deadman
    state = board.state(last + 0.21)
    assert not state.pressed and not state.action.any()


def test_a_tap_ends_after_the_time_that_the_repeat_may_take():
    board = keyboard()
    board.press(['w'], 5.0)
    assert board.state(5.59).deadman
    assert not board.state(5.61).pressed


def test_another_key_ends_the_first_at_once():
    board = keyboard()
    board.press(['w'], 1.0)
    board.press(['a'], 1.1)
    np.testing.assert_allclose(board.state(1.1).action, [0, 0, 0.3])
    board.press(['5'], 1.2)
    assert not board.state(1.2).pressed


def test_shift_is_turbo():
    board = keyboard()
    board.press(['w'], 1.0)
    np.testing.assert_allclose(board.state(1.0).action, [0.6, 0, 0])
    board.press(['UP'], 2.0)
    state = board.state(2.0)
    np.testing.assert_allclose(state.action, [1, 0, 0])
    assert state.pressed == {'deadman', 'turbo'}


def test_a_button_is_told_once_and_stops_the_robot():
    board = keyboard()
    board.press(['w'], 1.0)
    board.press(['y', 'y', 'y'], 1.1)
    state = board.state(1.1)
    assert state.pressed == {'episode_success'} and not state.action.any()
    assert not board.state(1.14).pressed


def test_emergency_stop_and_kick_come_with_what_they_need():
    board = keyboard()
    board.press(['space'], 1.0)
    assert board.state(1.0).pressed == {'emergency_stop'}
    board.press(['f'], 2.0)
    assert board.state(2.0).pressed == {'kick', 'deadman'}


def test_what_was_held_up_moves_nothing_but_stops():
    board = keyboard()
    board.press(['w'], 1.0)
    board.press_late(['w', 'n', 'f'])
    assert not board.state(1.0).pressed and not board.state(1.0).action.any()
    board.press_late(['w', 'space', 'space', 'w'])
    assert board.state(1.0).pressed == {'emergency_stop'}


def test_escape_before_the_space_bar_does_not_keep_it_from_stopping():
    board = keyboard()
    reader = KeyReader()
    board.press(['w'], 1.0)
    board.press([*reader.read(b'\x1b'), *reader.read(b' ')], 1.1)
    state = board.state(1.1)
    assert state.pressed == {'emergency_stop'} and not state.action.any()


def test_the_head_needs_no_dead_man_and_the_policy_nothing_else():
    board = keyboard()
    board.press(['i'], 1.0)
    state = board.state(1.0)
    np.testing.assert_allclose(state.look, [0, -1])
    assert not state.pressed and not state.action.any()
    board.press(['p'], 2.0)
    state = board.state(2.0)
    assert state.pressed == {'deadman'} and not state.action.any()


@pytest.mark.parametrize('name', ['qwerty', 'azerty'])
def test_every_key_has_one_meaning_and_every_button_a_key(name):
    board = KeyboardMap.load(name)
    for button in (
        'emergency_stop',
        'release',
        'kick',
        'look_centre',
        'takeover',
        'episode_start',
        'episode_success',
        'episode_failure',
        'episode_keep',
        'episode_discard',
        'episode_rerecord',
    ):
        assert board.key_of(button), button
    assert all(len(action) == 3 for action in board.move.values())


@pytest.mark.parametrize(
    'change, message',
    [
        ({'move': {'w': [2, 0, 0]}}, 'move.w'),
        ({'move': {'f': [1, 0, 0]}}, "'f' is used twice"),
        ({'move': {'W': [1, 0, 0]}}, "'W' is no key"),
        ({'buttons': {'g': 'sing'}}, 'buttons.g'),
        ({'first_hold': 0}, 'first_hold'),
        ({'colour': 'red'}, 'colour'),
    ],
)
def test_wrong_maps_are_refused_naming_the_key(tmp_path, change, message):
    content = yaml.safe_load(find_config('keyboards', 'qwerty').read_text())
    for key, value in change.items():
        if isinstance(value, dict):
            content[key].update(value)
        else:
            content[key] = value
    path = tmp_path / 'keys.yaml'
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=message):
        KeyboardMap.load(path)
