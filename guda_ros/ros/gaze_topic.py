"""The head of a robot that looks by itself, on its way to the safety node."""

from __future__ import annotations

import numpy as np
from rclpy.node import Node

from guda_ros.control.kick_and_head import HEAD_JOINTS
from guda_ros.data.contract import Contract
from guda_ros.perception.gaze import Gaze
from guda_ros.perception.observer import Observation
from guda_ros.ros import conversions as convert
from guda_ros.ros.topics import Topics
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile

#: Stamps that are farther apart [s] are of a pause: the head does not leap.
_LONGEST = 0.2


class GazeTopic:
    """
    Publish where the head is to look, if the profile says that it looks by itself.

    In a task without a ball there is nothing to look for: the head stays where it is.
    """

    def __init__(
        self, node: Node, topics: Topics, robot: RobotProfile, contract: Contract
    ) -> None:
        looks = robot.head.gaze is not None and contract.has_ball
        self._gaze = Gaze(robot, contract.field.ball.radius) if looks else None
        self._stamp: int | None = None
        self._pub = topics.publisher(node, 'head_command_gaze') if self._gaze else None

    def reset(self) -> None:
        """Look straight ahead, as at the start of an episode."""
        self._stamp = None
        if self._gaze:
            self._gaze.reset()

    def look(self, observed: Observation) -> None:
        """Turn the head to where the ball is taken to be, or search it."""
        if self._gaze is None or self._pub is None:
            return
        since = 0.0 if self._stamp is None else (observed.stamp - self._stamp) * 1e-9
        self._stamp = observed.stamp
        ball = observed.percept.ball
        place = np.full(2, np.nan) if ball.lost else ball.position
        if not ball.lost:
            place = world.to_frame(place, observed.odom_pose)
        angles = self._gaze.turn(
            place[None],
            np.array([ball.time_since_seen]),
            float(np.clip(since, 0.0, _LONGEST)),
        )[0]
        told = dict(zip(HEAD_JOINTS, map(float, angles)))
        self._pub.publish(convert.joint_state_message(told, observed.stamp))
