"""Commands that wait for simulated time, and which decisions are worth a line in the log."""

import numpy as np
import pytest

from guda_ros.control import safety_gate as gates
from guda_ros.control.decision_log import DecisionLog, is_warning, LOG_INTERVAL
from guda_ros.control.held_commands import (
    CLOCK_PATIENCE,
    HeldCommand,
    HeldCommands,
    SUPPRESSED_PATIENCE,
)
from guda_ros.control.safety_gate import Decision

CLOCK = 5_000_000_000


def held(reason, source='policy', arrival=0.0) -> HeldCommand:
    return HeldCommand(
        source,
        np.array([0.1, 0.0, 0.0]),
        CLOCK + 100_000_000,
        'base_link',
        Decision(None, reason, reason),
        arrival,
        CLOCK,
    )


def test_a_command_ahead_of_the_clock_is_offered_again_as_soon_as_the_clock_moves():
    commands, early = HeldCommands(), held(gates.FUTURE)
    assert commands.hold(early, 0.0)
    assert commands.due(CLOCK, 0.1) == ([], [])
    assert commands.due(CLOCK + 1, 0.1) == ([early], [])
    assert commands.due(CLOCK + 2, 0.2) == ([], [])


def test_a_command_ahead_of_a_clock_that_stands_is_offered_once_more_and_not_held_again():
    commands, early = HeldCommands(), held(gates.FUTURE)
    commands.hold(early, 0.0)
    late = CLOCK_PATIENCE + 0.1
    assert commands.due(CLOCK, late) == ([early], [])
    assert not commands.hold(early, late)
    assert commands.due(CLOCK, late + CLOCK_PATIENCE) == ([], [])


def test_a_step_that_nobody_answers_is_told_after_a_moment():
    commands, suppressed = HeldCommands(), held(gates.SUPPRESSED)
    assert not commands.hold(suppressed, 0.0), 'the decision about it stands'
    assert commands.due(CLOCK, SUPPRESSED_PATIENCE) == ([], [])
    assert commands.due(CLOCK, SUPPRESSED_PATIENCE + 0.01) == ([], [suppressed])


def test_a_step_that_time_has_left_behind_needs_no_answer():
    commands = HeldCommands()
    commands.hold(held(gates.SUPPRESSED), 0.0)
    assert commands.due(CLOCK + 1, 1.0) == ([], [])
    assert commands.due(CLOCK, 9.0) == ([], [])


@pytest.mark.parametrize('reason', [gates.DRIVING, gates.STALE, gates.NO_DEADMAN])
def test_what_was_answered_is_not_held(reason):
    commands = HeldCommands()
    assert not commands.hold(held(reason), 0.0)
    assert commands.take('policy') is None


def test_a_newer_command_takes_the_place_of_that_of_its_own_source_only():
    commands, other = HeldCommands(), held(gates.FUTURE, 'teleop')
    commands.hold(held(gates.FUTURE), 0.0)
    commands.hold(other, 0.0)
    assert commands.take('policy').source == 'policy'
    assert commands.due(CLOCK + 1, 0.1) == ([other], [])


def test_a_reason_is_logged_when_it_changes_and_not_too_often():
    log = DecisionLog()
    driving, silent = (Decision(None, reason, reason) for reason in (gates.DRIVING, gates.SILENT))
    assert log.is_news('teleop', driving, 0.0)
    assert not log.is_news('teleop', driving, 0.1)
    assert log.is_news('teleop', silent, 0.2)
    assert log.is_news('policy', silent, 0.2)
    assert not log.is_news('teleop', driving, 0.3), 'it was logged a moment ago'
    assert log.reasons == {'teleop': gates.DRIVING, 'policy': gates.SILENT}
    log.is_news('teleop', silent, 0.4)
    assert log.is_news('teleop', driving, LOG_INTERVAL + 0.5)


def test_a_decision_without_words_is_no_news():
    log = DecisionLog()
    assert not log.is_news('teleop', Decision(None, gates.IDLE, ''), 0.0)
    assert log.reasons == {}


@pytest.mark.parametrize(
    'reason, warns',
    [
        (gates.EMERGENCY_STOP, True),
        (gates.SILENT, True),
        (gates.NOT_FINITE, True),
        (gates.DRIVING, False),
        (gates.SUPPRESSED, False),
    ],
)
def test_stops_and_faults_are_warnings(reason, warns):
    assert is_warning(Decision(None, reason, reason)) == warns
