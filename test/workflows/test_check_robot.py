"""`guda check robot` looks at drivers over DDS that do one thing or other as they should not."""

import json
import signal
import subprocess
import sys

from geometry_msgs.msg import Twist, TwistStamped
import numpy as np
from odd_driver import Habits, HEIGHT, OddDriver, WIDTH
import pytest
from ros_helpers import wait_for
from sensor_msgs.msg import CompressedImage, Imu
from std_msgs.msg import String

from guda_ros.cli.main import main
from guda_ros.ros.graph.environment import ros_environment
from guda_ros.ros.graph.names import RosNames
from guda_ros.ros.graph.processes import GraphProcesses
from guda_ros.ros.graph.table import GraphOptions
from guda_ros.ros.robot_check.findings import FITS, LACKS, WARNING
from guda_ros.workflows.robots import checking


@pytest.fixture
def place(domain, tmp_path, monkeypatch):
    """Return a domain for a driver of this process, and for who looks at it."""
    for key, value in ros_environment(domain, tmp_path).items():
        monkeypatch.setenv(key, value)
    return domain


def check_robot(domain, seconds=2.5, **more):
    """Look at NAO's driver, however long it takes to discover it."""
    return checking.check_robot(
        robot='nao_v6', adapter='none', domain=domain, seconds=seconds, patience=60.0, **more
    )


def edit(role, **values):
    """Return an edit that sets fields, such as header__frame_id, of the messages of one role."""

    def change(sent, message):
        for key, value in values.items():
            *way, last = key.split('__')
            part = message
            for step in way:
                part = getattr(part, step)
            if sent == role:
                setattr(part, last, value)

    return change


def seen(found, *levels):
    return {
        (finding.subject, finding.aspect, finding.level)
        for finding in found.findings
        # How fast a thread sends beside other tests is not what is looked at.
        if finding.level in levels and (finding.aspect != 'rate' or finding.found[:1] == '2')
    }


def test_a_look_expects_what_a_file_of_parameters_tells_the_nodes(tmp_path):
    path = tmp_path / 'p.yaml'
    path.write_text(
        """
/**: {ros__parameters: {robot: turtlebot4}}
safety: {ros__parameters: {stamped: true}}
perception: {ros__parameters: {image_transport: compressed}}
adapter: {ros__parameters: {adapter: twist}}
""",
        encoding='utf-8',
    )
    names = RosNames(params_file=str(path))
    found = checking.expected_of(GraphOptions(robot='nao_v6', names=names))
    assert found.robot.name == found.contract.robot == 'turtlebot4'
    assert found.stamped and found.compressed and found.adapter == 'twist'
    # What is typed goes over the file.
    overrides = {'safety': {'stamped': False}}
    assert not checking.expected_of(GraphOptions(names=names, overrides=overrides)).stamped


def test_a_driver_that_fits_is_told_so_and_its_ball_is_looked_for(place):
    with OddDriver(place):
        found = check_robot(place)
    assert not seen(found, WARNING, LACKS), found
    fits = {finding[:2] for finding in seen(found, FITS)}
    assert fits >= {
        ('image', 'encoding'),
        ('image', 'stamps'),
        ('camera_info', 'calibration'),
        ('odom', 'frame'),
        ('joint_states', 'joints'),
        ('imu', 'tilt'),
        ('clock', 'streams'),
        ('cmd_vel', 'hearer'),
    }
    (ball,) = (finding for finding in found.findings if finding.subject == 'ball')
    assert 'in none of' in ball.found


#: What a driver does -> what must be told of it.
ODD = {
    'wrong_type_of_commands': (
        Habits(kinds={'command': Twist}),
        {('cmd_vel', 'hearer', LACKS)},
        '/driver hears geometry_msgs/msg/Twist on /cmd_vel',
    ),
    'nobody_hears': (
        Habits(names={'command': None}),
        {('cmd_vel', 'hearer', LACKS)},
        'nobody hears /cmd_vel',
    ),
    'another_name_of_commands': (
        Habits(names={'command': 'base/cmd_vel'}),
        {('cmd_vel', 'hearer', LACKS)},
        '--remap /cmd_vel:=/base/cmd_vel',
    ),
    'best_effort': (Habits(best_effort=True), set(), '(best effort)'),
    'wrong_frame': (
        Habits(edit=edit('odom', header__frame_id='odom_combined')),
        {('odom', 'frame', LACKS)},
        "'odom_combined' where 'odom' is expected",
    ),
    'no_calibration': (
        Habits(edit=edit('camera_info', k=np.zeros(9))),
        {('camera_info', 'calibration', LACKS)},
        'no usable calibration',
    ),
    'other_resolution': (
        Habits(edit=edit('camera_info', width=2 * WIDTH, height=2 * HEIGHT)),
        {('camera_info', 'size', LACKS)},
        'images have 80x60',
    ),
    'wrong_joints': (
        Habits(edit=edit('joint_states', name=['head_1', 'head_2'])),
        {('joint_states', 'joints', LACKS)},
        'perhaps head_1, head_2',
    ),
    'clock_apart': (
        Habits(shift=-3.0),
        {(role, 'stamps', LACKS) for role in ('image', 'camera_info', 'odom')}
        | {('joint_states', 'stamps', LACKS), ('imu', 'stamps', LACKS)},
        "s old by this computer's clock",
    ),
    'streams_apart': (
        Habits(shifts={'odom': 3.0}),
        {('odom', 'stamps', LACKS), ('clock', 'streams', LACKS)},
        'odometry is',
    ),
    'slow_camera': (
        Habits(rates={'image': 2.0}),
        {('image', 'rate', LACKS)},
        'where the contract has 10 Hz',
    ),
    'another_name': (
        Habits(names={'odom': 'robot/odom', 'image': 'head/image_raw'}),
        {('odom', 'topic', LACKS), ('image', 'topic', LACKS)},
        '--remap /odom:=/robot/odom',
    ),
    'wrong_type': (
        Habits(kinds={'odom': String, 'image': CompressedImage, 'joint_states': Imu}),
        {
            ('odom', 'type', LACKS),
            ('image', 'type', LACKS),
            ('joint_states', 'type', LACKS),
        },
        '/driver publishes std_msgs/msg/String on /odom',
    ),
    'depth_image': (
        Habits(edit=edit('image', encoding='16UC1')),
        {('image', 'encoding', LACKS)},
        '16UC1',
    ),
    'no_stamps': (
        Habits(stamped=False),
        {('odom', 'stamps', LACKS), ('image', 'stamps', LACKS)},
        'no stamp',
    ),
}


def edits(*parts):
    """Return an edit that makes several."""
    return lambda role, message: [part(role, message) for part in parts]


def test_all_that_a_driver_does_wrong_is_told_at_once(place):
    habits = Habits(
        kinds={'command': Twist, 'imu': String},
        rates={'image': 2.0},
        shifts={'odom': -3.0},
        best_effort=True,
        edit=edits(
            edit('odom', header__frame_id='odom_combined'),
            edit('camera_info', k=np.zeros(9)),
            edit('joint_states', name=['head_1', 'head_2']),
        ),
    )
    with OddDriver(place, habits):
        found = check_robot(place)
    assert seen(found, LACKS) == {
        ('cmd_vel', 'hearer', LACKS),
        ('imu', 'type', LACKS),
        ('image', 'rate', LACKS),
        ('odom', 'stamps', LACKS),
        ('clock', 'streams', LACKS),
        ('odom', 'frame', LACKS),
        ('camera_info', 'calibration', LACKS),
        ('joint_states', 'joints', LACKS),
    }, found


@pytest.mark.long
@pytest.mark.parametrize('case', ODD)
def test_a_driver_that_does_not_fit_is_told_what_lacks(place, case):
    habits, lacks, words = ODD[case]
    with OddDriver(place, habits):
        found = check_robot(place)
    assert seen(found, LACKS) == lacks, found
    assert words in '\n'.join(finding.sentence for finding in found.findings)


def test_names_of_the_robot_are_followed(place):
    habits = Habits(
        names={
            'odom': 'red/base/odom',
            'image': 'red/image_raw',
            'camera_info': 'red/camera_info',
            'joint_states': 'red/joint_states',
            'imu': None,
            'command': 'red/cmd_vel',
        }
    )
    names = RosNames('red', {'odom': 'base/odom'})
    with OddDriver(place, habits):
        found = check_robot(place, names=names)
    assert not seen(found, WARNING, LACKS), found


def test_the_command_line_prints_a_table_or_json_and_tells_by_its_exit_code(place, capsys):
    with OddDriver(place, Habits(names={'odom': None})):
        arguments = ['check', 'robot', '--domain', str(place), '--seconds', '1.5']
        assert main(arguments) == 1
        printed = capsys.readouterr().out
        assert 'odom          LACKS    nobody publishes /odom' in printed
        assert 'of what is needed lack' in printed
        assert main([*arguments, '--json']) == 1
    told = json.loads(capsys.readouterr().out)
    assert told['domain'] == place and not told['fits']
    (odom,) = (finding for finding in told['findings'] if finding['subject'] == 'odom')
    assert odom['level'] == 'lacks' and odom['todo']
    with pytest.raises(SystemExit) as usage:
        main(['check', 'robot', '--seconds', 'x'])
    assert usage.value.code == 2


def test_who_else_commands_the_robot_is_told(place):
    with OddDriver(place) as driver:
        driver.node.create_publisher(TwistStamped, 'cmd_vel', 1)
        found = check_robot(place, 1.5)
    assert ('cmd_vel', 'rivals', LACKS) in seen(found, LACKS)


def test_a_graph_that_joins_a_driver_says_what_lacks_before_it_is_said_to_run(place):
    options = GraphOptions(robot='nao_v6', adapter='none')
    said = []
    with (
        OddDriver(place, Habits(kinds={'command': Twist}, names={'imu': None})),
        GraphProcesses([], options, domain=place, join=True) as graph,
    ):
        # On a busy machine the driver may be discovered late.
        assert wait_for(lambda: 'driver' in graph.monitor.names(), 60.0)
        found = checking.check_graph(graph, 2.0, said.append)
        told = GraphOptions(
            robot='nao_v6', adapter='none', overrides={'safety': {'stamped': False}}
        )
        graph.options = told
        assert not checking.check_graph(graph, 0.5, [].append).lacks
    assert [(each.subject, each.aspect) for each in found.lacks] == [('cmd_vel', 'hearer')]
    assert 'LACKS: cmd_vel: /driver hears geometry_msgs/msg/Twist' in said[1]
    assert checking.but(found.lacks).startswith(', but it lacks cmd_vel')
    assert checking.but([]) == ''


@pytest.mark.long
def test_up_looks_at_the_driver_unless_it_is_told_not_to(place, tmp_path):
    command = [sys.executable, '-m', 'guda_ros', 'up', 'robot', '--domain', str(place)]
    command += ['--recordings', str(tmp_path / 'recordings')]
    for more, words in (([], 'running, but it lacks cmd_vel'), (['--no-check'], 'running; Ctrl')):
        with (
            OddDriver(place, Habits(names={'command': None})),
            subprocess.Popen([*command, *more], stdout=subprocess.PIPE, text=True) as process,
        ):
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith('running'):
                    break
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
        assert lines[-1].startswith(words), lines
        assert more or [line for line in lines if line.startswith('  LACKS: cmd_vel: nobody')]
