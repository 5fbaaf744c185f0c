"""The simulator in the place of a robot: its driver's topics, and hands that place it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import absolute_if_path, NodeSpec

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
        self._ball: tuple[float, float] | None = None
        Topics(contract).subscription(
            graph.monitor.node, 'ground_truth_ball', self._on_ball, qos=COMMAND
        )

    @property
    def domain(self) -> int:
        """ROS domain of the simulated robot."""
        return self._graph.domain

    def _on_ball(self, message: Odometry) -> None:
        position = message.pose.pose.position
        self._ball = position.x, position.y

    def place(self, start: np.ndarray) -> None:
        """Put robot and ball to a start (5,)."""
        self._runner.place(start)
        self._ball = None

    def spin(self) -> None:
        """Handle what arrives."""
        self._graph.check()
        self._graph.monitor.spin(0.0)

    def told(self) -> str:
        """Return what a person beside the field would see."""
        if self._ball is None:
            return ''
        soccer = self._contract.task == 'soccer_push'
        if self._contract.scored(self._ball):
            return 'the ball is in the goal' if soccer else 'the ball is where it is to go'
        if self._contract.out(self._ball):
            return 'the ball is out'
        if not soccer:
            left = math.dist(self._contract.goal, self._ball)
            return f'the ball is {left:.1f} m from where it is to go'
        left = self._contract.field.goal_line - self._ball[0]
        return f'the ball is {left:.1f} m from the goal line'
