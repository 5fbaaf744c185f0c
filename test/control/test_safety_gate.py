"""The gate in front of the robot, with time as an argument."""

import numpy as np
import pytest

from guda_ros.control import safety_gate as gates
from guda_ros.control.arbiter import Instant, Source
from guda_ros.control.limits import CommandLimiter
from guda_ros.control.safety_gate import SafetyGate
from guda_ros.soccer.robot import RobotProfile

LIMITS = RobotProfile.load('nao_v6').limits
SOURCES = {'teleop': Source(2, 0.5), 'policy': Source(1, 0.5)}
GO = np.array([0.2, -0.1, 0.5])
ZERO = [0.0, 0.0, 0.0]


def at(seconds: float) -> Instant:
    return Instant(seconds, seconds)


def make_gate(deadman=False, acceleration=None, **options) -> SafetyGate:
    return SafetyGate(
        CommandLimiter(LIMITS, acceleration),
        SOURCES,
        operator='teleop',
        guarded=('policy',) if deadman else (),
        **options,
    )


def offer(gate, source, command, time, *, stamp=None, frame='base_link'):
    return gate.offer(source, command, time if stamp is None else stamp, frame, at(time))


def press(gate, time, deadman=True, emergency_stop=False, release=False):
    return gate.joystick(deadman, emergency_stop, release, at(time))


def test_command_within_limits_passes_unchanged():
    decision = offer(make_gate(), 'teleop', GO, 1.0)
    assert decision.command.tobytes() == GO.tobytes()
    assert (decision.reason, decision.source) == (gates.DRIVING, 'teleop')


@pytest.mark.parametrize('why', ['emergency stop', 'hold', 'silence', 'not finite', 'zero'])
def test_no_limit_of_acceleration_or_jerk_delays_a_stop(why):
    limiter = CommandLimiter(LIMITS, [1.0, 0.8, 8.4], [10, 8, 84])
    gate = SafetyGate(limiter, SOURCES, operator='teleop')
    for number in range(40):
        moving = offer(gate, 'policy', GO, 1 + number * 0.04)
    assert moving.command.tolist() == GO.tolist()
    if why == 'emergency stop':
        decision = gate.emergency_stop('test', at(2.6))
    elif why == 'hold':
        gate.hold('fallen', 'it lies')
        decision = gate.tick(at(2.6))
    elif why == 'silence':
        decision = gate.tick(at(3.2))
    else:
        decision = offer(gate, 'policy', ZERO if why == 'zero' else [np.nan] * 3, 2.6)
    assert decision.command.tolist() == ZERO


def test_command_beyond_the_limits_is_clamped_and_counted():
    gate = make_gate()
    assert offer(gate, 'policy', [1, -1, 9], 1.0).command.tolist() == [0.25, -0.2, LIMITS.turn]
    assert gate.counts['policy', 'clamped'] == 1


@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_command_that_is_not_finite_stops_until_the_source_sends_a_finite_one(bad):
    gate = make_gate()
    offer(gate, 'policy', GO, 1.0)
    decision = offer(gate, 'policy', [0.1, bad, 0.0], 1.1)
    assert decision.command.tolist() == ZERO and decision.reason == gates.NOT_FINITE
    assert offer(gate, 'policy', GO, 1.2).command.tolist() == GO.tolist()


def test_command_in_another_frame_stops_and_says_which_frame_is_expected():
    for frame in ('map', '', '/base_link'):
        gate = make_gate()
        offer(gate, 'teleop', GO, 1.0)
        decision = offer(gate, 'teleop', GO, 1.1, frame=frame)
        assert decision.command.tolist() == ZERO and decision.reason == gates.WRONG_FRAME
        assert 'base_link' in decision.message and repr(frame) in decision.message


def test_person_who_sends_nonsense_still_keeps_the_policy_from_driving():
    gate = make_gate()
    offer(gate, 'teleop', [np.nan, 0, 0], 1.0)
    assert offer(gate, 'policy', GO, 1.1).command is None


def test_policy_that_sends_nonsense_does_not_disturb_the_person_who_drives():
    gate = make_gate()
    offer(gate, 'teleop', GO, 1.0)
    decision = offer(gate, 'policy', [np.nan, 0, 0], 1.1)
    assert decision.command is None and decision.reason == gates.NOT_FINITE
    assert gate.driver == 'teleop'


@pytest.mark.parametrize(
    'stamp, reason',
    [
        (9.49, gates.STALE),
        (0.0, gates.STALE),
        (float('nan'), gates.STALE),
        (float('inf'), gates.STALE),
        (10.51, gates.FUTURE),
        (1e9, gates.FUTURE),
    ],
)
def test_stamp_too_far_from_now_is_rejected_with_a_reason(stamp, reason):
    gate = make_gate()
    decision = offer(gate, 'teleop', GO, 10.0, stamp=stamp)
    assert decision.command is None and decision.reason == reason and 'stamp' in decision.message
    assert gate.active(at(10.0)) is None and gate.counts['teleop', reason] == 1


@pytest.mark.parametrize('stamp', [9.51, 10.0, 10.49])
def test_stamp_near_now_is_accepted(stamp):
    assert offer(make_gate(), 'teleop', GO, 10.0, stamp=stamp).command is not None


def test_command_older_than_the_one_before_is_rejected_and_an_equal_stamp_is_not():
    gate = make_gate()
    offer(gate, 'policy', GO, 10.0, stamp=9.9)
    decision = offer(gate, 'policy', GO, 10.0, stamp=9.89)
    assert decision.command is None and decision.reason == gates.OUT_OF_ORDER
    assert offer(gate, 'policy', GO, 10.0, stamp=9.9).command is not None
    assert offer(gate, 'teleop', GO, 10.0, stamp=9.8).command is not None


def test_person_has_priority_over_the_policy_until_the_timeout():
    gate = make_gate()
    offer(gate, 'policy', GO, 1.0)
    assert offer(gate, 'teleop', -GO, 1.1).command is not None
    decision = offer(gate, 'policy', GO, 1.2)
    assert decision.command is None and decision.reason == gates.SUPPRESSED
    assert offer(gate, 'policy', GO, 1.7).command.tolist() == GO.tolist()


def test_stick_in_the_middle_keeps_the_policy_away_while_the_dead_man_is_held():
    gate = make_gate()
    press(gate, 1.0)
    offer(gate, 'teleop', ZERO, 1.0)
    assert offer(gate, 'policy', GO, 1.1).command is None


def test_person_who_lets_go_hands_over_at_once():
    gate = make_gate()
    press(gate, 1.0)
    offer(gate, 'teleop', GO, 1.0)
    decision = press(gate, 1.1, deadman=False)
    assert decision.command.tolist() == ZERO and decision.reason == gates.NO_DEADMAN
    # The zero with which teleop ends arrives after the joystick's message.
    assert offer(gate, 'teleop', ZERO, 1.1).command.tolist() == ZERO
    assert offer(gate, 'policy', GO, 1.1).command.tolist() == GO.tolist()


def test_zero_of_a_person_who_uses_no_joystick_stops_the_policy():
    gate = make_gate()
    press(gate, 1.0, deadman=False)
    offer(gate, 'policy', GO, 1.0)
    assert offer(gate, 'teleop', ZERO, 1.1).command.tolist() == ZERO
    assert offer(gate, 'policy', GO, 1.2).command is None


def test_silent_driver_is_stopped_once_with_the_moment_at_which_it_expired():
    gate = make_gate()
    offer(gate, 'policy', GO, 1.0)
    assert gate.tick(at(1.5)).command is None
    decision = gate.tick(at(1.6))
    assert decision.command.tolist() == ZERO and decision.reason == gates.SILENT
    assert decision.stamp == pytest.approx(1.5) and 'policy' in decision.message
    assert gate.tick(at(1.7)).command is None and gate.driver is None


def test_stop_is_repeated_for_the_time_asked_for_unless_somebody_drives():
    gate = make_gate(repeat_stop=1.0)
    offer(gate, 'policy', GO, 1.0)
    assert gate.tick(at(1.6)).reason == gates.SILENT
    assert gate.tick(at(2.5)).command.tolist() == ZERO
    assert gate.tick(at(2.7)).command is None
    offer(gate, 'policy', GO, 3.0)
    gate.tick(at(3.6))
    offer(gate, 'policy', ZERO, 3.7)
    assert gate.tick(at(3.8)).command is None


def test_driver_is_silent_by_the_steady_clock_though_the_other_stands_still():
    gate = make_gate()
    gate.offer('policy', GO, 100.0, 'base_link', Instant(100.0, 7.0))
    assert gate.tick(Instant(100.0, 7.49)).command is None
    assert gate.tick(Instant(100.0, 7.51)).reason == gates.SILENT


def test_paused_simulation_ages_nothing():
    gate = make_gate()
    offer(gate, 'policy', GO, 1.0)
    for _ in range(100):
        assert gate.tick(at(1.0)).command is None
    assert gate.driver == 'policy'


def test_standing_robot_is_not_sent_stops():
    gate = make_gate()
    assert gate.tick(at(1.0)).command is None
    offer(gate, 'teleop', ZERO, 1.0)
    assert gate.tick(at(9.0)).command is None


def test_policy_moves_only_while_a_person_holds_the_dead_man():
    gate = make_gate(deadman=True)
    assert offer(gate, 'policy', GO, 1.0).reason == gates.NO_DEADMAN
    press(gate, 1.1)
    assert offer(gate, 'policy', GO, 1.2).command.tolist() == GO.tolist()
    assert press(gate, 1.25, deadman=False).command.tolist() == ZERO
    decision = offer(gate, 'policy', GO, 1.3)
    assert decision.command.tolist() == ZERO and decision.reason == gates.NO_DEADMAN


def test_joystick_that_falls_silent_counts_as_let_go():
    gate = make_gate(deadman=True)
    press(gate, 1.0)
    for time in (1.1, 1.3, 1.5):
        assert offer(gate, 'policy', GO, time).reason == gates.DRIVING
    decision = gate.tick(at(1.55))
    assert decision.command.tolist() == ZERO and decision.reason == gates.NO_DEADMAN
    assert offer(gate, 'policy', GO, 1.6).command.tolist() == ZERO


def test_emergency_stop_sends_zero_at_once_and_answers_every_command_with_zero():
    gate = make_gate()
    offer(gate, 'policy', GO, 1.0)
    decision = gate.emergency_stop('service', at(1.05))
    assert decision.command.tolist() == ZERO and decision.stamp == 1.05
    for source in ('policy', 'teleop'):
        answer = offer(gate, source, GO, 1.1)
        assert answer.command.tolist() == ZERO and answer.reason == gates.EMERGENCY_STOP
    assert gate.stopped and gate.stop_cause == 'service'


def test_emergency_stop_button_latches_whatever_else_is_pressed():
    gate = make_gate()
    press(gate, 1.0)
    decision = press(gate, 1.1, emergency_stop=True, release=True)
    assert decision.reason == gates.EMERGENCY_STOP and gate.stop_cause == 'joystick'
    press(gate, 1.2)
    assert gate.stopped


def test_emergency_stop_is_ended_by_nothing_but_a_release():
    gate = make_gate()
    gate.emergency_stop('service', at(1.0))
    for step in range(200):
        time = 1.0 + step * 0.3
        offer(gate, 'policy', ZERO if step % 2 else GO, time)
        press(gate, time, deadman=bool(step % 3))
        gate.tick(at(time))
    gate.tick(at(0.0))
    assert gate.stopped
    assert gate.release(at(100.0)) == (True, 'released') and not gate.stopped


@pytest.mark.parametrize('source', ['policy', 'teleop'])
@pytest.mark.parametrize('command', [GO, [1e-9, 0, 0], [np.nan, 0, 0]])
def test_release_is_refused_while_a_source_would_move_the_robot(source, command):
    gate = make_gate()
    gate.emergency_stop('service', at(1.0))
    offer(gate, source, command, 1.1)
    released, message = gate.release(at(1.2))
    assert not released and source in message and gate.stopped
    offer(gate, source, ZERO, 1.3)
    assert gate.release(at(1.4))[0]


def test_release_is_granted_when_the_source_has_fallen_silent():
    gate = make_gate()
    gate.emergency_stop('service', at(1.0))
    offer(gate, 'policy', GO, 1.1)
    assert gate.release(at(1.7))[0]


def test_release_is_refused_while_the_emergency_stop_button_is_held():
    gate = make_gate()
    press(gate, 1.0, deadman=False, emergency_stop=True)
    released, message = gate.release(at(1.1))
    assert not released and 'held' in message
    press(gate, 1.2, deadman=False)
    assert gate.release(at(1.3))[0]


def test_release_button_counts_when_it_is_pressed_not_while_it_is_stuck():
    gate = make_gate()
    gate.emergency_stop('service', at(1.0))
    for step in range(10):
        press(gate, 1.1 + step / 10, deadman=False, release=True)
    assert gate.stopped
    press(gate, 2.2, deadman=False)
    press(gate, 2.3, deadman=False, release=True)
    assert not gate.stopped


def test_refused_press_of_the_release_button_says_why():
    gate = make_gate()
    gate.emergency_stop('service', at(1.0))
    press(gate, 1.0, deadman=False)
    offer(gate, 'policy', GO, 1.0)
    decision = press(gate, 1.1, deadman=False, release=True)
    assert decision.command is None and 'policy commands motion' in decision.message


def test_release_moves_nothing_by_itself():
    gate = make_gate()
    offer(gate, 'policy', GO, 1.0)
    gate.emergency_stop('service', at(1.1))
    gate.release(at(5.0))
    assert gate.tick(at(5.1)).command is None and gate.driver is None


def test_release_without_a_stop_is_harmless():
    assert make_gate().release(at(1.0))[0]


def test_clock_that_is_set_back_stops_the_robot_and_does_not_lock_sources_out():
    gate = make_gate()
    gate.emergency_stop('service', at(99.0))
    gate.release(at(99.1))
    offer(gate, 'policy', GO, 100.0)
    assert gate.tick(at(1.0)).command.tolist() == ZERO
    assert offer(gate, 'policy', GO, 1.1).command.tolist() == GO.tolist()


def test_acceleration_starts_from_standing_after_a_stop():
    gate = make_gate(acceleration=[0.5, 0.5, 5.0])
    offer(gate, 'policy', GO, 1.0)
    offer(gate, 'policy', GO, 1.2)
    gate.emergency_stop('service', at(1.3))
    gate.release(at(2.0))
    offer(gate, 'policy', ZERO, 2.0)
    np.testing.assert_allclose(offer(gate, 'policy', [0.25, 0, 0], 2.1).command, [0.05, 0, 0])


def test_unknown_names_of_sources_are_refused():
    with pytest.raises(ValueError, match='autopilot'):
        SafetyGate(CommandLimiter(LIMITS), SOURCES, guarded=('autopilot',))


@pytest.mark.parametrize('seed', range(6))
def test_invariants_hold_whatever_comes_in(seed):
    rng = np.random.default_rng(seed)
    gate = make_gate(
        deadman=bool(seed % 2),
        repeat_stop=0.3 * (seed % 3),
        acceleration=[0.5, np.inf, 2.0] if seed > 2 else None,
    )
    low = np.array([-LIMITS.backward, -LIMITS.side, -LIMITS.turn])
    high = np.array([LIMITS.forward, LIMITS.side, LIMITS.turn])
    ros = steady = 1000.0
    held = {'deadman': False, 'emergency_stop': False, 'release': False}
    joystick_at, moved, released_by = -np.inf, 0, 0
    last_good = dict.fromkeys(SOURCES, -np.inf)
    for _ in range(8000):
        step = rng.exponential(0.05)
        steady += step
        ros += step if rng.random() > 0.01 else rng.normal() * 5
        now = Instant(ros, steady)
        was_stopped = gate.stopped
        kind = rng.choice(
            ['offer', 'joystick', 'tick', 'stop', 'release'], p=[0.6, 0.2, 0.17, 0.01, 0.02]
        )
        source = str(rng.choice(list(SOURCES)))
        decision, may_release = None, False
        if kind == 'offer':
            command = rng.normal(size=3) * 10.0 ** rng.integers(-3, 3) * (rng.random() > 0.3)
            if rng.random() < 0.1:
                command[rng.integers(3)] = rng.choice([np.nan, np.inf, -np.inf])
            stamp = rng.choice(
                [ros, ros - rng.exponential(0.3), ros + rng.exponential(0.3), np.nan, 0.0],
                p=[0.6, 0.2, 0.16, 0.02, 0.02],
            )
            frame = str(rng.choice(['base_link', 'map'], p=[0.95, 0.05]))
            decision = gate.offer(source, command, stamp, frame, now)
            if decision.reason == gates.DRIVING:
                assert np.all(10 * low <= command) and np.all(command <= 10 * high)
                assert frame == 'base_link' and np.all(np.isfinite(command))
                assert -0.5 - 1e-9 <= stamp - ros <= 0.5 + 1e-9
                last_good[source] = steady
                if seed % 2 and source == 'policy':
                    assert held['deadman'] and steady - joystick_at <= 0.5
        elif kind == 'joystick':
            held = {
                'deadman': rng.random() < 0.7,
                'emergency_stop': rng.random() < 0.03,
                'release': rng.random() < 0.3,
            }
            joystick_at, may_release = steady, held['release'] and not held['emergency_stop']
            decision = gate.joystick(**held, now=now)
            if held['emergency_stop']:
                assert gate.stopped
        elif kind == 'tick':
            decision = gate.tick(now)
            # After a tick the robot moves only by a recent command.
            if gate.driver is not None:
                assert steady - last_good[gate.driver] <= 0.5 + 1e-9
        elif kind == 'stop':
            decision = gate.emergency_stop('test', now)
            assert gate.stopped
        else:
            may_release = True
            gate.release(now)
        if was_stopped and not gate.stopped:
            assert may_release
            released_by += 1
        if decision is not None and decision.command is not None:
            assert np.all(np.isfinite(decision.command))
            assert np.all(low <= decision.command) and np.all(decision.command <= high)
            if gate.stopped or kind != 'offer':
                assert not np.any(decision.command)
            moved += bool(np.any(decision.command))
    # The run was worth something.
    assert moved > 100 and released_by > 1


def test_who_commands_is_told_for_recordings():
    gate = make_gate()
    driving = offer(gate, 'policy', GO, 1.0)
    assert gate.commander(driving, at(1.0)) == 'policy'
    correcting = offer(gate, 'teleop', GO, 1.1)
    assert gate.commander(correcting, at(1.1)) == 'intervention'
    alone = offer(gate, 'teleop', GO, 3.0)
    assert gate.commander(alone, at(3.0)) == 'teleop'
    assert gate.commander(gate.emergency_stop('service', at(3.1)), at(3.1)) == 'safety'


@pytest.mark.parametrize('command', [[1e30, 0, 0], [0, -1e3, 0], [0, 0, 40.0], [-1.6, 0, 0]])
def test_command_far_beyond_the_limits_is_garbage_and_not_full_speed(command):
    gate = make_gate()
    offer(gate, 'policy', GO, 1.0)
    decision = offer(gate, 'policy', command, 1.1)
    assert decision.command.tolist() == ZERO and decision.reason == gates.IMPLAUSIBLE
    assert gate.driver is None


def test_garbage_to_the_side_of_a_base_with_wheels_is_garbage_and_haste_is_not():
    wheels = RobotProfile.load('turtlebot4').limits
    gate = SafetyGate(CommandLimiter(wheels), SOURCES, operator='teleop')
    assert offer(gate, 'policy', [0.1, 0.3, 0.0], 1.0).reason == gates.DRIVING
    assert offer(gate, 'policy', [0.1, 1e9, 0.0], 1.1).reason == gates.IMPLAUSIBLE


def test_a_hold_stops_who_drives_and_keeps_all_standing_until_it_is_taken_back():
    gate = make_gate()
    offer(gate, 'policy', GO, 1.0)
    gate.hold('fallen', 'the robot lies')
    decision = gate.tick(at(1.01))
    assert decision.command.tolist() == ZERO and decision.reason == f'{gates.HELD}:fallen'
    assert gate.tick(at(1.02)).command is None
    for time, source in enumerate(SOURCES, 2):
        decision = offer(gate, source, GO, time)
        assert decision.command.tolist() == ZERO and 'the robot lies' in decision.message
        assert 'the robot lies' in gate.may_act(source, at(time))
    assert gate.holds == {'fallen': 'the robot lies'}
    gate.hold('fallen', '')
    assert offer(gate, 'teleop', GO, 9.0).reason == gates.DRIVING and not gate.holds


def test_a_hold_of_some_sources_leaves_the_others_free():
    gate = make_gate()
    gate.hold('game', 'set', only=('policy',))
    assert offer(gate, 'policy', GO, 1.0).command.tolist() == ZERO
    assert offer(gate, 'teleop', GO, 1.1).command.tolist() == GO.tolist()


def test_an_operator_without_the_dead_man_may_say_zero_but_not_drive():
    gate = SafetyGate(
        CommandLimiter(LIMITS), SOURCES, operator='teleop', guarded=('policy', 'teleop')
    )
    assert offer(gate, 'teleop', ZERO, 1.0).reason == gates.DRIVING
    assert gate.idles('teleop', at(1.0))
    decision = offer(gate, 'teleop', GO, 1.1)
    assert decision.command.tolist() == ZERO and decision.reason == gates.NO_DEADMAN
    press(gate, 1.2)
    assert offer(gate, 'teleop', GO, 1.3).command.tolist() == GO.tolist()
    assert press(gate, 1.4, deadman=False).command.tolist() == ZERO
