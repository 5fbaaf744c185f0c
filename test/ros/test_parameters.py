"""Parameters as people write them: whole numbers where reals are declared."""

import contextlib
from dataclasses import replace
import os
import subprocess
import sys

from hypothesis import given, HealthCheck, settings
from hypothesis import strategies as st
import numpy as np
import pytest
import rclpy
from rclpy.context import Context
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.signals import SignalHandlerOptions
import yaml

from guda_ros.control.arbiter import Instant
from guda_ros.data.contract import Contract
from guda_ros.ros.control.safety_parameters import declare_safety_gate
from guda_ros.ros.graph.table import build_graph, GraphOptions
from guda_ros.ros.parameters import Parameters
from guda_ros.soccer.robot import RobotProfile
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


NAO = Contract.load('soccer_push')


def gate_of(context, contract=NAO, simulated=False, **told):
    """Return the gate of a safety node that was told some parameters."""
    arguments = [f'{name}:={value}' for name, value in told.items()]
    with parameters(context, *(part for text in arguments for part in ('-p', text))) as asked:
        return declare_safety_gate(asked, contract, RobotProfile.load('nao_v6'), simulated)


def first_command(gate):
    """Return what a gate lets through of full speed that begins a tenth of a second after zero."""
    now = Instant(1.0, 1.0)
    gate.offer('policy', np.zeros(3), now.ros, 'base_link', now)
    now = Instant(1.1, 1.1)
    return gate.offer('policy', np.array([0.25, 0.2, 2.0]), now.ros, 'base_link', now).command


@pytest.mark.parametrize('rate, silence', [(30.0, 0.25), (10.0, 0.25), (5.0, 0.5)])
def test_a_source_is_silent_after_a_quarter_of_a_second_or_two_and_a_half_periods(
    context, rate, silence
):
    gate = gate_of(context, replace(NAO, rate=rate), require_deadman=False)
    now = Instant(1.0, 1.0)
    # A stamp may be older than the silence that stops: of an image that came late.
    assert gate.offer('policy', np.full(3, 0.1), 0.6, 'base_link', now).reason == 'driving'
    gate.offer('policy', np.full(3, 0.1), 1.0, 'base_link', now)
    soon, late = (Instant(t, t) for t in (1.0 + silence - 0.01, 1.0 + silence + 0.01))
    assert gate.tick(soon).command is None
    assert gate.tick(late).reason == 'silent'


def test_in_simulated_time_silence_is_what_it_was_when_recordings_were_made(context):
    gate = gate_of(context, simulated=True, require_deadman=False)
    gate.offer('policy', np.full(3, 0.1), 1.0, 'base_link', Instant(1.0, 1.0))
    stop = gate.tick(Instant(2.3, 2.3))
    assert (stop.reason, stop.stamp) == ('silent', 1.5)


def test_a_robot_is_spared_what_its_profile_says_and_a_simulated_one_is_not(context):
    free = first_command(gate_of(context, require_deadman=False))
    assert free.tolist() == [0.25, 0.2, 2.0]
    gate = gate_of(context, require_deadman=False, limit_changes=True)
    np.testing.assert_allclose(first_command(gate), [0.1, 0.08, 0.84])
    # Who says so himself is right.
    gate = gate_of(
        context,
        require_deadman=False,
        limit_changes=True,
        max_acceleration='[2.0, 0.0, 3.0]',
        max_jerk='[0.0, 5.0, 0.0]',
    )
    np.testing.assert_allclose(first_command(gate), [0.2, 0.05, 0.3])
