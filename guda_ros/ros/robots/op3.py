"""A ROBOTIS OP3 by the parameters of its walking module."""

from __future__ import annotations

import numpy as np
from rclpy.node import Node
from rclpy.task import Future
from std_msgs.msg import String

from guda_ros.robots import op3
from guda_ros.robots.motion import RobotStatus
from guda_ros.ros.robots.foreign import interface
from guda_ros.ros.robots.link import Link
from guda_ros.soccer.robot import RobotProfile


class Op3WalkingLink(Link):
    """
    Set amplitudes on `/robotis/walking/set_params`, start and stop on `/robotis/walking/command`.

    set_params replaces all parameters: those of the robot are asked for first, and until they are
    known it is told nothing but to stop.
    """

    NAME = 'op3_walking'

    def __init__(self, node: Node, robot: RobotProfile, status: RobotStatus) -> None:
        super().__init__(node, robot, status)
        need = 'speaking to an OP3'
        kind = interface('op3_walking_module_msgs/msg/WalkingParam', need)
        self._kind = interface('op3_walking_module_msgs/srv/GetWalkingParam', need)
        self._pub = self.publisher(kind, self.channel)
        self._words = self.publisher(String, '/robotis/walking/command', 10)
        self._modules = self.publisher(String, '/robotis/enable_ctrl_module')
        self._client = node.create_client(self._kind, '/robotis/walking/get_params')
        self._switch, self._parameters = op3.WalkSwitch(), None
        self._asked: Future | None = None

    def move(self, told: np.ndarray) -> None:
        """Walk with a velocity, or stop."""
        known = self._parameters
        if known is not None:
            try:
                steps = op3.amplitudes(told, known.period_time)
            except ValueError as error:
                self.status.problem, told = f'/robotis/walking/get_params: {error}', np.zeros(3)
                steps = op3.Amplitudes(0.0, 0.0, 0.0)
            known.x_move_amplitude, known.y_move_amplitude = steps.x, steps.y
            known.angle_move_amplitude = steps.angle
            self._pub.publish(known)
        elif np.any(told):
            self.status.problem = '/robotis/walking/get_params has not answered yet'
            told = np.zeros(3)
        if word := self._switch.word(told):
            self._words.publish(String(data=word))

    def ask(self) -> None:
        """Ask for the walking parameters until they are known."""
        waits = self._asked is not None and not self._asked.done()
        if self._parameters is None and not waits and self._client.service_is_ready():
            self._asked = self._client.call_async(self._kind.Request(get_param=True))
            self._asked.add_done_callback(self._on_parameters)

    def walk(self) -> str:
        """Give the legs to the walking module, which takes its posture."""
        self._modules.publish(String(data=op3.MODULE))
        return ''

    def _on_parameters(self, future: Future) -> None:
        if future.result() is not None:
            self._parameters, self.status.problem = future.result().parameters, ''
