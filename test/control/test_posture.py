"""Whether a robot stands, from the samples of the twin's IMU and from plain geometry."""

import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from guda_ros.control.posture import GRAVITY, Posture
from guda_ros.sim.physics.sensors import ImuModel
from guda_ros.soccer.robot import RobotProfile

NAO = RobotProfile.load('nao_v6')
PERIOD = 0.01


def walk(posture, imu, start, seconds, velocity=lambda t: (0, 0, 0), fall=lambda t: (0, 0)):
    """Feed a posture with an IMU; return the times at which it was down."""
    down = []
    for step in range(round(seconds / PERIOD)):
        time = step * PERIOD
        sway = 0.02 * math.sin(12 * time), 0.05 * math.sin(12 * time), 0.04 * math.sin(24 * time)
        rates, force = imu.sample(start + time, 0.0, np.array(velocity(time)), sway, fall(time))
        posture.see(start + time, rates, force)
        if posture.down:
            down.append(time)
    return down


def test_a_walk_with_sway_and_hard_starts_and_stops_is_no_fall():
    limits = NAO.limits

    def square_wave(time):
        on = 1 if int(2 * time) % 2 else -1
        return on * limits.forward, on * limits.side, on * limits.turn

    assert not walk(Posture(), ImuModel(NAO.imu), 5.0, 20.0, square_wave)


@pytest.mark.parametrize('direction', np.linspace(0, 2 * np.pi, 8, endpoint=False))
def test_a_fall_to_any_side_is_seen_before_half_of_it_is_over(direction):
    side = np.array([-np.sin(direction), np.cos(direction)])

    def fall(time):
        # A second upright, .6 s of falling as the twin falls, lying to the end.
        return np.clip((time - 1.0) / 0.6, 0.0, 1.0) * np.pi / 2 * side

    down = walk(Posture(), ImuModel(NAO.imu), 0.0, 4.0, fall=fall)
    assert 1.0 < down[0] < 1.3 and down[-1] == pytest.approx(3.99)
    assert len(down) == round((4.0 - down[0]) / PERIOD)


def test_a_robot_that_got_up_stands_when_it_was_upright_for_a_while():
    posture = Posture(settled=1.0)

    def up_and_down(time):
        return np.array([0.0, np.pi / 2 * np.clip(2.0 - time, 0.0, 1.0)])

    down = walk(posture, ImuModel(NAO.imu), 0.0, 6.0, fall=up_and_down)
    assert down[0] == 0.0 and 2.5 < down[-1] < 3.2 and not posture.down


@given(
    st.floats(-math.pi, math.pi), st.floats(-1.5, 1.5), st.floats(-math.pi, math.pi), st.booleans()
)
def test_tilt_is_the_angle_to_the_vertical_by_accelerometer_and_by_orientation(
    yaw, pitch, roll, oriented
):
    cy, sy = math.cos(yaw / 2), math.sin(yaw / 2)
    cp, sp = math.cos(pitch / 2), math.sin(pitch / 2)
    cr, sr = math.cos(roll / 2), math.sin(roll / 2)
    quaternion = np.array(
        [
            sr * cp * cy - cr * sp * sy,
            cr * sp * cy + sr * cp * sy,
            cr * cp * sy - sr * sp * cy,
            cr * cp * cy + sr * sp * sy,
        ]
    )
    up = np.array(
        [-math.sin(pitch), math.sin(roll) * math.cos(pitch), math.cos(roll) * math.cos(pitch)]
    )
    posture = Posture()
    # An accelerometer that contradicts the orientation is not asked.
    force = np.array([GRAVITY, 0.0, 0.0]) if oriented else GRAVITY * up
    posture.see(1.0, np.zeros(3), force, quaternion if oriented else None)
    assert posture.tilt == pytest.approx(math.acos(np.clip(up[2], -1, 1)), abs=1e-6)


def test_an_imu_on_its_side_is_told_which_way_is_up():
    posture = Posture(up=(0.0, 1.0, 0.0))
    posture.see(0.0, np.zeros(3), np.array([0.0, GRAVITY, 0.0]))
    assert posture.tilt == pytest.approx(0.0, abs=1e-6) and not posture.down
    with pytest.raises(ValueError, match='direction'):
        Posture(up=(0.0, 0.0, 0.0))


def test_nonsense_and_shocks_change_nothing_and_time_that_goes_back_forgets_no_fall():
    posture = Posture()
    posture.see(0.0, np.zeros(3), np.array([0.0, 0.0, GRAVITY]))
    posture.see(0.01, np.full(3, np.nan), np.array([GRAVITY, 0.0, 0.0]))
    posture.see(0.01, np.zeros(3), np.array([80.0, 0.0, 0.0]))
    assert not posture.down and posture.tilt < 0.01
    posture.see(9.0, np.zeros(3), np.array([GRAVITY, 0.0, 0.0]))
    assert posture.down
    posture.see(1.0, np.zeros(3), np.array([0.0, 0.0, GRAVITY]))
    assert posture.down
    posture.see(2.1, np.zeros(3), np.array([0.0, 0.0, GRAVITY]))
    assert not posture.down
