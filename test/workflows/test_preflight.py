"""`guda preflight` with the real nodes of a robot, beside a driver that is a participant here."""

from dataclasses import replace
import json

from odd_driver import Habits, OddDriver
from policy_file import write_policy
import pytest
from sensor_msgs.msg import Joy

from guda_ros.cli.main import main
from guda_ros.data.contract import Contract
from guda_ros.ros.graph.environment import ros_environment
from guda_ros.ros.robot_check.findings import FITS, LACKS


@pytest.fixture
def place(domain, tmp_path, monkeypatch):
    """Return a domain for a driver of this process, and for who looks at it."""
    for key, value in ros_environment(domain, tmp_path).items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv('ROS_HOME', str(tmp_path / 'home'))
    return domain


class Slides:
    """An edit of odometry that creeps on, whatever the robot is told."""

    def __init__(self):
        self.x = 0.0

    def __call__(self, role, message):
        if role == 'odom':
            self.x += 0.002
            message.pose.pose.position.x = self.x


def preflight(place, tmp_path, capsys, *more):
    code = main(
        [
            'preflight', '--robot', 'nao_v6', '--adapter', 'none', '--domain', str(place),
            '--recordings', str(tmp_path / 'bags'), '--json', *more,
        ]
    )  # fmt: skip
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    levels = {(each['subject'], each['aspect']): each['level'] for each in told['findings']}
    assert told['fits'] is (code == 0)
    return levels


@pytest.mark.long
def test_before_the_first_motion_all_is_looked_at_and_the_stop_is_pressed_and_released(
    place, tmp_path, capsys
):
    write_policy(tmp_path / 'walk.onnx')
    with OddDriver(place) as driver:
        pad = driver.node.create_publisher(Joy, 'joy', 10)
        held = Joy(axes=[0.0] * 8, buttons=[0] * 11)
        driver.node.create_timer(0.05, lambda: pad.publish(held))
        levels = preflight(place, tmp_path, capsys, '--policy', str(tmp_path / 'walk.onnx'))
        moved = [command for command in driver.told if any(command)]
    for seen in (
        ('contract', 'task'),
        ('limits', 'speeds'),
        ('policy', 'contract'),
        ('clock', 'date'),
        ('gamepad', 'heard'),
        ('emergency stop', 'press'),
        ('silence', 'odometry'),
        ('joint_states', 'joints'),
        ('camera_info', 'calibration'),
        ('cmd_vel', 'hearer'),
    ):
        assert levels[seen] == FITS, (seen, levels)
    assert ('disk', 'room') in levels
    # Nothing but zeros was sent, and they were.
    assert driver.told and not moved


@pytest.mark.long
def test_a_robot_that_slides_a_stop_that_is_latched_and_no_gamepad_keep_it_from_moving(
    place, tmp_path, capsys
):
    write_policy(tmp_path / 'other.onnx', replace(Contract.load(), rate=20.0))
    home = tmp_path / 'home' / 'guda_ros'
    home.mkdir(parents=True)
    (home / f'safety_{place}.json').write_text('{"watched": false, "cause": "service"}')
    with OddDriver(place, Habits(edit=Slides())):
        levels = preflight(place, tmp_path, capsys, '--policy', str(tmp_path / 'other.onnx'))
    for lacks in (
        ('silence', 'odometry'),
        ('emergency stop', 'latched'),
        ('gamepad', 'there'),
        ('policy', 'contract'),
    ):
        assert levels[lacks] == LACKS.lower(), (lacks, levels)
    assert levels['cmd_vel', 'hearer'] == FITS
