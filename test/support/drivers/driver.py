"""
A robot in the simulator behind the topics of its public driver, in real time.

    python -m drivers.driver naoqi --robot PROFILE.yaml

It is told and tells what is no matter of ROS by lines of JSON. Standard input: `place`: robot x,
y, yaw and ball x, y; `look`: pan and tilt [rad]; its end ends the driver. Standard output, ten
times a second: `robot`, `ball`, `head`, the last `command` and how many were `heard`.
"""

from __future__ import annotations

import argparse
from array import array
from collections.abc import Callable
from dataclasses import replace
import json
import os
import select
import sys
import time

import cv2
from geometry_msgs.msg import Twist
from nav_msgs.msg import Odometry
import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu, JointState

from drivers.catalogue import DRIVERS
from drivers.description import Camera, Description, SECOND, Stream
from guda_ros.control.head_joints import from_driver, to_driver
from guda_ros.control.kick_and_head import HEAD_JOINTS
from guda_ros.data.contract import Contract
from guda_ros.ros import conversions as convert
from guda_ros.sim.physics.sensors import ImuModel
from guda_ros.sim.physics.simulation import SoccerSimulation
from guda_ros.sim.rendering.camera import RobotCameras, Shot
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile

#: Steps of the world a second.
_RATE = 200.0
_TOLD = Stream('', 10.0, 0.0)


class StandInDriver:
    """
    One robot and its driver.

    :param description: of the driver. :param robot: profile of the robot, name or file.
    """

    def __init__(self, description: Description, robot: str) -> None:
        contract = Contract.load('soccer_push', robot)
        self._about, self._robot = description, RobotProfile.load(robot)
        stepped = replace(contract, rate=_RATE)
        self._world, drawn = (
            SoccerSimulation(stepped, self._robot, timestep=1 / _RATE) for _ in range(2)
        )
        self._cameras = RobotCameras(drawn, [self._robot])
        # The first picture takes a second, in which no driver would be silent.
        for camera in description.cameras:
            self._cameras.draw(Shot(camera.name, 0, 0, self._world.physics_state()))
        self._imu = ImuModel(self._robot.imu)
        self._command, self._followed, self._heard = np.zeros(3), 0, 0
        self._head = [0.0, 0.0]
        # Odometry that did not begin here, and knows nothing of being carried.
        self._odom, self._seen = np.array([3.7, -1.2, 2.1]), np.zeros(3)
        self._node = rclpy.create_node('driver')
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._began = self._now = time.time_ns()
        self._due: list[list] = []
        self._open()

    def _open(self) -> None:
        about, node = self._about, self._node
        self._every(about.odom, self._tell_odometry, Odometry)
        self._every(about.imu, self._tell_imu, Imu)
        if about.joint_states is not None:
            self._every(about.joint_states, self._tell_joints, JointState)
        for camera in about.cameras:
            info = node.create_publisher(CameraInfo, camera.info, _qos(camera.images))
            compressed = camera.encoding == 'jpeg'
            self._every(
                replace(camera.images, topic=f'{camera.images.topic}/compressed')
                if compressed
                else camera.images,
                lambda stamp, pub, camera=camera, info=info: self._see(stamp, pub, camera, info),
                CompressedImage if compressed else Image,
            )
        self._due.append([self._began, _TOLD.period, lambda stamp: self._report()])
        node.create_subscription(Twist, about.command, self._on_command, 10)
        if about.head_command:
            node.create_subscription(JointState, about.head_command, self._on_head, 10)

    def _every(self, stream: Stream, tell: Callable, kind: type) -> None:
        pub = self._node.create_publisher(kind, stream.topic, _qos(stream))
        first = self._began + round(stream.phase * SECOND)
        self._due.append([first, stream.period, lambda stamp: tell(stamp, pub)])

    def run(self) -> None:
        """Live until standard input ends."""
        buffer = b''
        while True:
            entry = min(self._due, key=lambda one: one[0])
            wait = (entry[0] - time.time_ns()) / SECOND
            if wait > 0:
                self._executor.spin_once(timeout_sec=wait)
                if select.select([0], [], [], 0)[0]:
                    data = os.read(0, 65536)
                    if not data:
                        return
                    *lines, buffer = (buffer + data).split(b'\n')
                    for line in lines:
                        self._obey(json.loads(line))
                continue
            due, period, tell = entry
            self._live_until(due)
            tell(due)
            entry[0] += period
            # Whoever comes too late skips what is over, as a driver's timer does.
            late = time.time_ns() - entry[0]
            if late > period:
                entry[0] += late // period * period

    def _live_until(self, now: int) -> None:
        while self._now < now:
            self._now += round(SECOND / _RATE)
            patience = self._about.patience
            if patience is not None and self._now - self._followed > patience * SECOND:
                self._command = np.zeros(3)
            self._world.step(self._command)

    def _on_command(self, message: Twist) -> None:
        self._command, self._followed = convert.command_from_twist(message), time.time_ns()
        self._heard += 1

    def _on_head(self, message: JointState) -> None:
        wanted = from_driver(message.name, message.position, self._about.head)
        for index, joint in enumerate(HEAD_JOINTS):
            self._head[index] = wanted.get(joint, self._head[index])
        self._world.look(*self._head)

    def _obey(self, order: dict) -> None:
        if 'place' in order:
            self._follow()
            self._world.reset(np.array(order['place']), seed=0)
            self._seen = self._pose
            self._command = np.zeros(3)
        if 'look' in order:
            self._head = order['look']
        self._world.look(*self._head)

    @property
    def _pose(self) -> np.ndarray:
        return self._world.world_state()[world.ROBOT].copy()

    def _follow(self) -> np.ndarray:
        pose = self._pose
        self._odom = world.compose(self._odom, world.relative_pose(pose, self._seen))
        self._seen = pose
        return self._odom

    def _tell_odometry(self, stamp: int, pub) -> None:
        message = convert.odometry_message(
            self._follow(),
            stamp,
            self._about.odom.frame,
            self._about.base_frame,
            velocity=self._world.robot_velocity(),
            height=self._about.height,
        )
        roll, pitch = self._about.lean
        turn = message.pose.pose.orientation
        turn.x, turn.y, turn.z, turn.w = _quaternion(roll, pitch, float(self._odom[2]))
        pub.publish(message)

    def _tell_imu(self, stamp: int, pub) -> None:
        sample = self._imu.sample(
            (stamp - self._began) / SECOND,
            self._pose[2],
            self._world.robot_velocity(),
            self._world.trunk_sway(),
        )
        pub.publish(convert.imu_message(*sample, stamp, self._about.imu.frame, (0.01, 0.1)))

    def _tell_joints(self, stamp: int, pub) -> None:
        angles = dict.fromkeys(self._about.joints, 0.1)
        head = dict(zip(HEAD_JOINTS, self._world.head()))
        angles.update(to_driver(head, self._about.head))
        pub.publish(convert.joint_state_message(angles, stamp))

    def _see(self, stamp: int, pub, camera: Camera, info_pub) -> None:
        # As image_transport does, nothing is drawn that nobody wants.
        if not (pub.get_subscription_count() or info_pub.get_subscription_count()):
            return
        shot = Shot(camera.name, stamp, stamp, self._world.physics_state())
        pixels = self._cameras.draw(shot)
        header = convert.header(stamp, camera.images.frame)
        info_pub.publish(_info(camera, header, pixels.shape))
        if camera.encoding == 'jpeg':
            data = cv2.imencode('.jpg', pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
            form = 'rgb8; jpeg compressed bgr8'
            pub.publish(
                CompressedImage(header=header, format=form, data=array('B', data.tobytes()))
            )
        elif camera.encoding == 'rgb8':
            pub.publish(convert.image_message(pixels, stamp, camera.images.frame))
        else:
            packed = cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_YUY2)
            message = convert.image_message(pixels, stamp, camera.images.frame)
            message.encoding, message.step = camera.encoding, 2 * pixels.shape[1]
            message.data = array('B', packed.tobytes())
            pub.publish(message)

    def _report(self) -> None:
        state = self._world.world_state()
        told = {
            'robot': state[world.ROBOT].tolist(),
            'ball': state[world.BALL].tolist(),
            'speed': float(np.abs(self._world.robot_velocity()).max()),
            'head': self._world.head().tolist(),
            'command': self._command.tolist(),
            'heard': self._heard,
        }
        print(json.dumps(told), flush=True)

    def close(self) -> None:
        """Free what is drawn with, and leave the graph."""
        self._cameras.close()
        self._executor.shutdown()
        self._node.destroy_node()


def _qos(stream: Stream) -> QoSProfile:
    kind = ReliabilityPolicy.RELIABLE if stream.reliable else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(depth=stream.depth, reliability=kind)


def _info(camera: Camera, header, shape: tuple[int, ...]) -> CameraInfo:
    message = CameraInfo(header=header, height=shape[0], width=shape[1])
    if any(camera.focal):
        (fx, fy), (cx, cy) = camera.focal, camera.centre
        message.distortion_model, message.d = 'plumb_bob', list(map(float, camera.distortion))
        message.k = [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0]
        message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
        message.p = [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message


def _quaternion(roll: float, pitch: float, yaw: float) -> tuple[float, float, float, float]:
    """Return x, y, z, w of a rotation about z, then y, then x, as tf2's setRPY does."""
    (cr, cp, cy), (sr, sp, sy) = (
        [float(wave(angle / 2)) for angle in (roll, pitch, yaw)] for wave in (np.cos, np.sin)
    )
    return (
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
        cr * cp * cy + sr * sp * sy,
    )


def main() -> None:
    """Run the driver that is named."""
    parser = argparse.ArgumentParser()
    parser.add_argument('driver', choices=DRIVERS)
    parser.add_argument('--robot', required=True)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    rclpy.init()
    driver = StandInDriver(DRIVERS[args.driver], args.robot)
    try:
        driver.run()
    finally:
        driver.close()
        rclpy.shutdown()


if __name__ == '__main__':
    sys.exit(main())
