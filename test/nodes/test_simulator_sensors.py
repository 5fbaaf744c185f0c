"""The simulator node with everything on: sensors, delivery, head, kick, N-step, two robots."""

import math

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
import numpy as np
from policy_file import write_policy
import pytest
from rclpy.duration import Duration
from ros_helpers import simulator, Walker
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, Imu, JointState
from std_msgs.msg import Bool, String
from std_srvs.srv import SetBool, Trigger
import yaml

from guda_ros.config.files import find_config
from guda_ros.data.contract import Contract
from guda_ros.data.messages import stamp_to_ns
from guda_ros.data.recording.reader import RecordingReader
from guda_ros.ros import conversions as convert
from guda_ros.ros import qos
from guda_ros.ros.episode.event import EpisodeEvent
from guda_ros.ros.graph.processes import GraphError, GraphProcesses
from guda_ros.ros.graph.table import GraphOptions
from guda_ros.sim.physics.sensor_suite import World
from guda_ros.soccer import world
from guda_ros.soccer.robot import RobotProfile

START = [0.5, 0.0, 0.0, 3.0, 1.0]


def profile(path, **changes):
    """Write a robot profile with other values by dotted key, and return its file."""
    values = yaml.safe_load(find_config('robots', 'nao_v6').read_text())
    values['lower_camera'].update(width=80, height=60, rate=10)
    for key, value in changes.items():
        *groups, last = key.split('__')
        section = values
        for group in groups:
            section = section[group]
        section[last] = value
    file = path / 'robot.yaml'
    file.write_text(yaml.safe_dump(values))
    return str(file)


def script(step):
    """Walk a curve."""
    return np.array([0.2, 0.05 * math.sin(step / 5), 0.5 * math.cos(step / 7)])


def stamps(messages):
    return np.array([stamp_to_ns(message.header.stamp) for message in messages])


class FreeWorld:
    """A world that runs by itself, the ball at the robot's feet, and what it has told so far."""

    def __init__(self, processes) -> None:
        self.walker = Walker(processes, None)
        self.got = {}
        for kind, name, profile_ in (
            (Image, 'image_raw', qos.SENSOR_DATA),
            (Image, 'lower/image_raw', qos.SENSOR_DATA),
            (CameraInfo, 'camera_info', qos.DEFAULT),
            (Imu, 'imu/data', qos.RECORD),
            (JointState, 'joint_states', qos.RECORD),
            (Odometry, 'odom', qos.RECORD),
            (Odometry, 'ground_truth/odom', qos.DEFAULT),
            (Odometry, 'ground_truth/ball', qos.DEFAULT),
            (DiagnosticArray, '/diagnostics', qos.DEFAULT),
            (Clock, '/clock', qos.DEFAULT),
        ):
            self.got[name] = []
            self.walker.subscribe(kind, name, self.got[name].append, profile_)

    def listen(self) -> dict[str, list]:
        """Forget what was told before and wait until every topic told something anew."""
        for found in self.got.values():
            found.clear()
        assert self.walker.spin_until(lambda: all(self.got.values()), 20), {
            name: len(found) for name, found in self.got.items()
        }
        return self.got

    def publisher(self, kind, topic: str):
        """Return a publisher of commands to which the simulator listens."""
        publisher = self.walker.node.create_publisher(kind, topic, qos.COMMAND)
        assert self.walker.spin_until(lambda: publisher.get_subscription_count() > 0)
        return publisher


@pytest.fixture(scope='module')
def free_world(tmp_path_factory):
    folder = tmp_path_factory.mktemp('free')
    robot = profile(
        folder,
        camera__width=160,
        camera__height=120,
        camera__rate=20,
        camera__distortion=[-0.2, 0.05, 0, 0, 0],
        imu__rate=50,
        odometry__delivery={'latency': 0.06, 'jitter': 0.0, 'dropout': 0.0},
    )
    spec = simulator(
        mode='free',
        camera=True,
        robot=robot,
        rate=100.0,
        start=[0.0, 0.0, 0.0, 0.2, 0.0],
        time_limit=600.0,
    )
    with GraphProcesses([spec], log_dir=folder) as processes:
        processes.wait_ready(60)
        yield FreeWorld(processes)


@pytest.mark.needs('drawing')
def test_sensors_of_a_free_world_keep_their_rates(free_world):
    free_world.listen()
    got = free_world.listen()
    assert free_world.walker.spin_until(lambda: len(got['ground_truth/odom']) >= 21, 20)
    # Per second of simulated time, whatever the machine makes of it.
    for name, rate in (
        ('odom', 100),
        ('imu/data', 50),
        ('joint_states', 50),
        ('ground_truth/odom', 10),
    ):
        np.testing.assert_allclose(np.diff(stamps(got[name])), 1e9 / rate, err_msg=name)
    gaps = np.diff(stamps(got['image_raw'])) / 50e6
    assert len(gaps) > 10
    # A busy machine may skip a picture, and physics does not wait for it.
    np.testing.assert_allclose(gaps, np.round(gaps), atol=1e-6)
    assert np.median(gaps) == 1
    lower = got['lower/image_raw'][-1]
    assert (lower.width, lower.height) == (80, 60)
    assert lower.header.frame_id == 'lower_camera_optical_frame'
    info = got['camera_info'][-1]
    assert list(info.d) == [-0.2, 0.05, 0, 0, 0] and info.distortion_model == 'plumb_bob'
    force = got['imu/data'][-1].linear_acceleration
    assert force.z == pytest.approx(9.81, abs=0.4)
    assert got['imu/data'][-1].orientation_covariance[0] == -1
    told = {pair.key: pair.value for pair in got['/diagnostics'][-1].status[0].values}
    assert float(told['rate']) == 100


@pytest.mark.needs('drawing')
def test_the_head_turns_at_its_speed_to_its_limit_and_the_picture_with_it(free_world):
    walker, got = free_world.walker, free_world.listen()

    def angles():
        return dict(zip(got['joint_states'][-1].name, got['joint_states'][-1].position))

    before = convert.image_from_message(got['image_raw'][-1]).astype(float)
    head = free_world.publisher(JointState, 'head/command')
    # At 4 rad/s to the left, slower than at once, and no farther than its limit.
    head.publish(JointState(name=['HeadYaw', 'HeadPitch'], position=[9.0, -0.3]))
    assert walker.spin_until(lambda: angles()['HeadYaw'] > 2.0856)
    pans = [message.position[0] for message in got['joint_states']]
    moving = [pan for pan in pans if 0.01 < pan < 2.0856]
    assert len(moving) > 10 and max(np.diff(moving)) <= 4.0 / 50 + 1e-6
    assert angles() == pytest.approx({'HeadYaw': 2.0857, 'HeadPitch': -0.3})
    seen = len(got['image_raw'])
    assert walker.spin_until(lambda: len(got['image_raw']) > seen + 2)
    turned = convert.image_from_message(got['image_raw'][-1]).astype(float)
    assert np.abs(turned - before).mean() > 20


@pytest.mark.needs('drawing')
def test_a_kick_rolls_the_ball_away_from_a_robot_that_stands(free_world):
    walker, got = free_world.walker, free_world.listen()
    assert got['ground_truth/ball'][-1].pose.pose.position.x < 0.3
    free_world.publisher(Bool, 'kick').publish(Bool(data=True))
    assert walker.spin_until(lambda: got['ground_truth/ball'][-1].pose.pose.position.x > 0.8, 15)
    assert abs(got['ground_truth/odom'][-1].pose.pose.position.x) < 0.05


@pytest.mark.needs('drawing')
def test_what_is_on_its_way_does_not_arrive_while_the_world_stands(free_world):
    walker, got = free_world.walker, free_world.listen()

    def behind():
        return stamp_to_ns(got['/clock'][-1].clock) - stamps(got['odom'][-1:])[0]

    assert walker.call(SetBool, '/simulator/pause', SetBool.Request(data=True)).success
    try:
        # What arrived before is heard first.
        assert walker.spin_until(lambda: behind() == 60e6, 10)
        walker.spin_until(lambda: False, 1.0)
        assert behind() == 60e6
    finally:
        assert walker.call(SetBool, '/simulator/pause', SetBool.Request(data=False)).success


def test_lock_step_over_ros_gives_the_bytes_of_the_same_episode_in_process(tmp_path):
    robot = profile(tmp_path, walk__slip=0.1, walk__delay=0.08)
    spec = simulator(robot=robot, randomisation='default')
    balls = []
    with GraphProcesses([spec], log_dir=tmp_path) as processes:
        processes.wait_ready(60)
        walker = Walker(processes, script)
        poses = []
        walker.subscribe(Odometry, 'ground_truth/odom', poses.append)
        walker.subscribe(Odometry, 'ground_truth/ball', balls.append)
        outcome = processes.runner().run(start=[3.0, 0.0, 0.3, 3.3, 0.1], seed=11, time_limit=5.0)
        assert walker.spin_until(lambda: len(walker.truth) == 51 and len(balls) >= 51)
    over_ros = np.array(
        [
            [
                *(getattr(message.pose.pose.position, axis) for axis in 'xy'),
                *(getattr(ball.pose.pose.position, axis) for axis in 'xy'),
                *(getattr(ball.twist.twist.linear, axis) for axis in 'xy'),
            ]
            for message, ball in zip(poses[-51:], balls[-51:])
        ]
    )
    own = World(
        Contract.load(robot=robot), [RobotProfile.load(robot)], 10.0, randomisation='default'
    )
    own.reset(0, np.array([3.0, 0.0, 0.3, 3.3, 0.1]), 11)
    assert outcome.event.parameters == pytest.approx(own.simulation.parameters)
    in_process = []
    for step in range(51):
        state = own.simulation.world_state()
        in_process.append(
            np.concatenate(
                [state[world.ROBOT_POSITION], state[world.BALL], state[world.BALL_VELOCITY]]
            )
        )
        own.simulation.step(np.append(script(step), 0.0))
    # The ball was pushed, so that all of it was at work.
    assert np.hypot(*(in_process[-1][2:4] - in_process[0][2:4])) > 0.1
    np.testing.assert_array_equal(over_ros, in_process)


@pytest.mark.needs('drawing')
@pytest.mark.long
def test_late_and_lost_images_do_not_stop_a_policy_in_lock_step(tmp_path):
    pytest.importorskip('onnx')
    write_policy(tmp_path / 'walk.onnx')
    robot = profile(
        tmp_path,
        odometry__delivery={'latency': 0.05, 'jitter': 0.02, 'dropout': 0.1},
        camera__delivery={'latency': 0.15, 'jitter': 0.05, 'dropout': 0.3},
    )
    options = GraphOptions(
        robot=robot,
        policy=str(tmp_path / 'walk.onnx'),
        recordings=str(tmp_path / 'bags'),
        answer_timeout=3.0,
        randomisation='default',
    )
    with GraphProcesses('evaluate', options, tmp_path / 'log') as graph:
        graph.wait_ready(90)
        walker, runner, runs = Walker(graph, None), graph.runner(), []
        sent, now = [], []
        walker.subscribe(
            TwistStamped, 'cmd_vel', lambda message: sent.append((stamps([message])[0], now[-1]))
        )
        walker.subscribe(
            Odometry, 'ground_truth/ball', lambda message: now.append(stamps([message])[0])
        )
        for name in ('first', 'again'):
            outcome = runner.run(
                start=[2.6, 0.3, 0.1, 3.6, 0.2], seed=3, time_limit=4.0, episode_id=name
            )
            assert outcome.event.verdict == 'timeout', outcome.event.message
            assert walker.spin_until(lambda: len(walker.truth) == 41)
            runs.append(np.array(walker.truth)[:, 1:])
    # What was drawn for the episode is in its recording.
    with RecordingReader(tmp_path / 'bags' / 'again') as recording:
        assert recording.info.parameters == outcome.event.parameters
    assert 'robot.response_time.forward' in outcome.event.parameters
    assert 'camera.field_of_view' in outcome.event.parameters
    # It walks by what it saw a while ago, and the same way again.
    assert runs[0][-1, 0] > 2.8
    np.testing.assert_array_equal(runs[0], runs[1])
    answered = [stamp for stamp, there in sent if stamp < there]
    assert 0.4 * 80 < len(answered) < 0.75 * 80
    # Many a step had nothing new to answer.
    assert len({there for _, there in sent}) < 0.8 * len(now)


def test_several_steps_are_made_at_once_and_are_answered_one_by_one(tmp_path):
    with GraphProcesses([simulator(answer_timeout=1.0)], log_dir=tmp_path) as processes:
        processes.wait_ready(60)
        silent = []
        walker = Walker(processes, lambda step: None if silent else script(step))
        runner = processes.runner()
        runner.set_parameters({'start': START, 'steps': 7})
        assert walker.call(SetBool, '/simulator/pause', SetBool.Request(data=True)).success
        assert walker.call(Trigger, '/simulator/reset').success
        assert walker.spin_until(lambda: len(walker.truth) == 1)
        answer = walker.call(Trigger, '/simulator/step')
        assert answer.success, answer.message
        assert walker.spin_until(lambda: len(walker.truth) == 8)
        walker.spin_until(lambda: len(walker.truth) > 8, 0.3)
        assert len(walker.truth) == 8
        # They moved by the commands of each, as they would have without a pause.
        own = World(Contract.load(), [RobotProfile.load('nao_v6')], 10.0)
        own.reset(0, np.array(START), 0)
        for step in range(7):
            own.simulation.step(script(step))
        np.testing.assert_array_equal(walker.truth[-1][1:3], own.simulation.world_state()[:2])
        silent.append(True)
        answer = walker.call(Trigger, '/simulator/step')
        # Answered before it fell silent is the first; then nobody answers.
        assert not answer.success and '1 of 7 steps: waiting for cmd_vel' in answer.message
        # The unanswered one was repeated.
        assert len({stamp for stamp, *_ in walker.truth}) == 9


def test_two_robots_share_a_world_each_below_its_name(tmp_path):
    spec = simulator(mode='free', robots=['red', 'blue'], start=START, time_limit=600.0)
    with GraphProcesses([spec], log_dir=tmp_path) as processes:
        processes.wait_ready(60)
        walker = Walker(processes, None)
        truth = {name: [] for name in ('red', 'blue')}
        balls = {name: [] for name in truth}
        odom = {name: [] for name in truth}
        events = {name: [] for name in truth}
        for name in truth:
            walker.subscribe(Odometry, f'{name}/ground_truth/odom', truth[name].append)
            walker.subscribe(Odometry, f'{name}/ground_truth/ball', balls[name].append)
            walker.subscribe(Odometry, f'{name}/odom', odom[name].append)
            walker.subscribe(String, f'{name}/episode', events[name].append, qos.LATCHED)
        send = walker.node.create_publisher(TwistStamped, 'blue/cmd_vel', qos.COMMAND)
        assert walker.spin_until(
            lambda: all(
                found for group in (truth, balls, odom, events) for found in group.values()
            ),
            20,
        )
        place = {name: convert.pose_from_message(found[-1]) for name, found in truth.items()}
        starts = {
            name: EpisodeEvent.from_json(found[-1].data).robot_start
            for name, found in events.items()
        }
        for name in truth:
            np.testing.assert_allclose(starts[name], place[name], atol=1e-6)
        np.testing.assert_allclose(place['red'], START[:3], atol=1e-6)
        assert np.hypot(*(place['red'] - place['blue'])[:2]) > 0.5
        goal = stamps(truth['blue'][-1:])[0] + 2e9
        while stamps(truth['blue'][-1:])[0] < goal:
            send.publish(convert.twist_stamped([0.2, 0.0, 0.0], 0))
            walker.spin_until(lambda: False, 0.1)
        moved = {
            name: np.hypot(*(convert.pose_from_message(found[-1]) - place[name])[:2])
            for name, found in truth.items()
        }
        assert moved['blue'] > 0.2 and moved['red'] < 1e-3
        # Both see the same ball, each from its own odometry.
        latest = {stamp_to_ns(message.header.stamp): message for message in balls['red']}
        same = [
            message for message in balls['blue'] if stamp_to_ns(message.header.stamp) in latest
        ]
        assert same and same[-1].pose.pose == latest[stamp_to_ns(same[-1].header.stamp)].pose.pose
        assert np.hypot(*convert.pose_from_message(odom['red'][-1])[:2]) < 0.01


def test_half_a_head_command_before_the_first_episode_is_obeyed(tmp_path):
    with GraphProcesses([simulator()], log_dir=tmp_path) as processes:
        processes.wait_ready(60)
        walker = Walker(processes, script)
        head = walker.node.create_publisher(JointState, 'head/command', qos.COMMAND)
        assert walker.spin_until(lambda: head.get_subscription_count() > 0)
        head.publish(JointState(name=['HeadYaw'], position=[0.5]))
        assert head.wait_for_all_acked(Duration(seconds=5.0))
        # The next episode is its answer: the node still lives.
        assert walker.call(Trigger, '/simulator/reset').success
        processes.check()


def test_a_command_that_is_no_number_ends_the_episode_and_the_world_goes_on(tmp_path):
    with GraphProcesses([simulator(mode='free', time_limit=600.0)], log_dir=tmp_path) as processes:
        processes.wait_ready(60)
        walker = Walker(processes, None)
        send = walker.node.create_publisher(TwistStamped, 'cmd_vel', qos.COMMAND)
        assert walker.spin_until(
            lambda: send.get_subscription_count() > 0 and walker.truth and walker.events
        )
        send.publish(convert.twist_stamped([math.nan, 0.0, 0.0], 0))
        assert walker.spin_until(lambda: walker.events[-1].phase == 'end')
        assert walker.events[-1].verdict == 'error' and 'not finite' in walker.events[-1].message
        made = len(walker.truth)
        assert walker.spin_until(lambda: len(walker.truth) > made + 5)


@pytest.mark.parametrize(
    'values, reason',
    [
        ({'robots': ['red', 'blue']}, 'several robots need mode free'),
        ({'mode': 'free', 'robots': ['red', 'red']}, 'different names'),
        ({'randomisation': 'wild'}, 'wild'),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_the_reason(tmp_path, values, reason):
    with GraphProcesses([simulator(**values)], log_dir=tmp_path) as processes:
        with pytest.raises(GraphError, match=reason) as caught:
            processes.wait_ready(60)
    assert 'Traceback' not in str(caught.value)
