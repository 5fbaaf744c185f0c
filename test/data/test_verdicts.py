"""Verdicts and commanders have one home, whose numbers data sets rely on."""

import pytest

from guda_ros.data.verdicts import (
    BROKEN_OFF,
    commander_index,
    COMMANDERS,
    INTERVENTION,
    JUDGED,
    SOURCES,
    STOP,
    VERDICTS,
)


@pytest.mark.parametrize(
    'name, number',
    [('unknown', 0), ('safety', 1), ('policy', 2), ('teleop', 3), ('intervention', 4)],
)
def test_the_numbers_of_commanders_in_data_sets_stay(name, number):
    assert commander_index(name) == number


def test_a_commander_of_a_later_version_counts_as_not_recorded():
    assert COMMANDERS[commander_index('autopilot')] == 'unknown'


def test_who_may_command_is_told_in_data_sets():
    assert {*SOURCES, STOP, INTERVENTION} == {*COMMANDERS} - {'unknown'}


def test_an_evaluation_gives_every_verdict_but_that_of_a_trial_that_is_repeated():
    assert {*VERDICTS} - {*JUDGED} == {'aborted'}
    assert {*BROKEN_OFF} - {''} <= {*VERDICTS}
