"""A Unitree G1 by requests of its sport service."""

from __future__ import annotations

import numpy as np
from rclpy.node import Node

from guda_ros.robots import unitree
from guda_ros.robots.motion import RobotStatus
from guda_ros.ros.robots.foreign import interface
from guda_ros.ros.robots.link import Link
from guda_ros.soccer.robot import RobotProfile


class UnitreeSportLink(Link):
    """Velocities of a finite duration on `/api/sport/request`, which stop by themselves."""

    NAME = 'unitree_sport'

    def __init__(self, node: Node, robot: RobotProfile, status: RobotStatus) -> None:
        super().__init__(node, robot, status)
        need = 'speaking to a Unitree robot'
        self._kind = interface('unitree_api/msg/Request', need)
        answer = interface('unitree_api/msg/Response', need)
        self._pub = self.publisher(self._kind, self.channel)
        self._count = 0
        topic = self.channel.replace('request', 'response')
        self.hear(answer, topic, self._on_answer)

    def move(self, told: np.ndarray) -> None:
        """Walk with a velocity for a short while."""
        self._count += 1
        request = self._kind()
        request.header.identity.id = self._count
        request.header.identity.api_id = unitree.SET_VELOCITY
        request.parameter = unitree.velocity(told)
        self._pub.publish(request)

    def _on_answer(self, message) -> None:
        identity, code = message.header.identity, message.header.status.code
        if identity.api_id == unitree.SET_VELOCITY:
            self.status.problem = unitree.problem_of(identity.api_id, code)
