"""Gamepad maps and the search for a ball."""

import numpy as np
import pytest
import yaml

from guda_ros.config.files import ConfigError, find_config
from guda_ros.control.joystick import JoystickMap
from guda_ros.control.search import BallSearch

MAPS = ('logitech', 'ps4', 'ps5', 'switch_pro', 'xbox')


def pads(**changes):
    """Return axes and buttons of an xbox pad at rest but for index=value pairs."""
    axes, buttons = [0.0] * 8, [0] * 11
    for name, value in changes.items():
        (axes if name[0] == 'a' else buttons)[int(name[1:])] = value
    return axes, buttons


def test_sticks_of_an_xbox_pad_become_an_action_beyond_the_dead_zone():
    joystick = JoystickMap.load('xbox')
    # Dead zone 0.1: 0.55 is half way between its edge and full, which is 0.6 without turbo.
    state = joystick.decode(*pads(a1=0.55, a0=-1.0, a3=0.1, b4=1))
    np.testing.assert_allclose(state.action, [0.3, -0.6, 0.0])
    assert state.deadman and not state.emergency_stop and not state.problem


def test_buttons_have_names():
    state = JoystickMap.load('xbox').decode(*pads(b1=1, b7=1, b0=1))
    assert state.emergency_stop and state.release and not state.deadman
    assert state.pressed == {'emergency_stop', 'release', 'kick'}


def test_triggers_and_d_pad_serve_as_buttons():
    joystick = JoystickMap.load('xbox')
    # At rest a trigger says 1, before it was first touched 0.
    assert not joystick.decode(*pads(a2=1.0, a5=0.0)).pressed
    assert joystick.decode(*pads(a5=-1.0)).pressed == {'slow'}
    for axes, button in (
        ({'a7': 1.0}, 'episode_start'),
        ({'a7': -1.0}, 'episode_discard'),
        ({'a6': 1.0}, 'episode_rerecord'),
        ({'a6': -1.0}, 'episode_keep'),
    ):
        assert joystick.decode(*pads(**axes)).pressed == {button}


def test_turbo_and_slow_scale_the_action():
    joystick = JoystickMap.load('xbox')
    np.testing.assert_allclose(joystick.decode(*pads(a1=1.0, b4=1, b5=1)).action, [1.0, 0, 0])
    np.testing.assert_allclose(joystick.decode(*pads(a1=1.0, b4=1, a5=-1.0)).action, [0.3, 0, 0])


def test_the_stick_that_turns_the_robot_turns_the_head_instead_while_look_is_held():
    joystick = JoystickMap.load('xbox')
    sticks = {'a1': 1.0, 'a3': 1.0, 'a4': 0.55, 'b4': 1}
    state = joystick.decode(*pads(**sticks))
    np.testing.assert_allclose(state.action, [0.6, 0, 0.6])
    assert not state.look.any()
    state = joystick.decode(*pads(a2=-1.0, **sticks))
    np.testing.assert_allclose(state.action, [0.6, 0, 0])
    # Left, and half of the way up: down is positive.
    np.testing.assert_allclose(state.look, [1.0, -0.5])


def test_the_head_is_encoded_as_it_is_decoded():
    for name in MAPS:
        joystick = JoystickMap.load(name)
        state = joystick.decode(*joystick.encode([0.5, 0.2, 0], look=[-0.25, 0.75]))
        np.testing.assert_allclose(state.look, [-0.25, 0.75])
        np.testing.assert_allclose(state.action, [0.5, 0.2, 0])


@pytest.mark.parametrize('name', MAPS)
def test_encode_is_the_inverse_of_decode_in_the_precision_of_joy(name):
    joystick, rng = JoystickMap.load(name), np.random.default_rng(2)
    actions = rng.uniform(-1, 1, (200, 3))
    actions[:50] *= 1e-3
    actions[50:100][rng.random((50, 3)) < 0.5] = 0
    for action in (*actions, np.ones(3), -np.ones(3), np.zeros(3)):
        axes, buttons = joystick.encode(action)
        assert len(axes) == joystick.axis_count and len(buttons) == joystick.button_count
        assert np.max(np.abs(axes)) <= 1
        state = joystick.decode(np.float32(axes), buttons)
        np.testing.assert_allclose(state.action, action, atol=2e-7)
        assert np.all((state.action == 0) == (action == 0))
        assert state.pressed == {'deadman', 'turbo'}


def test_encode_presses_further_buttons_and_leaves_the_dead_man_alone_if_told_so():
    joystick = JoystickMap.load('xbox')
    state = joystick.decode(*joystick.encode(np.zeros(3), False, ('emergency_stop',)))
    assert state.pressed == {'emergency_stop'}
    with pytest.raises(ValueError, match="no button 'trumpet'"):
        joystick.encode(np.zeros(3), pressed=('trumpet',))


def test_encode_of_a_senseless_action_leaves_the_sticks_in_the_middle():
    axes, _ = JoystickMap.load('xbox').encode([np.nan, 1, 1])
    assert not any(axes)


@pytest.mark.parametrize(
    'axes, buttons',
    [([0.0] * 2, [1] * 11), ([0.0] * 8, [1] * 6), ([], []), ([np.nan] * 8, [1] * 11)],
)
def test_message_of_another_joystick_never_holds_the_dead_man(axes, buttons):
    state = JoystickMap.load('xbox').decode(axes, buttons)
    assert state.problem and not state.deadman and not np.any(state.action)
    assert state.emergency_stop == (len(buttons) > 1)
    assert state.pressed <= {'emergency_stop'}


def test_a_message_that_comes_late_can_only_let_go_and_stop():
    joystick = JoystickMap.load('xbox')
    held = joystick.encode([1, 0, 0], pressed=('release', 'emergency_stop'))
    state = joystick.decode(*held, late=True)
    assert state.problem and state.pressed == {'emergency_stop'} and not state.action.any()
    assert not joystick.decode(*joystick.encode([0, 0, 0], deadman=False), late=True).problem


def test_whatever_the_axes_say_the_action_is_within_one():
    joystick, rng = JoystickMap.load('ps4'), np.random.default_rng(3)
    odd = [np.nan, np.inf, -np.inf, 1e308, -0.0]
    for _ in range(1000):
        axes = rng.normal(size=8) * 10.0 ** rng.integers(-3, 4)
        if rng.random() < 0.3:
            axes[rng.integers(8)] = rng.choice(odd)
        action = joystick.decode(axes, rng.integers(0, 2, 13)).action
        assert action.shape == (3,) and np.all(np.abs(action) <= 1)


@pytest.mark.parametrize(
    'change, message',
    [
        ({'dead_zone': 1.5}, 'dead_zone'),
        ({'axes': {'forward': {'index': 99, 'sign': 1}}}, 'axes.forward.index'),
        ({'axes': {'forward': {'index': 1, 'sign': 0}}}, 'axes.forward.sign'),
        ({'axes': {'forward': {'index': 0, 'sign': 1}}}, 'used twice'),
        ({'buttons': {'deadman': 1}}, 'used twice'),
        ({'buttons': {'deadman': -1}}, 'buttons.deadman'),
        ({'buttons': {'emergency_stop': -1}}, 'buttons.emergency_stop'),
        ({'buttons': {'sing': 3}}, 'buttons.sing'),
        ({'buttons': {'kick': {'index': 1, 'sign': 1}}}, 'used twice'),
        ({'buttons': {'look': -1}}, 'buttons.look'),
        ({'buttons': {'turbo': -1}}, 'normal_scale'),
        ({'colour': 'red'}, 'colour'),
    ],
)
def test_wrong_maps_are_refused_naming_the_key(tmp_path, change, message):
    content = yaml.safe_load(find_config('joysticks', 'xbox').read_text())
    for key, value in change.items():
        if isinstance(value, dict):
            content[key].update(value)
        else:
            content[key] = value
    path = tmp_path / 'pad.yaml'
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=message):
        JoystickMap.load(path)


def test_unknown_map_lists_those_there_are():
    with pytest.raises(ConfigError, match='logitech, ps4, ps5, switch_pro, xbox'):
        JoystickMap.load('wheel')


def test_search_turns_toward_the_side_where_the_ball_was_last_seen():
    assert BallSearch(0.8).command(5.0, 0.3).tolist() == [0, 0, 0.8]
    assert BallSearch(0.8).command(5.0, -0.3).tolist() == [0, 0, -0.8]
    # 200 degrees to the left is 160 degrees to the right.
    assert BallSearch(0.8).command(5.0, np.radians(200)).tolist() == [0, 0, -0.8]


def test_search_for_a_ball_that_was_never_seen_turns_left():
    assert BallSearch(1.0).command(None, None).tolist() == [0, 0, 1.0]
    assert BallSearch(1.0).command(9.0, float('nan')).tolist() == [0, 0, 1.0]


def test_search_keeps_its_side_when_the_remembered_place_passes_behind_the_robot():
    search = BallSearch(1.0)
    turns = [search.command(4.0 + 0.1 * step, 0.5 - 0.1 * step)[2] for step in range(40)]
    assert turns == [1.0] * 40


def test_search_begins_anew_after_the_ball_was_seen():
    search = BallSearch(1.0)
    assert search.command(5.0, 1.0)[2] == 1.0
    assert search.command(4.1, -1.0)[2] == -1.0
    search.reset()
    assert search.command(4.2, 1.0)[2] == 1.0


@pytest.mark.parametrize('speed', [0, -1, float('nan'), float('inf')])
def test_search_needs_a_positive_speed(speed):
    with pytest.raises(ValueError, match='turn_speed'):
        BallSearch(speed)


def test_the_axes_and_buttons_of_game_controller_node_have_a_map_and_the_message_names_it():
    # ros-drivers/joystick_drivers, joy/README.md: triggers are 0 at rest and -1 when pressed.
    axes, buttons = [0.0, 1.0, 0.5, 0.0, -1.0, 0.0], [0] * 21
    buttons[9] = buttons[1] = 1
    state = JoystickMap.load('game_controller').decode(axes, buttons)
    assert {'deadman', 'emergency_stop', 'look'} == state.pressed and not state.problem
    np.testing.assert_allclose(state.action, [0.6, 0, 0], atol=0.01)
    assert state.look[0] > 0.4
    wrong = JoystickMap.load('xbox').decode(axes, buttons)
    assert wrong.problem.endswith('choose the map of this joystick: game_controller')
