"""The parameters of the safety node, and the gate that they describe."""

from __future__ import annotations

from functools import partial

import numpy as np

from guda_ros.control.arbiter import Lock, Source
from guda_ros.control.field_limit import FieldLimit, POSE_LIFE
from guda_ros.control.limits import CommandLimiter
from guda_ros.control.safety_gate import SafetyGate
from guda_ros.data.contract import Contract
from guda_ros.robots.dead_zone import to_robot
from guda_ros.ros.parameters import Parameters
from guda_ros.soccer.driver import Driver, NO_ADAPTER
from guda_ros.soccer.robot import RobotProfile, VelocityLimits
from guda_ros.soccer.walk_response import WalkResponse

#: A lock by name: its topic is `lock/NAME`. `takeover` keeps the policy out, `pause` everybody.
LOCKS = {'takeover': 2, 'pause': 3}
#: A source that says nothing for so long [s], or for so many periods of the contract if that is
#: longer, is silent: one command may be lost and the next half a period late.
SILENCE, PERIODS = 0.25, 2.5
#: A zero takes at most so long [s] to the robot, with the tick of the node that sends it.
ARRIVAL = 0.05
#: The way to a stand is predicted with no longer silence than that [s].
LONGEST = 1.0
#: The middle of the robot stays this far [m] from the edge of the carpet.
EDGE = 0.2


def declare_safety_gate(
    parameters: Parameters, contract: Contract, robot: RobotProfile, simulated: bool
) -> SafetyGate:
    """
    Declare the parameters of the rules and return the gate that applies them.

    :param robot: profile, whose limits of acceleration and jerk `limit_changes` applies.
    :param simulated: whether time is.
    """

    def seconds(name: str, default: float, description: str) -> float:
        return parameters.declare(
            name, default, description, unit='s', low=0.02, high=10.0, read_only=True
        )

    limiter = CommandLimiter(contract.limits, *_limits_of_changes(parameters, robot.driver))
    # A simulator that is late holds its time, and recordings of it stay what they are.
    silence = 0.5 if simulated else max(SILENCE, PERIODS / contract.rate)
    age = seconds('max_age', 0.5, 'age of a stamp up to which a command counts')
    timeouts = {
        name: seconds(f'timeout.{name}', silence, f'silence of {name} that stops')
        for name in ('teleop', 'policy')
    }
    joystick = seconds(
        'timeout.joy', 0.5 if simulated else SILENCE, 'silence of joy that counts as let go'
    )
    sources = {
        name: Source(priority, timeouts[name], max(age, timeouts[name]))
        for name, priority in (('teleop', 2), ('policy', 1))
    }
    locks = {
        name: Lock(
            priority,
            parameters.declare(
                f'timeout.lock.{name}',
                0.0,
                f'silence of lock/{name} that counts as locked; 0: none',
                unit='s',
                low=0.0,
                high=10.0,
                read_only=True,
            ),
        )
        for name, priority in LOCKS.items()
    }
    on_field = parameters.declare(
        'keep_on_field',
        True,
        'let nobody walk off the carpet, while the pose is known',
        read_only=True,
    )
    predict = parameters.declare(
        'predict_stop',
        True,
        "keep the robot's way to a stand on the carpet, by its response and the deviation of its "
        'pose',
        read_only=True,
    )
    field_limit = None
    if on_field:
        # Until a silent source is noticed and a zero has arrived.
        hold = min(max(timeouts.values()), LONGEST) + ARRIVAL
        response = WalkResponse(robot.walk, POSE_LIFE) if predict else None
        margin = max(0.0, contract.field.border - EDGE)
        moves = partial(_done_at_most, limits=contract.limits, driver=robot.driver)
        field_limit = FieldLimit(contract.field, margin, response, hold, moves)
    required = parameters.declare(
        'require_deadman',
        True,
        'the robot moves only while a person holds the dead-man, whoever drives it',
        read_only=True,
    )
    return SafetyGate(
        limiter,
        sources,
        frame=contract.frames['base'],
        operator='teleop',
        guarded=tuple(sources) if required else (),
        joystick_timeout=joystick,
        joystick_age=max(age, joystick),
        future_tolerance=seconds('future_tolerance', 0.5, 'how far a stamp may lie ahead'),
        # An unasked second stop would answer a later step of a simulator in lock-step.
        repeat_stop=0.0 if simulated else 1.0,
        locks=locks,
        field_limit=field_limit,
    )


def _done_at_most(command: np.ndarray, limits: VelocityLimits, driver: Driver) -> np.ndarray:
    """Return what a robot does of a command, which an adapter may raise over its dead zone."""
    if driver.adapter == NO_ADAPTER:
        return command
    told = to_robot(command, limits, driver) / np.array(driver.scale)
    # A simulated one follows slow commands as well.
    return np.where(np.abs(told) > np.abs(command), told, command)


def _limits_of_changes(
    parameters: Parameters, driver: Driver
) -> tuple[list[float] | None, list[float] | None]:
    """Declare the limits (3,) of acceleration and jerk and return them, None for no limit."""
    smooth = parameters.declare(
        'limit_changes',
        False,
        "keep to the robot profile's driver.acceleration and driver.jerk where the two "
        'parameters below give none',
        read_only=True,
    )

    def limit(name: str, what: str, unit: str, profile: tuple[float, ...]) -> list[float] | None:
        told = parameters.declare(
            name,
            [0.0, 0.0, 0.0],
            f'largest {what} forward, left and turn; 0: no limit',
            unit=unit,
            check=_check_three,
            read_only=True,
        )
        values = told if any(told) else profile if smooth else ()
        return [value or np.inf for value in values] if any(values) else None

    return (
        limit('max_acceleration', 'acceleration', 'm/s^2, rad/s^2', driver.acceleration),
        limit('max_jerk', 'jerk', 'm/s^3, rad/s^3', driver.jerk),
    )


def _check_three(values: np.ndarray) -> None:
    if len(values) != 3 or not all(np.isfinite(value) and value >= 0 for value in values):
        raise ValueError('three numbers that are not negative are expected')
