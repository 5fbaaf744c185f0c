"""The table of algorithms, and their arguments from YAML files (config/learning)."""

from __future__ import annotations

from dataclasses import fields, replace
import os

from guda_ros.config.files import ConfigError, find_config, load_yaml, Section
from guda_ros.learning.awac import AWAC
from guda_ros.learning.bc import BC
from guda_ros.learning.cql import CQL
from guda_ros.learning.iql import IQL
from guda_ros.learning.learner import Learner, LearnerConfig
from guda_ros.learning.networks import TrainingError
from guda_ros.learning.rebrac import ReBRAC
from guda_ros.learning.td3_bc import TD3BC

ALGORITHMS: dict[str, type[Learner]] = {
    learner.name: learner for learner in (BC, TD3BC, AWAC, CQL, IQL, ReBRAC)
}


def algorithm(name: str) -> type[Learner]:
    """Return an algorithm by name; TrainingError names those there are."""
    if name not in ALGORITHMS:
        raise TrainingError(f'unknown algorithm {name!r}; known: {", ".join(ALGORITHMS)}')
    return ALGORITHMS[name]


def read_config(name: str | os.PathLike[str]) -> tuple[type[Learner], LearnerConfig]:
    """
    Read the arguments of a training: the file's `algorithm`, and of its arguments those given.

    :param name: in config/learning, or the path of a YAML file.
    :raises ConfigError: naming file and key of what is wrong.
    """
    path = find_config('learning', name)
    root = Section(load_yaml(path), path)
    chosen = root.text('algorithm')
    if chosen not in ALGORITHMS:
        raise ConfigError(
            f'{path}: algorithm: {chosen!r} is unknown; known: {", ".join(ALGORITHMS)}'
        )
    return parse_config(chosen, root.rest(), path)


def parse_config(
    chosen: str, values: dict, path: str | os.PathLike
) -> tuple[type[Learner], LearnerConfig]:
    """
    Return a known algorithm with those of its arguments that a mapping gives.

    :param path: of the file that the mapping was read from, for messages.
    :raises ConfigError: naming file and key of what is wrong.
    """
    learner = ALGORITHMS[chosen]
    defaults = {field.name: field.default for field in fields(learner.Config)}
    arguments = {}
    for key, value in values.items():
        if key not in defaults:
            raise ConfigError(
                f'{path}: {key}: is not a known key of {chosen}; known: {", ".join(defaults)}'
            )
        arguments[key] = _value(path, key, value, defaults[key])
    try:
        return learner, learner.Config(**arguments)
    except TrainingError as error:
        raise ConfigError(f'{path}: {error}') from error


def shortened(config: LearnerConfig, updates: int) -> LearnerConfig:
    """Return arguments with another number of updates; cloning before them keeps its share."""
    changes = {'updates': updates}
    if hasattr(config, 'bc_updates'):
        changes['bc_updates'] = round(config.bc_updates * updates / config.updates)
    return replace(config, **changes)


def _value(path: str | os.PathLike[str], key: str, value, default):
    section = Section({key: value}, path)
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise ConfigError(f'{path}: {key}: true or false is expected, not {value!r}')
        return value
    if isinstance(default, int):
        return section.integer(key, 0, 10**9)
    if isinstance(default, float):
        return section.number(key)
    if isinstance(default, tuple):
        count = len(value) if isinstance(value, (list, tuple)) else len(default)
        sizes = section.numbers(key, count, 1, 10**5)
        return tuple(int(size) for size in sizes)
    return section.text(key)
