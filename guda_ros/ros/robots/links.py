"""The adapters by their names in a robot profile."""

from __future__ import annotations

from rclpy.node import Node

from guda_ros.errors import GudaError
from guda_ros.robots.motion import RobotStatus
from guda_ros.ros.robots.booster import BoosterServiceLink, BoosterTopicLink
from guda_ros.ros.robots.link import Link
from guda_ros.ros.robots.naoqi import NaoqiLink
from guda_ros.ros.robots.op3 import Op3WalkingLink
from guda_ros.ros.robots.twist import TwistLink
from guda_ros.ros.robots.unitree import UnitreeSportLink
from guda_ros.soccer.driver import CHANNELS
from guda_ros.soccer.robot import RobotProfile

LINKS: dict[str, type[Link]] = {
    link.NAME: link
    for link in (
        TwistLink,
        NaoqiLink,
        Op3WalkingLink,
        BoosterTopicLink,
        BoosterServiceLink,
        UnitreeSportLink,
    )
}


def open_link(name: str, node: Node, robot: RobotProfile, status: RobotStatus) -> Link:
    """
    Return the way to a robot by the adapter of a name.

    :raises GudaError: if that is none, or messages of the robot's workspace are missing.
    """
    if name not in LINKS:
        raise GudaError(
            f'the robot {robot.name} has no adapter: driver.adapter of its profile, or the '
            f'parameter adapter, names one of {", ".join(CHANNELS)}'
        )
    return LINKS[name](node, robot, status)
