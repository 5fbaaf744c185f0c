"""What the safety node watches beside commands: posture, localisation, rivals, its own past."""

from __future__ import annotations

from collections.abc import Callable
import math
from pathlib import Path
import time

from geometry_msgs.msg import PoseWithCovarianceStamped
import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import Imu
from std_msgs.msg import String

from guda_ros.control.arbiter import Instant
from guda_ros.control.pose_watch import PoseWatch
from guda_ros.control.posture import Posture
from guda_ros.control.safety_gate import SafetyGate
from guda_ros.control.stop_memory import StopMemory
from guda_ros.data.messages import stamp_to_ns
from guda_ros.ros.control.told_states import ToldStates
from guda_ros.ros.conversions import pose_from_message, pose_is_known
from guda_ros.ros.episode.event import read_event
from guda_ros.ros.parameters import Parameters
from guda_ros.ros.qos import SENSOR_DATA
from guda_ros.ros.topics import Topics
from guda_ros.soccer.robot import VelocityLimits

#: An IMU that was heard and is silent for longer [s] says nothing about the posture any more.
IMU_LIFE = 0.5
#: How often [s] the graph is asked who else commands the robot.
RIVAL_INTERVAL = 0.2


class SafetyWatches:
    """
    Hold the gate while the robot lies, its localisation is in doubt or somebody else commands it.

    :param limits: of the robot. :param now: the moment on the node's clocks.
    :param rivals: returns who else publishes commands to the robot, empty if nobody does.
    """

    def __init__(
        self,
        node: Node,
        parameters: Parameters,
        topics: Topics,
        gate: SafetyGate,
        limits: VelocityLimits,
        now: Callable[[], Instant],
        rivals: Callable[[], str],
    ) -> None:
        self._node, self._gate, self._now, self._rivals = node, gate, now, rivals
        self._asked, self._imu_at = -math.inf, -math.inf
        watch = parameters.declare(
            'watch',
            True,
            'stop for falls, jumps of the pose and other publishers of commands',
            read_only=True,
        )
        tilt = parameters.declare(
            'tilt.limit',
            0.5,
            'tilt of the trunk from which the robot does not stand',
            unit='rad',
            low=0.1,
            high=1.5,
            read_only=True,
        )
        up = parameters.declare(
            'tilt.up', [0.0, 0.0, 1.0], "what is up in the IMU's axes", read_only=True
        )
        folder = parameters.declare(
            'memory',
            '',
            'folder where the emergency stop outlives this node, by domain and namespace; empty: '
            'nowhere',
            read_only=True,
        )
        whose = f'{node.context.get_domain_id()}{node.get_namespace()}'.rstrip('/')
        name = f'safety_{whose.replace("/", "_")}.json'
        self._memory = StopMemory(Path(folder) / name) if folder else None
        self._remembered = ''
        self._posture, self._pose_watch = Posture(tilt, up=up), PoseWatch(limits)
        self._watching = watch
        self._told = ToldStates(node, topics, self._hold) if watch else None
        if watch or gate.field_limit is not None:
            topics.subscription(node, 'pose', self._on_pose)
        if watch:
            topics.subscription(node, 'imu', self._on_imu, qos=SENSOR_DATA)
            topics.subscription(node, 'episode', self._on_episode)

    def begin(self) -> None:
        """Latch the emergency stop if the node before left it so, or did not end by itself."""
        if self._memory is None:
            return
        cause = self._memory.begin()
        if cause:
            self._gate.emergency_stop(cause, self._now())
            self._node.get_logger().warning(
                f'the robot begins stopped, by {cause}: release the emergency stop when it is safe'
            )
        self._remembered = self._gate.stop_cause

    def end(self) -> None:
        """Remember how the node ends: by itself, with a robot that stands."""
        if self._memory is not None:
            self._memory.end(self._gate.stop_cause)

    @property
    def problem(self) -> str:
        """What is wrong with the watch itself, empty if nothing is."""
        return self._memory.problem if self._memory is not None else ''

    def look(self) -> None:
        """Look again at what no message tells: silence, rivals, a stop that was latched."""
        if self._memory is not None and self._remembered != self._gate.stop_cause:
            self._remembered = self._gate.stop_cause
            self._memory.note(self._remembered)
        moment = time.monotonic()
        if not self._watching or moment - self._asked < RIVAL_INTERVAL:
            return
        self._asked = moment
        self._hold('rival', self._rivals())
        if self._told is not None:
            self._told.look()
        silence = self._now().steady - self._imu_at
        silent = math.isfinite(silence) and silence > IMU_LIFE
        self._hold('imu_silent', f'the IMU says nothing for {IMU_LIFE} s' if silent else '')

    def _on_pose(self, message: PoseWithCovarianceStamped) -> None:
        pose = pose_from_message(message) if pose_is_known(message) else None
        if self._watching and pose is not None and np.isfinite(pose).all():
            self._pose_watch.see(stamp_to_ns(message.header.stamp) * 1e-9, pose)
            problem = self._pose_watch.problem
            self._hold('pose_jumped', problem and f'{problem}; it is to settle first', ('policy',))
            pose = None if problem else pose
        if self._gate.field_limit is not None:
            now, variances = self._now(), message.pose.covariance
            stamp = stamp_to_ns(message.header.stamp) * 1e-9
            self._gate.field_limit.see(
                pose,
                now,
                (math.sqrt(max(variances[0], 0.0)), math.sqrt(max(variances[7], 0.0))),
                now.ros - stamp if stamp else 0.0,
            )

    def _hold(self, name: str, why: str, only: tuple[str, ...] = ()) -> None:
        # A hold that is on keeps its first words: what they count goes on.
        if bool(why) == (name in self._gate.holds):
            return
        self._gate.hold(name, why, only)
        if why:
            self._node.get_logger().warning(f'the robot stands: {why}')
        else:
            self._node.get_logger().info(f'no longer {name.replace("_", " ")}')

    def _on_imu(self, message: Imu) -> None:
        # The covariance of what an IMU does not give begins with -1.
        turned = message.orientation if message.orientation_covariance[0] != -1 else None
        rates, force = message.angular_velocity, message.linear_acceleration
        self._imu_at = self._now().steady
        self._posture.see(
            stamp_to_ns(message.header.stamp) * 1e-9 or self._now().ros,
            np.array([rates.x, rates.y, rates.z]),
            np.array([force.x, force.y, force.z]),
            None if turned is None else np.array([turned.x, turned.y, turned.z, turned.w]),
        )
        tilt = math.degrees(self._posture.tilt)
        self._hold(
            'fallen',
            f'it falls, lies or gets up, {tilt:.0f} degrees from upright'
            if self._posture.down
            else '',
        )

    def _on_episode(self, message: String) -> None:
        event = read_event(self._node, message.data)
        if event is not None and event.phase == 'reset':
            # Somebody puts robot and ball where they begin.
            self._pose_watch.reset()
            self._hold('pose_jumped', '')
