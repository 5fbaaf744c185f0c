"""One robot of a simulator node: its topics, what it is told and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool

from guda_ros.control.head_joints import from_driver, joint_names
from guda_ros.control.kick_and_head import check_head, HEAD_JOINTS
from guda_ros.data.contract import Contract
from guda_ros.data.stamp_join import StampJoin
from guda_ros.ros.control.sent_commands import SentCommands
from guda_ros.ros.episode.event import EpisodeEvent
from guda_ros.ros.running import destroy_entities
from guda_ros.ros.simulator.topics import RobotTopics
from guda_ros.ros.topics import Topics
from guda_ros.soccer.robot import FIRST
from guda_ros.soccer.world import ROBOT

if TYPE_CHECKING:
    from guda_ros.sim.physics.sensor_suite import World

#: Seconds of simulated time that a command is followed when no other one comes.
COMMAND_LIFE = 0.5


class SimulatedRobot:
    """
    Bring a robot's sensors and commands to its topics; `destroy` removes them.

    Truth is told at once; what the sensors measure, when it arrives.

    :param on_command: called with this robot, stamp [ns] and command (3,) for each message.
    :param prefix: before every topic, such as `red/`.
    :param index: of the robot in the world.
    """

    def __init__(
        self,
        node: LifecycleNode,
        contract: Contract,
        world: World,
        on_command: Callable[[SimulatedRobot, int, np.ndarray], None],
        prefix: str = '',
        index: int = 0,
    ) -> None:
        self._node = node
        self._simulation = world.simulation
        self._sensors = world.sensors[index]
        self._index = index
        self._on_command = on_command
        robot = self._simulation.robots[index]
        self.topics = RobotTopics(node, contract, robot, self._sensors.mounts, prefix)
        # What perception answers with: the images of all cameras that it uses.
        self._further = [name for name in robot.eyes if name in robot.other_cameras]
        self._sets = StampJoin((FIRST, *self._further, 'odom'), depth=1000)
        self._command, self._command_stamp = np.zeros(3), 0
        self._kick = False
        self._centre_head()
        topics = Topics(contract, prefix)
        self._subscriptions = [
            # Served in this order: in lock-step the world goes on with a command.
            topics.subscription(node, 'head_command', self._take_head),
            *SentCommands(node, topics, self._take_command, robot.driver.stamped).entities,
            topics.subscription(node, 'kick', self._take_kick),
        ]

    def _take_command(self, command: np.ndarray, stamp: int) -> None:
        self._on_command(self, stamp, command)

    def _take_kick(self, message: Bool) -> None:
        robot = self._simulation.robots[self._index]
        if message.data and not robot.can_kick:
            self._node.get_logger().warning(
                f'kick was ignored: {robot.name} has wheels and no foot to kick with',
                throttle_duration_sec=5.0,
            )
            return
        self._kick = message.data

    def _take_head(self, message: JointState) -> None:
        joints = self._simulation.robots[self._index].head.joints
        wanted = from_driver(message.name, message.position, joints)
        try:
            check_head(wanted)
        except ValueError:
            self._node.get_logger().warning(
                f'head/command was ignored: finite positions of '
                f'{" and ".join(joint_names(joints))} are expected, not '
                f'{dict(zip(message.name, message.position))}',
                throttle_duration_sec=5.0,
            )
            return
        self._head.update(wanted)
        self._simulation.look(*(self._head[joint] for joint in HEAD_JOINTS), self._index)

    def _centre_head(self) -> None:
        self._head = dict.fromkeys(HEAD_JOINTS, 0.0)

    def follow(self, now: int, command: np.ndarray) -> None:
        """Take a command (3,) that has come at `now` [ns]."""
        self._command, self._command_stamp = command, now

    def command(self, now: int) -> np.ndarray:
        """Return the command (4,) for a step: velocities, zero when they are old, and a kick."""
        fresh = now - self._command_stamp <= COMMAND_LIFE * 1e9
        kick, self._kick = self._kick, False
        return np.append(self._command if fresh else np.zeros(3), float(kick))

    def reset(self, now: int) -> None:
        """Begin an episode at `now` [ns], once the world was reset."""
        self._sets.clear()
        self._centre_head()
        self._kick = False
        self.follow(now, np.zeros(3))
        state = self._simulation.world_state(self._index)
        self._start = tuple(map(float, state[ROBOT]))
        self.topics.prime(now - 500_000_000, state)

    def announce(self, event: EpisodeEvent) -> bool:
        """Publish an event of the episode; tell whether all subscribers confirmed it."""
        return self.topics.announce(replace(event, robot_start=self._start))

    def tell(self, now: int, control: bool) -> int | None:
        """
        Measure, and publish what has arrived by `now` [ns].

        :param control: whether a control step begins.
        :return: as `deliver`.
        """
        self._sensors.sense(now, control, self.topics.is_subscribed)
        self.topics.begin_set()
        if control:
            self.topics.truth(
                now,
                self._simulation.world_state(self._index),
                self._simulation.robot_velocity(self._index),
            )
        return self.deliver(now)

    def deliver(self, now: int) -> int | None:
        """
        Publish what has arrived by `now` [ns].

        :return: the stamp of the newest image that can be worked with only now, because the images
            of all cameras and the odometry of that stamp are there; None without one.
        """
        newest = None
        for sample in self._sensors.arrived(now):
            complete = None
            if sample.sensor == 'odometry':
                self.topics.odometry(sample.stamp, sample.pose, sample.velocity)
                for name in self._further:
                    if not self.topics.is_subscribed(name):
                        self._sets.add(name, sample.stamp, True)
                complete = self._sets.add('odom', sample.stamp, True)
            elif sample.sensor == 'imu':
                self.topics.imu(sample.stamp, sample.gyroscope, sample.accelerometer)
                self.topics.joints(sample.stamp, *sample.head)
            else:
                self.topics.image(sample.camera, sample.stamp, sample.pixels)
                if sample.camera == FIRST or sample.camera in self._further:
                    complete = self._sets.add(sample.camera, sample.stamp, True)
            if complete:
                newest = sample.stamp
        return newest

    def destroy(self) -> None:
        """Remove the topics."""
        destroy_entities(self._node, self._subscriptions)
        self.topics.destroy()
