"""The layouts for RViz and Foxglove show topics that the graph has, with fitting QoS and types."""

from __future__ import annotations

import json
from pathlib import Path
import re

from optional import missing
import pytest
from ros_helpers import wait_for
import yaml

from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import GraphOptions

pytestmark = pytest.mark.needs('mujoco')

CONFIG = Path(__file__).resolve().parents[2] / 'config'
RVIZ = CONFIG / 'rviz' / 'guda_ros.rviz'
FOXGLOVE = CONFIG / 'foxglove' / 'guda_ros.json'
#: Message types that an RViz display takes.
SHOWS = {
    'MarkerArray': 'visualization_msgs/msg/MarkerArray',
    'Odometry': 'nav_msgs/msg/Odometry',
    'PoseWithCovariance': 'geometry_msgs/msg/PoseWithCovarianceStamped',
    'Image': 'sensor_msgs/msg/Image',
    'RobotModel': 'std_msgs/msg/String',
}


def rviz_displays():
    return yaml.safe_load(RVIZ.read_text())['Visualization Manager']['Displays']


def topic_of(display):
    """Return what a display says of its topic."""
    return display['Description Topic' if 'RobotModel' in display['Class'] else 'Topic']


def topics_of(value):
    """Yield every topic that a Foxglove layout names."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key.startswith('/'):
                yield key
            yield from topics_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from topics_of(item)
    elif isinstance(value, str) and value.startswith('/'):
        yield re.match(r'[/\w]+', value).group()


def panels(layout):
    if isinstance(layout, str):
        return [layout]
    return panels(layout['first']) + panels(layout['second'])


def test_every_panel_of_the_foxglove_layout_is_configured_and_shown_once():
    layout = json.loads(FOXGLOVE.read_text())
    assert sorted(panels(layout['layout'])) == sorted(layout['configById'])


@pytest.fixture(scope='module')
def published(tmp_path_factory):
    """Return types by topic and the durability of the publishers of a running graph."""
    folder = tmp_path_factory.mktemp('graph')
    camera = not missing('drawing')
    options = GraphOptions(
        recordings=str(folder / 'recordings'),
        overrides={'simulator': {'camera': camera}, 'data_collector': {'guide': 'guided'}},
    )
    with GraphProcesses('collect', options, log_dir=folder / 'log') as graph:
        graph.wait_ready(90)
        node = graph.monitor.node
        wanted = {topic_of(display)['Value'] for display in rviz_displays()} | set(
            topics_of(json.loads(FOXGLOVE.read_text())['configById'])
        )
        wait_for(
            lambda: all(node.count_publishers(topic) for topic in wanted),
            10,
            lambda: graph.monitor.spin(0.05),
        )
        return {topic: node.get_publishers_info_by_topic(topic) for topic in wanted}


def test_the_layouts_name_topics_that_are_published(published):
    assert not [topic for topic, publishers in published.items() if not publishers]
    # What a person wants to see is there.
    for topic in (
        '/image_raw',
        '/odom',
        '/pose',
        '/ball/odom',
        '/ground_truth/odom',
        '/ground_truth/ball',
        '/markers',
        '/robot_description',
    ):
        assert topic in {topic_of(display)['Value'] for display in rviz_displays()}


def test_rviz_displays_fit_type_and_qos_of_their_topics(published):
    for display in rviz_displays():
        topic = topic_of(display)
        kind = display['Class'].split('/')[1]
        for publisher in published[topic['Value']]:
            assert publisher.topic_type == SHOWS[kind], topic
            # A best-effort publisher never reaches a reliable subscriber, nor a volatile one a
            # subscriber that wants what was published before it came.
            assert publisher.qos_profile.reliability.name == 'RELIABLE'
            if topic['Durability Policy'] == 'Transient Local':
                assert publisher.qos_profile.durability.name == 'TRANSIENT_LOCAL', topic
