"""
YAML as version 1.2 means it, and as authors do: `3e-4` is a number, `no` is a word.

PyYAML follows YAML 1.1, in which `3e-4` is a text, `no` false, `010` eight and `1:30` ninety, and
takes the last of two equal keys without a word. Scalars are resolved here by the core schema of
YAML 1.2.2 (section 10.3.2), and a key that stands twice in a mapping is an error.
"""

from __future__ import annotations

from collections.abc import Hashable
import contextlib
import re
from typing import Any

import yaml

#: Tag, regular expression and first characters of each kind of plain scalar.
_SCALARS = (
    ('bool', r'true|True|TRUE|false|False|FALSE', 'tTfF'),
    ('null', r'null|Null|NULL|~|', ['n', 'N', '~', '']),
    ('int', r'[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+', '-+0123456789'),
    (
        'float',
        r'[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)'
        r'|\.(nan|NaN|NAN)',
        '-+.0123456789',
    ),
)

#: Values that a text may hold once its aliases are written out.
_LARGEST = 200_000
#: How deep a text may be nested for PyYAML's parser in C, which has no limit of its own; what
#: could be deeper is left to the parser in Python.
_DEEPEST = 2000
#: Lists and mappings within each other that a program writes.
_DEEPEST_OF_PROGRAM = 50
#: Halves of pairs of UTF-16, which no text in UTF-8 can hold.
_SURROGATES = re.compile('[\\ud800-\\udfff]')


class Loader(yaml.SafeLoader):
    """Build plain objects, by YAML 1.2's core schema and with each key once."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._checked: set[int] = set()

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Write merged keys out; ConstructorError names a key that stands twice before that."""
        if id(node) not in self._checked:
            self._checked.add(id(node))
            self._refuse_twice(node)
        super().flatten_mapping(node)

    def _refuse_twice(self, node: yaml.MappingNode) -> None:
        seen: dict[Any, int] = {}
        for key, _ in node.value:
            if key.tag == 'tag:yaml.org,2002:merge':
                continue
            name = self.construct_object(key, deep=True)
            if not isinstance(name, Hashable):
                continue
            line = key.start_mark.line + 1
            if name in seen:
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f'the key {name!r} stands twice, in lines {seen[name]} and {line}',
                    key.start_mark,
                )
            seen[name] = line

    def construct_whole(self, node: yaml.ScalarNode) -> int:
        """Build a whole number; a leading zero means nothing."""
        text = str(self.construct_scalar(node))
        base = {'0o': 8, '0x': 16}.get(text[:2], 10)
        return int(text[2:] if base != 10 else text, base)

    def construct_real(self, node: yaml.ScalarNode) -> float:
        """Build a real number."""
        text = str(self.construct_scalar(node)).lower()
        return float(text.replace('.inf', 'inf').replace('.nan', 'nan'))


for _name, _pattern, _first in _SCALARS:
    Loader.add_implicit_resolver(
        f'tag:yaml.org,2002:{_name}', re.compile(f'^(?:{_pattern})$'), list(_first)
    )
Loader.add_implicit_resolver('tag:yaml.org,2002:merge', re.compile(r'^<<$'), ['<'])
Loader.add_constructor('tag:yaml.org,2002:int', Loader.construct_whole)
Loader.add_constructor('tag:yaml.org,2002:float', Loader.construct_real)


def _fast_loader() -> type[Loader]:
    """Return a Loader that takes a fifth of the time, where PyYAML came with libyaml."""
    if not yaml.__with_libyaml__:
        return Loader
    from yaml._yaml import CParser

    class FastLoader(CParser, Loader):
        def __init__(self, stream: str) -> None:
            CParser.__init__(self, stream)
            yaml.constructor.SafeConstructor.__init__(self)
            yaml.resolver.Resolver.__init__(self)
            self._checked = set()

    return FastLoader


_FastLoader = _fast_loader()


def parse(text: str) -> Any:
    """Return what a YAML text says; yaml.YAMLError when it cannot be read."""
    # The parser in C takes tabs and marks of byte order that the other refuses.
    if _depth(text) < _DEEPEST and '\t' not in text and '\ufeff' not in text:
        with contextlib.suppress(yaml.YAMLError):
            return _document(text, _FastLoader)
    return _document(text, Loader)


def _depth(text: str) -> int:
    """Return how deep a text can be nested at most."""
    return text.count('[') + text.count('{') + max(map(len, text.split('\n')))


def _document(text: str, kind: type[yaml.SafeLoader]) -> Any:
    loader = kind(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _check_size(node)
        return loader.construct_document(node)
    except RecursionError as error:
        raise yaml.YAMLError('nested too deeply') from error
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        # PyYAML takes for granted that what bears a tag such as !!bool, or looks like a date, is
        # one, and Python reads no whole number of more than some thousand digits.
        raise yaml.YAMLError(
            f'a value is not what it seems to be, or not what its tag (!!) says: {error}'
        ) from error
    finally:
        loader.dispose()


def parse_of_program(text: str) -> Any:
    """
    Return what a YAML text says that a program wrote, such as rosbag2's metadata.yaml.

    It is read by YAML 1.1, ten times faster than by `parse` where PyYAML has its parser in C.

    :raises yaml.YAMLError: when it cannot be read.
    """
    kind = getattr(yaml, 'CSafeLoader', yaml.SafeLoader)
    depth = 0
    for event in yaml.parse(text, Loader=kind):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST_OF_PROGRAM:
                raise yaml.YAMLError('nested too deeply')
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return _document(text, kind)


def compose(text: str) -> yaml.Node | None:
    """Return the nodes of a YAML text, which know their lines; yaml.YAMLError as in `parse`."""
    try:
        return yaml.compose(text, Loader=Loader)
    except RecursionError as error:
        raise yaml.YAMLError('nested too deeply') from error


def _check_size(root: yaml.Node) -> None:
    """
    Raise YAMLError if aliases make a text refer to itself, or to more than anybody wrote.

    So it does for half a character, which nobody could print.
    """
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        if not isinstance(node, yaml.CollectionNode):
            if _SURROGATES.search(node.value):
                line = node.start_mark.line + 1
                raise yaml.YAMLError(f'half a character (\\ud800 to \\udfff) in line {line}')
            return 1
        if id(node) not in sizes:
            sizes[id(node)] = -1
            parts = (
                [part for pair in node.value for part in pair]
                if isinstance(node, yaml.MappingNode)
                else node.value
            )
            sizes[id(node)] = 1 + sum(size(part) for part in parts)
        if not 0 < sizes[id(node)] <= _LARGEST:
            line = node.start_mark.line + 1
            raise yaml.YAMLError(f'aliases repeat without an end, or too much, in line {line}')
        return sizes[id(node)]

    size(root)
