"""A folder of recordings: who may write to it, with which contract, and what room there is."""

from __future__ import annotations

from contextlib import suppress
import fcntl
import os
from pathlib import Path
import socket

from guda_ros.data.contract import Contract
from guda_ros.data.contract_base import ContractMismatch
from guda_ros.data.recording.info import RecordingError
from guda_ros.data.recording.reader import list_recordings, RecordingReader

LOCK_FILE = '.recorder.lock'
#: Seconds of recording, at the present rate, that shall fit on the disk.
_AHEAD = 300.0


class FolderClaim:
    """
    The right to write recordings to a folder, which one process has at a time.

    It ends with `release` or with the process, however that ends.

    :raises RecordingError: if another recorder has it, or if the folder cannot be written.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self.folder / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise RecordingError(
                f'{self.folder}: cannot be written: {error.strerror}; choose '
                'another folder for the recordings'
            ) from error
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._descriptor, 200).decode(errors='replace').strip()
            os.close(self._descriptor)
            raise RecordingError(
                f'{self.folder}: another recorder ({holder or "unknown"}) writes to this folder; '
                'stop it, or choose another folder'
            ) from error
        note = f'process {os.getpid()} on {socket.gethostname()}\n'.encode()
        # On a full disk nobody can read who it is, but the folder is claimed all the same.
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, note, 0)

    def release(self) -> None:
        """Let others write to the folder."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> FolderClaim:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def require_contract(folder: str | os.PathLike[str], contract: Contract) -> None:
    """
    Check that the newest readable recording in a folder has this contract.

    :raises ContractMismatch: if it has another; the message says what differs.
    """
    for path in sorted(list_recordings(folder), key=lambda path: path.stat().st_mtime)[::-1]:
        try:
            with RecordingReader(path) as reader:
                recorded = reader.contract
        except RecordingError:
            continue
        try:
            contract.require(recorded, str(path))
        except ContractMismatch as error:
            raise ContractMismatch(
                f'{error}\nrecord to another folder, or with the contract of '
                'the recordings that are there'
            ) from error
        return


class DiskSpace:
    """
    Watch the room on the disk of a folder.

    :param reserve: bytes that shall stay free.
    """

    def __init__(self, folder: str | os.PathLike[str], reserve: int) -> None:
        self._folder = Path(folder)
        self._reserve = reserve
        self._first: tuple[float, int] | None = None

    @property
    def free(self) -> int:
        """Bytes that are free."""
        folder = self._folder
        while not folder.exists():
            folder = folder.parent
        state = os.statvfs(folder)
        return state.f_bavail * state.f_frsize

    def lack(self) -> str:
        """Say in words that the reserve is gone; empty if it is not."""
        free = self.free
        if free >= self._reserve:
            return ''
        return (
            f'{self._folder}: only {free / 1e6:.0f} MB are free, {self._reserve / 1e6:.0f} MB '
            'are wanted: free some space'
        )

    def forecast(self, now: float, written: int) -> str:
        """
        Say in words that the disk is nearly full.

        :param now: a steady clock [s]. :param written: bytes of the present recording.
        """
        if self._first is None or written < self._first[1]:
            self._first = now, written
        seconds, growth = now - self._first[0], written - self._first[1]
        lack = self.lack()
        if lack or seconds < 2.0 or not growth:
            return lack
        left = (self.free - self._reserve) * seconds / growth
        if left > _AHEAD:
            return ''
        return f'{self._folder}: the disk is full in {left:.0f} s of recording: free some space'
