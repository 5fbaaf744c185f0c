"""Where a walk goes after its last command: the robot's own response, from its profile."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
import math

import numpy as np

from guda_ros.soccer.robot import Walk

#: Step [s] in which paths are predicted.
STEP = 0.04
#: So many time constants after a command of zero a robot stands.
_SETTLED = 3.0


class WalkResponse:
    """
    Follow the commands of a walk as the simulator does: a first-order lag after a dead time.

    :param walk: of the robot's profile.
    :param memory: how far back [s] a path may begin.
    """

    def __init__(self, walk: Walk, memory: float) -> None:
        self._lag = np.array(walk.response_time)
        self._delay, self._memory = walk.delay, memory
        self._sent: deque[tuple[float, np.ndarray]] = deque()
        self._velocity, self._command, self._time = np.zeros(3), np.zeros(3), -math.inf
        self._scale = 1 - np.exp(-STEP / self._lag)
        self._coast = walk.delay + _SETTLED * float(self._lag.max())

    def sent(self, command: np.ndarray, time: float) -> None:
        """Note a command (3,) [m/s, m/s, rad/s] in base_link that was sent at `time` [s]."""
        if self._sent and time < self._sent[-1][0]:
            # The clock was set back: nothing is known of before.
            self._sent.clear()
            self._velocity, self._command, self._time = np.zeros(3), np.zeros(3), -math.inf
        self._sent.append((time, np.array(command, dtype=np.float64)))
        while len(self._sent) > 1 and self._sent[0][0] + self._delay < time - self._memory:
            self._forget()

    def _forget(self) -> None:
        """Take the oldest command into what the robot did before."""
        begin, command = self._sent.popleft()
        begin += self._delay
        if math.isfinite(self._time):
            decay = np.exp(-(begin - self._time) / self._lag)
            self._velocity = self._command + (self._velocity - self._command) * decay
        self._command, self._time = command, begin

    def reach(self, command: np.ndarray, since: float, now: float, hold: float) -> float:
        """Return how far [m] the robot comes at most on a path as `path` has it."""
        speeds = [self._velocity, self._command, command, *(sent for _, sent in self._sent)]
        return max(math.hypot(*speed[:2]) for speed in speeds) * self._length(since, now, hold)

    def path(
        self, pose: np.ndarray, command: np.ndarray, since: float, now: float, hold: float
    ) -> np.ndarray:
        """
        Return the places (n, 2) [m] on the way from a pose to where the robot stands.

        :param pose: (3,) x, y [m], yaw [rad] at `since` [s].
        :param command: (3,) that is sent `now` and followed for `hold` [s], then zero.
        """
        x, y, yaw = (float(value) for value in pose)
        places = [(x, y)]
        for forward, left, turn in self._velocities(command, since, now, hold):
            # Half the turn before the step and half after it.
            yaw += 0.5 * turn * STEP
            cosine, sine = math.cos(yaw), math.sin(yaw)
            x += (cosine * forward - sine * left) * STEP
            y += (sine * forward + cosine * left) * STEP
            yaw += 0.5 * turn * STEP
            places.append((x, y))
        return np.array(places)

    def _length(self, since: float, now: float, hold: float) -> float:
        return max(now - since, 0.0) + hold + self._coast

    def _velocities(
        self, command: np.ndarray, since: float, now: float, hold: float
    ) -> Iterator[np.ndarray]:
        """Yield the mean velocities (3,) in the steps after `since`."""
        events = [(sent + self._delay, each) for sent, each in self._sent]
        events += [(now + self._delay, command), (now + hold + self._delay, np.zeros(3))]
        velocity, followed, time = self._velocity, self._command, self._time
        end = since + self._length(since, now, hold)
        index, moment = 0, since
        # What was followed up to `since`, exactly.
        while index < len(events) and events[index][0] <= since:
            begin, next_command = events[index]
            if math.isfinite(time):
                velocity = followed + (velocity - followed) * np.exp(-(begin - time) / self._lag)
            followed, time, index = next_command, begin, index + 1
        if math.isfinite(time):
            velocity = followed + (velocity - followed) * np.exp(-(since - time) / self._lag)
        while moment < end:
            while index < len(events) and events[index][0] < moment + STEP / 2:
                followed, index = events[index][1], index + 1
            after = velocity + (followed - velocity) * self._scale
            yield 0.5 * (velocity + after)
            velocity, moment = after, moment + STEP
