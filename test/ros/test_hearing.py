"""Publishers of either reliability are heard on every topic that somebody else may publish."""

from collections import Counter
from dataclasses import replace

from nav_msgs.msg import Odometry
import numpy as np
import pytest
from ros_helpers import wait_for
from sensor_msgs.msg import BatteryState, Image, Imu, JointState

from guda_ros.ros import qos
from guda_ros.ros.conversions import image_message
from guda_ros.ros.graph.environment import claim_domain, ros_environment
from guda_ros.ros.graph.monitor import GraphMonitor
from guda_ros.ros.hearing import hear, heard_by
from guda_ros.ros.parameters import Parameters
from guda_ros.ros.recorder.inputs import RecorderInputs
from guda_ros.ros.recorder.parameters import declare_recorder
from guda_ros.ros.running import destroy_entities
from guda_ros.ros.topics import Topics

BEST_EFFORT = qos.SENSOR_DATA


class Pair:
    """A driver and one of our nodes, each a participant of its own."""

    def __init__(self, domain):
        self.driver, self.ours = (GraphMonitor(domain, name) for name in ('driver', 'ours'))
        self.parts = []

    def wait(self, condition, timeout=30.0):
        def spin():
            self.driver.spin(0.01)
            self.ours.spin(0.01)

        return wait_for(condition, timeout, spin)

    def publish(self, publishers, heard):
        """Publish until each topic was heard; tell whether that came to be."""

        def all_heard():
            for name, (publisher, message) in publishers.items():
                if name not in heard:
                    publisher.publish(message)
            return heard >= set(publishers)

        return self.wait(all_heard)

    def publisher(self, kind, name, profile):
        self.parts.append(self.driver.node.create_publisher(kind, name, profile))
        return self.parts[-1]

    def tidy(self):
        for publisher in self.parts:
            self.driver.node.destroy_publisher(publisher)
        self.parts = []


@pytest.fixture(scope='module')
def graph(tmp_path_factory):
    claim = claim_domain()
    with pytest.MonkeyPatch.context() as patch:
        for key, value in ros_environment(claim.number, tmp_path_factory.mktemp('log')).items():
            patch.setenv(key, value)
        pair = Pair(claim.number)
        pair.told = replace(declare_recorder(Parameters(pair.ours.node), True), images=True)
        yield pair
        pair.driver.close()
        pair.ours.close()
    claim.release()


@pytest.fixture
def pair(graph):
    yield graph
    graph.tidy()


@pytest.mark.parametrize('profile', [qos.DEFAULT, BEST_EFFORT])
def test_a_driver_of_either_reliability_is_heard_by_nodes_and_by_the_recorder(pair, profile):
    node, topics = pair.ours.node, Topics()
    driver = {
        name: (pair.publisher(kind, name, profile), kind())
        for name, kind in (
            ('odom', Odometry),
            ('imu/data', Imu),
            ('joint_states', JointState),
            ('battery', BatteryState),
        )
    }
    picture = image_message(np.zeros((8, 8, 3), np.uint8), 1, 'camera')
    driver['image_raw'] = pair.publisher(Image, 'image_raw', profile), picture
    heard, recorded = set(), set()
    subscriptions = [
        topics.subscription(node, role, lambda _, name=topics[role].name: heard.add(name))
        for role in ('odom', 'imu', 'joint_states', 'image')
    ]
    told = replace(
        pair.told,
        topics={name: (name, type(message)) for name, (_, message) in driver.items()},
    )
    del told.topics['image_raw']
    before = set(node.subscriptions)
    RecorderInputs(node, told, topics, lambda role, *_: recorded.add(role), print)
    subscriptions += [each for each in node.subscriptions if each not in before]
    driver['image'] = driver.pop('image_raw')
    assert pair.publish(driver, recorded)
    driver['image_raw'] = driver.pop('image')
    assert pair.publish({name: driver[name] for name in driver if name != 'battery'}, heard)
    destroy_entities(node, subscriptions)
    assert pair.wait(lambda: not pair.ours.node.count_subscribers('odom'))


def test_who_hears_best_effort_hears_reliable_publishers_as_well_and_each_message_once(pair):
    heard = Counter()
    first = hear(
        pair.ours.node,
        JointState,
        'joints',
        lambda message: heard.update([message.name[0]]),
        qos.STREAM,
    )
    weak = pair.publisher(JointState, 'joints', BEST_EFFORT)
    assert pair.publish({'weak': (weak, JointState(name=['weak']))}, heard.keys())
    assert heard_by(first) is not first
    assert pair.ours.node.count_subscribers('joints') == 1
    strong = pair.publisher(JointState, 'joints', qos.DEFAULT)
    assert pair.wait(lambda: strong.get_subscription_count() == 1)
    assert pair.publish({'strong': (strong, JointState(name=['strong']))}, heard.keys())
    before = heard['strong']
    strong.publish(JointState(name=['strong']))
    strong.publish(JointState(name=['last']))
    assert pair.wait(lambda: heard['last'])
    assert heard['strong'] == before + 1
    destroy_entities(pair.ours.node, [first])


def test_reliable_publishers_are_heard_reliably_as_long_as_there_is_no_other(pair):
    heard = set()
    first = hear(pair.ours.node, JointState, 'joints', lambda _: heard.add('odd'), qos.STREAM)
    strong = pair.publisher(JointState, 'joints', qos.DEFAULT)
    assert pair.publish({'odd': (strong, JointState())}, heard)
    assert heard_by(first) is first
    destroy_entities(pair.ours.node, [first])


def test_the_recorder_names_who_publishes_what_it_cannot_record(pair):
    node, topics = pair.ours.node, Topics()
    before = set(node.subscriptions)
    inputs = RecorderInputs(node, pair.told, topics, print, print)
    assert inputs.ends.problems() == []
    pair.publisher(Imu, 'odom', qos.DEFAULT)
    pair.publisher(JointState, 'image_raw', qos.DEFAULT)
    assert pair.wait(lambda: len(inputs.ends.problems()) == 2)
    told = '; '.join(inputs.ends.problems())
    assert '/driver publishes sensor_msgs/msg/Imu on /odom' in told
    assert '/driver publishes sensor_msgs/msg/JointState on /image_raw' in told
    destroy_entities(node, [each for each in node.subscriptions if each not in before])
