"""Changes of files: of their bytes, of their text, and of the values that they hold."""

from __future__ import annotations

from collections.abc import Callable
import copy
from datetime import date
from functools import cache
import json
import random
from typing import Any

import yaml

#: What stands where something else is expected.
VALUES: tuple[Any, ...] = (
    None, True, False, '', 'x', ' ', '~', 'nan', '1e3', '0x10', 'a\0b', '../../etc', '/', '//',
    'ä€😀', '\ud7ff', 'a b', '-', '{}', 'x' * 5000, 0, 1, -1, -5, 2, 7, 255, 2**31, 2**32, 2**63,
    -(2**63), 10**30, 10**400, 0.0, -0.0, 0.5, -0.5, 1e-9, 1e-320, 1e9, 1e39, 1e300, -1e300,
    1.7976931348623157e308, float('nan'), float('inf'), float('-inf'), [], [[]], {}, [None], [0],
    [1, 2, 3], ['a', 'b'], [0.0] * 40, {'x': 1}, {1: 2}, {'': ''}, date(2024, 1, 31), b'\0\xff',
)  # fmt: skip
#: What YAML, or a reader of it, may stumble over, as the value of a key.
TOKENS = (
    '', '~', 'null', '.nan', '.inf', '-.inf', '1e400', '-1', '1e300', '9' * 5000, '0x', '1:30',
    '2024-13-45', '2024-02-30T99:00:00Z', '!!timestamp x', '!!bool x', '!!int x', '!!float x',
    '!!binary x', '!!null x', '!!set {a: 1}', '!!omap [1]', '!!python/name:os.system',
    '!unknown x', '*nowhere', '&a [*a]', '&a {b: *a}', '[', '{', ']', '}', '[[[[', '"', "'", '|',
    '>', '- x', '? x', '? [a, b] : c', '{a: 1, a: 2}', '{[1]: 2}', '{? {a: 1} : 2}', '%', '@', '`',
    '<<', '{<<: 1}', '{<<: [1]}', '{<<: {a: 1}}', '\t', '\0', '\x07', '\u2028', '\ufeff', '#',
    ': :', '[' * 60 + ']' * 60, '[' * 3000, '{a: ' * 400 + '1' + '}' * 400,
    'true', 'yes', '"\\x"', '"\\ud800"', '"\\0"', '0x' + 'f' * 5000,
)  # fmt: skip
_BOMB = '\n'.join(
    ['bomb0: &b0 [x, x, x, x, x, x, x, x, x]']
    + [f'bomb{n}: &b{n} [{", ".join([f"*b{n - 1}"] * 9)}]' for n in range(1, 12)]
)
#: The one in C is ten times faster, where PyYAML has it.
DUMPER = getattr(yaml, 'CSafeDumper', yaml.SafeDumper)
_NUMBERS = (b'\xff' * 8, b'\0' * 8, b'\x7f' + b'\xff' * 7, b'\xff' * 4, b'\x80\0\0\0', b'\x01')


def mutate_bytes(content: bytes, rng: random.Random) -> bytes:
    """Flip bits, cut, repeat, move or overwrite parts of a file."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        size = len(data)
        at = rng.randrange(size + 1)
        length = min(rng.choice((1, 2, 4, 8, 16, 64, 256, 4096)), size - at)
        what = rng.randrange(9)
        if what == 0:
            for _ in range(rng.choice((1, 1, 2, 8, 64))):
                if size:
                    data[rng.randrange(size)] ^= 1 << rng.randrange(8)
        elif what == 1:
            del data[at:]
        elif what == 2:
            del data[at : at + length]
        elif what == 3:
            data[at:at] = data[at : at + length]
        elif what == 4:
            data[at:at] = rng.randbytes(length)
        elif what == 5:
            data[at : at + length] = bytes(length)
        elif what == 6:
            data[at : at + length] = rng.randbytes(length)
        elif what == 7:
            number = rng.choice(_NUMBERS)
            data[at : at + len(number)] = number
        else:
            other = rng.randrange(size + 1)
            data[at : at + length] = data[other : other + length]
    return bytes(data)


def mutate_yaml_text(text: str, rng: random.Random) -> bytes:
    """Change lines, tokens or the encoding of a text; what comes out may be no YAML."""
    lines = text.splitlines()
    for _ in range(rng.choice((1, 1, 2, 3))):
        full = [n for n, line in enumerate(lines) if line.split('#')[0].strip()] or [0]
        at = rng.choice(full)
        lines = lines or ['']
        what = rng.randrange(9)
        if what <= 2:
            key, colon, _ = lines[at].partition(':')
            lines[at] = f'{key}{colon or ":"} {rng.choice(TOKENS)}'
        elif what == 3:
            lines.insert(rng.choice(full), lines[at])
        elif what == 4:
            del lines[at]
        elif what == 5:
            lines[at] = ' ' * rng.randrange(6) + lines[at].lstrip()
        elif what == 6:
            lines.insert(at, rng.choice((_BOMB, '---', '...', '%YAML 9.9', rng.choice(TOKENS))))
        elif what == 7:
            position = rng.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:position] + rng.choice(TOKENS) + lines[at][position:]
        else:
            lines[at] = f'{rng.choice(TOKENS)}: {rng.choice(TOKENS)}'
    changed = rng.choice(('\n', '\n', '\n', '\r\n', '\r')).join(lines) + '\n'
    if rng.random() < 0.1:
        changed = rng.choice(('', '\0', '[]', 'null', '3', *TOKENS))
    if rng.random() < 0.1:
        encoding = rng.choice(('latin-1', 'utf-16', 'utf-32', 'utf-8-sig', 'cp500'))
        return ('# für\n' + changed).encode(encoding, errors='replace')
    return changed.encode('utf-8', errors='surrogatepass')


def places(value: Any, path: tuple = ()) -> list[tuple]:
    """Return the paths of all values within a value."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, child in value.items():
            found += places(child, (*path, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            found += places(child, (*path, index))
    return found


def _value_at(root: Any, path: tuple) -> Any:
    for part in path:
        root = root[part]
    return root


def mutate_values(root: Any, rng: random.Random, where: tuple = ()) -> Any:
    """Return a copy of dictionaries and lists with a few values, keys or lengths changed."""
    root = copy.deepcopy(root)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        found = [path for path in places(root) if path[: len(where)] == where]
        if not found:
            return rng.choice(VALUES)
        path = rng.choice(found)
        parent, key = _value_at(root, path[:-1]), path[-1]
        old, what = parent[key], rng.randrange(10)
        number = isinstance(old, (int, float)) and not isinstance(old, bool)
        if what <= 3:
            parent[key] = copy.deepcopy(rng.choice(VALUES))
        elif what <= 5 and number:
            factor = rng.choice((-1, 0.0, 0.1, 10, 100, 1e6, 1.5))
            parent[key] = factor * min(old, 1e300) + rng.choice((0, 0, 3))
        elif what == 6:
            del parent[key]
        elif what == 7 and isinstance(parent, dict):
            del parent[key]
            parent[rng.choice(('', 'x', 'topics', 'a.b', 'ä', 'name ', str(key).upper()))] = old
        elif what == 8 and isinstance(parent, dict):
            parent[rng.choice(('new', 'task', 'kind', 'robot', '<<', 'ball', 'driver'))] = (
                rng.choice(VALUES)
            )
        elif what == 8 and isinstance(parent, list):
            parent[key:key] = [copy.deepcopy(old)] * rng.choice((1, 2, 50))
        else:
            other = rng.choice(found)
            try:
                parent[key] = copy.deepcopy(_value_at(root, other))
            except (KeyError, IndexError, TypeError):
                pass
    return root


@cache
def _parsed(text: str) -> Any:
    return yaml.safe_load(text)


def mutate_yaml(text: str, rng: random.Random, where: tuple = ()) -> bytes:
    """Change a YAML file: in two of three cases its values, else its text or bytes."""
    what = rng.random()
    if what < 0.65:
        values = mutate_values(_parsed(text), rng, where)
        try:
            return yaml.dump(values, Dumper=DUMPER, allow_unicode=True, sort_keys=False).encode()
        except (yaml.YAMLError, UnicodeEncodeError):
            return mutate_yaml_text(text, rng)
    if what < 0.9:
        return mutate_yaml_text(text, rng)
    return mutate_bytes(text.encode(), rng)


def mutate_json(text: str, rng: random.Random, where: tuple = ()) -> str:
    """Change the values of a JSON text, or its letters."""
    if rng.random() < 0.85:
        try:
            values = mutate_values(json.loads(text), rng, where)
            return json.dumps(values, sort_keys=True, separators=(',', ':'))
        except (TypeError, ValueError):
            pass
    return mutate_bytes(text.encode(), rng).decode('utf-8', errors='replace')


def one_of(rng: random.Random, *choices: Callable[[], Any]) -> Any:
    """Call one of the functions."""
    return rng.choice(choices)()
