"""Launch descriptions of the graphs of nodes; needs the `launch` of a ROS distribution."""

from __future__ import annotations

from dataclasses import fields
import os
import tempfile

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from guda_ros.errors import GudaError
from guda_ros.ros.graph.environment import ros_environment
from guda_ros.ros.graph.names import read_remaps, RosNames
from guda_ros.ros.graph.parameter_file import read_parameter_file
from guda_ros.ros.graph.table import build_graph, GraphOptions, GRAPHS, NodeSpec

#: For each launch argument the nodes that make it useful, and what it is for.
ARGUMENTS: dict[str, tuple[tuple[str, ...], str]] = {
    'contract': ((), 'name or file of the contract, see config/tasks'),
    'robot': (
        (),
        'name or file of the robot profile, see config/robots; default: what the contract names',
    ),
    'adapter': (
        ('adapter',),
        "how the robot is spoken to; none: its driver hears cmd_vel; default: the profile's",
    ),
    'team': (('game',), "number of the robot's team; with it, a game controller is heard"),
    'player': (('game',), 'number of the robot in its team'),
    'mode': (('simulator',), 'lockstep or free; default: what the graph is for'),
    'scenario': (('simulator', 'teleop'), 'where robot and ball start'),
    'purpose': (('simulator', 'teleop'), 'which family of starts: demonstration, evaluation, ...'),
    'start_index': (('simulator', 'teleop'), 'number of the start'),
    'seed': (('simulator',), 'seed of the simulation'),
    'real_time_factor': (('simulator',), 'speed of the simulation in free mode'),
    'rate': (('simulator',), 'steps a second of free mode, 0: as many as the IMU has samples'),
    'randomisation': (('simulator',), 'what is drawn for each episode: none, default or a file'),
    'answer_timeout': (('simulator',), 'seconds in which lock-step control must answer'),
    'policy': (('policy',), 'file of an exported policy'),
    'recordings': (('data_collector',), 'folder for recorded episodes'),
    'record_images': (('data_collector',), 'true: record the camera, too'),
    'require_deadman': (
        ('safety',),
        'true: the robot moves only while the dead-man button is held; default: what the graph '
        'is for',
    ),
    'joystick': (('teleop',), 'name or file of the gamepad map, see config/joysticks'),
    'autostart': (
        ('simulator', 'policy', 'game'),
        'false: lifecycle nodes wait for their transitions',
    ),
    'namespace': ((), 'namespace of all nodes, such as red'),
    'remap': ((), 'topics and services to call otherwise, FROM:=TO, with spaces between several'),
    'params_file': ((), 'file of parameters, NODE: {ros__parameters: ...}'),
    'log_level': ((), 'of all nodes: debug, info, warn, error or fatal, or LOGGER:=LEVEL'),
    'local': ((), 'true: keep discovery and data on this machine'),
}


def describe_graph(name: str) -> LaunchDescription:
    """Return the launch description of a graph, with an argument for each option that it takes."""
    defaults = {option.name: option.default for option in fields(GraphOptions)}
    arguments = [
        DeclareLaunchArgument(
            argument,
            default_value=_text(defaults.get(argument)),
            description=ARGUMENTS[argument][1],
        )
        for argument in _arguments_of(name)
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_start, args=[name])])


def _arguments_of(name: str) -> list[str]:
    graph = GRAPHS[name]
    nodes = {*graph.nodes, *(['policy'] if graph.optional_policy else [])}
    nodes |= set() if graph.simulated else {'adapter'}
    nodes |= set() if graph.mode == 'lockstep' else {'game'}
    return [
        argument
        for argument, (users, _) in ARGUMENTS.items()
        if not users or nodes.intersection(users)
    ]


def _start(context: LaunchContext, name: str) -> list[Node]:
    told = {
        argument: LaunchConfiguration(argument).perform(context)
        for argument in _arguments_of(name)
    }
    names = RosNames(
        told.pop('namespace'),
        read_remaps(told.pop('remap').split()),
        told.pop('params_file'),
        told.pop('log_level'),
    )
    options = GraphOptions(
        names=names, **{argument: _value(argument, text) for argument, text in told.items()}
    )
    environment = _environment(options.local)
    return [
        _node(spec, environment, GRAPHS[name].simulated) for spec in build_graph(name, options)
    ]


def _node(spec: NodeSpec, environment: dict[str, str], simulated: bool) -> Node:
    parameters = {
        # launch_ros would read a plain string as YAML: '' would be nothing and '1' a number.
        key: ParameterValue(value, value_type=str) if isinstance(value, str) else value
        for key, value in spec.parameters.items()
    }
    # A simulation is of no use without one of its nodes. On a robot the others go on: safety stops
    # the robot when nobody tells it what to do; without safety nothing may run.
    ends_all = simulated or spec.executable == 'safety'
    # A new adapter stops the robot at once, which may walk on with what the lost one said last.
    again = {'respawn': True, 'respawn_delay': 0.2} if spec.executable == 'adapter' else {}
    names = spec.names
    return Node(
        package=spec.package,
        executable=spec.executable,
        name=spec.name,
        namespace=names.prefix or None,
        parameters=[parameters, *_parameter_files(names)],
        remappings=[*spec.remappings.items(), *names.remaps.items()],
        ros_arguments=['--log-level', names.log_level] if names.log_level else None,
        additional_env=environment,
        output='screen',
        on_exit=[Shutdown(reason=f'{spec.name} has ended')] if ends_all else None,
        **again,
    )


def _parameter_files(names: RosNames) -> list[str]:
    if not names.params_file:
        return []
    with tempfile.NamedTemporaryFile('w', suffix='.yaml', delete=False, encoding='utf-8') as file:
        file.write(read_parameter_file(names.params_file))
    return [file.name]


def _environment(local: bool) -> dict[str, str]:
    wanted = ros_environment(int(os.environ.get('ROS_DOMAIN_ID') or 0), local=local)
    return {
        key: value
        for key, value in wanted.items()
        if key != 'PYTHONPATH' and os.environ.get(key) != value
    }


def _text(default) -> str:
    if default is None:
        return ''
    return str(default).lower() if isinstance(default, bool) else str(default)


def _value(argument: str, text: str):
    """Read a launch argument as the type that its GraphOptions field has."""
    kind = {option.name: option.type for option in fields(GraphOptions)}[argument]
    if kind == 'str':
        return text
    if kind == 'bool | None' and not text:
        return None
    try:
        if kind.startswith('bool'):
            return {'true': True, 'false': False}[text.strip().lower()]
        return {'int': int, 'float': float}[kind](text)
    except (KeyError, ValueError):
        expected = 'true or false' if kind.startswith('bool') else f'a number ({kind})'
        raise GudaError(
            f'launch argument {argument}: {expected} is expected, not {text!r}'
        ) from None
