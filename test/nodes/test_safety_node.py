"""The safety node as a process, over DDS, in wall time and in simulated time."""

import json
import os
import signal
import subprocess
import sys
import time

from geometry_msgs.msg import TwistStamped, Vector3
from nav_msgs.msg import Odometry
from node_trial import NodeTrial, SECOND
import pytest
from sensor_msgs.msg import Imu
from std_msgs.msg import Bool, String

from guda_ros.control.joystick import JoystickMap
from guda_ros.data.contract import Contract
from guda_ros.ros.conversions import odometry_message
from guda_ros.ros.qos import LATCHED, SENSOR_DATA
from guda_ros.ros.robot_check.stop_trial import StopBench
from guda_ros.soccer.robot import RobotProfile

GO = [0.2, -0.1, 0.5]
ZERO = [0.0, 0.0, 0.0]
#: What scheduling on a busy machine may add to a time limit [s].
SLACK = 0.4


@pytest.fixture(scope='module')
def shared(tmp_path_factory):
    # Time enough for what is not about silence.
    silence = {'timeout.teleop': 0.5, 'timeout.policy': 0.5}
    parameters = {'require_deadman': False, **silence}
    with NodeTrial({'safety': parameters}, tmp_path_factory.mktemp('log')) as trial:
        yield trial


@pytest.fixture
def robot(shared):
    """A safety node in wall time that nobody drives."""

    def free() -> bool:
        shared.joy(deadman=False)
        shared.spin(0.1)
        return shared.call('release')[0] and json.loads(shared.states[-1])['in_charge'] is None

    assert any(free() for _ in range(30))
    shared.commands.clear()
    return shared


@pytest.fixture(scope='module')
def simulated(tmp_path_factory):
    parameters = {'require_deadman': False, 'use_sim_time': True}
    with NodeTrial({'safety': parameters}, tmp_path_factory.mktemp('log')) as trial:
        trial.time = 10 * SECOND
        yield trial


@pytest.fixture
def simulation(simulated):
    """A safety node at the beginning of an episode in simulated time."""
    simulated.time += 10 * SECOND
    simulated.clock(simulated.time)
    simulated.spin(0.2)
    simulated.commands.clear()
    return simulated


def held(robot) -> dict:
    return json.loads(robot.states[-1])['holds']


def test_command_passes_with_its_stamp_and_the_node_alone_publishes_cmd_vel(robot):
    stamp = robot.command('policy', GO)
    assert robot.answer(stamp) == GO
    assert robot.node.count_publishers('cmd_vel') == 1


def test_command_beyond_the_limits_is_clamped(robot):
    assert robot.answer(robot.command('teleop', [0.9, -0.9, 0.1])) == [0.25, -0.2, 0.1]


def test_nonsense_is_answered_with_zero_logged_once_and_counted_in_diagnostics(robot):
    before = robot.log('safety').count('not finite')
    for _ in range(20):
        assert robot.answer(robot.command('policy', [0.1, float('nan'), 0])) == ZERO
    assert robot.wait_for(lambda: 'refused' in robot.diagnostics.get('/safety', ('', ''))[1])
    # A report may have come in between.
    assert robot.wait_for(lambda: int(robot.diagnostics['/safety'][2]['policy.not_finite']) >= 20)
    assert robot.log('safety').count('not finite') == before + 1
    assert robot.answer(robot.command('policy', GO)) == GO


def test_command_in_another_frame_is_answered_with_zero(robot):
    assert robot.answer(robot.command('teleop', GO, frame='map')) == ZERO
    assert "must be in 'base_link', not 'map'" in robot.log('safety')


@pytest.mark.parametrize('offset, reason', [(-2.0, 'stale'), (3.0, 'future')])
def test_stamp_far_from_now_is_not_answered(robot, offset, reason):
    stamp = robot.command('teleop', GO, robot.now() + int(offset * SECOND))
    assert robot.answer(stamp, 0.3) is None
    robot.diagnostics.clear()
    assert robot.wait_for(lambda: '/safety' in robot.diagnostics)
    assert int(robot.diagnostics['/safety'][2][f'teleop.{reason}']) >= 1


def test_person_has_priority_and_the_policy_returns_after_the_timeout(robot):
    assert robot.answer(robot.command('policy', GO)) == GO
    assert robot.answer(robot.command('teleop', ZERO)) == ZERO
    assert robot.answer(robot.command('policy', GO), 0.2) is None
    robot.spin(0.6)
    assert robot.answer(robot.command('policy', GO)) == GO


def test_silent_source_is_stopped_within_its_timeout(robot):
    for _ in range(5):
        stamp = robot.command('policy', GO)
        robot.spin(0.1)
    sent = stamp * 1e-9 - time.time() + time.monotonic()
    assert robot.wait_for(lambda: robot.commands[-1][1] == ZERO)
    assert 0.45 <= robot.commands[-1][3] - sent <= 0.5 + SLACK
    assert 'policy fell silent' in robot.log('safety')


def test_emergency_stop_by_service_is_latched_until_the_source_stands_and_it_is_released(robot):
    robot.answer(robot.command('policy', GO))
    assert robot.call('emergency_stop')[0]
    assert robot.wait_for(lambda: robot.commands[-1][1] == ZERO)
    for _ in range(5):
        assert robot.answer(robot.command('policy', GO)) == ZERO
    late = []
    robot.node.create_subscription(
        String, 'safety/state', lambda message: late.append(json.loads(message.data)), LATCHED
    )
    assert robot.wait_for(lambda: late and late[-1]['stopped'])
    assert late[-1]['cause'] == 'service'
    released, message = robot.call('release')
    assert not released and 'policy commands motion' in message
    assert robot.answer(robot.command('policy', ZERO)) == ZERO
    assert robot.call('release') == (True, 'released')
    assert robot.answer(robot.command('policy', GO)) == GO


def test_emergency_stop_and_release_by_joystick(robot):
    robot.answer(robot.command('policy', GO))
    robot.joy(deadman=False, pressed=('emergency_stop',))
    assert robot.wait_for(lambda: robot.commands[-1][1] == ZERO)
    assert not robot.call('release')[0]
    robot.joy(deadman=False)
    robot.command('policy', ZERO)
    robot.spin(0.1)
    robot.joy(deadman=False, pressed=('release',))
    assert robot.wait_for(lambda: not json.loads(robot.states[-1])['stopped'])
    assert robot.answer(robot.command('policy', GO)) == GO


def test_foreign_joystick_is_reported_and_its_emergency_stop_works(robot):
    buttons = [0] * 5
    buttons[JoystickMap.load('xbox').buttons['emergency_stop']] = 1
    robot.raw_joy([0.0, 0.0], buttons, robot.now())
    assert robot.wait_for(lambda: json.loads(robot.states[-1])['stopped'])
    assert 'choose the map of this joystick' in robot.log('safety')


def test_every_command_says_who_commanded_it(robot):
    stamps = {'policy': robot.command('policy', GO)}
    robot.answer(stamps['policy'])
    stamps['intervention'] = robot.command('teleop', ZERO)
    robot.answer(stamps['intervention'])
    robot.spin(0.6)
    stamps['teleop'] = robot.command('teleop', GO)
    robot.answer(stamps['teleop'])
    stamps['safety'] = robot.command('teleop', [float('nan'), 0, 0])
    robot.answer(stamps['safety'])
    assert robot.wait_for(lambda: set(stamps.values()) <= set(robot.commanders))
    assert {robot.commanders[stamp]: stamp for stamp in stamps.values()} == stamps


def test_a_lock_keeps_the_policy_out_and_a_pause_everybody(robot):
    assert robot.answer(robot.command('policy', GO)) == GO
    robot.lock('takeover', True)
    assert robot.wait_for(lambda: robot.commands[-1][1] == ZERO)
    assert robot.answer(robot.command('policy', GO)) == ZERO
    assert robot.answer(robot.command('teleop', GO)) == GO
    robot.lock('pause', True)
    assert robot.answer(robot.command('teleop', GO)) == ZERO
    robot.lock('pause', False)
    robot.lock('takeover', False)
    robot.spin(0.6)
    assert robot.answer(robot.command('policy', GO)) == GO


def test_a_lock_counts_though_its_owner_does_not_latch_it(robot):
    owner = robot.node.create_publisher(Bool, 'lock/pause', 1)
    assert robot.wait_for(owner.get_subscription_count)
    owner.publish(Bool(data=True))
    assert robot.wait_for(lambda: json.loads(robot.states[-1])['locks'] == ['pause'])
    assert robot.answer(robot.command('policy', GO)) == ZERO
    owner.publish(Bool(data=False))
    assert robot.wait_for(lambda: not json.loads(robot.states[-1])['locks'])
    assert robot.answer(robot.command('policy', GO)) == GO
    robot.node.destroy_publisher(owner)


def test_a_kick_passes_the_gate_one_at_a_time_and_not_past_who_is_in_charge(robot):
    robot.kick('teleop')
    assert robot.wait_for(lambda: robot.kicks == 1)
    robot.kick('teleop')
    robot.spin(0.8)
    assert robot.kicks == 1
    robot.answer(robot.command('teleop', GO))
    robot.kick('policy')
    robot.spin(0.3)
    assert robot.kicks == 1
    robot.kick('teleop')
    assert robot.wait_for(lambda: robot.kicks == 2)
    robot.call('emergency_stop')
    robot.spin(0.8)
    robot.kick('teleop')
    robot.spin(0.3)
    assert robot.kicks == 2
    assert 'no kick: policy gives way to teleop' in robot.log('safety')
    assert 'no kick: emergency stop by service' in robot.log('safety')


def test_the_head_is_kept_within_its_limits(robot):
    robot.look('teleop', head_pan=9.0, head_tilt=0.25)
    assert robot.wait_for(lambda: robot.heads)
    assert robot.heads[-1] == pytest.approx({'HeadYaw': 2.0857, 'HeadPitch': 0.25})
    robot.look('policy', knee=1.0)
    robot.spin(0.3)
    assert len(robot.heads) == 1 and 'head_pan and head_tilt' in robot.log('safety')


def test_nobody_walks_off_the_carpet(robot):
    # NAO on an SPL field: lines at x = 4.5, carpet to 5.2, and .2 m short of its edge; the pose is
    # off by a standard deviation of .1 m, so that 95 % of where the robot may be are before 5 m.
    robot.stand_at(4.95, 0.0, 0.0)
    robot.spin(0.2)
    assert robot.answer(robot.command('teleop', GO)) == [0, 0, 0.5]
    robot.stand_at(5.0 - 0.1645 - 0.05, 0.0, 0.0)
    robot.spin(0.2)
    assert robot.answer(robot.command('teleop', GO)) == pytest.approx([0.05, -0.025, 0.5])
    assert robot.answer(robot.command('teleop', [-0.1, 0, 0])) == [-0.1, 0, 0]
    # Localisation that has fallen silent limits nothing.
    robot.spin(1.1)
    assert robot.answer(robot.command('teleop', GO)) == GO


def test_a_look_before_the_first_motion_presses_and_releases_and_sees_whether_the_robot_stands(
    robot,
):
    nao, x = RobotProfile.load('nao_v6'), [0.0]

    def drive():
        stamp = robot.now()
        robot.publish(Odometry, 'odom', odometry_message((x[0], 0, 0), stamp, 'odom', 'base_link'))
        x[0] += creep

    def look():
        bench = StopBench(robot.graph.monitor, Contract.load(), nao, JoystickMap.load(), drive)
        try:
            return bench.run(), bench.gamepad()
        finally:
            bench.close()

    creep = 0.0
    trial, pad = look()
    assert trial.pressed and trial.zero and trial.released and not trial.latched
    assert trial.samples > 1 and trial.moved == 0.0
    assert pad.publishers and not pad.held
    assert not json.loads(robot.states[-1])['stopped']
    # A stop that somebody else has latched stays so; and this robot creeps.
    assert robot.call('emergency_stop')[0]
    creep = 0.01
    trial, _ = look()
    assert trial.latched == 'service' and not trial.released
    assert trial.moved > 0.02
    assert robot.wait_for(lambda: json.loads(robot.states[-1])['stopped'])


def test_nobody_drives_while_a_second_publisher_commands_the_robot(robot):
    assert robot.answer(robot.command('policy', GO)) == GO
    other = robot.node.create_publisher(TwistStamped, 'cmd_vel', 1)
    assert robot.wait_for(lambda: robot.answer(robot.command('policy', GO)) == ZERO)
    assert robot.wait_for(
        lambda: 'other publisher' in robot.diagnostics.get('/safety', ('', ''))[1]
    )
    robot.node.destroy_publisher(other)
    assert robot.wait_for(lambda: robot.answer(robot.command('policy', GO)) == GO)


def test_a_robot_that_falls_stands_still_until_it_is_up_again(tmp_path):
    with NodeTrial({'safety': {'require_deadman': False}}, tmp_path) as robot:

        def feel(x, z):
            message = Imu(linear_acceleration=Vector3(x=x, z=z))
            message.orientation_covariance[0] = -1.0
            message.header.stamp = robot.node.get_clock().now().to_msg()
            robot.publish(Imu, 'imu/data', message, SENSOR_DATA)
            return robot.answer(robot.command('policy', GO))

        assert robot.wait_for(lambda: feel(0.0, 9.8) == GO)
        assert robot.wait_for(lambda: feel(9.8, 0.0) == ZERO)
        assert robot.wait_for(lambda: 'degrees from upright' in held(robot).get('fallen', ''))
        up = time.monotonic()
        assert robot.wait_for(lambda: feel(0.0, 9.8) == GO)
        assert time.monotonic() - up > 1.0
        # An IMU that was there and is silent tells nothing good.
        assert robot.wait_for(lambda: robot.answer(robot.command('policy', GO)) == ZERO)
        assert robot.wait_for(lambda: 'imu_silent' in held(robot))
        assert robot.wait_for(lambda: feel(0.0, 9.8) == GO)


def test_the_policy_waits_until_a_pose_that_jumped_has_settled(robot):
    def at(x):
        robot.stand_at(x, 0.0, 0.0)
        robot.spin(0.05)
        return robot.answer(robot.command('policy', GO))

    assert robot.wait_for(lambda: at(0.0) == GO)
    assert robot.wait_for(lambda: at(2.0) == ZERO)
    assert robot.wait_for(lambda: 'jumped by 2.0 m' in held(robot).get('pose_jumped', ''))
    assert robot.wait_for(lambda: at(2.0) == GO)
    assert robot.answer(robot.command('teleop', GO)) == GO


@pytest.mark.parametrize('number', [signal.SIGKILL, signal.SIGINT])
def test_a_stop_outlives_the_node_and_one_that_was_killed_leaves_a_stop(tmp_path, domain, number):
    parameters = {'require_deadman': False, 'memory': str(tmp_path / 'memory')}
    with NodeTrial({'safety': parameters}, tmp_path / 'log', domain=domain) as robot:
        assert robot.answer(robot.command('policy', GO)) == GO
        if number == signal.SIGINT:
            robot.call('emergency_stop')
        process = robot.graph._children[0].process
        os.kill(process.pid, number)
        process.wait(10)
    with NodeTrial({'safety': parameters}, tmp_path / 'log', domain=domain) as robot:
        assert robot.answer(robot.command('policy', GO)) == ZERO
        cause = {signal.SIGKILL: 'killed or crashed', signal.SIGINT: 'service'}[number]
        assert robot.wait_for(
            lambda: robot.states and cause in json.loads(robot.states[-1])['cause']
        )
        assert robot.answer(robot.command('policy', ZERO)) == ZERO
        assert robot.call('release') == (True, 'released')
    with NodeTrial({'safety': parameters}, tmp_path / 'log', domain=domain) as robot:
        assert robot.wait_for(lambda: robot.answer(robot.command('policy', GO)) == GO)


def test_policy_needs_the_dead_man_by_default(tmp_path):
    with NodeTrial({'safety': {}}, tmp_path) as robot:
        assert robot.answer(robot.command('policy', GO)) == ZERO
        robot.joy()
        robot.spin(0.1)
        assert robot.answer(robot.command('policy', GO)) == GO
        robot.joy(deadman=False)
        assert robot.wait_for(lambda: robot.commands[-1][1] == ZERO)
        assert robot.answer(robot.command('policy', GO)) == ZERO
        # What was held a second ago may have been let go since.
        robot.joy(stamp=robot.now() - SECOND)
        robot.spin(0.1)
        assert robot.answer(robot.command('policy', GO)) == ZERO
        # A joystick that is unplugged while the policy drives.
        robot.joy()
        robot.spin(0.1)
        held = time.monotonic()
        while robot.commands[-1][1] != GO:
            robot.answer(robot.command('policy', GO))
        while robot.commands[-1][1] == GO:
            robot.answer(robot.command('policy', GO))
            assert time.monotonic() - held < 0.5 + SLACK
            robot.spin(0.05)
        assert robot.commands[-1][1] == ZERO


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_last_command_of_a_node_that_is_ended_is_zero(tmp_path, number):
    # Silence is not what stops the robot here.
    with NodeTrial(
        {'safety': {'require_deadman': False, 'timeout.policy': 9.0}}, tmp_path
    ) as robot:
        assert robot.answer(robot.command('policy', GO)) == GO
        process = robot.graph._children[0].process
        os.kill(process.pid, number)
        assert robot.wait_for(lambda: robot.commands[-1][1] == ZERO, 2.0)
        assert process.wait(5) == 0
        assert 'Traceback' not in robot.log('safety')


def test_plain_twists_are_for_robots_without_stamps(tmp_path):
    parameters = {
        'require_deadman': False,
        'stamped': False,
        'stamped_input': False,
        'max_acceleration': [1.0, 0.0, 0.0],
    }
    with NodeTrial({'safety': parameters}, tmp_path, plain=True) as robot:
        robot.command('policy', [0.25, 0.2, 0.0])
        assert robot.wait_for(lambda: robot.commands)
        # At most 0.2 s of acceleration at 1 m/s^2 from standing; no limit to the side.
        assert robot.commands[0][1] == pytest.approx([0.2, 0.2, 0.0])
        assert robot.wait_for(lambda: robot.commands[-1][1] == ZERO)


@pytest.mark.parametrize(
    'argument, message',
    [
        ('robot:=penguin', 'penguin'),
        ('joystick:=wheel', 'switch_pro, xbox'),
        ('max_acceleration:=[1.0]', 'three numbers'),
        ('timeout.policy:=-1.0', 'timeout.policy'),
    ],
)
def test_wrong_parameter_is_one_line_and_an_exit_code(argument, message):
    result = subprocess.run(
        [sys.executable, '-m', 'guda_ros.nodes.safety', '--ros-args', '-p', argument],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert result.returncode == 1 and 'Traceback' not in result.stderr
    assert message in result.stderr


def test_stamps_pass_exactly_in_simulated_time_and_a_pause_stops_nothing(simulation):
    for step in range(10):
        stamp = simulation.time + step * SECOND // 10
        simulation.clock(stamp)
        assert simulation.answer(simulation.command('policy', GO, stamp)) == GO
    # Sim time stands still for longer than the timeout of the policy.
    simulation.spin(0.8)
    assert simulation.commands[-1][1] == GO and len(simulation.commands) == 10


def test_command_ahead_of_a_late_clock_waits_for_it(simulation):
    stamp = simulation.time + 2 * SECOND
    simulation.command('policy', GO, stamp)
    assert simulation.answer(stamp, 0.15) is None
    simulation.clock(stamp)
    assert simulation.answer(stamp, 1.0) == GO


def test_wall_clock_stamps_in_a_simulation_are_named(simulation):
    for step in range(8):
        simulation.clock(simulation.time + step * SECOND // 10)
        stamp = simulation.command('policy', GO)
        simulation.spin(0.05)
    assert simulation.answer(stamp, 0.3) is None
    assert 'use_sim_time' in simulation.log('safety')


def test_next_episode_is_not_answered_before_its_first_command(simulation):
    stamp = simulation.time
    assert simulation.answer(simulation.command('policy', GO, stamp)) == GO
    first = stamp + int(1.3 * SECOND)
    simulation.clock(first)
    assert simulation.wait_for(lambda: simulation.commands[-1][1] == ZERO)
    assert simulation.commands[-1][2] == stamp + SECOND // 2
    assert simulation.answer(first, 0.2) is None
    assert simulation.answer(simulation.command('policy', GO, first)) == GO


def test_policy_that_gave_way_is_answered_with_zero_when_the_person_is_gone(simulation):
    stamp = simulation.time
    assert simulation.answer(simulation.command('teleop', GO, stamp)) == GO
    # Teleop has died. In lock-step, time goes on only when a step is answered.
    answers = []
    for _ in range(8):
        stamp += SECOND // 10
        simulation.clock(stamp)
        answers.append(simulation.answer(simulation.command('policy', GO, stamp)))
    assert answers[:4] == [ZERO] * 4 and answers[-1] == GO


def test_person_who_lets_go_hands_over_to_the_policy_in_lock_step(simulation):
    stamp = simulation.time
    simulation.joy(GO, stamp=stamp)
    assert simulation.answer(simulation.command('teleop', GO, stamp)) == GO
    stamp += SECOND // 10
    simulation.clock(stamp)
    simulation.joy(deadman=False, stamp=stamp)
    assert simulation.answer(simulation.command('teleop', ZERO, stamp)) == ZERO
    stamp += SECOND // 10
    simulation.clock(stamp)
    assert simulation.answer(simulation.command('policy', GO, stamp)) == GO


def test_emergency_stop_lets_a_simulation_in_lock_step_go_on_with_a_standing_robot(simulation):
    stamp = simulation.time
    assert simulation.answer(simulation.command('policy', GO, stamp)) == GO
    simulation.call('emergency_stop')
    for _ in range(3):
        stamp += SECOND // 10
        simulation.clock(stamp)
        assert simulation.answer(simulation.command('policy', GO, stamp)) == ZERO
    assert simulation.answer(simulation.command('policy', ZERO, stamp)) == ZERO
    assert simulation.call('release')[0]


def test_a_late_reader_of_state_gets_what_is_and_not_what_was(robot):
    robot.answer(robot.command('policy', GO))
    assert robot.call('emergency_stop')[0]
    assert robot.answer(robot.command('policy', ZERO)) == ZERO
    assert robot.call('release') == (True, 'released')
    assert robot.call('emergency_stop')[0]
    assert robot.wait_for(lambda: json.loads(robot.states[-1])['stopped'])
    late = []
    robot.node.create_subscription(
        String, 'safety/state', lambda message: late.append(json.loads(message.data)), LATCHED
    )
    assert robot.wait_for(lambda: bool(late))
    assert late[0]['stopped'] and late[0]['cause'] == 'service'
    for info in robot.node.get_publishers_info_by_topic('safety/state'):
        assert info.node_name == 'safety'


def test_zeros_without_a_person_are_not_told_as_driving(robot):
    stamp = robot.command('teleop', ZERO)
    assert robot.answer(stamp) == ZERO

    def told() -> tuple:
        state = json.loads(robot.states[-1])
        return state['in_charge'], state['reasons'].get('teleop')

    assert robot.wait_for(lambda: told() == (None, 'standing'))
    robot.answer(robot.command('teleop', GO))
    assert robot.wait_for(lambda: told() == ('teleop', 'driving'))
