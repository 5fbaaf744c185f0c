"""When a person's sticks become commands, which stamps these bear, and when they stop."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from guda_ros.control.joystick import JoystickState

#: Without an observation for so long [s], commands answer the joystick.
OBSERVED = 0.4


class Wish(NamedTuple):
    """An action (3,) in [-1, 1] for the stamp [ns] that it answers."""

    action: np.ndarray
    stamp: int


class Teleoperation:
    """
    Commands of a person with a dead-man button.

    Each is the answer to a joystick message or, where there are observations, to one of those.

    When the dead-man is let go, or the joystick falls silent, one zero command follows. Where a
    policy is running, a person who holds the dead-man with the sticks in the middle leaves it the
    robot, and takes it over by moving them; `taken_over` keeps the policy out altogether.

    Times `now` are in seconds on the clock of the node, `steady` on one that never jumps.

    :param timeout: silence [s] of the joystick after which the robot is stopped.
    :param hand_over: how long [s] the sticks rest before a policy has the robot back.
    """

    def __init__(self, timeout: float, hand_over: float) -> None:
        self.timeout, self._hand_over = timeout, hand_over
        #: What the joystick said last.
        self.state = JoystickState(np.zeros(3), frozenset())
        #: Whether the person drives; keeps the policy out; whether there is a policy.
        self.driving = self.taken_over = self.policy = False
        self._stamp = self._sent = self._seen = 0
        self._arrival: float | None = None
        self._moved = self._observed = -np.inf

    def alive(self, now: float) -> bool:
        """Tell whether the joystick has spoken within its timeout."""
        # Less than zero: a clock that was set back says nothing about age.
        return self._arrival is not None and 0 <= now - self._arrival <= self.timeout

    def known_for(self, now: float) -> float | None:
        """
        Return the time [s] since the joystick's last message, None if it appears only now.

        What was held when a joystick appeared, or came back, is no press.
        """
        if self._arrival is None or not self.alive(now) or self.state.problem:
            return None
        return now - self._arrival

    def joystick(self, state: JoystickState, stamp: int, now: float, steady: float) -> Wish | None:
        """Take what the joystick says with its stamp [ns]; return what to publish at once."""
        self._stamp, self._arrival, self.state = stamp, now, state
        if np.any(state.action) or 'kick' in state.pressed:
            self._moved = now
        observed = self._answers_observations(steady)
        if self._wants_to_drive(now):
            self.driving = True
            # Commands that answer observations bear no trace of the age of the wish.
            return None if observed else self._wish(state.action, stamp)
        if self.driving:
            # With a stamp of its own it would be newer than the next observation, whose answer
            # would then be out of order.
            return self._stop(max(self._sent, self._seen) if observed else stamp)
        return None

    def expect(self, seconds: float, steady: float) -> None:
        """
        Expect the first observation of an episode in `seconds`, or somewhat later.

        Until then nothing answers the joystick: that would be newer than the observation, whose
        answer would then be out of order.
        """
        self._observed = max(self._observed, steady + min(max(seconds, 0.0), OBSERVED))

    def observation(self, stamp: int, now: int, steady: float, running: bool) -> Wish | None:
        """
        Take the stamp [ns] of an observation; return the answer to it.

        :param now: [ns] on the clock of the stamps. :param running: whether an episode is.
        """
        # A straggler of before takes nothing from what is expected.
        self._observed, self._seen = max(self._observed, steady), stamp
        # A stamp far ahead of the clock is from before the clock was set back.
        if stamp < self._sent <= now + OBSERVED * 1e9:
            return None
        if self.driving:
            return self._wish(self.state.action, stamp)
        if running and (self.taken_over or not self.policy):
            return self._wish(np.zeros(3), stamp)
        return None

    def silence(self, now: float, clock: int) -> Wish | None:
        """
        Return what stops the robot, if the joystick fell silent while it drove.

        :param clock: [ns] on the clock of the stamps.
        """
        if not self.driving or self.alive(now):
            return None
        # Stamped with the moment at which it expired: simulated time may have jumped to the next
        # episode since, whose first step this must not answer.
        return self._stop(min(clock, max(self._stamp + int(self.timeout * 1e9), self._sent)))

    def _wants_to_drive(self, now: float) -> bool:
        if not self.state.deadman or self.state.emergency_stop:
            return False
        resting = not 0 <= now - self._moved <= self._hand_over
        return self.taken_over or not resting or not self.policy

    def _answers_observations(self, steady: float) -> bool:
        return steady - self._observed < OBSERVED

    def _stop(self, stamp: int) -> Wish:
        self.driving = False
        return self._wish(np.zeros(3), stamp)

    def _wish(self, action: np.ndarray, stamp: int) -> Wish:
        self._sent = stamp
        return Wish(action, stamp)
