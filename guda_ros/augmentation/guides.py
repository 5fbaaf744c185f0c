"""
Guides: a few rules that choose, among all changes that the dynamics allow, what means progress.

A guide is a YAML file in config/guides. What guides do is described in Corrado et al., Guided Data
Augmentation for Offline Reinforcement Learning and Imitation Learning, 2023 (arXiv 2310.18247).
"""

from __future__ import annotations

from dataclasses import dataclass
import hashlib
import os
from pathlib import Path

from guda_ros.augmentation.registry import load_task, UnknownTask
from guda_ros.augmentation.rules.auto import AutoRule
from guda_ros.augmentation.rules.base import Rule
from guda_ros.augmentation.rules.move import MoveRule
from guda_ros.augmentation.task import Task
from guda_ros.config.files import (
    ConfigError,
    find_config,
    parse_yaml,
    read_config_text,
    Section,
    with_line,
)

#: Kinds of rules that every task has; its own are in Task.rules.
RULES = {rule.kind: rule for rule in (MoveRule, AutoRule)}


@dataclass(frozen=True)
class Guide:
    """
    Named rules and the share of the transitions that each is to make.

    shares add up to one; None makes them proportional to the steps that each rule can use. text:
    of the file; hash: 16 hexadecimal digits that change with it.
    """

    name: str
    task: type[Task]
    rules: dict[str, Rule]
    shares: dict[str, float] | None
    text: str

    @property
    def hash(self) -> str:
        """16 hexadecimal digits that change with the file."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]

    @classmethod
    def load(cls, name: str | os.PathLike[str]) -> Guide:
        """
        Read a guide by name (config/guides) or path, for the task that it names.

        :raises ConfigError: naming file, line and key of what is wrong.
        :raises UnknownTask: naming file and line, if its task is not installed.
        """
        path = find_config('guides', name)
        # As text files are read, whatever ends their lines: the hash is over it.
        text = read_config_text(path).replace('\r\n', '\n').replace('\r', '\n')
        try:
            return cls._read(path, text)
        except ConfigError as error:
            raise with_line(error, path) from error
        except UnknownTask as error:
            located = with_line(ConfigError(f'{path}: task: {error}', 'task'), path)
            raise UnknownTask(str(located)) from error

    @classmethod
    def _read(cls, path: Path, text: str) -> Guide:
        root = Section(parse_yaml(text, path), path)
        task = load_task(root.text('task'))
        title, listed = root.text('name'), root.section('rules')
        kinds = {**RULES, **task.rules}
        rules: dict[str, Rule] = {}
        shares: dict[str, float | None] = {}
        for key in listed.keys():
            section = listed.section(key)
            kind = section.choice('kind', tuple(kinds))
            if section.is_text('share'):
                section.choice('share', ('proportional',))
                shares[str(key)] = None
            else:
                shares[str(key)] = section.number('share', 0, 1)
            rules[str(key)] = kinds[kind](section, task)
            section.close()
        root.close()
        if not rules:
            root.fail('rules', 'at least one rule is needed')
        told = {key: share for key, share in shares.items() if share is not None}
        if told and len(told) < len(shares):
            root.fail('rules', 'either all shares are numbers or all are proportional')
        if told and abs(sum(told.values()) - 1.0) > 1e-6:
            root.fail('rules', f'the shares add up to {sum(told.values()):g}, not to 1')
        return cls(title, task, rules, told or None, text)


def load_guide(name: str | os.PathLike[str]) -> Guide:
    """Read a guide by name or path; see Guide.load."""
    return Guide.load(name)
