"""The line on the recorder's terminal that tells at a glance how the recording stands."""

from __future__ import annotations

from collections.abc import Sequence
import shutil
import sys
import time

from guda_ros.data.recording.collector import EpisodeCollector

_PERIOD = 0.5


class RecorderScreen:
    """
    Keep one line up to date, where standard error is a terminal.

    :param roles: streams whose rates are shown.
    """

    def __init__(self, collector: EpisodeCollector, roles: Sequence[str]) -> None:
        self._collector = collector
        self._roles = roles
        self._drawn = 0.0
        self._terminal = sys.stderr.isatty()

    def draw(self) -> None:
        """Draw the line if the last time is a moment ago."""
        if not self._terminal or time.monotonic() - self._drawn < _PERIOD:
            return
        self._drawn = time.monotonic()
        width = shutil.get_terminal_size().columns
        sys.stderr.write('\r\x1b[K' + self.text()[: width - 1])
        sys.stderr.flush()

    def clear(self) -> None:
        """Make room for lines of the log."""
        if self._terminal and self._drawn:
            self._drawn = 0.0
            sys.stderr.write('\r\x1b[K')
            sys.stderr.flush()

    def text(self) -> str:
        """Return the line."""
        status = self._collector.status
        room = f'{self._collector.free / 1e9:.1f} GB free'
        if not self._collector.recording:
            last = ''
            if status['good'] is not None:
                verdict = 'good' if status['good'] else 'NOT GOOD ENOUGH'
                last = f'{status["id"]}: {verdict}, '
            return f'[{status["state"]}] {last}{room}'
        rates = ' '.join(f'{role} {self._collector.rate(role):.0f}' for role in self._roles)
        wrong = status['problems'] + status['alarms']
        return (
            f'[REC {self._collector.seconds:.0f} s] {status["id"]}: '
            f'{"ALARM " + "; ".join(wrong) + " | " if wrong else ""}{rates} Hz | {room}'
        )
