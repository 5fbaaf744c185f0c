"""Parameters, topics and services, from the nodes themselves and the table of topics."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
from pathlib import Path
import tempfile

from tables import code, table

import guda_ros.nodes

#: What a node needs to be made without doing anything.
IDLE = ('--ros-args', '-p', 'autostart:=false', '--log-level', 'fatal')


def node_names() -> list[str]:
    """Return the names of the nodes."""
    return sorted(path.stem for path in Path(guda_ros.nodes.__file__).parent.glob('[a-z]*.py'))


def parameters() -> str:
    """Return a section for each node, with the parameters that it declares."""
    # Nobody else is to hear of these nodes, nor they of anybody.
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'OFF'
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    rclpy.init(args=list(IDLE), signal_handler_options=SignalHandlerOptions.NO)
    try:
        # The data collector makes its folder where it is.
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            return '\n'.join(_section(name) for name in node_names())
    finally:
        rclpy.shutdown()


def node_class(name: str) -> type:
    """Return the class of a node."""
    from rclpy.node import Node

    module = importlib.import_module(f'guda_ros.nodes.{name}')
    return next(
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Node)
        and value.__module__ == module.__name__
    )


def _section(name: str) -> str:
    from rclpy.lifecycle import LifecycleNode

    kind = node_class(name)
    node = kind()
    try:
        names = sorted(n for n in node._parameters if not n.startswith('qos_overrides'))
        rows = [_row(node, n) for n in names if n != 'start_type_description_service']
    finally:
        node.destroy_node()
    text = inspect.getdoc(kind) or ''
    start = 'A managed (lifecycle) node. ' if issubclass(kind, LifecycleNode) else ''
    return (
        f'## {name}\n\n{_plain(text)}\n\n{start}`ros2 run guda_ros {name}`, '
        f'`python -m guda_ros.nodes.{name}`\n\n'
        + table(('parameter', 'type', 'default', 'range, unit', 'meaning', 'set'), rows)
    )


def _plain(text: str) -> str:
    return text.replace('<', r'\<')


def _row(node, name: str) -> tuple[str, ...]:
    from rclpy.parameter import Parameter

    parameter, descriptor = node.get_parameter_or(name), node.describe_parameter(name)
    ranges = [
        f'{r.from_value:g} to {r.to_value:g}'
        for r in (*descriptor.floating_point_range, *descriptor.integer_range)
    ]
    kind = Parameter.Type(descriptor.type) if descriptor.type else parameter.type_
    value = parameter.value
    if isinstance(value, bool):
        value = str(value).lower()
    elif value is None or not isinstance(value, (str, int, float)):
        value = list(value) if value is not None else '[]'
    return (
        code(name),
        kind.name.lower().replace('_', ' ').replace('not set', 'array'),
        code(value if value != '' else "''"),
        '; '.join([*ranges, *filter(None, [descriptor.additional_constraints])]),
        _plain(descriptor.description),
        'at start' if descriptor.read_only else 'any time',
    )


def topics() -> str:
    """Return the table of topics, with the names of the soccer contracts."""
    from guda_ros.ros.topics import Topics

    return table(
        ('topic', 'meaning', 'type', 'from, to', 'quality of service'),
        [
            (
                code(topic.name),
                topic.meaning,
                _type(topic.kind),
                ', '.join(topic.publishers) + ' → ' + ', '.join(topic.subscribers),
                _quality(topic),
            )
            for topic in Topics().values()
        ],
    )


def services() -> str:
    """Return the table of services."""
    from guda_ros.ros.topics import SERVICES

    return table(
        ('service', 'type', 'does'),
        [(code(service.name), _type(service.kind), service.meaning) for service in SERVICES],
    )


def _type(kind: type) -> str:
    return f'{kind.__module__.split(".")[0]} {kind.__name__}'


def _quality(topic) -> str:
    publish, subscribe = _qos(topic.publish), _qos(topic.subscribe)
    return publish if publish == subscribe else f'{publish}; heard {subscribe}'


def _qos(profile) -> str:
    words = [profile.reliability.name.lower().replace('_', ' ')]
    if profile.durability.name == 'TRANSIENT_LOCAL':
        words.append('latched')
    return ' '.join([*words, str(profile.depth)])
