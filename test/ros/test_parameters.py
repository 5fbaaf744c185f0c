"""Parameters as people write them: whole numbers where reals are declared."""

import contextlib
import os
import subprocess
import sys

from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import pytest
import rclpy
from rclpy.context import Context
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
import yaml

from guda_ros.ros.graph.table import build_graph, GraphOptions
from guda_ros.ros.parameters import Parameters
from guda_ros.workflows.up import read_overrides


@pytest.fixture(scope='module')
def context():
    """Return a context in which nodes are made."""
    context = Context()
    rclpy.init(context=context, signal_handler_options=SignalHandlerOptions.NO)
    yield context
    rclpy.shutdown(context=context)


@contextlib.contextmanager
def parameters(context, *arguments):
    """Return the Parameters of a node that is started with ROS arguments."""
    node = Node(
        'asked',
        context=context,
        cli_args=['--ros-args', *arguments],
        start_parameter_services=False,
        enable_rosout=False,
    )
    yield Parameters(node)
    node.destroy_node()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    number=st.integers(-1000, 1000),
    several=st.lists(st.integers(-1000, 1000), min_size=1, max_size=4),
    # rcl takes what is too small for a normal double for a text.
    mixed=st.lists(
        st.one_of(st.integers(-9, 9), st.floats(-9, 9).map(lambda value: round(value, 3))),
        min_size=1,
        max_size=4,
    ),
)
def test_whole_numbers_are_taken_where_reals_are_declared(
    context, tmp_path, number, several, mixed
):
    texts = [f'safety.a={number}', f'safety.b={several}', f'safety.c={mixed}']
    overrides = {'safety': {**read_overrides(texts)['safety']}}
    (safety,) = (
        spec
        for spec in build_graph('robot', GraphOptions(overrides=overrides))
        if spec.name == 'safety'
    )
    path = tmp_path / 'parameters.yaml'
    told = {key: safety.parameters[key] for key in 'abc'}
    path.write_text(yaml.safe_dump({'/**': {'ros__parameters': told}}))
    with parameters(context, '--params-file', str(path)) as options:
        a = options.declare('a', 0.5, 'a number', read_only=True)
        b = options.declare('b', Parameter.Type.DOUBLE_ARRAY, 'numbers')
        c = options.declare('c', [0.0], 'numbers', read_only=True)
        for value in (a, *b, *c):
            assert type(value) is float
        assert (a, list(b), list(c)) == (number, several, mixed)


@pytest.mark.parametrize('value', ['true', 'word', '[1, 2]'])
def test_what_is_no_number_is_no_real(context, value):
    with parameters(context, '-p', f'a:={value}') as options:
        with pytest.raises(InvalidParameterTypeException, match="'a'"):
            options.declare('a', 0.5, 'a number', read_only=True)


def test_a_whole_number_is_checked_as_a_real_would_be(context):
    with parameters(context, '-p', 'a:=3') as options:
        with pytest.raises((InvalidParameterValueException, ValueError), match='a'):
            options.declare('a', 0.5, 'a number', low=0.0, high=1.0, read_only=True)
    with parameters(context, '-p', 'a:=1') as options:
        assert options.declare('a', 0.5, 'a number', low=0.0, high=1.0, read_only=True) == 1.0
        descriptor = options._node.describe_parameter('a')
        assert descriptor.read_only and descriptor.floating_point_range[0].to_value == 1.0


@pytest.mark.parametrize(
    'arguments, said',
    [
        (['-p', 'initial_pose:=[0, 1.5, 2]'], 'write 1.0'),
        (['-p', 'initial_pose:='], 'initial_pose'),
        (['-p', 'initial pose:=3'], 'initial pose:=3'),
        (['-r', 'nothing'], 'remap rule'),
        (['-r', '__ns:=bad-name'], 'bad-name'),
        (['--params-file', 'no_such_file.yaml'], 'no_such_file.yaml'),
        (['--no-such-option'], '--no-such-option'),
    ],
)
def test_arguments_that_ros_cannot_read_end_a_node_with_one_line(arguments, said):
    done = subprocess.run(
        [sys.executable, '-m', 'guda_ros.nodes.perception', '--ros-args', *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ,
    )
    (line,) = (line for line in done.stderr.splitlines() if line.startswith('PerceptionNode: '))
    assert done.returncode == 1 and said in line
    assert 'Traceback' not in done.stderr and '.c:' not in line
