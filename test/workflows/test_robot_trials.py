"""
Trials on a robot: real processes, a pseudo-terminal, and the simulator in place of the robot.

The simulator is a robot's driver here and no more: its topics alone, in its own process, in real
time. The test is the operator: it places robot and ball, looks at the ball and presses keys.
"""

import signal
import time

from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from policy_file import write_policy
from pty_command import PtyCommand
import pytest
from ros_helpers import wait_for

from guda_ros.data.contract import Contract
from guda_ros.data.episodes import read_episode
from guda_ros.evaluation.results import load_results
from guda_ros.ros import qos
from guda_ros.ros.conversions import command_from_twist
from guda_ros.ros.episode.runner import EpisodeRunner
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.workflows.robot_trials.stand_in import stand_in_spec

pytestmark = pytest.mark.needs('drawing')

CONTRACT = Contract.load()
STARTS = """
name: easy-v1
starts:
  - {robot: [3.6, 0.0], heading: 0, ball: [4.0, 0.0], scenario: near}
  - {robot: [3.6, 0.3], heading: 0, ball: [4.0, 0.3], scenario: near}
  - {robot: [3.6, -0.3], heading: 0, ball: [4.0, -0.3], scenario: near}
"""


class Operator:
    """A person beside the field: hands that place robot and ball, and eyes."""

    def __init__(self, graph: GraphProcesses) -> None:
        self._graph, self.ball, self.commands = graph, None, []
        self._runner = EpisodeRunner(graph.monitor.node, graph.check)
        node = graph.monitor.node
        node.create_subscription(Odometry, 'ground_truth/ball', self._look, 1)
        node.create_subscription(
            TwistStamped,
            'cmd_vel',
            lambda message: self.commands.append(command_from_twist(message.twist)),
            qos.COMMAND,
        )

    def _look(self, message) -> None:
        self.ball = message.pose.pose.position.x, message.pose.pose.position.y

    def place(self, start) -> None:
        self._runner.place(start)

    def look(self) -> None:
        self._graph.monitor.spin(0.05)

    def stands(self) -> bool:
        """Tell whether the last command was to stand, or there was none."""
        return not self.commands or not self.commands[-1].any()

    def others(self) -> set:
        """Return the nodes in the domain besides the robot's own."""
        return self._graph.monitor.names() - {'simulator', '_guda_watch'}

    def wait_for_goal(self) -> None:
        self.ball = None
        assert wait_for(
            lambda: self.ball is not None and CONTRACT.field.scored(self.ball), 60.0, self.look
        ), f'no goal, the ball is at {self.ball}'


@pytest.fixture
def operator(tmp_path):
    (tmp_path / 'easy.yaml').write_text(STARTS)
    write_policy(tmp_path / 'walk.onnx', action=(1.0, 0.0, 0.0))
    with GraphProcesses([stand_in_spec('soccer_push')], log_dir=tmp_path / 'robot') as graph:
        graph.wait_ready(90)
        person = Operator(graph)
        person.domain = graph.domain
        yield person


def trial(operator, tmp_path):
    return PtyCommand(
        'evaluate',
        str(tmp_path / 'walk.onnx'),
        '--robot-trial',
        '--sim-time',
        '--no-deadman',
        '--domain',
        str(operator.domain),
        '--set',
        str(tmp_path / 'easy.yaml'),
        '--out',
        str(tmp_path / 'trials'),
        '--log-dir',
        str(tmp_path / 'log'),
    )


def verdicts(tmp_path):
    return [(e.start, e.verdict) for e in load_results(tmp_path / 'trials').policies[0].episodes]


@pytest.mark.long
def test_an_operator_runs_trials_breaks_off_and_goes_on_where_it_was(operator, tmp_path):
    starts = [(3.6, 0.0, 0.0, 4.0, 0.0), (3.6, 0.3, 0.0, 4.0, 0.3), (3.6, -0.3, 0.0, 4.0, -0.3)]
    first = trial(operator, tmp_path)
    try:
        said = first.wait_for('Enter: both are placed', 90)
        assert "ball:   0.50 m in front of the opponents' goal line, on the middle" in said
        operator.place(starts[0])
        # Until the operator says go, nobody moves the robot.
        assert not wait_for(lambda: not operator.stands(), 1.0, operator.look)
        first.press('\n')
        begun = time.monotonic()
        operator.wait_for_goal()
        first.press('s')
        first.wait_for('scored after .* saved')
        waited = time.monotonic() - begun
        assert wait_for(operator.stands, 5.0, operator.look), operator.commands[-1]
        assert any(command.any() for command in operator.commands)
        assert verdicts(tmp_path) == [(0, 'scored')]
        # A trial that does not count is made again; the second try of it fails.
        first.wait_for('start 1 .*(.|\n)*Enter: both')
        operator.place(starts[1])
        first.press('\n')
        first.wait_for(r'\d s  policy')
        first.press('r')
        first.wait_for('does not count(.|\n)*start 1 .*(.|\n)*Enter: both')
        operator.place(starts[1])
        first.press('\n')
        first.wait_for(r'\d s  policy')
        # Neither a key without a meaning is a verdict, nor an arrow, whose last letter has one.
        for key in ('x', '\x1b[D', 'f'):
            first.press(key)
            wait_for(lambda: False, 0.5, operator.look)
        first.wait_for('failed after .* saved')
        first.wait_for('start 2 .*(.|\n)*Enter: both')
        # Killed in the middle of a trial: what was saved is there.
        operator.place(starts[2])
        first.press('\n')
        first.wait_for(r'\d s  policy')
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    finally:
        first.close()
    assert verdicts(tmp_path) == [(0, 'scored'), (1, 'failed')]
    # Its nodes end with it, and the robot stands.
    # What had to be killed on a busy machine is seen until its lease of 20 s is over.
    assert wait_for(lambda: not operator.others(), 60.0, operator.look), operator.others()
    assert operator.stands()
    goal = load_results(tmp_path / 'trials').policies[0].episodes[0]
    # .35 m to the ball's far side at .25 m/s at least; timed from the first command to the key.
    assert 1.4 < goal.seconds < waited
    recorded = read_episode(tmp_path / 'trials' / 'recordings' / goal.id, CONTRACT)
    # In real time a step may be lost, and the last one is when the policy hears of the end.
    assert recorded.verdict == 'scored' and recorded.usable.mean() > 0.8
    assert recorded.duration == pytest.approx(goal.seconds, abs=1.0)

    second = trial(operator, tmp_path)
    try:
        assert '2 of 3 trials were made before' in second.wait_for(
            'start 2 .*(.|\n)*Enter: both', 90
        )
        # The trial before is made again, as a fall.
        second.press('r')
        second.wait_for('start 1 .failed. is made again(.|\n)*Enter: both')
        operator.place(starts[1])
        second.press('\n')
        second.wait_for(r'\d s  policy')
        second.press('d')
        second.wait_for('fall after .* saved(.|\n)*Enter: both')
        # Ctrl-C in the middle of a trial.
        operator.place(starts[2])
        second.press('\n')
        second.wait_for(r'\d s  policy')
        second.process.send_signal(signal.SIGINT)
        second.must_end(130)
        # What had to be killed on a busy machine is seen until its lease of 20 s is over.
        assert wait_for(lambda: not operator.others(), 60.0, operator.look), operator.others()
        assert operator.stands()
    finally:
        second.close()
    assert verdicts(tmp_path) == [(0, 'scored'), (1, 'fall')]


def test_the_graph_of_a_robot_joins_its_driver_once_and_needs_no_policy(operator, tmp_path):
    arguments = (
        'up',
        'robot',
        '--domain',
        str(operator.domain),
        '--recordings',
        str(tmp_path / 'bags'),
    )
    graph = PtyCommand(*arguments)
    try:
        graph.wait_for('running; Ctrl-C stops it', 90)
        nodes = {'perception', 'teleop', 'safety', 'data_collector'}
        assert wait_for(lambda: nodes <= operator.others(), 40.0, operator.look), (
            operator.others(),
            graph.text[-2000:],
        )
        assert 'policy' not in operator.others()
        second = PtyCommand(*arguments)
        try:
            second.wait_for('two would\\s+both move it', 30)
            second.must_end(1)
        finally:
            second.close()
        graph.process.send_signal(signal.SIGINT)
        graph.must_end(130)
    finally:
        graph.close()
    # What had to be killed on a busy machine is seen until its lease of 20 s is over.
    assert wait_for(lambda: not operator.others(), 60.0, operator.look), operator.others()


@pytest.mark.long
def test_a_rehearsal_places_the_robot_itself_and_ends_with_a_report(tmp_path):
    (tmp_path / 'easy.yaml').write_text(STARTS)
    write_policy(tmp_path / 'walk.onnx', action=(1.0, 0.0, 0.0))

    def rehearse():
        return PtyCommand(
            'evaluate',
            str(tmp_path / 'walk.onnx'),
            '--rehearse',
            '--set',
            str(tmp_path / 'easy.yaml'),
            '--out',
            str(tmp_path / 'trials'),
        )

    first = rehearse()
    try:
        first.wait_for('simulated robot and ball are there(.|\n)*Enter: both', 90)
        first.press('\n')
        first.wait_for('the ball is in the goal')
        first.press('s')
        first.wait_for('start 1 .*(.|\n)*Enter: both')
        first.press('\n')
        first.wait_for(r'\d s  policy')
        # In the middle of a trial: it does not count.
        first.press('q')
        assert first.wait() == 0 and 'report.html: written' in first.text
    finally:
        first.close()
    assert verdicts(tmp_path) == [(0, 'scored')]
    second = rehearse()
    try:
        for number in (1, 2):
            second.wait_for(f'start {number} .*(.|\n)*Enter: both', 90)
            second.press('\n')
            second.wait_for(r'\d s  policy')
            second.press('o')
            second.wait_for('out after .* saved')
        assert second.wait() == 0 and 'all trials are made' in second.text
    finally:
        second.close()
    assert verdicts(tmp_path) == [(0, 'scored'), (1, 'out'), (2, 'out')]
    result = load_results(tmp_path / 'trials')
    assert result.policies[0].means == 'robot' and 'rehearsal' in result.notes[0]
    assert (tmp_path / 'trials' / 'report.html').is_file()
