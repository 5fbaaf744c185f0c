"""The simulator in the place of a robot: its driver's topics, and hands that place it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.data.messages import planar_pose
from guda_ros.data.pairing import truth_roles
from guda_ros.data.registry import SOCCER
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import absolute_if_path, NodeSpec
from guda_ros.soccer import world

if TYPE_CHECKING:
    from nav_msgs.msg import Odometry


def stand_in_spec(contract: str, robot: str = '') -> NodeSpec:
    """Return the simulator as a robot's driver: in real time, its own episodes out of the way."""
    return NodeSpec(
        'simulator',
        'simulator',
        parameters={
            'use_sim_time': False,
            'mode': 'free',
            'contract': absolute_if_path(contract),
            'robot': absolute_if_path(robot),
        },
        remappings={'episode': 'simulator/episode'},
        lifecycle=True,
    )


class StandIn:
    """A simulated robot in a graph of its own, with hands to place it."""

    def __init__(self, graph: GraphProcesses, contract: Contract) -> None:
        # Only now: starting the graph has set the environment that rclpy reads.
        from guda_ros.ros.qos import COMMAND
        from guda_ros.ros.topics import Topics

        self._graph, self._contract = graph, contract
        self._runner = graph.runner()
        self._seen: np.ndarray | None = None
        # Where what is to come to the goal is: the ball, in a task without one the robot.
        self._subject = truth_roles(contract.inputs)[-1]
        Topics(contract).subscription(
            graph.monitor.node, self._subject, self._on_truth, qos=COMMAND
        )

    @property
    def domain(self) -> int:
        """ROS domain of the simulated robot."""
        return self._graph.domain

    def _on_truth(self, message: Odometry) -> None:
        x, y, yaw = planar_pose(message.pose.pose)
        self._seen = np.zeros(world.SIZE)
        self._seen[self._contract.subject] = x, y
        if not self._contract.has_ball:
            self._seen[world.ROBOT_YAW] = yaw

    def place(self, start: np.ndarray) -> None:
        """Put robot and ball to a start (5,)."""
        self._runner.place(start)
        self._seen = None

    def spin(self) -> None:
        """Handle what arrives."""
        self._graph.check()
        self._graph.monitor.spin(0.0)

    def told(self) -> str:
        """Return what a person beside the field would see."""
        if self._seen is None:
            return ''
        contract, place = self._contract, self._seen[self._contract.subject]
        soccer, what = contract.task == SOCCER, 'ball' if contract.has_ball else 'robot'
        if contract.succeeded(self._seen):
            return 'the ball is in the goal' if soccer else f'the {what} is where it is to go'
        if contract.failed(self._seen):
            return f'the {what} is out'
        if not soccer:
            left = math.dist(contract.goal, place)
            return f'the {what} is {left:.1f} m from where it is to go'
        left = contract.field.goal_line - place[0]
        return f'the ball is {left:.1f} m from the goal line'
