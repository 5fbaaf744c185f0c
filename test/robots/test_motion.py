"""The watchdog of an adapter: when the robot may move, and what stops it."""

import numpy as np
import pytest

from guda_ros.robots import motion
from guda_ros.robots.motion import Motion

GO = [0.2, 0.0, 0.5]
ZERO = [0.0, 0.0, 0.0]


class Clock:
    """A steady clock that ticks the motion as the node does."""

    def __init__(self, watchdog=0.25):
        self.motion, self.now = Motion(watchdog), 100.0
        self.tick()

    def tick(self):
        command, self.reason = self.motion.tick(self.now)
        return command.tolist()

    def run(self, seconds, heartbeat=False):
        """Let time pass; return what the robot was told at each tick, with the times."""
        told, until = [], self.now + seconds
        while self.now < until:
            self.now += 0.02
            if heartbeat:
                self.motion.heartbeat(self.now)
            told.append((self.now, self.tick()))
        return told


def test_a_robot_stands_until_the_first_command():
    clock = Clock()
    assert clock.run(1.0, heartbeat=True)[-1][1] == ZERO and clock.reason == motion.STARTING
    clock.motion.command(GO, clock.now)
    assert clock.tick() == GO and clock.reason == motion.DRIVING


def test_silence_stops_the_robot_within_the_watchdog_and_a_tick():
    clock = Clock()
    clock.motion.command(GO, clock.now)
    since = clock.now
    stopped = next(now for now, told in clock.run(1.0) if told == ZERO)
    assert 0.25 < stopped - since <= 0.25 + 0.02 + 1e-6
    assert clock.reason == motion.SILENT and clock.motion.silences == 1


def test_a_heartbeat_makes_the_last_command_hold():
    clock = Clock()
    clock.motion.command(GO, clock.now)
    assert all(told == GO for _, told in clock.run(2.0, heartbeat=True))


def test_what_was_commanded_before_a_silence_is_not_taken_up_again():
    clock = Clock()
    clock.motion.command(GO, clock.now)
    clock.run(0.5)
    assert all(told == ZERO for _, told in clock.run(1.0, heartbeat=True))
    clock.motion.command(GO, clock.now)
    assert clock.tick() == GO


def test_what_waited_while_the_process_was_held_up_moves_nothing():
    clock = Clock()
    clock.motion.command(GO, clock.now)
    clock.tick()
    clock.now += 5.0
    # The queue is read before the timer runs.
    clock.motion.command(GO, clock.now)
    clock.motion.heartbeat(clock.now)
    assert clock.tick() == ZERO and clock.reason == motion.SILENT
    assert all(told == ZERO for _, told in clock.run(0.5, heartbeat=True))


@pytest.mark.parametrize('fall', ['falling', 'fallen', 'getting up'])
def test_a_robot_that_falls_is_told_zero_until_it_stands(fall):
    clock = Clock()
    clock.motion.command(GO, clock.now)
    clock.motion.status.fall = fall
    assert clock.tick() == ZERO and clock.reason == motion.FALLEN
    clock.motion.status.fall = ''
    clock.motion.command(GO, clock.now)
    assert clock.tick() == GO


def test_a_mode_in_which_the_robot_does_not_walk_is_told_zero_and_an_unknown_one_is_not():
    clock = Clock()
    clock.motion.command(GO, clock.now)
    clock.motion.status.walks = False
    assert clock.tick() == ZERO and clock.reason == motion.NOT_WALKING
    clock.motion.status.walks = None
    assert clock.tick() == GO


@pytest.mark.parametrize('command', [[np.nan, 0, 0], [1.0], [np.inf] * 3])
def test_what_is_no_command_stands_still(command):
    clock = Clock()
    clock.motion.command(command, clock.now)
    assert clock.tick() == ZERO and clock.reason == motion.STANDING
