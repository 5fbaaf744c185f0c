"""The transforms of a robot over DDS, with the message of tf2 made from its definition."""

import os

from foreign_messages import lacks, make
from nav_msgs.msg import Odometry
from node_trial import NodeTrial
import numpy as np
import pytest
from sensor_msgs.msg import JointState

from guda_ros.ros.conversions import joint_state_message, odometry_message
from guda_ros.ros.qos import DEFAULT, LATCHED

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(lacks()), reason=lacks() or 'nothing'),
]


def test_where_tf2_messages_are_the_tree_is_published_from_odometry_and_head(
    tmp_path, monkeypatch
):
    make('tf2_msgs', tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get('PYTHONPATH')]))
    monkeypatch.setenv('PYTHONPATH', path)
    from tf2_msgs.msg import TFMessage

    with NodeTrial({'perception': {'robot': 'nao_v6'}}, tmp_path / 'log', listen=()) as trial:
        fixed = trial.listen(TFMessage, 'tf_static', LATCHED)
        moving = trial.listen(TFMessage, 'tf', DEFAULT)
        found = {}

        def tell():
            stamp = trial.now()
            here = odometry_message((1.0, 2.0, 0.5), stamp, 'odom', 'base_link')
            trial.publish(Odometry, 'odom', here)
            head = joint_state_message({'HeadYaw': 0.4, 'HeadPitch': -0.2}, stamp)
            trial.publish(JointState, 'joint_states', head)
            trial.spin(0.1)
            for message in moving:
                found.update({each.child_frame_id: each for each in message.transforms})
            return fixed and {'base_footprint', 'neck_link', 'head_link'} <= found.keys()

        assert trial.wait_for(tell, 30), (found.keys(), trial.log('perception'))
        assert {each.child_frame_id for each in fixed[0].transforms} == {
            'base_link',
            'camera_link',
            'camera_optical_frame',
            'lower_camera_link',
            'lower_camera_optical_frame',
        }
        robot, neck = found['base_footprint'], found['neck_link']
        assert robot.header.frame_id == 'odom' and robot.header.stamp.sec > 0
        place, turn = robot.transform.translation, robot.transform.rotation
        assert (place.x, place.y, place.z) == (1.0, 2.0, 0.0)
        assert turn.z == pytest.approx(np.sin(0.25)) and turn.w == pytest.approx(np.cos(0.25))
        assert neck.header.frame_id == 'base_link'
        assert neck.transform.rotation.z == pytest.approx(np.sin(0.2))
