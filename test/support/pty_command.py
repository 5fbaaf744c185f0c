"""A command in a pseudo-terminal, as a person would use it: read what it says, press keys."""

from __future__ import annotations

from collections.abc import Sequence
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time


class PtyCommand:
    """
    Runs `guda ARGUMENTS` with a pseudo-terminal for standard input and output.

    :param size: columns and rows that the terminal tells, if any.
    :param program: arguments for Python in place of `-m guda_ros`.
    """

    def __init__(
        self,
        *arguments: str,
        size: tuple[int, int] | None = None,
        program: Sequence[str] = ('-m', 'guda_ros'),
    ) -> None:
        self._terminal, child = pty.openpty()
        if size is not None:
            termios.tcsetwinsize(child, (size[1], size[0]))
        self.process = subprocess.Popen(
            [sys.executable, *program, *arguments],
            stdin=child,
            stdout=child,
            stderr=child,
            start_new_session=True,
        )
        os.close(child)
        self.text = ''
        self._read = 0

    def wait_for(self, pattern: str, timeout: float = 60.0, meanwhile=lambda: None) -> str:
        """Return what was said until a pattern that was not waited for before."""
        deadline = time.monotonic() + timeout
        while True:
            match = re.search(pattern, self.text[self._read :])
            if match:
                said = self.text[self._read : self._read + match.end()]
                self._read += match.end()
                return said
            assert time.monotonic() < deadline, f'{pattern!r} was not said:\n{self.text[-3000:]}'
            assert self._take() or self.process.poll() is None, (
                f'ended before {pattern!r}:\n{self.text[-3000:]}'
            )
            meanwhile()

    def _take(self) -> bool:
        if self._terminal < 0:
            time.sleep(0.05)
            return False
        if not select.select([self._terminal], [], [], 0.05)[0]:
            return False
        try:
            data = os.read(self._terminal, 65536)
        except OSError:
            # Linux answers EIO when nobody holds the other end.
            return False
        self.text += data.decode(errors='replace')
        return bool(data)

    def press(self, key: str) -> None:
        """Press a key."""
        os.write(self._terminal, key.encode())

    def mode(self) -> list:
        """Return the settings of the terminal."""
        return termios.tcgetattr(self._terminal)

    def hold(
        self,
        key: str,
        meanwhile,
        delay: float = 0.4,
        period: float = 0.04,
        timeout: float = 120.0,
    ) -> None:
        """Repeat a key as a keyboard does until `meanwhile` returns true."""
        self.press(key)
        wait, end = delay, time.monotonic() + timeout
        while not meanwhile():
            assert time.monotonic() < end, f'{key} leads to nothing:\n{self.text[-3000:]}'
            deadline = time.monotonic() + wait
            while time.monotonic() < deadline:
                self._take()
            self.press(key)
            wait = period

    def hang_up(self) -> None:
        """Close the terminal, as a window is closed or a connection ends."""
        os.close(self._terminal)
        self._terminal = -1

    def wait(self, timeout: float = 30.0) -> int:
        """Return the exit code."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f'does not end:\n{self.text[-3000:]}'
            self._take()
        while self._take():
            pass
        return self.process.returncode

    def must_end(self, code: int, timeout: float = 30.0) -> None:
        """Wait for the exit code; tell what was said last if it is another."""
        ended = self.wait(timeout)
        assert ended == code, f'exit code {ended}, not {code}:\n{self.text[-3000:]}'

    def close(self) -> None:
        """End the command if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        if self._terminal >= 0:
            os.close(self._terminal)
