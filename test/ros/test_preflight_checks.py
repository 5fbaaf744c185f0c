"""What is said of a robot before it moves for the first time."""

from dataclasses import replace

import pytest

from guda_ros.data.contract import Contract
from guda_ros.ros.robot_check import preflight_checks as checks
from guda_ros.ros.robot_check.findings import FITS, LACKS, NOTE, WARNING
from guda_ros.ros.robot_check.preflight_checks import Gamepad, StopTrial
from guda_ros.soccer.driver import USUAL_DRIVER
from guda_ros.soccer.robot import RobotProfile

NAO, CONTRACT = RobotProfile.load('nao_v6'), Contract.load('soccer_push')
GOOD = StopTrial(True, '', True, True, True, '', 1.5, 60, 0.001, 0.0)


def levels(findings):
    return [(finding.aspect, finding.level) for finding in findings]


def test_a_stop_that_acts_and_a_robot_that_stands_fit():
    found = list(checks.check_stop(GOOD))
    assert levels(found) == [('press', FITS), ('odometry', FITS)]
    assert not any(finding.todo for finding in found)


@pytest.mark.parametrize(
    'changes, aspect, words',
    [
        ({'pressed': False}, 'press', 'pressing it was not seen'),
        ({'zero': False}, 'press', 'zero was not sent'),
        ({'released': False}, 'release', 'its release was not seen'),
        ({'released': False, 'refusal': 'teleop commands motion'}, 'release', 'teleop commands'),
        ({'latched': 'joystick', 'released': False}, 'latched', 'by joystick'),
        ({'samples': 1}, 'odometry', 'no odometry'),
        ({'moved': 0.05}, 'odometry', '0.050 m'),
        ({'turned': 0.2}, 'odometry', '0.200 rad'),
    ],
)
def test_whatever_of_a_stop_fails_lacks_and_says_what_to_do(changes, aspect, words):
    lacks = [each for each in checks.check_stop(replace(GOOD, **changes)) if each.level == LACKS]
    (finding,) = lacks
    assert finding.aspect == aspect and words in finding.found and finding.todo


def test_without_a_safety_node_nothing_else_is_said_of_the_stop():
    assert levels(checks.check_stop(StopTrial())) == [('safety', LACKS)]


@pytest.mark.parametrize(
    'pad, required, level',
    [
        (Gamepad(), True, LACKS),
        (Gamepad(), False, NOTE),
        (Gamepad(('/joy',), 0), True, LACKS),
        (Gamepad(('/joy',), 9, 'the joystick has 2 axes'), True, LACKS),
        (Gamepad(('/joy',), 9, 'the joystick has 2 axes'), False, WARNING),
        (Gamepad(('/joy',), 9, '', frozenset({'deadman'})), False, LACKS),
        (Gamepad(('/joy',), 9, '', frozenset({'episode_start'})), True, FITS),
        (Gamepad(('/joy',), 9), True, FITS),
    ],
)
def test_a_gamepad_is_there_understood_and_let_go(pad, required, level):
    (finding,) = checks.check_gamepad(pad, required)
    assert finding.level == level


def test_two_gamepads_are_told():
    found = list(checks.check_gamepad(Gamepad(('/joy', '/other'), 9), True))
    assert levels(found) == [('rivals', WARNING), ('heard', FITS)]


def test_room_on_the_disk_is_measured_by_what_the_recorder_needs():
    def level(free):
        return checks.check_disk('here', free, 200_000_000).level

    assert [level(free) for free in (None, 10**8, 10**9, 10**10)] == [LACKS, LACKS, WARNING, FITS]


def test_a_clock_of_before_the_installation_is_wrong():
    assert checks.check_clock(2e9, 1.9e9).level == FITS
    wrong = checks.check_clock(0.0, 1.9e9)
    assert wrong.level == LACKS and '1970-01-01' in wrong.found


def test_limits_and_contract_are_told_and_a_policy_of_another_contract_lacks():
    assert 'm/s2' in checks.check_limits(NAO.limits, NAO.driver).found
    assert checks.check_limits(NAO.limits, USUAL_DRIVER).level == NOTE
    assert 'soccer_push at 10 Hz' in checks.check_contract(CONTRACT, NAO).found
    assert checks.check_policy('p.onnx', '').level == FITS
    other = checks.check_policy('p.onnx', 'p.onnx: rate is 20\nUse another\n policy.')
    assert (other.level, other.found, other.todo) == (
        LACKS,
        'p.onnx: rate is 20',
        'Use another policy.',
    )
