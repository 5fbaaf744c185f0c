"""A robot and a laptop, each with a network of its own and a cable between them."""

from contextlib import contextmanager
import random
import subprocess
import sys
import time

import numpy as np
import pytest
from robot_bench import FAKE_ROBOT, FakeRobot, sleep_a_little, ZERO
from ros_helpers import wait_for
from two_computers import lacks, LAPTOP, ROBOT, TwoComputers

from guda_ros.control.joystick import JoystickState
from guda_ros.data.contract import Contract
from guda_ros.errors import GudaError
from guda_ros.ros.control.operator_station import OperatorStation

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(lacks()), reason=lacks() or 'nothing'),
]
GO = JoystickState(np.array([1.0, 0.0, 0.0]), frozenset({'deadman'}))
#: Silence of a joystick that stops the robot, the way to it, and for a busy machine [s].
SILENCE, TRANSPORT, SLACK = 0.25, 0.05, 0.2


class RobotThere(FakeRobot):
    """A fake robot and `guda up robot` on the other computer."""

    def __init__(self, computers, domain, folder, *options, **variables):
        self._log = folder / 'heard.txt'
        self._log.touch()
        told = computers.environment(ROS_DOMAIN_ID=str(domain), **variables)
        fake = [sys.executable, str(FAKE_ROBOT), 'naoqi/cmd_vel', str(self._log)]
        self._process = subprocess.Popen(computers.on_robot(*fake), env=told)
        up = [
            sys.executable,
            '-m',
            'guda_ros',
            'up',
            'robot',
            '--domain',
            str(domain),
            '--no-check',
        ]
        up += ['--log-dir', str(folder / 'log'), '--recordings', str(folder / 'bags'), *options]
        self._said = open(folder / 'up.txt', 'w+')
        self._up = subprocess.Popen(
            computers.on_robot(*up), env=told, stdout=self._said, stderr=subprocess.STDOUT
        )

    def said(self) -> str:
        """Return what `guda up robot` printed."""
        self._said.seek(0)
        return self._said.read()

    def close(self) -> None:
        """End both."""
        self._up.terminate()
        self._up.wait(30)
        self._said.close()
        super().close()


@contextmanager
def robot_there(computers, domain, folder, *options, **variables):
    """The robot, as soon as its nodes run."""
    robot = RobotThere(computers, domain, folder, *options, **variables)
    try:
        assert wait_for(lambda: 'running' in robot.said(), 90, sleep_a_little), robot.said()
        yield robot
    finally:
        robot.close()


@contextmanager
def sticks_here(domain, monkeypatch, **variables):
    """The sticks of the laptop; GudaError if they find no teleop node."""
    with monkeypatch.context() as patch:
        for key, value in TwoComputers.environment(**variables).items():
            patch.setenv(key, value)
        sticks = OperatorStation(domain, Contract.load())
        try:
            yield sticks
        finally:
            sticks.close()


def held(sticks):
    """Return what holds the stick forward for a moment."""

    def spin():
        sticks.send(GO)
        sticks.spin(0.04)

    return spin


def moves(robot):
    return robot.follows() not in (None, ZERO)


def test_a_network_that_fails_stops_the_robot_and_one_that_is_back_lets_it_go_on(
    domain, tmp_path, monkeypatch
):
    dice, times = random.Random(5), []
    with (
        TwoComputers() as computers,
        robot_there(computers, domain, tmp_path, '--network') as robot,
        sticks_here(domain, monkeypatch) as sticks,
    ):
        for _ in range(20):
            until = time.monotonic() + dice.uniform(0.2, 1.0)
            assert wait_for(lambda: moves(robot), 60, held(sticks)), robot.said()
            while time.monotonic() < until or not moves(robot):
                held(sticks)()
            computers.cut()
            times.append(robot.stopped_after(time.monotonic(), held(sticks)))
            computers.mend()
    shown = sorted(times)
    print(f'zero at the robot after {shown[10]:.3f} s (median), {shown[-1]:.3f} s (longest)')
    assert shown[-1] <= SILENCE + TRANSPORT + SLACK


def test_a_robot_that_nobody_let_the_network_in_hears_no_laptop(domain, tmp_path, monkeypatch):
    with (
        TwoComputers() as computers,
        robot_there(computers, domain, tmp_path),
        pytest.raises(GudaError, match='there is no teleop node'),
        sticks_here(domain, monkeypatch),
    ):
        pass


#: Which of two computers name the other as a peer, and whether they meet: a stranger who knows the
#: robot's address is let in.
PEERS = {'both': True, 'robot': True, 'laptop': True, 'neither': False}


@pytest.mark.parametrize('who', PEERS)
def test_two_meet_without_multicast_as_soon_as_one_names_the_other_as_a_peer(
    domain, tmp_path, monkeypatch, who
):
    # Multicast finds whoever is there; here only the addresses count that are given.
    few = {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    of_laptop = {'ROS_STATIC_PEERS': ROBOT} if who in ('both', 'laptop') else {}
    of_robot = {'ROS_STATIC_PEERS': LAPTOP} if who in ('both', 'robot') else {}
    with (
        TwoComputers() as computers,
        robot_there(computers, domain, tmp_path, '--network', **few, **of_robot) as robot,
    ):
        if PEERS[who]:
            with sticks_here(domain, monkeypatch, **few, **of_laptop) as sticks:
                assert wait_for(lambda: moves(robot), 30, held(sticks)), robot.said()
        else:
            with (
                pytest.raises(GudaError, match='there is no teleop node'),
                sticks_here(domain, monkeypatch, **few, **of_laptop),
            ):
                pass
