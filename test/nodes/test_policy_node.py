"""The policy node as a process: what it hears over DDS, and what it commands."""

from camera_clocks import CAMERAS, check_rate, image_stamps
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped, TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
from policy_file import write_policy
import pytest
from ros_helpers import wait_for

from guda_ros.data.messages import stamp_to_ns
from guda_ros.ros import conversions as convert
from guda_ros.ros import qos
from guda_ros.ros.diagnostics import WARN
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import NodeSpec

SECOND = 1_000_000_000
KINDS = {'pose': PoseWithCovarianceStamped, 'odom': Odometry, 'ball/odom': Odometry}


class World:
    """Plays perception and odometry, and keeps the commands by stamp."""

    def __init__(self, graph):
        self._graph, self.stamp = graph, SECOND
        self.commands, self.diagnostics = {}, ('', '')
        node = graph.monitor.node
        self._pubs = {name: node.create_publisher(kind, name, 10) for name, kind in KINDS.items()}
        node.create_subscription(TwistStamped, 'cmd_vel/policy', self._keep, qos.DEFAULT)
        node.create_subscription(DiagnosticArray, '/diagnostics', self._diagnose, 10)
        assert self.wait(
            lambda: (
                all(pub.get_subscription_count() for pub in self._pubs.values())
                and node.count_publishers('cmd_vel/policy')
            )
        )

    def _keep(self, message):
        self.commands[stamp_to_ns(message.header.stamp)] = convert.command_from_twist(
            message.twist
        )

    def _diagnose(self, message):
        for status in message.status:
            if status.name == '/policy':
                self.diagnostics = status.level, status.message

    def wait(self, condition, timeout=5.0):
        return wait_for(condition, timeout, lambda: self._graph.monitor.spin(0.02))

    def odom(self, stamp, pose=(0.0, 0.0, 0.0)):
        message = convert.odometry_message(np.array(pose), stamp, 'odom', 'base_link')
        self._pubs['odom'].publish(message)

    def see(self, stamp, pose=(0.0, 0.0, 0.0), ball=(1.0, 0.0), velocity=(0.0, 0.0)):
        self._pubs['pose'].publish(
            convert.pose_message(np.array(pose), stamp, 'map', np.eye(3) * 1e-4)
        )
        self._pubs['ball/odom'].publish(
            convert.ball_message(
                ball,
                velocity,
                stamp,
                'odom',
                position_covariance=np.eye(2) * 1e-4,
                velocity_covariance=np.eye(2),
            )
        )

    def step(self, odom=(0.0, 0.0, 0.0), **seen):
        """Show a step with an odometry of its very stamp; return the command."""
        self.stamp += SECOND // 10
        self.odom(self.stamp, odom)
        self.see(self.stamp, **seen)
        assert self.wait(lambda: self.stamp in self.commands), 'no command'
        return self.commands[self.stamp]


@pytest.fixture(scope='module')
def robot(tmp_path_factory):
    folder = tmp_path_factory.mktemp('policy')
    write_policy(folder / 'walk.onnx')
    spec = NodeSpec('policy', 'policy', parameters={'policy': str(folder / 'walk.onnx')})
    with GraphProcesses([spec], log_dir=folder) as graph:
        graph.wait_ready(30)
        yield World(graph)


def test_an_observation_is_answered_by_a_command_of_its_stamp(robot):
    assert robot.step()[0] > 0


@pytest.mark.parametrize(
    'seen',
    [
        {'pose': (1e39, 0.0, 0.0)},
        {'pose': (0.0, -1e308, 0.0)},
        {'ball': (1e39, 0.0)},
        {'ball': (1.0, 1e300)},
        {'velocity': (1e39, 0.0)},
        {'velocity': (np.inf, 0.0)},
        {'ball': (np.nan, 0.0)},
    ],
)
def test_numbers_that_are_no_place_are_told_and_do_not_end_the_node(robot, seen):
    robot.step()
    assert robot.step(**seen)[0] == 0
    assert robot.wait(lambda: 'no place' in robot.diagnostics[1])
    assert robot.diagnostics[0] == WARN
    assert robot.step()[0] > 0


def test_odometry_that_is_no_place_is_ignored(robot):
    robot.step()
    robot.odom(robot.stamp + 1000, (1e39, 0.0, 0.0))
    assert robot.wait(lambda: 'no place' in robot.diagnostics[1])
    assert robot.step()[0] > 0


@pytest.mark.parametrize('camera', CAMERAS)
def test_odometry_of_other_stamps_is_interpolated_and_commands_keep_the_contracts_rate(
    robot, camera
):
    robot.stamp += 3 * SECOND
    begin = robot.stamp
    robot.commands.clear()
    seen = image_stamps(camera, begin, 2.0)
    events = [(begin - 13_000_000 + index * 20_000_000, 'odom') for index in range(110)]
    events += [(stamp, 'see') for stamp in seen]
    for stamp, kind in sorted(events):
        getattr(robot, kind)(stamp)
        robot.wait(lambda: False, 0.01)
    assert robot.wait(lambda: robot.commands and max(robot.commands) > seen[-1] - SECOND // 10)
    assert robot.commands.keys() <= {*seen}
    check_rate(robot.commands, 2.0)


def test_time_that_goes_back_begins_anew(robot):
    robot.step()
    before, robot.stamp = robot.stamp, 5000
    try:
        for _ in range(3):
            assert robot.step()[0] > 0
    finally:
        robot.stamp = before
