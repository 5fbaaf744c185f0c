"""The adapter as a process between the safety node and a robot that follows its last command."""

import contextlib
import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped, TwistStamped
from nav_msgs.msg import Odometry
from node_trial import NodeTrial
import numpy as np
from policy_file import write_policy
import pytest
from robot_bench import FakeRobot, ZERO
from ros_helpers import wait_for
from sensor_msgs.msg import BatteryState
from std_msgs.msg import Header, String
from std_srvs.srv import Trigger

from guda_ros.config.files import find_config
from guda_ros.ros.conversions import odometry_message, pose_message, twist_stamped
from guda_ros.ros.graph.processes import GraphError, GraphProcesses
from guda_ros.ros.graph.table import NodeSpec
from guda_ros.ros.qos import COMMAND, HEARTBEAT, LATCHED

GO = [0.2, -0.1, 0.5]
#: The watchdog of the profiles [s], and what a tick of the node and the transport add to it.
WATCHDOG, TRANSPORT = 0.25, 0.05
#: What scheduling on a busy machine may add.
SLACK = 1.5


class Robot:
    """Nodes, a fake robot, and hands that command it as `teleop` would."""

    def __init__(self, trial, fake):
        self.trial, self.fake = trial, fake
        self.states = trial.listen(String, 'adapter/state', LATCHED)

    def drive(self, patience=20.0):
        """Command until the robot moves, and for a moment more."""

        def spin():
            self.trial.command('teleop', GO)
            self.trial.spin(0.05)

        before = len(self.fake.heard())
        deadline = time.monotonic() + patience
        while GO not in [told for _, told in self.fake.heard()[before:]]:
            assert time.monotonic() < deadline, self.fake.heard()[-3:]
            spin()
        for _ in range(3):
            spin()

    def send(self, name, number):
        """Send a signal to a node and all that belongs to it; return the steady time [s]."""
        os.killpg(self.trial.graph.pids[name], number)
        return time.monotonic()

    def stopped_after(self, moment):
        return self.fake.stopped_after(moment, lambda: self.trial.spin(0.02))

    @property
    def state(self):
        return json.loads(self.states[-1].data) if self.states else {}


@contextlib.contextmanager
def robot_of(tmp_path, adapter):
    """Start safety, the adapter and a fake robot, until the test ends."""
    # Safety waits longer than the watchdog, so that the two are told apart.
    safety = {'require_deadman': False, 'timeout.teleop': 0.6}
    nodes = {'safety': safety, 'adapter': adapter}
    topic = {'naoqi': 'naoqi/cmd_vel', 'twist': 'robot/cmd_vel'}[adapter['adapter']]
    with NodeTrial(nodes, tmp_path, listen=('cmd_vel',)) as trial:
        fake = FakeRobot(topic, tmp_path / 'heard.txt')
        try:
            yield Robot(trial, fake)
        finally:
            fake.close()


@pytest.fixture(scope='module')
def shared(tmp_path_factory):
    with robot_of(tmp_path_factory.mktemp('nao'), {'adapter': 'naoqi'}) as robot:
        yield robot


def test_the_robot_hears_what_is_safe_and_state_and_diagnostics_tell_of_it(shared):
    trial = shared.trial
    shared.drive()
    assert trial.wait_for(lambda: shared.state.get('connected') is True, 10)
    assert shared.state['adapter'] == 'naoqi' and shared.state['mode'] is None
    assert trial.wait_for(lambda: '/adapter' in trial.diagnostics)
    values = trial.diagnostics['/adapter'][2]
    assert values['adapter'] == 'naoqi' and values['channel'] == 'naoqi/cmd_vel'
    # Its messages come with the robot's workspace; without them it walks and holds its head.
    assert 'naoqi_bridge_msgs' in values['lack'] and 'setup.bash' in values['lack']
    assert shared.stopped_after(time.monotonic()) < WATCHDOG + 20


def test_the_heartbeat_of_safety_keeps_a_command_that_comes_seldom(shared):
    shared.drive()
    began = time.monotonic()
    shared.trial.wait_for(lambda: shared.fake.follows() == ZERO, 10)
    stop = next(when for when, told in shared.fake.heard() if told == ZERO and when > began)
    assert stop - began > WATCHDOG


def test_a_frozen_safety_node_stops_the_robot_and_what_it_says_later_is_judged_anew(shared):
    shared.drive()
    moment = shared.send('safety', signal.SIGSTOP)
    try:
        assert shared.stopped_after(moment) <= WATCHDOG + TRANSPORT + SLACK
        assert shared.trial.wait_for(lambda: shared.state['reason'] == 'silent')
    finally:
        shared.send('safety', signal.SIGCONT)
    shared.trial.spin(0.5)
    assert shared.fake.follows() == ZERO
    shared.drive()


def test_a_service_that_a_robot_does_not_have_is_refused_in_words(shared):
    client = shared.trial.node.create_client(Trigger, 'adapter/get_up')
    assert client.wait_for_service(10)
    future = client.call_async(Trigger.Request())
    assert shared.trial.wait_for(future.done, 10)
    assert not future.result().success and 'naoqi has no way' in future.result().message


def test_a_killed_safety_node_stops_the_robot(tmp_path):
    with robot_of(tmp_path, {'adapter': 'twist'}) as robot:
        trial = robot.trial
        trial.publish(BatteryState, 'battery_state', BatteryState(percentage=0.12))
        robot.drive()
        moment = robot.send('safety', signal.SIGKILL)
        assert robot.stopped_after(moment) <= WATCHDOG + TRANSPORT + SLACK
        assert trial.wait_for(lambda: robot.state['reason'] == 'silent')
        assert robot.state['battery'] == 0.12
        assert trial.wait_for(
            lambda: 'no heartbeat' in trial.diagnostics.get('/adapter', ('', ''))[1]
        )
        assert trial.diagnostics['/adapter'][0] == DiagnosticStatus.WARN


#: Ways to end, each the program that runs an adapter.
ENDS = {
    'SIGINT': 'main()',
    'SIGTERM': 'main()',
    'exception': """
class Broken(Adapter):
    def _on_heartbeat(self, message):
        if message.frame_id == 'break':
            raise RuntimeError('broken by a test')
        super()._on_heartbeat(message)

run_node(terminable(Broken))
""",
    'shutdown': """
class Leaving(Adapter):
    def _on_heartbeat(self, message):
        if message.frame_id == 'break':
            rclpy.shutdown()
            raise SystemExit
        super()._on_heartbeat(message)

rclpy.init()
node = Leaving()
rclpy.spin(node)
""",
}
PROGRAM = """
import sys
import rclpy
from guda_ros.nodes.adapter import Adapter, main
from guda_ros.ros.running import run_node, terminable
"""


@pytest.fixture(scope='module')
def bench(tmp_path_factory):
    """A robot whose safety node is this test."""
    folder = tmp_path_factory.mktemp('bench')
    with NodeTrial({}, folder, listen=()) as trial:
        fake = FakeRobot('robot/cmd_vel', folder / 'heard.txt')
        yield trial, fake
        fake.close()


@pytest.mark.parametrize('end', ENDS)
def test_whatever_ends_the_adapter_that_a_process_can_see_the_last_word_is_zero(bench, end):
    trial, fake = bench
    command = trial.node.create_publisher(TwistStamped, 'cmd_vel', COMMAND)
    beat = trial.node.create_publisher(Header, 'safety/heartbeat', HEARTBEAT)
    arguments = ['--ros-args', '-p', 'adapter:=twist', '-p', 'watchdog:=1.0']
    process = subprocess.Popen([sys.executable, '-c', PROGRAM + ENDS[end], *arguments])

    def spin(text=''):
        command.publish(twist_stamped(GO, trial.now()))
        beat.publish(Header(frame_id=text))
        trial.spin(0.02)

    try:
        before = len(fake.heard())
        deadline = time.monotonic() + 30
        while GO not in [told for _, told in fake.heard()[before:]]:
            assert process.poll() is None and time.monotonic() < deadline
            spin()
        if end.startswith('SIG'):
            process.send_signal(getattr(signal, end))
        deadline = time.monotonic() + 20
        while process.poll() is None:
            assert time.monotonic() < deadline
            spin('' if end.startswith('SIG') else 'break')
        assert fake.stopped_after(0.0, lambda: trial.spin(0.02))
        assert fake.follows() == ZERO
    finally:
        process.kill()
        process.wait()
        trial.node.destroy_publisher(command)
        trial.node.destroy_publisher(beat)


def refusal(spec, log_dir):
    """Return what is told when a node ends by itself."""
    with GraphProcesses([spec], log_dir=log_dir) as graph, pytest.raises(GraphError) as error:
        # It may be seen before it has read all.
        wait_for(graph.check, 60)
    return str(error.value)


@pytest.mark.skipif(importlib.util.find_spec('booster_msgs'), reason='booster_msgs is here')
def test_without_the_messages_of_a_robot_the_adapter_says_where_they_come_from(tmp_path):
    spec = NodeSpec('adapter', 'adapter', parameters={'robot': 'booster_t1'})
    error = refusal(spec, tmp_path)
    for word in ('booster_msgs/msg/RpcReqMsg', 'setup.bash', 'docs/adapters.md'):
        assert word in error
    assert 'Traceback' not in error


def test_an_adapter_that_would_hear_itself_does_not_start(tmp_path):
    path = tmp_path / 'mine.yaml'
    text = find_config('robots', 'turtlebot4').read_text(encoding='utf-8')
    path.write_text(text + '  adapter: twist\n  channel: cmd_vel\n', encoding='utf-8')
    spec = NodeSpec('adapter', 'adapter', parameters={'robot': str(path)})
    error = refusal(spec, tmp_path)
    assert 'driver.channel' in error and '/cmd_vel' in error


#: Who is ended or frozen, and after which time [s] the robot must have heard zero: the watchdog,
#: or the silence of a source that the safety node waits for (timeout.teleop, timeout.policy).
VICTIMS = {'safety': WATCHDOG, 'teleop': 0.25, 'policy': 0.25}


@pytest.mark.long
@pytest.mark.parametrize('victim', VICTIMS)
@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGSTOP])
def test_twenty_ends_at_random_moments_stop_the_robot_each_time(tmp_path, victim, number):
    dice, times = random.Random(20), []
    for trial_number in range(20):
        folder = tmp_path / str(trial_number)
        folder.mkdir()
        times.append(_end(folder, victim, number, dice.uniform(0.2, 1.2)))
    shown = sorted(times)
    print(
        f'{victim} {number.name}: zero at the robot after {shown[10]:.3f} s (median), '
        f'{shown[-1]:.3f} s (longest of {len(shown)}); limit '
        f'{VICTIMS[victim] + TRANSPORT:.2f} s on an idle machine'
    )
    assert shown[-1] <= VICTIMS[victim] + TRANSPORT + SLACK


def show(trial):
    """Publish one step as odometry and perception would."""
    stamp = trial.now()
    pose = pose_message((0.0, 0.0, 0.0), stamp, 'map', np.eye(3) * 1e-4)
    here = odometry_message(np.zeros(3), stamp, 'odom', 'base_link')
    trial.publish(Odometry, 'odom', here)
    trial.publish(PoseWithCovarianceStamped, 'pose', pose)
    trial.observe(stamp)


def _end(folder, victim, number, moment):
    """Drive by the victim, end or freeze it at a moment [s]; return when the robot heard zero."""
    nodes = {'safety': {'require_deadman': False}, 'adapter': {'adapter': 'naoqi'}}
    if victim == 'policy':
        write_policy(folder / 'walk.onnx')
        nodes['policy'] = {'policy': str(folder / 'walk.onnx')}
    else:
        nodes['teleop'] = {'answer': 'joy'}
    with NodeTrial(nodes, folder, listen=('cmd_vel',)) as trial:
        fake = FakeRobot('naoqi/cmd_vel', folder / 'heard.txt')
        try:

            def spin():
                if victim == 'policy':
                    show(trial)
                else:
                    trial.joy((1, 0, 0))
                trial.spin(0.04)

            deadline = time.monotonic() + 30
            while fake.follows() in (None, ZERO):
                assert time.monotonic() < deadline, trial.log(victim)
                spin()
            until = time.monotonic() + moment
            while time.monotonic() < until:
                spin()
            assert fake.follows() != ZERO
            os.killpg(trial.graph.pids[victim], number)
            return fake.stopped_after(time.monotonic(), spin)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(trial.graph.pids[victim], signal.SIGCONT)
            fake.close()
