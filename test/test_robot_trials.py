"""
Trials on a robot: real processes, a pseudo-terminal, and the simulator in place of the robot.

The simulator is a robot's driver here and no more: its topics alone, in its own process, in real
time. The test is the operator: it places robot and ball, looks at the ball and presses keys.
"""

import signal
import time

import pytest

pytest.importorskip('rclpy')
pytest.importorskip('mujoco')
pytest.importorskip('onnx')

from nav_msgs.msg import Odometry  # noqa: E402
from policy_file import write_policy  # noqa: E402
from pty_command import PtyCommand  # noqa: E402
from ros_helpers import alive, wait_for  # noqa: E402

from guda_ros.cli.evaluate_robot import stand_in_spec  # noqa: E402
from guda_ros.data.contract import Contract  # noqa: E402
from guda_ros.data.episodes import read_episode  # noqa: E402
from guda_ros.evaluation.results import load_results  # noqa: E402
from guda_ros.ros.episodes import EpisodeRunner  # noqa: E402
from guda_ros.ros.processes import GraphProcesses  # noqa: E402
from guda_ros.sim import gl  # noqa: E402

pytestmark = pytest.mark.skipif(
    all(gl.missing_library(backend) for backend in gl.LIBRARIES),
    reason='no OpenGL library for headless rendering')

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
        self._graph, self.ball = graph, None
        self._runner = EpisodeRunner(graph.watch.node, graph.check)
        self._subscription = graph.watch.node.create_subscription(
            Odometry, 'ground_truth/ball', self._look, 1)

    def _look(self, message) -> None:
        self.ball = message.pose.pose.position.x, message.pose.pose.position.y

    def place(self, start) -> None:
        self._runner.place(start)

    def look(self) -> None:
        self._graph.watch.spin(0.05)

    def wait_for_goal(self) -> None:
        self.ball = None
        assert wait_for(lambda: self.ball is not None and CONTRACT.field.scored(self.ball), 60.0,
                        self.look), f'no goal, the ball is at {self.ball}'


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
        'evaluate', str(tmp_path / 'walk.onnx'), '--robot-trial', '--sim-time', '--no-deadman',
        '--domain', str(operator.domain), '--set', str(tmp_path / 'easy.yaml'),
        '--out', str(tmp_path / 'trials'), '--log-dir', str(tmp_path / 'log'))


def verdicts(tmp_path):
    return [(e.start, e.verdict) for e in load_results(tmp_path / 'trials').policies[0].episodes]


def test_an_operator_runs_trials_breaks_off_and_goes_on_where_it_was(operator, tmp_path):
    starts = [(3.6, 0.0, 0.0, 4.0, 0.0), (3.6, 0.3, 0.0, 4.0, 0.3), (3.6, -0.3, 0.0, 4.0, -0.3)]
    first = trial(operator, tmp_path)
    try:
        said = first.wait_for('Enter: both are placed', 90)
        assert "ball:   0.50 m in front of the opponents' goal line, on the middle" in said
        operator.place(starts[0])
        first.press('\n')
        begun = time.monotonic()
        operator.wait_for_goal()
        first.press('s')
        first.wait_for('scored after .* saved')
        waited = time.monotonic() - begun
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
        first.press('x')
        first.press('f')
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
    goal = load_results(tmp_path / 'trials').policies[0].episodes[0]
    # .35 m to the ball's far side at .25 m/s at least; timed from the first command to the key.
    assert 1.4 < goal.seconds < waited
    recorded = read_episode(tmp_path / 'trials' / 'recordings' / goal.id, CONTRACT)
    assert recorded.verdict == 'scored' and recorded.usable.all()
    assert recorded.duration == pytest.approx(goal.seconds, abs=1.0)

    second = trial(operator, tmp_path)
    try:
        assert '2 of 3 trials were made before' in second.wait_for('start 2 .*(.|\n)*Enter: both',
                                                                    90)
        # The trial before is made again, as a fall.
        second.press('r')
        second.wait_for('start 1 .failed. is made again(.|\n)*Enter: both')
        operator.place(starts[1])
        second.press('\n')
        second.wait_for(r'\d s  policy')
        second.press('d')
        second.wait_for('fall after .* saved(.|\n)*Enter: both')
        second.press('q')
        assert second.wait() == 0
        assert 'report.html: written' in second.text
    finally:
        second.close()
    assert verdicts(tmp_path) == [(0, 'scored'), (1, 'fall')]

    third = trial(operator, tmp_path)
    try:
        third.wait_for('start 2 .*(.|\n)*Enter: both', 90)
        nodes = third.process.pid
        third.process.send_signal(signal.SIGINT)
        assert third.wait() == 130 and not alive(nodes)
    finally:
        third.close()
    assert verdicts(tmp_path) == [(0, 'scored'), (1, 'fall')]
