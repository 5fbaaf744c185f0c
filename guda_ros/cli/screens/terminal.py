"""A terminal in which keys are read as they are pressed and a screen is drawn; no X, no curses."""

from __future__ import annotations

from collections.abc import Sequence
import os
import select
import signal
import sys
from typing import Any

from guda_ros.control.keyboard import KeyReader
from guda_ros.errors import GudaError

#: Alternate screen, no cursor, report of the focus, marks around what is pasted.
_OPEN = '\x1b[?1049h\x1b[?25l\x1b[?1004h\x1b[?2004h\x1b[2J'
_CLOSE = '\x1b[?2004l\x1b[?1004l\x1b[?25h\x1b[?1049l'


class Terminal:
    """
    Keys in, lines out; a context manager that leaves the terminal as it was.

    Ctrl-C is left to Python. A terminal that is closed (SIGHUP), whose input has ended or that
    cannot be read makes `gone` true; so does SIGTERM.
    """

    def __init__(self) -> None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise GudaError(
                'a terminal is needed to drive: for a gamepad alone run the nodes '
                '`joystick` and `teleop`, see docs/teleoperation.md'
            )
        self._in, self._out = sys.stdin.fileno(), sys.stdout.fileno()
        self._reader = KeyReader()
        self._before: list[Any] = []
        self._handlers: dict[signal.Signals, Any] = {}
        self._shown: list[str] = []
        self._size = 0, 0
        self.gone = False

    def __enter__(self) -> Terminal:
        import termios

        self._before = termios.tcgetattr(self._in)
        mode = termios.tcgetattr(self._in)
        # Ctrl-S would freeze the screen, and with it whoever writes to it.
        mode[0] &= ~(termios.IXON | termios.IXOFF)
        mode[3] &= ~(termios.ICANON | termios.ECHO)
        # Ctrl-C would throw away what is written and not yet shown, the end of the screen as well.
        mode[3] |= termios.NOFLSH
        for key in (termios.VSUSP, termios.VQUIT):
            # Ctrl-Z and Ctrl-\\ would leave a robot without its operator.
            mode[6][key] = b'\x00'
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._in, termios.TCSADRAIN, mode)
        for number in (signal.SIGHUP, signal.SIGTERM):
            self._handlers[number] = signal.signal(number, self._on_end)
        self._write(_OPEN)
        return self

    def __exit__(self, *_: object) -> None:
        import termios

        self._write(_CLOSE)
        try:
            termios.tcsetattr(self._in, termios.TCSANOW, self._before)
        except termios.error:
            self.gone = True
        for number, handler in self._handlers.items():
            # The shell may send another one while the nodes are being stopped.
            signal.signal(number, signal.SIG_IGN if self.gone else handler)

    def _on_end(self, *_: object) -> None:
        self.gone = True

    def keys(self, timeout: float) -> list[str]:
        """Return the keys that come within `timeout` seconds, as soon as there are some."""
        if self.gone or not select.select([self._in], [], [], timeout)[0]:
            return []
        try:
            data = os.read(self._in, 4096)
        except OSError:
            data = b''
        if not data:
            self.gone = True
        return self._reader.read(data)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows; those of an old terminal if it does not tell."""
        try:
            columns, rows = os.get_terminal_size(self._out)
        except OSError:
            columns, rows = 0, 0
        return columns or 80, rows or 24

    @property
    def unicode(self) -> bool:
        """Whether more than ASCII can be shown; Linux' console has too few signs."""
        return 'utf' in (sys.stdout.encoding or '').lower() and os.environ.get('TERM', '') not in (
            'linux',
            'dumb',
            'vt100',
        )

    def draw(self, lines: Sequence[str]) -> None:
        """Show lines from the top; only what has changed is sent."""
        if self.size != self._size:
            self._size, self._shown = self.size, []
            self._write('\x1b[2J')
        shown = [*self._shown, *[None] * len(lines)]
        text = ''.join(
            f'\x1b[{row};1H{line}\x1b[K'
            for row, (line, before) in enumerate(zip(lines, shown), 1)
            if line != before
        )
        if len(lines) < len(self._shown):
            text += f'\x1b[{len(lines) + 1};1H\x1b[J'
        self._shown = list(lines)
        if text:
            self._write(text)

    def _write(self, text: str) -> None:
        data = text.encode(sys.stdout.encoding or 'ascii', 'replace')
        try:
            while data:
                data = data[os.write(self._out, data) :]
        except OSError:
            self.gone = True
