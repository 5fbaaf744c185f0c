"""Stages of a long job, each marked when finished, so that the next run continues."""

from __future__ import annotations

from collections.abc import Callable
import contextlib
import hashlib
import json
import os
from pathlib import Path
import time

from guda_ros.data.files import write_json


class Stages:
    """
    Run named stages in order, each once for the same settings.

    A stage's key covers its settings and the key of the stage before it. A finished stage whose
    key still holds is skipped; one whose key differs is run again and its old folder is kept under
    another name. An interrupted stage finds what it had written so far and may continue with it;
    so does one whose files were lost since, and what follows on it is run again.

    :param folder: the run's folder; marks go to `stages/` in it.
    :param say: called with one line of progress.
    """

    def __init__(self, folder: Path, count: int, say: Callable[[str], None] = print) -> None:
        self._folder = folder
        self._count = count
        self._say = say
        self._key = ''
        self._number = 0

    def run(self, name: str, title: str, settings: dict, work: Callable[[Path], dict]) -> dict:
        """
        Run `work(stage_folder)` unless it is finished; return the summary that it returned.

        The summary must be JSON; `wall_seconds` is added to it, over all tries of this stage but
        those that were killed. What it names as `files`, relative to the run's folder, belongs to
        the stage besides its own folder.
        """
        self._number += 1
        text = json.dumps([self._key, name, settings], sort_keys=True)
        self._key = hashlib.sha256(text.encode()).hexdigest()[:16]
        mark = self._folder / 'stages' / f'{name}.json'
        found = _read_mark(mark)
        head = f'[{self._number}/{self._count}] {name}: {title}'
        folder = self._folder / name
        made = int(found.get('made', 0)) if found.get('key') == self._key else 0
        if found.get('key') == self._key and found.get('finished'):
            lost = self._lost(folder, found)
            if not lost:
                self._say(
                    f'{head}\n    finished before, kept ({found["summary"]["wall_seconds"]:.0f} s)'
                )
                self._follow(made)
                return found['summary']
            self._say(f'    {lost} is not there any more: {name} is run again')
            made += 1
        spent = 0.0
        if found.get('key') == self._key:
            spent = float(found.get('wall_seconds', 0.0))
        elif folder.exists() and any(folder.iterdir()):
            self._say(f'    the result of other settings is kept in {move_aside(folder)}')
        folder.mkdir(parents=True, exist_ok=True)
        self._say(head)
        started = time.monotonic()
        state = {'key': self._key, 'finished': False, 'settings': settings, 'made': made}
        write_json(mark, {**state, 'wall_seconds': spent})
        try:
            summary = work(folder)
        except BaseException:
            # On a full disk the mark of the beginning stays; the first error is to be seen.
            with contextlib.suppress(OSError):
                write_json(mark, {**state, 'wall_seconds': spent + time.monotonic() - started})
            raise
        summary['wall_seconds'] = spent + time.monotonic() - started
        files = sorted(
            os.path.relpath(path, self._folder) for path in folder.rglob('[!.]*') if path.is_file()
        )
        write_json(mark, {**state, 'finished': True, 'summary': summary, 'files': files})
        self._say(f'    done in {summary["wall_seconds"]:.0f} s')
        self._follow(made)
        return summary

    def _lost(self, folder: Path, found: dict) -> str:
        """Return a file or folder that a finished stage had made and that is gone, or ''."""
        if not folder.is_dir():
            return str(folder)
        files = [*found.get('files', ()), *found['summary'].get('files', ())]
        return next(
            (str(self._folder / file) for file in files if not (self._folder / file).exists()), ''
        )

    def _follow(self, made: int) -> None:
        # What is made anew, such as a recording, is not what later stages have read.
        if made:
            self._key += f'.{made}'


def move_aside(folder: Path) -> Path:
    """Rename a folder to its name with the first free number behind it, and return that."""
    number = 1
    while (target := folder.with_name(f'{folder.name}.{number}')).exists():
        number += 1
    folder.rename(target)
    return target


def _read_mark(path: Path) -> dict:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
        return content if isinstance(content, dict) else {}
    except (OSError, ValueError):
        return {}
