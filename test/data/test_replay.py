"""`guda data replay`, to the simulator and, behind the safety node, to what stands for a robot."""

import re
import time

from dataset_scene import CONTRACT
import numpy as np
from pty_command import PtyCommand
import pytest
from ros_helpers import wait_for
from sensor_msgs.msg import Joy

from guda_ros.cli.main import main
from guda_ros.control.joystick import JoystickMap
from guda_ros.data.episodes import Episode
from guda_ros.data.sets.minari import write_minari
from guda_ros.ros.conversions import pose_from_message
from guda_ros.ros.executor import QuietExecutor
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.sim.physics.batch import BatchSimulation
from guda_ros.soccer.robot import RobotProfile
from guda_ros.workflows.robot_trials.stand_in import stand_in_spec

START = np.array([1.0, 0.5, 0.1, 1.4, 0.55])
#: Ahead, then round a curve, then standing.
COMMANDS = np.array([(0.2, 0.0, 0.0)] * 20 + [(0.15, 0.05, 0.5)] * 15 + [(0.0, 0.0, 0.0)] * 5)


@pytest.fixture(scope='module')
def dataset(tmp_path_factory):
    """An episode with what the physics make of the commands, without ROS, as its truth."""
    # With the kicking foot, which the simulator node's robot has: the ball touches it, too.
    simulation = BatchSimulation(CONTRACT, RobotProfile.load(CONTRACT.robot), 1, kick=True)
    simulation.reset(START[None])
    states = [simulation.world_states()[0]]
    for command in COMMANDS:
        simulation.step(command[None])
        states.append(simulation.world_states()[0])
    states = np.array(states)
    episode = Episode(
        'drive',
        'attack',
        0,
        -1,
        'timeout',
        '',
        CONTRACT.hash,
        np.arange(len(states)) * 100_000_000,
        states,
        COMMANDS,
        np.ones(len(states)),
        states,
    )
    path = tmp_path_factory.mktemp('replay') / 'set'
    write_minari(path, [episode], CONTRACT)
    return path, states


def test_the_simulator_does_again_what_was_recorded(dataset, capsys):
    path, states = dataset
    assert np.linalg.norm(states[-1, 3:5] - states[0, 3:5]) > 0.2
    assert main(['data', 'replay', str(path)]) == 0
    told = capsys.readouterr().out
    assert '40 commands replayed in the simulator: timeout; recorded: timeout' in told
    for thing in ('robot', 'ball'):
        assert re.search(
            thing + r' +0\.000 m at most from where it was recorded \(true\)', told
        ), told


def test_an_episode_that_is_not_there_is_named(dataset, capsys):
    assert main(['data', 'replay', str(dataset[0]), '--episode', 'other']) == 1
    assert 'no episode other; there are drive' in capsys.readouterr().err


def test_another_robot_is_refused_with_the_difference(dataset, capsys):
    assert main(['data', 'replay', str(dataset[0]), '--robot', 'generic_walker']) == 1
    assert 'robot: generic_walker != nao_v6' in capsys.readouterr().err


def test_without_a_terminal_no_robot_is_moved(dataset, capsys, monkeypatch):
    monkeypatch.setattr('sys.stdin', open('/dev/null'))
    assert main(['data', 'replay', str(dataset[0]), '--on', 'robot']) == 1
    assert 'only when a person at a terminal says so' in capsys.readouterr().err


def test_a_robot_is_not_moved_without_a_yes(dataset):
    command = PtyCommand('data', 'replay', str(dataset[0]), '--on', 'robot')
    try:
        command.wait_for('type yes: ')
        command.press('no\n')
        command.must_end(1)
        assert 'nothing was moved' in command.text
    finally:
        command.close()


class Pad:
    """The simulator as a robot, and a person with a gamepad."""

    def __init__(self, graph):
        from nav_msgs.msg import Odometry

        self.map = JoystickMap.load('xbox')
        self.node, self.held = graph.monitor.node, False
        self.pub = self.node.create_publisher(Joy, 'joy', 10)
        self.poses = []
        self.node.create_subscription(
            Odometry,
            'ground_truth/odom',
            lambda message: self.poses.append(pose_from_message(message)),
            10,
        )
        self.executor = QuietExecutor(context=graph.monitor.context)
        self.watch = graph.monitor

    def spin(self):
        axes, buttons = self.map.encode(np.zeros(3), deadman=self.held)
        message = Joy(axes=axes, buttons=buttons)
        message.header.stamp = self.node.get_clock().now().to_msg()
        self.pub.publish(message)
        deadline = time.monotonic() + 0.05
        while time.monotonic() < deadline:
            self.watch.spin(0.01)

    def moves(self):
        return len(self.poses) > 40 and bool(
            np.linalg.norm(self.poses[-1][:2] - self.poses[-40][:2]) > 0.01
        )


@pytest.mark.long
def test_a_robot_follows_while_the_dead_man_is_held_and_stands_when_it_is_let_go(dataset):
    robot = stand_in_spec('soccer_push')
    robot.parameters['camera'] = False
    with GraphProcesses([robot]) as graph:
        graph.wait_ready()
        pad = Pad(graph)
        command = PtyCommand(
            'data', 'replay', str(dataset[0]), '--on', 'robot', '--domain', str(graph.domain)
        )
        try:
            command.wait_for('type yes: ')
            command.press('yes\n')
            command.wait_for("hold the dead-man's button", meanwhile=pad.spin)
            for _ in range(30):
                pad.spin()
            assert not pad.moves()
            pad.held = True
            command.wait_for('the robot moves', meanwhile=pad.spin)
            assert wait_for(pad.moves, 10.0, pad.spin)
            pad.held = False
            command.wait_for('stopped after .* no_deadman', meanwhile=pad.spin)
            command.must_end(1)
            assert wait_for(lambda: not pad.moves(), 10.0, pad.spin)
        finally:
            command.close()
