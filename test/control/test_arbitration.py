"""Locks, the edge of the field, and what else passes the gate: kick and head."""

import numpy as np
import pytest

from guda_ros.control import safety_gate as gates
from guda_ros.control.arbiter import CommandArbiter, Instant, Lock, Source
from guda_ros.control.field_limit import FieldLimit
from guda_ros.control.kick_and_head import KickGate, limit_head
from guda_ros.control.limits import CommandLimiter
from guda_ros.control.safety_gate import SafetyGate
from guda_ros.soccer.field import Field
from guda_ros.soccer.robot import RobotProfile

ROBOT = RobotProfile.load('nao_v6')
PITCH = Field.load('spl')
SOURCES = {'teleop': Source(2, 0.5), 'policy': Source(1, 0.5)}
GO = np.array([0.2, -0.1, 0.5])
ZERO = [0.0, 0.0, 0.0]


def at(seconds: float) -> Instant:
    return Instant(seconds, seconds)


def make_gate(timeout=0.0, acceleration=None, **options) -> SafetyGate:
    locks = {'takeover': Lock(2, timeout), 'pause': Lock(3)}
    return SafetyGate(
        CommandLimiter(ROBOT.limits, acceleration),
        SOURCES,
        operator='teleop',
        locks=locks,
        **options,
    )


def offer(gate, source, command, time):
    return gate.offer(source, command, time, 'base_link', at(time))


def test_a_lock_keeps_lower_priorities_silent_and_the_others_not():
    gate = make_gate()
    gate.lock('takeover', True, at(1.0))
    decision = offer(gate, 'policy', GO, 1.0)
    assert decision.command.tolist() == ZERO and decision.reason == gates.LOCKED
    assert 'takeover' in decision.message
    assert offer(gate, 'teleop', GO, 1.1).command.tolist() == GO.tolist()
    gate.lock('pause', True, at(1.2))
    assert offer(gate, 'teleop', GO, 1.2).command.tolist() == ZERO
    gate.lock('pause', False, at(1.3))
    gate.lock('takeover', False, at(1.3))
    assert offer(gate, 'teleop', GO, 1.3).command.tolist() == GO.tolist()


def test_a_lock_stops_who_drives_without_waiting_for_a_command():
    gate = make_gate()
    offer(gate, 'policy', GO, 1.0)
    gate.lock('takeover', True, at(1.1))
    decision = gate.tick(at(1.12))
    assert decision.command.tolist() == ZERO and decision.reason == gates.LOCKED
    assert gate.tick(at(1.2)).command is None and gate.locks(at(1.2)) == ['takeover']


def test_a_lock_with_a_timeout_locks_when_its_owner_falls_silent():
    gate = make_gate(timeout=0.3)
    assert offer(gate, 'policy', GO, 1.0).command.tolist() == ZERO
    gate.lock('takeover', False, at(1.1))
    assert offer(gate, 'policy', GO, 1.2).command.tolist() == GO.tolist()
    assert offer(gate, 'policy', GO, 1.45).command.tolist() == ZERO


def test_a_lock_that_is_on_survives_a_clock_that_is_set_back():
    gate = make_gate()
    gate.lock('takeover', True, at(100.0))
    assert offer(gate, 'policy', GO, 1.0).command.tolist() == ZERO
    assert gate.locks(at(1.0)) == ['takeover']


def test_the_arbiter_names_who_was_overruled():
    arbiter = CommandArbiter(SOURCES)
    arbiter.claim('policy', 1.0, at(1.0))
    assert arbiter.overruled('teleop', at(1.2)) == ['policy']
    assert arbiter.overruled('policy', at(1.2)) == []
    assert arbiter.overruled('teleop', at(1.6)) == []


@pytest.mark.parametrize(
    'pose, command, factor',
    [
        # 1 m to the edge at x = 5: as fast as the robot may.
        ((4.0, 0, 0), GO, 1.0),
        # 0.1 m to the edge: 0.1 m/s.
        ((4.9, 0, 0), [0.2, 0, 0.5], 0.5),
        ((5.0, 0, 0), [0.2, 0, 0.5], 0.0),
        ((5.3, 0, 0), [0.2, 0.1, 0.5], 0.0),
        # Inward, along the edge and away from it.
        ((5.3, 0, 0), [-0.1, 0, 0.5], 1.0),
        ((5.0, 0, np.pi / 2), [0.2, 0, 0], 1.0),
        ((5.0, 0, np.pi / 2), [0.2, -0.1, 0], 0.0),
        # The side line, the other goal, a corner: the nearer edge counts.
        ((0, 3.45, np.pi / 2), [0.2, 0, 0], 0.25),
        ((-4.9, 0, 0), [-0.1, 0, 0], 1.0),
        ((4.8, -3.4, -np.pi / 4), [0.2, 0, 0], 0.1 / (0.2 * np.sqrt(0.5))),
    ],
)
def test_a_robot_slows_down_before_the_edge_and_stops_there(pose, command, factor):
    limit = FieldLimit(PITCH, 0.5)
    limit.see(pose, at(1.0))
    command = np.array(command, dtype=float)
    limited = limit.limit(command, at(1.1))
    np.testing.assert_allclose(limited[:2], command[:2] * factor, atol=1e-12)
    assert limited[2] == command[2]


def test_whatever_is_commanded_the_robot_does_not_leave_the_carpet():
    limit, rng = FieldLimit(PITCH, 0.5), np.random.default_rng(4)
    for _ in range(300):
        pose = rng.uniform([-5, -3.5, -np.pi], [5, 3.5, np.pi])
        for step in range(60):
            limit.see(pose, at(step * 0.1))
            command = limit.limit(rng.uniform(-1, 1, 3) * (0.5, 0.5, 2), at(step * 0.1))
            turned = np.array(
                [
                    np.cos(pose[2]) * command[0] - np.sin(pose[2]) * command[1],
                    np.sin(pose[2]) * command[0] + np.cos(pose[2]) * command[1],
                    command[2],
                ]
            )
            pose = pose + 0.1 * turned
            assert abs(pose[0]) <= 5.00001 and abs(pose[1]) <= 3.50001


def test_without_a_pose_that_is_known_and_new_nothing_is_held_back():
    limit = FieldLimit(PITCH, 0.5)
    command = np.array([0.2, 0.0, 0.0])
    assert limit.limit(command, at(1.0)) is command
    limit.see((5.2, 0, 0), at(1.0))
    assert limit.limit(command, at(1.5))[0] == 0
    assert limit.limit(command, at(2.1)) is command
    # A clock that was set back.
    assert limit.limit(command, at(0.5)) is command
    limit.see(None, at(3.0))
    assert limit.limit(command, at(3.0)) is command


def test_the_gate_limits_at_the_edge_after_speed_and_counts_it():
    gate = make_gate(field_limit=FieldLimit(PITCH, 0.5))
    gate.field_limit.see((4.9, 0, 0), at(1.0))
    decision = offer(gate, 'teleop', [0.9, 0, 0.1], 1.0)
    np.testing.assert_allclose(decision.command, [0.1, 0, 0.1])
    assert gate.counts['teleop', 'at_the_edge'] == gate.counts['teleop', 'clamped'] == 1


def test_acceleration_goes_on_from_what_was_sent():
    gate = make_gate(acceleration=[1.0, np.inf, np.inf], field_limit=FieldLimit(PITCH, 0.5))
    gate.field_limit.see((4.98, 0, 0), at(1.0))
    np.testing.assert_allclose(offer(gate, 'teleop', [0.2, 0, 0], 1.0).command, [0.02, 0, 0])
    gate.field_limit.see((4.0, 0, 0), at(1.1))
    np.testing.assert_allclose(offer(gate, 'teleop', [0.25, 0, 0], 1.1).command, [0.12, 0, 0])


def test_a_person_turns_the_head_without_the_dead_man_and_nothing_else():
    gate = make_gate(guarded=('teleop', 'policy'))
    assert gate.may_act('teleop', at(1.0), walking=False) == ''
    assert 'dead-man' in gate.may_act('teleop', at(1.0))
    assert 'dead-man' in gate.may_act('policy', at(1.0), walking=False)
    gate.emergency_stop('service', at(1.9))
    assert 'emergency stop' in gate.may_act('teleop', at(1.9), walking=False)


def test_who_may_kick():
    gate = make_gate(guarded=('policy',))
    assert gate.may_act('teleop', at(1.0)) == ''
    assert 'dead-man' in gate.may_act('policy', at(1.0))
    gate.joystick(True, False, False, at(1.0))
    assert gate.may_act('policy', at(1.0)) == ''
    offer(gate, 'teleop', GO, 1.0)
    assert gate.may_act('policy', at(1.1)) == 'policy gives way to teleop'
    offer(gate, 'policy', GO, 1.7)
    assert gate.active(at(1.7)) == 'policy' and gate.may_act('teleop', at(1.7)) == ''
    gate.lock('pause', True, at(1.8))
    assert 'pause' in gate.may_act('teleop', at(1.8))
    gate.lock('pause', False, at(1.9))
    gate.emergency_stop('service', at(1.9))
    assert 'emergency stop' in gate.may_act('teleop', at(1.9))


def test_a_kick_waits_for_the_one_before():
    gate = KickGate(ROBOT)
    assert gate.duration == pytest.approx(0.7)
    assert gate.refuse(at(1.0)) == ''
    assert gate.refuse(at(1.6)) == 'a kick is under way'
    assert gate.refuse(at(1.75)) == ''
    assert gate.refuse(at(0.2)) == ''


def test_a_base_with_wheels_does_not_kick():
    gate = KickGate(RobotProfile.load('turtlebot4'))
    assert gate.refuse(at(1.0)) == 'turtlebot4 has wheels and no foot to kick with'


def test_the_head_stays_within_its_limits():
    assert limit_head({'head_pan': 9.0, 'head_tilt': -9.0}, ROBOT.head) == {
        'head_pan': 2.0857,
        'head_tilt': -0.672,
    }
    assert limit_head({'head_tilt': 0.25}, ROBOT.head) == {'head_tilt': 0.25}
    for wrong in ({}, {'knee': 1.0}, {'head_pan': float('nan')}):
        with pytest.raises(ValueError, match='head_pan and head_tilt'):
            limit_head(wrong, ROBOT.head)
