"""What robots hear and say, by what their makers publish."""

import json

import numpy as np
import pytest

from guda_ros.robots import booster, op3, unitree


def test_a_booster_robot_walks_by_call_2001():
    call = booster.move(np.array([0.3, -0.1, 0.5]))
    assert call.api_id == 2001 and json.loads(call.header) == {'api_id': 2001}
    assert json.loads(call.body) == {'vx': 0.3, 'vy': -0.1, 'vyaw': 0.5}
    assert booster.move(np.array([0.0, -0.0, 0.0])).body.count('-') == 0


def test_a_booster_robot_turns_its_head_and_changes_its_mode_in_json():
    call = booster.rotate_head(0.4, -0.2)
    assert call.api_id == 2004 and json.loads(call.body) == {'pitch': 0.4, 'yaw': -0.2}
    call = booster.change_mode(booster.WALKING)
    assert call.api_id == 2000 and json.loads(call.body) == {'mode': 2}


@pytest.mark.parametrize(
    'body, mode, walks',
    [
        ('{"mode": 0}', 'damping', False),
        ('{"mode": 1}', 'prepare', False),
        ('{"mode": 2}', 'walking', True),
        ('{"mode": 4}', 'soccer', True),
        ('{"mode": 9}', 'mode 9', False),
        ('{"mode": -1}', 'unknown', None),
        ('{"mode": "2"}', None, None),
        ('{"mode": true}', None, None),
        ('[]', None, None),
        ('nonsense', None, None),
        ('[' * 100_000, None, None),
    ],
)
def test_the_mode_of_a_booster_robot_is_read_from_its_answer(body, mode, walks):
    assert booster.mode_of(body) == mode
    assert booster.walks(mode) is walks


@pytest.mark.parametrize(
    'state, fall',
    [
        (0, ''),
        (1, 'falling'),
        (2, 'fallen'),
        (3, 'getting up'),
        (7, 'fallen'),
        ('IS_READY', ''),
        ('HAS_FALLEN', 'fallen'),
        ('IS_GETTING_UP', 'getting up'),
        ('IS_FALLING', 'falling'),
        ('?', 'fallen'),
    ],
)
def test_a_fall_of_a_booster_robot_is_read_from_number_or_word(state, fall):
    assert booster.fall_of(state) == fall


def test_a_call_that_a_booster_robot_refuses_is_told():
    assert booster.problem_of(0, booster.Call(2001)) == ''
    assert booster.problem_of(100, booster.Call(2001)) == 'call 2001: time-out 100'
    assert booster.problem_of(7, booster.Call(2008)) == 'call 2008: status 7'


def test_a_unitree_robot_is_never_told_to_walk_for_longer_than_a_moment():
    told = json.loads(unitree.velocity(np.array([0.3, -0.1, 0.5])))
    assert told['velocity'] == [0.3, -0.1, 0.5]
    # Told again every tenth of a second, so that one that is lost changes nothing.
    assert 0.1 < told['duration'] < 1.0
    assert unitree.SET_VELOCITY == 7105


def test_an_op3_makes_two_steps_in_a_period():
    assert op3.amplitudes(np.array([0.1, -0.05, 0.6]), 0.6) == pytest.approx((0.03, -0.015, 0.18))
    for period in (0.0, -1.0, float('nan'), float('inf')):
        with pytest.raises(ValueError, match='period'):
            op3.amplitudes(np.zeros(3), period)


def test_an_op3_is_told_to_start_once_and_to_stop_with_every_zero():
    switch, go, stand = op3.WalkSwitch(), np.array([0.1, 0, 0]), np.zeros(3)
    assert [switch.word(c) for c in (stand, go, go, stand, stand, go)] == [
        'stop',
        'start',
        '',
        'stop',
        'stop',
        'start',
    ]
