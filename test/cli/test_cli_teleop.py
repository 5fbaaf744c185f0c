"""`guda teleop` in a pseudo-terminal, with real nodes: keys in, commands out, all ways to end."""

import os
import signal
import subprocess
import sys

from node_trial import NodeTrial
from pty_command import PtyCommand
import pytest

SLOW, ZERO = [0.15, 0.0, 0.0], [0.0, 0.0, 0.0]


@pytest.fixture(scope='module')
def trial(tmp_path_factory):
    with NodeTrial({'teleop': {}, 'safety': {}}, tmp_path_factory.mktemp('log')) as started:
        yield started


@pytest.fixture
def person(trial):
    """A person at a terminal of 80 columns and 24 rows, in the graph of the trial."""
    command = PtyCommand(
        'teleop',
        'attach',
        '--device',
        'keyboard',
        '--domain',
        str(trial.graph.domain),
        size=(80, 24),
    )
    command.before = command.mode()
    command.wait_for('the robot stands', meanwhile=lambda: trial.spin(0.02))
    trial.commands.clear()
    yield command
    command.close()


def drive(person, trial):
    """Hold the key until the robot goes."""
    person.hold(
        'w',
        lambda: trial.wait_for(
            lambda: len(trial.commands) > 3 and trial.commands[-1][1] == pytest.approx(SLOW), 0.02
        ),
    )


def stands(trial) -> bool:
    return trial.wait_for(lambda: trial.commands[-1][1] == ZERO)


def test_a_held_key_drives_and_its_release_stops(person, trial):
    silences = trial.log('teleop').count('fell silent')
    drive(person, trial)
    person.wait_for('YOU DRIVE', meanwhile=lambda: person.press('w'))
    assert stands(trial)
    # By the release, not because somebody fell silent.
    assert trial.log('teleop').count('fell silent') == silences
    person.wait_for('the robot stands', meanwhile=lambda: trial.spin(0.02))
    assert set(trial.commanders.values()) <= {'teleop', 'safety'}


def test_keys_stop_release_kick_and_turn_the_head(person, trial):
    spin = {'meanwhile': lambda: trial.spin(0.02)}
    drive(person, trial)
    person.press(' ')
    person.wait_for('EMERGENCY STOP by joystick: u releases', **spin)
    assert stands(trial)
    person.press('u')
    person.wait_for('the robot stands', **spin)
    person.press('f')
    assert trial.wait_for(lambda: trial.kicks == 1)
    person.hold(
        'j',
        lambda: trial.wait_for(lambda: trial.heads and trial.heads[-1]['HeadYaw'] > 0.2, 0.02),
    )
    person.press('c')
    assert trial.wait_for(lambda: trial.heads[-1]['HeadYaw'] == 0)


def test_ctrl_c_stops_the_robot_and_leaves_the_terminal_as_it_was(person, trial):
    drive(person, trial)
    # The key makes no signal of it here: nobody is the session's leader of this terminal.
    person.process.send_signal(signal.SIGINT)
    assert stands(trial)
    person.must_end(0)
    assert '\x1b[?1049l' in person.text and '\x1b[?25h' in person.text
    assert 'episodes kept: 0' in person.text
    assert person.mode() == person.before


@pytest.mark.parametrize(
    'number',
    [
        signal.SIGHUP,
        pytest.param(signal.SIGTERM, marks=pytest.mark.long),
        pytest.param(signal.SIGKILL, marks=pytest.mark.long),
    ],
    ids=lambda number: number.name,
)
def test_a_signal_that_ends_it_stops_the_robot(person, trial, number):
    drive(person, trial)
    person.process.send_signal(number)
    assert stands(trial)
    person.wait()
    if number != signal.SIGKILL:
        assert person.mode() == person.before


def test_a_terminal_that_is_closed_stops_the_robot_and_ends_the_program(person, trial):
    drive(person, trial)
    person.hang_up()
    assert stands(trial)
    person.must_end(1)


@pytest.mark.long
def test_a_person_whose_program_hangs_stops_the_robot(person, trial):
    drive(person, trial)
    person.process.send_signal(signal.SIGSTOP)
    assert stands(trial)
    # What is typed meanwhile is no wish of later.
    person.press('w' * 40)
    trial.commands.clear()
    trial.spin(0.5)
    person.process.send_signal(signal.SIGCONT)
    trial.spin(1.0)
    assert all(command == ZERO for _, command, _, _ in trial.commands)
    # But for the emergency stop.
    person.process.send_signal(signal.SIGSTOP)
    trial.spin(0.6)
    person.press('ww ')
    person.process.send_signal(signal.SIGCONT)
    spin = {'meanwhile': lambda: trial.spin(0.02)}
    person.wait_for('EMERGENCY STOP by joystick', **spin)
    person.press('u')
    person.wait_for('the robot stands', **spin)


@pytest.mark.long
def test_a_safety_node_that_is_gone_is_on_the_screen(tmp_path):
    with NodeTrial({'teleop': {}, 'safety': {}}, tmp_path) as trial:
        command = PtyCommand(
            'teleop',
            'attach',
            '--device',
            'keyboard',
            '--domain',
            str(trial.graph.domain),
            size=(80, 24),
        )
        try:
            command.wait_for('the robot stands')
            os.kill(trial.graph.pids['safety'], signal.SIGKILL)
            command.wait_for('NO WORD FROM SAFETY')
        finally:
            command.close()


def test_without_a_terminal_it_says_what_to_do():
    result = subprocess.run(
        [sys.executable, '-m', 'guda_ros', 'teleop', 'attach'],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env=dict(os.environ),
    )
    assert result.returncode == 1 and 'a terminal is needed to drive' in result.stderr
    assert 'Traceback' not in result.stderr


def test_an_unknown_keyboard_lists_those_there_are():
    command = PtyCommand('teleop', '--keys', 'morse')
    try:
        command.wait_for('known: azerty, qwerty')
        command.must_end(1)
    finally:
        command.close()
