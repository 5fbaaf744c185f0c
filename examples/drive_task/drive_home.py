"""A task of a robot without a ball: a base on wheels drives to a place and stops the right way."""

import numpy as np

from guda_ros.data.contract import Contract
from guda_ros.data.contract_base import SuccessWords
from guda_ros.soccer import world
from guda_ros.soccer.observation import Feature
from guda_ros.tasks.soccer.pose_task import RobotPose

NEAR, STRAIGHT = 0.15, np.radians(20)  # m, rad


class DriveHomeContract(Contract):
    """What differs from soccer: no ball, where the robot is to come, and when it is there."""

    task = 'drive_home'
    # What a robot needs to know, beside its odometry: its pose, and no ball.
    inputs = ('pose',)
    # In which heading it is to come there; the scripted demonstrator asks it.
    goal_yaw = 0.0
    words = SuccessWords(
        'arrival', 'arrived', 'arrives', f'the robot within {NEAR} m and 20 degrees of its place'
    )
    features = {
        **Contract.features,
        'heading': Feature(
            ('heading_sin', 'heading_cos'),
            lambda field: (1.0, 1.0),
            lambda scene: np.stack([np.sin(scene.robot[..., 2]), np.cos(scene.robot[..., 2])], -1),
        ),
    }

    @property
    def goal(self):
        return np.array([self.field.length / 2 - 0.6, 0.0])

    def succeeded(self, states):
        off = world.wrap_angle(states[..., world.ROBOT_YAW] - self.goal_yaw)
        away = np.abs(states[..., world.ROBOT_POSITION] - self.goal).max(axis=-1)
        return (away < NEAR) & (np.abs(off) < STRAIGHT)

    def failed(self, states):
        # The walls of the room stop it; nothing is lost.
        return np.zeros(np.shape(states)[:-1], dtype=bool)


class DriveHome(RobotPose):
    """Reward, ends and observation are those of the contract."""

    name, contract_class = 'drive_home', DriveHomeContract

    @property
    def mouth(self):
        # Where a drive comes to its end: guides put the last pose of one there.
        x, y = self.contract.goal
        return ((x - NEAR, x - NEAR + 0.02), (y - NEAR / 2, y + NEAR / 2))
