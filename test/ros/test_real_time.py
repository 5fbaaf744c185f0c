"""Time and pace of a simulated world, on a clock that the test sets; the field's markers."""

import numpy as np
import pytest

from guda_ros.ros.markers import field_markers
from guda_ros.ros.simulator.real_time import RealTimePacer, StepClock
from guda_ros.soccer.field import Field


class Hands:
    """A clock [s]."""

    def __init__(self):
        self.time = 100.0

    def __call__(self):
        return self.time


def test_steps_become_due_as_time_passes_and_lost_ones_are_caught_up():
    hands = Hands()
    pace = RealTimePacer(0.01, 1.0, hands)
    assert pace.due() == 0
    made = 0
    for wait in [0.01] * 50 + [0.045] + [0.01] * 50:
        hands.time += wait
        made += pace.due()
    assert made == pytest.approx((50 + 50) + 4.5, abs=1)


def test_a_world_that_is_far_behind_gives_up_and_a_faster_one_has_more_steps():
    hands = Hands()
    pace = RealTimePacer(0.01, 2.0, hands)
    assert pace.interval == pytest.approx(0.005)
    hands.time += 10.0
    assert pace.due() == 1 and pace.due() == 0
    hands.time += 0.0501
    assert pace.due() == 8 and pace.due() == 2


def test_the_real_time_factor_is_that_since_it_was_last_asked():
    hands = Hands()
    pace = RealTimePacer(0.01, 1.0, hands)
    hands.time += 2.0
    assert pace.measure(1.0) == pytest.approx(0.5)
    hands.time += 2.0
    assert pace.measure(7.0) == pytest.approx(3.0)


def test_the_clock_counts_control_steps_and_never_drifts_nor_runs_backwards():
    clock = StepClock(30.0, 10.0)
    start = clock.next_begin()
    clock.begin(start)
    controls = []
    for _ in range(91):
        if clock.is_control:
            controls.append(clock.now)
        clock.advance()
    # Thirty steps a second are no whole nanoseconds, three of them are.
    np.testing.assert_array_equal(np.diff(controls), 100_000_000)
    assert clock.control_step == 30 and clock.simulated == pytest.approx(91 / 30)
    assert clock.next_begin() >= clock.now + 1_000_000_000
    clock.begin(clock.next_begin())
    assert clock.is_control and clock.simulated == pytest.approx(91 / 30)


@pytest.mark.parametrize('name, goals', [('spl', 2), ('lab_half', 1)])
def test_markers_of_a_field_have_its_measures(name, goals):
    field = Field.load(name)
    carpet, lines, frames = field_markers(field, 'map').markers
    assert {marker.header.frame_id for marker in (carpet, lines, frames)} == {'map'}
    assert carpet.scale.x == pytest.approx(field.length + 2 * field.border)
    points = np.array([[point.x, point.y] for point in lines.points])
    # The outer edges of the lines are the field's.
    np.testing.assert_allclose(
        points.max(axis=0) + field.line_width / 2, [field.length / 2, field.width / 2]
    )
    tops = [point.x for point in frames.points if point.z > 0]
    assert len(frames.points) == 6 * goals and max(tops) == field.length / 2
