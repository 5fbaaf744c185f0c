"""What a robot is told of speeds that it would not follow."""

from hypothesis import example, given
from hypothesis import strategies as st
import numpy as np
import pytest

from guda_ros.robots.dead_zone import to_robot
from guda_ros.soccer.driver import Driver, SMALL
from guda_ros.soccer.robot import VelocityLimits

LIMITS = VelocityLimits(forward=0.6, backward=0.25, side=0.4, turn=2.0)
ZONE = (0.3, 0.2, 0.25)


def told(command, small='nearest', **driver):
    return to_robot(command, LIMITS, Driver(dead_zone=ZONE, small=small, **driver)).tolist()


@pytest.mark.parametrize(
    'small, wanted',
    [
        ('drop', [0.0, 0.0, 0.0]),
        ('nearest', [0.3, 0.0, -0.25]),
        ('raise', [0.3, 0.2, -0.25]),
    ],
)
def test_a_speed_in_the_dead_zone_is_dropped_or_raised_as_the_profile_says(small, wanted):
    assert told([0.15, 0.0999, -0.2], small) == wanted


@pytest.mark.parametrize('small', SMALL)
def test_a_speed_out_of_the_dead_zone_passes_and_zero_stays_zero(small):
    assert told([0.3, -0.2, 0.25], small) == [0.3, -0.2, 0.25]
    assert told([0.0, -0.0, 0.0], small) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize('small', SMALL)
def test_no_speed_is_raised_over_the_limit_of_the_robot(small):
    # Backward the robot may do .25 m/s, and follows nothing below .3.
    assert told([-0.2, 0.0, 0.0], small) == [0.0, 0.0, 0.0]
    assert told([-9.0, 9.0, -9.0], small) == [0.0, 0.4, -2.0]


@pytest.mark.parametrize('command', [[np.nan, 0, 0], [0.1, np.inf, 0], [0.1, 0.1], None])
def test_what_is_no_command_is_zero(command):
    assert told(command) == [0.0, 0.0, 0.0]


def test_the_scale_is_the_last_thing_so_that_limits_are_those_of_the_motion():
    assert told([9.0, 0.0, 0.1], 'drop', scale=(2.0, 1.0, 3.0)) == [1.2, 0.0, 0.0]


SPEED = st.floats(-3, 3)


@given(st.tuples(SPEED, SPEED, SPEED), st.tuples(SPEED, SPEED, SPEED), st.sampled_from(SMALL))
@example((0.0, 0.0, 0.0), (0.0, 0.0, 5e-324), 'raise')
def test_the_same_command_becomes_the_same_whatever_came_before(first, second, small):
    alone = told(second, small)
    told(first, small)
    assert told(second, small) == alone
    for value, zone, wish in zip(alone, ZONE, second):
        assert value == 0 or (abs(value) >= zone and np.sign(value) == np.sign(wish))
    np.testing.assert_array_equal(LIMITS.clip(np.array(alone)), alone)
