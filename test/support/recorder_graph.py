"""A data collector in a process of its own, and a node that stands for all the others."""

from contextlib import contextmanager
import json
import signal
import subprocess
import sys
import time

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped, PoseWithCovarianceStamped, TwistStamped
from nav_msgs.msg import Odometry
import pytest
import rclpy
from rclpy.duration import Duration
import recording_scene as scene
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Joy
from std_msgs.msg import String

from guda_ros.ros import qos
from guda_ros.ros.conversions import ns_to_stamp
from guda_ros.ros.episode.event import EpisodeEvent
from guda_ros.ros.executor import QuietExecutor
from guda_ros.ros.graph.environment import claim_domain, ros_environment

TYPES = {
    'odom': Odometry,
    'pose': PoseWithCovarianceStamped,
    'ball': Odometry,
    'command': TwistStamped,
    'ground_truth_robot': Odometry,
    'ground_truth_ball': Odometry,
    'ball_detection': PointStamped,
}
NODE = [sys.executable, '-m', 'guda_ros.nodes.data_collector', '--ros-args']


class Graph:
    """
    A data collector and a node that stands for all the others.

    :param before: a command before that of the data collector, which it is to run.
    """

    def __init__(self, folder, environment, domain, parameters=(), before=()):
        self.folder = folder
        self.environment = environment
        arguments = [
            item
            for parameter in (f'directory:={folder}', *parameters)
            for item in ('-p', parameter)
        ]
        self.command = [*before, *NODE, *arguments]
        self.process = subprocess.Popen(
            self.command, env=environment, stderr=subprocess.PIPE, text=True
        )
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node('others', context=self.context)
        self.executor = QuietExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.heard = []
        self.number = 0
        self.name = 'a'
        self.diagnostics = []
        self.node.create_subscription(
            String,
            'data_collector/recording',
            lambda m: self.heard.append(json.loads(m.data)),
            qos.LATCHED,
        )
        self.node.create_subscription(
            DiagnosticArray, '/diagnostics', lambda m: self.diagnostics.extend(m.status), 10
        )
        self.publishers = {
            role: self.node.create_publisher(kind, scene.TOPICS[role][0], qos.DEFAULT)
            for role, kind in TYPES.items()
        }
        self.publishers['joy'] = self.node.create_publisher(Joy, 'joy', qos.DEFAULT)
        self.publishers['camera_info'] = self.node.create_publisher(
            CameraInfo, 'camera_info', qos.DEFAULT
        )
        self.episode = self.node.create_publisher(String, 'episode', qos.EPISODE)
        self.clock = self.node.create_publisher(Clock, '/clock', qos.DEFAULT)
        self.wait(
            lambda: (
                self.episode.get_subscription_count()
                and all(
                    publisher.get_subscription_count() for publisher in self.publishers.values()
                )
            )
        )

    def tick(self, nanoseconds):
        """Publish a simulator's time."""
        self.clock.publish(Clock(clock=ns_to_stamp(nanoseconds)))

    def wait(self, condition, seconds=20.0):
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, self.process.stderr.read()
            assert time.monotonic() < deadline, 'nothing came in time'
            self.executor.spin_once(timeout_sec=0.05)

    def announce(self, phase, step=0, name='', **more):
        event = EpisodeEvent(
            id=name or self.name,
            phase=phase,
            scenario='attack',
            start_index=2,
            seed=9,
            stamp=scene.START + step * scene.PERIOD,
            robot_start=(1.0, 2.0, 0.5),
            **more,
        )
        self.episode.publish(String(data=event.to_json()))
        assert self.episode.wait_for_all_acked(Duration(seconds=5))

    def step(self, step, *without):
        for role, data in scene.samples(step).items():
            if role not in without:
                self.publishers[role].publish(data)

    def status(self, state, name=''):
        wanted = (state, name or self.name)
        self.wait(lambda: self.heard and (self.heard[-1]['state'], self.heard[-1]['id']) == wanted)
        return self.heard[-1]

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stderr.close()
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


@contextmanager
def recorder_graphs(folders):
    """
    Give a function that starts a Graph with parameters of the collector; all end with the block.

    :param folders: a pytest TempPathFactory.
    """
    graphs, claims = [], []
    with pytest.MonkeyPatch.context() as patch:

        def launch(*parameters, folder=None, before=()):
            # Each graph has a domain of its own: they use the same topics.
            claims.append(claim_domain())
            environment = ros_environment(claims[-1].number, folders.mktemp('log'))
            for key in environment:
                patch.setenv(key, environment[key])
            graphs.append(
                Graph(
                    folder or folders.mktemp('run') / 'recordings',
                    environment,
                    claims[-1].number,
                    parameters,
                    before,
                )
            )
            return graphs[-1]

        try:
            yield launch
        finally:
            for graph in graphs:
                graph.close()
            for claim in claims:
                claim.release()
