"""
The one table of node graphs.

The launch files build `Node` actions from it and `guda up` starts the same graphs as processes.
This module imports neither rclpy nor launch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import difflib
import os
from pathlib import Path

from guda_ros.arguments import as_path
from guda_ros.config.files import ConfigError
from guda_ros.errors import GudaError
from guda_ros.ros.graph.names import RosNames, USUAL_NAMES
from guda_ros.soccer.driver import NO_ADAPTER


class UnknownGraph(GudaError):
    """There is no graph, or no node in a graph, of that name; the message lists what there is."""


@dataclass(frozen=True)
class NodeSpec:
    """
    One node of a graph, as launch_ros' Node action takes it.

    overrides: those of the parameters that go over a file of parameters, too.
    """

    executable: str
    name: str
    package: str = 'guda_ros'
    parameters: dict = field(default_factory=dict)
    remappings: dict[str, str] = field(default_factory=dict)
    lifecycle: bool = False
    overrides: dict = field(default_factory=dict)
    names: RosNames = USUAL_NAMES


@dataclass(frozen=True)
class GraphOptions:
    """
    What may differ from one start of a graph to the next.

    :param robot: robot profile, '' for the contract's.
    :param adapter: how a robot is spoken to, one of guda_ros.soccer.driver.ADAPTERS; '' as its
        profile says, none for a driver that hears `cmd_vel` itself.
    :param team: number of the robot's team; with it, a node hears a game controller; 0: none.
    :param player: number of the robot in its team.
    :param mode: `lockstep` or `free`, '' for the graph's own.
    :param policy: exported policy file; `simulation` and `robot` have a policy node only with
        one.
    :param recordings: folder for recorded episodes.
    :param require_deadman: whether the robot moves only while a person holds the dead-man's
        button; None for the graph's own.
    :param rate: steps a second of free mode, 0 for the IMU's.
    :param randomisation: what the simulator draws anew for each episode: none, default or a file.
    :param answer_timeout: seconds in which a control step must be answered in lock-step.
    :param local: keep discovery and data on this machine.
    :param overrides: parameters by node name, over everything else.
    :param names: namespace, remaps, file of parameters and log level of all nodes.
    """

    contract: str = 'soccer_push'
    robot: str = ''
    adapter: str = ''
    team: int = 0
    player: int = 1
    mode: str = ''
    scenario: str = 'attack'
    purpose: str = 'demonstration'
    start_index: int = 0
    seed: int = 0
    policy: str = ''
    recordings: str = 'recordings'
    record_images: bool = False
    require_deadman: bool | None = None
    joystick: str = ''
    real_time_factor: float = 1.0
    rate: float = 0.0
    randomisation: str = 'none'
    answer_timeout: float = 5.0
    autostart: bool = True
    local: bool = True
    overrides: Mapping[str, dict] = field(default_factory=dict)
    names: RosNames = USUAL_NAMES


@dataclass(frozen=True)
class Graph:
    """Nodes of a graph; `simulated` graphs run on the simulator's clock."""

    description: str
    nodes: tuple[str, ...]
    simulated: bool = True
    mode: str = 'lockstep'
    require_deadman: bool = False
    optional_policy: bool = False


GRAPHS: dict[str, Graph] = {
    'simulation': Graph(
        'a robot in the simulator in real time, driven by joystick or by a policy',
        ('simulator', 'perception', 'teleop', 'safety'),
        mode='free',
        optional_policy=True,
    ),
    'drive': Graph(
        'a person drives the simulated robot in real time and records episodes: `guda teleop`; '
        'with a policy, corrects it',
        ('simulator', 'perception', 'teleop', 'safety', 'data_collector'),
        mode='free',
        optional_policy=True,
    ),
    'collect': Graph(
        'a scripted operator drives the simulated robot through teleop; episodes are recorded',
        ('simulator', 'perception', 'teleop', 'safety', 'data_collector', 'operator'),
    ),
    'evaluate': Graph(
        'an exported policy drives the simulated robot on what perception sees; recorded too',
        ('simulator', 'perception', 'policy', 'safety', 'data_collector'),
    ),
    'robot': Graph(
        'everything that runs on a robot, driven by joystick or by a policy; its driver brings '
        'camera and odometry; with an adapter where its profile names one',
        ('perception', 'teleop', 'safety', 'data_collector'),
        simulated=False,
        mode='',
        require_deadman=True,
        optional_policy=True,
    ),
}

LIFECYCLE = ('simulator', 'policy', 'game')


def build_graph(name: str, options: GraphOptions = GraphOptions()) -> list[NodeSpec]:
    """
    Return the nodes of a graph.

    :raises UnknownGraph: for an unknown graph, or overrides for a node that it does not have.
    :raises GudaError: if the graph needs a policy and none is given.
    """
    if name not in GRAPHS:
        near = difflib.get_close_matches(name, GRAPHS, 1)
        hint = f'; did you mean {near[0]}?' if near else ''
        raise UnknownGraph(f'unknown graph {name!r}; known: {", ".join(GRAPHS)}{hint}')
    graph = GRAPHS[name]
    nodes = list(graph.nodes)
    if graph.optional_policy and options.policy:
        nodes.append('policy')
    if not graph.simulated and _adapter(options) != NO_ADAPTER:
        nodes.append('adapter')
    if options.team and (options.mode or graph.mode) != 'lockstep':
        nodes.append('game')
    if 'policy' in nodes and not options.policy:
        raise GudaError(f'graph {name} needs a policy: give the file that `guda export` wrote')
    unknown = [node for node in options.overrides if node not in nodes]
    if unknown:
        raise UnknownGraph(
            f'graph {name} has no node {", ".join(unknown)}; it has {", ".join(nodes)}'
        )
    return [_spec(node, graph, options) for node in nodes]


def _adapter(options: GraphOptions) -> str:
    """Return the name of the adapter between the safety node and a robot."""
    if options.adapter:
        return options.adapter
    # With them comes NumPy, which `guda --help` does without.
    from guda_ros.data.contract import Contract
    from guda_ros.soccer.robot import RobotProfile

    try:
        robot = options.robot or Contract.load(absolute_if_path(options.contract)).robot
        return RobotProfile.load(absolute_if_path(robot)).driver.adapter
    except ConfigError:
        # The nodes themselves say what is wrong with contract or profile.
        return NO_ADAPTER


def _spec(node: str, graph: Graph, options: GraphOptions) -> NodeSpec:
    overrides = {
        **_as_safety_does(node, options.overrides.get('safety', {})),
        **{key: of_one_type(value) for key, value in options.overrides.get(node, {}).items()},
    }
    return NodeSpec(
        executable=node,
        name=node,
        lifecycle=node in LIFECYCLE,
        parameters={**_parameters(node, graph, options), **overrides},
        overrides=overrides,
        names=options.names,
    )


def _parameters(node: str, graph: Graph, options: GraphOptions) -> dict:
    mode = options.mode or graph.mode
    values = {
        'use_sim_time': graph.simulated and node != 'simulator',
        'contract': absolute_if_path(options.contract),
        'robot': absolute_if_path(options.robot),
    }
    if node in LIFECYCLE:
        values['autostart'] = options.autostart
    if node == 'simulator':
        values.update(
            mode=mode,
            scenario=options.scenario,
            purpose=options.purpose,
            start_index=options.start_index,
            seed=options.seed,
            answer_timeout=float(options.answer_timeout),
            real_time_factor=float(options.real_time_factor),
            rate=float(options.rate),
            randomisation=absolute_if_path(options.randomisation),
        )
        # A person begins episodes when ready.
        values['begin_at_once'] = 'data_collector' not in graph.nodes
        if mode == 'lockstep':
            values['partners'] = [other for other in graph.nodes if other != 'simulator']
    elif node == 'safety':
        required = options.require_deadman
        values['require_deadman'] = graph.require_deadman if required is None else required
        # In lock-step no time passes while the robot is in doubt, and nobody else is there.
        values['watch'] = values['predict_stop'] = mode != 'lockstep'
        if not graph.simulated:
            # A simulated robot gets what its batch of simulations does.
            values['limit_changes'] = True
            home = os.environ.get('ROS_HOME') or os.path.join('~', '.ros')
            values['memory'] = os.path.join(os.path.expanduser(home), 'guda_ros')
    elif node == 'teleop':
        # In lock-step a command answers the scripted operator, whose stamps are those of the step.
        values.update(
            answer='joy' if 'operator' in graph.nodes else 'observation',
            purpose=options.purpose,
            scenario=options.scenario,
            start_index=options.start_index,
        )
    elif node == 'adapter':
        values['adapter'] = options.adapter
    elif node == 'game':
        # Who is alone on a computer plays with itself.
        address = '127.0.0.1' if options.local else '0.0.0.0'
        values.update(team=options.team, player=options.player, address=address)
    elif node == 'policy':
        values['policy'] = absolute_if_path(options.policy)
    elif node == 'data_collector':
        values.update(
            directory=os.path.abspath(as_path(options.recordings, 'recordings')),
            record_images=options.record_images,
            lockstep=graph.simulated and mode == 'lockstep',
            operator='scripted' if 'operator' in graph.nodes else '',
        )
    if node in ('teleop', 'safety', 'operator') and options.joystick:
        values['joystick'] = absolute_if_path(options.joystick)
    return values


def _as_safety_does(node: str, told: Mapping[str, object]) -> dict:
    """Return what a node must know of the types that the safety node was told to use."""
    followed = {
        'adapter': {'stamped': 'stamped'},
        'data_collector': {'stamped': 'stamped', 'stamped_input': 'stamped_input'},
        'policy': {'stamped': 'stamped'},
        'simulator': {'stamped': 'stamped'},
        'teleop': {'stamped': 'stamped_input'},
    }.get(node, {})
    return {mine: told[its] for mine, its in followed.items() if its in told}


def of_one_type(value: object) -> object:
    """Return a parameter as ROS takes it: all numbers of a list are reals if one is."""
    if not isinstance(value, (list, tuple)) or not any(isinstance(v, float) for v in value):
        return value
    return [float(v) if type(v) is int else v for v in value]


def absolute_if_path(name: str | os.PathLike) -> str:
    """Make a path absolute, because nodes may run in another folder; leave a plain name alone."""
    # A shell leaves the ~ of policy:=~/p.onnx alone.
    path = as_path(name, 'name or file') if name else Path()
    return os.path.abspath(path) if path.suffix else os.fspath(name)
