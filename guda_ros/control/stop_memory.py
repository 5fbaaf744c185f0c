"""What a safety node must not forget when its process ends."""

from __future__ import annotations

import json
import os
from pathlib import Path


class StopMemory:
    """
    Keep in a small file whether the emergency stop is latched, and whether somebody watches.

    A process that is killed leaves the file saying that it watches: whoever starts next knows
    that nobody said the robot was safe.

    :param path: of the file; its folder is made.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path).expanduser()
        #: Why nothing can be remembered, empty if all is well.
        self.problem = ''

    def begin(self) -> str:
        """Begin to watch; return why the robot must begin stopped, empty if nothing says so."""
        try:
            found = json.loads(self._path.read_text(encoding='utf-8'))
            cause = str(found['cause'])
            if not cause and found['watched']:
                cause = 'the end of the safety node before, which was killed or crashed'
        except FileNotFoundError:
            cause = ''
        except (OSError, ValueError, KeyError, TypeError):
            cause = f'{self._path}, which cannot be read'
        self._write(True, cause)
        return cause

    def note(self, cause: str) -> None:
        """Remember who latched the emergency stop; empty: it was released."""
        self._write(True, cause)

    def end(self, cause: str) -> None:
        """End to watch, by a process that has stopped the robot; `cause` as in `note`."""
        self._write(False, cause)

    def _write(self, watched: bool, cause: str) -> None:
        draft = self._path.with_name(f'{self._path.name}.{os.getpid()}')
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(
                json.dumps({'watched': watched, 'cause': cause}) + '\n', encoding='utf-8'
            )
            draft.replace(self._path)
            self.problem = ''
        except OSError as error:
            self.problem = (
                f'an emergency stop will not outlive this node: {self._path} cannot be written '
                f'({error.strerror})'
            )
