"""A robot's task without a ball goes all the way: recorder, bags, learning, simulation and ROS."""

from dataclasses import replace
from pathlib import Path
import re
import subprocess
import sys

from bag_scene import write_bag
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
import numpy as np
from own_task import installed_task
from policy_file import write_policy
from pty_command import PtyCommand
import pytest
import recording_scene as scene
from ros_helpers import wait_for
from visualization_msgs.msg import Marker
import yaml

from guda_ros.augmentation.coverage import measure_coverage
from guda_ros.augmentation.guides import load_guide
from guda_ros.augmentation.pipeline import augment
from guda_ros.augmentation.registry import load_task
from guda_ros.cli.main import main
from guda_ros.config.files import ConfigError
from guda_ros.control.ball_controller import ACTING, BallController, LOST, Observed
from guda_ros.control.search import BallSearch
from guda_ros.data.contract import Contract, robot_of
from guda_ros.data.episodes import read_episode
from guda_ros.data.exchange.rosbag import import_bag, Mapping
from guda_ros.data.recording.collector import EpisodeCollector, RecorderSettings
from guda_ros.data.recording.reader import list_recordings, RecordingInfo, RecordingReader
from guda_ros.data.sets.minari import read_minari, seen, write_minari
from guda_ros.data.transitions import transitions
from guda_ros.errors import GudaError
from guda_ros.evaluation.results import load_results
from guda_ros.evaluation.rollout import evaluate_policy
from guda_ros.evaluation.start_sets import load_start_set
from guda_ros.ros import conversions as convert
from guda_ros.ros.graph.environment import claim_domain, ros_environment
from guda_ros.ros.graph.monitor import GraphMonitor
from guda_ros.ros.policy_inputs import PolicyInputs
from guda_ros.ros.recorder.markers import augmentation_markers
from guda_ros.ros.topics import Topics
from guda_ros.sim.episodes import EpisodeBatch
from guda_ros.sim.physics.batch import BatchSimulation
from guda_ros.soccer import world
from guda_ros.soccer.starts import fixed_starts
from guda_ros.tasks.soccer.demonstrator import scripted
from guda_ros.workflows.collect import collect

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / 'examples' / 'drive_task'
NO_BALL = slice(world.BALL.start, world.BALL_VELOCITY.stop)
#: What the recorder of such a task is told to record.
TOPICS = {role: topic for role, topic in scene.TOPICS.items() if 'ball' not in role}


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
    """Let this process, and those that it starts, know the task."""
    with installed_task(EXAMPLE, tmp_path_factory.mktemp('site')) as site:
        yield site


@pytest.fixture(scope='module')
def contract(installed):
    return Contract.load(EXAMPLE / 'drive_home.yaml')


@pytest.fixture(scope='module')
def shown(contract):
    """Drives of the scripted demonstrator in the batched simulator, with all their states."""
    starts = fixed_starts('demonstration', 6, contract.field)
    driver = scripted('clean', contract, len(starts))
    robot = robot_of(contract)
    return evaluate_policy(driver, contract, robot, starts, memoryless=False, record=True)


def changed(tmp_path, change):
    values = yaml.safe_load((EXAMPLE / 'drive_home.yaml').read_text())
    change(values)
    path = tmp_path / 'changed.yaml'
    path.write_text(yaml.safe_dump(values))
    return path


def record(folder, contract, steps=10, without=()):
    """Record an episode with the collector, as the data collector's node does."""
    collector = EpisodeCollector(folder, contract, TOPICS, RecorderSettings())
    collector.begin(RecordingInfo('a', seed=7, start_stamp=scene.START))
    for step in range(steps + 1):
        received = scene.START + step * scene.PERIOD
        for role, data in scene.samples(step).items():
            if role in TOPICS and (role, step) not in without:
                collector.take(role, received, data)
    collector.end('scored', scene.START + steps * scene.PERIOD)
    return collector


def in_words(page):
    """Return what a person reads of a page."""
    return re.sub(r'<style(.|\n)*?</style>|<[^>]*>|data:[^"]*', ' ', page.read_text())


def test_a_contract_without_a_ball_names_nothing_of_one(contract):
    assert contract.inputs == ('pose',) and not contract.has_ball
    assert not [role for role in contract.topics if 'ball' in role]
    again = Contract.from_json(contract.to_json())
    assert again == contract and again.hash == contract.hash


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda c: c['topics'].update(ball='ball/odom'), r'topics\.ball: is not a known key'),
        (lambda c: c.update(ball_hold=4.0), 'ball_hold: is not a known key'),
        (lambda c: c['observation'].append('push_frame'), "'push_frame'.* is of a ball"),
    ],
)
def test_what_is_of_a_ball_is_refused_without_one(installed, tmp_path, change, message):
    with pytest.raises(ConfigError, match=message):
        Contract.load(changed(tmp_path, change))


def test_inputs_that_nobody_can_hear_are_refused(installed, contract, tmp_path, monkeypatch):
    monkeypatch.setattr(type(contract), 'inputs', ('pose', 'whistle'))
    with pytest.raises(ConfigError, match=r"`inputs` is one of .*, not \('pose', 'whistle'\)"):
        Contract.load(EXAMPLE / 'drive_home.yaml')


def test_a_recording_without_a_ball_is_settled_whole_and_usable(contract, tmp_path):
    collector = record(tmp_path, contract)
    collector.tick()
    # All that a step needs is there: nothing of a ball is waited for.
    assert collector.status['state'] == 'closed' and collector.status['problems'] == []
    episode = read_episode(tmp_path / 'a')
    assert episode.usable.all() and len(episode) == 10 and episode.problems == ()
    np.testing.assert_allclose(episode.world_states[:, world.ROBOT], [[1, 2, np.pi / 2]] * 11)
    assert not episode.world_states[:, NO_BALL].any()
    np.testing.assert_allclose(episode.truth_states[:, :7], episode.world_states[:, :7])


def test_a_pose_that_is_missing_is_told_and_nothing_of_it_is_learned(contract, tmp_path):
    record(tmp_path, contract, without=[('pose', 4)]).close()
    episode = read_episode(tmp_path / 'a')
    assert episode.problems == ('1 steps do not last 0.1 s, the first 0.30 s after the start',)
    # What was commanded before the state after the gap is not known: no step to it, none from it.
    assert episode.usable.tolist() == [True] * 3 + [False] * 2 + [True] * 4
    write_minari(tmp_path / 'set', [episode], contract)
    (again,) = read_minari(tmp_path / 'set')
    np.testing.assert_array_equal(again.usable, episode.usable)


def test_a_step_whose_pose_is_not_known_is_observed_as_no_number(contract, tmp_path):
    record(tmp_path, contract).close()
    episode = read_episode(tmp_path / 'a')
    valid = np.arange(11) != 3
    observations, rewards, _ = seen(replace(episode, valid=valid), contract)
    unknown = np.isnan(observations).any(axis=1)
    np.testing.assert_array_equal(unknown, ~valid)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(rewards)), [2, 3])


def test_a_referees_verdict_is_worth_what_an_arrival_is(contract, tmp_path):
    record(tmp_path, contract).close()
    steps = transitions([read_episode(tmp_path / 'a')], contract)
    # The robot stands still, far from its place, and was said to have arrived.
    np.testing.assert_allclose(steps.rewards, [0.0] * 9 + [10.0], atol=1e-6)
    assert steps.terminations.tolist() == [False] * 9 + [True]


def test_a_bag_of_others_needs_a_pose_and_a_command(contract, tmp_path):
    bag = write_bag(tmp_path / 'drive', without=('/ball',))
    mapping = {
        'contract': str(EXAMPLE / 'drive_home.yaml'),
        'topics': {'pose': '/robot_pose', 'command': '/cmd_vel'},
        'frames': {'map': 'world', 'odom': 'odom', 'base': 'base_footprint'},
        'tolerance': 0.2,
        'command_hold': 0.5,
        'verdict': 'auto',
    }
    path = tmp_path / 'mapping.yaml'
    path.write_text(yaml.safe_dump(mapping))
    episode = import_bag(bag, Mapping.load(str(path)))
    assert episode.usable.all() and not episode.world_states[:, NO_BALL].any()
    assert episode.contract_hash == contract.hash
    path.write_text(yaml.safe_dump({**mapping, 'topics': {**mapping['topics'], 'ball': '/ball'}}))
    with pytest.raises(ConfigError, match=r'topics\.ball: is not a known key'):
        Mapping.load(str(path))


def test_a_policy_acts_whenever_the_pose_is_known(contract):
    controller, asked = BallController(contract, BallSearch(1.0)), []

    def predict(observation):
        asked.append(observation)
        return np.array([0.5, 0.0, -1.0])

    pose, odom = np.array([0.4, -0.3, 0.2]), np.array([5.0, 5.0, 1.0])
    command, state = controller.command(Observed(pose, odom), 0, predict)
    assert state == ACTING
    np.testing.assert_allclose(command, contract.to_command(np.array([0.5, 0.0, -1.0])))
    expected = np.zeros(world.SIZE)
    expected[world.ROBOT] = pose
    np.testing.assert_allclose(asked[0], contract.observe(expected))
    command, state = controller.command(Observed(None, odom), 0, predict)
    assert (command.tolist(), state, len(asked)) == ([0.0, 0.0, 0.0], LOST, 1)


def test_a_policy_s_node_hears_pose_and_odometry_alone(contract, tmp_path, monkeypatch):
    with claim_domain() as claim:
        for name, value in ros_environment(claim.number, tmp_path).items():
            monkeypatch.setenv(name, value)
        monitor, acted = GraphMonitor(claim.number, 'ours'), []
        try:
            inputs = PolicyInputs(
                monitor.node,
                contract,
                {'gap': 0.5, 'wait': 0.5},
                lambda stamp, observed: acted.append((stamp, observed)),
                lambda: None,
            )
            heard = inputs.subscriptions(Topics(contract))
            assert sorted(one.topic_name for one in heard) == ['/odom', '/pose']
            poses = monitor.node.create_publisher(PoseWithCovarianceStamped, 'pose', 10)
            odoms = monitor.node.create_publisher(Odometry, 'odom', 10)

            def tell():
                stamp = 1_000_000_000
                odoms.publish(convert.odometry_message(np.zeros(3), stamp, 'odom', 'base_link'))
                told = convert.pose_message(np.array([1, 2, 0.5]), stamp, 'map', np.eye(3) * 1e-4)
                poses.publish(told)
                monitor.spin(0.05)

            assert wait_for(lambda: acted, 30.0, tell)
        finally:
            monitor.close()
    stamp, observed = acted[0]
    assert stamp == 1_000_000_000 and inputs.problem == ''
    np.testing.assert_allclose(observed.pose, [1, 2, 0.5])


def test_there_is_no_ball_in_the_simulator_and_the_robot_comes_to_its_place(contract, shown):
    assert shown.success.all() and shown.touches is None
    known = np.isfinite(shown.states[..., 0])
    assert not shown.states[known][:, NO_BALL].any()
    ends = shown.states[shown.steps, np.arange(len(shown.steps))]
    assert contract.succeeded(ends).all()
    before = shown.states[shown.steps - 1, np.arange(len(shown.steps))]
    assert not contract.succeeded(before).any()


def test_a_robot_drives_through_where_a_ball_would_be(contract):
    """Where a start would have a ball does not matter, not even inside the robot."""
    simulation = BatchSimulation(contract, robot_of(contract), 2)
    simulation.reset([[0.0, 0.0, 0.0, 0.5, 0.0], [0.0, 0.0, 0.0, 0.0, 0.0]])
    for _ in range(20):
        simulation.step(np.array([[0.2, 0.0, 0.0]] * 2))
    first, second = simulation.world_states()
    np.testing.assert_array_equal(first, second)
    assert first[0] > 0.3 and not first[NO_BALL].any()


@pytest.mark.needs('drawing')
def test_reports_speak_of_the_robot_alone(contract, tmp_path, capsys):
    judged = ['evaluate', '--demonstrator', 'clean', '--starts', '3', '--out', str(tmp_path)]
    assert main([*judged, '--contract', str(EXAMPLE / 'drive_home.yaml')]) == 0
    told = capsys.readouterr().out
    assert '3 of 3 arrived' in told and 'touches' not in told and 'ball' not in told
    words = in_words(tmp_path / 'report.html')
    assert 'within 0.15 m and 20 degrees' in words and not re.search(r'\bballs?\b', words)


def test_rewards_of_a_ball_are_refused_and_others_pay_the_robots_way(contract):
    with pytest.raises(GudaError, match='robot_to_push is of a ball, and the task drive_home has'):
        EpisodeBatch(1, contract=contract, rewards='shaped')
    episodes = EpisodeBatch(1, contract=contract, rewards='push')
    episodes.seed([np.random.default_rng(0)], [0])
    episodes.reset(starts=np.array([[0.0, 0.0, 0.0, 0.0, 0.0]]))
    before = episodes.world_states()
    _, rewards, _, _ = episodes.step(np.array([[1.0, 0.0, 0.0]]))
    np.testing.assert_allclose(rewards, contract.reward(before, episodes.world_states()))
    assert rewards[0] > 0.0


def test_starts_of_a_file_need_no_ball(contract, tmp_path):
    path = tmp_path / 'starts.yaml'
    start = {'robot': [0.2, 0.1], 'heading': 90, 'scenario': 'near'}
    path.write_text(yaml.safe_dump({'name': 'mine', 'starts': [start]}))
    found = load_start_set(path, contract.field, ball=False)
    np.testing.assert_allclose(found.starts, [[0.2, 0.1, np.pi / 2, 0.0, 0.0]])
    with pytest.raises(ConfigError, match=r'starts\.0\.ball'):
        load_start_set(path, contract.field)


def test_its_guide_turns_drives_home_and_every_side_of_the_place_counts(contract):
    task = load_task('drive_home')(contract)
    drives = collect('demonstrator', 6, contract=EXAMPLE / 'drive_home.yaml')
    recorded = transitions(drives, contract)
    guide = load_guide(EXAMPLE / 'drive_home_guided.yaml')
    made, report = augment(recorded, guide, 3000, seed=1)
    ended = made.terminations
    assert report.acceptance > 0.5 and ended.sum() > 20
    # All of them end at the place, in its heading; what happens on the way is what was recorded.
    off = world.wrap_angle(made.next_states[ended, world.ROBOT_YAW] - contract.goal_yaw)
    assert np.degrees(np.abs(off)).max() <= 15.01
    assert not made.states[:, NO_BALL].any()
    after = task.simulate(made.states, made.actions)
    errors = np.linalg.norm(after[:, :2] - made.next_states[:, :2], axis=1)
    assert np.median(errors) < 0.01
    coverage = measure_coverage(task, recorded.states)
    assert coverage.thing == 'goal' and 'the goal' in coverage.missing()


@pytest.mark.long
def test_the_commands_of_the_tutorial_bring_the_robot_home_also_through_ros(installed, tmp_path):
    text = (ROOT / 'docs' / 'tutorial_own_task.md').read_text()
    commands = text.split('cd examples/drive_task\n')[1].split('```')[0]
    for line in commands.splitlines():
        words = [str(EXAMPLE / word) if word.endswith('.yaml') else word for word in line.split()]
        done = subprocess.run(
            [sys.executable, '-m', 'guda_ros', *words[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    assert main(['evaluate', str(tmp_path / 'guided.onnx'), '--out', str(tmp_path / 'batch')]) == 0
    assert load_results(tmp_path / 'batch').success_rates['guided'] > 0.9
    ends = [read_episode(path) for path in list_recordings(tmp_path / 'judged' / 'guided')]
    assert [episode.verdict for episode in ends] == ['scored'] * 4
    assert all(episode.usable.all() for episode in ends)
    page = [
        'data',
        'report',
        str(tmp_path / 'dataset'),
        '--augmented',
        str(tmp_path / 'guided.h5'),
    ]
    assert main([*page, '--out', str(tmp_path / 'page')]) == 0
    words = in_words(tmp_path / 'page' / 'report.html')
    assert 'Paths of the robot' in words and not re.search(r'\bballs?\b', words)
    replayed = ['data', 'replay', str(list_recordings(tmp_path / 'judged' / 'guided')[0])]
    assert main([*replayed, '--contract', str(EXAMPLE / 'drive_home.yaml')]) == 0


def test_live_markers_show_the_robot_s_ways_alone():
    report = {
        'stretches': [[[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.2, 0.1, 0.5]]],
        'places': [[1]],
        'origin': (0.0, 0.0),
        'episodes': 1,
        'covered': 0.5,
        'acceptance': 0.9,
        'next': '',
    }
    shown = {marker.ns: marker for marker in augmentation_markers(report, 'map').markers}
    # Two strokes of the way, and one that shows the heading at its beginning.
    assert len(shown['robot'].points) == 6
    assert {shown[name].action for name in ('ball', 'ball_starts')} == {Marker.DELETE}


@pytest.mark.long
def test_a_policy_s_graph_has_no_topic_of_a_ball(contract, tmp_path):
    write_policy(tmp_path / 'ahead.onnx', contract, (1.0, 0.0, 0.0), toward='goal_bearing_sin')
    judged = ['evaluate', str(tmp_path / 'ahead.onnx'), '--ros', '--starts', '1']
    judged += ['--contract', str(EXAMPLE / 'drive_home.yaml'), '--out', str(tmp_path / 'judged')]
    assert main([*judged, '--recordings', str(tmp_path / 'recorded')]) == 0
    (recorded,) = list_recordings(tmp_path / 'recorded' / 'ahead')
    with RecordingReader(recorded) as reader:
        assert not [role for role in reader.info.topics if 'ball' in role]
    assert np.abs(read_episode(recorded).commands[:, 0]).max() > 0.1


@pytest.mark.long
def test_the_trials_on_a_robot_are_rehearsed_without_a_ball(contract, tmp_path):
    policy, starts = tmp_path / 'home.onnx', tmp_path / 'starts.yaml'
    write_policy(policy, contract, (1.0, 0.0, 0.0), toward='goal_bearing_sin')
    start = {'robot': [0.7, 0.0], 'heading': 0, 'scenario': 'near'}
    starts.write_text(yaml.safe_dump({'name': 'mine', 'starts': [start]}))
    arguments = ['--contract', str(EXAMPLE / 'drive_home.yaml'), '--set', str(starts)]
    arguments += ['--starts', '1', '--out', str(tmp_path / 'trials')]
    person = PtyCommand('evaluate', str(policy), '--rehearse', *arguments)
    try:
        person.wait_for('simulated robot is there(.|\n)*Enter: it is placed', 90)
        assert not re.search(r'\bball\b', person.text)
        person.press('\n')
        person.wait_for(r'the robot is \d\.\d m from where it is to go', 60)
        person.wait_for('the robot is where it is to go', 60)
        person.press('s')
        assert person.wait() == 0 and 'all trials are made' in person.text
    finally:
        person.close()
