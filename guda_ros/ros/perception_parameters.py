"""The parameters that say how perception finds out where the robot is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rclpy.parameter import Parameter

from guda_ros.data.contract import Contract
from guda_ros.perception.line_localiser import LineLocaliser, MirrorRule
from guda_ros.perception.pipeline import Perception
from guda_ros.ros.parameters import Parameters
from guda_ros.soccer.robot import RobotProfile


def declare_perception(
    parameters: Parameters, contract: Contract, profile: RobotProfile
) -> Perception:
    """Declare `initial_pose`, `localisation` and `mirror`, and return what they describe."""
    start = parameters.declare(
        'initial_pose',
        Parameter.Type.DOUBLE_ARRAY,
        'x, y, yaw in map where the robot stands at the first image; empty: wait for an episode '
        'to tell',
        unit='m, m, rad',
        check=_check_pose,
        read_only=True,
    )
    by = parameters.declare(
        'localisation',
        'start',
        'start: dead reckoning from a known start; lines: corrected by the lines of the field, '
        'which also find a robot that is lost',
        choices=('start', 'lines'),
        read_only=True,
    )
    rule = parameters.declare(
        'mirror',
        MirrorRule.SAME_HALF.value,
        'with localisation by lines: the half on which a robot that was lost takes itself to be',
        choices=tuple(rule.value for rule in MirrorRule),
        read_only=True,
    )
    localiser = None
    if by == 'lines':
        localiser = LineLocaliser(contract.field, profile.odometry, MirrorRule(rule))
    perception = Perception(contract, profile, localiser)
    perception.reset(np.array(start, dtype=np.float64) if len(start or ()) else None)
    return perception


def _check_pose(values: Sequence[float]) -> None:
    if len(values) not in (0, 3) or not np.isfinite(values).all():
        raise ValueError(f'three finite numbers x, y, yaw are expected, not {list(values)}')
