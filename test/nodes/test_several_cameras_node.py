"""A simulated robot with two cameras and perception, over DDS in lock-step."""

from geometry_msgs.msg import PointStamped
from nav_msgs.msg import Odometry
import numpy as np
import pytest
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from ros_helpers import simulator, Walker
from std_srvs.srv import Trigger
import yaml

from guda_ros.config.files import find_config
from guda_ros.data.messages import stamp_to_ns
from guda_ros.ros import conversions as convert
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import NodeSpec
from guda_ros.soccer import world

STEPS = 6


@pytest.fixture(scope='module')
def walker(tmp_path_factory):
    folder = tmp_path_factory.mktemp('two')
    values = yaml.safe_load(find_config('robots', 'nao_v6_real').read_text())
    for camera in values['cameras'].values():
        camera.update(width=320, height=240, exposure=0.0, noise=0.0)
    robot = folder / 'small_nao.yaml'
    robot.write_text(yaml.safe_dump(values))
    specs = [
        simulator(
            camera=True,
            robot=str(robot),
            partners=['perception'],
            start=[0.0, 0.0, 0.0, 2.5, 0.3],
            time_limit=0.1 * STEPS,
        ),
        NodeSpec(
            'perception', 'perception', parameters={'robot': str(robot), 'use_sim_time': True}
        ),
    ]
    with GraphProcesses(specs, log_dir=folder) as graph:
        graph.wait_ready(60)
        made = Walker(graph, lambda step: np.zeros(3))
        made.balls, made.seen = [], []
        made.subscribe(Odometry, 'ball/odom', made.balls.append)
        made.subscribe(PointStamped, 'ball/detection', made.seen.append)
        yield made
        made.close()


def play(walker, start):
    """Play an episode from a start (5,); return it when it is over."""
    value = Parameter('start', value=[float(v) for v in start]).to_parameter_msg()
    request = SetParameters.Request(parameters=[value])
    assert walker.call(SetParameters, '/simulator/set_parameters', request).results[0].successful
    walker.events.clear()
    walker.balls.clear()
    walker.seen.clear()
    assert walker.call(Trigger, '/simulator/reset').success
    assert walker.spin_until(lambda: any(event.phase == 'end' for event in walker.events), 60), (
        walker.events
    )
    return walker.events[-1]


@pytest.mark.needs('drawing')
@pytest.mark.parametrize('ball', [(2.5, 0.3), (0.7, 0.1)], ids=['top', 'bottom'])
def test_perception_hears_the_camera_that_sees_the_ball(walker, ball):
    end = play(walker, (0.0, 0.0, 0.0, *ball))
    assert end.verdict == 'timeout'
    # Images come a step late (30 ms): the last one is not waited for.
    stamps = [stamp_to_ns(message.header.stamp) for message in walker.balls]
    assert stamps == [row[0] for row in walker.truth][: len(stamps)]
    assert len(stamps) >= STEPS - 1
    position, _, known = convert.ball_from_message(walker.balls[-1])
    assert known
    np.testing.assert_allclose(position, ball, rtol=0.04)
    assert {stamp_to_ns(message.header.stamp) for message in walker.seen} >= {*stamps}
    seen = walker.seen[-1].point
    np.testing.assert_allclose(
        world.from_frame(np.array([seen.x, seen.y]), np.zeros(3)), ball, rtol=0.06
    )
