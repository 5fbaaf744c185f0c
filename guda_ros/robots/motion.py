"""When a robot's legs may move: the watchdog of an adapter, on a steady clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Why a robot stands, or that it moves.
STARTING = 'starting'
DRIVING = 'driving'
STANDING = 'standing'
SILENT = 'silent'
FALLEN = 'fallen'
NOT_WALKING = 'not walking'
ENDING = 'ending'


@dataclass
class RobotStatus:
    """
    What a robot says of itself; None is not known.

    mode: in the robot's own words. walks: whether it follows velocities in that mode. fall: ''
    while it stands, else falling, fallen or getting up. battery: share from 0 to 1. problem: what
    it objects to, in words.
    """

    mode: str | None = None
    walks: bool | None = None
    fall: str | None = None
    battery: float | None = None
    problem: str = ''


class Motion:
    """
    Say at each moment what a robot is to do, and stop it when nobody is heard.

    The last command holds while commands or heartbeats of the safety node keep coming. After
    `watchdog` seconds without either the robot stands, until a new command comes: what was
    commanded before a silence is never taken up again. It stands as well from the first sign of a
    fall until it is up, and in a mode in which it does not walk.

    All times are seconds of one steady clock. `tick` must be called several times in `watchdog`: a
    command or heartbeat that arrives when it was not says nothing, because it may have waited
    just as long as this process was held up.
    """

    def __init__(self, watchdog: float) -> None:
        self.watchdog = watchdog
        self.status = RobotStatus()
        #: Times that a moving robot was stopped because nobody was heard.
        self.silences = 0
        self._command: np.ndarray | None = None
        self._heard = self._ticked = float('-inf')

    def command(self, command: np.ndarray, now: float) -> None:
        """Take a command (3,) of the safety node; one that is not finite is zero."""
        if not self._awake(now):
            return
        command = np.asarray(command, dtype=np.float64)
        sound = command.shape == (3,) and np.isfinite(command).all()
        self._command = command if sound else np.zeros(3)
        self._heard = now

    def heartbeat(self, now: float) -> None:
        """Take a sign of life of the safety node."""
        # After a silence the time begins with a command.
        if self._awake(now) and self._command is not None:
            self._heard = now

    def forget(self) -> None:
        """Stand until a new command comes."""
        self._command = None

    def tick(self, now: float) -> tuple[np.ndarray, str]:
        """Return what the robot is to do now (3,), and why."""
        late, self._ticked = now - self._ticked > self.watchdog, now
        if self._command is None:
            return np.zeros(3), STARTING if self._heard == float('-inf') else SILENT
        if late or now - self._heard > self.watchdog:
            self.silences += bool(np.any(self._command))
            self._command = None
            return np.zeros(3), SILENT
        if self.status.fall:
            return np.zeros(3), FALLEN
        if self.status.walks is False:
            return np.zeros(3), NOT_WALKING
        return self._command.copy(), DRIVING if np.any(self._command) else STANDING

    def _awake(self, now: float) -> bool:
        return now - self._ticked <= self.watchdog
