import json
import os
import signal

from geometry_msgs.msg import PoseWithCovarianceStamped, TwistStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from nav_msgs.msg import Odometry
import numpy as np
from policy_file import write_policy
import pytest
from ros_helpers import Walker
from std_msgs.msg import String
from std_srvs.srv import Trigger

from guda_ros.data.contract import Contract
from guda_ros.data.episodes import read_episode
from guda_ros.data.messages import stamp_to_ns
from guda_ros.ros import conversions as convert
from guda_ros.ros import qos
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import GraphOptions, NodeSpec
from guda_ros.soccer import world

pytestmark = pytest.mark.needs('drawing')

CONTRACT = Contract.load()
#: Ball in view, a short push to the goal.
START = (2.6, 0.3, 0.1, 3.6, 0.2)


def test_an_operator_drives_through_teleop_and_the_same_seed_gives_the_same_episode(tmp_path):
    options = GraphOptions(recordings=str(tmp_path / 'recordings'))
    with GraphProcesses('collect', options, tmp_path / 'log') as graph:
        graph.wait_ready(90)
        runner = graph.runner()
        episodes = []
        for name in ('first', 'again'):
            outcome = runner.run(start=START, seed=3, time_limit=6.0, episode_id=name)
            assert outcome.event.verdict == 'timeout', outcome.event.message
            assert outcome.recording['complete'], outcome.recording['problems']
            episodes.append(read_episode(tmp_path / 'recordings' / name, CONTRACT))
        commanding = {
            info.node_name for info in graph.monitor.node.get_publishers_info_by_topic('cmd_vel')
        }
    assert commanding == {'safety'}
    first, again = episodes
    assert first.world_states.shape == (61, world.SIZE) and first.commands.shape == (60, 3)
    # The operator walked, and what was sent is what the world did.
    assert np.abs(first.commands).max() > 0.05
    np.testing.assert_array_equal(first.commands, again.commands)
    np.testing.assert_array_equal(first.truth_states, again.truth_states)
    np.testing.assert_array_equal(first.world_states, again.world_states)
    # What the robot knew is near the truth, but not the truth.
    assert first.valid.mean() > 0.8
    error = np.linalg.norm(
        (first.world_states - first.truth_states)[first.valid][:, world.BALL], axis=1
    )
    assert 0 < np.median(error) < 0.1


def test_a_policy_drives_on_what_perception_sees_and_searches_a_lost_ball(tmp_path):
    write_policy(tmp_path / 'walk.onnx')
    options = GraphOptions(policy=str(tmp_path / 'walk.onnx'), recordings=str(tmp_path / 'bags'))
    with GraphProcesses('evaluate', options, tmp_path / 'log') as graph:
        graph.wait_ready(90)
        runner = graph.runner()
        walker = Walker(graph, None)
        states, balls = [], []
        walker.subscribe(String, 'policy/state', lambda m: states.append(m.data), qos.LATCHED)
        walker.subscribe(Odometry, 'ball/odom', balls.append)
        outcome = runner.run(start=START, seed=3, time_limit=4.0, episode_id='seen')
        assert outcome.event.verdict in ('timeout', 'scored'), outcome.event.message
        assert walker.truth[-1][1] > START[0] + 0.2
        assert 'policy' in states
        known = [convert.ball_from_message(ball)[2] for ball in balls]
        assert sum(known) > 0.8 * len(known)
        # Behind the robot: never seen, so it turns to the left to look for it.
        outcome = runner.run(
            start=(2.6, 0.3, 3.1, 3.6, 0.2), seed=3, time_limit=0.8, episode_id='unseen'
        )
        assert outcome.event.verdict == 'timeout', outcome.event.message
        assert walker.spin_until(lambda: 'search' in states)
        turned = world.wrap_angle(walker.truth[-1][3] - walker.truth[0][3])
        assert turned > 0.2
        (tmp_path / 'walk.onnx').write_bytes(b'broken')
        answer = walker.call(Trigger, '/policy/reload')
        assert not answer.success and 'the policy before is kept' in answer.message
        sent = []
        walker.subscribe(TwistStamped, 'cmd_vel/policy', sent.append, qos.COMMAND)
        assert walker.spin_until(lambda: walker.node.count_publishers('cmd_vel/policy') > 0)
        deactivate = Transition(id=Transition.TRANSITION_DEACTIVATE)
        assert walker.call(
            ChangeState, '/policy/change_state', ChangeState.Request(transition=deactivate)
        ).success
        assert walker.spin_until(lambda: bool(sent))
        assert convert.command_from_twist(sent[-1].twist).tolist() == [0, 0, 0]


def test_a_policy_stands_without_a_pose_and_is_silent_once_it_is_shut_down(tmp_path):
    write_policy(tmp_path / 'walk.onnx')
    spec = NodeSpec(
        'policy', 'policy', parameters={'policy': str(tmp_path / 'walk.onnx')}, lifecycle=True
    )
    with GraphProcesses([spec], log_dir=tmp_path / 'log') as graph:
        graph.wait_ready(60)
        walker = Walker(graph, None)
        sent = []
        walker.subscribe(TwistStamped, 'cmd_vel/policy', sent.append, qos.COMMAND)
        pose, odom, ball = (
            walker.node.create_publisher(kind, name, qos.DEFAULT)
            for kind, name in (
                (PoseWithCovarianceStamped, 'pose'),
                (Odometry, 'odom'),
                (Odometry, 'ball/odom'),
            )
        )
        assert walker.spin_until(
            lambda: (
                walker.node.count_publishers('cmd_vel/policy')
                and all(publisher.get_subscription_count() for publisher in (pose, odom, ball))
            )
        )
        walker.spin_until(lambda: False, 0.3)

        def answer(stamp, variance):
            pose.publish(convert.pose_message(np.zeros(3), stamp, covariance=np.eye(3) * variance))
            odom.publish(convert.odometry_message(np.zeros(3), stamp, 'odom', 'base_link'))
            ball.publish(
                convert.ball_message(
                    [1.0, 0.0], [0.0, 0.0], stamp, 'odom', position_covariance=np.eye(2) * 0.01
                )
            )
            if not walker.spin_until(
                lambda: sent and stamp_to_ns(sent[-1].header.stamp) == stamp, 2.0
            ):
                return None
            return convert.command_from_twist(sent[-1].twist).tolist()

        assert answer(1_000_000_000, 1e6) == [0, 0, 0]
        assert answer(2_000_000_000, 0.01)[0] > 0.1
        shutdown = Transition(id=Transition.TRANSITION_ACTIVE_SHUTDOWN)
        assert walker.call(
            ChangeState, '/policy/change_state', ChangeState.Request(transition=shutdown)
        ).success
        assert walker.spin_until(
            lambda: convert.command_from_twist(sent[-1].twist).tolist() == [0, 0, 0]
        )
        assert answer(3_000_000_000, 0.01) is None


def test_an_episode_names_the_node_that_stopped_answering(tmp_path):
    options = GraphOptions(recordings=str(tmp_path / 'bags'), answer_timeout=3.0)
    with GraphProcesses('collect', options, tmp_path / 'log') as graph:
        graph.wait_ready(90)
        runner = graph.runner()
        # Everybody has found everybody after this one.
        well = runner.run(start=START, time_limit=0.3, episode_id='well')
        assert well.event.verdict == 'timeout', well.event.message
        stopped = graph.pids['teleop']
        os.kill(stopped, signal.SIGSTOP)
        try:
            outcome = runner.run(start=START, time_limit=2.0, episode_id='stuck')
        finally:
            os.kill(stopped, signal.SIGCONT)
    assert outcome.event.verdict == 'error'
    assert 'no cmd_vel/teleop for stamp' in outcome.event.message
    assert '(from teleop)' in outcome.event.message
    assert 'ball/odom answered' in outcome.event.message
    assert json.dumps(outcome.recording)
