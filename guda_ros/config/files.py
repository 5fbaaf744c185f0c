"""Find and read the YAML files of `config/`, in a checkout or an installation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
import math
import os
from pathlib import Path
import re
import sys
from typing import Any, Literal, NoReturn, overload

import yaml

from guda_ros.arguments import as_path
from guda_ros.config.yaml12 import compose, parse
from guda_ros.errors import GudaError

#: Bytes of the largest file that is read as a configuration.
_LARGEST = 10**6


#: Characters that no name or title has, and half of a pair that UTF-8 cannot write.
_UNPRINTABLE = re.compile('[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\ud800-\\udfff]')
#: Letters of a wrong value that a message shows.
_SHOWN = 200


#: What a file of YAML or JSON holds, before its values are checked.
Plain = dict[str, Any]


class ConfigError(GudaError, ValueError):
    """
    A configuration file is missing or wrong; the message names file, key and remedy.

    :param key: dotted, of the wrong value; empty if it is none's.
    """

    def __init__(self, message: str, key: str = '') -> None:
        super().__init__(message)
        self.key = key


def config_directories() -> list[Path]:
    """Return the folders that may hold `config/`, the most specific first."""
    package = Path(__file__).resolve().parents[1]
    candidates = [package.parent / 'config']
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        if prefix:
            candidates.append(Path(prefix) / 'share' / 'guda_ros' / 'config')
    # PREFIX/lib/pythonX/site-packages/guda_ros of pip and colcon, DIR/guda_ros of `pip --target`.
    for base in (*package.parents[3:4], package.parent, Path(sys.prefix)):
        candidates.append(base / 'share' / 'guda_ros' / 'config')
    return [path for path in candidates if path.is_dir()]


def find_config(kind: str, name: str | os.PathLike[str]) -> Path:
    """
    Return the file of a configuration.

    :param kind: folder below `config/`, such as `robots`.
    :param name: a name without suffix (`nao_v6`) or the path of a YAML file.
    :raises ConfigError: if there is none; the message lists the names there are.
    :raises ArgumentError: if that is no name at all.
    """
    path = as_path(name, f'a name in config/{kind} or a YAML file')
    if path.suffix in ('.yaml', '.yml'):
        if path.is_file():
            return path
        raise ConfigError(f'{path}: no such file')
    known = _known(kind)
    if str(path) in known:
        return known[str(path)]
    names = ', '.join(sorted(known)) or 'none was found: is the package installed?'
    raise ConfigError(f'unknown name {str(path)!r} in config/{kind}; known: {names}')


def config_names(kind: str) -> list[str]:
    """Return the names in a folder below `config/`."""
    return sorted(_known(kind))


def _known(kind: str) -> dict[str, Path]:
    known: dict[str, Path] = {}
    for directory in config_directories():
        for file in sorted((directory / kind).glob('*.yaml')):
            known.setdefault(file.stem, file)
    return known


def read_config_text(path: str | os.PathLike[str]) -> str:
    """Return the text of a file in UTF-8; ConfigError says where it is not, or is too long."""
    try:
        with open(path, 'rb') as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigError(f'{path}: {error.strerror}') from error
    if len(content) > _LARGEST:
        raise ConfigError(f'{path}: is larger than {_LARGEST // 10**6} MB: not a configuration')
    try:
        return content.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        line = content.count(b'\n', 0, error.start) + 1
        raise ConfigError(
            f'{path}: not UTF-8 (byte {content[error.start]:#04x} in line {line}); '
            'save it as UTF-8'
        ) from error


def load_yaml(path: str | os.PathLike[str]) -> Plain:
    """Read a YAML mapping; raise ConfigError with file and line when it cannot be read."""
    return parse_yaml(read_config_text(path), path)


def parse_yaml(text: str, path: str | os.PathLike[str]) -> Plain:
    """Return the YAML mapping of a text that was read from a file, as `load_yaml` does."""
    try:
        content = parse(text)
    except yaml.YAMLError as error:
        raise ConfigError(f'{path}: not valid YAML: {error}') from error
    if not isinstance(content, dict):
        raise ConfigError(f'{path}: a mapping of keys to values is expected')
    return content


def with_line(error: ConfigError, path: str | os.PathLike[str]) -> ConfigError:
    """Return the error of a YAML file with the line of its key behind the file's name."""
    line = _line_of(path, error.key) if error.key else None
    text = str(error)
    if line is None or not text.startswith(f'{path}: '):
        return error
    return ConfigError(f'{path}:{line}: {text[len(str(path)) + 2 :]}', error.key)


def _line_of(path: str | os.PathLike[str], key: str) -> int | None:
    """Return the line, from 1, of a dotted key or of the deepest part of it that is there."""
    try:
        node = compose(read_config_text(path))
    except (ConfigError, yaml.YAMLError):
        return None
    line = 1
    for part in key.split('.'):
        if isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
            continue
        found = [
            (name, value)
            for name, value in (node.value if isinstance(node, yaml.MappingNode) else ())
            if name.value == part
        ]
        if not found:
            break
        line, node = found[0][0].start_mark.line + 1, found[0][1]
    return line


def shown(value: object) -> str:
    """Return a wrong value for a message, shortened where it is long."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        # Python writes no whole number of more than some thousand digits.
        text = f'a value of the type {type(value).__name__}'
    return text if len(text) <= _SHOWN else f'{text[:_SHOWN]}... ({len(text)} letters)'


def is_printable(text: str) -> bool:
    """Tell whether a text has no control characters but line ends and tabs."""
    return _UNPRINTABLE.search(text) is None


def _hint(value: object) -> str:
    """Return what an author may have meant by a text where a number is expected."""
    text = value.replace(',', '.', 1) if isinstance(value, str) else ''
    try:
        float(text)
    except ValueError:
        return ''
    return f': write {text}' if text != value else ': write it without quotes'


class Section:
    """A checked view of a YAML mapping; wrong, missing and unknown keys are named."""

    def __init__(
        self, content: Mapping[str, Any], path: str | os.PathLike[str], prefix: str = ''
    ) -> None:
        self._content = dict(content)
        self._path = path
        self._prefix = prefix

    def _fail(self, key: str, problem: str) -> NoReturn:
        raise ConfigError(f'{self._path}: {self._prefix}{key}: {problem}', f'{self._prefix}{key}')

    def _take(self, key: str) -> Any:
        if key not in self._content:
            self._fail(key, 'is missing')
        return self._content.pop(key)

    def number(self, key: str, low: float = float('-inf'), high: float = float('inf')) -> float:
        """Take a number in [low, high]."""
        value = self._take(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self._fail(key, f'a number is expected, not {shown(value)}{_hint(value)}')
        if not low <= value <= high:
            self._fail(key, f'{shown(value)} is outside [{low:g}, {high:g}]')
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self._fail(key, f'a finite number is expected, not {shown(value)}')
        return number

    def integer(self, key: str, low: int, high: int) -> int:
        """Take an integer in [low, high]."""
        value = self.number(key, low, high)
        if value != int(value):
            self._fail(key, f'an integer is expected, not {value}')
        return int(value)

    @overload
    def numbers(
        self, key: str, count: Literal[2], low: float = ..., high: float = ...
    ) -> tuple[float, float]: ...

    @overload
    def numbers(
        self, key: str, count: Literal[3], low: float = ..., high: float = ...
    ) -> tuple[float, float, float]: ...

    @overload
    def numbers(
        self, key: str, count: Literal[5], low: float = ..., high: float = ...
    ) -> tuple[float, float, float, float, float]: ...

    @overload
    def numbers(
        self, key: str, count: int, low: float = ..., high: float = ...
    ) -> tuple[float, ...]: ...

    def numbers(
        self, key: str, count: int, low: float = float('-inf'), high: float = float('inf')
    ) -> tuple[float, ...]:
        """Take a list of `count` numbers, each in [low, high]."""
        values = self._take(key)
        if not isinstance(values, (list, tuple)) or len(values) != count:
            self._fail(key, f'a list of {count} numbers is expected, not {shown(values)}')
        inner = self._elements(key, values)
        return tuple(inner.number(str(index), low, high) for index in range(count))

    def _elements(self, key: str, values: Sequence[object]) -> Section:
        """Return a list as a section whose keys are the indices."""
        content = {str(index): value for index, value in enumerate(values)}
        return Section(content, self._path, f'{self._prefix}{key}.')

    def integers(self, key: str, low: int, high: int) -> tuple[int, ...]:
        """Take a list of integers, each in [low, high]."""
        values = self._take(key)
        if not isinstance(values, (list, tuple)):
            self._fail(key, f'a list of integers is expected, not {shown(values)}')
        inner = self._elements(key, values)
        return tuple(inner.integer(str(index), low, high) for index in range(len(values)))

    def ranges(self, key: str) -> tuple[tuple[int, int, int], ...]:
        """Take a list of [episode, first step, step after the last]."""
        values = self._take(key)
        good = (
            isinstance(values, (list, tuple))
            and values
            and all(
                isinstance(value, (list, tuple))
                and len(value) == 3
                and all(type(part) is int and part >= 0 for part in value)
                and value[1] < value[2]
                for value in values
            )
        )
        if not good:
            self._fail(
                key,
                'a list of [episode, first step, step after the last] is expected, '
                f'not {shown(values)}',
            )
        return tuple((value[0], value[1], value[2]) for value in values)

    def text(self, key: str) -> str:
        """Take a string that is not empty."""
        value = self._take(key)
        if not isinstance(value, str) or not value:
            self._fail(key, f'a text is expected, not {shown(value)}')
        if not is_printable(value):
            self._fail(key, f'a text without control characters is expected, not {shown(value)}')
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Take a list of strings."""
        values = self._take(key)
        if not isinstance(values, (list, tuple)) or not all(
            isinstance(value, str) and is_printable(value) for value in values
        ):
            self._fail(key, f'a list of names is expected, not {shown(values)}')
        return tuple(values)

    def flag(self, key: str) -> bool:
        """Take true or false."""
        value = self._take(key)
        if not isinstance(value, bool):
            self._fail(key, f'true or false is expected, not {shown(value)}')
        return value

    def choice(self, key: str, known: tuple[str, ...]) -> str:
        """Take one of the known strings."""
        value = self.text(key)
        if value not in known:
            self._fail(key, f'{shown(value)} is not one of {", ".join(known)}')
        return value

    def has(self, key: str) -> bool:
        """Tell whether a key is there and was not taken yet."""
        return key in self._content

    def is_text(self, key: str) -> bool:
        """Tell whether a key that was not taken yet holds a text."""
        return isinstance(self._content.get(key), str)

    def is_mapping(self, key: str) -> bool:
        """Tell whether a key that was not taken yet holds a mapping."""
        return isinstance(self._content.get(key), dict)

    def keys(self) -> tuple[str, ...]:
        """Return the keys that were not taken yet."""
        return tuple(self._content)

    def section(self, key: str) -> Section:
        """Take a mapping as a section of its own."""
        value = self._take(key)
        if not isinstance(value, dict):
            self._fail(key, f'a mapping is expected, not {shown(value)}')
        return Section(value, self._path, f'{self._prefix}{key}.')

    def fail(self, key: str, problem: str) -> NoReturn:
        """Raise the ConfigError of a key's value."""
        self._fail(key, problem)

    def refuse(self, key: str, remedy: str) -> None:
        """Raise ConfigError, with what to write instead, if a key of an older version is there."""
        if key in self._content:
            self._fail(key, f'is a key of an older version; {remedy}')

    def rest(self) -> Plain:
        """Take all keys that are left."""
        content, self._content = self._content, {}
        return content

    def close(self) -> None:
        """Raise ConfigError if a key was not read."""
        for key in self._content:
            self._fail(key, 'is not a known key')
