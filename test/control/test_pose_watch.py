"""Poses that one robot can and cannot have one after the other."""

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from guda_ros.control.pose_watch import PoseWatch
from guda_ros.soccer.robot import RobotProfile
from guda_ros.soccer.world import compose

LIMITS = RobotProfile.load('nao_v6').limits


@given(st.lists(st.tuples(*[st.floats(-1, 1)] * 3), min_size=2, max_size=30), st.floats(0.02, 1.0))
def test_a_robot_within_its_limits_jumps_nowhere(actions, period):
    watch, pose = PoseWatch(LIMITS), np.array([1.0, -2.0, 3.0])
    for step, action in enumerate(actions):
        watch.see(step * period, pose)
        assert not watch.problem
        pose = compose(pose, LIMITS.to_command(np.array(action)) * period)


@pytest.mark.parametrize('jump', [(2.0, 0.0, 0.0), (0.0, -0.5, 0.0), (0.0, 0.0, 3.0)])
def test_a_jump_is_told_until_the_pose_has_settled(jump):
    watch, pose = PoseWatch(LIMITS, settled=1.0), np.zeros(3)
    for step in range(10):
        watch.see(step * 0.1, pose)
    pose = pose + jump
    for step in range(10, 20):
        watch.see(step * 0.1, pose)
        assert 'jumped' in watch.problem
    watch.see(2.01, pose)
    assert not watch.problem


def test_a_robot_that_somebody_put_elsewhere_or_whose_clock_was_set_back_has_not_jumped():
    watch = PoseWatch(LIMITS)
    watch.see(5.0, np.zeros(3))
    watch.reset()
    watch.see(5.1, np.array([3.0, 0.0, 0.0]))
    assert not watch.problem
    watch.see(1.0, np.zeros(3))
    assert not watch.problem
