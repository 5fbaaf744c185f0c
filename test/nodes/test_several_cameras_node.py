"""A simulated robot with two cameras and a head that looks, over DDS in lock-step."""

from geometry_msgs.msg import PointStamped
from nav_msgs.msg import Odometry
import numpy as np
import pytest
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from ros_helpers import simulator, Walker
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger
import yaml

from guda_ros.config.files import find_config
from guda_ros.data.messages import stamp_to_ns
from guda_ros.ros import conversions as convert
from guda_ros.ros import qos
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import NodeSpec
from guda_ros.soccer import world

STEPS = 12


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
            partners=['perception', 'safety'],
            start=[0.0, 0.0, 0.0, 2.5, 0.3],
            time_limit=0.1 * STEPS,
        ),
        NodeSpec(
            'perception', 'perception', parameters={'robot': str(robot), 'use_sim_time': True}
        ),
        NodeSpec(
            'safety',
            'safety',
            parameters={
                'robot': str(robot),
                'use_sim_time': True,
                'require_deadman': False,
                'watch': False,
            },
        ),
    ]
    with GraphProcesses(specs, log_dir=folder) as graph:
        graph.wait_ready(60)
        made = Walker(graph, lambda step: np.zeros(3), 'cmd_vel/teleop')
        made.balls, made.seen, made.heads = [], [], []
        made.subscribe(Odometry, 'ball/odom', made.balls.append)
        made.subscribe(PointStamped, 'ball/detection', made.seen.append)
        made.subscribe(JointState, 'head/command', made.heads.append, qos.DEFAULT)
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
    walker.heads.clear()
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


@pytest.mark.needs('drawing')
def test_the_head_looks_down_to_a_ball_at_the_feet_that_no_camera_saw(walker):
    play(walker, (0.0, 0.0, 0.0, 0.22, 0.0))
    position, _, known = convert.ball_from_message(walker.balls[-1])
    assert not convert.ball_from_message(walker.balls[0])[2]
    assert known
    np.testing.assert_allclose(position, [0.22, 0.0], atol=0.02)
    # By the driver's names, as the safety node passes them on.
    assert [*walker.heads[-1].name] == ['HeadYaw', 'HeadPitch']
    assert walker.heads[-1].position[1] > 0.2


def positions(walker):
    return [round(message.position[-1], 6) for message in walker.heads]


@pytest.mark.needs('drawing')
def test_a_head_does_not_look_by_itself_while_the_robot_is_stopped_or_a_person_turns_it(walker):
    play(walker, (0.0, 0.0, 0.0, 2.5, 0.3))
    look, person = (
        walker.node.create_publisher(JointState, f'head/command/{source}', qos.COMMAND)
        for source in ('gaze', 'teleop')
    )

    def tell(publisher, tilt):
        publisher.publish(JointState(name=['head_tilt'], position=[tilt]))

    assert walker.spin_until(
        lambda: look.get_subscription_count() and person.get_subscription_count()
    )

    def passed(publisher, tilt):
        def heard():
            tell(publisher, tilt)
            walker.spin_until(lambda: tilt in positions(walker), 0.2)
            return tilt in positions(walker)

        return walker.spin_until(heard, 20)

    assert passed(look, 0.11)
    assert walker.call(Trigger, '/safety/emergency_stop').success
    tell(look, 0.12)
    # What a person does is refused then, too.
    tell(person, 0.13)
    assert walker.call(Trigger, '/safety/release').success
    assert passed(person, 0.14)
    tell(look, 0.15)
    assert passed(person, 0.16)
    assert not {0.12, 0.13, 0.15} & {*positions(walker)}
    # Left alone it looks by itself again.
    assert passed(look, 0.17)
