"""What the tests of the ROS graph share."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
import time

from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile
from std_msgs.msg import String

from guda_ros.data.messages import stamp_to_ns
from guda_ros.ros import conversions as convert
from guda_ros.ros import qos
from guda_ros.ros.episode.event import EpisodeEvent
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.shared_memory import shared_memory_files
from guda_ros.ros.graph.table import NodeSpec


def simulator(**parameters) -> NodeSpec:
    """Return a simulator without camera."""
    values = {'use_sim_time': False, 'camera': False, 'mode': 'lockstep', **parameters}
    return NodeSpec('simulator', 'simulator', parameters=values, lifecycle=True)


def alive(pid: int) -> bool:
    """Tell whether a process runs."""
    try:
        with open(f'/proc/{pid}/stat', encoding='utf-8') as stat:
            return stat.read().rpartition(')')[2].split()[0] not in 'ZX'
    except FileNotFoundError:
        return False


def wait_for(condition, timeout: float, spin=lambda: time.sleep(0.02)) -> bool:
    """Wait until a condition holds; tell whether it does."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        spin()
    return True


def shared_memory_of(graph: GraphProcesses) -> set[str]:
    """
    Return the segments of Fast DDS in shared memory that are the own of processes of a graph.

    A process keeps the locks of its own open. What it has mapped may be of anybody who sends it
    something, in another domain even, to a port whose number somebody else had before.
    """
    found = set()
    for pid in graph.pids.values():
        for link in Path(f'/proc/{pid}/fd').iterdir():
            with contextlib.suppress(OSError):
                name = os.path.basename(os.readlink(link)).removesuffix('_el')
                found.add(name)
    return {name for name in found & set(shared_memory_files()) if '_port' not in name}


#: A listener that is kept from a core for a while misses nothing of an episode.
PATIENT = QoSProfile(depth=500)


class Walker:
    """Answers every ground truth with a command that depends on the step only."""

    def __init__(self, graph: GraphProcesses, script, topic: str = 'cmd_vel') -> None:
        self._graph = graph
        self._script = script
        self._pub = None
        self.node = graph.monitor.node
        self.events: list[EpisodeEvent] = []
        self.truth: list[tuple] = []
        self.odom: list[tuple] = []
        self._subscriptions = []
        self.subscribe(String, 'episode', self._on_episode, qos.LATCHED)
        self.subscribe(Odometry, 'odom', lambda message: self._keep(self.odom, message))
        self.subscribe(Odometry, 'ground_truth/odom', self._on_truth)
        if script is not None:
            self._pub = self.node.create_publisher(TwistStamped, topic, qos.COMMAND)

    def subscribe(self, kind, name: str, callback, profile=PATIENT) -> None:
        """Subscribe until `close`."""
        self._subscriptions.append(self.node.create_subscription(kind, name, callback, profile))

    def close(self) -> None:
        """Fall silent."""
        for subscription in self._subscriptions:
            self.node.destroy_subscription(subscription)
        if self._pub is not None:
            self.node.destroy_publisher(self._pub)

    def publish(self, command, stamp: int) -> None:
        """Publish a command with any stamp [ns]."""
        self._pub.publish(convert.twist_stamped(command, stamp))

    def _on_episode(self, message: String) -> None:
        self.events.append(EpisodeEvent.from_json(message.data))
        if self.events[-1].phase == 'reset':
            self.truth, self.odom = [], []

    @staticmethod
    def _keep(rows: list[tuple], message: Odometry) -> int:
        """Keep a step once; a simulator that waits for an answer repeats it. Return its stamp."""
        stamp = stamp_to_ns(message.header.stamp)
        if not rows or rows[-1][0] != stamp:
            rows.append((stamp, *convert.pose_from_message(message)))
        return stamp

    def _on_truth(self, message: Odometry) -> None:
        stamp = self._keep(self.truth, message)
        if self._pub is not None:
            command = self._script(len(self.truth) - 1)
            if command is not None:
                self.publish(command, stamp)

    def spin_until(self, condition, timeout: float = 10.0) -> bool:
        """Handle messages until a condition holds."""
        return wait_for(condition, timeout, lambda: self._graph.monitor.spin(0.05))

    def call(self, kind, name: str, request=None):
        """Call a service."""
        client = self.node.create_client(kind, name)
        assert self.spin_until(client.service_is_ready)
        future = client.call_async(request or kind.Request())
        assert self.spin_until(future.done, 20.0)
        self.node.destroy_client(client)
        return future.result()
