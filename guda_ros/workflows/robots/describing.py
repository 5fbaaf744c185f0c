"""Write the robot description of a profile, and its fixed transforms, as files."""

from __future__ import annotations

from dataclasses import asdict, dataclass
import json
import os

from guda_ros.arguments import as_path_or
from guda_ros.data.contract import Contract
from guda_ros.data.files import atomic_target, refuse_target
from guda_ros.soccer import robot_model
from guda_ros.soccer.robot import RobotProfile


@dataclass(frozen=True)
class RobotDescription:
    """
    What a robot looks like to RViz and others.

    urdf: the text of `robot_description`. transforms: those of `/tf_static` as JSON: parent,
    child, xyz [m], quaternion (x, y, z, w).
    """

    urdf: str
    transforms: str

    def write(self, path: str | os.PathLike, text: str) -> None:
        """Write one of the two to a new file, whole; GudaError if it is there."""
        refuse_target(path)
        with atomic_target(path) as temporary:
            temporary.write_text(text, encoding='utf-8')


def robot_description(
    robot: str | os.PathLike, contract: str | os.PathLike = 'soccer_push'
) -> RobotDescription:
    """
    Return the description of a robot by its profile, in the frames of a contract.

    :raises ConfigError: for a profile or contract that cannot be read.
    """
    name = as_path_or(robot, str, 'robot')
    profile, frames = RobotProfile.load(name), Contract.load(contract, name).frames
    fixed = robot_model.transforms(robot_model.joints_of(profile, frames))
    told = json.dumps([asdict(transform) for transform in fixed], indent=1) + '\n'
    return RobotDescription(robot_model.urdf(profile, frames), told)
