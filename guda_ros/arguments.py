"""What a caller of a public function gave, checked: paths, and whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
import os
from pathlib import Path
from typing import TypeVar

from guda_ros.errors import GudaError

T = TypeVar('T')
#: What is no list of paths, though one can iterate over it.
_NO_LISTS = (bytes, bytearray, Mapping)


class ArgumentError(GudaError, TypeError, ValueError):
    """An argument is of a type or value that makes no sense; the message names it."""


def as_path(value: object, name: str = 'path') -> Path:
    """
    Return a path that a user gave, with `~` for the home folder.

    :param name: of the argument, for the error. :raises ArgumentError: if it is none.
    """
    if not isinstance(value, (str, os.PathLike)) or isinstance(os.fspath(value), bytes):
        raise ArgumentError(f'{name}: a path is expected, not {_told(value)}')
    text = str(value)
    if not text or '\0' in text:
        raise ArgumentError(f'{name}: {text!r} is no path')
    path = Path(os.path.expanduser(text))
    if text.startswith('~') and str(path).startswith('~'):
        user = path.parts[0][1:]
        raise ArgumentError(
            f'{name}: {text}: there is no user {user!r}; write ./{text} for a folder of that name'
        )
    # To pathlib, ./~ and ~ are the same: it must stay what it is when it comes here again.
    return path.absolute() if str(path).startswith('~') else path


def as_folder(value: object, name: str = 'folder') -> Path:
    """Return a path that is no file, as `as_path` does: what is no folder yet can become one."""
    path = as_path(value, name)
    if path.is_file():
        raise ArgumentError(f'{name}: {path} is a file, not a folder; choose another name')
    return path


def if_given(check: Callable[[object, str], T], value: object, name: str) -> T | None:
    """Return None for None, and anything else as one of these checks does."""
    return None if value is None else check(value, name)


def as_paths(values: object, name: str = 'paths') -> list[Path]:
    """Return one path or several as a list, which may be empty; otherwise as `as_path`."""
    return [as_path(value, name) for value in as_list(values, name)]


def as_path_or(value: object, kind: type[T], name: str = 'path') -> Path | T:
    """Return what is of a kind as it is, and anything else as `as_path` does."""
    return value if isinstance(value, kind) else as_path(value, name)


def as_paths_or(values: object, kind: type[T], name: str = 'paths') -> list[Path | T]:
    """Return one or several, paths or of a kind, as a list, which may be empty; see as_path."""
    return [as_path_or(value, kind, name) for value in as_list(values, name, kind)]


def as_list(values: object, name: str, kind: type = str) -> list:
    """Return one path, one of a kind, or several of these as a list of what was given."""
    if isinstance(values, (str, os.PathLike, kind)):
        return [values]
    if isinstance(values, _NO_LISTS) or not isinstance(values, Iterable):
        raise ArgumentError(f'{name}: a path or several are expected, not {_told(values)}')
    return list(values)


def as_whole(value: object, name: str, least: int) -> int:
    """
    Return a whole number that is at least `least`.

    :param name: of the argument, for the error. :raises ArgumentError: if it is none.
    """
    whole = value.__index__() if hasattr(value, '__index__') else None
    if whole is None or isinstance(value, bool) or whole < least:
        raise ArgumentError(f'{name}: a whole number from {least} is needed, not {_told(value)}')
    return whole


def _told(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f'a {type(value).__name__}'
