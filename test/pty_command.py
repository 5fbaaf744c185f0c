"""A command in a pseudo-terminal, as a person would use it: read what it says, press keys."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time


class PtyCommand:
    """Runs `guda ARGUMENTS` with a pseudo-terminal for standard input and output."""

    def __init__(self, *arguments: str) -> None:
        self._terminal, child = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'guda_ros', *arguments], stdin=child, stdout=child,
            stderr=child, start_new_session=True)
        os.close(child)
        self.text = ''
        self._read = 0

    def wait_for(self, pattern: str, timeout: float = 60.0, meanwhile=lambda: None) -> str:
        """Return what was said until a pattern that was not waited for before."""
        deadline = time.monotonic() + timeout
        while True:
            match = re.search(pattern, self.text[self._read:])
            if match:
                said = self.text[self._read:self._read + match.end()]
                self._read += match.end()
                return said
            assert time.monotonic() < deadline, f'{pattern!r} was not said:\n{self.text}'
            assert self._take() or self.process.poll() is None, \
                f'ended before {pattern!r}:\n{self.text}'
            meanwhile()

    def _take(self) -> bool:
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

    def wait(self, timeout: float = 30.0) -> int:
        """Return the exit code."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f'does not end:\n{self.text}'
            self._take()
        while self._take():
            pass
        return self.process.returncode

    def close(self) -> None:
        """End the command if it still runs."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self._terminal)
