"""Change values in the text of a YAML profile and leave comments and layout as they are."""

from __future__ import annotations

from collections.abc import Mapping
import json

import numpy as np
import yaml

from guda_ros.config.files import ConfigError
from guda_ros.config.yaml12 import compose


def with_values(text: str, values: Mapping[str, object], path: str = 'profile') -> str:
    """
    Return the text of a YAML file with other values.

    :param values: numbers, texts, lists and mappings by dotted key; an integer in it is a place in
        a list. A key that is not there yet is put at the end of its section, which must be there
        unless it is a key of the file itself.
    :param path: for messages.
    :raises ConfigError: if the text is no YAML mapping or a section is missing.
    """
    for key, value in values.items():
        text = _with_value(text, key.split('.'), value, path)
    return text


def with_entry(
    text: str, section: str, key: str, value: object, comment: str = '', path: str = 'profile'
) -> str:
    """
    Return the text with an entry in a section of the file, which is made if it is not there.

    :param key: of the entry, dots and all. :param comment: beside the heading of a new section.
    """
    root = _root(text, path)
    node = _child(root, section)
    if node is None:
        heading = f'{section}:' + (f'  # {comment}' if comment else '')
        return f'{text.rstrip()}\n{heading}\n  {key}: {_written(value)}\n'
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f'{path}: {section}: a mapping is expected')
    entry = _child(node, key)
    if entry is not None:
        return _replaced(text, entry, _written(value))
    return _inserted(text, node, key, value)


def with_item(text: str, key: str, item: str, path: str = 'profile') -> str:
    """Return the text with one more text at the end of a list of the file."""
    node = _child(_root(text, path), key)
    if not isinstance(node, yaml.SequenceNode):
        raise ConfigError(f'{path}: {key}: a list is expected')
    if node.flow_style or not node.value:
        items = [*(child.value for child in node.value), item]
        start = len(text[: node.start_mark.index].rstrip(' '))
        return (
            text[:start] + ''.join(f'\n  - {_written(one)}' for one in items) + text[_end(node) :]
        )
    last = node.value[-1]
    indent = ' ' * node.start_mark.column
    end = _line_end(text, _end(last))
    return f'{text[:end]}\n{indent}- {_written(item)}{text[end:]}'


def _with_value(text: str, keys: list[str], value: object, path: str) -> str:
    node: yaml.Node = _root(text, path)
    for depth, key in enumerate(keys):
        child = _child(node, key)
        if child is None:
            if depth + 1 < len(keys) or not isinstance(node, yaml.MappingNode):
                raise ConfigError(f'{path}: {".".join(keys[: depth + 1])}: is missing')
            return _inserted(text, node, key, value)
        node = child
    return _replaced(text, node, _written(value))


def _root(text: str, path: str) -> yaml.MappingNode:
    try:
        node = compose(text)
    except yaml.YAMLError as error:
        raise ConfigError(f'{path}: not valid YAML: {error}') from error
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f'{path}: a mapping of keys to values is expected')
    return node


def _child(node: yaml.Node, key: str) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode):
        return node.value[int(key)] if key.isdigit() and int(key) < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        return next((value for name, value in node.value if name.value == key), None)
    return None


def _written(value: object) -> str:
    if isinstance(value, str):
        # JSON's texts are YAML's, whatever is in them; a plain word needs no quotes.
        plain = value.isidentifier() and yaml.safe_load(value) == value
        return value if plain else json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return '{' + ', '.join(f'{key}: {_written(one)}' for key, one in value.items()) + '}'
    if isinstance(value, (list, tuple)):
        return '[' + ', '.join(_written(one) for one in value) + ']'
    if isinstance(value, int):
        return str(value)
    # Positional, because YAML takes 1e-05 for a text.
    return np.format_float_positional(float(f'{value:.4g}'), trim='0')


def _end(node: yaml.Node) -> int:
    """Return where a node's text ends; the mark of a block is after the comments behind it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return node.end_mark.index


def _line_end(text: str, index: int) -> int:
    end = text.find('\n', index)
    return len(text) if end < 0 else end


def _replaced(text: str, node: yaml.Node, written: str) -> str:
    return text[: node.start_mark.index] + written + text[_end(node) :]


def _inserted(text: str, node: yaml.MappingNode, key: str, value: object) -> str:
    if node.flow_style or not node.value:
        entries = ', '.join(
            [
                *(text[name.start_mark.index : _end(child)] for name, child in node.value),
                f'{key}: {_written(value)}',
            ]
        )
        return _replaced(text, node, '{' + entries + '}')
    indent = ' ' * node.value[0][0].start_mark.column
    end = _line_end(text, _end(node))
    return f'{text[:end]}\n{indent}{key}: {_written(value)}{text[end:]}'
