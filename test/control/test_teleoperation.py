"""When sticks become commands, which stamps these bear, and where the head is to look."""

import numpy as np
import pytest

from guda_ros.control.head_aim import HEAD_SPEED, HEAD_STEP, HeadAim
from guda_ros.control.joystick import JoystickState
from guda_ros.control.kick_and_head import check_head
from guda_ros.control.teleoperation import OBSERVED, Teleoperation
from guda_ros.soccer.robot import RobotProfile

SECOND = 1_000_000_000
PUSH = np.array([0.5, 0.0, -0.2])
HELD = JoystickState(PUSH, frozenset(('deadman',)))
RESTING = JoystickState(np.zeros(3), frozenset(('deadman',)))
FREE = JoystickState(np.zeros(3), frozenset())


@pytest.fixture
def person():
    return Teleoperation(timeout=0.5, hand_over=0.3)


def says(person, state, seconds):
    """Return what a joystick message leads to whose stamp is the moment it comes."""
    return person.joystick(state, round(seconds * SECOND), seconds, seconds)


def sees(person, seconds, running=True):
    stamp = round(seconds * SECOND)
    return person.observation(stamp, stamp, seconds, running)


def test_a_held_stick_is_a_command_with_the_stamp_of_the_joystick(person):
    wish = says(person, HELD, 1.0)
    assert wish.action.tolist() == PUSH.tolist() and wish.stamp == SECOND
    assert person.driving


def test_without_the_dead_man_nothing_is_sent_but_one_zero_after_driving(person):
    assert says(person, FREE, 1.0) is None
    says(person, HELD, 1.1)
    assert says(person, FREE, 1.2).action.tolist() == [0.0, 0.0, 0.0]
    assert says(person, FREE, 1.3) is None


def test_the_emergency_stop_outweighs_the_dead_man(person):
    both = JoystickState(PUSH, frozenset(('deadman', 'emergency_stop')))
    assert says(person, both, 1.0) is None and not person.driving


def test_commands_bear_the_stamps_of_observations_while_there_are_some(person):
    sees(person, 1.0)
    assert says(person, HELD, 1.05) is None and person.driving
    wish = sees(person, 1.1)
    assert wish.action.tolist() == PUSH.tolist() and wish.stamp == 1_100_000_000
    later = 1.1 + OBSERVED + 0.01
    assert says(person, HELD, later).stamp == round(later * SECOND)


def test_letting_go_answers_the_latest_observation(person):
    sees(person, 1.0)
    says(person, HELD, 1.05)
    sees(person, 1.1)
    assert says(person, FREE, 1.15).stamp == 1_100_000_000


def test_steps_of_an_episode_are_answered_with_zero_where_no_policy_does(person):
    assert sees(person, 1.0).action.tolist() == [0.0, 0.0, 0.0]
    assert sees(person, 1.1, running=False) is None
    person.policy = True
    assert sees(person, 1.2) is None
    person.taken_over = True
    assert sees(person, 1.3).action.tolist() == [0.0, 0.0, 0.0]


def test_the_first_observation_of_an_episode_is_answered_though_it_comes_late(person):
    sees(person, 1.0)
    person.expect(0.3, 1.1)
    sees(person, 1.2)
    # Of what is said meanwhile nothing is newer than the observation, which takes its time.
    assert says(person, HELD, 1.75) is None
    first = sees(person, 1.5)
    assert first.stamp == 1_500_000_000 and first.action.tolist() == HELD.action.tolist()
    # Where none comes, the joystick is answered soon.
    person.expect(5.0, 2.0)
    assert says(person, HELD, 2.7) is None
    assert says(person, HELD, 2.9).stamp == 2_900_000_000


def test_an_observation_older_than_what_was_sent_gets_no_answer(person):
    says(person, HELD, 2.0)
    assert person.observation(SECOND, 2 * SECOND, 2.0, True) is None


def test_a_clock_that_was_set_back_does_not_silence_answers(person):
    says(person, HELD, 900.0)
    assert person.observation(SECOND, SECOND, 900.1, True).stamp == SECOND


def test_resting_sticks_leave_a_policy_the_robot_until_they_move(person):
    person.policy = True
    assert says(person, RESTING, 1.0) is None and not person.driving
    assert says(person, HELD, 1.1) is not None
    assert says(person, RESTING, 1.2).action.tolist() == [0.0, 0.0, 0.0]
    assert person.driving, 'the sticks have not rested for long'
    says(person, RESTING, 1.5)
    assert not person.driving


def test_who_has_taken_over_keeps_the_robot_with_resting_sticks(person):
    person.policy = person.taken_over = True
    assert says(person, RESTING, 1.0) is not None and person.driving


def test_a_joystick_that_falls_silent_stops_the_robot_once(person):
    says(person, HELD, 1.0)
    assert person.silence(1.4, round(1.4 * SECOND)) is None
    stop = person.silence(9.0, 9 * SECOND)
    assert stop.action.tolist() == [0.0, 0.0, 0.0]
    assert stop.stamp == 1_500_000_000, 'the moment at which it expired'
    assert person.silence(9.1, 9 * SECOND) is None


def test_a_joystick_that_appears_presses_nothing(person):
    assert person.known_for(1.0) is None
    says(person, FREE, 1.0)
    assert person.known_for(1.2) == pytest.approx(0.2)
    assert person.known_for(1.6) is None, 'it was away'
    assert person.known_for(0.9) is None, 'the clock was set back'
    says(person, JoystickState(np.zeros(3), frozenset(), 'seven axes are expected'), 1.7)
    assert person.known_for(1.8) is None


@pytest.fixture
def head():
    return RobotProfile.load('nao_v6').head


def test_the_head_turns_with_its_speed_and_stays_within_its_limits(head):
    aim = HeadAim(head)
    assert aim.turn(np.array([1.0, 0.0]), 0.05)
    assert aim.angles['head_pan'] == pytest.approx(0.05 * min(head.speed, HEAD_SPEED))
    for _ in range(100):
        aim.turn(np.array([1.0, -1.0]), 0.1)
    assert aim.angles == {'head_pan': head.pan[1], 'head_tilt': head.tilt[0]}
    check_head(aim.angles)
    aim.centre()
    assert aim.angles == {'head_pan': 0.0, 'head_tilt': 0.0}


def test_a_pause_of_the_joystick_does_not_fling_the_head(head):
    aim = HeadAim(head)
    aim.turn(np.array([0.0, 1.0]), 60.0)
    assert aim.angles['head_tilt'] == pytest.approx(HEAD_STEP * min(head.speed, HEAD_SPEED))


def test_a_stick_at_rest_moves_no_head(head):
    assert not HeadAim(head).turn(np.zeros(2), 0.1)
