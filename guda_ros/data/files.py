"""Write files so that a reader sees all of a file or nothing, also after a power cut."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
import errno
from itertools import count
import json
import os
from pathlib import Path
import time
from typing import Any

from guda_ros.arguments import as_path
from guda_ros.errors import GudaError

PARTIAL = '.partial'
#: Tells what one process writes at the same time apart.
_NUMBERS = count()
#: What the system says where a folder is replaced, or a folder replaces a file.
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR, errno.EISDIR)


def refuse_existing(path: str | os.PathLike[str], overwrite: bool = False) -> None:
    """Raise GudaError if there is something at `path` that may not be replaced."""
    path = as_path(path)
    if path.exists() and not overwrite:
        raise GudaError(f'{path}: exists already; choose another name or give --overwrite')


def refuse_target(path: str | os.PathLike[str]) -> None:
    """Raise GudaError if there is something at `path`: data are never overwritten."""
    path = as_path(path)
    if path.exists():
        raise GudaError(f'{path}: exists already and is not overwritten; choose another name')


@contextmanager
def atomic_target(path: str | os.PathLike[str]) -> Iterator[Path]:
    """
    Give a temporary path beside `path`; sync it and rename it to `path` when the block succeeds.

    The block may create a file or a folder there. If it raises, the temporary is removed and what
    was at `path` stays. A folder that already exists at `path` is never replaced.
    """
    path = as_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        file = next((above for above in path.parents if above.is_file()), path.parent)
        raise GudaError(f'{path}: {file} is a file, not a folder; choose another name') from error
    there = path.exists()
    temporary = path.with_name(f'.{path.name}.{os.getpid()}-{next(_NUMBERS)}{PARTIAL}')
    remove(temporary)
    try:
        yield temporary
        for file in [temporary, *temporary.rglob('*')] if temporary.is_dir() else [temporary]:
            sync(file)
        _rename(temporary, path, there)
        sync(path.parent)
    except BaseException:
        remove(temporary)
        raise


def _rename(temporary: Path, path: Path, there: bool) -> None:
    try:
        os.replace(temporary, path)
    except OSError as error:
        if there or error.errno not in _TAKEN:
            raise
        raise GudaError(
            f'{path}: appeared meanwhile: another command wrote there at the same time; what it '
            'wrote is kept, choose another name'
        ) from error


def write_json(path: str | os.PathLike[str], content: dict[str, Any]) -> None:
    """
    Write strict JSON in one step, for programs that read it at any time.

    :raises ValueError: if there is a number that JSON does not know, such as NaN; what was at
        `path` stays then.
    """
    with atomic_target(path) as temporary, open(temporary, 'w', encoding='utf-8') as file:
        json.dump(content, file, indent=1, sort_keys=True, allow_nan=False)


def sync(path: str | os.PathLike[str]) -> None:
    """Make sure that a file's content, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it; nothing happens if there is none."""
    if path.is_dir() and not path.is_symlink():
        for child in path.iterdir():
            remove(child)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


class DurableFile:
    """
    An append-only binary file that keeps in memory what the disk did not take.

    `write` only remembers; `commit` writes to the disk and syncs. When `commit` raises OSError
    (disk full, say), nothing is lost: what is missing on the disk is still held and the next
    `commit` tries it again.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Create the file; FileExistsError if there is one."""
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self._pending = bytearray()
        self._written = 0
        self._synced = 0
        self._threads = ThreadPoolExecutor(max_workers=1)
        self._syncing: Future[int] | None = None
        #: The longest time [s] that a sync took.
        self.slowest = 0.0

    @property
    def pending(self) -> int:
        """Bytes that are not on the disk yet."""
        return len(self._pending)

    @property
    def synced(self) -> bool:
        """Tell whether everything is on the disk for good."""
        return not self._pending and self._synced == self._written

    def write(self, data: bytes) -> int:
        """Append bytes."""
        self._pending += data
        return len(data)

    def tell(self) -> int:
        """Return the number of bytes appended so far."""
        return self._written + len(self._pending)

    def flush(self) -> None:
        """Do nothing: only `commit` touches the disk."""

    def commit(self, wait: bool = True) -> None:
        """
        Bring everything to the disk; OSError if that fails.

        :param wait: for the sync. Without, it goes on in a thread, so that a slow disk holds
            nobody up, and a failure is raised by the next call.
        """
        while self._pending:
            count = os.write(self._descriptor, self._pending)
            self._written += count
            del self._pending[:count]
        if self._syncing is not None and (wait or self._syncing.done()):
            syncing, self._syncing = self._syncing, None
            self._synced = syncing.result()
        if self._synced == self._written:
            return
        if wait:
            self._synced = self._sync(self._written)
        elif self._syncing is None:
            self._syncing = self._threads.submit(self._sync, self._written)

    def _sync(self, size: int) -> int:
        began = time.monotonic()
        os.fsync(self._descriptor)
        self.slowest = max(self.slowest, time.monotonic() - began)
        return size

    def close(self) -> None:
        """Close the file without another try to write what is pending."""
        if self._descriptor >= 0:
            self._threads.shutdown()
            os.close(self._descriptor)
            self._descriptor = -1
