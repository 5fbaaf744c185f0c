"""
The keys of the YAML files, as their readers take them.

Every shipped file is read while the reader's calls are noted: key, kind, range and whether it may
be left out. The words beside a key are the comment of the shipped files, or the table that writes
profiles.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
import inspect
import os
from pathlib import Path
import re

from tables import code, table
import yaml

from guda_ros.config.files import config_names, find_config, load_yaml, Section

#: Methods of Section that take a value, and what they expect.
KINDS = {
    'number': 'number',
    'integer': 'integer',
    'numbers': 'numbers',
    'integers': 'integers',
    'ranges': 'list of [episode, first, stop]',
    'text': 'text',
    'texts': 'list of texts',
    'choice': 'one of',
    'section': 'section',
    'rest': 'section',
    'boolean': 'true or false',
    'mapping': 'section',
}


@dataclass
class Key:
    """One key of a file, as it was read."""

    name: str
    kind: str = ''
    range: str = ''
    optional: bool = False


@contextmanager
def reading(path: os.PathLike) -> Iterator[dict[str, Key]]:
    """Note every key of a file that is read meanwhile, by dotted name, in the order of reading."""
    found: dict[str, Key] = {}
    asked: set[str] = set()
    original = {
        name: getattr(Section, name)
        for name in (*KINDS, 'has', 'is_text')
        if hasattr(Section, name)
    }

    def watched(name: str, method: Callable):
        signature = inspect.signature(method)

        def call(self, *args, **kwargs):
            if str(self._path) != str(path):
                return method(self, *args, **kwargs)
            if name in ('has', 'is_text'):
                asked.add(f'{self._prefix}{args[0]}')
                return method(self, *args, **kwargs)
            values = signature.bind(self, *args, **kwargs)
            values.apply_defaults()
            if 'key' in values.arguments:
                dotted = f'{self._prefix}{values.arguments["key"]}'
                # What a person names: the table has it once.
                dotted = re.sub(r'^cameras\.[^.]+', 'cameras.NAME', dotted)
                if not re.search(r'\.\d+$', dotted):
                    key = Key(dotted, KINDS[name], _range(name, values.arguments), dotted in asked)
                    found.setdefault(dotted, key)
            return method(self, *args, **kwargs)

        return call

    for name, method in original.items():
        setattr(Section, name, watched(name, method))
    try:
        yield found
    finally:
        for name, method in original.items():
            setattr(Section, name, method)


def _range(method: str, arguments: dict) -> str:
    if method == 'choice':
        return ', '.join(map(str, arguments.get('known', ())))
    words = [f'{arguments["count"]} of them'] if 'count' in arguments else []
    low, high = arguments.get('low', float('-inf')), arguments.get('high', float('inf'))
    if low is not None and high is not None and (low, high) != (float('-inf'), float('inf')):
        words.append(f'{low:g} to {high:g}')
    return ', '.join(words)


def comments(kind: str) -> dict[str, str]:
    """Return the first comment behind each dotted key in the shipped files."""
    found: dict[str, str] = {}
    for name in config_names(kind):
        for dotted, comment in _comments_of(find_config(kind, name)).items():
            found.setdefault(dotted, comment)
    return found


def _comments_of(path: Path) -> dict[str, str]:
    text = path.read_text(encoding='utf-8')
    lines = text.splitlines()
    found = {}
    for dotted, line in _keys(yaml.compose(text, Loader=yaml.SafeLoader)):
        before, mark, comment = lines[line].partition(' #')
        if mark and before.count("'") % 2 == 0:
            found.setdefault(dotted, comment.strip())
    return found


def _keys(node, prefix: str = '') -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield f'{prefix}{key.value}', key.start_mark.line
            yield from _keys(value, f'{prefix}{key.value}.')


def _read_all(kind: str, load: Callable[[str], object]) -> dict[str, Key]:
    every: dict[str, Key] = {}
    for name in config_names(kind):
        with reading(find_config(kind, name)) as found:
            load(name)
        for dotted, key in found.items():
            every.setdefault(dotted, key).optional |= key.optional
    return every


def _named_by_people(
    kind: str, load: Callable[[str], object], *patterns: str
) -> tuple[dict[str, Key], dict[str, str]]:
    """
    Return keys and comments of files in which a person names some of the keys.

    :param patterns: such keys, with capitals for what a person names: `move.KEY`.
    """

    def general(dotted: str) -> str:
        words = dotted.split('.')
        for pattern in patterns:
            parts = pattern.split('.')
            if words[0] == parts[0]:
                words = [p if p.isupper() else w for w, p in zip(words, parts)] + words[
                    len(parts) :
                ]
        return '.'.join(words)

    known = {key for name in config_names(kind) for key in load_yaml(find_config(kind, name))}
    keys: dict[str, Key] = {}
    for dotted, key in _read_all(kind, load).items():
        # The arguments of an algorithm are read as a file of their own.
        if dotted.partition('.')[0] in known:
            key.name = general(dotted)
            keys.setdefault(key.name, key).optional |= key.optional
    said: dict[str, str] = {}
    for dotted, comment in comments(kind).items():
        said.setdefault(general(dotted), comment)
    return keys, said


def _table(keys: dict[str, Key], meaning: dict[str, str]) -> str:
    return table(
        ('key', 'kind', 'range', 'meaning'),
        [
            (
                code(key.name),
                key.kind + (', optional' if key.optional else ''),
                key.range,
                _escaped(meaning.get(key.name, '')),
            )
            for key in keys.values()
        ],
    )


def _escaped(text: str) -> str:
    return re.sub(r'(?<!`)<', r'\<', text).replace('*', r'\*').replace('[', r'\[')


def robots() -> str:
    """Return the keys of a robot profile."""
    from guda_ros.soccer.robot import RobotProfile
    from guda_ros.soccer.robot_file import KEYS, OPTIONAL, SECTIONS

    meaning = {
        name: ': '.join(filter(None, (k.unit, k.meaning)))
        for name, k in {**KEYS, **OPTIONAL}.items()
    }
    meaning.update(
        (name.replace('camera.', 'cameras.NAME.', 1), text)
        for name, text in list(meaning.items())
        if name.startswith('camera.')
    )
    sections = {name: text for name, text in SECTIONS.items() if name not in meaning}
    return _table(_read_all('robots', RobotProfile.load), {**meaning, **sections})


def fields_() -> str:
    """Return the keys of a field."""
    from guda_ros.soccer.field import Field

    keys = _table(_read_all('fields', Field.load), comments('fields'))
    return f'{_documented(Field)}\n{keys}'


def balls() -> str:
    """Return the keys of a ball."""
    from guda_ros.soccer.field import Ball

    keys = _table(_read_all('balls', Ball.load), comments('balls'))
    return f'{_documented(Ball)}\n{keys}'


def contracts() -> str:
    """Return the keys of the contract of the soccer tasks."""
    from guda_ros.data.contract import Contract

    return _table(_read_all('tasks', Contract.load), comments('tasks'))


def guides() -> str:
    """Return the keys of guides: those of the file, and those of every kind of rule."""
    from guda_ros.augmentation.guides import Guide, RULES

    keys: dict[type, dict[str, Key]] = {}
    said: dict[type, dict[str, str]] = {}
    used: dict[type, dict[str, str]] = {}
    kinds: dict[type, str] = {}
    for name in config_names('guides'):
        path = find_config('guides', name)
        with reading(path) as found:
            guide = Guide.load(name)
        rules = yaml.safe_load(path.read_text(encoding='utf-8'))['rules']
        remarks = _comments_of(path)
        for rule, values in rules.items():
            prefix, kind = f'rules.{rule}.', values['kind']
            reader = {**RULES, **guide.task.rules}[kind]
            kinds[reader] = kind
            used.setdefault(reader, {})[name] = guide.task.name
            for dotted, key in found.items():
                short = dotted.removeprefix(prefix)
                if dotted == short or '.behaviours.' in dotted or short in ('kind', 'share'):
                    continue
                mine = keys.setdefault(reader, {})
                mine.setdefault(short, Key(short, key.kind, key.range)).optional |= key.optional
                if dotted in remarks:
                    said.setdefault(reader, {}).setdefault(short, remarks[dotted])
    parts = []
    for reader in sorted(kinds, key=lambda one: (one not in RULES.values(), kinds[one])):
        tasks = ', '.join(code(task) for task in dict.fromkeys(used[reader].values()))
        names = ', '.join(code(name) for name in used[reader])
        whose = 'every task' if reader in RULES.values() else tasks
        parts.append(f'### {kinds[reader]}\n\nA rule of {whose}. Used in {names}.\n')
        parts.append(_table(keys.get(reader, {}), said.get(reader, {})))
    return '\n'.join(parts)


def randomisation() -> str:
    """Return the keys of a domain randomisation."""
    from guda_ros.sim.physics.randomisation import Randomisation

    return _table(_read_all('randomisation', Randomisation.load), comments('randomisation'))


def rewards() -> str:
    """Return the terms of a reward."""
    from guda_ros.soccer.rewards import TERMS

    said = comments('rewards')
    return table(('term', 'meaning'), [(code(term), said.get(term, '')) for term in TERMS])


def imports() -> str:
    """Return the keys of a mapping of somebody else's bag."""
    from guda_ros.data.exchange.rosbag import Mapping

    return _table(_read_all('imports', Mapping.load), comments('imports'))


def joysticks() -> str:
    """Return the keys of a map of a gamepad."""
    from guda_ros.control.joystick import JoystickMap

    return _table(_read_all('joysticks', JoystickMap.load), comments('joysticks'))


def keyboards() -> str:
    """Return the keys of a map of a keyboard."""
    from guda_ros.control.keyboard import KeyboardMap

    return _table(
        *_named_by_people('keyboards', KeyboardMap.load, 'move.KEY', 'look.KEY', 'buttons.KEY')
    )


def online() -> str:
    """Return the keys of an experiment of `guda sim train`."""
    from guda_ros.online.training import OnlineConfig

    return _table(
        _read_all('online', lambda name: OnlineConfig.load(find_config('online', name))),
        comments('online'),
    )


def benchmarks() -> str:
    """Return the keys of a benchmark."""
    from guda_ros.evaluation.benchmark.plan import Plan

    return _table(
        *_named_by_people(
            'benchmarks', Plan.load, 'augmentations.NAME', 'algorithms.NAME', 'paper.NAME.NAME'
        )
    )


def starts() -> str:
    """Return the keys of a set of starts."""
    from guda_ros.evaluation.start_sets import load_start_set
    from guda_ros.soccer.field import Field

    field = Field.load('spl')
    return _table(
        *_named_by_people('starts', lambda name: load_start_set(name, field), 'starts.NUMBER')
    )


def learning() -> str:
    """Return the arguments of every algorithm."""
    from guda_ros.learning.algorithms import ALGORITHMS
    from guda_ros.learning.learner import LearnerConfig

    shared = {field.name for field in fields(LearnerConfig)}
    parts = [
        '### All algorithms\n',
        _documented(LearnerConfig),
        _arguments(LearnerConfig, shared),
    ]
    for name, learner in ALGORITHMS.items():
        kind = learner.Config
        own = {
            field.name
            for field in fields(kind)
            if field.name not in shared or field.default != LearnerConfig.__dict__.get(field.name)
        }
        parts += [f'### {name}\n', _documented(kind), _arguments(kind, own)]
    return '\n'.join(parts)


def _documented(kind: type) -> str:
    """Return the words of a class of arguments and of those that it builds on."""
    texts = [
        inspect.cleandoc(base.__doc__)
        for base in kind.__mro__[:-1]
        if base.__doc__ and (base is kind or base.__name__ != 'LearnerConfig')
    ]
    return '\n\n'.join(map(_escaped, texts)) + '\n'


def _arguments(kind: type, names: set[str]) -> str:
    rows = [
        (code(field.name), code(_plain(field.default)))
        for field in fields(kind)
        if field.name in names
    ]
    return table(('key', 'default'), rows)


def _plain(value: object) -> object:
    """Return a value as YAML has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return list(value) if isinstance(value, tuple) else value
