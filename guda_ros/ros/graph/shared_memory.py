"""Shared-memory files of Fast DDS that dead processes leave behind; the standard library only."""

from __future__ import annotations

import fcntl
from pathlib import Path
import re
import time

SHARED_MEMORY = Path('/dev/shm')
_NAME = re.compile(r'(?:sem\.)?(fast(?:dds|rtps)_(?:port\d+|[0-9a-z]{16}))(?:_el|_sl|_mutex)?')


def shared_memory_files() -> dict[str, list[Path]]:
    """Return the files of Fast DDS in shared memory by segment or port."""
    found: dict[str, list[Path]] = {}
    for path in sorted(SHARED_MEMORY.glob('*fast*')):
        match = _NAME.fullmatch(path.name)
        if match:
            found.setdefault(match.group(1), []).append(path)
    return found


def clean_shared_memory(min_age: float = 0.3) -> list[Path]:
    """
    Remove the segments that no living process uses; return what was removed.

    The owner of a segment holds a lock file locked while it lives, as eProsima's `fastdds shm
    clean` uses it; without a lock file nobody may have it mapped. What is younger than `min_age`
    [s] is not touched before that age: its owner may be about to lock it.

    Ports are left alone. They are small and their numbers are used again, by whatever domain:
    Fast DDS puts them right when it opens them, and a participant that tries to lock one while
    this looks whether it is locked would be deaf from then on.
    """
    removed = []
    candidates = [paths for paths in _segments() if not _locked(paths, min_age)]
    if candidates and any(_age(path) < min_age for paths in candidates for path in paths):
        time.sleep(min_age)
        candidates = _segments()
    mapped = _mapped() if candidates else set()
    for paths in candidates:
        lockless = not any(path.name.endswith(('_el', '_sl')) for path in paths)
        if _locked(paths) or (lockless and any(str(path) in mapped for path in paths)):
            continue
        for path in paths:
            try:
                path.unlink()
            except OSError:
                continue
            removed.append(path)
    return removed


def _segments() -> list[list[Path]]:
    return [paths for name, paths in shared_memory_files().items() if '_port' not in name]


def _locked(paths: list[Path], min_age: float = 0.0) -> bool:
    for path in paths:
        if path.name.endswith(('_el', '_sl')) and _age(path) >= min_age:
            try:
                with open(path, 'rb') as file:
                    # Shared: whoever else looks at the same time is no owner.
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except FileNotFoundError:
                continue
            except OSError:
                return True
    return False


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float('inf')


def _mapped() -> set[str]:
    """Return the files of Fast DDS that any process that can be looked into has mapped."""
    found = set()
    for maps in Path('/proc').glob('[0-9]*/maps'):
        try:
            text = maps.read_text(encoding='utf-8', errors='replace')
        except OSError:
            continue
        found.update(re.findall(rf'{SHARED_MEMORY}/\S*fast\S*', text))
    return found
