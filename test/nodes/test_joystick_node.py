"""The bundled gamepad driver: its process, SDL's own joystick code, and a pad of software."""

import os
from pathlib import Path
import subprocess
import sys

from node_trial import NodeTrial
import numpy as np
from pty_command import PtyCommand
import pytest
from sensor_msgs.msg import Joy
from virtual_pad import VirtualPad

from guda_ros.control.gamepad import Gamepad, GamepadError, recognise
from guda_ros.control.joystick import JoystickMap

pytestmark = pytest.mark.needs('pygame')

PAD = Path(__file__).resolve().parents[1] / 'support' / 'virtual_pad.py'
#: How pads report themselves to SDL on Linux: name, axes, buttons, hats, and the map for them.
PADS = [
    ('Xbox 360 Controller', 6, 11, 1, 'xbox'),
    ('Logitech Gamepad F710', 6, 11, 1, 'xbox'),
    ('PS4 Controller', 6, 13, 1, 'ps4'),
    ('PS5 Controller', 6, 13, 1, 'ps5'),
    ('Sony Interactive Entertainment DualSense Wireless Controller', 6, 13, 1, 'ps5'),
    ('Nintendo Switch Pro Controller', 4, 14, 1, 'switch_pro'),
    ('Logitech F310 Gamepad (DInput)', 4, 12, 1, 'logitech'),
]
XBOX = JoystickMap.load('xbox')


class Hands:
    """Hands on a pad of software: what they do goes through a named pipe."""

    def __init__(self, tmp_path) -> None:
        self.path = tmp_path / 'pad'
        os.mkfifo(self.path)
        # For reading as well, so that it opens before the other side does.
        self._pipe = os.open(self.path, os.O_RDWR)

    def do(self, *lines: str) -> None:
        os.write(self._pipe, ''.join(line + '\n' for line in lines).encode())

    def close(self) -> None:
        os.close(self._pipe)


class Driver:
    """The driver's process, and hands on its pad."""

    def __init__(self, trial, tmp_path, *parameters) -> None:
        self.trial = trial
        arguments = [item for parameter in parameters for item in ('-p', parameter)]
        self.log = open(tmp_path / 'joystick.log', 'w+')
        self.hands = Hands(tmp_path)
        self.process = subprocess.Popen(
            [
                sys.executable,
                str(PAD),
                '--ros-args',
                *arguments,
            ],
            stdout=self.log,
            stderr=self.log,
            env={
                **os.environ,
                'ROS_DOMAIN_ID': str(trial.graph.domain),
                'VIRTUAL_PAD': str(self.hands.path),
            },
        )
        self.do = self.hands.do
        self.heard = trial.listen(Joy, 'joy')

    def said(self):
        """Return what the newest message says by the map of the graph."""
        return XBOX.decode(self.heard[-1].axes, self.heard[-1].buttons)

    def wait_for(self, condition, timeout=30.0) -> None:
        assert self.trial.wait_for(condition, timeout), self.text()

    def text(self) -> str:
        self.log.flush()
        return Path(self.log.name).read_text()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.hands.close()
        self.log.close()


@pytest.fixture(scope='module')
def trial(tmp_path_factory):
    with NodeTrial(
        {'teleop': {}}, tmp_path_factory.mktemp('log'), listen=('cmd_vel/teleop',)
    ) as started:
        yield started


@pytest.fixture
def driver(trial, tmp_path):
    started = Driver(trial, tmp_path)
    yield started
    started.close()


def test_a_pad_drives_and_a_pad_that_is_unplugged_stops_the_robot(driver, trial):
    driver.wait_for(lambda: 'waits for a gamepad' in driver.text())
    # A DualSense; the graph is told in terms of an Xbox pad. Up is negative for the hardware.
    driver.do('plug PS5_Controller 6 13 1')
    driver.wait_for(lambda: driver.heard)
    driver.do('axis 1 -1', 'axis 0 0.55', 'button 4 1')
    driver.wait_for(lambda: driver.said().action.any())
    driver.wait_for(lambda: np.allclose(driver.said().action, [0.6, -0.3, 0], atol=1e-3))
    driver.wait_for(
        lambda: trial.commands and np.allclose(trial.commands[-1][1], [0.15, -0.06, 0], atol=1e-3)
    )
    driver.do('button 0 1', 'hat 0 1')
    driver.wait_for(lambda: {'kick', 'episode_start'} <= driver.said().pressed)
    driver.do('unplug')
    driver.wait_for(lambda: trial.commands[-1][1] == [0, 0, 0])
    driver.wait_for(lambda: 'the gamepad is gone' in driver.text())
    driver.wait_for(lambda: not driver.said().pressed)
    count = len(driver.heard)
    trial.spin(0.3)
    assert len(driver.heard) == count
    # Another one may take its place.
    driver.do('plug Xbox_360_Controller 6 11 1')
    driver.wait_for(lambda: len(driver.heard) > count + 3)
    assert not driver.said().pressed


def test_a_pad_that_nobody_knows_is_named_and_does_nothing(driver, trial):
    driver.do('plug Strange_wheel 3 2 0')
    driver.wait_for(
        lambda: (
            "the gamepad 'Strange wheel' with 3 axes and 2 buttons is not known" in driver.text()
        )
    )
    trial.spin(0.3)
    assert not driver.heard


def test_a_pad_at_the_terminal_drives_and_its_loss_stops_the_robot_and_is_on_the_screen(
    trial, tmp_path, monkeypatch
):
    hands = Hands(tmp_path)
    monkeypatch.setenv('VIRTUAL_PAD', str(hands.path))
    monkeypatch.setenv('ROS_DOMAIN_ID', str(trial.graph.domain))
    trial.commands.clear()
    person = PtyCommand(
        'teleop',
        'attach',
        size=(80, 24),
        program=[str(PAD)],
    )
    spin = {'meanwhile': lambda: trial.spin(0.02)}
    try:
        person.wait_for(' keyboard ', **spin)
        hands.do('plug Xbox_360_Controller 6 11 1')
        person.wait_for('gamepad xbox', **spin)
        hands.do('axis 1 -1', 'button 4 1')
        assert trial.wait_for(
            lambda: trial.commands and np.allclose(trial.commands[-1][1], [0.15, 0, 0], atol=1e-3)
        )
        hands.do('unplug')
        person.wait_for('THE GAMEPAD IS GONE', **spin)
        assert trial.wait_for(lambda: trial.commands[-1][1] == [0, 0, 0])
        # The keys go on.
        trial.commands.clear()
        person.hold('w', lambda: trial.wait_for(lambda: trial.commands, 0.02))
    finally:
        person.close()
        hands.close()


def test_what_is_held_when_a_pad_appears_counts_when_it_is_pressed_anew():
    pad = Gamepad()
    hardware = VirtualPad('Xbox 360 Controller', 6, 11, 1)
    try:
        hardware.axis(1, -1)
        # LB, A and B.
        for button in (4, 0, 1):
            hardware.button(button, 1)
        for _ in range(3):
            assert pad.state().pressed == {'emergency_stop'}
        hardware.button(4, 0)
        assert pad.state().pressed == {'emergency_stop'}
        hardware.button(4, 1)
        state = pad.state()
        assert state.pressed == {'emergency_stop', 'deadman'}
        np.testing.assert_allclose(state.action, [0.6, 0, 0], atol=1e-3)
    finally:
        hardware.unplug()
        pad.close()


@pytest.mark.parametrize('name, axes, buttons, hats, expected', PADS, ids=lambda value: str(value))
def test_common_pads_are_recognised(name, axes, buttons, hats, expected):
    assert recognise(name, axes + 2 * hats, buttons).name == expected


def test_a_pad_with_another_number_of_buttons_is_not_taken_for_its_namesake():
    with pytest.raises(GamepadError, match='name its map, of logitech'):
        recognise('Xbox 360 Controller', 8, 17)
