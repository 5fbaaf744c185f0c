"""The teleop node as a process, alone and before the safety node."""

import os
import signal
import time

from node_trial import NodeTrial, SECOND
import pytest

from guda_ros.ros.diagnostics import WARN

TELEOP = 'cmd_vel/teleop'
ZERO = [0.0, 0.0, 0.0]


@pytest.fixture(scope='module')
def shared(tmp_path_factory):
    with NodeTrial({'teleop': {}}, tmp_path_factory.mktemp('log'), listen=(TELEOP,)) as trial:
        yield trial


@pytest.fixture
def pad(shared):
    """A teleop node whose dead-man is not held."""
    shared.joy(deadman=False)
    shared.spin(0.2)
    shared.commands.clear()
    return shared


def test_action_becomes_a_command_with_the_stamp_of_the_joystick(pad):
    stamp = pad.joy([0.5, -1.0, 0.25])
    # NAO: half of 0.25 m/s, right at 0.2 m/s, a quarter of 120 deg/s.
    assert pad.answer(stamp) == pytest.approx([0.125, -0.2, 0.5235988], abs=1e-6)
    assert pad.answer(pad.joy([-1.0, 0, 0])) == pytest.approx([-0.15, 0, 0], abs=1e-6)


def test_nothing_is_sent_while_the_dead_man_is_not_held(pad):
    for _ in range(5):
        pad.joy([1.0, 1.0, 1.0], deadman=False)
    pad.spin(0.3)
    assert not pad.commands


def test_letting_go_sends_one_zero_and_then_nothing(pad):
    pad.answer(pad.joy([1.0, 0, 0]))
    pad.commands.clear()
    stamps = [pad.joy([1.0, 0, 0], deadman=False) for _ in range(5)]
    pad.spin(0.3)
    assert [(command, stamp) for _, command, stamp, _ in pad.commands] == [(ZERO, stamps[0])]


def test_silent_joystick_sends_one_zero_and_then_nothing(pad):
    stamp = pad.joy([1.0, 0, 0])
    pad.answer(stamp)
    pad.commands.clear()
    begin = time.monotonic()
    assert pad.wait_for(lambda: pad.commands)
    assert 0.3 <= time.monotonic() - begin <= 0.9
    pad.spin(0.7)
    assert [command for _, command, _, _ in pad.commands] == [ZERO]
    assert pad.commands[0][2] == stamp + SECOND // 2


def test_emergency_stop_button_sends_zero_though_the_dead_man_is_held(pad):
    pad.answer(pad.joy([1.0, 0, 0]))
    assert pad.answer(pad.joy([1.0, 0, 0], pressed=('emergency_stop',))) == ZERO


def test_foreign_joystick_moves_nothing_and_is_a_warning(pad):
    pad.answer(pad.joy([1.0, 0, 0]))
    pad.commands.clear()
    for _ in range(20):
        pad.raw_joy([1.0, 1.0], [1] * 4, pad.now())
    assert pad.wait_for(
        lambda: 'choose the map' in pad.diagnostics.get('/teleop', ('', ''))[1])
    assert pad.diagnostics['/teleop'][0] == WARN
    assert [command for _, command, _, _ in pad.commands] == [ZERO]
    assert pad.log('teleop').count('choose the map') == 1


def test_plain_twist_by_parameter(tmp_path):
    with NodeTrial({'teleop': {'stamped': False, 'joystick': 'xbox'}}, tmp_path,
                   listen=(TELEOP,), plain=True) as pad:
        pad.joy([1.0, 0, 0])
        assert pad.wait_for(lambda: pad.commands)
        assert pad.commands[0][1] == pytest.approx([0.25, 0, 0])


def test_simulated_time_that_jumps_to_the_next_episode_is_not_answered(tmp_path):
    with NodeTrial({'teleop': {'use_sim_time': True}}, tmp_path, listen=(TELEOP,)) as pad:
        stamp = 10 * SECOND
        pad.clock(stamp)
        pad.spin(0.1)
        assert pad.answer(pad.joy([1.0, 0, 0], stamp=stamp))[0] > 0
        # A pause is no silence.
        pad.spin(0.7)
        assert len(pad.commands) == 1
        pad.clock(stamp + 2 * SECOND)
        assert pad.wait_for(lambda: len(pad.commands) == 2)
        assert pad.commands[1][1:3] == (ZERO, stamp + SECOND // 2)


def test_robot_is_stopped_within_the_timeout_when_teleop_is_killed_in_motion(tmp_path):
    with NodeTrial({'teleop': {}, 'safety': {}}, tmp_path) as robot:
        begin = time.monotonic()
        while len(robot.commands) < 5 and time.monotonic() - begin < 10:
            robot.joy([1.0, 0, 0.5])
            robot.spin(0.05)
        assert robot.commands[-1][1] == pytest.approx([0.25, 0, 1.0471976], abs=1e-6)
        os.kill(robot.graph.pids['teleop'], signal.SIGKILL)
        killed = time.monotonic()
        # The person still holds the stick: only the commands have ended.
        while robot.commands[-1][1] != ZERO and time.monotonic() - killed < 3:
            robot.joy([1.0, 0, 0.5])
            robot.spin(0.05)
        assert robot.commands[-1][1] == ZERO
        assert robot.commands[-1][3] - killed <= 0.5 + 0.4
        assert 'teleop fell silent' in robot.log('safety')
