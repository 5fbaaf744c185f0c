"""The parameters of the safety node, and the gate that they describe."""

from __future__ import annotations

import numpy as np

from guda_ros.control.arbiter import Lock, Source
from guda_ros.control.field_limit import FieldLimit
from guda_ros.control.limits import CommandLimiter
from guda_ros.control.safety_gate import SafetyGate
from guda_ros.data.contract import Contract
from guda_ros.ros.parameters import Parameters

#: A lock by name: its topic is `lock/NAME`. `takeover` keeps the policy out, `pause` everybody.
LOCKS = {'takeover': 2, 'pause': 3}
#: The middle of the robot stays this far [m] from the edge of the carpet.
EDGE = 0.2


def declare_safety_gate(
    parameters: Parameters, contract: Contract, repeat_stop: float
) -> SafetyGate:
    """
    Declare the parameters of the rules and return the gate that applies them.

    :param repeat_stop: how long [s] a stop is repeated; 0 sends it once.
    """

    def seconds(name: str, default: float, description: str) -> float:
        return parameters.declare(
            name, default, description, unit='s', low=0.02, high=10.0, read_only=True
        )

    acceleration = parameters.declare(
        'max_acceleration',
        [0.0, 0.0, 0.0],
        'largest acceleration forward, left and turn; 0: no limit',
        unit='m/s^2, rad/s^2',
        check=_check_acceleration,
        read_only=True,
    )
    limiter = CommandLimiter(
        contract.limits, [value or np.inf for value in acceleration] if any(acceleration) else None
    )
    sources = {
        'teleop': Source(2, seconds('timeout.teleop', 0.5, 'silence of teleop that stops')),
        'policy': Source(1, seconds('timeout.policy', 0.5, 'silence of policy that stops')),
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
    field = contract.field
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
        joystick_timeout=seconds('timeout.joy', 0.5, 'silence of joy that counts as let go'),
        future_tolerance=seconds('future_tolerance', 0.5, 'how far a stamp may lie ahead'),
        repeat_stop=repeat_stop,
        locks=locks,
        field_limit=FieldLimit(field, max(0.0, field.border - EDGE)) if on_field else None,
    )


def _check_acceleration(values: np.ndarray) -> None:
    if len(values) != 3 or not all(np.isfinite(value) and value >= 0 for value in values):
        raise ValueError('three numbers that are not negative are expected')
