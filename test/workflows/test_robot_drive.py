"""`guda identify --record`: a drive over ROS, on a simulated robot that stands for a robot."""

from contextlib import contextmanager
from dataclasses import replace
import time

from node_trial import NodeTrial
import numpy as np
from odd_driver import Habits, OddDriver
import pytest

from guda_ros.cli.main import main
from guda_ros.data.contract import Contract
from guda_ros.data.recording.reader import RecordingReader
from guda_ros.errors import GudaError
from guda_ros.identification.drives import read_drive
from guda_ros.identification.protocol import PROTOCOL
from guda_ros.ros.control.operator_station import OperatorStation
from guda_ros.ros.episode.referee import Referee
from guda_ros.ros.graph.environment import ros_environment
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import GraphOptions
from guda_ros.workflows.identify import identify
from guda_ros.workflows.robot_trials.stand_in import stand_in_spec
from guda_ros.workflows.robots.driving import DriveSession, record_drive_on_robot

CONTRACT = Contract.load()
#: Forward and back, with stands: enough for its response.
SHORT = ((0.5, (0, 0, 0)), (1.5, (1, 0, 0)), (0.8, (0, 0, 0)), (1.5, (-1, 0, 0)))
pytestmark = pytest.mark.needs('rclpy', 'drawing')


class Hand:
    """A person who confirms and holds the key, but for what `pause` says of the time held."""

    def __init__(self, pause=lambda seconds: '') -> None:
        self._pause, self._began = pause, None
        self.said = []

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        pass

    def say(self, line):
        self.said.append(line)
        self._began = None

    def show(self, text):
        self._began = self._began or time.monotonic()

    def clear(self):
        pass

    def key(self, timeout):
        time.sleep(timeout)
        if self._began is None:
            return '\n'
        return self._pause(time.monotonic() - self._began) or 'p'


@contextmanager
def simulated_robot(folder):
    """Run a simulator as a driver without a camera; give its domain."""
    spec = stand_in_spec('soccer_push', 'nao_v6')
    spec = replace(spec, parameters={**spec.parameters, 'camera': False})
    with GraphProcesses([spec], None, folder / 'log_driver') as driver:
        driver.wait_ready(90)
        yield driver


def test_the_robot_moves_while_the_key_is_held_and_stops_when_it_is_let_go(tmp_path):
    with NodeTrial({'teleop': {}, 'safety': {}}, tmp_path) as trial:

        class Here(Hand):
            def key(self, timeout):
                trial.spin(timeout)
                return super().key(0)

        def pause(seconds):
            # Another key lets go on the way forward, until the robot was seen to stop.
            ahead = np.array([command[0] for _, command, *_ in trial.commands])
            forward = np.flatnonzero(ahead > 0.05)
            stopped = len(forward) and (ahead[forward[0] :] == 0).any()
            return 'x' if len(forward) > 5 and not stopped else ''

        hand = Here(pause)
        station = OperatorStation(trial.graph.domain, CONTRACT)
        with Referee(trial.graph.domain, CONTRACT) as referee:
            session = DriveSession(station, referee, trial.graph, hand)
            # There is no recorder here, which is told when all is driven.
            with pytest.raises(GudaError, match='drive_000 was not recorded'):
                session.drive('drive_000', CONTRACT, SHORT)
        assert trial.wait_for(lambda: trial.commands[-1][1] == [0.0, 0.0, 0.0], 30.0)
        station.close()
    assert 'at most 0.25 m/s ahead' in hand.said[0] and 'does not look' in hand.said[0]
    ahead = np.array([command[0] for _, command, *_ in trial.commands])
    assert ahead.max() == pytest.approx(0.25) and ahead.min() == pytest.approx(-0.15)
    forward = np.flatnonzero(ahead > 0.05)
    assert (ahead[forward[0] : forward[-1]] == 0).any()
    assert set(trial.commanders.values()) <= {'teleop', 'safety'}


@pytest.mark.long
def test_a_robot_is_driven_while_the_key_is_held_recorded_and_identified(tmp_path):
    waits = []

    def pause(seconds):
        # Another key lets go, in the middle of the way forward.
        if 0.9 < seconds < 1.7:
            waits.append(seconds)
            return 'x'
        return ''

    said = []
    with simulated_robot(tmp_path) as driver:
        how = {
            'robot': 'nao_v6',
            'drives': 1,
            'rolls': 1,
            'protocol': SHORT,
            'options': GraphOptions(adapter='none'),
            'sim_time': True,
            'domain': driver.domain,
            'log_dir': tmp_path / 'log',
        }
        made = record_drive_on_robot(
            tmp_path / 'drive', operator=Hand(pause), say=said.append, **how
        )
        # What is there is kept: nothing moves again.
        again = record_drive_on_robot(tmp_path / 'drive', operator=Hand(), say=said.append, **how)
    assert again == made and '2 of 2 recordings were made before and are kept' in said
    assert [path.name for path in made] == ['drive_000', 'roll_000']
    drive, contract = read_drive(made[0])
    assert contract.robot == 'nao_v6' and waits
    ahead = drive.commands[:, 0]
    assert ahead.max() == pytest.approx(CONTRACT.limits.forward)
    assert ahead.min() == pytest.approx(-CONTRACT.limits.backward)
    assert not drive.commands[:, 1:].any()
    # Where the key was let go the robot was stopped, and went on afterwards.
    forward = np.flatnonzero(ahead > 0.05)
    assert (ahead[forward[0] : forward[-1]] == 0).any()
    assert np.abs(drive.odom[:, 0]).max() > 0.1
    found = identify([made[0]], 'nao_v6', partial=True)
    assert 'walk.response_time.left' in found.missing
    assert 0.1 < found.results['walk.response_time.forward'].value < 0.5
    with RecordingReader(made[1]) as reader:
        assert reader.info.verdict == 'timeout'
        assert {topic for topic, *_ in reader.messages(['/odom', '/episode'])} == {
            '/odom',
            '/episode',
        }


def test_without_a_terminal_nothing_is_driven(tmp_path, capsys):
    assert main(['identify', '--record', str(tmp_path / 'x')]) == 1
    assert 'terminal' in capsys.readouterr().err


@pytest.mark.long
def test_nothing_is_driven_when_nobody_hears_commands_or_a_person_says_no(
    domain, tmp_path, monkeypatch
):
    for key, value in ros_environment(domain, tmp_path).items():
        monkeypatch.setenv(key, value)
    how = {
        'robot': 'nao_v6',
        'rolls': 0,
        'options': GraphOptions(adapter='none'),
        'domain': domain,
    }
    with (
        OddDriver(domain, Habits(names={'command': None})),
        pytest.raises(GudaError, match='nothing was driven: cmd_vel: nobody hears /cmd_vel'),
    ):
        record_drive_on_robot(tmp_path / 'drive', operator=Hand(), **how)
    refuses = Hand()
    refuses.key = lambda timeout: 'a'
    with OddDriver(domain) as driver, pytest.raises(GudaError, match='stopped before'):
        record_drive_on_robot(tmp_path / 'drive', operator=refuses, check=False, **how)
    assert driver.commands == 0 or not list((tmp_path / 'drive').glob('drive_*'))


@pytest.mark.long
def test_the_whole_protocol_finds_the_twin_that_was_driven(tmp_path):
    with simulated_robot(tmp_path) as driver:
        made = record_drive_on_robot(
            tmp_path / 'drive',
            robot='nao_v6',
            rolls=0,
            protocol=PROTOCOL,
            options=GraphOptions(adapter='none'),
            operator=Hand(),
            sim_time=True,
            domain=driver.domain,
            log_dir=tmp_path / 'log',
        )
    found = identify(made, 'nao_v6', partial=True)
    for axis in ('forward', 'left', 'turn'):
        result = found.results[f'walk.response_time.{axis}']
        assert result.value == pytest.approx(0.25, abs=max(0.05, 4 * result.deviation))
