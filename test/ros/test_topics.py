"""Every topic and service has one home, from which its two ends are made."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.qos import qos_check_compatible, QoSCompatibility
from std_msgs.msg import String

import guda_ros
from guda_ros.data.contract import Contract
from guda_ros.data.verdicts import SOURCES
from guda_ros.ros import qos
from guda_ros.ros.control.safety_parameters import LOCKS
from guda_ros.ros.graph.environment import claim_domain
from guda_ros.ros.topics import (
    describe_qos,
    service_rows,
    SERVICES,
    topic_rows,
    TOPICS,
    Topics,
)
from guda_ros.soccer.robot_names import TOPICS as CONTRACT_TOPICS

PACKAGE = Path(guda_ros.__file__).parent


@pytest.fixture
def node():
    claim = claim_domain()
    context = Context()
    rclpy.init(context=context, domain_id=claim.number)
    node = Node('safety', context=context, start_parameter_services=False)
    yield node
    node.destroy_node()
    rclpy.shutdown(context=context)
    claim.release()


@pytest.mark.parametrize('topic', TOPICS, ids=lambda topic: topic.role)
def test_what_is_published_reaches_who_subscribes(topic):
    fits, why = qos_check_compatible(topic.publish, topic.subscribe)
    assert fits != QoSCompatibility.ERROR, why


def test_the_usual_names_are_those_of_the_contract_that_is_shipped():
    usual, shipped = Topics(), Topics(Contract.load())
    assert {*CONTRACT_TOPICS} < {*usual}
    assert {role: topic.name for role, topic in usual.items()} == {
        role: topic.name for role, topic in shipped.items()
    }


def test_names_follow_those_of_the_contract_and_the_prefix():
    contract = Contract.load()
    names = {**contract.topics, 'command': 'base/cmd', 'image': 'eye'}
    topics = Topics(replace(contract, topics=names), 'red/')
    assert topics['command_teleop'].name == 'red/base/cmd/teleop'
    assert topics['command_source'].name == 'red/base/cmd/source'
    assert topics['lower_image'].name == 'red/lower/eye'
    assert topics['clock'].name == '/clock'


def test_no_role_and_no_name_is_there_twice():
    for values in (
        [topic.role for topic in TOPICS],
        [topic.name for topic in Topics().values()],
        [service.role for service in SERVICES],
        [service.name for service in SERVICES],
    ):
        assert len(set(values)) == len(values)


@pytest.mark.parametrize('source', SOURCES)
@pytest.mark.parametrize('role', ['command', 'kick', 'head_command'])
def test_what_safety_passes_on_is_wanted_by_each_source_with_the_same_type(role, source):
    topics = Topics()
    assert topics[f'{role}_{source}'].kind is topics[role].kind
    assert topics[f'{role}_{source}'].name == f'{topics[role].name}/{source}'
    assert topics[role].publishers == ('safety',)


def test_every_lock_of_the_safety_node_has_a_topic():
    topics = Topics()
    assert {topics[f'lock_{name}'].name for name in LOCKS} == {f'lock/{name}' for name in LOCKS}


def test_ends_have_name_type_and_quality_of_the_table(node):
    topics = Topics()
    topics.publisher(node, 'safety_state')
    topics.subscription(node, 'image', lambda message: None)
    topics.publisher(node, 'episode', qos=qos.LATCHED)
    (state,) = node.get_publishers_info_by_topic('/safety/state')
    assert state.topic_type == 'std_msgs/msg/String'
    assert describe_qos(state.qos_profile).endswith('latched')
    (image,) = node.get_subscriptions_info_by_topic('/image_raw')
    assert describe_qos(image.qos_profile).startswith('best effort')
    (episode,) = node.get_publishers_info_by_topic('/episode')
    assert describe_qos(episode.qos_profile).startswith('reliable')


def test_rows_for_the_documentation_say_type_quality_and_ends():
    rows = {name: row for name, *row in topic_rows()}
    assert len(rows) == len(TOPICS)
    assert rows['image_raw'][:2] == [
        'sensor_msgs/msg/Image',
        'reliable, depth 10; subscribed best effort, depth 5',
    ]
    assert rows['cmd_vel'][1:3] == ['reliable, depth 1', 'safety']
    assert rows['safety/state'][1].startswith('reliable, depth 1, latched')
    services = {name: kind for name, kind, _ in service_rows()}
    assert services['simulator/pause'] == 'std_srvs/srv/SetBool'
    assert all(words for row in topic_rows() for words in (row[0], row[3], row[5]))


def test_nobody_else_makes_the_ends_of_topics_that_the_table_has():
    made = {'create_publisher', 'create_lifecycle_publisher', 'create_subscription'}
    # The recorder subscribes to whatever it was told; diagnostics are no lifecycle publisher;
    # the table hears by ros.hearing; the topics of a robot's own, and those of tf2, whose
    # messages are not everywhere, are in no table.
    allowed = {
        'ros/topics.py',
        'ros/hearing.py',
        'ros/diagnostics.py',
        'ros/recorder/inputs.py',
        'ros/robot_model.py',
        'ros/robots/link.py',
    }
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob('*.py')
        for part in ast.walk(ast.parse(path.read_text(encoding='utf-8')))
        if isinstance(part, ast.Attribute) and part.attr in made
    }
    assert found == allowed


def test_the_joints_of_the_head_are_named_in_one_place():
    found = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob('*.py')
        for part in ast.walk(ast.parse(path.read_text(encoding='utf-8')))
        if isinstance(part, ast.Constant) and part.value in ('head_pan', 'head_tilt')
    ]
    assert set(found) == {'soccer/robot_names.py'}


def test_a_message_of_another_type_can_be_asked_for(node):
    Topics().publisher(node, 'command', kind=String)
    (command,) = node.get_publishers_info_by_topic('/cmd_vel')
    assert command.topic_type == 'std_msgs/msg/String'
