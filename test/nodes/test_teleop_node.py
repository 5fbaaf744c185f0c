"""The teleop node as a process, alone and before the safety node."""

import json
import os
import signal
import time

from node_trial import NodeTrial, SECOND
import pytest
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, String

from guda_ros.data.contract import Contract
from guda_ros.ros.diagnostics import WARN
from guda_ros.ros.qos import LATCHED

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
    assert pad.wait_for(lambda: 'choose the map' in pad.diagnostics.get('/teleop', ('', ''))[1])
    assert pad.diagnostics['/teleop'][0] == WARN
    assert [command for _, command, _, _ in pad.commands] == [ZERO]
    assert pad.log('teleop').count('choose the map') == 1


def test_sticks_without_turbo_are_slower(pad):
    axes, buttons = [0.0] * 8, [0] * 11
    axes[1], buttons[4] = 1.0, 1
    stamp = pad.now()
    pad.raw_joy(axes, buttons, stamp)
    assert pad.answer(stamp) == pytest.approx([0.15, 0, 0])


def test_a_press_of_the_kick_button_kicks_once_and_only_with_the_dead_man(pad):
    asked = pad.listen(Bool, 'kick/teleop')
    for deadman in (True, True, True, False, False, False, True):
        pad.joy(deadman=deadman, pressed=() if not deadman and asked else ('kick',))
        pad.spin(0.05)
    assert len(asked) == 2
    pad.joy(deadman=False)
    pad.spin(0.1)
    pad.joy(deadman=False, pressed=('kick',))
    pad.spin(0.2)
    assert len(asked) == 2


def test_the_head_turns_while_look_is_held_and_looks_ahead_again(pad):
    asked = pad.listen(JointState, 'head/command/teleop')
    for _ in range(10):
        pad.joy(deadman=False, look=(1.0, 0.5))
        pad.spin(0.05)
    pan, tilt = asked[-1].position
    assert 0.3 < pan < 0.8 and tilt == pytest.approx(pan / 2, abs=1e-3)
    assert not pad.commands
    for _ in range(15):
        pad.joy(deadman=False, look=(0.0, 1.0))
        pad.spin(0.05)
    # The limit of the profile.
    assert asked[-1].position[1] == pytest.approx(0.5149)
    pad.joy(deadman=False, pressed=('look_centre',))
    assert pad.wait_for(lambda: list(asked[-1].position) == [0, 0])


def test_the_takeover_button_switches_the_lock(pad):
    told = pad.listen(Bool, 'lock/takeover', LATCHED)
    for count in (1, 2):
        pad.joy(deadman=False, pressed=('takeover',))
        assert pad.wait_for(lambda count=count: len(told) >= count)
        pad.joy(deadman=False)
        pad.spin(0.1)
    assert [message.data for message in told] == [True, False]


def test_what_was_held_when_the_joystick_came_back_is_no_press(pad):
    told = pad.listen(Bool, 'lock/takeover', LATCHED)
    before = len(told)
    pad.spin(0.7)
    pad.joy(deadman=False, pressed=('takeover',))
    pad.spin(0.2)
    assert len(told) == before


def test_observations_are_answered_with_their_stamps(tmp_path):
    with NodeTrial({'teleop': {'answer': 'observation'}}, tmp_path, listen=(TELEOP,)) as pad:
        pad.joy(deadman=False)
        pad.observe()
        pad.spin(0.2)
        assert not pad.commands
        pad.joy([1.0, 0, 0])
        stamp = pad.observe()
        assert pad.answer(stamp) == pytest.approx([0.25, 0, 0])
        # Not each message of the joystick.
        silent = pad.joy([0.5, 0, 0])
        stamp = pad.observe()
        assert pad.answer(stamp) == pytest.approx([0.125, 0, 0])
        assert pad.answer(silent, 0.1) is None
        # Letting go waits for no observation, and keeps the order of the stamps.
        pad.joy(deadman=False)
        assert pad.wait_for(lambda: pad.commands[-1][1] == ZERO)
        assert pad.commands[-1][2] == stamp
        # Perception that has fallen silent stops nobody from driving.
        pad.spin(0.5)
        assert pad.answer(pad.joy([1.0, 0, 0])) == pytest.approx([0.25, 0, 0])
        # A wish that is old when it arrives moves nothing, whatever is seen now.
        pad.joy([1.0, 0, 0], stamp=pad.now() - SECOND)
        assert pad.wait_for(lambda: pad.commands[-1][1] == ZERO)
        assert pad.answer(pad.observe(), 0.3) is None
        assert 'heard too late' in pad.log('teleop')


def test_a_simulation_that_begins_anew_can_be_driven_at_once(tmp_path):
    with NodeTrial(
        {'teleop': {'use_sim_time': True, 'answer': 'observation'}}, tmp_path, listen=(TELEOP,)
    ) as pad:
        for begin in (100 * SECOND, 2 * SECOND):
            for step in range(4):
                stamp = begin + step * SECOND // 10
                pad.clock(stamp)
                pad.spin(0.05)
                pad.joy([1.0, 0, 0], stamp=stamp)
                pad.spin(0.05)
                pad.observe(stamp)
            assert pad.answer(stamp) == pytest.approx([0.25, 0, 0])


def test_where_a_policy_runs_moving_the_sticks_takes_over_and_resting_hands_back(tmp_path):
    with NodeTrial({'teleop': {'hand_over': 0.3}, 'safety': {}}, tmp_path) as robot:

        def drive(action, seconds, **more):
            commanders, end = [], time.monotonic() + seconds
            while time.monotonic() < end:
                robot.joy(action, **more)
                stamp = robot.command('policy', [0.1, 0, 0])
                robot.spin(0.05)
                commanders.append(robot.commanders.get(stamp))
            # What was in force, by the stamps of either.
            latest = max(robot.commanders)
            return robot.commanders[latest]

        assert drive([0, 0, 0], 1.5) == 'policy'
        robot.joy(pressed=('kick',))
        assert robot.wait_for(lambda: robot.kicks == 1)
        assert drive([1.0, 0, 0], 0.5) == 'intervention'
        assert robot.commands[-1][1] == pytest.approx([0.25, 0, 0])
        assert drive([0, 0, 0], 1.5) == 'policy'
        assert drive([0, 0, 0], 0.8, deadman=False) == 'safety'
        drive([0, 0, 0], 0.1, pressed=('takeover',))
        assert drive([0, 0, 0], 1.5) in ('intervention', 'safety')
        assert robot.commands[-1][1] == ZERO
        assert robot.teleop['taken_over']


def test_a_base_with_wheels_drives_through_safety_and_does_not_kick(tmp_path):
    # Its driver hears Twist; with stamps it is known what a command answers.
    wheels = {'robot': 'turtlebot4', 'stamped': True}
    with NodeTrial({'teleop': wheels, 'safety': wheels}, tmp_path) as robot:
        # Half of 0.31 m/s, nothing to the side, a quarter of 1.9 rad/s.
        for _ in range(3):
            stamp = robot.joy([0.5, 1.0, 0.25])
            command = robot.answer(stamp)
            if command is not None and any(command):
                break
        assert command == pytest.approx([0.155, 0.0, 0.475], abs=1e-6)
        robot.joy(pressed=('kick',))
        assert robot.wait_for(lambda: 'no kick: turtlebot4 has wheels' in robot.log('safety'))
        assert robot.kicks == 0


def test_episodes_on_a_robot_are_announced_at_the_press_of_buttons(tmp_path):
    with NodeTrial({'teleop': {'start_index': 3}}, tmp_path, listen=(TELEOP,)) as pad:
        events = pad.listen(String, 'episode', LATCHED)

        def press(button):
            pad.joy(deadman=False)
            pad.spin(0.1)
            pad.joy(deadman=False, pressed=(button,))
            pad.spin(0.3)
            return [json.loads(message.data) for message in events]

        def told():
            return pad.teleop['episode']['told']

        pad.joy(deadman=False)
        assert pad.wait_for(lambda: pad.teleop)
        assert 'ball:' in pad.teleop['episode']['place']
        assert press('episode_success') == [] and told() == 'no episode is running'
        first = press('episode_start')
        assert [event['phase'] for event in first] == ['reset', 'start']
        assert first[1]['start_index'] == 3 and len(first[1]['robot_start']) == 3
        assert first[1]['contract_hash'] == Contract.load().hash
        assert press('episode_start') == first and 'is running' in told()
        end = press('episode_success')[-1]
        assert (end['phase'], end['verdict'], end['id']) == ('end', 'scored', first[0]['id'])
        # Going on without a word keeps it.
        second = press('episode_start')[-1]
        assert second['start_index'] == 4 and pad.teleop['episode']['kept'] == 1
        assert press('episode_failure')[-1]['verdict'] == 'failed'
        # What the recorder could not record is not kept, and its start comes again.
        pad.publish(
            String,
            'data_collector/recording',
            String(data=json.dumps({'id': second['id'], 'state': 'failed'})),
            LATCHED,
        )
        press('episode_keep')
        assert pad.wait_for(lambda: f'{second["id"]} was NOT recorded' in told())
        assert press('episode_start')[-1]['start_index'] == 4
        assert pad.teleop['episode']['kept'] == 1
        assert press('episode_failure')[-1]['phase'] == 'end'
        # There is no recorder here that could set anything aside.
        press('episode_discard')
        assert pad.wait_for(lambda: 'data_collector/discard is not there' in told())


def test_plain_twist_by_parameter(tmp_path):
    with NodeTrial(
        {'teleop': {'stamped': False, 'joystick': 'xbox'}}, tmp_path, listen=(TELEOP,), plain=True
    ) as pad:
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
