import math
import time

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from nav_msgs.msg import Odometry
import numpy as np
from optional import missing
import pytest
from rcl_interfaces.srv import DescribeParameters
from ros_helpers import simulator, Walker
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from std_srvs.srv import SetBool, Trigger

from guda_ros.data.contract import Contract
from guda_ros.ros import conversions as convert
from guda_ros.ros import qos
from guda_ros.ros.episode.runner import EpisodeError
from guda_ros.ros.graph.processes import GraphError, GraphProcesses

pytestmark = pytest.mark.needs('mujoco')

START = (0.5, 0.0, 0.0, 3.0, 1.0)


def script(step):
    """Walk a curve."""
    return np.array([0.2, 0.05 * math.sin(step / 5), 0.5 * math.cos(step / 7)])


@pytest.fixture(scope='module')
def graph(tmp_path_factory):
    with GraphProcesses(
        [simulator(answer_timeout=1.0, partner_timeout=1.0)],
        log_dir=tmp_path_factory.mktemp('log'),
    ) as processes:
        yield processes.wait_ready(60)


@pytest.fixture(scope='module')
def runner(graph):
    return graph.runner()


@pytest.fixture
def walk(graph):
    walkers = []

    def create(walking):
        walkers.append(Walker(graph, walking))
        return walkers[-1]

    yield create
    for walker in walkers:
        walker.close()


def test_a_reset_without_safety_says_who_is_missing(runner):
    with pytest.raises(EpisodeError, match='nobody publishes cmd_vel: is the safety node running'):
        runner.run(start=START, time_limit=1.0)


def test_the_same_start_seed_and_commands_give_the_same_episode(walk, runner):
    walker = walk(script)
    runs = []
    for _ in range(2):
        outcome = runner.run(start=START, seed=5, time_limit=5.0, episode_id='twice')
        assert outcome.event.verdict == 'timeout' and outcome.duration == pytest.approx(5.0)
        assert walker.spin_until(lambda: len(walker.truth) == len(walker.odom) == 51)
        runs.append((np.array(walker.truth), np.array(walker.odom)))
    (truth, odom), (truth_again, odom_again) = runs
    np.testing.assert_array_equal(truth[:, 1:], truth_again[:, 1:])
    np.testing.assert_array_equal(odom[:, 1:], odom_again[:, 1:])
    np.testing.assert_allclose(np.diff(truth[:, 0]), 1e8)
    # Time goes on over episodes, with a gap.
    assert truth_again[0, 0] >= truth[-1, 0] + 1e9
    np.testing.assert_allclose(truth[0, 1:], START[:3])
    np.testing.assert_array_equal(odom[0, 1:], [0, 0, 0])
    runner.run(start=START, seed=6, time_limit=5.0)
    assert walker.spin_until(lambda: len(walker.odom) == 51)
    assert np.abs(np.array(walker.odom)[-1, 1:] - odom[-1, 1:]).max() > 1e-3


def test_the_phases_of_an_episode_are_told_in_order_with_the_known_start(walk, runner):
    walker = walk(script)
    twists = {'odom': [], 'ground_truth/odom': []}
    for name, found in twists.items():
        walker.subscribe(
            Odometry,
            name,
            lambda message, found=found: found.append(
                convert.command_from_twist(message.twist.twist)
            ),
        )
    outcome = runner.run(start_index=2, purpose='validation', time_limit=1.0)
    assert walker.spin_until(lambda: walker.events and walker.events[-1].phase == 'end')
    events = [event for event in walker.events if event.id == outcome.event.id]
    assert [event.phase for event in events] == ['reset', 'start', 'end']
    assert events[0].contract_hash == Contract.load().hash
    assert events[0].start_index == 2
    np.testing.assert_allclose(walker.truth[0][1:], events[0].robot_start, atol=1e-9)
    assert events[0].stamp == walker.truth[0][0] and events[2].stamp == walker.truth[-1][0]
    # Odometry knows its own velocity and not the true one.
    odom, truth = (np.array(found)[-8:] for found in twists.values())
    np.testing.assert_allclose(odom, truth, atol=0.15)
    assert (odom != truth).all()


def test_commands_with_another_stamp_do_not_move_the_world(walk, runner):
    walker = walk(lambda step: None if step == 3 else script(step))
    with pytest.raises(EpisodeError, match='no answer within 0.5 s'):
        runner.run(start=START, time_limit=2.0, timeout=0.5)
    assert len(walker.truth) == 4
    for stamp in (walker.truth[-1][0] - 100_000_000, walker.truth[-1][0] + 1):
        walker.publish([0.2, 0.0, 0.0], stamp)
    walker.spin_until(lambda: len(walker.truth) > 4, 0.3)
    assert len(walker.truth) == 4


def test_a_step_without_answer_ends_the_episode_and_names_who_is_silent(walk, runner):
    walk(lambda step: None if step == 2 else script(step))
    began = time.monotonic()
    outcome = runner.run(start=START, time_limit=2.0, timeout=10.0)
    assert time.monotonic() - began < 6
    assert outcome.event.verdict == 'error'
    assert 'no cmd_vel for stamp' in outcome.event.message
    assert '_guda_watch' in outcome.event.message


def test_a_goal_ends_the_episode(walk, runner):
    walk(lambda step: np.array([0.25, 0.0, 0.0]))
    outcome = runner.run(start=(3.95, 0.0, 0.0, 4.25, 0.0), time_limit=20.0)
    assert outcome.scored and 0.5 < outcome.duration < 10.0


def test_a_paused_world_stands_until_it_is_stepped(walk, runner):
    walker = walk(script)
    assert walker.call(SetBool, '/simulator/pause', SetBool.Request(data=True)).success
    assert walker.call(Trigger, '/simulator/reset').success
    try:
        assert walker.spin_until(lambda: len(walker.truth) == 1)
        walker.spin_until(lambda: len(walker.truth) > 1, 0.3)
        assert len(walker.truth) == 1
        for count in (2, 3):
            assert walker.call(Trigger, '/simulator/step').success
            assert walker.spin_until(lambda n=count: len(walker.truth) == n)
    finally:
        walker.call(SetBool, '/simulator/pause', SetBool.Request(data=False))
    assert walker.spin_until(lambda: len(walker.truth) > 5)
    assert not walker.call(Trigger, '/simulator/step').success


@pytest.mark.parametrize(
    'values, reason',
    [
        ({'scenario': 'kickoff'}, 'attack'),
        ({'start_index': -1}, 'out of range'),
        ({'start': [1.0, 2.0]}, 'five finite numbers'),
        ({'seed': 'a'}, 'type'),
        ({'episode_id': '../x'}, 'folder'),
        ({'robot': 'pepper'}, 'read-only'),
        ({'time_limit': math.nan}, 'out of range'),
    ],
)
def test_wrong_parameters_are_refused_with_a_reason(runner, values, reason):
    with pytest.raises(EpisodeError, match=reason):
        runner.set_parameters(values)


def test_an_impossible_start_is_refused(walk, runner):
    walk(script)
    with pytest.raises(EpisodeError, match='start is not possible'):
        runner.run(start=(0.5, 0.0, 0.0, 40.0, 1.0))


def test_parameters_are_described(walk):
    walker = walk(None)
    described = walker.call(
        DescribeParameters,
        '/simulator/describe_parameters',
        DescribeParameters.Request(names=['answer_timeout', 'mode']),
    ).descriptors
    assert described[0].description and described[0].floating_point_range[0].to_value == 600.0
    assert described[1].read_only and 'free' in described[1].additional_constraints


def test_deactivating_aborts_the_episode(walk, runner):
    walker = walk(lambda step: script(step) if step < 3 else None)
    runner.set_parameters({'start': START})
    assert walker.call(Trigger, '/simulator/reset').success
    for transition in (
        Transition.TRANSITION_DEACTIVATE,
        Transition.TRANSITION_CLEANUP,
        Transition.TRANSITION_CONFIGURE,
        Transition.TRANSITION_ACTIVATE,
    ):
        request = ChangeState.Request(transition=Transition(id=transition))
        assert walker.call(ChangeState, '/simulator/change_state', request).success
    assert walker.spin_until(lambda: any(event.verdict == 'aborted' for event in walker.events))


def test_free_running_from_an_impossible_start_ends_the_node_with_the_reason(tmp_path):
    spec = simulator(mode='free', start=[0.5, 0.0, 0.0, 40.0, 1.0])
    with GraphProcesses([spec], log_dir=tmp_path) as processes:
        with pytest.raises(GraphError, match='start is not possible') as caught:
            processes.wait_ready(60)
    assert 'exit code 1' in str(caught.value) and 'Traceback' not in str(caught.value)


def test_free_running_keeps_the_rate_and_moves_with_the_last_command(tmp_path):
    camera = not missing('drawing')
    spec = simulator(mode='free', camera=camera)
    with GraphProcesses([spec], log_dir=tmp_path) as processes:
        processes.wait_ready(60)
        walker = Walker(processes, lambda step: np.array([0.2, 0.0, 0.0]))
        images, infos, clocks, balls, health = [], [], [], [], []
        for kind, name, target, profile in (
            (Image, 'image_raw', images, qos.SENSOR_DATA),
            (CameraInfo, 'camera_info', infos, qos.SENSOR_DATA),
            (Clock, '/clock', clocks, qos.DEFAULT),
            (Odometry, 'ground_truth/ball', balls, qos.DEFAULT),
            (DiagnosticArray, '/diagnostics', health, qos.DEFAULT),
        ):
            walker.subscribe(kind, name, target.append, profile)
        assert walker.spin_until(lambda: len(walker.truth) >= 5 and clocks, 10)
        first, began = walker.truth[-1], time.monotonic()
        assert walker.spin_until(lambda: walker.truth[-1][0] >= first[0] + 2e9, 20)
        # Ten a second of simulated time, in about real time on a busy machine.
        assert 1.7 < time.monotonic() - began < 6.0
        last = walker.truth[-1]
        assert math.hypot(last[1] - first[1], last[2] - first[2]) == pytest.approx(0.4, abs=0.08)
        assert walker.spin_until(lambda: bool(health and balls), 5)
        assert health[-1].status[0].name == '/simulator'
        if camera:
            assert walker.spin_until(lambda: bool(images and infos), 5)
            pixels = convert.image_from_message(images[-1])
            assert pixels.shape == (infos[-1].height, infos[-1].width, 3)
            assert images[-1].header.frame_id == 'camera_optical_frame'
            # Carpet below: green is the strongest colour.
            assert pixels[-1].mean(axis=0).argmax() == 1
