"""The person who runs trials on a robot: what is told to them, and the keys that they press."""

from __future__ import annotations

import os
import select
import sys
import time
from typing import Protocol

from guda_ros.errors import GudaError


class Operator(Protocol):
    """Somebody beside the field; a context manager, in which keys can be read."""

    def __enter__(self) -> Operator: ...

    def __exit__(self, *_: object) -> None: ...

    def say(self, line: str) -> None:
        """Tell a line."""

    def show(self, text: str) -> None:
        """Show what changes all the time."""

    def clear(self) -> None:
        """Take what `show` showed away."""

    def key(self, timeout: float) -> str:
        """Return the key that is pressed within some seconds, or an empty text."""


class TerminalOperator:
    """An operator at a terminal; GudaError if there is none."""

    def __init__(self) -> None:
        self._descriptor, self._before = -1, []
        self._next, self._shown = 0.0, False

    def __enter__(self) -> TerminalOperator:
        import termios
        import tty

        if not sys.stdin.isatty():
            raise GudaError('trials need a terminal: the verdicts are key presses')
        self._descriptor = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._descriptor)
        try:
            tty.setcbreak(self._descriptor)
            # Ctrl-Z would leave a robot that moves without the time limit and without a verdict.
            mode = termios.tcgetattr(self._descriptor)
            mode[6][termios.VSUSP] = b'\x00'
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, mode)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        import termios

        termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._before)

    def say(self, line: str) -> None:
        """Print a line."""
        print(line)

    def show(self, text: str) -> None:
        """Write over the last line, at most ten times a second."""
        if time.monotonic() >= self._next:
            self._next, self._shown = time.monotonic() + 0.1, True
            sys.stdout.write(f'\r{text:<78}')
            sys.stdout.flush()

    def clear(self) -> None:
        """Empty the line that `show` wrote."""
        if self._shown:
            self._next, self._shown = 0.0, False
            sys.stdout.write('\r' + ' ' * 78 + '\r')
            sys.stdout.flush()

    def key(self, timeout: float) -> str:
        """
        Return the key that is pressed within some seconds, or an empty text.

        :raises GudaError: if the terminal is gone.
        """
        if not select.select([self._descriptor], [], [], timeout)[0]:
            return ''
        pressed = os.read(self._descriptor, 1)
        if not pressed:
            raise GudaError('the terminal is gone; what was saved is kept, run the command again')
        if pressed == b'\x1b':
            # An arrow or function key sends letters behind it, which are no verdict.
            while select.select([self._descriptor], [], [], 0.02)[0]:
                os.read(self._descriptor, 32)
            return ''
        return pressed.decode('ascii', 'replace').lower()
