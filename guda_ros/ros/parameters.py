"""Parameters of a node: declared with a descriptor, checked whenever they are set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import InvalidParameterTypeException, ParameterUninitializedException
from rclpy.node import Node
from rclpy.parameter import Parameter

from guda_ros.config.files import find_config, load_yaml
from guda_ros.data.contract import Contract
from guda_ros.data.odometry_join import MAX_GAP, MAX_WAIT
from guda_ros.soccer.robot import RobotProfile


class Parameters:
    """
    The parameters of one node; `parameters['name']` is the present value.

    A value outside its range or choices, or that its check refuses, is rejected with a reason, be
    it at start-up (rclpy's InvalidParameterValueException) or later (`ros2 param set`).
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._choices: dict[str, tuple] = {}
        self._checks: dict[str, Callable[[object], None]] = {}
        node.add_on_set_parameters_callback(self._validate)

    def declare(
        self,
        name: str,
        default: Any,
        description: str,
        *,
        unit: str = '',
        low: float | None = None,
        high: float | None = None,
        choices: Sequence | None = None,
        check: Callable[[Any], object] | None = None,
        read_only: bool = False,
    ) -> Any:
        """
        Declare a parameter and return its value: an override from command line or file goes first.

        :param default: its type is the parameter's; `Parameter.Type.DOUBLE_ARRAY` (or another
            array type) stands for an empty array of that type. Whole numbers are taken where
            reals are declared.
        :param low: with `high`, the range of a number, both ends allowed.
        :param choices: the values that are allowed.
        :param check: raises ValueError for a value that is not allowed.
        """
        constraints = []
        if choices is not None:
            self._choices[name] = tuple(choices)
            constraints.append('one of ' + ', '.join(map(str, choices)))
        if unit:
            constraints.append(f'in {unit}')
        if check is not None:
            self._checks[name] = check
        descriptor = ParameterDescriptor(
            description=description,
            read_only=read_only,
            additional_constraints='; '.join(constraints),
        )
        if low is not None and high is not None:
            if isinstance(default, float):
                descriptor.floating_point_range = [
                    FloatingPointRange(from_value=float(low), to_value=float(high), step=0.0)
                ]
            else:
                descriptor.integer_range = [
                    IntegerRange(from_value=int(low), to_value=int(high), step=0)
                ]
        try:
            self._node.declare_parameter(name, default, descriptor)
        except InvalidParameterTypeException:
            reals = self._as_reals(name, default)
            if reals is None:
                raise
            self._node.declare_parameter(name, reals, descriptor, ignore_override=True)
        if (
            isinstance(default, Parameter.Type)
            and not read_only
            and self._node.get_parameter_or(name).type_ == Parameter.Type.NOT_SET
        ):
            # An empty list has no element that tells its type, so the type is said here.
            self._node.set_parameters([Parameter(name, default, [])])
        return self[name]

    def _as_reals(self, name: str, default: Any) -> float | list[float] | None:
        """Return an override as reals, None if it is not whole numbers where they are wanted."""
        node = self._node
        node.declare_parameter(name, None, ParameterDescriptor(dynamic_typing=True))
        given = node.get_parameter(name)
        node.undeclare_parameter(name)
        wanted = default
        if not isinstance(default, Parameter.Type):
            wanted = Parameter.Type.from_parameter_value(default)
        if (given.type_, wanted) == (Parameter.Type.INTEGER, Parameter.Type.DOUBLE):
            return float(given.value)
        if (given.type_, wanted) == (Parameter.Type.INTEGER_ARRAY, Parameter.Type.DOUBLE_ARRAY):
            return [float(value) for value in given.value]
        return None

    def __getitem__(self, name: str):
        try:
            return self._node.get_parameter(name).value
        except ParameterUninitializedException:
            # An array without a default that is read-only cannot be set to the empty one.
            return []

    def seconds(self) -> float:
        """Return the time [s] on the node's clock."""
        return self._node.get_clock().now().nanoseconds * 1e-9

    def _validate(self, parameters: list[Parameter]) -> SetParametersResult:
        # Starts from success: a parameter unknown here (use_sim_time) is others' business.
        result = SetParametersResult(successful=True)
        for parameter in parameters:
            name, value = parameter.name, parameter.value
            if name in self._choices and value not in self._choices[name]:
                known = ', '.join(map(str, self._choices[name]))
                return SetParametersResult(
                    successful=False, reason=f'{name}: {value!r} is not one of {known}'
                )
            if name in self._checks and parameter.type_ != Parameter.Type.NOT_SET:
                try:
                    self._checks[name](value)
                except (ValueError, TypeError) as error:
                    return SetParametersResult(successful=False, reason=f'{name}: {error}')
        return result


def declare_contract(parameters: Parameters) -> Contract:
    """Declare `contract` and `robot`, which every node has, and return the contract."""
    contract = parameters.declare(
        'contract', 'soccer_push', 'task contract, name or file', read_only=True
    )
    robot = parameters.declare(
        'robot', '', "robot profile, name or file; empty: the contract's", read_only=True
    )
    return Contract.load(contract, robot or None)


def profile_of(parameters: Parameters) -> RobotProfile:
    """Return the robot profile that declare_contract's parameters name."""
    robot = parameters['robot'] or load_yaml(find_config('tasks', parameters['contract']))['robot']
    return RobotProfile.load(robot)


def declare_stamped(parameters: Parameters, description: str) -> bool:
    """
    Declare `stamped`, by default as the robot profile says, and return it.

    :param description: of what true and false mean for this node.
    """
    default = profile_of(parameters).driver.stamped
    return parameters.declare(
        'stamped', default, f"{description}; default: the robot profile's", read_only=True
    )


def declare_odometry(parameters: Parameters) -> dict[str, Any]:
    """
    Declare how odometry is brought to an image's stamp.

    :return: `gap`, `wait` and `clock`, the node's, of StepJoin.
    """
    gap = parameters.declare(
        'odometry_gap',
        MAX_GAP,
        'largest interval between two samples of odometry that are interpolated',
        unit='s',
        low=0.0,
        high=2.0,
        read_only=True,
    )
    wait = parameters.declare(
        'odometry_wait',
        MAX_WAIT,
        'how long an image waits for the odometry after it',
        unit='s',
        low=0.0,
        high=2.0,
        read_only=True,
    )
    return {'gap': gap, 'wait': wait, 'clock': parameters.seconds}
