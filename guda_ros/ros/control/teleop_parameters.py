"""The parameters of the teleop node, and what they describe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from guda_ros.control.joystick import JoystickMap
from guda_ros.control.teleoperation import Teleoperation
from guda_ros.ros.parameters import Parameters
from guda_ros.soccer.starts import PURPOSES, SCENARIOS


@dataclass(frozen=True, eq=False)
class TeleopParameters:
    """
    What the teleop node was told.

    by_observation: commands answer observations, not joystick messages. stamped: commands are
    TwistStamped. purpose, scenario, start_index: the first of the fixed starts of episodes.
    """

    joystick: JoystickMap
    teleoperation: Teleoperation
    by_observation: bool
    stamped: bool
    purpose: str
    scenario: str
    start_index: int


def declare_teleop(parameters: Parameters) -> TeleopParameters:
    """Declare the parameters and return their values; ConfigError for an unknown joystick map."""
    declare = partial(parameters.declare, read_only=True)
    joystick = JoystickMap.load(declare('joystick', 'xbox', 'joystick map, name or file'))
    timeout = declare(
        'joy_timeout',
        0.5,
        'silence of the joystick after which the robot is stopped',
        unit='s',
        low=0.05,
        high=10.0,
    )
    hand_over = declare(
        'hand_over',
        0.5,
        'how long the sticks rest in the middle before a policy has the robot back',
        unit='s',
        low=0.0,
        high=10.0,
    )
    answer = declare('answer', 'joy', 'what commands answer', choices=('joy', 'observation'))
    return TeleopParameters(
        joystick,
        Teleoperation(timeout, hand_over),
        answer == 'observation',
        declare('stamped', True, 'publish TwistStamped; false: Twist'),
        declare(
            'purpose',
            'demonstration',
            'list of fixed starts of the episodes',
            choices=PURPOSES,
        ),
        declare('scenario', 'attack', 'kind of start', choices=SCENARIOS),
        declare('start_index', 0, 'number of the first start', low=0, high=100000),
    )
