import os
import socket
import subprocess
import sys

import pytest

from guda_ros.cli.main import main
from guda_ros.errors import GudaError
from guda_ros.ros.graph import environment as env
from guda_ros.ros.graph.table import build_graph, GraphOptions, GRAPHS, UnknownGraph


def test_nodes_stay_on_this_machine():
    variables = env.ros_environment(7, '/tmp/log', base={'ROS_STATIC_PEERS': '10.0.0.1'})
    assert variables['ROS_DOMAIN_ID'] == '7'
    assert variables['ROS_AUTOMATIC_DISCOVERY_RANGE'] == 'LOCALHOST'
    assert os.path.isfile(variables['FASTDDS_DEFAULT_PROFILES_FILE'])
    assert 'ROS_STATIC_PEERS' not in variables
    assert variables['ROS_LOG_DIR'] == '/tmp/log'


def test_a_robot_may_be_reached_from_outside():
    variables = env.ros_environment(7, local=False, base={'HOME': '/root'})
    assert 'ROS_AUTOMATIC_DISCOVERY_RANGE' not in variables
    assert 'FASTDDS_DEFAULT_PROFILES_FILE' not in variables


def test_a_profile_of_the_user_is_kept():
    variables = env.ros_environment(7, base={'FASTDDS_DEFAULT_PROFILES_FILE': '/mine.xml'})
    assert variables['FASTDDS_DEFAULT_PROFILES_FILE'] == '/mine.xml'


def test_children_find_the_libraries_of_the_ros_wheels_again():
    mark = '_ROS_WHEELS_BOOTSTRAP_COMPLETE'
    assert mark not in env.ros_environment(7, base={mark: '1'})
    assert mark in env.ros_environment(7, base={mark: '1', 'LD_LIBRARY_PATH': '/x'})


def test_logs_have_a_place_without_a_home():
    assert env.ros_environment(7, base={})['ROS_LOG_DIR']


def test_a_domain_is_held_once():
    with env.claim_domain() as claim:
        with pytest.raises(env.DomainInUse, match=f'ROS domain {claim.number} is in use'):
            env.claim_domain(claim.number)
        with env.claim_domain() as other:
            assert other.number != claim.number


def test_a_domain_that_was_given_back_is_free(domain):
    for _ in range(2):
        with env.claim_domain(domain) as claim:
            assert claim.number == domain


def test_a_domain_with_a_foreign_participant_is_in_use(domain):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as foreign:
        # Unicast discovery port of the second participant.
        foreign.bind(('127.0.0.1', 7400 + 250 * domain + 12))
        with pytest.raises(env.DomainInUse):
            env.claim_domain(domain)
        env.claim_domain(domain, probe=False).release()


def test_a_foreign_participant_is_stepped_around():
    with env.claim_domain() as first:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as foreign:
            foreign.bind(('127.0.0.1', 7400 + 250 * first.number + 12))
            first.release()
            with env.claim_domain() as other:
                assert other.number != first.number


def test_one_graph_joins_the_driver_of_a_robot_and_no_second_one():
    with env.claim_domain() as driver:
        with env.join_domain(driver.number) as first:
            assert first.number == driver.number
            with pytest.raises(env.DomainInUse, match='two would both move it'):
                env.join_domain(driver.number)
        env.join_domain(driver.number).release()


def test_an_impossible_domain_is_refused():
    with pytest.raises(env.EnvironmentProblem, match='0 to 232'):
        env.join_domain(-1)
    with pytest.raises(env.EnvironmentProblem, match='0 to 232'):
        env.claim_domain(233)


def test_every_graph_has_exactly_one_safety_and_the_right_clock():
    for name, graph in GRAPHS.items():
        specs = build_graph(name, GraphOptions(policy='p.onnx'))
        assert [spec.name for spec in specs].count('safety') == 1
        for spec in specs:
            assert spec.parameters['use_sim_time'] == (
                graph.simulated and spec.name != 'simulator'
            )


@pytest.mark.parametrize('name, operator', [('collect', 'scripted'), ('evaluate', '')])
def test_recordings_say_that_a_script_drove(name, operator):
    specs = {spec.name: spec for spec in build_graph(name, GraphOptions(policy='p.onnx'))}
    assert specs['data_collector'].parameters['operator'] == operator


@pytest.mark.parametrize(
    'name, mode, lockstep',
    [
        ('collect', '', True),
        ('evaluate', '', True),
        ('evaluate', 'free', False),
        ('drive', '', False),
        ('robot', '', False),
    ],
)
def test_the_recorder_knows_whether_the_world_goes_in_lock_step(name, mode, lockstep):
    specs = build_graph(name, GraphOptions(policy='p.onnx', mode=mode))
    recorder = next(spec for spec in specs if spec.name == 'data_collector')
    assert recorder.parameters['lockstep'] is lockstep


def test_a_simulated_robot_is_sent_what_its_batch_of_simulations_does():
    for name, graph in GRAPHS.items():
        specs = build_graph(name, GraphOptions(policy='p.onnx'))
        safety = next(spec for spec in specs if spec.name == 'safety')
        assert safety.parameters.get('limit_changes', False) is not graph.simulated


def test_a_robot_needs_a_person_and_a_simulation_does_not():
    def deadman(name, **options):
        specs = build_graph(name, GraphOptions(policy='p.onnx', **options))
        return next(s for s in specs if s.name == 'safety').parameters['require_deadman']

    assert deadman('robot') and not deadman('evaluate')
    assert deadman('evaluate', require_deadman=True)


def test_wrong_graphs_are_named():
    with pytest.raises(UnknownGraph, match='did you mean collect'):
        build_graph('colect')
    with pytest.raises(UnknownGraph, match='no node teleop'):
        build_graph('evaluate', GraphOptions(policy='p.onnx', overrides={'teleop': {}}))
    with pytest.raises(GudaError, match='needs a policy'):
        build_graph('evaluate')


@pytest.mark.parametrize('wanted', ['rmw_cyclonedds_cpp', 'rmw_zenoh_cpp', 'cyclone'])
@pytest.mark.parametrize(
    'verb', [('up', 'robot'), ('up', 'simulation'), ('record', '--episodes', '1', '--out', 'rec')]
)
def test_a_middleware_that_is_not_there_is_named_before_anything_is_started(
    tmp_path, monkeypatch, capsys, wanted, verb
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('RMW_IMPLEMENTATION', wanted)
    there = env.rmw_implementations(os.environ)
    if not there or wanted in there:
        pytest.skip('this ROS has it, or does not say what it has')
    assert main(list(verb)) == 1
    told = capsys.readouterr().err
    assert f'RMW_IMPLEMENTATION is {wanted!r}' in told and 'unset RMW_IMPLEMENTATION' in told
    assert ', '.join(there) in told


@pytest.mark.parametrize(
    'name, value',
    [
        ('ROS_AUTOMATIC_DISCOVERY_RANGE', 'OFF'),
        ('ROS_AUTOMATIC_DISCOVERY_RANGE', 'off'),
        ('RCUTILS_COLORIZED_OUTPUT', 'yes'),
        ('RCUTILS_LOGGING_BUFFERED_STREAM', 'true'),
        ('RCUTILS_LOGGING_USE_STDOUT', '2'),
    ],
)
def test_a_variable_that_keeps_nodes_from_meeting_or_logging_is_named(
    tmp_path, monkeypatch, capsys, name, value
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, value)
    with pytest.raises(GudaError, match=f'unset {name}'):
        env.ros_environment(7, local=False)
    assert main(['up', 'simulation']) == 1
    told = capsys.readouterr().err
    assert f'{name} is' in told and f'unset {name}' in told


def test_variables_that_other_stacks_set_do_not_keep_a_graph_of_this_machine_from_meeting():
    others = {
        'ROS_DISCOVERY_SERVER': '10.42.0.1:11811',
        'ROS_SUPER_CLIENT': 'True',
        'ROS_STATIC_PEERS': '10.42.0.1',
        'ROS_NAMESPACE': '/robot1',
        'ROS_LOCALHOST_ONLY': '0',
        'CYCLONEDDS_URI': '/nowhere.xml',
        'RCUTILS_COLORIZED_OUTPUT': '1',
    }
    made = env.ros_environment(7, base={**os.environ, **others})
    programs = [
        """
from std_msgs.msg import String
import rclpy, time
rclpy.init()
node = rclpy.create_node('one')
end, heard = time.monotonic() + 60, []
publisher = node.create_publisher(String, 'from_NAME', 10)
node.create_subscription(String, 'from_OTHER', heard.append, 10)
while time.monotonic() < end and not (heard and heard[-1].data == 'heard'):
    publisher.publish(String(data='heard' if heard else 'here'))
    rclpy.spin_once(node, timeout_sec=0.1)
for _ in range(20):
    publisher.publish(String(data='heard'))
    rclpy.spin_once(node, timeout_sec=0.1)
assert heard
""".replace('NAME', name).replace('OTHER', other)
        for name, other in (('a', 'b'), ('b', 'a'))
    ]
    with env.claim_domain() as domain:
        made['ROS_DOMAIN_ID'] = str(domain.number)
        running = [subprocess.Popen([sys.executable, '-c', text], env=made) for text in programs]
        assert [process.wait(timeout=120) for process in running] == [0, 0]
    # A robot may be where they say.
    kept = env.ros_environment(7, base=others, local=False)
    assert {name: kept[name] for name in others} == others


def test_a_process_forgets_what_leads_elsewhere(monkeypatch):
    monkeypatch.setenv('ROS_DISCOVERY_SERVER', '10.42.0.1:11811')
    made = env.ros_environment(7)
    for name in set(made) | {'ROS_DISCOVERY_SERVER'}:
        if name.startswith(('ROS_', 'FASTDDS_', 'FASTRTPS_', 'RMW_')):
            monkeypatch.setenv(name, os.environ.get(name, ''))
    env.adopt(made)
    assert 'ROS_DISCOVERY_SERVER' not in os.environ


def test_a_middleware_that_is_there_is_left_alone():
    for name in env.rmw_implementations(os.environ):
        made = env.ros_environment(7, base={'RMW_IMPLEMENTATION': name})
        assert made['RMW_IMPLEMENTATION'] == name
    env.require_rmw({'RMW_IMPLEMENTATION': ''})


def test_middlewares_of_a_sourced_ros_are_found_where_its_libraries_are(tmp_path, monkeypatch):
    monkeypatch.setattr(env.importlib.util, 'find_spec', lambda name: None)
    monkeypatch.setattr(env.sys, 'prefix', str(tmp_path / 'python'))
    (tmp_path / 'lib').mkdir()
    for name in ('cyclonedds_cpp', 'fastrtps_cpp', 'fastrtps_shared_cpp', 'implementation'):
        (tmp_path / 'lib' / f'librmw_{name}.so').touch()
    for variables in (
        {'AMENT_PREFIX_PATH': f'/nowhere:{tmp_path}'},
        {'LD_LIBRARY_PATH': f'{tmp_path}/lib'},
    ):
        found = env.rmw_implementations(variables)
        assert found == ['rmw_cyclonedds_cpp', 'rmw_fastrtps_cpp']
        env.require_rmw({**variables, 'RMW_IMPLEMENTATION': 'rmw_cyclonedds_cpp'})
    # Where nothing is found, nothing is refused.
    env.require_rmw({'RMW_IMPLEMENTATION': 'rmw_cyclonedds_cpp'})
