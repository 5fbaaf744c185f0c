"""
The environment classes of the GuDA paper's two simulated soccer tasks, one episode and many.

Their names for `gymnasium.make` are in guda_ros.environments; the twin's classes in guda_ros.sim.
"""

from __future__ import annotations

from guda_ros.tasks.physical_push.model import PhysicalPushModel
from guda_ros.tasks.physical_push.task import PhysicalPush
from guda_ros.tasks.push_ball.model import PushBallModel
from guda_ros.tasks.push_ball.task import PushBallToGoal
from guda_ros.tasks.state_env import StateEnv, StateVectorEnv


class PushBallToGoalEnv(StateEnv):
    """One robot and one ball, cut off after 500 steps; see guda_ros.tasks.push_ball.task."""

    def __init__(self, contract: PushBallModel | None = None) -> None:
        super().__init__(PushBallToGoal(contract))


class PushBallToGoalVectorEnv(StateVectorEnv):
    """`num_envs` of PushBallToGoalEnv, stepped together; all end at the same step."""

    def __init__(self, num_envs: int, contract: PushBallModel | None = None) -> None:
        super().__init__(PushBallToGoal(contract), num_envs)


class PhysicalPushEnv(StateEnv):
    """One robot and one ball until the ball is out; see guda_ros.tasks.physical_push.task."""

    def __init__(self, contract: PhysicalPushModel | None = None) -> None:
        super().__init__(PhysicalPush(contract))


class PhysicalPushVectorEnv(StateVectorEnv):
    """`num_envs` of PhysicalPushEnv, stepped together."""

    def __init__(self, num_envs: int, contract: PhysicalPushModel | None = None) -> None:
        super().__init__(PhysicalPush(contract), num_envs)
