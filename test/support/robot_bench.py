"""A fake robot as a process, and adapters beside it as processes of their own."""

from __future__ import annotations

from pathlib import Path
import signal
import subprocess
import sys
import time

from ros_helpers import wait_for

FAKE_ROBOT = Path(__file__).with_name('fake_robot.py')
ZERO = [0.0, 0.0, 0.0]


class FakeRobot:
    """
    Start fake_robot.py in the ROS domain of this process's environment, and read what it heard.

    :param topic: on which it hears velocities. :param log: file for what it heard.
    """

    def __init__(self, topic: str, log: Path, *more: str) -> None:
        self._log = log
        log.touch()
        command = [sys.executable, str(FAKE_ROBOT), topic, str(log), *more]
        self._process = subprocess.Popen(command)

    def heard(self) -> list[tuple[float, list[float]]]:
        """Return steady time [s] and command of every message so far."""
        lines = self._log.read_text(encoding='utf-8').splitlines(keepends=True)
        rows = [[float(part) for part in line.split()] for line in lines if line.endswith('\n')]
        return [(row[0], row[1:]) for row in rows]

    def follows(self) -> list[float] | None:
        """Return the command that the robot follows now, None before the first."""
        heard = self.heard()
        return heard[-1][1] if heard else None

    def stopped_after(self, moment: float, spin, patience: float = 20.0) -> float:
        """
        Return how long after a steady moment [s] the robot was told zero, not to move again.

        :param spin: handles what arrives for a short time.
        """
        assert wait_for(lambda: self.follows() == ZERO, patience, spin), self.heard()[-5:]
        moving = [when for when, command in self.heard() if command != ZERO]
        zeros = [when for when, command in self.heard() if command == ZERO]
        return min(when for when in zeros if when > max(moving)) - moment

    def close(self) -> None:
        """End the process."""
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def sleep_a_little() -> None:
    """Let others work."""
    time.sleep(0.01)
